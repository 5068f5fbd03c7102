"""A generator's copy with frozen statistics: what it computes, keeps, and refuses."""

import warnings

import keras
import numpy as np
import pytest

from improved_gan_tf import networks
from improved_gan_tf.layers import BatchStatisticsNorm, freeze_batch_statistics
from improved_gan_tf.networks import dcgan
from tests.support.numerics import to_numpy


def noise(rows, seed=0):
    return np.random.RandomState(seed).uniform(size=(rows, 100)).astype("float32")


def generator():
    spec = networks.EXPERIMENTS["mnist", "feature_matching"]
    return spec.generator(1, 0.1, None)


def convolutional():
    return networks.EXPERIMENTS["cifar10", "feature_matching"].generator(1, 0.02, None)


def with_scales():
    return dcgan.dcgan_generator(1, (28, 28, 1), 0.05)


@pytest.mark.parametrize("build", [generator, convolutional, with_scales])
def test_on_its_one_batch_the_copy_is_the_generator(build):
    model, z = build(), noise(50)
    random = np.random.RandomState(1)
    for layer in model.layers:  # as after training: a new layer's do nothing
        if isinstance(layer, BatchStatisticsNorm):
            layer.set_weights([random.uniform(0.5, 2.0, w.shape) for w in layer.weights])
    frozen = freeze_batch_statistics(model, [z])
    np.testing.assert_allclose(to_numpy(frozen(z)), to_numpy(model(z)), atol=1e-5)


def test_the_statistics_are_without_the_noise_of_training():
    layers = [keras.layers.Dense(8), keras.layers.Dropout(0.5), BatchStatisticsNorm()]
    model, z = keras.Sequential([keras.Input((100,)), *layers]), noise(50)
    frozen = freeze_batch_statistics(model, [z])
    np.testing.assert_allclose(to_numpy(frozen(z)), to_numpy(model(z)), atol=1e-5)


def test_several_batches_count_alike():
    # One layer, so that each batch's moments can be taken by hand.
    model = keras.Sequential([keras.Input((2,)), BatchStatisticsNorm(epsilon=0.5)])
    batches = [np.random.RandomState(s).normal(s, 1 + s, (6, 2)).astype("float32") for s in (0, 1)]
    frozen = freeze_batch_statistics(model, batches)
    mean = np.mean([b.mean(0) for b in batches], axis=0)
    variance = np.mean([b.var(0) for b in batches], axis=0)
    x = np.array([[1.0, 2.0]], "float32")
    np.testing.assert_allclose(to_numpy(frozen(x)), (x - mean) / np.sqrt(variance + 0.5), rtol=1e-5)


def test_an_image_does_not_depend_on_its_batch_and_different_z_give_different_images():
    model, z = generator(), noise(25, seed=1)
    frozen = freeze_batch_statistics(model, [noise(100)])
    together = to_numpy(frozen(z))
    alone = np.concatenate([to_numpy(frozen(z[i : i + 1])) for i in range(25)])
    np.testing.assert_allclose(alone, together, atol=1e-6)
    assert alone.std(axis=0).mean() > 0.5 * to_numpy(model(z)).std(axis=0).mean()
    np.testing.assert_allclose(
        frozen.predict(z, verbose=0), frozen.predict(z, batch_size=1, verbose=0), atol=1e-6
    )


def test_training_the_copy_uses_and_moves_no_batch_statistics():
    frozen, z = freeze_batch_statistics(generator(), [noise(100)]), noise(4, seed=1)
    before = [to_numpy(w).copy() for w in frozen.weights]
    np.testing.assert_array_equal(to_numpy(frozen(z, training=True)), to_numpy(frozen(z)))
    for weight, kept in zip(frozen.weights, before, strict=True):
        np.testing.assert_array_equal(to_numpy(weight), kept)


def test_the_copy_is_saved_with_its_statistics(tmp_path):
    frozen, z = freeze_batch_statistics(generator(), [noise(100)]), noise(1, seed=1)
    frozen.save(tmp_path / "frozen.keras")
    loaded = keras.saving.load_model(tmp_path / "frozen.keras")
    np.testing.assert_array_equal(to_numpy(loaded(z)), to_numpy(frozen(z)))


@pytest.mark.parametrize("way", ["loaded", "layer by layer"])
def test_a_sequential_model_may_have_called_its_layers_before(way, tmp_path):
    layers = [keras.Input((100,)), BatchStatisticsNorm(), keras.layers.Dense(3)]
    model, z = keras.Sequential(layers), noise(20)
    expected = to_numpy(model(z))
    if way == "loaded":
        model.save(tmp_path / "model.keras")
        model = keras.saving.load_model(tmp_path / "model.keras")
    else:
        model = keras.Sequential()
        for layer in layers:
            model.add(layer)  # calls all layers anew
    assert len(model.layers[0]._inbound_nodes) > 1
    frozen = freeze_batch_statistics(model, [z])
    np.testing.assert_allclose(to_numpy(frozen(z)), expected, atol=1e-5)


def test_the_model_itself_stays_as_it_was():
    model, z = generator(), noise(10)
    before = to_numpy(model(z))
    freeze_batch_statistics(model, [noise(100)])
    np.testing.assert_array_equal(to_numpy(model(z)), before)


def test_what_has_no_batch_statistics_is_refused():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="with a `BatchStatisticsNorm`"):
        freeze_batch_statistics(model, [np.zeros((4, 2))])


def test_no_batches_are_refused():
    with pytest.raises(ValueError, match="at least one batch"):
        freeze_batch_statistics(generator(), [])


def test_a_layer_inside_a_model_or_called_twice_is_refused():
    norm = BatchStatisticsNorm(name="shared")
    x = keras.Input((2,))
    twice = keras.Model(x, norm(norm(x)))
    inner = keras.Sequential([keras.Input((2,)), BatchStatisticsNorm(name="within")])
    for model, name in ((twice, "shared"), (keras.Model(x, inner(x)), "within")):
        with pytest.raises(ValueError, match=rf"called once.*{name}"):
            freeze_batch_statistics(model, [np.zeros((4, 2))])


def test_a_layer_of_a_subclass_which_may_do_more_is_refused():
    own = type("Own", (BatchStatisticsNorm,), {})(name="own")
    with pytest.raises(ValueError, match=r"nor of a subclass. Received: layers \['own'\]"):
        freeze_batch_statistics(keras.Sequential([keras.Input((2,)), own]), [np.zeros((4, 2))])


def test_one_example_at_a_time_warns_and_a_batch_does_not():
    model = generator()
    with pytest.warns(UserWarning, match=r"this batch holds one example.*load_run"):
        model(noise(1))
    with pytest.warns(UserWarning, match="this batch holds one example"):
        generator().predict(noise(1), verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(noise(2))
        freeze_batch_statistics(model, [noise(10)])(noise(1))

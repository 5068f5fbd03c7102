"""Gaussian noise: its distribution, its stream, and when it is off."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from improved_gan_tf.layers.noise import GaussianNoise, standard_normal
from tests.support.numerics import to_numpy


def draw(*shape, seed=1, dtype="float32"):
    return to_numpy(standard_normal(shape, dtype, keras.random.SeedGenerator(seed)))


# --- the draw ------------------------------------------------------------------------------


def test_draws_have_the_normal_distribution():
    drawn = draw(200_000).astype("float64")
    statistic = stats.kstest(drawn, "norm").statistic
    assert statistic < 1.95 / np.sqrt(len(drawn))  # exceeded once in 1,000 seeds; this one is fixed


def test_draws_have_the_normal_moments():
    drawn = draw(200_000).astype("float64")
    expected = [0.0, 1.0, 0.0, 3.0]
    spread = [1.0, np.sqrt(2.0), np.sqrt(15.0), np.sqrt(96.0)]  # of z^k
    for power, mean, deviation in zip((1, 2, 3, 4), expected, spread, strict=True):
        assert abs(np.mean(drawn**power) - mean) < 4.0 * deviation / np.sqrt(len(drawn))


def test_the_two_halves_of_a_draw_are_independent():
    first, second = draw(2, 100_000).astype("float64")  # r cos t and r sin t
    for power in (1, 2):
        correlation = np.corrcoef(first**power, second**power)[0, 1]
        assert abs(correlation) < 4.0 / np.sqrt(100_000)


@pytest.mark.parametrize("shape", [(1,), (3,), (5, 7), (2, 3, 5, 1), (4, 4)])
def test_any_shape_is_filled_with_different_numbers(shape):
    drawn = draw(*shape)
    assert drawn.shape == shape
    assert len(np.unique(drawn)) == drawn.size
    assert np.all(np.isfinite(drawn))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_draws_are_of_the_type_asked_for(dtype):
    drawn = standard_normal((1000,), dtype, keras.random.SeedGenerator(1))
    assert keras.backend.standardize_dtype(drawn.dtype) == dtype
    values = to_numpy(keras.ops.cast(drawn, "float64"))
    assert np.all(np.isfinite(values))
    assert 0.9 < np.std(values) < 1.1


def test_float64_draws_have_more_digits_than_float32():
    drawn = draw(100, dtype="float64")
    assert np.any(drawn != drawn.astype("float32"))


def test_a_seed_decides_the_draw():
    np.testing.assert_array_equal(draw(10, seed=3), draw(10, seed=3))
    assert np.all(draw(10, seed=3) != draw(10, seed=4))


def test_a_second_draw_is_another_one():
    generator = keras.random.SeedGenerator(1)
    first, second = (to_numpy(standard_normal((10,), "float32", generator)) for _ in range(2))
    assert np.all(first != second)


# --- the layer -----------------------------------------------------------------------------


def test_inference_returns_the_input():
    x = np.arange(6.0, dtype="float32").reshape(2, 3)
    layer = GaussianNoise(0.5, seed=1)
    np.testing.assert_array_equal(to_numpy(layer(x, training=False)), x)
    np.testing.assert_array_equal(to_numpy(layer(x)), x)


def test_training_adds_noise_of_the_standard_deviation_around_the_input():
    x = np.full((200, 500), 7.0, "float32")
    added = to_numpy(GaussianNoise(0.3, seed=1)(x, training=True)).astype("float64") - 7.0
    assert abs(np.mean(added)) < 4.0 * 0.3 / np.sqrt(added.size)
    assert np.std(added) == pytest.approx(0.3, rel=0.01)


def test_a_standard_deviation_of_zero_adds_nothing():
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(to_numpy(GaussianNoise(0.0, seed=1)(x, training=True)), x)


def test_every_call_draws_anew():
    layer, x = GaussianNoise(0.5, seed=1), np.zeros((4, 5), "float32")
    assert np.all(to_numpy(layer(x, training=True)) != to_numpy(layer(x, training=True)))


def test_every_call_of_one_graph_draws_anew():
    layer = GaussianNoise(0.5, seed=1)
    step = tf.function(lambda x: layer(x, training=True))
    x = tf.zeros((4, 5))
    assert np.all(step(x).numpy() != step(x).numpy())


def test_two_layers_with_one_seed_draw_the_same_and_with_two_seeds_not():
    x = np.zeros((4, 5), "float32")
    one, same, other = (to_numpy(GaussianNoise(1.0, seed=s)(x, training=True)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.all(one != other)


def test_layers_that_share_a_generator_draw_different_noise():
    generator = keras.random.SeedGenerator(1)
    layers = [GaussianNoise(1.0, seed=generator) for _ in range(2)]
    first, second = (to_numpy(layer(np.zeros((4, 5)), training=True)) for layer in layers)
    assert np.all(first != second)


def test_a_batch_of_unknown_size_works_in_a_graph():
    layer = GaussianNoise(1.0, seed=1)

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
    def step(x):
        return layer(x, training=True)

    for size in (1, 4, 7):
        drawn = step(tf.zeros((size, 3))).numpy()
        assert drawn.shape == (size, 3)
        assert len(np.unique(drawn)) == drawn.size


def test_the_config_rebuilds_the_layer():
    layer = GaussianNoise(0.3, seed=5, name="noise")
    copy = GaussianNoise.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    x = np.zeros((4, 5), "float32")
    np.testing.assert_array_equal(
        to_numpy(copy(x, training=True)), to_numpy(layer(x, training=True))
    )


def test_the_config_of_a_layer_with_a_generator_is_plain_json():
    import json

    layer = GaussianNoise(0.3, seed=keras.random.SeedGenerator(5))
    copy = GaussianNoise.from_config(json.loads(json.dumps(layer.get_config())))
    assert copy.stddev == 0.3
    assert isinstance(copy.seed, int)  # of its own: see test_random_layer.py


def test_the_layer_has_no_weights():
    layer = GaussianNoise(0.3, seed=5)
    layer(np.zeros((4, 5), "float32"), training=True)
    assert layer.weights == []


@pytest.mark.parametrize("stddev", [-0.1, float("nan")])
def test_a_negative_standard_deviation_is_refused(stddev):
    with pytest.raises(ValueError, match=rf"`stddev` must be 0 or larger\. Received: .*={stddev}"):
        GaussianNoise(stddev)

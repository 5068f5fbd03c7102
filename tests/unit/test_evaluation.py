"""Every test example is scored once, whatever the number of them."""

import keras
import numpy as np
import pytest

from improved_gan_tf.data.device_images import DeviceImages
from improved_gan_tf.layers.minibatch_discrimination.layer import MinibatchDiscrimination
from improved_gan_tf.layers.noise import GaussianNoise
from improved_gan_tf.training.evaluation import (
    EVALUATION_BATCH,
    Predictor,
    mean_closeness,
    wrong_count,
)


def device_images(count, labels=None):
    """One-pixel images that count 0, 1, 2, ... 255, 0, ..."""
    pixels = (np.arange(count) % 256).astype("uint8").reshape(-1, 1, 1, 1)
    labels = np.zeros(count, "int32") if labels is None else labels
    return DeviceImages(pixels, labels, (1.0, 0.0))


def coupled_model():
    """A discriminator whose logits depend on the whole batch."""
    images = keras.Input((1, 1, 1))
    x = keras.layers.Flatten()(images)
    outputs = MinibatchDiscrimination(num_kernels=2, kernel_dim=1)(x)
    return keras.Model(images, {"logits": outputs})


def noisy_identity():
    """A discriminator whose only logit is the pixel, with large noise while training."""
    images = keras.Input((1, 1, 1))
    x = GaussianNoise(1e6, seed=1)(keras.layers.Flatten()(images))
    return keras.Model(images, {"logits": x, "features": x})


@pytest.mark.parametrize("count", [1, 7, EVALUATION_BATCH, EVALUATION_BATCH + 1, 2345])
def test_every_image_gets_its_logits_once_in_order_and_without_noise(count):
    logits = Predictor(noisy_identity(), device_images(count)).logits()
    np.testing.assert_array_equal(logits[:, 0], np.arange(count) % 256)
    assert logits.shape == (count, 1)


def counting_model(images, training):
    """Stands in for a discriminator: logits are the pixel, and the rows of its batch."""
    pixels = keras.ops.reshape(images, (-1, 1))
    rows = keras.ops.zeros_like(pixels) + keras.ops.cast(keras.ops.shape(pixels)[0], pixels.dtype)
    return {"logits": keras.ops.concatenate([pixels, rows], axis=1)}


@pytest.mark.parametrize("count", [8, 11, 12, 16])
def test_with_coupled_examples_every_batch_is_full_and_every_image_counts_once(count):
    logits = Predictor(counting_model, device_images(count), coupled_batch=4).logits()
    np.testing.assert_array_equal(logits, np.stack([np.arange(count), np.full(count, 4)], axis=1))


def test_with_fewer_images_than_a_coupled_batch_all_of_them_are_one_batch():
    logits = Predictor(counting_model, device_images(3), coupled_batch=4).logits()
    np.testing.assert_array_equal(logits, [[0, 3], [1, 3], [2, 3]])


def test_images_sorted_by_class_share_mixed_batches_and_their_logits_are_in_their_order():
    model, data = coupled_model(), device_images(6, np.repeat([0, 1], 3))
    rows = data.mixed_rows
    assert not np.array_equal(rows, np.arange(6))
    logits = Predictor(model, data, coupled_batch=3).logits()
    for batch in (rows[:3], rows[3:]):
        expected = keras.ops.convert_to_numpy(model(data.images(batch))["logits"])
        np.testing.assert_allclose(logits[batch], expected, rtol=1e-6)


def test_the_filled_up_last_batch_is_scored_beside_the_images_before_it():
    model, data = coupled_model(), device_images(6)
    logits = Predictor(model, data, coupled_batch=4).logits()
    last = keras.ops.convert_to_numpy(model(data.images([2, 3, 4, 5]))["logits"])
    np.testing.assert_allclose(logits[4:], last[2:], rtol=1e-6)


def test_parameters_that_change_between_two_calls_are_seen():
    images = keras.Input((1, 1, 1))
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Model(images, {"logits": dense(keras.layers.Flatten()(images))})
    predictor = Predictor(model, device_images(3))
    np.testing.assert_array_equal(predictor.logits()[:, 0], [0.0, 1.0, 2.0])
    dense.kernel.assign([[3.0]])
    np.testing.assert_array_equal(predictor.logits()[:, 0], [0.0, 3.0, 6.0])


def test_wrong_count_counts_rows_whose_largest_logit_is_not_the_labels():
    logits = np.array([[0.0, 1.0, 2.0], [3.0, 1.0, 2.0], [0.0, 5.0, 1.0], [9.0, 8.0, 7.0]])
    assert wrong_count(logits, np.array([2, 1, 1, 2])) == 2
    assert wrong_count(logits, np.array([2, 0, 1, 0])) == 0
    assert wrong_count(logits, np.array([0, 1, 2, 1])) == 4


def test_wrong_count_is_a_plain_integer():
    assert type(wrong_count(np.array([[0.0, 1.0]]), np.array([0]))) is int


def test_mean_closeness_of_a_model_made_layer_by_layer():
    layers = [keras.Input((3,)), MinibatchDiscrimination(5, 2), keras.layers.Dense(10)]
    model = keras.Sequential()
    for layer in layers:
        model.add(layer)
    x = 0.1 * np.random.RandomState(0).normal(size=(6, 3)).astype("float32")
    assert mean_closeness(model, x) == pytest.approx(np.mean(layers[1].closeness(x)), rel=1e-5)


def test_mean_closeness_is_that_of_the_layer_without_noise_or_bias():
    images = keras.Input((3,))
    noisy = GaussianNoise(1e6, seed=1)(keras.layers.Dense(4)(images))
    layer = MinibatchDiscrimination(5, 2)
    logits = keras.layers.Dense(10)(layer(noisy))
    model = keras.Model(images, {"logits": logits, "features": noisy})
    layer.bias.assign(np.arange(5.0))
    x = 0.1 * np.random.RandomState(0).normal(size=(6, 3)).astype("float32")
    output = np.array(keras.Model(images, layer.output)(x, training=False))
    expected = np.mean(output[:, 4:] - np.arange(5.0))
    assert 0.1 < expected < 5
    assert mean_closeness(model, x) == pytest.approx(expected, rel=1e-5)

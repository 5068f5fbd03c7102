"""Images kept as bytes on the device, scaled when a batch takes them."""

import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf.data.device_images import DeviceImages

IMAGES = 20


@pytest.fixture
def images():
    pixels = np.random.RandomState(0).randint(0, 256, (IMAGES, 28, 28, 1)).astype("uint8")
    return DeviceImages(pixels, np.arange(IMAGES) % 10, (255.0, 0.0))


def test_images_stay_bytes_on_the_device(images):
    assert images._images.here.dtype == tf.uint8


def test_pixels_are_shifted_and_divided():
    data = DeviceImages(
        np.array([0, 127, 255], "uint8").reshape(3, 1, 1, 1), np.zeros(3, int), (128.0, 127.5)
    )
    expected = [(255 - 127.5) / 128, (0 - 127.5) / 128]
    actual = data.images([2, 0])
    assert actual.dtype == tf.float32
    np.testing.assert_allclose(actual.numpy().ravel(), expected, rtol=1e-6)


def test_mnist_pixels_lie_between_zero_and_one():
    data = DeviceImages(
        np.array([0, 51, 255], "uint8").reshape(3, 1, 1, 1), np.zeros(3, int), (255.0, 0.0)
    )
    np.testing.assert_allclose(data.images([0, 1, 2]).numpy().ravel(), [0.0, 0.2, 1.0], rtol=1e-6)


def test_a_batch_holds_the_images_and_labels_of_its_rows(images):
    batch = images.batch([3, 15], [7, 8], [9, 1])
    np.testing.assert_array_equal(batch.labels.numpy(), [3, 5])
    for part, part_rows in (
        (batch.labeled, [3, 15]),
        (batch.unlabeled, [7, 8]),
        (batch.unlabeled_for_generator, [9, 1]),
    ):
        np.testing.assert_array_equal(part.numpy(), images.images(part_rows).numpy())


def test_the_number_of_images_is_the_length(images):
    assert len(images) == IMAGES

"""A data set's images on every device, and the batch for one iteration."""

from typing import NamedTuple

import keras
import tensorflow as tf

from improved_gan_tf import distribution
from improved_gan_tf.data.mixed_order import mixed_order


class Batch(NamedTuple):
    """One iteration's data: scaled images (N, H, W, C) and labels (N,)."""

    labeled: tf.Tensor
    labels: tf.Tensor
    unlabeled: tf.Tensor
    unlabeled_for_generator: tf.Tensor


class DeviceImages:
    """A set of images on every device, as bytes; batches are gathered and scaled in the step.

    Args:
        images: uint8 array (N, H, W, C).
        labels: integer array (N,).
        scale: `(divisor, offset)`; pixels become `(byte - offset) / divisor`.

    Attributes:
        mixed_rows: (N,) integers, all rows as they share the batches of minibatch discrimination
            in tests; see `mixed_order`.
    """

    def __init__(self, images, labels, scale):
        self._images = distribution.DeviceCopies(images, "images")
        # TensorFlow has no GPU kernel that gathers from a variable of int32.
        self._labels = distribution.DeviceCopies(labels.astype("int64"), "labels")
        self._divisor, self._offset = scale
        self._count = len(labels)
        self.mixed_rows = mixed_order(labels)

    def __len__(self):
        return self._count

    def images(self, rows):
        """Scaled images of `rows`, (len(rows), H, W, C) in Keras' float type."""
        pixels = tf.cast(tf.gather(self._images.here, rows), keras.config.floatx())
        if self._offset:
            pixels -= self._offset
        return pixels / self._divisor

    def labels(self, rows):
        """Labels of `rows`, int64 (len(rows),)."""
        return tf.gather(self._labels.here, rows)

    def batch(self, labeled_rows, unlabeled_rows, generator_rows):
        """Gathers one iteration's `Batch` from row numbers, each (batch_size,)."""
        return Batch(
            self.images(labeled_rows),
            self.labels(labeled_rows),
            self.images(unlabeled_rows),
            self.images(generator_rows),
        )

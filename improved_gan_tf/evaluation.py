"""Logits of every example of a set, and the error they make."""

import numpy as np
import tensorflow as tf

EVALUATION_BATCH = 1000


class Predictor:
    """Logits of a discriminator in inference mode, noise off.

    Args:
        discriminator: model with an output named "logits".
        images: `training.DeviceImages`, the set to score.
        coupled_batch: None, or the batch size of a discriminator whose outputs depend on the
            composition of the batch (minibatch discrimination). Every batch is then full: the
            last one is filled up with the images before it, which are not counted again.
    """

    def __init__(self, discriminator, images, coupled_batch=None):
        self._images = images
        self._coupled_batch = coupled_batch

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
        def forward(rows):
            return discriminator(images.images(rows), training=False)["logits"]

        self._forward = forward

    def logits(self):
        """Returns float logits (N, 10) of all N examples, each of them once."""
        count = len(self._images)
        size = self._coupled_batch or EVALUATION_BATCH
        parts = []
        for start in range(0, count, size):
            stop = min(start + size, count)
            # D8: the original's SVHN minibatch script counts the overlap twice.
            first = max(0, stop - size) if self._coupled_batch else start
            parts.append(self._forward(tf.range(first, stop)).numpy()[start - first :])
        return np.concatenate(parts)


def wrong_count(logits, labels):
    """Number of rows whose largest logit is not the label's (int)."""
    return int(np.sum(np.argmax(logits, axis=1) != labels))

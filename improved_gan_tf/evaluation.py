"""Logits of every example of a set, and the error they make."""

import numpy as np
import tensorflow as tf

EVALUATION_BATCH = 1000


class Predictor:
    """Logits of a discriminator in inference mode, noise off.

    Args:
        discriminator: model with an output named "logits".
        images: `training.DeviceImages`, the set to score.
    """

    def __init__(self, discriminator, images):
        self._images = images

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
        def forward(rows):
            return discriminator(images.images(rows), training=False)["logits"]

        self._forward = forward

    def logits(self):
        """Returns float logits (N, 10) of all N examples, the last, smaller batch included."""
        count = len(self._images)
        starts = range(0, count, EVALUATION_BATCH)
        batches = [tf.range(s, min(s + EVALUATION_BATCH, count)) for s in starts]
        return np.concatenate([self._forward(rows).numpy() for rows in batches])


def wrong_count(logits, labels):
    """Number of rows whose largest logit is not the label's (int)."""
    return int(np.sum(np.argmax(logits, axis=1) != labels))

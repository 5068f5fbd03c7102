"""Test error over every example, class probabilities, samples; scoring a finished run again."""

import numpy as np
import tensorflow as tf

EVALUATION_BATCH = 1000


def predict_logits(discriminator, training_images_like, count):
    """Logits of rows 0 to `count - 1`, noise off; the last, smaller batch included.

    Args:
        discriminator: model with an output named "logits".
        training_images_like: object whose `images(rows)` gives scaled images.
        count: int, number of rows.

    Returns:
        float array (count, 10).
    """

    @tf.function(reduce_retracing=True)
    def forward(rows):
        return discriminator(training_images_like.images(rows), training=False)["logits"]

    parts = [
        forward(tf.range(start, min(start + EVALUATION_BATCH, count))).numpy()
        for start in range(0, count, EVALUATION_BATCH)
    ]
    return np.concatenate(parts)

"""Predictions of a network in which an image's output depends on its batch."""

import numpy as np


def require_full_batch(count, batch_size):
    """Raises `ValueError` if there are fewer images than one batch."""
    if count < batch_size:
        raise ValueError(
            "With minibatch discrimination an image's logits depend on its batch: predict or "
            f"evaluate at least one batch of the size of training. Received: {count} images, "
            f"batch_size={batch_size}"
        )


def predict_in_full_batches(predict, images, batch_size):
    """Logits of every image, from batches of one size.

    Images from the batch before fill the last one, and are not counted again.

    Args:
        predict: function of images (M, ..), M a multiple of `batch_size`, to the logits of the
            first of them, in order: all M, or fewer full batches.
        images: array (N, ..).
        batch_size: int.

    Returns:
        (N, K), or the rows that `predict` gave.

    Raises:
        ValueError: there are fewer images than one batch.
    """
    count = len(images)
    require_full_batch(count, batch_size)
    full = count - count % batch_size
    if full == count:
        return predict(images)
    rows = np.append(np.arange(full), np.arange(count - batch_size, count))
    logits = predict(images[rows])
    # D8: the original's SVHN minibatch script counts the overlap twice.
    is_new = np.append(np.ones(full, bool), rows[full:] >= full)
    return logits[is_new[: len(logits)]]

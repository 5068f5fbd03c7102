"""The order in which test images share the batches of minibatch discrimination."""

import numpy as np

from improved_gan_tf import streams


def mixed_order(labels):
    """Returns the rows of a test set in an order that mixes its classes, (N,) integers.

    It is the data's own, as in the original, unless they lie sorted by class (the embedded digits,
    a folder for each class): then a random one, always the same. A batch of one class is nothing
    that a discriminator was trained on. (D8)

    Args:
        labels: (N,) integers.
    """
    labels = np.asarray(labels)
    is_sorted = np.all(labels[1:] >= labels[:-1])
    if is_sorted and len(np.unique(labels)) > 1:
        return streams.coupled_test_order().permutation(len(labels))
    return np.arange(len(labels))

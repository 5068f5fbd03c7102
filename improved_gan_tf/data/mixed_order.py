"""The order in which test images share the batches of minibatch discrimination."""

import numpy as np

from improved_gan_tf import streams


def mixed_order(labels):
    """Returns the rows of a test set in an order that mixes its classes, (N,) integers.

    It is the data's own, as in the original, unless each class lies in one piece (the embedded
    digits, a folder for each class): then a random one, always the same. A batch of one class is
    nothing that a discriminator was trained on. (D8)

    Args:
        labels: (N,) integers.
    """
    labels = np.asarray(labels)
    changes, classes = np.count_nonzero(labels[1:] != labels[:-1]), len(np.unique(labels))
    if classes > 1 and changes == classes - 1:
        return streams.coupled_test_order().permutation(len(labels))
    return np.arange(len(labels))

"""How far images of one class lie apart: what a class-conditional game loses when it collapses."""

import numpy as np


def within_class_distance(images, labels):
    """Returns the mean Euclidean distance of all pairs of different images of one class.

    It is the mean over classes of the mean over the class's pairs.

    Args:
        images: (N, ...) numbers.
        labels: (N,) integers; classes with fewer than two images are left out.

    Returns:
        Float of 0 or more, in units of `images`.

    Raises:
        ValueError: no class has two images.
    """
    flat = np.asarray(images, np.float64).reshape(len(images), -1)
    means = []
    for label in np.unique(labels):
        own = flat[np.asarray(labels) == label]
        if len(own) > 1:
            means.append(_mean_distance(own))
    if not means:
        raise ValueError("A class must have two images or more. Received: none has.")
    return float(np.mean(means))


def _mean_distance(rows):
    """Mean distance of the pairs of different rows (N, A), N of 2 or more."""
    squares = np.sum(rows**2, axis=1)
    distances = squares[:, None] + squares[None] - 2.0 * rows @ rows.T
    first, second = np.triu_indices(len(rows), 1)
    return np.mean(np.sqrt(np.maximum(distances[first, second], 0.0)))

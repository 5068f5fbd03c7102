"""How much samples differ: distances of pairs, and entropy over the classes.

Neither number is in the paper. Compare both with those of real images from the same data set, which
`improved_gan_tf.score` gives.
"""

from typing import NamedTuple

import numpy as np
import scipy.spatial.distance
import scipy.stats


def mean_pairwise_distance(images):
    """Returns the mean Euclidean distance of all pairs of different rows, in time O(N^2).

    Args:
        images: (N, ...) numbers, N of 2 or more; axes after the first are flattened.

    Returns:
        Float of 0 or more, in units of `images`.

    Raises:
        ValueError: there are fewer than two images.
    """
    images = np.asarray(images)
    if images.ndim < 1 or len(images) < 2:
        raise ValueError(f"images must be 2 or more. Received: shape {images.shape}.")
    return float(np.mean(scipy.spatial.distance.pdist(images.reshape(len(images), -1))))


class ClassCoverage(NamedTuple):
    """How a set of images spreads over the predicted classes."""

    counts: list[int]  # images of each class, by the largest probability
    entropy: float  # of these counts, in nats; log(C) if all classes are equally frequent
    num_classes_seen: int


def class_coverage(probabilities):
    """Counts the most likely class of every image.

    Args:
        probabilities: (N, C) numbers; logits will do as well.

    Returns:
        `ClassCoverage`.

    Raises:
        ValueError: the array has another shape.
    """
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 2 or probabilities.size == 0:
        raise ValueError(
            f"probabilities must have shape (N, C). Received: shape {probabilities.shape}."
        )
    counts = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
    return ClassCoverage(
        counts.tolist(), float(scipy.stats.entropy(counts)), int(np.count_nonzero(counts))
    )

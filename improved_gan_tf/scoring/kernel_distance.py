"""The kernel distance of two sets of features ("KID"): an unbiased squared MMD.

It is not in the paper. Binkowski et al. (2018), "Demystifying MMD GANs", Sec. 4. Unlike the Frechet
distance its expectation does not depend on the number of examples. Other features give another
number, so it is always shown with the name of the network.

Original: toshas/torch-fidelity@5e211a9, metric_kid.py.
"""

from typing import NamedTuple

import numpy as np

from improved_gan_tf.scoring.frechet import checked_features

NUM_SUBSETS = 100
SUBSET_SIZE = 1_000


class KernelDistance(NamedTuple):
    """The distance over random subsets of both sets."""

    mean: float
    # Of the subsets' distances; they share examples, so it is no standard error. None if there is
    # one subset only.
    std: float | None
    num_subsets: int
    subset_size: int


def squared_mmd(features_a, features_b):
    """The unbiased squared MMD with the kernel `k(x, y) = (x . y / A + 1)^3`.

        mean_{i != j} k(a_i, a_j) + mean_{i != j} k(b_i, b_j) - 2 mean_{i, j} k(a_i, b_j)

    Args:
        features_a: (N, A) numbers, N of 2 or more.
        features_b: (M, A) numbers, M of 2 or more.

    Returns:
        Float; below 0 by chance where the distributions are equal.

    Raises:
        ValueError: as `frechet.frechet_distance`.
    """
    a, b = checked_features(features_a, features_b)
    a, b = a.astype(np.float64), b.astype(np.float64)

    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1.0) ** 3

    def mean_of_pairs(x):
        values = kernel(x, x)
        return (values.sum() - np.trace(values)) / (len(x) * (len(x) - 1))

    return float(mean_of_pairs(a) + mean_of_pairs(b) - 2.0 * kernel(a, b).mean())


def kernel_distance(features_a, features_b, seed=1):
    """The `KernelDistance` of two sets: `squared_mmd` of 100 pairs of subsets of 1,000 each.

    A set that is smaller sets the size of the subsets. If both have this size, each is its own
    only subset.

    Args:
        features_a: (N, A) numbers, N of 2 or more.
        features_b: (M, A) numbers, M of 2 or more.
        seed: int, decides the subsets.

    Raises:
        ValueError: as `frechet.frechet_distance`.
    """
    a, b = checked_features(features_a, features_b)
    size = min(SUBSET_SIZE, len(a), len(b))
    if size == len(a) == len(b):
        return KernelDistance(squared_mmd(a, b), None, 1, size)
    random = np.random.RandomState(seed)
    values = [
        squared_mmd(*(x[random.choice(len(x), size, replace=False)] for x in (a, b)))
        for _ in range(NUM_SUBSETS)
    ]
    return KernelDistance(float(np.mean(values)), float(np.std(values)), NUM_SUBSETS, size)

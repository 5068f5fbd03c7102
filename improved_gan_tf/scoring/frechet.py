"""The Frechet distance of two sets of features, with a Gaussian fitted to each.

It is not in the paper. Heusel et al. (2017), "GANs Trained by a Two Time-Scale Update Rule...",
eq. 6, computes it from pool_3 of the 2015 Inception network ("FID"). Other features give another
number, so it is always shown with the name of the network.
"""

import numpy as np

NEGATIVE_TOLERANCE = 1e-6  # relative to the largest variance; rounding may go this far below 0


def frechet_distance(features_a, features_b):
    """Returns the squared Frechet distance of the Gaussians fitted to two sets of features.

    The covariances are divided by N - 1. The estimate from finite sets is biased upwards, more so
    with fewer examples or more features: compare distances from equal numbers of examples only.

    Args:
        features_a: (N, A) numbers, N of 2 or more.
        features_b: (M, A) numbers, M of 2 or more.

    Returns:
        Float of 0 or more, in squared units of the features.

    Raises:
        ValueError: a set has another shape, fewer than two rows, or numbers that are not finite.
    """
    features_a, features_b = checked_features(features_a, features_b)
    return frechet_distance_of_gaussians(
        *mean_and_covariance(features_a), *mean_and_covariance(features_b)
    )


def mean_and_covariance(features):
    """Mean (A,) and covariance (A, A), divided by N - 1, of features (N, A); float64."""
    features = np.asarray(features, np.float64)
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def frechet_distance_of_gaussians(mean_a, covariance_a, mean_b, covariance_b):
    """Returns `|m_a - m_b|^2 + trace(S_a + S_b - 2 (S_a S_b)^(1/2))`.

    The trace of the root is computed as the sum of the singular values of `S_a^(1/2) S_b^(1/2)`,
    which exist for singular covariances too.

    Args:
        mean_a: (A,) numbers.
        covariance_a: (A, A) numbers, symmetric.
        mean_b: (A,) numbers.
        covariance_b: (A, A) numbers, symmetric.

    Returns:
        Float of 0 or more.

    Raises:
        ValueError: a covariance has a negative variance in some direction, or numbers are too
            large.
    """
    roots = [
        _root(covariance, name)
        for covariance, name in ((covariance_a, "covariance_a"), (covariance_b, "covariance_b"))
    ]
    trace_of_root = np.linalg.svd(roots[0] @ roots[1], compute_uv=False).sum()
    distance = np.sum((mean_a - mean_b) ** 2)
    distance += np.trace(covariance_a) + np.trace(covariance_b) - 2 * trace_of_root
    return max(0.0, float(distance))  # rounding can make it slightly negative


def _root(covariance, name):
    """The symmetric square root of a covariance."""
    if not np.isfinite(covariance).all():
        raise ValueError(f"{name} must be finite. Received: NaN or infinity among its numbers.")
    variances, directions = np.linalg.eigh(covariance)
    if variances[0] < -NEGATIVE_TOLERANCE * np.abs(variances).max():
        raise ValueError(
            f"{name} must be a covariance, with no negative variance in any direction. "
            f"Received: variance {variances[0]:g}."
        )
    return (directions * np.sqrt(np.maximum(variances, 0.0))) @ directions.T


def checked_features(features_a, features_b):
    """Both sets as arrays.

    Raises:
        ValueError: a set has another shape than (N, A) with N of 2 or more, numbers that are not
            finite, or another number of features than the other set.
    """
    features_a, features_b = (
        _checked(features, name)
        for features, name in ((features_a, "features_a"), (features_b, "features_b"))
    )
    if features_a.shape[1] != features_b.shape[1]:
        raise ValueError(
            "Both sets must have the same number of features. Received: shapes "
            f"{features_a.shape} and {features_b.shape}."
        )
    return features_a, features_b


def _checked(features, name):
    features = np.asarray(features)
    if features.ndim != 2 or features.shape[0] < 2 or features.shape[1] < 1:
        raise ValueError(
            f"{name} must have shape (N, A), N of 2 or more and A of 1 or more. "
            f"Received: shape {features.shape}."
        )
    if not np.isfinite(features).all():
        raise ValueError(f"{name} must be finite. Received: NaN or infinity among them.")
    return features

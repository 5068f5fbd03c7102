"""The Frechet distance of two sets of features, each taken as a Gaussian.

Not in the paper: Heusel et al. (2017), "GANs Trained by a Two Time-Scale Update Rule...",
eq. 6, with the 2015 Inception network's pool_3 features ("FID"). On other features it is another
number, so it is always shown with the name of the network that made them.
"""

import warnings

import numpy as np
import scipy.linalg

EPSILON = 1e-6  # what is added to the variances where the root does not exist otherwise
IMAGINARY_TOLERANCE = 1e-3


def frechet_distance(features_a, features_b, epsilon=EPSILON):
    """Returns the squared Frechet distance of the Gaussians fitted to two sets of features.

    The covariances are divided by N - 1. The distance is 0 for equal sets. Its estimate from
    finite sets is biased upwards, the more the fewer examples and the more features there are:
    two halves of one data set do not give 0. Compare distances from equal numbers of examples
    only, and with fewer examples than features do not compare them at all.

    Args:
        features_a: (N, A) numbers, N of 2 or more.
        features_b: (M, A) numbers, M of 2 or more.
        epsilon: see `frechet_distance_of_gaussians`.

    Returns:
        Float of 0 or more, in squared units of the features.

    Raises:
        ValueError: a set has another shape, fewer than two rows, or numbers that are not finite.
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
    return frechet_distance_of_gaussians(
        *mean_and_covariance(features_a), *mean_and_covariance(features_b), epsilon=epsilon
    )


def mean_and_covariance(features):
    """Mean (A,) and covariance (A, A), divided by N - 1, of features (N, A); float64."""
    features = np.asarray(features, np.float64)
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def frechet_distance_of_gaussians(mean_a, covariance_a, mean_b, covariance_b, epsilon=EPSILON):
    """Returns `|m_a - m_b|^2 + trace(S_a + S_b - 2 (S_a S_b)^(1/2))`.

    The product of two covariances has real eigenvalues of 0 or more; where they are close to 0
    rounding gives the root a small imaginary part, which is dropped, or no root at all, in which
    case `epsilon` is added to both diagonals.

    Args:
        mean_a: (A,) numbers.
        covariance_a: (A, A) numbers.
        mean_b: (A,) numbers.
        covariance_b: (A, A) numbers.
        epsilon: float > 0, in squared units of the features.

    Returns:
        Float of 0 or more.

    Raises:
        ValueError: the root is not real, so these are no covariances.
    """
    trace_of_root = _trace_of_root(covariance_a @ covariance_b)
    if not np.isfinite(trace_of_root):
        shift = epsilon * np.eye(len(covariance_a))
        trace_of_root = _trace_of_root((covariance_a + shift) @ (covariance_b + shift))
    if not np.isfinite(trace_of_root):
        raise ValueError(
            "The product of the covariances has no finite square root, even with "
            f"epsilon={epsilon:g} on their diagonals: are all numbers finite and not huge?"
        )
    distance = np.sum((mean_a - mean_b) ** 2)
    distance += np.trace(covariance_a) + np.trace(covariance_b) - 2 * trace_of_root
    return max(0.0, float(distance))  # rounding can leave it a little below 0


def _trace_of_root(product):
    with warnings.catch_warnings():
        # Singular: expected with constant features, or fewer examples than features.
        warnings.simplefilter("ignore", scipy.linalg.LinAlgWarning)
        root = scipy.linalg.sqrtm(product)
    trace, imaginary = np.trace(root).real, np.abs(np.diagonal(root).imag).max()
    if imaginary > IMAGINARY_TOLERANCE * max(1.0, abs(trace)):
        raise ValueError(
            "The square root of the product of the covariances must be real up to rounding: are "
            f"both symmetric, with no negative variance? Received: imaginary part {imaginary:g}."
        )
    return trace


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

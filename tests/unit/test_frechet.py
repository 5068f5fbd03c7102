"""The Frechet distance against closed forms and an independent way to compute it."""

import numpy as np
import pytest
import scipy.linalg

import improved_gan_tf
from improved_gan_tf.scoring.frechet import (
    frechet_distance,
    frechet_distance_of_gaussians,
    mean_and_covariance,
)


def features(count, size, seed=0, scale=1.0):
    random = np.random.RandomState(seed)
    return scale * random.normal(size=(count, size)) @ random.normal(size=(size, size))


def by_eigenvalues(mean_a, covariance_a, mean_b, covariance_b):
    """The distance by the eigenvalues of the product, which are real and not negative."""
    eigenvalues = scipy.linalg.eigvals(covariance_a @ covariance_b).real
    traces = np.trace(covariance_a) + np.trace(covariance_b)
    return np.sum((mean_a - mean_b) ** 2) + traces - 2 * np.sqrt(eigenvalues.clip(0)).sum()


def test_equal_sets_have_distance_zero():
    a = features(200, 8)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_moving_a_set_costs_the_squared_length_of_the_move():
    a = features(100, 3)
    assert frechet_distance(a, a + np.array([1, 2, 2])) == pytest.approx(9, rel=1e-9)


def test_in_one_dimension_it_is_the_difference_of_means_and_of_deviations_squared():
    a, b = [[0.0], [2.0]], [[10.0], [16.0]]  # means 1, 13; deviations sqrt 2, sqrt 18 (N - 1)
    assert frechet_distance(a, b) == pytest.approx(144 + (18**0.5 - 2**0.5) ** 2, rel=1e-12)


def test_diagonal_covariances_by_hand():
    distance = frechet_distance_of_gaussians(
        np.zeros(2), np.diag([1.0, 4.0]), np.array([3.0, 0.0]), np.diag([9.0, 4.0])
    )
    assert distance == pytest.approx(9 + (3 - 1) ** 2, rel=1e-12)


def test_correlated_covariances_by_hand():
    # Equal eigenvectors: the roots of the eigenvalues (1, 3) and (4, 12) differ by 1 and sqrt 3.
    a = np.array([[2.0, 1.0], [1.0, 2.0]])
    distance = frechet_distance_of_gaussians(np.zeros(2), a, np.zeros(2), 4 * a)
    assert distance == pytest.approx(1 + 3, rel=1e-9)


def test_it_equals_the_form_with_symmetric_roots_and_is_symmetric():
    a, b = features(300, 12, seed=1), features(200, 12, seed=2, scale=0.7) + 0.3
    expected = by_eigenvalues(*mean_and_covariance(a), *mean_and_covariance(b))
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(b, a) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("counts", [(4, 5), (2, 2), (5, 300)])
def test_fewer_examples_than_features(counts):
    a, b = (features(count, 16, seed=seed) for seed, count in enumerate(counts))
    expected = by_eigenvalues(*mean_and_covariance(a), *mean_and_covariance(b))
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-5)


def test_features_that_never_change():
    a, b = np.ones((10, 4)), np.zeros((10, 4))
    assert frechet_distance(a, b) == 4.0
    assert frechet_distance(a, a) == 0.0


def test_more_features_than_examples_in_numbers():
    # SciPy 1.11 and 1.12 find no square root of this product of covariances.
    random = np.random.default_rng(0)
    a, b = random.normal(size=(100, 256)), random.normal(size=(100, 256)) + 0.1
    assert frechet_distance(a, b) == pytest.approx(258.272, abs=5e-4)


def test_singular_covariances_have_roots():
    distance = frechet_distance_of_gaussians(
        np.zeros(2), np.diag([1.0, 0.0]), np.zeros(2), np.diag([4.0, 0.0])
    )
    assert distance == pytest.approx(1.0, rel=1e-12)


def test_large_numbers_do_not_overflow():
    huge = np.array([[1e300]])
    assert frechet_distance_of_gaussians(np.zeros(1), huge, np.zeros(1), huge) < 1e-9 * 1e300


def test_what_is_no_covariance_is_refused():
    with pytest.raises(ValueError, match=r"covariance_a must be .* Received: variance -1\."):
        frechet_distance_of_gaussians(np.zeros(1), np.array([[-1.0]]), np.zeros(1), np.eye(1))
    with pytest.raises(ValueError, match="covariance_b must be finite"):
        frechet_distance_of_gaussians(np.zeros(1), np.eye(1), np.zeros(1), np.array([[np.inf]]))


def test_the_estimate_is_biased_upwards_and_less_so_with_more_examples():
    reference = np.random.RandomState(0).normal(size=(20_000, 20))
    more = np.random.RandomState(1).normal(size=(10_000, 20))
    distances = [frechet_distance(reference, more[:count]) for count in (100, 1000, 10_000)]
    assert distances[0] > 5 * distances[1] > 25 * distances[2] > 0


def test_large_offsets_do_not_lose_the_covariance():
    a = features(500, 4)
    assert frechet_distance(a + 1e6, 2 * a + 1e6) == pytest.approx(
        frechet_distance(a, 2 * a), rel=1e-6
    )


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (
            np.ones(4),
            np.ones((3, 4)),
            r"features_a must have shape \(N, A\).* Received: shape \(4,\)",
        ),
        (np.ones((3, 4)), np.ones((1, 4)), r"features_b must have shape .* shape \(1, 4\)"),
        (np.ones((3, 4)), np.ones((3, 5)), r"same number of features.*\(3, 4\) and \(3, 5\)"),
        (np.full((3, 4), np.nan), np.ones((3, 4)), "features_a must be finite"),
    ],
)
def test_what_are_no_two_sets_of_features_is_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(a, b)


def test_it_is_a_public_name():
    assert improved_gan_tf.frechet_distance is frechet_distance

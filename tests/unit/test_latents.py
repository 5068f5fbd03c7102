"""Latents: their distributions, ends of the way between two, truncation, refusals."""

import itertools

import keras
import numpy as np
import pytest
from scipy import stats

from improved_gan_tf.networks import latents
from tests.support.numerics import to_numpy


def drawn(name, shape=(500, 100), seed=1, dtype="float32"):
    return to_numpy(latents.LATENTS[name](shape, keras.random.SeedGenerator(seed), dtype))


@pytest.mark.parametrize(
    ("name", "distribution"), [("uniform", stats.uniform(-1.0, 2.0)), ("normal", stats.norm())]
)
def test_latents_have_their_distribution(name, distribution):
    values = drawn(name).ravel().astype("float64")
    assert stats.kstest(values, distribution.cdf).statistic < 1.95 / np.sqrt(len(values))


@pytest.mark.parametrize("name", latents.LATENTS)
def test_a_seed_decides_the_latents(name):
    np.testing.assert_array_equal(drawn(name), drawn(name))
    assert np.all(drawn(name) != drawn(name, seed=2))
    assert drawn(name, (3, 4), dtype="float64").dtype == np.float64


def ends(count=6, size=100):
    return np.random.default_rng(1).normal(size=(2, count, size)).astype("float32")


def test_the_way_begins_and_ends_at_its_ends():
    start, end = ends()
    np.testing.assert_allclose(to_numpy(latents.slerp(start, end, 0.0)), start, rtol=1e-5)
    np.testing.assert_allclose(to_numpy(latents.slerp(start, end, 1.0)), end, rtol=1e-5)


def test_between_directions_of_one_length_the_length_stays():
    start, end = (e / np.linalg.norm(e, axis=1, keepdims=True) for e in ends())
    half_way = to_numpy(latents.slerp(start, end, 0.5))
    np.testing.assert_allclose(np.linalg.norm(half_way, axis=1), 1.0, rtol=1e-5)
    assert np.linalg.norm((start + end) / 2.0, axis=1).max() < 0.9  # the straight line's


def test_equal_steps_turn_by_equal_angles():
    start, end = (e / np.linalg.norm(e, axis=1, keepdims=True) for e in ends(1))
    points = [to_numpy(latents.slerp(start, end, t))[0] for t in np.linspace(0.0, 1.0, 5)]
    angles = [np.arccos(np.dot(a, b)) for a, b in itertools.pairwise(points)]
    np.testing.assert_allclose(angles, angles[0], rtol=1e-4)


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-7, 1e-4, 1e-3])
def test_ends_of_almost_one_direction_are_joined_by_the_straight_line(angle):
    start = np.array([[3.0, 0.0]], "float32")
    end = np.array([[np.cos(angle), np.sin(angle)]], "float32")
    way = to_numpy(latents.slerp(start, end, 0.25))
    np.testing.assert_allclose(way, 0.75 * start + 0.25 * end, atol=1e-6)


def test_opposite_ends_are_joined_by_the_straight_line_through_zero():
    start = ends()[0]
    for end in (-start, -2.0 * start):
        way = to_numpy(latents.slerp(start, end, 0.25))
        np.testing.assert_allclose(way, 0.75 * start + 0.25 * end, atol=1e-5)


def test_ends_that_are_nearly_opposite_still_have_a_circle():
    angle = np.pi - 0.01
    start = np.array([1.0, 0.0], "float32")
    end = np.array([np.cos(angle), np.sin(angle)], "float32")
    half_way = to_numpy(latents.slerp(start, end, 0.5))
    np.testing.assert_allclose(half_way, [np.cos(angle / 2), np.sin(angle / 2)], atol=1e-4)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_draws_that_come_to_an_end_are_an_error():
    with pytest.raises(ValueError, match=r"came to an end .* Received: threshold=0.1"):
        latents.first_within([np.array([0.05, 1.0]), np.array([2.0, 3.0])], 0.1)


@pytest.mark.parametrize("threshold", [0.0, -1.0, float("nan")])
def test_a_threshold_that_is_not_positive_is_refused(threshold):
    with pytest.raises(ValueError, match=rf"`threshold` must be positive\. .*={threshold}"):
        latents.truncated_normal((3,), threshold, keras.random.SeedGenerator(1))

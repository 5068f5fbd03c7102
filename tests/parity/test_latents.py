"""Interpolated and truncated latents against numbers from elsewhere (goldens/systems/games.md)."""

import keras
import numpy as np
import pytest
from scipy import stats

from improved_gan_tf.networks import latents
from tests.support.numerics import BACKEND, to_numpy
from tests.support.systems import assert_close, load

pytestmark = pytest.mark.usefixtures("float64")

# Keras's sine and arctangent are float32 on JAX, whatever they are given.
TOLERANCE = 1e-6 if BACKEND == "jax" else 1e-10


@pytest.fixture(scope="module")
def golden():
    return load("slerp")


def test_the_way_between_two_latents_equals_plats(golden):
    low, high, t = golden["low"][:, None], golden["high"][:, None], golden["t"][None, :, None]
    shape = golden["slerp"].shape
    way = latents.slerp(np.broadcast_to(low, shape), np.broadcast_to(high, shape), t)
    assert_close(way, golden["slerp"], TOLERANCE)
    assert_close(np.linalg.norm(to_numpy(way), axis=-1), golden["slerp_norm"], TOLERANCE)


def test_a_quarter_circle_with_ends_of_two_lengths_equals_plats(golden):
    low = np.tile(golden["plane_low"], (9, 1))
    high = np.tile(golden["plane_high"], (9, 1))
    assert_close(latents.slerp(low, high, golden["t"][:, None]), golden["plane_slerp"], TOLERANCE)


def test_beyond_the_ends_and_between_equal_or_opposite_ends_it_does_what_plat_does(golden):
    low, high = golden["low"][0], golden["high"][0]
    ends = np.stack([low, low]), np.stack([high, high])
    assert_close(latents.slerp(*ends, golden["outside_t"][:, None]), golden["outside"])
    equal = np.tile(low, (9, 1))
    assert_close(latents.slerp(equal, equal, golden["t"][:, None]), golden["equal"])
    one = np.array([1.0, 0.0])
    assert_close(latents.slerp(one, -one, 0.5), golden["opposite_midpoint"])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_numbers_outside_the_threshold_are_drawn_anew_as_the_reference_does():
    golden = load("truncated_normal")
    draws = list(golden["resample_draws"])
    taken = latents.first_within(draws, float(golden["resample_threshold"]))
    assert_close(taken, golden["resample_result"], 0.0)


def test_truncated_normals_have_the_references_quantiles_and_variances():
    golden = load("truncated_normal")
    for row, threshold in enumerate(golden["threshold"]):
        seed = keras.random.SeedGenerator(row)
        drawn = to_numpy(latents.truncated_normal((20_000,), threshold, seed)).astype("float64")
        assert np.abs(drawn).max() <= np.float32(threshold)
        assert np.var(drawn) == pytest.approx(golden["variance"][row], rel=0.04)
        levels = np.searchsorted(np.sort(drawn), golden["quantiles"][row]) / len(drawn)
        # Five standard deviations of a share, at its largest.
        np.testing.assert_allclose(
            levels, golden["quantile_levels"], atol=2.5 / np.sqrt(len(drawn))
        )
        inside = stats.truncnorm(-threshold, threshold).cdf
        assert stats.kstest(drawn, inside).statistic < 1.95 / np.sqrt(len(drawn))

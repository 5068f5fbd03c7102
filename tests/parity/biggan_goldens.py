"""What the public BigGAN code computed (tests/goldens/systems/biggan.md); how close is equal."""

import numpy as np

from tests.support.numerics import to_numpy
from tests.support.places import GOLDENS

TOLERANCE = 1e-11  # float64 on both sides: rounding only


def load(name):
    """The arrays of one file."""
    return np.load(GOLDENS / "systems" / f"{name}.npz", allow_pickle=False)


def assert_close(actual, expected, tolerance=TOLERANCE):
    """Same shape, and as close as `tolerance` says: absolute, or relative to entries above 1."""
    actual = to_numpy(actual)
    assert actual.shape == expected.shape
    assert np.max(np.abs(actual - expected)) <= tolerance * max(1.0, np.max(np.abs(expected)))

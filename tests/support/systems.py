"""Reads the reference numbers of other games (tests/goldens/systems/games.md)."""

import numpy as np

from tests.support.numerics import BACKEND, to_numpy
from tests.support.places import GOLDENS


def load(name):
    """Returns `{key: array}` of one file."""
    with np.load(GOLDENS / f"systems/{name}.npz", allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def assert_close(actual, expected, tolerance=1e-10):
    """Compares to the largest entry, or to 1 if that is larger: gradients of 0 are among them.

    On PyTorch, Keras multiplies matrices and takes maxima in float32, whatever they are given.
    """
    if BACKEND == "torch" and tolerance > 0.0:
        tolerance = max(tolerance, 1e-6)
    actual, expected = to_numpy(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    scale = max(1.0, np.max(np.abs(expected)))
    np.testing.assert_allclose(actual, expected, rtol=0.0, atol=tolerance * scale)

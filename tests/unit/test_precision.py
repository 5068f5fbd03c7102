"""Means keep the dtype and, in float64, the digits."""

import keras
import numpy as np
import pytest

from improved_gan_tf import precision
from tests.support.numerics import to_numpy


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mean_has_the_digits_of_its_dtype(dtype, keepdims):
    x = (1e4 + np.random.RandomState(0).normal(size=(30, 4, 5))).astype(dtype)
    found = precision.mean(keras.ops.convert_to_tensor(x, dtype), (0, 1), keepdims=keepdims)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    expected = x.mean(axis=(0, 1), keepdims=keepdims, dtype="float64")
    tolerance = 1e-13 if dtype == "float64" else 1e-6
    np.testing.assert_allclose(to_numpy(found), expected, rtol=tolerance)

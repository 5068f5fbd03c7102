"""Dropout drops the fraction that it is told to, in every dtype."""

import numpy as np
import pytest

from improved_gan_tf.layers.dropout import Dropout
from tests.support.numerics import to_numpy


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("rate", [0.001, 0.2, 0.999])
def test_the_dropped_fraction_is_the_rate(dtype, rate):
    count = 200_000
    outputs = Dropout(rate, seed=1, dtype=dtype)(np.ones(count, "float32"), training=True)
    dropped = float(np.mean(to_numpy(outputs).astype("float32") == 0.0))
    assert abs(dropped - rate) < 5 * (rate * (1 - rate) / count) ** 0.5

"""The dtype for sums, squares and means."""

import math

import keras
from keras import ops


def mean(x, axis=None, keepdims=False):
    """`keras.ops.mean` in the dtype of `x`, also for float64 on JAX and PyTorch.

    `axis` is a tuple of ints >= 0, or None for all axes.
    """
    if keras.backend.standardize_dtype(x.dtype) != "float64":
        return ops.mean(x, axis=axis, keepdims=keepdims)
    shape = ops.shape(x)
    count = math.prod(shape if axis is None else [shape[a] for a in axis])
    return ops.sum(x, axis=axis, keepdims=keepdims) / ops.cast(count, x.dtype)


def at_least_float32(dtype):
    """Returns "float32" for a half-precision dtype, and any other floating-point dtype unchanged.

    Sums over a batch lose digits in half precision, and squares do not fit float16.
    """
    return "float32" if dtype in ("float16", "bfloat16") else dtype

"""The dtype in which sums, squares and means are taken."""

import math

import keras
from keras import ops


def mean(x, axis=None, keepdims=False):
    """`keras.ops.mean`, in float64 too: on JAX and PyTorch that one is float32 whatever `x` is.

    Args:
        x: tensor, floating point.
        axis: tuple of ints >= 0, or None for all axes.
        keepdims: bool.

    Returns:
        Means over the axes, in the dtype of `x`.
    """
    if keras.backend.standardize_dtype(x.dtype) != "float64":
        return ops.mean(x, axis=axis, keepdims=keepdims)
    shape = ops.shape(x)
    count = math.prod(shape if axis is None else [shape[a] for a in axis])
    return ops.sum(x, axis=axis, keepdims=keepdims) / ops.cast(count, x.dtype)


def at_least_float32(dtype):
    """Returns "float32" for a half-precision dtype and any other dtype as it is.

    Sums over a batch lose digits in half precision, and squares do not fit float16.

    Args:
        dtype: str, a floating point dtype.
    """
    return "float32" if dtype in ("float16", "bfloat16") else dtype

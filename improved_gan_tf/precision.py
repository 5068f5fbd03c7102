"""The precision of a run, and the dtype for sums, squares, means and losses."""

import contextlib
import math

import keras
from keras import ops


def mean(x, axis=None, keepdims=False):
    """`keras.ops.mean` in at least float32, and in float64 for float64 on JAX and PyTorch too.

    `axis` is a tuple of ints >= 0, or None for all axes.
    """
    x = in_float32(x)
    if keras.backend.standardize_dtype(x.dtype) != "float64":
        return ops.mean(x, axis=axis, keepdims=keepdims)
    shape = ops.shape(x)
    count = math.prod(shape if axis is None else [shape[a] for a in axis])
    return ops.sum(x, axis=axis, keepdims=keepdims) / ops.cast(count, x.dtype)


def matmul(x, y):
    """`keras.ops.matmul`, in float64 for float64 on JAX and PyTorch too."""
    is_float64 = keras.backend.standardize_dtype(x.dtype) == "float64"
    is_narrowed = is_float64 and keras.backend.backend() != "tensorflow"
    return x @ y if is_narrowed else ops.matmul(x, y)


def at_least(x, least):
    """`keras.ops.maximum` of a tensor and a number, in float64 for float64 on JAX and PyTorch too.

    NaN stays NaN.
    """
    return ops.where(x < least, ops.full_like(x, least), x)


@contextlib.contextmanager
def computing_in(name):
    """New layers, models and Keras inputs have the precision inside the `with` block.

    Args:
        name: "float32", "float64", "mixed_bfloat16" or "mixed_float16". Under the last two layers
            compute in half precision; their variables are float32.
    """
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64" if name == "float64" else "float32")
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


@contextlib.contextmanager
def full_precision():
    """New layers inside the `with` block compute in float32 where they would in half precision.

    For what makes a generator's images. In bfloat16 a sigmoid above 6.2 and a tanh above 3.5 are 1,
    with a gradient of 0, so that white pixels learn nothing more (docs/devices.md).
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(at_least_float32(policy.compute_dtype))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def at_least_float32(dtype):
    """Returns "float32" for a half-precision dtype, and any other floating-point dtype unchanged.

    Sums over a batch lose digits in half precision, and squares do not fit float16.
    """
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def input_dtype(model):
    """The floating-point dtype, a str, of what a model is to be given.

    A model keeps the dtype of its input in its file, where it may be loaded while Keras's own
    floating-point type is another. What has an input of half precision or of integers casts what
    it is given, of Keras's type.
    """
    dtype = keras.backend.standardize_dtype(model.inputs[0].dtype)
    return dtype if dtype in ("float32", "float64") else keras.config.floatx()


def in_float32(x):
    """Returns `x` as a tensor of float32 or float64; bytes would wrap around in a difference."""
    x = ops.convert_to_tensor(x)
    dtype = keras.backend.standardize_dtype(x.dtype)
    return ops.cast(x, at_least_float32(dtype) if "float" in dtype else "float32")

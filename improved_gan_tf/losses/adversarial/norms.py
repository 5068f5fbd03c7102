"""Euclidean length of each example, safe in half precision and at zero."""

import keras
from keras import ops

from improved_gan_tf.precision import at_least_float32


def euclidean_norms(x):
    """`sqrt(sum x^2)` over every axis but the first.

    At exactly 0 the gradient is 0, a subgradient of the norm, where that of the square root would
    be NaN. There is no epsilon under the root.

    Args:
        x: (N, ...), floating point.

    Returns:
        (N,), >= 0, at least float32.
    """
    x = in_float32(x)
    squares = ops.sum(ops.square(x), axis=tuple(range(1, len(x.shape))))
    positive = squares > 0.0
    roots = ops.sqrt(ops.where(positive, squares, ops.ones_like(squares)))
    return ops.where(positive, roots, ops.zeros_like(squares))


def in_float32(x):
    """Returns x as a tensor; half precision becomes float32, which can hold the squares."""
    x = ops.convert_to_tensor(x)
    return ops.cast(x, at_least_float32(keras.backend.standardize_dtype(x.dtype)))

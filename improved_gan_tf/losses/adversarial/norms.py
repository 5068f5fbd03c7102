"""Euclidean length of each example, safe in half precision and at zero."""

from keras import ops

from improved_gan_tf.precision import in_float32


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

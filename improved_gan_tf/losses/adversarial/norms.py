"""Euclidean length of each example, with a gradient that is finite at zero."""

from keras import ops


def euclidean_norms(x):
    """`sqrt(sum x^2)` over every axis but the first.

    At exactly 0 the gradient is 0, one of the norm's subgradients; the root's own would be NaN. No
    epsilon is added under the root.

    Args:
        x: (N, ...), floating point.

    Returns:
        (N,), >= 0.
    """
    x = ops.convert_to_tensor(x)
    squares = ops.sum(ops.square(x), axis=tuple(range(1, len(x.shape))))
    positive = squares > 0.0
    roots = ops.sqrt(ops.where(positive, squares, ops.ones_like(squares)))
    return ops.where(positive, roots, ops.zeros_like(squares))

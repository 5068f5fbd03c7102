"""Many iterations in one call of a graph, stopped by a loss that is not finite."""

import tensorflow as tf


def add_while_finite(losses_of, total, sums):
    """Runs iterations one after the other inside a graph; stops when a loss is not finite.

    One graph serves any number of iterations: Python is entered once a call.

    Args:
        losses_of: function of the iteration's number, a scalar tensor; runs it and returns a
            NamedTuple of losses.
        total: scalar tensor, number of iterations.
        sums: the same NamedTuple of scalar tensors, to which the losses are added.

    Returns:
        `(sums, iterations run)`.
    """

    def finite(i, sums):
        return tf.logical_and(i < total, tf.reduce_all(tf.math.is_finite(tf.stack(sums))))

    def iterate(i, sums):
        added = (s + tf.cast(x, s.dtype) for s, x in zip(sums, losses_of(i), strict=True))
        return i + 1, type(sums)(*added)

    i, sums = tf.while_loop(finite, iterate, (0, sums), parallel_iterations=1)
    return sums, i

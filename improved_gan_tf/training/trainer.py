"""What the trainer of every game does: many iterations a call, state by names, finite numbers."""

import re

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


def named_variables(parts):
    """`{name: variable}` of `{part: variables}`, the names the same in every process."""
    return {
        f"{part}.{index:03d}.{_without_count(variable.name)}": variable
        for part, variables in parts.items()
        for index, variable in enumerate(variables)
    }


def names_of_not_finite(variables):
    """Names of the variables of `{name: variable}` that hold a NaN or an infinite number."""
    return [
        name
        for name, variable in variables.items()
        if tf.as_dtype(variable.dtype).is_floating
        and not tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(variable)))
    ]


def _without_count(name):
    """A name without the numbers that Keras adds when a process makes several of a kind."""
    return re.sub(r"_\d+(?=_|$)", "", name)

"""A variable's value in memory of its own."""

from keras import ops


def assign_copy(variable, value):
    """Gives `variable` the value of another variable or tensor, in its own dtype.

    On JAX `assign` keeps the very array that it is given. Keras's `fit` and jitted steps that
    donate their state then delete it, for both.
    """
    variable.assign(ops.copy(ops.cast(value, variable.dtype)))

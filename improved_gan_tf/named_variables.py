"""Variables by names that are the same in every process, and those that are not finite."""

import re

import tensorflow as tf


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

"""Checks that several layers make of what they are given."""

import keras


def positive_integer(value, name):
    """Returns `value` if it is a positive integer and no bool.

    Raises:
        ValueError: it is not; the message calls it `name`.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value}")
    return value


def require_floating(layer, dtype, what="input"):
    """Raises `ValueError` unless `dtype`, that of the layer's `what`, is a floating point one."""
    dtype = keras.backend.standardize_dtype(dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise ValueError(
            f"The {what} of `{type(layer).__name__}` '{layer.name}' must be floating point. "
            f"Received: dtype={dtype}"
        )

"""Checks that several layers make of what they are given, and of what subclasses add."""

import numbers

import keras


def is_integer(value):
    """Whether a value is an integer, of Python or NumPy, and no bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def positive_integer(value, name):
    """Returns `value` as an int if it is a positive integer and no bool.

    Raises:
        ValueError: it is not; the message calls it `name`.
    """
    if not is_integer(value) or value <= 0:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
    return int(value)


def require_floating(layer, dtype, what="input"):
    """Raises `ValueError` unless `dtype`, that of the layer's `what`, is a floating point one."""
    dtype = keras.backend.standardize_dtype(dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise ValueError(
            f"The {what} of `{type(layer).__name__}` '{layer.name}' must be floating point. "
            f"Received: dtype={dtype}"
        )


def require_rows(x, holds, sentence):
    """Returns `x` if its number of rows is one that `holds`; else the error says `sentence`.

    Where a TensorFlow graph does not know the number yet, `x` comes with a check of it: the error
    is then an `InvalidArgumentError` of the call.

    Args:
        x: (n, ...).
        holds: function of n, an int or a scalar tensor.
        sentence: str, what is expected.

    Raises:
        ValueError: n is known and `holds` is false of it.
    """
    rows = x.shape[0]
    if isinstance(rows, int):
        if not holds(rows):
            raise ValueError(f"{sentence} Received: a batch of {rows}")
        return x
    if keras.backend.backend() != "tensorflow":
        return x
    import tensorflow as tf

    rows = tf.shape(x)[0]
    check = tf.debugging.Assert(holds(rows), [f"{sentence} Received: a batch of", rows])
    # A graph would be free to reshape the rows first. An eager call has no operation to wait for.
    with tf.control_dependencies([] if check is None else [check]):
        return tf.identity(x)


def has_own_build(layer):
    """Whether the layer's class has a `build` of its own, which Keras is to call before `call`."""
    return type(layer).build is not keras.layers.Layer.build


def two_inputs(layer, inputs, names):
    """Returns `inputs`, tensors or shapes, if it is a list of two.

    Raises:
        ValueError: it is not; the message says `names`, e.g. "[x, labels]".
    """
    if (
        not isinstance(inputs, (list, tuple))
        or len(inputs) != 2
        or not all(isinstance(one, (list, tuple)) or hasattr(one, "shape") for one in inputs)
    ):
        shape = tuple(getattr(inputs, "shape", inputs))
        raise ValueError(
            f"`{type(layer).__name__}` takes a list of two, {names}. Received: {shape}"
        )
    return inputs

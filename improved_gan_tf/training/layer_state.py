"""Variables of a layer that keeps something about a model in step with its training."""

import keras
from keras import ops


def add_state(layer, name, shape, dtype, initializer="zeros"):
    """Makes `layer.<name>`, a variable that is not trained, and that mixed precision never casts.

    An attribute each: `tf.train.Checkpoint` follows attributes, but not Keras's lists.
    """
    variable = layer.add_weight(
        name=name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        trainable=False,
        autocast=False,
        aggregation="none",  # every replica makes the same update of its own copy
    )
    setattr(layer, name, variable)


def require_floating_variables(variables):
    """Raises `ValueError` for a variable of whole numbers, like the state of a random generator."""
    for variable in variables:
        if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(variable.dtype)):
            raise ValueError(
                "Only floating point variables can be averaged. Received: "
                f"{variable.name} of dtype {variable.dtype}"
            )


def state_variable(layer, name):
    """The variable `layer.<name>`: a `tf.Variable`, on JAX and PyTorch the `keras.Variable`."""
    variable = getattr(layer, name)
    return variable.value if keras.backend.backend() == "tensorflow" else variable


def copy_of(tensor):
    """An initializer that starts a variable with the present values of `tensor`."""
    return lambda shape, dtype: ops.copy(tensor)

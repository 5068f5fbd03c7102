"""What tests of numbers share: float64, and gradients on whichever Keras backend runs."""

import contextlib

import keras
import numpy as np
from keras import ops

BACKEND = keras.backend.backend()


@contextlib.contextmanager
def float64():
    """Makes float64 the type of new layers, and of JAX at all."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    if BACKEND == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


def to_numpy(x):
    """A tensor, or a variable, as a NumPy array."""
    return ops.convert_to_numpy(ops.convert_to_tensor(x))


def assert_close(actual, expected, tolerance=1e-9):
    """Compares to the largest entry, which must not be 0: the tolerance is the whole array's."""
    actual, expected = to_numpy(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    assert np.max(np.abs(expected)) > 0.0
    assert np.max(np.abs(actual - expected)) <= tolerance * np.max(np.abs(expected))


def layer_loss(layer, weights, **call_arguments):
    """A function of (inputs, *values of layer.weights): `sum(layer(inputs) * weights)`."""

    def loss(inputs, *values):
        by_id = dict(zip([id(w) for w in layer.weights], values, strict=True))
        trainable = [by_id[id(v)] for v in layer.trainable_variables]
        others = [by_id.get(id(v), v.value) for v in layer.non_trainable_variables]
        outputs, _ = layer.stateless_call(trainable, others, inputs, **call_arguments)
        return ops.sum(outputs * ops.cast(weights, outputs.dtype))

    return loss


def gradients(function, *arrays):
    """The gradients of a scalar function with respect to each of its arguments (NumPy).

    Zeros for an argument that the value does not depend on.
    """
    if BACKEND == "tensorflow":
        import tensorflow as tf

        tensors = [tf.convert_to_tensor(a) for a in arrays]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        results = tape.gradient(value, tensors, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        results = [tf.convert_to_tensor(r) for r in results]  # a lookup's gradient is sparse
    elif BACKEND == "jax":
        import jax

        results = jax.grad(function, argnums=tuple(range(len(arrays))))(
            *[ops.convert_to_tensor(a) for a in arrays]
        )
    else:
        import torch

        tensors = [torch.tensor(np.asarray(a), requires_grad=True) for a in arrays]
        results = torch.autograd.grad(function(*tensors), tensors, materialize_grads=True)
    return [to_numpy(r) for r in results]


def finite_differences(function, *arrays, step=1e-5):
    """Central differences of a scalar function in float64, one entry after the other."""
    results = []
    for position, array in enumerate(arrays):
        gradient = np.zeros(array.shape)
        for index in np.ndindex(*array.shape):
            values = []
            for sign in (1.0, -1.0):
                moved = [np.array(a, "float64") for a in arrays]
                moved[position][index] += sign * step
                moved = [ops.convert_to_tensor(a) for a in moved]
                values.append(float(to_numpy(function(*moved))))
            gradient[index] = (values[0] - values[1]) / (2.0 * step)
        results.append(gradient)
    return results

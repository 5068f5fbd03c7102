"""The gradient of a critic with respect to its input, on the Keras backend in use.

This is the only file of the losses with backend-specific differentiation. The result can be
differentiated again, with respect to the critic's parameters.
"""

import keras
from keras import ops


def input_gradients(critic, points):
    """`d critic(x) / dx` at every point.

    Args:
        critic: function of (N, ...) that returns one number for each example, (N,) or (N, 1),
            which depends on that example only.
        points: (N, ...); integers become floats.

    Returns:
        The shape of `points`, and their dtype if it is a floating point one; zeros where the critic
        ignores its input.
    """
    points = ops.convert_to_tensor(points)
    if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(points.dtype)):
        # TensorFlow has no gradient for integers and would return zeros.
        points = ops.cast(points, keras.config.floatx())

    def total(x):
        return ops.sum(critic(x))

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(points)
            value = total(points)
        return tape.gradient(value, points, unconnected_gradients="zero")
    if backend == "jax":
        import jax

        return jax.grad(total)(points)
    import torch

    points = points.detach().requires_grad_(True)
    value = total(points)
    if not value.requires_grad:  # neither the input nor a parameter was used; torch would raise
        return torch.zeros_like(points)
    (gradients,) = torch.autograd.grad(value, points, create_graph=True, materialize_grads=True)
    return gradients

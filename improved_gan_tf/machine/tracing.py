"""Whether a tensor has a value yet, on each of Keras's backends."""

import keras


def is_traced(x):
    """Whether `x` stands for a value that a graph, traced at present, will have (bool).

    Args:
        x: tensor.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.is_symbolic_tensor(x)
    if backend == "jax":
        import jax

        return isinstance(x, jax.core.Tracer)
    return False  # PyTorch: `torch.compile` breaks its graph where Python asks for a value

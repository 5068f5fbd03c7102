"""Rectifiers with the original's gradient at exactly zero.

Theano differentiates `maximum(x, a * x)` at 0 as 1. `keras.activations.relu` gives 0 there
and `leaky_relu` gives its slope. Dead units and zero padding make exact zeros common enough
for whole steps to differ, so the original's form is kept.

Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, `relu` and `lrelu`.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="improved_gan_tf")
def relu(x):
    """Returns `max(x, 0)`, elementwise; its gradient at 0 is 1 on TensorFlow."""
    return ops.maximum(x, ops.zeros_like(x))


def leaky_relu(x, negative_slope=0.2):
    """Returns `max(x, negative_slope * x)`, elementwise; its gradient at 0 is 1 on TensorFlow."""
    return ops.maximum(x, negative_slope * x)


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class LeakyReLU(keras.layers.Layer):
    """Applies `leaky_relu`: `y = max(x, negative_slope * x)`.

    Batch meaning: elementwise. Training: the same in training and inference.

    Args:
        negative_slope: float in [0, 1]; 0.2 in the original's discriminators (default).

    Call arguments:
        inputs: any shape, floating point.

    Returns:
        Same shape and dtype as the input.

    Raises:
        ValueError: `negative_slope` is outside [0, 1], where the maximum is no leaky ReLU.

    Example:

    >>> import numpy as np
    >>> np.array(LeakyReLU(0.5)(np.array([-2.0, 3.0], "float32"))).tolist()
    [-1.0, 3.0]

    References:
        Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, `lrelu`.
    """

    def __init__(self, negative_slope=0.2, **kwargs):
        super().__init__(**kwargs)
        if not 0.0 <= negative_slope <= 1.0:
            raise ValueError(
                f"`negative_slope` must lie in [0, 1]. Received: negative_slope={negative_slope}"
            )
        self.negative_slope = float(negative_slope)
        self.supports_masking = True
        self.built = True

    def call(self, inputs):
        return leaky_relu(inputs, self.negative_slope)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "negative_slope": self.negative_slope}

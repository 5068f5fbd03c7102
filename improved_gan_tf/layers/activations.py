"""Rectifiers with the original's gradient at exactly zero.

Theano differentiates `maximum(x, a * x)` at 0 as 1. `keras.activations.relu` gives 0 there
and `leaky_relu` gives its slope. Dead units and zero padding make exact zeros common enough
for whole steps to differ, so the original's gradient is kept.

`ops.maximum` has it too on TensorFlow, but its gradient takes many passes over memory, a quarter
of a thin convolutional step; the fused rectifiers take one. So zero is moved off the kink
first: adding a number that only zero can feel changes an exact zero and nothing else, in float16
also numbers below 2^-12, by one of their last digits at most.

Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, `relu` and `lrelu`.
"""

import keras
from keras import ops

from improved_gan_tf.layers.argument_checks import has_own_build, require_floating

# The smallest normal number; of float16 the smallest of all, for its normal ones start at 6e-5.
_SMALLEST = {
    "float64": 2.0**-1022,
    "float32": 2.0**-126,
    "bfloat16": 2.0**-126,
    "float16": 2.0**-24,
}


@keras.saving.register_keras_serializable(package="improved_gan_tf")
def rectify(x):
    """Returns `max(x, 0)`, elementwise; its gradient at 0 is 1.

    Lasagne's name for it.

    At exactly 0 the result is the smallest number of the dtype rather than 0, except in float64 on
    TensorFlow.
    """
    if _smallest(x) is None:
        return ops.maximum(x, ops.zeros_like(x))
    return ops.relu(x + _smallest(x))


@keras.saving.register_keras_serializable(package="improved_gan_tf")
def leaky_rectify(x, negative_slope=0.2):
    """Returns `max(x, negative_slope * x)`, elementwise; its gradient at 0 is 1.

    Lasagne's name for it.

    At exactly 0 the result is the smallest number of the dtype rather than 0, except in float64 on
    TensorFlow.
    """
    if _smallest(x) is None:
        return ops.maximum(x, negative_slope * x)
    return ops.leaky_relu(x + _smallest(x), negative_slope)


def _smallest(x):
    """What moves a zero of `x` off the kink; None in float64 on TensorFlow.

    There the maximum is taken, whose gradient at a tie goes to its first argument: the fused leaky
    rectifier would keep its slope in float32. On JAX and PyTorch the maximum shares it out.
    """
    dtype = keras.backend.standardize_dtype(x.dtype)
    if dtype not in _SMALLEST:
        raise ValueError(f"A rectifier's input must be floating point. Received: dtype={dtype}")
    if dtype == "float64" and keras.backend.backend() == "tensorflow":
        return None
    return _SMALLEST[dtype]


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class LeakyReLU(keras.layers.Layer):
    """Applies `leaky_rectify`: `y = max(x, negative_slope * x)`.

    Batch meaning: elementwise. Training: the same in training and inference.

    Args:
        negative_slope: float in [0, 1]; 0.2 in the original's discriminators (default).

    Call arguments:
        inputs: any shape, floating point.

    Returns:
        Same shape as the input, the layer's compute dtype.

    Raises:
        ValueError: `negative_slope` is outside [0, 1], where the maximum is no leaky ReLU; the
            input is not floating point.

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
        self.built = not has_own_build(self)

    def call(self, inputs):
        require_floating(self, inputs.dtype)
        return leaky_rectify(inputs, self.negative_slope)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "negative_slope": self.negative_slope}

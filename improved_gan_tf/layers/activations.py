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


@keras.saving.register_keras_serializable(package="improved_gan_tf")
def leaky_relu(x, negative_slope=0.2):
    """Returns `max(x, negative_slope * x)`, elementwise; its gradient at 0 is 1 on TensorFlow."""
    return ops.maximum(x, negative_slope * x)

"""Dropout that several devices draw as one."""

import keras
from keras import ops

from improved_gan_tf.layers.argument_checks import require_floating
from improved_gan_tf.layers.random_layer import RandomLayer
from improved_gan_tf.precision import at_least_float32


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class Dropout(RandomLayer):
    """Sets a fraction of the elements to 0 while training and scales up the others.

    On one device, with TensorFlow in float32 or float64, the same numbers as
    `keras.layers.Dropout`. On several devices that layer draws the same mask on each, and in half
    precision it drops another fraction than `rate`; this one does not.

        y = x * keep / (1 - rate),    keep ~ Bernoulli(1 - rate)      (training)
        y = x                                                         (inference)

    Batch meaning: every element has its own draw. With `cross_replica="global"` the mask is drawn
    for the batch of all replicas and each keeps its rows, so that the masks are those of one
    device; with "local" each replica draws a mask of its own for its share.

    Training: elements are dropped only with `training=True`.

    Args:
        rate: float in [0, 1), fraction of the elements that are dropped; 0.2 on the input and
            0.5 inside the original's CIFAR-10 and SVHN discriminators.
        seed: int, `keras.random.SeedGenerator`, or None for a random seed.
        cross_replica: "global" (default) or "local", see above; the same on one device.

    Call arguments:
        inputs: (N, ...), floating point.
        training: bool.

    Returns:
        Same shape as the input, the layer's compute dtype.

    Raises:
        ValueError: `rate` is outside [0, 1), `cross_replica` is neither of the two, the input is
            not floating point.

    Example:

    >>> import numpy as np
    >>> layer = Dropout(0.5, seed=1)
    >>> outputs = np.array(layer(np.ones((100, 10), "float32"), training=True))
    >>> sorted(set(outputs.ravel().tolist()))
    [0.0, 2.0]

    References:
        Paper:    Salimans et al. (2016), Sec. 6.2.
        Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_cifar_*.py, Lasagne's
                  `DropoutLayer`.
    """

    def __init__(self, rate, seed=None, cross_replica="global", **kwargs):
        super().__init__(seed=seed, cross_replica=cross_replica, **kwargs)
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"`rate` must lie in [0, 1). Received: rate={rate}")
        self.rate = float(rate)

    def call(self, inputs, training=False):
        require_floating(self, inputs.dtype)
        if not training or self.rate == 0.0:
            return inputs
        # In half precision there are too few uniform numbers: in bfloat16 steps of 1/128.
        dtype = at_least_float32(self.compute_dtype)
        uniform = self._draw_like(
            inputs, lambda shape, seed: keras.random.uniform(shape, dtype=dtype, seed=seed)
        )
        scaled = inputs * (1.0 / (1.0 - self.rate))
        return ops.where(uniform >= self.rate, scaled, ops.zeros_like(scaled))

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}

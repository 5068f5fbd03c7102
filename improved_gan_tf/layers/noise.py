"""Gaussian noise whose random stream is under the caller's control."""

import math

import keras
from keras import ops

from improved_gan_tf.layers.argument_checks import require_floating
from improved_gan_tf.layers.random_layer import RandomLayer


def standard_normal(shape, dtype, seed):
    """Draws independent standard normal numbers by the Box-Muller transform.

        r = sqrt(-2 log(1 - u1)),    t = 2 pi u2,    (r cos t, r sin t),    u1, u2 ~ U[0, 1)

    The distribution is that of `keras.random.normal`; TensorFlow's CPU kernel behind it runs
    one number at a time, these elementwise operations run vectorised and take about half its
    time (`python -m benchmarks.training_step --profile` says what noise costs a training step).

    Args:
        shape: tuple of ints or of scalar tensors.
        dtype: floating-point dtype of the result.
        seed: `keras.random.SeedGenerator`; one draw is taken from it.

    Returns:
        Tensor of `shape` and `dtype`.
    """
    size = math.prod(shape)
    half = (size + 1) // 2
    # In half precision log(1 - u) would have steps: draw in float32 and round at the end.
    draw_dtype = "float64" if dtype == "float64" else "float32"
    uniform = keras.random.uniform((2, half), dtype=draw_dtype, seed=seed)
    # D3: the original's normal numbers are Theano's.
    radius = ops.sqrt(-2.0 * ops.log(1.0 - uniform[0]))
    angle = (2.0 * math.pi) * uniform[1]
    normal = ops.concatenate([radius * ops.cos(angle), radius * ops.sin(angle)])
    return ops.cast(ops.reshape(normal[:size], shape), dtype)


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class GaussianNoise(RandomLayer):
    """Adds independent Gaussian noise of mean 0 while training.

    Noise on the input and behind every hidden layer is what regularises the paper's MNIST
    discriminator. Unlike `keras.layers.GaussianNoise` the layer takes a
    `keras.random.SeedGenerator`, so that one place decides the random stream of a whole model,
    and it does not draw the same noise on each of several devices.

        y = x + stddev * n,    n ~ N(0, 1)        (training)
        y = x                                     (inference)

    Batch meaning: every element has its own draw. With `cross_replica="global"` the noise is drawn
    for the batch of all replicas and each keeps its rows, so that it is that of one device; with
    "local" each replica draws noise of its own for its share. Rows that `PrependReference` put in
    front get other noise on every replica.

    Training: noise is added only with `training=True`.

    Args:
        stddev: float >= 0; 0.3 on the input and 0.5 inside the paper's MNIST discriminator.
        seed: int, `keras.random.SeedGenerator`, or None for a random seed.
        cross_replica: "global" (default) or "local", see above; the same on one device.

    Call arguments:
        inputs: (N, ...), floating point.
        training: bool.

    Returns:
        Same shape as the input, the layer's compute dtype.

    Raises:
        ValueError: `stddev` is negative, `cross_replica` is neither of the two, the input is
            not floating point.

    Example:

    >>> import numpy as np
    >>> layer = GaussianNoise(0.5, seed=1)
    >>> bool(np.all(layer(np.ones((2, 3), "float32"), training=False) == 1.0))
    True

    References:
        Paper:    Salimans et al. (2016), Sec. 6.1.
        Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, `GaussianNoiseLayer`.
    """

    def __init__(self, stddev, seed=None, cross_replica="global", **kwargs):
        super().__init__(seed=seed, cross_replica=cross_replica, **kwargs)
        if not stddev >= 0.0:
            raise ValueError(f"`stddev` must be 0 or larger. Received: stddev={stddev}")
        self.stddev = float(stddev)

    def call(self, inputs, training=False):
        require_floating(self, inputs.dtype)
        if not training or self.stddev == 0.0:
            return inputs
        noise = self._draw_like(
            inputs, lambda shape, seed: standard_normal(shape, self.compute_dtype, seed)
        )
        return inputs + self.stddev * noise

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev}

"""Batch normalization whose moving variance is unbiased and whose batch is that of all devices."""

import keras
from keras import ops

from improved_gan_tf.layers.conditional_batch_norm.statistics import MovingStatisticsNorm


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class BatchNorm(MovingStatisticsNorm):
    """Normalises by the batch while training, by moving or standing statistics otherwise.

    The last normalization of BigGAN's generator, which does not know the class. Unlike
    `keras.layers.BatchNormalization`, it keeps the unbiased moving variance, as PyTorch does,
    replicas share one batch, and `set_standing_statistics` knows the layer.

        y = gamma (x - mean) / sqrt(variance + epsilon) + beta

    Batch meaning: while training, the examples of the batch are coupled. With
    `cross_replica="global"` that is the batch of all replicas; with "local" it is each replica's
    share, and the moving averages are means over the replicas.

    Training: with `training=True` the batch's statistics (biased variance), and

        moving = momentum moving + (1 - momentum) of the batch      (variance times n / (n - 1))

    A layer with `trainable=False` is in evaluation, as in Keras.

    Args:
        momentum: float in [0, 1), as in Keras the share that is kept; default 0.9, PyTorch's 0.1.
        epsilon: float > 0 inside the root; default 1e-5.
        gamma_initializer: default ones.
        beta_initializer: default zeros.
        cross_replica: "global" (default) or "local", see above; the same on one device.

    Call arguments:
        inputs: (N, ..., C), floating point.
        training: bool.

    Returns:
        Same shape as the input, the layer's compute dtype; statistics are at least float32.

    Raises:
        ValueError: an argument is out of its range; the input has rank below 2, an unknown last
            dimension or is not floating point.

    Weights:
        gamma, beta: (C,).
        moving_mean, moving_variance: (C,), not trained.

    Example:

    >>> import numpy as np
    >>> layer = BatchNorm()
    >>> outputs = layer(np.array([[1.0], [3.0]], "float32"), training=True)
    >>> np.round(outputs, 3).tolist(), round(float(layer.moving_variance[0]), 3)
    ([[-1.0], [1.0]], 1.1)

    References:
        Paper:    Ioffe and Szegedy (2015); Brock et al. (2019), App. B.
        Original: ajbrock/BigGAN-PyTorch@9845943, layers.py, `bn`.
    """

    def __init__(
        self,
        momentum=0.9,
        epsilon=1e-5,
        gamma_initializer="ones",
        beta_initializer="zeros",
        cross_replica="global",
        **kwargs,
    ):
        super().__init__(momentum, epsilon, cross_replica, **kwargs)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.beta_initializer = keras.initializers.get(beta_initializer)

    def build(self, input_shape):
        channels = self._add_statistics(input_shape)
        self.gamma = self.add_weight(
            name="gamma", shape=(channels,), initializer=self.gamma_initializer, autocast=False
        )
        self.beta = self.add_weight(
            name="beta", shape=(channels,), initializer=self.beta_initializer, autocast=False
        )
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: channels})

    def call(self, inputs, training=False):
        x = self._normalized(inputs, training)
        gamma, beta = (ops.cast(weight, x.dtype) for weight in (self.gamma, self.beta))
        return ops.cast(x * gamma + beta, self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
        }

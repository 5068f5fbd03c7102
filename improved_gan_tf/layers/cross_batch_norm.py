"""Cross batch normalization: half the channels by the real images' statistics, half by the others'.

A discriminator that sees real and generated images in one batch could normalise both by the
statistics of the mixture, which move with the generator, or each kind by its own, which hides how
the kinds differ. This one keeps both views: every image is measured against the real images in one
half of the channels and against the generated ones in the other.

Original: openai/improved-gan@4f5d1ec, imagenet/ops.py, `batch_norm_cross`. Not in the paper.
"""

import keras
from keras import ops

from improved_gan_tf import distribution
from improved_gan_tf.layers.argument_checks import require_floating, require_rows
from improved_gan_tf.layers.batch_statistics_norm import mean_of_rows
from improved_gan_tf.precision import at_least_float32


def cross_statistics(x, mean=mean_of_rows):
    """Returns mean and variance of every channel over the half of the batch it belongs to.

        channel c <  C / 2: over rows 0 .. N / 2 - 1        (real)
        channel c >= C / 2: over rows N / 2 .. N - 1        (generated)

    Args:
        x: (N, ..., C), at least float32, N and C even.
        mean: function of (x, axis), what the batch is.

    Returns:
        mean and (biased) variance, each (C,).
    """
    shape = ops.shape(x)
    channels = x.shape[-1]
    kinds = ops.reshape(x, (2, shape[0] // 2, *shape[1:]))  # real, generated
    own_half = ops.concatenate(
        [kinds[0, ..., : channels // 2], kinds[1, ..., channels // 2 :]], axis=-1
    )  # (N / 2, ..., C)
    axes = tuple(range(len(x.shape) - 1))
    means = mean(own_half, axes)
    variances = mean(ops.square(own_half - means), axes)
    return ops.reshape(means, (channels,)), ops.reshape(variances, (channels,))


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class CrossBatchNorm(keras.layers.Layer):
    """Normalises half the channels by the batch's real rows, half by its generated rows.

    The input is the joint batch of a discriminator: N / 2 real rows, then as many generated ones.
    With m_c and v_c the mean and variance of channel c over the real rows (and their positions)
    for c < C / 2, over the generated rows for c >= C / 2, *every* row of either kind becomes

        y_c = gamma_c (x_c - m_c) / sqrt(v_c + epsilon) + beta_c

    Gradients flow through the statistics.

    Batch meaning: the rows of this call, real first. Every output depends on the whole batch.
    On several replicas that is, with `cross_replica="global"`, the batch of all, half of every
    replica's rows being real; with "local" each replica normalises the rows it has, as each GPU
    of the original does. No moving average is kept.

    Training: the same in training and inference.

    Args:
        epsilon: float > 0 inside the root; 1e-5 in the original (default).
        beta_initializer: default zeros.
        gamma_initializer: default N(1, 0.02), the original's.
        cross_replica: "global" (default) or "local", see above; the same on one device.

    Call arguments:
        inputs: (N, ..., C), floating point, N and C even.

    Returns:
        Same shape as the input, the layer's compute dtype; statistics are at least float32.

    Raises:
        ValueError: `epsilon` is not positive, `cross_replica` is neither of the two; the input
            has rank below 2, an odd or unknown number of channels, is not floating point,
            or has an odd number of rows (an `InvalidArgumentError` where a graph learns it late).

    Weights:
        gamma: (C,), `gamma0` and `gamma1` of the original one after the other.
        beta: (C,), `beta0` and `beta1`.

    Example:

    >>> import numpy as np
    >>> layer = CrossBatchNorm(gamma_initializer="ones")
    >>> rows = [[1.0, 0.0], [3.0, 0.0], [5.0, 4.0], [7.0, 6.0]]  # two real, two generated
    >>> np.round(layer(np.array(rows, "float32")), 3).tolist()
    [[-1.0, -5.0], [1.0, -5.0], [3.0, -1.0], [5.0, 1.0]]

    References:
        Original: openai/improved-gan@4f5d1ec, imagenet/ops.py, `batch_norm_cross`.
    """

    def __init__(
        self,
        epsilon=1e-5,
        beta_initializer="zeros",
        gamma_initializer=None,
        cross_replica="global",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not epsilon > 0.0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon}")
        if gamma_initializer is None:  # the original's N(1, 0.02)
            gamma_initializer = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
        self.epsilon = float(epsilon)
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.cross_replica = distribution.check_cross_replica(cross_replica)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)

    def build(self, input_shape):
        channels = input_shape[-1]
        if channels is None or channels % 2:
            raise ValueError(
                "The number of channels of the input of `CrossBatchNorm` must be known and even: "
                "one half is normalised by the real rows, the other by the generated ones. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        # Statistics and weights stay in the variables' dtype: squares do not fit float16.
        self.gamma = self.add_weight(
            name="gamma", shape=(channels,), initializer=self.gamma_initializer, autocast=False
        )
        self.beta = self.add_weight(
            name="beta", shape=(channels,), initializer=self.beta_initializer, autocast=False
        )
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: channels})

    def call(self, inputs):
        require_floating(self, inputs.dtype)
        inputs = require_rows(
            inputs,
            lambda rows: rows % 2 == 0,
            f"The batch of layer '{self.name}' must be as many real as generated rows, an even "
            "number in all.",
        )
        x = ops.cast(inputs, at_least_float32(self.variable_dtype))
        coupled = self.cross_replica == "global"
        mean, variance = cross_statistics(
            x, distribution.mean_over_batch if coupled else mean_of_rows
        )
        gamma, beta = (ops.cast(weight, x.dtype) for weight in (self.gamma, self.beta))
        outputs = (x - mean) * (gamma * ops.rsqrt(variance + self.epsilon)) + beta
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
            "cross_replica": self.cross_replica,
        }

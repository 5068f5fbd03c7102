"""Batch normalization by the statistics of the current batch, always: the generators', DCGAN's."""

import warnings

import keras
from keras import ops

from improved_gan_tf import distribution, precision
from improved_gan_tf.precision import at_least_float32


def mean_of_rows(x, axis):
    """Returns the mean over the rows at hand, the reduced axes kept."""
    return precision.mean(x, axis, keepdims=True)


def normalize_by_batch(x, epsilon, mean=mean_of_rows):
    """Returns `(x - mean) / sqrt(var + epsilon)`, statistics over every axis but the last.

    Args:
        x: (N, ..., C), at least float32.
        epsilon: float > 0, inside the root.
        mean: function of (x, axis), what the batch is.

    Returns:
        Same shape and dtype as `x`; each channel has mean 0 and (biased) variance 1 - O(epsilon).
    """
    axes = tuple(range(len(x.shape) - 1))
    centred = x - mean(x, axes)
    variance = mean(ops.square(centred), axes)
    return centred * ops.rsqrt(variance + epsilon)


def _warn_of_one_example(name):
    # Python shows a warning once for each line that gives it.
    warnings.warn(
        f"Layer '{name}' normalises by the statistics of the batch, and this batch holds one "
        "example: the outputs of different inputs will be nearly the same. Give it a batch of "
        "about the training size, or call a copy with frozen statistics: "
        "`improved_gan_tf.layers.freeze_batch_statistics`, `improved_gan_tf.load_run`.",
        stacklevel=2,
    )


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class BatchStatisticsNorm(keras.layers.Layer):
    """Normalises by the statistics of the batch at hand, in training and in sampling, and shifts.

    The original's generators never use moving averages, not even to draw samples; a
    `keras.layers.BatchNormalization` switched to inference would be another generator. There
    is a shift, and no scale unless asked for; DCGAN's has one.

        y = gamma (x - mean) / sqrt(var + epsilon) + beta  (mean, var over all axes but the last)

    Called with one example after the other, a generator made of this layer gives nearly the same
    output for each. `freeze_batch_statistics` makes a copy that does not depend on the batch.

    Batch meaning: the examples of the batch are coupled; each call sees its own batch only. With
    `cross_replica="global"` that is the batch of all replicas, whose sums are added up, two numbers
    a channel and call; with "local" it is this replica's share.

    Training: the same in training and inference.

    Args:
        epsilon: float > 0 inside the root; 1e-6 in the original.
        beta_initializer: default zeros.
        scale: bool, default False, whether to multiply with `gamma`.
        gamma_initializer: default ones; N(1, 0.02) in DCGAN.
        cross_replica: "global" (default) or "local", see above; the same on one device.

    Call arguments:
        inputs: (N, ..., C), floating point.

    Returns:
        Same shape as the input, the layer's compute dtype.

    Raises:
        ValueError: `epsilon` is not positive, `cross_replica` is neither of the two, the input has
            rank below 2 or an unknown last dimension.

    Warns:
        UserWarning: the batch is known to hold one example, which has no statistics.

    Weights:
        beta: (C,), the shift (`b` in the original).
        gamma: (C,), the scale, if there is one.

    Example:

    >>> import numpy as np
    >>> layer = BatchStatisticsNorm()
    >>> float(np.mean(layer(np.array([[1.0], [3.0]], "float32"))))
    0.0

    References:
        Paper:    Ioffe and Szegedy (2015); Salimans et al. (2016), Sec. 6.
        Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, `BatchNormLayer` with
                  `g=None`, whose updates of the moving averages the scripts never run;
                  with a scale Newmu/dcgan_code@ee12b2d, lib/ops.py, `batchnorm`.
    """

    def __init__(
        self,
        epsilon=1e-6,
        beta_initializer="zeros",
        cross_replica="global",
        scale=False,
        gamma_initializer="ones",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not epsilon > 0.0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon}")
        self.epsilon = float(epsilon)
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.cross_replica = distribution.check_cross_replica(cross_replica)
        self.scale = bool(scale)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)

    def build(self, input_shape):
        channels = input_shape[-1]
        if channels is None:
            raise ValueError(
                "The last dimension of the input of `BatchStatisticsNorm` must be known. "
                f"Received: input_shape={input_shape}"
            )
        self.beta = self.add_weight(
            name="beta", shape=(channels,), initializer=self.beta_initializer, autocast=False
        )
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma", shape=(channels,), initializer=self.gamma_initializer, autocast=False
            )
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: channels})

    def call(self, inputs):
        if inputs.shape[0] == 1 and distribution.replica_count() == 1:
            _warn_of_one_example(self.name)
        x = ops.cast(inputs, at_least_float32(self.variable_dtype))
        mean = distribution.mean_over_batch if self.cross_replica == "global" else mean_of_rows
        outputs = normalize_by_batch(x, self.epsilon, mean)
        if self.scale:
            outputs = outputs * ops.cast(self.gamma, x.dtype)
        return ops.cast(outputs + ops.cast(self.beta, x.dtype), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
            "cross_replica": self.cross_replica,
            "scale": self.scale,
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
        }

"""Class-conditional batch normalization: gain and bias are functions of the example's class."""

import keras
from keras import ops

from improved_gan_tf.layers.argument_checks import positive_integer, two_inputs
from improved_gan_tf.layers.conditional_batch_norm.statistics import MovingStatisticsNorm
from improved_gan_tf.layers.quantized_parts import QuantizedParts
from improved_gan_tf.layers.spectral_norm.dense import SpectralNormDense

_INPUTS = "[x, condition]"


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class ConditionalBatchNorm(QuantizedParts, MovingStatisticsNorm):
    """Batch normalization with a gain and a bias for each example, computed from its condition.

    How BigGAN's generator learns of the class, and of its share of z, in every block.

        y_n = (1 + gain(c_n)) (x_n - mean) / sqrt(variance + epsilon) + bias(c_n)

    The condition c is one of two things:

    - a vector, (N, D): a class embedding that all layers share, with a chunk of z behind it if the
      noise is hierarchical (`keras.layers.Concatenate`). gain and bias are linear maps without a
      bias of their own, spectrally normalised on request;
    - with `num_classes`, a label, (N,): gain and bias are embeddings of this layer's own.

    Batch meaning: while training, the examples of the batch are coupled. With
    `cross_replica="global"` that is the batch of all replicas; with "local" it is each replica's
    share, and the moving averages are means over the replicas.

    Training: with `training=True` the batch's statistics (biased variance), and

        moving = momentum moving + (1 - momentum) of the batch      (variance times n / (n - 1))

    A layer with `trainable=False` is in evaluation, as in Keras.

    Without, the moving averages, or what `set_standing_statistics` puts in their place.

    Args:
        num_classes: int > 0 for conditions that are labels; None (default) for vectors.
        spectral_norm: bool, whether the linear maps are spectrally normalised, as BigGAN's are;
            its embeddings are not. Default False.
        momentum: float in [0, 1), as in Keras the share that is kept; default 0.9, PyTorch's 0.1.
        epsilon: float > 0 inside the root; default 1e-5.
        gain_initializer, bias_initializer: of the maps or embeddings; default N(0, 0.02).
        num_singular_values, spectral_epsilon: `num_singular_values` and `epsilon` of the
            spectrally normalised maps.
        cross_replica: "global" (default) or "local", see above; the same on one device.

    Call arguments:
        inputs: list [x, c]: x (N, ..., C), floating point; c (N, D), floating point, or with
            `num_classes` (N,), in [0, num_classes), integers or floats of their value.
        training: bool.

    Returns:
        Same shape as x, the layer's compute dtype; statistics are at least float32.

    Raises:
        ValueError: an argument is out of its range, both `num_classes` and `spectral_norm` are
            given; the input is no list of two, has an unknown last dimension, or c has another
            rank or number of examples.

    Weights:
        gain/kernel, bias/kernel: (D, C); with `num_classes` gain/embeddings, bias/embeddings,
            (num_classes, C).
        moving_mean, moving_variance: (C,), not trained.

    Example:

    >>> import numpy as np
    >>> x, labels = np.ones((2, 4, 4, 3), "float32"), np.array([0, 9])
    >>> tuple(ConditionalBatchNorm(num_classes=10)([x, labels]).shape)
    (2, 4, 4, 3)

    References:
        Paper:    Dumoulin et al. (2017), Sec. 2.2; Brock et al. (2019), Sec. 3.1 and App. B.
        Original: ajbrock/BigGAN-PyTorch@9845943, layers.py, `ccbn`.
    """

    _quantizable = ("gain", "bias")

    def __init__(
        self,
        num_classes=None,
        spectral_norm=False,
        momentum=0.9,
        epsilon=1e-5,
        gain_initializer=None,
        bias_initializer=None,
        num_singular_values=1,
        spectral_epsilon=1e-12,
        cross_replica="global",
        **kwargs,
    ):
        super().__init__(momentum, epsilon, cross_replica, **kwargs)
        if num_classes is not None:
            num_classes = positive_integer(num_classes, "num_classes")
            if spectral_norm:
                raise ValueError(
                    "`spectral_norm` is for linear maps of a vector, not for the layer's own "
                    f"embeddings. Received: spectral_norm=True, num_classes={num_classes}"
                )
        self.num_classes = num_classes
        self.autocast = num_classes is None  # half precision has no labels above 256 or 2048
        self.spectral_norm = bool(spectral_norm)
        normal = keras.initializers.RandomNormal  # each with a seed of its own
        self.gain_initializer = keras.initializers.get(gain_initializer or normal(stddev=0.02))
        self.bias_initializer = keras.initializers.get(bias_initializer or normal(stddev=0.02))
        self.num_singular_values = positive_integer(num_singular_values, "num_singular_values")
        self.spectral_epsilon = float(spectral_epsilon)

    def build(self, input_shape):
        shape, condition_shape = two_inputs(self, input_shape, _INPUTS)
        channels = self._add_statistics(shape)
        rank = 2 if self.num_classes is None else 1
        if len(condition_shape) != rank:
            raise ValueError(
                "The condition of `ConditionalBatchNorm` must be vectors (N, D), or labels (N,) "
                f"with `num_classes`. Received: shape {tuple(condition_shape)}, "
                f"num_classes={self.num_classes}"
            )
        self.gain = self._map("gain", channels, self.gain_initializer)
        self.bias = self._map("bias", channels, self.bias_initializer)
        self.gain.build(condition_shape)
        self.bias.build(condition_shape)

    def _map(self, name, channels, initializer):
        # In the variables' dtype, as the statistics.
        common = {"name": name, "dtype": self._policy_of(name)}
        if self.num_classes is not None:
            return keras.layers.Embedding(
                self.num_classes, channels, embeddings_initializer=initializer, **common
            )
        common.update(use_bias=False, kernel_initializer=initializer)
        if not self.spectral_norm:
            return keras.layers.Dense(channels, **common)
        return SpectralNormDense(
            channels,
            num_singular_values=self.num_singular_values,
            epsilon=self.spectral_epsilon,
            **common,
        )

    def call(self, inputs, training=False):
        x, condition = two_inputs(self, inputs, _INPUTS)
        channels = self.moving_mean.shape[0]
        if x.shape[-1] not in (channels, None):
            raise ValueError(
                f"`ConditionalBatchNorm` '{self.name}' was built for {channels} channels. "
                f"Received: an input of shape {tuple(x.shape)}"
            )
        x = self._normalized(x, training)
        if None not in (x.shape[0], condition.shape[0]) and x.shape[0] != condition.shape[0]:
            raise ValueError(
                f"`ConditionalBatchNorm` '{self.name}' takes a condition for each example. "
                f"Received: {x.shape[0]} examples, {condition.shape[0]} conditions"
            )
        # In evaluation, which `trainable=False` is, the norms stay as well.
        options = {"training": training and self.trainable} if self.spectral_norm else {}
        by_example = (-1, *(1,) * (len(x.shape) - 2), x.shape[-1])
        gain, bias = (
            ops.reshape(ops.cast(of_class(condition, **options), x.dtype), by_example)
            for of_class in (self.gain, self.bias)
        )
        return ops.cast(x * (1.0 + gain) + bias, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return tuple(two_inputs(self, input_shape, _INPUTS)[0])

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "spectral_norm": self.spectral_norm,
            "gain_initializer": keras.initializers.serialize(self.gain_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "num_singular_values": self.num_singular_values,
            "spectral_epsilon": self.spectral_epsilon,
        }

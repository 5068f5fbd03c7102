"""The projection discriminator's last layer: how real, and how much of the class asked for."""

import keras
from keras import ops

from improved_gan_tf.layers.argument_checks import positive_integer, require_floating, two_inputs
from improved_gan_tf.layers.quantized_parts import QuantizedParts
from improved_gan_tf.layers.spectral_norm.dense import SpectralNormDense
from improved_gan_tf.layers.spectral_norm.embedding import SpectralNormEmbedding
from improved_gan_tf.precision import at_least_float32

_INPUTS = "[x, labels]"


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class ProjectionHead(QuantizedParts, keras.layers.Layer):
    """Scores an image and its label: a linear score plus the projection on the class's vector.

    The logit of log p(x|y) p(y) / q(x|y) q(y), when both log-likelihood ratios of the class are
    log-linear, has this form; the label then need not be written into the image.

        h     = sum over positions of relu(x)               (N, C); the sum, not the mean
        logit = h . w + b + embed(y) . h

    Batch meaning: rows are independent.

    Training: as `SpectralNormDense` and `SpectralNormEmbedding` if `spectral_norm`, else the same
    in training and inference.

    Args:
        num_classes: int > 0.
        spectral_norm: bool, whether w and the embedding are spectrally normalised, as in BigGAN.
            Default True.
        kernel_initializer, embeddings_initializer: default "glorot_uniform", "uniform".
        num_singular_values, spectral_epsilon: `num_singular_values` and `epsilon` of the
            spectrally normalised layers.

    Call arguments:
        inputs: list [x, labels]: x (N, ..., C), floating point; labels (N,), in
            [0, num_classes), integers or floats of their value.
        training: bool.

    Returns:
        (N, 1), logits, the layer's compute dtype; the sum over positions is at least float32.

    Raises:
        ValueError: an argument is out of its range; the input is no list of two, C is unknown, x
            is not floating point, or the labels have another rank.

    Weights:
        linear/kernel: (C, 1), linear/bias: (1,).
        embed/embeddings: (num_classes, C).

    Example:

    >>> import numpy as np
    >>> x, labels = np.ones((2, 4, 4, 3), "float32"), np.array([0, 9])
    >>> tuple(ProjectionHead(num_classes=10)([x, labels]).shape)
    (2, 1)

    References:
        Paper:    Miyato and Koyama (2018), Sec. 3; Brock et al. (2019), Sec. 3.
        Original: ajbrock/BigGAN-PyTorch@9845943, BigGAN.py, `Discriminator.forward`.
    """

    _quantizable = ("linear", "embed")

    def __init__(
        self,
        num_classes,
        spectral_norm=True,
        kernel_initializer="glorot_uniform",
        embeddings_initializer="uniform",
        num_singular_values=1,
        spectral_epsilon=1e-12,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.autocast = False  # half precision has no labels above 256 or 2048
        self.num_classes = positive_integer(num_classes, "num_classes")
        self.spectral_norm = bool(spectral_norm)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        self.num_singular_values = positive_integer(num_singular_values, "num_singular_values")
        self.spectral_epsilon = float(spectral_epsilon)

    def build(self, input_shape):
        shape, labels_shape = two_inputs(self, input_shape, _INPUTS)
        self._require_labels(labels_shape)
        channels = shape[-1]
        if channels is None:
            raise ValueError(
                "The last dimension of the input of `ProjectionHead` must be known. "
                f"Received: input_shape={tuple(shape)}"
            )
        # In the variables' dtype, as the sum over positions.
        linear = {"kernel_initializer": self.kernel_initializer, "name": "linear"}
        embed = {"embeddings_initializer": self.embeddings_initializer, "name": "embed"}
        sizes = (self.num_classes, channels)
        if self.spectral_norm:
            common = {
                "num_singular_values": self.num_singular_values,
                "epsilon": self.spectral_epsilon,
                "dtype": self.variable_dtype,
            }
            self.linear = SpectralNormDense(1, **linear, **common)
            self.embed = SpectralNormEmbedding(*sizes, **embed, **common)
        else:
            self.linear = keras.layers.Dense(1, dtype=self._policy_of("linear"), **linear)
            self.embed = keras.layers.Embedding(*sizes, dtype=self._policy_of("embed"), **embed)
        self.linear.build((None, channels))
        self.embed.build((None,))

    def call(self, inputs, training=False):
        x, labels = two_inputs(self, inputs, _INPUTS)
        self._require_labels(labels.shape)
        if None not in (x.shape[0], labels.shape[0]) and x.shape[0] != labels.shape[0]:
            raise ValueError(
                f"`ProjectionHead` '{self.name}' takes a label for each example. Received: "
                f"{x.shape[0]} examples, {labels.shape[0]} labels"
            )
        require_floating(self, x.dtype)
        options = {"training": training} if self.spectral_norm else {}
        x = ops.cast(x, at_least_float32(self.variable_dtype))
        h = ops.sum(ops.relu(x), axis=tuple(range(1, len(x.shape) - 1)))  # (N, C)
        embedded = ops.cast(self.embed(labels, **options), h.dtype)
        projection = ops.sum(embedded * h, axis=-1, keepdims=True)
        linear = ops.cast(self.linear(h, **options), h.dtype)
        return ops.cast(linear + projection, self.compute_dtype)

    def _require_labels(self, shape):
        if len(shape) != 1:  # (N, 1) would score every image against every label
            raise ValueError(
                "The labels of `ProjectionHead` must be a vector (N,). Received: labels of shape "
                f"{tuple(shape)}"
            )

    def compute_output_shape(self, input_shape):
        return (two_inputs(self, input_shape, _INPUTS)[0][0], 1)

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "spectral_norm": self.spectral_norm,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "embeddings_initializer": keras.initializers.serialize(self.embeddings_initializer),
            "num_singular_values": self.num_singular_values,
            "spectral_epsilon": self.spectral_epsilon,
        }

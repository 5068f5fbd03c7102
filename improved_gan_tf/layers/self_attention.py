"""Self-attention over the positions of an image, as in SAGAN and BigGAN."""

import keras
from keras import ops

from improved_gan_tf import precision
from improved_gan_tf.layers.argument_checks import positive_integer, require_floating
from improved_gan_tf.layers.spectral_norm.conv import SpectralNormConv2D
from improved_gan_tf.precision import at_least_float32


def attention_map(queries, keys):
    """Returns how much each position attends to each key: softmax of the plain dot products.

        beta_nij = exp(q_ni . k_nj) / sum_j' exp(q_ni . k_nj')

    There is no 1 / sqrt(d).

    Args:
        queries: (N, P, d).
        keys: (N, Q, d).

    Returns:
        (N, P, Q), at least float32; rows sum to 1.
    """
    dtype = at_least_float32(keras.backend.standardize_dtype(queries.dtype))
    queries, keys = ops.cast(queries, dtype), ops.cast(keys, dtype)  # products do not fit float16
    return ops.softmax(precision.matmul(queries, ops.swapaxes(keys, 1, 2)), axis=-1)


def _drawn_anew(initializer):
    """Returns a copy of an initializer: Keras's gives the same numbers each time it is called."""
    seed = getattr(initializer, "seed", None)
    is_stateful = isinstance(seed, keras.random.SeedGenerator)  # which never repeats itself
    if is_stateful or not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    return initializer.clone()


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class SelfAttention2D(keras.layers.Layer):
    """Adds to each position of an image a mixture of what other positions hold.

    Convolutions see a neighbourhood; with this block far parts of an image can agree. theta, phi,
    g and o are 1 x 1 convolutions without bias, to C / 8, C / 8, C / 2 and back to C channels:

        beta = softmax(theta(x) pool(phi(x))^T)             (N, H W, H W / 4), no 1 / sqrt(d)
        y    = x + gamma o(beta pool(g(x)))                 pool: maximum of 2 x 2

    gamma starts at 0, so that the block begins as the identity.

    Batch meaning: rows are independent.

    Training: as `SpectralNormConv2D` if `spectral_norm`, else the same in training and inference.

    Args:
        spectral_norm: bool, whether the convolutions are spectrally normalised, as in SAGAN and
            BigGAN. Default True.
        kernel_initializer: of the convolutions; default "glorot_uniform". One whose seed is a
            number gives theta and phi the same kernel.
        num_singular_values, spectral_epsilon: `num_singular_values` and `epsilon` of the
            spectrally normalised convolutions.

    Call arguments:
        inputs: (N, H, W, C), floating point; H and W at least 2, C at least 8.
        training: bool.

    Returns:
        (N, H, W, C), the layer's compute dtype; the softmax is at least float32.

    Raises:
        ValueError: an argument is out of its range; C is unknown or below 8, or the input is not
            floating point.

    Weights:
        gamma: scalar.
        theta/kernel, phi/kernel: (1, 1, C, C // 8).
        g/kernel: (1, 1, C, C // 2).
        o/kernel: (1, 1, C // 2, C).

    Example:

    >>> import numpy as np
    >>> x = np.ones((2, 8, 8, 16), "float32")
    >>> bool(np.all(SelfAttention2D()(x) == x))
    True

    References:
        Paper:    Zhang et al. (2019), Sec. 3; Brock et al. (2019), App. B.
        Original: ajbrock/BigGAN-PyTorch@9845943, layers.py, `Attention`.
    """

    def __init__(
        self,
        spectral_norm=True,
        kernel_initializer="glorot_uniform",
        num_singular_values=1,
        spectral_epsilon=1e-12,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.spectral_norm = bool(spectral_norm)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.num_singular_values = positive_integer(num_singular_values, "num_singular_values")
        self.spectral_epsilon = float(spectral_epsilon)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        channels = input_shape[-1]
        if channels is None or channels < 8:
            raise ValueError(
                "The number of channels of the input of `SelfAttention2D` must be known and at "
                f"least 8. Received: input_shape={tuple(input_shape)}"
            )
        if any(size is not None and size < 2 for size in input_shape[1:3]):
            raise ValueError(
                "The input of `SelfAttention2D` must have a height and width of at least 2: keys "
                f"and values are pooled. Received: input_shape={tuple(input_shape)}"
            )
        self.theta = self._convolution("theta", channels // 8)
        self.phi = self._convolution("phi", channels // 8)
        self.g = self._convolution("g", channels // 2)
        self.o = self._convolution("o", channels)
        for convolution in (self.theta, self.phi, self.g):
            convolution.build(input_shape)
        self.o.build((*input_shape[:-1], channels // 2))
        self.gamma = self.add_weight(name="gamma", shape=(), initializer="zeros")
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={-1: channels})

    def _convolution(self, name, filters):
        common = {
            "name": name,
            "use_bias": False,
            "kernel_initializer": _drawn_anew(self.kernel_initializer),
            "data_format": "channels_last",
            "dtype": self.dtype_policy,
        }
        if not self.spectral_norm:
            return keras.layers.Conv2D(filters, 1, **common)
        return SpectralNormConv2D(
            filters,
            1,
            num_singular_values=self.num_singular_values,
            epsilon=self.spectral_epsilon,
            **common,
        )

    def call(self, inputs, training=False):
        require_floating(self, inputs.dtype)
        options = {"training": training} if self.spectral_norm else {}

        def pooled(x):
            return ops.max_pool(x, 2, strides=2, padding="valid", data_format="channels_last")

        def positions(x):
            return ops.reshape(x, (ops.shape(x)[0], -1, x.shape[-1]))

        queries = positions(self.theta(inputs, **options))  # (N, H W, C / 8)
        keys = positions(pooled(self.phi(inputs, **options)))  # (N, H W / 4, C / 8)
        values = positions(pooled(self.g(inputs, **options)))  # (N, H W / 4, C / 2)
        weights = ops.cast(attention_map(queries, keys), values.dtype)  # (N, H W, H W / 4)
        mixture = precision.matmul(weights, values)
        mixture = ops.reshape(mixture, (*ops.shape(inputs)[:-1], values.shape[-1]))
        return inputs + self.gamma * self.o(mixture, **options)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "spectral_norm": self.spectral_norm,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "num_singular_values": self.num_singular_values,
            "spectral_epsilon": self.spectral_epsilon,
        }

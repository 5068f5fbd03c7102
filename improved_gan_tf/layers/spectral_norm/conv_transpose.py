"""A transposed 2D convolution with spectral normalization."""

import keras
from keras import ops

from improved_gan_tf.layers.argument_checks import require_floating
from improved_gan_tf.layers.spectral_norm.base import SpectralNormLayer


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class SpectralNormConv2DTranspose(SpectralNormLayer, keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose` with its kernel divided by its largest singular value.

    The matrix has a column for each output channel, (kh kw A, K), as in
    `torch.nn.utils.spectral_norm`. See `SpectralNormDense` for the formula and what changes while
    training.

    Batch meaning: rows are independent.

    Training: as `SpectralNormDense`.

    Args:
        filters: int > 0, number of output channels K.
        kernel_size: int or two, height and width.
        num_singular_values, num_power_iterations, epsilon, u_initializer: as in
            `SpectralNormDense`.
        **kwargs: what else `keras.layers.Conv2DTranspose` takes.

    Call arguments:
        inputs: (N, height, width, A), floating point; with `data_format="channels_first"`
            (N, A, height, width).
        training: bool.

    Returns:
        (N, height', width', K), the layer's compute dtype.

    Raises:
        ValueError: as `SpectralNormDense`, and what `keras.layers.Conv2DTranspose` raises.

    Weights:
        kernel: (kh, kw, K, A), W.
        bias: (K,), if `use_bias`.
        u: (S, K), not trained.
        singular_values: (S,), not trained, of the last training call.

    Example:

    >>> import numpy as np
    >>> layer = SpectralNormConv2DTranspose(3, 4, strides=2, padding="same")
    >>> tuple(layer(np.ones((2, 8, 8, 4), "float32")).shape)
    (2, 16, 16, 3)

    References:
        Paper: Miyato et al. (2018), Sec. 2.1.
    """

    _output_axis = -2

    def build(self, input_shape):
        super().build(input_shape)
        self._add_vectors(self.kernel)

    def call(self, inputs, training=False):
        require_floating(self, inputs.dtype)
        kernel, bias = self._kernel_and_bias(training)
        outputs = ops.conv_transpose(
            inputs,
            kernel,
            strides=list(self.strides),
            padding=self.padding,
            output_padding=self.output_padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return self.activation(self._with_bias(outputs, bias))

    def get_config(self):
        # Keras 3.11 leaves it out.
        return {**super().get_config(), "output_padding": self.output_padding}

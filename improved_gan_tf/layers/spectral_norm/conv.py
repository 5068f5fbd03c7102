"""A 2D convolution with spectral normalization."""

import keras

from improved_gan_tf.layers.argument_checks import require_floating
from improved_gan_tf.layers.spectral_norm.base import SpectralNormLayer


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class SpectralNormConv2D(SpectralNormLayer, keras.layers.Conv2D):
    """`keras.layers.Conv2D` with its kernel divided by the largest singular value of its matrix.

    The matrix is the kernel with a column for each filter, (kh kw A, K): not the operator that
    convolves an image. See `SpectralNormDense` for the formula and what changes while training.

    Batch meaning: rows are independent.

    Training: as `SpectralNormDense`.

    Args:
        filters: int > 0, number of output channels K.
        kernel_size: int or two, height and width.
        num_singular_values, num_power_iterations, epsilon, u_initializer: as in
            `SpectralNormDense`.
        **kwargs: what else `keras.layers.Conv2D` takes, `strides` and `padding` included.

    Call arguments:
        inputs: (N, height, width, A), floating point; with `data_format="channels_first"`
            (N, A, height, width).
        training: bool.

    Returns:
        (N, height', width', K), the layer's compute dtype.

    Raises:
        ValueError: as `SpectralNormDense`, and what `keras.layers.Conv2D` raises.

    Weights:
        kernel: (kh, kw, A / groups, K), W.
        bias: (K,), if `use_bias`.
        u: (S, K), not trained.
        singular_values: (S,), not trained, of the last training call.

    Example:

    >>> import numpy as np
    >>> layer = SpectralNormConv2D(3, 3, padding="same")
    >>> tuple(layer(np.ones((2, 8, 8, 4), "float32")).shape)
    (2, 8, 8, 3)

    References:
        Paper:    Miyato et al. (2018), Sec. 2.1; Brock et al. (2019), Sec. 3.
        Original: ajbrock/BigGAN-PyTorch@9845943, layers.py, `SN`, `SNConv2d`.
    """

    def build(self, input_shape):
        super().build(input_shape)
        self._add_vectors(self.kernel)

    def call(self, inputs, training=False):
        require_floating(self, inputs.dtype)
        kernel, bias = self._kernel_and_bias(training)
        return self.activation(self._with_bias(self.convolution_op(inputs, kernel), bias))

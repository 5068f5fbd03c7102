"""Keras's dense, convolution, transposed convolution and embedding, spectrally normalised."""

import keras
from keras import ops

from improved_gan_tf.layers.argument_checks import require_floating
from improved_gan_tf.layers.spectral_norm.base import SpectralNormLayer


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class SpectralNormDense(SpectralNormLayer, keras.layers.Dense):
    """`keras.layers.Dense` with its kernel divided by the kernel's largest singular value.

    A discriminator of such layers is 1-Lipschitz up to its activations, and a large gradient of
    the loss can no longer be had by scaling weights up. `keras.layers.SpectralNormalization` is
    another thing: it overwrites the kernel that the optimizer trains and leaves the derivative of
    sigma out of the gradient.

        v = n(W u),   u' = n(W^T v),   sigma = v^T W u'        n(x) = x / max(||x||, epsilon)
        y = activation(x W / sigma + bias)

    u and v are constants in the gradient, sigma is not. W stays as the optimizer left it.

    Batch meaning: rows are independent, whatever the batch is split over. Replicas hold the same
    kernel and u, and so make the same step.

    Training: each call with `training=True` makes one power iteration (`num_power_iterations`) and
    keeps u; also the generator's step through the discriminator, as in the original. Otherwise u
    stays, and sigma is that of one iteration more.

    Args:
        units: int > 0, number of output units K.
        num_singular_values: int > 0, how many of the largest singular values are followed, by
            Gram-Schmidt, or S of them if the kernel has fewer; only the first divides the kernel.
            Default 1.
        num_power_iterations: int > 0, in each training call. Default 1.
        epsilon: float > 0, smallest length, and sigma, that is divided by; 1e-12 in the original's
            layer (default), 1e-8 its scripts' default, 1e-6 in its ImageNet script.
        u_initializer: default N(0, 1).
        **kwargs: what else `keras.layers.Dense` takes; regularizers and constraints see W.

    Call arguments:
        inputs: (N, ..., A), floating point.
        training: bool.

    Returns:
        (N, ..., K), the layer's compute dtype.

    Raises:
        ValueError: an argument is out of its range, the input is not floating point.

    Weights:
        kernel: (A, K), W.
        bias: (K,), if `use_bias`.
        u: (S, K), not trained.
        singular_values: (S,), not trained: those of the last training call,
            to watch; ones before the first.

    Example:

    >>> import numpy as np
    >>> layer = SpectralNormDense(3, num_power_iterations=50)
    >>> outputs = layer(np.eye(5, dtype="float32"), training=True)  # the normalised kernel
    >>> round(float(np.linalg.norm(outputs, 2)), 3)
    1.0

    References:
        Paper:    Miyato et al. (2018), Sec. 2.1; Brock et al. (2019), Sec. 3.
        Original: ajbrock/BigGAN-PyTorch@9845943, layers.py, `SN`, `SNLinear`.
    """

    def build(self, input_shape):
        super().build(input_shape)
        self._add_vectors(self.kernel)

    def call(self, inputs, training=False):
        require_floating(self, inputs.dtype)
        kernel, bias = self._kernel_and_bias(training)
        outputs = ops.matmul(inputs, kernel)
        return self.activation(outputs if bias is None else outputs + bias)


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
        return self.activation(_with_bias(self, self.convolution_op(inputs, kernel), bias))


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
        return self.activation(_with_bias(self, outputs, bias))

    def get_config(self):
        # Keras 3.6 leaves it out.
        return {**super().get_config(), "output_padding": self.output_padding}


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class SpectralNormEmbedding(SpectralNormLayer, keras.layers.Embedding):
    """`keras.layers.Embedding` with its table divided by the table's largest singular value.

    The class embedding of a projection discriminator. u has an entry for each class. See
    `SpectralNormDense` for the formula and what changes while training.

    Batch meaning: rows are independent.

    Training: as `SpectralNormDense`.

    Args:
        input_dim: int > 0, number of classes K.
        output_dim: int > 0, length D of a class's vector.
        num_singular_values, num_power_iterations, epsilon, u_initializer: as in
            `SpectralNormDense`.
        **kwargs: what else `keras.layers.Embedding` takes, but `weights`.

    Call arguments:
        inputs: (N, ...), integers in [0, K).
        training: bool.

    Returns:
        (N, ..., D), the layer's compute dtype.

    Raises:
        ValueError: as `SpectralNormDense`; `weights` is given.

    Weights:
        embeddings: (K, D), the table.
        u: (S, K), not trained.
        singular_values: (S,), not trained, of the last training call.

    Example:

    >>> import numpy as np
    >>> layer = SpectralNormEmbedding(10, 4)
    >>> tuple(layer(np.array([0, 9])).shape)
    (2, 4)

    References:
        Paper:    Miyato and Koyama (2018), Sec. 3; Brock et al. (2019), Sec. 3.
        Original: ajbrock/BigGAN-PyTorch@9845943, layers.py, `SN`, `SNEmbedding`.
    """

    _output_axis = 0

    def __init__(self, *args, **kwargs):
        if kwargs.get("weights") is not None:
            raise ValueError(
                "`SpectralNormEmbedding` takes no `weights`; build it and assign `embeddings`. "
                f"Received: weights of type {type(kwargs['weights']).__name__}"
            )
        super().__init__(*args, **kwargs)

    def build(self, input_shape=None):
        super().build(input_shape)
        self._add_vectors(self.embeddings)

    def call(self, inputs, training=False):
        if keras.backend.is_float_dtype(keras.backend.standardize_dtype(inputs.dtype)):
            inputs = ops.cast(inputs, "int32")
        table = self._normalized(self.embeddings, training)
        return ops.cast(ops.take(table, inputs, axis=0), self.compute_dtype)

    def compute_output_spec(self, inputs, training=False):
        return super().compute_output_spec(inputs)  # Keras's own knows no `training`


def _with_bias(layer, outputs, bias):
    if bias is None or layer.data_format == "channels_last":
        return outputs if bias is None else outputs + bias
    return outputs + ops.reshape(bias, (1, -1, 1, 1))

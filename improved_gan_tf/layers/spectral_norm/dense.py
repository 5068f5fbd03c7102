"""A densely connected layer with spectral normalization."""

import keras

from improved_gan_tf.layers.argument_checks import require_floating
from improved_gan_tf.layers.spectral_norm.base import SpectralNormLayer
from improved_gan_tf.precision import matmul


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
        outputs = matmul(inputs, kernel)
        return self.activation(self._with_bias(outputs, bias))

"""A densely connected layer with weight normalization."""

import keras
from keras import ops

from improved_gan_tf.layers.argument_checks import positive_integer
from improved_gan_tf.layers.weight_norm.base import WeightNormLayer
from improved_gan_tf.precision import matmul


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class WeightNormDense(WeightNormLayer):
    """Multiplies the input with a weight-normalised kernel, adds a bias, applies an activation.

    Weight normalization separates the length of each unit's weight vector from its direction,
    and its data-dependent initialisation starts every unit at mean 0 and a known spread, so
    that a deep discriminator without batch normalization trains from the first step.

        W = kernel * scale / sqrt(epsilon + sum_A kernel^2)       # (A, K)
        y = activation(x W + bias)                                # (..., K)

    Batch meaning: rows are independent, whatever the batch is split over.

    Training: the same in training and inference. Inside
    `improved_gan_tf.initialize_from_data` the layer sets `scale` and `bias` from the batch.

    Args:
        units: int > 0, number of output units K.
        activation: what `keras.activations.get` accepts; default linear.
        use_bias: bool, default True.
        kernel_initializer: default N(0, 0.05), as in the original's CIFAR-10 and SVHN networks
            (its MNIST discriminator uses N(0, 0.1)).
        bias_initializer: default zeros.
        scale_initializer: default ones.
        kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
            bias_constraint: as in `keras.layers.Dense`; they see the unnormalised `kernel`.
        train_scale: bool, whether `scale` is trained; the original trains it in output layers
            only (`train_g`). Default False.
        epsilon: float >= 0 inside the root; 1e-6 in the original's `WeightNormLayer` and
            `l2normalize` (default), 0 in its MNIST `DenseLayer`.
        init_stddev: float > 0, standard deviation of every unit after data-dependent
            initialisation; 1 inside a network (default), 0.1 for CIFAR-10/SVHN output layers.

    Call arguments:
        inputs: (N, ..., A), floating point.

    Returns:
        (N, ..., K), the layer's compute dtype.

    Raises:
        ValueError: `units` is not a positive integer, `epsilon` is negative, `init_stddev` is
            not positive, the input has rank below 2, an unknown last dimension or an integer
            dtype.

    Weights:
        kernel: (A, K), the unnormalised V (`theta` in the original's MNIST code).
        scale: (K,), g (`weight_scale`).
        bias: (K,), b.

    Example:

    >>> import numpy as np
    >>> layer = WeightNormDense(3)
    >>> layer(np.ones((2, 5), "float32")).shape
    TensorShape([2, 3])

    References:
        Paper:    Salimans and Kingma (2016), Sec. 2; Salimans et al. (2016), Sec. 6.
        Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, `WeightNormLayer` over
                  a dense layer; with `epsilon=0`, `DenseLayer`.
    """

    def __init__(self, units, activation=None, **kwargs):
        super().__init__(activation=activation, **kwargs)
        self.units = positive_integer(units, "units")
        self.supports_masking = True
        self.input_spec = keras.layers.InputSpec(min_ndim=2)

    def build(self, input_shape):
        input_dim = input_shape[-1]
        if input_dim is None:
            raise ValueError(
                "The last dimension of the input of `WeightNormDense` must be known. "
                f"Received: input_shape={input_shape}"
            )
        self._add_weight_norm_weights((input_dim, self.units), self.units, sum_axes=(0,))
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: input_dim})

    def _linear(self, inputs):
        if self.compute_dtype == "float16":  # whose range x V may leave
            kernel = ops.cast(self.kernel * self._scale_over_norm(), "float16")
            return matmul(inputs, kernel)
        # (x V) * factor equals x (V * factor) and touches N x K numbers instead of A x K.
        outputs = matmul(inputs, ops.cast(self.kernel, self.compute_dtype))
        return outputs * ops.cast(self._scale_over_norm(), outputs.dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}

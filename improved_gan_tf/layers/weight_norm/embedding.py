"""An embedding with weight normalization."""

import keras
from keras import ops

from improved_gan_tf.layers.argument_checks import positive_integer
from improved_gan_tf.layers.weight_norm.base import WeightNormLayer


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class WeightNormEmbedding(WeightNormLayer):
    """Looks up a row of a weight-normalised matrix for each label.

    What `WeightNormDense` makes of one-hot rows, without making them: the norm is that of each
    *output* unit, over all labels, so that a call reads the whole matrix. (PyTorch's `weight_norm`
    of an embedding takes the norm of each label's row.)

        W = kernel * scale / sqrt(epsilon + sum_V kernel^2)       # (V, K)
        y = activation(W[x] + bias)                               # (..., K)

    Batch meaning: rows are independent, whatever the batch is split over.

    Training: the same in training and inference. Inside
    `improved_gan_tf.initialize_from_data` the layer sets `scale` and `bias` from the batch.

    Args:
        input_dim: int > 0, number of labels V.
        output_dim: int > 0, number of output units K.
        mask_zero: bool, default False; True masks the label 0, as in `keras.layers.Embedding`.
        use_bias: bool, default False.
        activation, kernel_initializer, bias_initializer, scale_initializer, kernel_regularizer,
            bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint,
            train_scale, epsilon, init_stddev: as in `WeightNormDense`.

    Call arguments:
        inputs: (N, ...), labels from 0 to V - 1, integers or floats of their value.

    Returns:
        (N, ..., K), the layer's compute dtype.

    Raises:
        ValueError: a number is out of its range.

    Weights:
        kernel: (V, K), the unnormalised V.
        scale: (K,), g.
        bias: (K,), b, if `use_bias`.

    Example:

    >>> import numpy as np
    >>> tuple(WeightNormEmbedding(10, 3)(np.array([4, 9])).shape)
    (2, 3)

    References:
        Paper: Salimans and Kingma (2016), Sec. 2.
    """

    def __init__(self, input_dim, output_dim, mask_zero=False, use_bias=False, **kwargs):
        super().__init__(use_bias=use_bias, **kwargs)
        self.input_dim = positive_integer(input_dim, "input_dim")
        self.output_dim = positive_integer(output_dim, "output_dim")
        self.mask_zero = bool(mask_zero)
        self.supports_masking = self.mask_zero
        self.autocast = False  # half precision has no labels above 256 or 2048

    def build(self, input_shape=None):
        self._add_weight_norm_weights(
            (self.input_dim, self.output_dim), self.output_dim, sum_axes=(0,)
        )

    def _check_dtype(self, inputs):
        """Any will do: labels are cast."""

    def _linear(self, inputs):
        labels = ops.cast(inputs, "int32")
        rows = ops.take(ops.cast(self.kernel, self.compute_dtype), labels, axis=0)
        return rows * ops.cast(self._scale_over_norm(), rows.dtype)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs):
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "mask_zero": self.mask_zero,
        }

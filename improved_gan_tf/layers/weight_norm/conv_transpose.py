"""A transposed convolution with weight normalization."""

import keras
from keras import ops

from improved_gan_tf.layers.weight_norm.conv import WeightNormConvLayer
from improved_gan_tf.layers.weight_norm.geometry import (
    conv_transpose_output_length,
    one_for_each_axis,
)


class WeightNormConvTranspose(WeightNormConvLayer):
    """Base of the transposed convolutions; the norm is per *output* channel, as everywhere."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        output_padding=None,
        data_format=None,
        dilation_rate=1,
        **kwargs,
    ):
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, **kwargs
        )
        if output_padding is not None:
            output_padding = one_for_each_axis(
                output_padding, "output_padding", self.rank, minimum=0
            )
            if any(o >= s for o, s in zip(output_padding, self.strides, strict=True)):
                raise ValueError(
                    "`output_padding` must be smaller than `strides`. "
                    f"Received: output_padding={output_padding}, strides={self.strides}"
                )
        self.output_padding = output_padding

    def build(self, input_shape):
        channels = self._input_channels(input_shape)
        self.compute_output_shape(input_shape)  # refuses an input that leaves no output
        self._add_weight_norm_weights(
            (*self.kernel_size, self.filters, channels),
            self.filters,
            sum_axes=(*range(self.rank), self.rank + 1),
        )

    def _linear(self, inputs):
        factor = ops.expand_dims(self._scale_over_norm(), axis=-1)  # (K, 1)
        kernel = ops.cast(self.kernel * factor, self.compute_dtype)  # (kh, kw, K, A)
        if isinstance(self.padding, str):
            return self._transposed(inputs, kernel, self.padding, self.output_padding)
        # The full output, then the cut: Keras knows no explicit padding.
        output_padding = self.output_padding or (0,) * self.rank
        outputs = self._transposed(inputs, kernel, "valid", output_padding)
        return outputs[(slice(None), *(slice(p, -p or None) for p in self.padding))]

    def _transposed(self, inputs, kernel, padding, output_padding):
        return ops.conv_transpose(
            inputs,
            kernel,
            strides=self.strides,
            padding=padding,
            output_padding=output_padding,
            data_format="channels_last",
            dilation_rate=self.dilation_rate,
        )

    def _output_length(self, length, axis):
        return conv_transpose_output_length(
            length,
            self.kernel_size[axis],
            self.strides[axis],
            self.dilation_rate[axis],
            self._axis_paddings()[axis],
            self.output_padding[axis] if self.output_padding else None,
        )

    def get_config(self):
        return {**super().get_config(), "output_padding": self.output_padding}


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class WeightNormConv2DTranspose(WeightNormConvTranspose):
    """Transposed convolution with a weight-normalised kernel, a bias and an activation.

    The last layer of the paper's CIFAR-10 and SVHN generators. The norm is taken per *output*
    channel, as for every weight-normalised layer, although the kernel's last axis is the input:

        W = kernel * scale / sqrt(epsilon + sum_{h,w,A} kernel^2)     # (kh, kw, K, A)
        y = activation(conv_transpose(x, W) + bias)                   # (N, H', W', K)

    Batch meaning: rows are independent, whatever the batch is split over.

    Training: the same in training and inference. Inside
    `improved_gan_tf.initialize_from_data` the layer sets `scale` and `bias` from the batch.

    Args:
        filters: int > 0, number of output channels K.
        kernel_size: int or two ints > 0, (kh, kw).
        strides: int or two ints > 0, default 1.
        padding: "valid" (default) or "same" as in `keras.layers.Conv2DTranspose`, or the explicit
            padding of the convolution that this one transposes, an int or two ints (height,
            width): so many positions are cut from each end of the full output. The original's
            5 x 5 kernel of stride 2, whose output is exactly twice the input, is `padding=2,
            output_padding=1`; "same" would be one pixel off.
        output_padding: None (default), or an int or two ints >= 0 below `strides`: positions
            that the output gains at the bottom and at the right.
        data_format: as in `WeightNormConv2D`.
        dilation_rate: int or two ints > 0, default 1; not together with strides above 1.
            TensorFlow computes only 1 on CPUs.
        activation: what `keras.activations.get` accepts; default linear.
        use_bias: bool, default True.
        kernel_initializer: default N(0, 0.05), the original's.
        bias_initializer: default zeros.
        scale_initializer: default ones.
        kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
            bias_constraint: as in `keras.layers.Conv2DTranspose`; they see the unnormalised
            `kernel`.
        train_scale: bool, whether `scale` is trained; the original trains that of its
            generators' last layer (`train_g`). Default False.
        epsilon: float >= 0 inside the root, default 1e-6, the original's.
        init_stddev: float > 0, standard deviation of every channel after data-dependent
            initialisation, default 1; 0.1 in the original's generators.

    Call arguments:
        inputs: (N, H, W, A), floating point; (N, A, H, W) for channels_first.

    Returns:
        (N, H', W', K), or (N, K, H', W') for channels_first, the layer's compute dtype; with an
        explicit padding H' = (H - 1) stride + dilation (kh - 1) + 1 - 2 padding + output_padding.

    Raises:
        ValueError: an argument is out of its range, `output_padding` is not below `strides`,
            the input is not of rank 4, not floating point, has an unknown number of channels or
            leaves no output.

    Weights:
        kernel: (kh, kw, K, A), the unnormalised V (`W_param` in the original, there
            (A, K, kh, kw) and flipped in kh and kw).
        scale: (K,), g.
        bias: (K,), b.

    Example:

    >>> import numpy as np
    >>> layer = WeightNormConv2DTranspose(3, 5, strides=2, padding=2, output_padding=1)
    >>> tuple(layer(np.ones((2, 16, 16, 4), "float32")).shape)
    (2, 32, 32, 3)

    References:
        Paper:    Salimans and Kingma (2016), Sec. 2; Salimans et al. (2016), Sec. 6.
        Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, `WeightNormLayer` over
                  `Deconv2DLayer`.
    """

    rank = 2

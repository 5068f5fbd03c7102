"""A convolution with weight normalization, and what all convolutions share."""

import keras
from keras import ops

from improved_gan_tf.layers.argument_checks import positive_integer
from improved_gan_tf.layers.weight_norm.base import WeightNormLayer
from improved_gan_tf.layers.weight_norm.geometry import (
    conv_output_length,
    extent,
    one_for_each_axis,
    standardize_padding,
)

DATA_FORMATS = ("channels_last", "channels_first")


class WeightNormConvLayer(WeightNormLayer):
    """Base of all convolutions: the geometry, and channels first or last.

    A subclass says `rank`, how many spatial dimensions there are. It computes in channels_last,
    which every device can; for channels_first the input and the output are transposed.
    """

    rank = None

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters = positive_integer(filters, "filters")
        self.kernel_size = one_for_each_axis(kernel_size, "kernel_size", self.rank)
        self.strides = one_for_each_axis(strides, "strides", self.rank)
        self.padding = standardize_padding(padding, self.rank)
        self.dilation_rate = one_for_each_axis(dilation_rate, "dilation_rate", self.rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "`strides` above 1 cannot be combined with `dilation_rate` above 1. "
                f"Received: strides={self.strides}, dilation_rate={self.dilation_rate}"
            )
        self.data_format = data_format or keras.config.image_data_format()
        if self.data_format not in DATA_FORMATS:
            raise ValueError(
                f"`data_format` must be one of {DATA_FORMATS} or None. "
                f"Received: data_format={data_format!r}"
            )
        self.input_spec = keras.layers.InputSpec(ndim=self.rank + 2)

    @property
    def _channel_axis(self):
        return -1 if self.data_format == "channels_last" else 1

    def _input_channels(self, input_shape):
        """Returns the number of input channels; fixes `input_spec` to it."""
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ValueError(
                f"The channel dimension of the input of `{type(self).__name__}` must be known. "
                f"Received: input_shape={input_shape}"
            )
        self.input_spec = keras.layers.InputSpec(
            ndim=self.rank + 2, axes={self._channel_axis: channels}
        )
        return channels

    def _pre_activation(self, inputs):
        if self.data_format == "channels_last":
            return super()._pre_activation(inputs)
        return ops.moveaxis(super()._pre_activation(ops.moveaxis(inputs, 1, -1)), -1, 1)

    def _axis_paddings(self):
        """Returns the padding of each spatial axis: a string or an integer."""
        return (self.padding,) * self.rank if isinstance(self.padding, str) else self.padding

    def _output_length(self, length, axis):
        """Returns the output's length along a spatial axis, 0 being the first; None for None."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        first = 1 if self.data_format == "channels_last" else 2
        lengths = tuple(
            self._output_length(length, axis)
            for axis, length in enumerate(input_shape[first : first + self.rank])
        )
        output_shape = (input_shape[0], *lengths, self.filters)
        if first == 2:
            output_shape = (input_shape[0], self.filters, *lengths)
        if any(length is not None and length <= 0 for length in lengths):
            raise ValueError(
                f"`{type(self).__name__}` would have an empty output {output_shape}: the input is "
                f"too small for its kernel. Received: input_shape={input_shape}, "
                f"kernel_size={self.kernel_size}, padding={self.padding}"
            )
        return output_shape

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
        }


class WeightNormForwardConv(WeightNormConvLayer):
    """Base of the convolutions that are not transposed."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
        **kwargs,
    ):
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, **kwargs
        )
        self.groups = positive_integer(groups, "groups")
        if filters % groups != 0:
            raise ValueError(
                "`filters` must be divisible by `groups`. "
                f"Received: filters={filters}, groups={groups}"
            )

    def build(self, input_shape):
        channels = self._input_channels(input_shape)
        if channels % self.groups != 0:
            raise ValueError(
                "The number of input channels must be divisible by `groups`. "
                f"Received: input_shape={input_shape}, groups={self.groups}"
            )
        self.compute_output_shape(input_shape)  # refuses an input smaller than the kernel
        self._add_weight_norm_weights(
            (*self.kernel_size, channels // self.groups, self.filters),
            self.filters,
            sum_axes=range(self.rank + 1),
        )

    def _linear(self, inputs):
        padding = self._equivalent_padding()
        if not isinstance(padding, str):
            inputs = ops.pad(inputs, ((0, 0), *((p, p) for p in padding), (0, 0)))
            padding = "valid"
        return ops.conv(
            inputs,
            ops.cast(self.kernel * self._scale_over_norm(), self.compute_dtype),
            strides=self.strides,
            padding=padding,
            data_format="channels_last",
            dilation_rate=self.dilation_rate,
        )

    def _equivalent_padding(self):
        """Returns `padding`, as "valid" or "same" where the explicit padding amounts to that."""
        extents = map(extent, self.kernel_size, self.dilation_rate)
        if not isinstance(self.padding, str) and max(self.padding) == 0:
            return "valid"
        if max(self.strides) == 1 and self.padding == tuple((e - 1) / 2 for e in extents):
            return "same"
        return self.padding

    def _output_length(self, length, axis):
        return conv_output_length(
            length,
            self.kernel_size[axis],
            self.strides[axis],
            self.dilation_rate[axis],
            self._axis_paddings()[axis],
        )

    def get_config(self):
        return {**super().get_config(), "groups": self.groups}


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class WeightNormConv2D(WeightNormForwardConv):
    """Convolves the input with a weight-normalised kernel, adds a bias, applies an activation.

    The convolution of the paper's CIFAR-10 and SVHN discriminators: no batch normalization,
    every channel's length separate from its direction, started by data-dependent
    initialisation.

        W = kernel * scale / sqrt(epsilon + sum_{h,w,A} kernel^2)     # (kh, kw, A, K)
        y = activation(conv(x, W) + bias)                             # (N, H', W', K)

    The kernel is normalised rather than the output: it is the smaller of the two.

    Batch meaning: rows are independent, whatever the batch is split over.

    Training: the same in training and inference. Inside
    `improved_gan_tf.initialize_from_data` the layer sets `scale` and `bias` from the batch.

    Args:
        filters: int > 0, number of output channels K.
        kernel_size: int or two ints > 0, (kh, kw).
        strides: int or two ints > 0, default 1.
        padding: "valid" (default), "same", or the number of zeros put on *each* side, an int or
            two ints (height, width). The original's `pad=1` is `padding=1`. With stride 2 and
            an even input that is not "same": TensorFlow then pads bottom and right only.
        data_format: "channels_last", "channels_first" or None for Keras's setting. The layer
            computes in channels_last and transposes for channels_first.
        dilation_rate: int or two ints > 0, default 1; not together with strides above 1.
        groups: int > 0 dividing both A and K, default 1; the kernel is (kh, kw, A / groups, K).
        activation: what `keras.activations.get` accepts; default linear.
        use_bias: bool, default True.
        kernel_initializer: default N(0, 0.05), the original's.
        bias_initializer: default zeros.
        scale_initializer: default ones.
        kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
            bias_constraint: as in `keras.layers.Conv2D`; they see the unnormalised `kernel`.
        train_scale: bool, whether `scale` is trained; the original trains it in output layers
            only (`train_g`). Default False.
        epsilon: float >= 0 inside the root, default 1e-6, the original's.
        init_stddev: float > 0, standard deviation of every channel after data-dependent
            initialisation, default 1.

    Call arguments:
        inputs: (N, H, W, A), floating point; (N, A, H, W) for channels_first.

    Returns:
        (N, H', W', K), or (N, K, H', W') for channels_first, the layer's compute dtype; H' is H
        over the stride, rounded up, for "same", and
        (H + 2 padding - dilation (kh - 1) - 1) // stride + 1 otherwise.

    Raises:
        ValueError: an argument is out of its range, the input is not of rank 4, not floating
            point, has an unknown number of channels or is smaller than the kernel, `groups` does
            not divide A or K.

    Weights:
        kernel: (kh, kw, A / groups, K), the unnormalised V (`W_param` in the original).
        scale: (K,), g.
        bias: (K,), b.

    Example:

    >>> import numpy as np
    >>> layer = WeightNormConv2D(3, kernel_size=3, strides=2, padding=1)
    >>> tuple(layer(np.ones((2, 8, 8, 5), "float32")).shape)
    (2, 4, 4, 3)

    References:
        Paper:    Salimans and Kingma (2016), Sec. 2; Salimans et al. (2016), Sec. 6.
        Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, `WeightNormLayer` over
                  `dnn.Conv2DDNNLayer` or `NINLayer` (a kernel of size 1).
    """

    rank = 2

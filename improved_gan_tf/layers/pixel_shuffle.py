"""Upsampling by a rearrangement: r x r channels of a pixel become r x r pixels of a channel."""

import keras
from keras import ops

from improved_gan_tf.layers.argument_checks import positive_integer

CHANNEL_ORDERS = ("tensorflow", "pytorch")


def pixel_shuffle(x, upscale_factor, channel_order="tensorflow"):
    """Moves channels to space: `y[n, h r + i, w r + j, c] = x[n, h, w, channel(i, j, c)]`.

    Args:
        x: (N, H, W, r r C).
        upscale_factor: int >= 1, r.
        channel_order: "tensorflow" for `channel = (i r + j) C + c`, "pytorch" for
            `channel = c r r + i r + j`.

    Returns:
        (N, r H, r W, C).
    """
    r = upscale_factor
    n, height, width, channels = ops.shape(x)
    if channel_order == "pytorch":
        x = ops.reshape(x, (n, height, width, channels // r**2, r, r))
        x = ops.transpose(x, (0, 1, 4, 2, 5, 3))  # (N, H, i, W, j, C)
    else:
        x = ops.reshape(x, (n, height, width, r, r, channels // r**2))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (n, height * r, width * r, channels // r**2))


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class PixelShuffle(keras.layers.Layer):
    """Makes images r times as high and wide, with 1 / r^2 of the channels.

    Behind a convolution with r^2 times the channels it is an upsampling that is learned at the low
    resolution. `ICNR` gives that convolution a start without a checkerboard.

        y[n, h r + i, w r + j, c] = x[n, h, w, channel(i, j, c)]

    `tf.nn.depth_to_space` and `torch.nn.PixelShuffle` read the same channels in two orders:

        "tensorflow"    channel(i, j, c) = (i r + j) C + c
        "pytorch"       channel(i, j, c) = c r r + i r + j

    Batch meaning: examples are independent. Training: the same in training and inference.

    Args:
        upscale_factor: int >= 1, r.
        channel_order: "tensorflow" (default) or "pytorch"; weights trained with one need it.

    Call arguments:
        inputs: (N, H, W, r r C), channels last.

    Returns:
        (N, r H, r W, C), the layer's compute dtype.

    Raises:
        ValueError: `upscale_factor` is no positive integer, `channel_order` is neither of the two,
            the channels are unknown or no multiple of r^2.

    Example:

    >>> import numpy as np
    >>> np.array(PixelShuffle(2)(np.arange(4.0).reshape(1, 1, 1, 4)))[0, :, :, 0].tolist()
    [[0.0, 1.0], [2.0, 3.0]]

    References:
        Paper: Shi et al. (2016), Real-Time Single Image and Video Super-Resolution, Sec. 3.2.
    """

    def __init__(self, upscale_factor, channel_order="tensorflow", **kwargs):
        super().__init__(**kwargs)
        self.upscale_factor = positive_integer(upscale_factor, "upscale_factor")
        self.channel_order = _checked_order(channel_order)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        channels, needed = input_shape[-1], self.upscale_factor**2
        if channels is None or channels % needed:
            raise ValueError(
                f"The channels of the input of `PixelShuffle({self.upscale_factor})` must be a "
                f"known multiple of {needed}. Received: input_shape={input_shape}"
            )
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={-1: channels})

    def call(self, inputs):
        return pixel_shuffle(inputs, self.upscale_factor, self.channel_order)

    def compute_output_shape(self, input_shape):
        n, height, width, channels = input_shape
        r = self.upscale_factor
        height, width = (None if size is None else r * size for size in (height, width))
        return (n, height, width, channels // r**2)

    def get_config(self):
        return {
            **super().get_config(),
            "upscale_factor": self.upscale_factor,
            "channel_order": self.channel_order,
        }


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class ICNR(keras.initializers.Initializer):
    """Repeats a smaller kernel r^2 times, so that a pixel shuffle begins as nearest neighbours.

    With independent weights the r x r pixels of a block come from unrelated filters: a checkerboard
    that training has to undo. With equal ones they are equal.

    Args:
        initializer: Keras initializer of the sub-kernel, whose last axis is r^2 times shorter.
        upscale_factor: int >= 1, r, that of the `PixelShuffle` behind.
        channel_order: "tensorflow" (default) or "pytorch", that of the `PixelShuffle` behind.

    Raises:
        ValueError: as `PixelShuffle`; when called, the last axis is no multiple of r^2.

    References:
        Paper: Aitken et al. (2017), Checkerboard artifact free sub-pixel convolution.
    """

    def __init__(self, initializer, upscale_factor, channel_order="tensorflow"):
        self.initializer = keras.initializers.get(initializer)
        self.upscale_factor = positive_integer(upscale_factor, "upscale_factor")
        self.channel_order = _checked_order(channel_order)

    def __call__(self, shape, dtype=None):
        """Returns a kernel of `shape`, (kh, kw, in, r r C)."""
        *rest, channels = shape
        repeats = self.upscale_factor**2
        if channels % repeats:
            raise ValueError(
                f"The kernel's last axis must be a multiple of {repeats}. Received: shape={shape}"
            )
        sub_kernel = self.initializer((*rest, channels // repeats), dtype=dtype)
        if self.channel_order == "pytorch":
            return ops.repeat(sub_kernel, repeats, axis=-1)
        return ops.concatenate([sub_kernel] * repeats, axis=-1)

    def get_config(self):
        return {
            "initializer": keras.initializers.serialize(self.initializer),
            "upscale_factor": self.upscale_factor,
            "channel_order": self.channel_order,
        }


def _checked_order(channel_order):
    if channel_order not in CHANNEL_ORDERS:
        raise ValueError(
            f"`channel_order` must be one of {CHANNEL_ORDERS}. "
            f"Received: channel_order={channel_order!r}"
        )
    return channel_order

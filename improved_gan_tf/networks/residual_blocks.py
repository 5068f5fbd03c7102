"""Residual blocks that double or halve the resolution, for BigGAN's players.

Each block consists of ordinary layers of a functional model.

Paper:    Brock et al. (2019), App. B, figure 15; He et al. (2016) for the order of the layers.
Original: ajbrock/BigGAN-PyTorch@9845943, layers.py, `GBlock`, `DBlock`.
"""

import keras


def residual_up(x, condition, channels, *, convolution, normalization, name, upsample=True):
    """The generator's block: norm, ReLU, x 2, conv 3 x 3, norm, ReLU, conv 3 x 3, plus a shortcut.

        h = conv2(relu(norm2(conv1(up(relu(norm1(x)))))))
        y = h + conv_sc(up(x))                  up: each pixel becomes 2 x 2

    The shortcut's 1 x 1 convolution is left out where neither resolution nor channels change.

    Args:
        x: Keras tensor (N, H, W, A).
        condition: Keras tensor; the normalizations take `[x, condition]`.
        channels: int > 0, K.
        convolution: function of (filters, kernel_size, name) that returns a layer which keeps the
            resolution.
        normalization: function of (name) that returns a layer of [x, condition].
        name: str, first part of the layers' names, `{name}_conv1`, `{name}_norm1`, ...
        upsample: bool.

    Returns:
        Keras tensor (N, 2 H, 2 W, K), or (N, H, W, K).
    """
    h = keras.layers.ReLU(name=f"{name}_relu1")(normalization(f"{name}_norm1")([x, condition]))
    shortcut, resampled = x, upsample or x.shape[-1] != channels
    if upsample:
        h = keras.layers.UpSampling2D(2, data_format="channels_last", name=f"{name}_up")(h)
        up_sc = keras.layers.UpSampling2D(2, data_format="channels_last", name=f"{name}_up_sc")
        shortcut = up_sc(shortcut)
    h = convolution(channels, 3, f"{name}_conv1")(h)
    h = keras.layers.ReLU(name=f"{name}_relu2")(normalization(f"{name}_norm2")([h, condition]))
    h = convolution(channels, 3, f"{name}_conv2")(h)
    if resampled:
        shortcut = convolution(channels, 1, f"{name}_conv_sc")(shortcut)
    return keras.layers.Add(name=f"{name}_add")([h, shortcut])


def residual_down(x, channels, *, convolution, name, preactivation=True, downsample=True):
    """The discriminator's block: ReLU, conv 3 x 3, ReLU, conv 3 x 3, / 2, plus a shortcut.

        y = down(conv2(relu(conv1(relu(x))))) + down(conv_sc(x))        down: mean of 2 x 2
        y = down(conv2(relu(conv1(x)))) + conv_sc(down(x))              without preactivation

    The second form is a discriminator's first block, where x is the image. The shortcut's 1 x 1
    convolution is left out where neither resolution nor channels change.

    Args:
        x: Keras tensor (N, H, W, A).
        channels: int > 0, K.
        convolution: as in `residual_up`.
        name: str, first part of the layers' names, `{name}_conv1`, `{name}_conv_sc`, ...
        preactivation: bool.
        downsample: bool.

    Returns:
        Keras tensor (N, H / 2, W / 2, K), or (N, H, W, K).
    """

    def down(x, name):
        if not downsample:
            return x
        return keras.layers.AveragePooling2D(2, data_format="channels_last", name=name)(x)

    def shortcut(x):
        if not downsample and x.shape[-1] == channels:
            return x
        convolve = convolution(channels, 1, f"{name}_conv_sc")
        if preactivation:
            return down(convolve(x), f"{name}_down_sc")
        return convolve(down(x, f"{name}_down_sc"))

    h = keras.layers.ReLU(name=f"{name}_relu1")(x) if preactivation else x
    h = convolution(channels, 3, f"{name}_conv1")(h)
    h = keras.layers.ReLU(name=f"{name}_relu2")(h)
    h = down(convolution(channels, 3, f"{name}_conv2")(h), f"{name}_down")
    return keras.layers.Add(name=f"{name}_add")([h, shortcut(x)])

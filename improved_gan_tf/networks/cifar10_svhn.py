"""The convolutional networks of CIFAR-10 and SVHN, which take larger images too."""

from typing import NamedTuple

import keras

from improved_gan_tf import streams
from improved_gan_tf.layers.activations import LeakyReLU, rectify
from improved_gan_tf.layers.dropout import Dropout
from improved_gan_tf.layers.minibatch_discrimination.layer import MinibatchDiscrimination
from improved_gan_tf.layers.noise import GaussianNoise
from improved_gan_tf.layers.weight_norm.conv import WeightNormConv2D
from improved_gan_tf.layers.weight_norm.conv_transpose import WeightNormConv2DTranspose
from improved_gan_tf.layers.weight_norm.dense import WeightNormDense
from improved_gan_tf.networks.parts import (
    NOISE_DIM,
    GeneratorNormalization,
    scaled_widths,
)
from improved_gan_tf.precision import full_precision


class Upsampling(NamedTuple):
    """How a generator grows from its first maps to images of one size."""

    first_size: int  # height and width of the first maps
    channels: tuple  # of the maps before each doubling
    padding: int  # what the last layer cuts from each side


# Image size -> its `Upsampling`. The original's are 32 and 28.
UPSAMPLINGS = {
    # D10: the removed MNIST script's layer from 16 to 28 cannot have worked; here the cut is 4, 3.
    28: Upsampling(4, (512, 256, 128), 4),
    32: Upsampling(4, (512, 256, 128), 2),
    48: Upsampling(6, (512, 256, 128), 2),
    64: Upsampling(4, (512, 256, 128, 64), 2),
    96: Upsampling(6, (512, 256, 128, 64), 2),
    128: Upsampling(4, (512, 256, 128, 64, 32), 2),
}


def convolutional_discriminator(
    seed,
    width_multiplier=1.0,
    cross_replica="global",
    *,
    name,
    widths,
    num_classes,
    image_shape=(32, 32, 3),
    first_padding=1,
    first_strided_widths=(),
    minibatch_discrimination=False,
    input_noise=False,
    negative_slope=0.2,
):
    """The convolutional discriminator of CIFAR-10, SVHN and the minibatch MNIST experiment.

    Nine weight-normalised convolutions with leaky ReLU, average pooling, a dense layer:
    conv3 a, conv3 a, conv3 a stride 2 | conv3 b, conv3 b, conv3 b stride 2 | conv3 b unpadded,
    1x1 b, 1x1 b, with dropout in front of each group. Images larger than 32 x 32 first pass
    3 x 3 convolutions of stride 2, which the original does not have.

    Args:
        seed: int, decides initial weights, dropout and noise.
        width_multiplier: float > 0, factor of `widths`.
        cross_replica: "global" or "local", the scope of a batch on several devices.
        name: str, the model's name.
        widths: `(a, b)`, channels of the first three and of the later convolutions.
        image_shape: (H, W, C) of the images.
        num_classes: int, number of logits.
        first_padding: int, zeros around the image; 3 takes 28 x 28 images to 32 x 32.
        first_strided_widths: channels of the convolutions of stride 2 in front of the nine; each
            halves the image. None in the original.
        minibatch_discrimination: bool, whether `MinibatchDiscrimination(100, 5)` follows the
            pooling.
        input_noise: bool, Gaussian noise of 0.2 on the input instead of dropout.
        negative_slope: float, the leaky ReLU's slope.

    Returns:
        Model from (N, *image_shape) to logits and features; features are the pooled
        activations, (N, b).
    """
    seeds = streams.discriminator_parts(seed)
    *first_strided, a, b = scaled_widths((*first_strided_widths, *widths), width_multiplier)

    def normal():
        return keras.initializers.RandomNormal(stddev=0.05, seed=seeds.next())

    def dropout(rate):
        return Dropout(rate, seed=seeds.next(), cross_replica=cross_replica)

    def activated(x, filters, kernel_size, **kwargs):
        layer = WeightNormConv2D(
            filters,
            kernel_size,
            kernel_initializer=normal(),
            data_format="channels_last",
            **kwargs,
        )
        return LeakyReLU(negative_slope)(layer(x))

    images = keras.Input(image_shape, name="images")
    if input_noise:
        x = GaussianNoise(0.2, seed=seeds.next(), cross_replica=cross_replica)(images)
    else:
        x = dropout(0.2)(images)
    for filters in first_strided:
        x = activated(x, filters, 3, padding=1, strides=2)
    x = activated(x, a, 3, padding=first_padding)
    x = activated(x, a, 3, padding=1)
    x = activated(x, a, 3, padding=1, strides=2)
    x = dropout(0.5)(x)
    x = activated(x, b, 3, padding=1)
    x = activated(x, b, 3, padding=1)
    x = activated(x, b, 3, padding=1, strides=2)
    x = dropout(0.5)(x)
    x = activated(x, b, 3)
    x = activated(x, b, 1)
    x = activated(x, b, 1)
    pooling = keras.layers.GlobalAveragePooling2D(data_format="channels_last", name="features")
    features = pooling(x)
    x = features
    if minibatch_discrimination:
        x = MinibatchDiscrimination(
            num_kernels=100, kernel_dim=5, theta_initializer=normal(), cross_replica=cross_replica
        )(x)
    logits = WeightNormDense(
        num_classes, kernel_initializer=normal(), train_scale=True, init_stddev=0.1
    )(x)
    outputs = {"logits": logits, "features": features}
    return keras.Model(images, outputs, name=name)


def convolutional_generator(
    seed,
    width_multiplier=1.0,
    reference_size=None,
    cross_replica="global",
    *,
    name,
    image_shape=(32, 32, 3),
):
    """The convolutional generator: dense to 4 x 4 x 512, three transposed convolutions, tanh.

    Images of 64 and 128 pixels take one and two transposed convolutions more, those of 48 and 96
    begin with 6 x 6 maps; the original has 28 and 32 pixels.

    Args:
        seed: int, decides the initial weights.
        width_multiplier: float > 0, factor of the channels 512, 256, 128 (64, 32).
        reference_size: int >= 2 for virtual batch normalization, or None.
        cross_replica: "global" or "local", the scope of a batch on several devices.
        name: str, the model's name.
        image_shape: (H, H, C), H a key of `UPSAMPLINGS`; the last layer goes to 28 from 16.

    Returns:
        Model from (N, 100) in [0, 1) to (N, *image_shape) in (-1, 1).
    """
    seeds = streams.generator_parts(seed)
    size, _, channels = image_shape

    def normal():
        return keras.initializers.RandomNormal(stddev=0.05, seed=seeds.next())

    normalization = GeneratorNormalization(seed, reference_size, cross_replica)

    def normalized_relu(x):
        return keras.layers.Activation(rectify)(normalization.normalize(x))

    z = keras.Input((NOISE_DIM,), name="z")
    x = normalization.enter(z)
    start, widths, padding = UPSAMPLINGS[size]
    first, *inner = scaled_widths(widths, width_multiplier)
    x = keras.layers.Dense(start * start * first, use_bias=False, kernel_initializer=normal())(x)
    x = normalized_relu(x)
    x = keras.layers.Reshape((start, start, first))(x)
    for filters in inner:
        # The full output cut by 2 and 1 is exactly twice the input; Keras' "same" is a pixel off.
        x = keras.layers.Conv2DTranspose(
            filters,
            5,
            strides=2,
            use_bias=False,
            kernel_initializer=normal(),
            data_format="channels_last",
        )(x)
        x = keras.layers.Cropping2D(((2, 1), (2, 1)), data_format="channels_last")(x)
        x = normalized_relu(x)
    x = normalization.leave(x)
    with full_precision():
        x = WeightNormConv2DTranspose(
            channels,
            5,
            strides=2,
            padding=padding,
            output_padding=1,
            kernel_initializer=normal(),
            data_format="channels_last",
            train_scale=True,
            init_stddev=0.1,
        )(x)
        images = keras.layers.Activation("tanh", name="images")(x)
    return keras.Model(z, images, name=name)

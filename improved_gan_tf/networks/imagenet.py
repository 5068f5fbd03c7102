"""The ImageNet players: a generator with noise at every resolution, a joint-batch discriminator.

Both are built at 128, 64 or 32 pixels. Each halving leaves out the generator's last upsampling and
the discriminator's first convolution. Images are NHWC in [-1, 1].

Paper:    Salimans et al. (2016), Sec. 6.4.
Original: openai/improved-gan@4f5d1ec, imagenet/generator.py, imagenet/discriminator.py; initial
          weights in imagenet/ops.py.
"""

from typing import NamedTuple

import keras
import numpy as np

from improved_gan_tf import streams
from improved_gan_tf.data.known_sets import IMAGENET
from improved_gan_tf.errors import UserError
from improved_gan_tf.layers.activations import LeakyReLU
from improved_gan_tf.layers.cross_batch_norm import CrossBatchNorm
from improved_gan_tf.layers.minibatch_discrimination.layer import MinibatchDiscrimination
from improved_gan_tf.layers.virtual_batch_norm.live import VirtualBatchNorm
from improved_gan_tf.layers.virtual_batch_norm.reference_batch import (
    DropReference,
    PrependReference,
)
from improved_gan_tf.precision import full_precision

IMAGE_SIZES = (32, 64, 128)
CHANNELS = 64  # of the thinnest maps of both players; gf and df in the original
NUM_KERNELS = 300
KERNEL_DIM = 50
# The reference batch has the size of one GPU's share of the batch, 16 of 64.
REFERENCE_SIZE = 16
# Standard deviation of the noise that a training step adds to the discriminator's input.
INPUT_NOISE = 0.1


class Stage(NamedTuple):
    """One resolution of the generator, in multiples of `CHANNELS`."""

    size: int
    channels: int
    noise: float  # uniform noise maps joined to the channels


STAGES = (
    Stage(4, 8, 1),
    Stage(8, 4, 1),
    Stage(16, 2, 1 / 2),
    Stage(32, 1, 1 / 4),
    Stage(64, 1, 1 / 8),
    Stage(128, 1, 1 / 8),
)


class Convolution(NamedTuple):
    """One 3 x 3 convolution of the discriminator, with channels in multiples of `CHANNELS`."""

    channels: int
    strides: int


CONVOLUTIONS = (
    Convolution(1, 2),
    Convolution(2, 2),
    Convolution(4, 2),
    Convolution(4, 1),
    Convolution(4, 1),
    Convolution(8, 2),
    Convolution(8, 2),
)


def _channels(width_multiplier):
    """`CHANNELS` times the multiplier, rounded down to an even number."""
    channels = 2 * int(CHANNELS * width_multiplier / 2)
    if channels < 2:
        raise UserError(
            f"`width_multiplier` must leave 2 of the {CHANNELS} channels of the thinnest layer: "
            f"{2 / CHANNELS:g} or more. Received: {width_multiplier:g}."
        )
    return channels


def _halvings(image_size):
    """How often `image_size` is halved from 128."""
    if image_size not in IMAGE_SIZES:
        sizes = ", ".join(map(str, IMAGE_SIZES))
        raise UserError(f"`image_size` must be one of: {sizes}. Received: {image_size}.")
    return (IMAGE_SIZES[-1] // image_size).bit_length() - 1


def imagenet_generator(seed, width_multiplier=1.0, image_size=128):
    """The ImageNet generator: virtual batch norm, and fresh noise before every convolution.

    z -> dense to 4 x 4 x 512, then 5 x 5 transposed convolutions of stride 2 to 256, 128, 64, 64,
    64 channels, each normalised and rectified. Before each convolution 64, 64, 32, 16, 8, 8 noise
    maps are joined to the maps of width 4, 8, .., 128. A 5 x 5 transposed convolution of stride 1
    to 3 channels and tanh end it. The reference batch is noise of the same kind, drawn once here.

    Args:
        seed: int, decides the initial weights and the reference batch.
        width_multiplier: float > 0, factor of all channels, of z's 8192 numbers and of the noise
            maps.
        image_size: 32, 64 or 128.

    Returns:
        Model from a dict of noise in [-1, 1), `{"z": (N, 8192), "noise_4": (N, 4, 4, 64), ..,
        "noise_128": (N, 128, 128, 8)}`, to images (N, 128, 128, 3) in (-1, 1).

    Raises:
        UserError: `width_multiplier` or `image_size` is out of its range.
    """
    seeds = streams.generator_parts(seed)
    base = _channels(width_multiplier)
    stages = STAGES[: len(STAGES) - _halvings(image_size)]

    def normal(mean=0.0, stddev=0.02):
        return keras.initializers.RandomNormal(mean, stddev, seed=seeds.next())

    inputs = {}

    def noise(name, shape):
        """Another input, preceded by its share of the reference batch."""
        inputs[name] = keras.Input(shape, name=name)
        prepend = PrependReference(REFERENCE_SIZE, name=f"{name}_reference")
        draw = np.random.RandomState(seeds.next())
        prepend.set_reference(draw.uniform(-1.0, 1.0, (REFERENCE_SIZE, *shape)))
        return prepend(inputs[name])

    def normalized_relu(x):
        x = VirtualBatchNorm(REFERENCE_SIZE, gamma_initializer=normal(1.0))(x)
        return keras.layers.ReLU()(x)

    first = stages[0].channels * base
    # z has as many numbers as the first maps: 8192 = 4 * 4 * 512.
    x = noise("z", (4 * 4 * first,))
    x = keras.layers.Dense(4 * 4 * first, kernel_initializer=normal())(x)
    x = keras.layers.Reshape((4, 4, first))(x)
    for stage in stages:
        if stage.size > 4:
            x = keras.layers.Conv2DTranspose(
                stage.channels * base,
                5,
                strides=2,
                padding="same",
                data_format="channels_last",
                kernel_initializer=normal(),
            )(x)
        x = normalized_relu(x)
        maps = max(1, int(stage.noise * base))
        fresh = noise(f"noise_{stage.size}", (stage.size, stage.size, maps))
        x = keras.layers.Concatenate()([x, fresh])
    with full_precision():
        x = keras.layers.Conv2DTranspose(
            3,
            5,
            padding="same",
            data_format="channels_last",
            activation="tanh",
            kernel_initializer=normal(stddev=0.075),
            bias_initializer=keras.initializers.Constant(-0.45),
        )(x)
        images = DropReference(REFERENCE_SIZE, name="images")(x)
    return keras.Model(inputs, images, name="imagenet_generator")


def imagenet_discriminator(
    seed, width_multiplier=1.0, image_size=128, num_classes=IMAGENET.num_classes
):
    """The ImageNet discriminator: real and generated images in one batch, K + 1 trained logits.

    3 x 3 convolutions to 64 (stride 2), 128 (2), 256 (2), 256, 256, 512 (2), 512 (2) channels and a
    dense layer of 2560, each with cross batch norm and leaky ReLU; then minibatch discrimination of
    300 kernels, separately against the real and the generated rows. The training step draws the
    noise on the discriminator's input for the whole batch at once, however the batch is split.

    Args:
        seed: int, decides the initial weights.
        width_multiplier: float > 0, factor of all channels, units and of the number of kernels.
        image_size: 32, 64 or 128.
        num_classes: int, K.

    Returns:
        Model from the joint batch (2N, 128, 128, 3), real images first, to logits (2N, K + 1) with
        "generated" last, and features (2N, 2560), the input of minibatch discrimination.

    Raises:
        UserError: `width_multiplier` or `image_size` is out of its range.
    """
    seeds = streams.discriminator_parts(seed)
    base = _channels(width_multiplier)

    def normal(mean=0.0):
        return keras.initializers.RandomNormal(mean, 0.02, seed=seeds.next())

    def normalized(x):
        # A tower's images are all on one device, hence "local" here and below.
        norm = CrossBatchNorm(gamma_initializer=normal(1.0), cross_replica="local")
        return LeakyReLU(0.2)(norm(x))  # D16: its gradient at 0

    images = keras.Input((image_size, image_size, 3), name="images")
    x = images
    for convolution in CONVOLUTIONS[_halvings(image_size) :]:
        x = keras.layers.Conv2D(
            convolution.channels * base,
            3,
            strides=convolution.strides,
            padding="same",  # the original is TensorFlow code and pads as TensorFlow does
            data_format="channels_last",
            kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02, seed=seeds.next()),
        )(x)
        x = normalized(x)
    x = keras.layers.Flatten(data_format="channels_last")(x)
    x = keras.layers.Dense(40 * base, kernel_initializer=normal())(x)
    features = normalized(x)
    # D24: features against real and against generated rows, and a logit for "generated".
    x = MinibatchDiscrimination(
        max(1, int(NUM_KERNELS * width_multiplier)),
        KERNEL_DIM,
        weight_normalization=False,
        use_bias=False,
        reduction="mean_over_pairs",
        num_parts=2,
        cross_replica="local",
        theta_initializer=normal(),
    )(features)
    logits = keras.layers.Dense(num_classes + 1, kernel_initializer=normal())(x)
    outputs = {"logits": logits, "features": features}
    return keras.Model(images, outputs, name="imagenet_discriminator")

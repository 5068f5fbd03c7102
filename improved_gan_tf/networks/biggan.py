"""BigGAN's players at 32, 64 and 128 pixels.

Images are NHWC in [-1, 1], labels integers. Widths are multiples of `channels`.

Paper:    Brock et al. (2019), Sec. 3 and App. B, table 4. The 32-pixel networks are from the
          public code only.
Original: ajbrock/BigGAN-PyTorch@9845943, BigGAN.py, `G_arch`, `D_arch`, `Generator`,
          `Discriminator`.
"""

import keras

from improved_gan_tf import streams
from improved_gan_tf.errors import UserError
from improved_gan_tf.layers.conditional_batch_norm.conditional import ConditionalBatchNorm
from improved_gan_tf.layers.conditional_batch_norm.plain import BatchNorm
from improved_gan_tf.layers.projection import ProjectionHead
from improved_gan_tf.layers.self_attention import SelfAttention2D
from improved_gan_tf.layers.spectral_norm.conv import SpectralNormConv2D
from improved_gan_tf.layers.spectral_norm.dense import SpectralNormDense
from improved_gan_tf.networks.residual_blocks import residual_down, residual_up
from improved_gan_tf.precision import full_precision

# Width of the 4 x 4 maps, then of each block's output; every block doubles the resolution.
GENERATOR_WIDTHS = {
    32: (4, 4, 4, 4),
    64: (16, 16, 8, 4, 2),
    128: (16, 16, 8, 4, 2, 1),
}
# Width of each block's output; all blocks but the last (at 32: the last two) halve the resolution.
DISCRIMINATOR_WIDTHS = {
    32: (4, 4, 4, 4),
    64: (1, 2, 4, 8, 16),
    128: (1, 2, 4, 8, 16, 16),
}
NOT_HALVING = {32: 2, 64: 1, 128: 1}

# Initial kernels and embeddings: the original's `ortho` and `N02`.
INITIALIZERS = {
    "orthogonal": lambda seed: keras.initializers.Orthogonal(seed=seed),
    "normal": lambda seed: keras.initializers.RandomNormal(stddev=0.02, seed=seed),
}


def biggan_generator(
    seed,
    image_size=32,
    channels=64,
    num_classes=10,
    z_dim=128,
    shared_dim=None,
    hierarchical=False,
    attention=(),
    initializer="orthogonal",
    spectral_norm=True,
    num_singular_values=1,
    spectral_epsilon=1e-8,
    batch_norm_epsilon=1e-5,
    cross_replica="global",
):
    """BigGAN's generator, from z and a class to an image.

    z -> dense to 4 x 4, then residual blocks that double the resolution, with conditional
    normalization, then batch norm, ReLU, 3 x 3 convolution to 3 channels, tanh.

    Args:
        seed: int, decides the initial weights.
        image_size: 32, 64 or 128.
        channels: int > 0, the unit of the widths; 64 in the original's CIFAR-10 script, 96 in the
            paper.
        num_classes: int > 0.
        z_dim: int > 0, length of z.
        shared_dim: int > 0, length of one class embedding for all normalizations (128 in the
            paper); None (default, CIFAR-10) gives each normalization its own.
        hierarchical: bool, whether z is cut into equal chunks, one for the dense layer and one for
            each block's normalizations. Needs `shared_dim` and a `z_dim` that divides evenly.
        attention: resolutions whose block is followed by self-attention; (64,) in the paper.
        initializer: "orthogonal" (the paper) or "normal", N(0, 0.02) (the original's CIFAR-10).
        spectral_norm: bool, whether dense layers, convolutions and the maps of the shared embedding
            are spectrally normalised; embeddings never are.
        num_singular_values: int > 0, singular values that each spectrally normalised layer tracks.
        spectral_epsilon: float > 0, epsilon of the spectrally normalised layers.
        batch_norm_epsilon: float > 0.
        cross_replica: "global" or "local", the scope of a batch on several devices.

    Returns:
        Model from `{"z": (N, z_dim), "labels": (N,) integers}` to images (N, size, size, 3) in
        (-1, 1). Layers: `linear`, `block0_conv1`, `block0_norm1`, .., `block1_attention`, ..,
        `output_norm`, `output_conv`, and `shared`.

    Raises:
        UserError: an argument is out of its range.
    """
    widths = _widths(GENERATOR_WIDTHS, image_size, channels)
    num_blocks = len(widths) - 1
    if hierarchical and (shared_dim is None or z_dim % (num_blocks + 1)):
        raise UserError(
            f"`hierarchical` needs `shared_dim` and a `z_dim` that {num_blocks + 1} divides. "
            f"Received: shared_dim={shared_dim}, z_dim={z_dim}."
        )
    layers = _Layers(spectral_norm, num_singular_values, spectral_epsilon)
    z = keras.Input((z_dim,), name="z")
    labels = keras.Input((), dtype="int32", name="labels")
    condition = labels
    if shared_dim is not None:
        condition = keras.layers.Embedding(num_classes, shared_dim, name="shared")(labels)
    first, conditions = z, [condition] * num_blocks
    if hierarchical:
        first, *chunks = keras.ops.split(z, num_blocks + 1, axis=1)
        conditions = [
            keras.layers.Concatenate(name=f"block{i}_condition")([condition, chunk])
            for i, chunk in enumerate(chunks)
        ]

    def normalization(name):
        return ConditionalBatchNorm(
            num_classes=num_classes if shared_dim is None else None,
            spectral_norm=spectral_norm and shared_dim is not None,
            epsilon=batch_norm_epsilon,
            num_singular_values=num_singular_values,
            spectral_epsilon=spectral_epsilon,
            cross_replica=cross_replica,
            name=name,
        )

    x = layers.dense(4 * 4 * widths[0], "linear")(first)
    x = keras.layers.Reshape((4, 4, widths[0]), name="maps")(x)
    for i, width in enumerate(widths[1:]):
        x = residual_up(
            x,
            conditions[i],
            width,
            convolution=layers.convolution,
            normalization=normalization,
            name=f"block{i}",
        )
        if x.shape[1] in attention:
            x = layers.attention(f"block{i}_attention")(x)
    x = BatchNorm(epsilon=batch_norm_epsilon, cross_replica=cross_replica, name="output_norm")(x)
    x = keras.layers.ReLU(name="output_relu")(x)
    with full_precision():
        x = layers.convolution(3, 3, "output_conv")(x)
        images = keras.layers.Activation("tanh", name="images")(x)
    model = keras.Model({"z": z, "labels": labels}, images, name="biggan_generator")
    return _initialized(model, streams.biggan_generator_weights(seed), initializer)


def biggan_discriminator(
    seed,
    image_size=32,
    channels=64,
    num_classes=10,
    attention=(),
    initializer="orthogonal",
    spectral_norm=True,
    num_singular_values=1,
    spectral_epsilon=1e-8,
):
    """BigGAN's discriminator, from an image and a class to a logit.

    Residual blocks, then `ProjectionHead`. All blocks but the last ones halve the resolution.
    Nothing normalises over the batch. Arguments as for `biggan_generator`; with `spectral_norm`
    every layer, embeddings included, is spectrally normalised.

    Returns:
        Model from `{"images": (N, size, size, 3), "labels": (N,) integers}` to logits (N, 1).
        Layers: `block0_conv1`, `block0_conv_sc`, .., `block0_attention`, .., `logits`.

    Raises:
        UserError: an argument is out of its range.
    """
    widths = _widths(DISCRIMINATOR_WIDTHS, image_size, channels)
    layers = _Layers(spectral_norm, num_singular_values, spectral_epsilon)
    images = keras.Input((image_size, image_size, 3), name="images")
    labels = keras.Input((), dtype="int32", name="labels")
    x = images
    for i, width in enumerate(widths):
        x = residual_down(
            x,
            width,
            convolution=layers.convolution,
            name=f"block{i}",
            preactivation=i > 0,
            downsample=i < len(widths) - NOT_HALVING[image_size],
        )
        if x.shape[1] in attention:
            x = layers.attention(f"block{i}_attention")(x)
    head = ProjectionHead(
        num_classes,
        spectral_norm=spectral_norm,
        num_singular_values=num_singular_values,
        spectral_epsilon=spectral_epsilon,
        name="logits",
    )
    model = keras.Model(
        {"images": images, "labels": labels}, head([x, labels]), name="biggan_discriminator"
    )
    return _initialized(model, streams.biggan_discriminator_weights(seed), initializer)


class _Layers:
    """Makes the players' layers, with or without spectral normalization."""

    def __init__(self, spectral_norm, num_singular_values, spectral_epsilon):
        self._spectral_norm = spectral_norm
        self._num_singular_values = num_singular_values
        self._epsilon = spectral_epsilon

    def dense(self, units, name):
        if not self._spectral_norm:
            return keras.layers.Dense(units, name=name)
        return SpectralNormDense(
            units, num_singular_values=self._num_singular_values, epsilon=self._epsilon, name=name
        )

    def convolution(self, filters, kernel_size, name):
        if not self._spectral_norm:
            return keras.layers.Conv2D(
                filters, kernel_size, padding="same", data_format="channels_last", name=name
            )
        return SpectralNormConv2D(
            filters,
            kernel_size,
            padding="same",
            data_format="channels_last",
            num_singular_values=self._num_singular_values,
            epsilon=self._epsilon,
            name=name,
        )

    def attention(self, name):
        return SelfAttention2D(
            spectral_norm=self._spectral_norm,
            num_singular_values=self._num_singular_values,
            spectral_epsilon=self._epsilon,
            name=name,
        )


def _widths(table, image_size, channels):
    if image_size not in table:
        sizes = ", ".join(map(str, table))
        raise UserError(f"`image_size` must be one of {sizes}. Received: image_size={image_size}.")
    if channels < 1:
        raise UserError(f"`channels` must be at least 1. Received: channels={channels}.")
    return tuple(width * channels for width in table[image_size])


def _initialized(model, seeds, initializer):
    """Draws every kernel, embedding and u again; biases stay 0, gains 1."""
    if initializer not in INITIALIZERS:
        raise UserError(
            f"`initializer` must be one of {', '.join(INITIALIZERS)}. "
            f"Received: initializer={initializer}."
        )
    # D18: in the original, convolutions and dense layers keep the biases that PyTorch draws.
    for weight in model.weights:
        seed = seeds.next()
        if weight.name in ("kernel", "embeddings"):
            weight.assign(INITIALIZERS[initializer](seed)(weight.shape, weight.dtype))
        elif weight.name == "u":
            weight.assign(keras.initializers.RandomNormal(stddev=1.0, seed=seed)(weight.shape))
    return model

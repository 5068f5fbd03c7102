"""DCGAN's players at 28, 32 and 64 pixels, also with classes, codes, or an autoencoder's decoder.

Images are NHWC in [-1, 1]. The 4 x 4 maps of either player are the widest; a size below 64 leaves
out the widest of the paper's layers. Where there is no batch normalization, layers have biases and
start from He's deviation: N(0, 0.02) relies on the normalization.

Paper:    Radford et al. (2016), Unsupervised Representation Learning with Deep Convolutional
          Generative Adversarial Networks, Sec. 3, 4, Fig. 1.
Original: Newmu/dcgan_code@ee12b2d, faces/train_uncond_dcgan.py, lib/ops.py.
"""

import math

import keras
import numpy as np

from improved_gan_tf import streams
from improved_gan_tf.errors import UserError
from improved_gan_tf.layers.activations import LeakyReLU
from improved_gan_tf.layers.batch_statistics_norm import BatchStatisticsNorm
from improved_gan_tf.layers.minibatch_discrimination.layer import MinibatchDiscrimination
from improved_gan_tf.layers.virtual_batch_norm.live import VirtualBatchNorm
from improved_gan_tf.layers.virtual_batch_norm.reference_batch import (
    DropReference,
    PrependReference,
)
from improved_gan_tf.networks.parts import scaled_widths
from improved_gan_tf.precision import full_precision

IMAGE_SIZES = (28, 32, 64)
CHANNELS = 128  # of the maps next to the image; each halving doubles them
STDDEV = 0.02  # of initial weights, and of initial gains around 1
EPSILON = 1e-8
MINIBATCH_KERNEL_DIM = 5
ENCODING_DIM = 64  # an autoencoder's bottleneck
CODE_UNITS = 128  # the hidden layer before InfoGAN's Q


def _sizes(image_shape):
    """Heights of the maps from 4 to the image: 28 -> (4, 7, 14, 28)."""
    size = image_shape[0]
    if size not in IMAGE_SIZES or image_shape[1] != size:
        raise UserError(
            f"`image_shape` must be square, of a size among {', '.join(map(str, IMAGE_SIZES))}. "
            f"Received: {tuple(image_shape)}."
        )
    sizes = [size]
    while sizes[-1] > 4:
        sizes.append(-(-sizes[-1] // 2))
    return sizes[::-1]


class _Parts:
    """Makes the layers of one player: initial weights, and normalization or biases.

    Args:
        seeds: `streams.Seeds`.
        normalization: "batch", "virtual_batch" or "none".
        reference_size: int, for "virtual_batch".
        image_shape: (H, W, C).
        width_multiplier: float > 0.
    """

    def __init__(self, seeds, normalization, reference_size, image_shape, width_multiplier):
        self._seeds = seeds
        self._normalization, self._reference_size = normalization, reference_size
        self._sizes, self._image_channels = _sizes(image_shape), image_shape[2]
        widths = [CHANNELS * 2**i for i in range(len(self._sizes) - 1)]
        self._widths = scaled_widths(widths, width_multiplier)  # from the image to 4 x 4

    def _normal(self, fan_in, mean=0.0):
        stddev = STDDEV
        if self._normalization == "none" and not mean:
            stddev = math.sqrt(2.0 / fan_in)
        return keras.initializers.RandomNormal(mean, stddev, seed=self._seeds.next())

    def dense(self, units, x, name=None, use_bias=None):
        """A dense layer; with a bias where nothing normalises, if `use_bias` does not say."""
        if use_bias is None:
            use_bias = self._normalization == "none"
        layer = keras.layers.Dense(
            units, use_bias=use_bias, kernel_initializer=self._normal(x.shape[-1]), name=name
        )
        return layer(x)

    def normalized(self, x):
        """Each channel, normalised, scaled and shifted."""
        if self._normalization == "none":
            return x
        gain = self._normal(None, mean=1.0)
        if self._normalization == "virtual_batch":
            return VirtualBatchNorm(self._reference_size, gamma_initializer=gain)(x)
        return BatchStatisticsNorm(epsilon=EPSILON, scale=True, gamma_initializer=gain)(x)

    def images_from(self, x):
        """Dense to 4 x 4 maps, then 5 x 5 transposed convolutions of stride 2, tanh at the end."""
        width = self._widths[-1]
        x = keras.layers.ReLU()(self.normalized(self.dense(16 * width, x)))
        x = keras.layers.Reshape((4, 4, width))(x)
        for size, width in zip(self._sizes[1:-1], self._widths[-2::-1], strict=True):
            x = keras.layers.ReLU()(self.normalized(self._enlarged(x, width, size)))
        with full_precision():
            x = self._enlarged(x, self._image_channels, self._sizes[-1])
            return keras.layers.Activation("tanh")(x)

    def _enlarged(self, x, filters, size):
        """The transposed convolution with padding 2 on both sides; "same" pads 1 and 2."""
        x = keras.layers.Conv2DTranspose(
            filters,
            5,
            strides=2,
            padding="valid",
            use_bias=self._normalization == "none",
            kernel_initializer=self._normal(25 * x.shape[-1] / 4),
            data_format="channels_last",
        )(x)
        end = x.shape[1] - 2 - size
        return keras.layers.Cropping2D(((2, end), (2, end)), data_format="channels_last")(x)

    def features_of(self, x):
        """5 x 5 convolutions of stride 2 to 4 x 4 maps, LeakyReLU; the first is not normalised."""
        for number, width in enumerate(self._widths):
            x = keras.layers.ZeroPadding2D(2, data_format="channels_last")(x)
            x = keras.layers.Conv2D(
                width,
                5,
                strides=2,
                padding="valid",
                use_bias=self._normalization == "none",
                kernel_initializer=self._normal(25 * x.shape[-1]),
                data_format="channels_last",
            )(x)
            x = LeakyReLU(0.2)(x if number == 0 else self.normalized(x))
        return keras.layers.Flatten(data_format="channels_last")(x)


def dcgan_generator(
    seed,
    image_shape,
    width_multiplier=1.0,
    *,
    latent_dim=100,
    latent="uniform",
    normalization="batch",
    reference_size=None,
    num_classes=0,
    num_codes=0,
):
    """DCGAN's generator: dense to 4 x 4 maps, transposed convolutions with batch norm and ReLU.

    At 64 pixels: z -> 4 x 4 x 1024 -> 512 -> 256 -> 128 -> 3, each but the last normalised.

    Args:
        seed: int, decides the initial weights and the reference batch.
        image_shape: (H, W, C), H = W of 28, 32 or 64.
        width_multiplier: float > 0, factor of all channels.
        latent_dim: int, numbers in z; 100.
        latent: "uniform" or "normal", what z is, for the reference batch.
        normalization: "batch" (the batch's own statistics, in sampling too), "virtual_batch" or
            "none".
        reference_size: int >= 2, rows of the reference batch for "virtual_batch".
        num_classes: int, K, categories that are given with z as ones and zeros; 0 for none.
        num_codes: int, codes in [-1, 1] that are given with z; 0 for none.

    Returns:
        Model from z (N, latent_dim), or from a dict of "z", "classes" (N, K) and "codes"
        (N, num_codes), to images (N, H, W, C) in (-1, 1).

    Raises:
        UserError: `image_shape` or `width_multiplier` is out of its range.
    """
    parts = _Parts(
        streams.generator_parts(seed), normalization, reference_size, image_shape, width_multiplier
    )
    sizes = {"z": latent_dim, "classes": num_classes, "codes": num_codes}
    inputs = {name: keras.Input((n,), name=name) for name, n in sizes.items() if n}
    rows = list(inputs.values())
    if normalization == "virtual_batch":
        reference = _reference_batch(streams.reference_batch(seed), reference_size, sizes, latent)
        for i, name in enumerate(inputs):
            prepend = PrependReference(reference_size, name=f"{name}_reference")
            prepend.set_reference(reference[name].astype(keras.config.floatx()))
            rows[i] = prepend(rows[i])
    x = parts.images_from(rows[0] if len(rows) == 1 else keras.layers.Concatenate()(rows))
    if normalization == "virtual_batch":
        x = DropReference(reference_size, name="images")(x)
    return keras.Model(inputs["z"] if len(inputs) == 1 else inputs, x, name="dcgan_generator")


def _reference_batch(random, rows, sizes, latent):
    """`{input: (rows, n)}` of a reference batch, drawn as in training."""
    shape = (rows, sizes["z"])
    z = random.normal(size=shape) if latent == "normal" else random.uniform(-1.0, 1.0, shape)
    classes = np.eye(sizes["classes"] or 1)[random.randint(sizes["classes"] or 1, size=rows)]
    codes = random.uniform(-1.0, 1.0, (rows, sizes["codes"]))
    return {"z": z, "classes": classes, "codes": codes}


def dcgan_discriminator(
    seed,
    image_shape,
    width_multiplier=1.0,
    *,
    normalization="batch",
    num_kernels=0,
    num_given_classes=0,
    num_told_classes=0,
    num_told_codes=0,
):
    """DCGAN's discriminator: convolutions of stride 2 with batch norm and LeakyReLU, one score.

    At 64 pixels: 128, 256, 512, 1024 channels, all normalised but the first; then one dense layer.

    Args:
        seed: int, decides the initial weights.
        image_shape: (H, W, C), H = W of 28, 32 or 64.
        width_multiplier: float > 0, factor of all channels.
        normalization: "batch" or "none".
        num_kernels: int, kernels of minibatch discrimination before the score; 0 for none.
        num_given_classes: int, K of CGAN, given as maps of ones and zeros next to the image; or 0.
        num_told_classes: int, K of ACGAN, or of InfoGAN's categorical code; or 0.
        num_told_codes: int, InfoGAN's continuous codes, which gives Q a layer of its own; or 0.

    Returns:
        Model from images (N, H, W, C), or a dict of "images" and "classes" (N, K), to a dict:
        "scores" (N,), without a sigmoid; "features" (N, A), the flattened last maps; if asked for,
        "class_logits" (N, K) and "code_means" (N, num_told_codes).

    Raises:
        UserError: `image_shape` or `width_multiplier` is out of its range.
    """
    seeds = streams.discriminator_parts(seed)
    parts = _Parts(seeds, normalization, None, image_shape, width_multiplier)
    images = keras.Input(tuple(image_shape), name="images")
    inputs, x = images, images
    if num_given_classes:
        classes = keras.Input((num_given_classes,), name="classes")
        maps = keras.layers.Reshape((1, 1, num_given_classes))(classes)
        maps = keras.layers.UpSampling2D(image_shape[0], data_format="channels_last")(maps)
        x = keras.layers.Concatenate()([images, maps])
        inputs = {"images": images, "classes": classes}
    features = x = parts.features_of(x)
    if num_kernels:
        initializer = keras.initializers.RandomNormal(stddev=0.05, seed=seeds.next())
        x = MinibatchDiscrimination(
            num_kernels, MINIBATCH_KERNEL_DIM, theta_initializer=initializer
        )(x)
    outputs = {
        "scores": keras.layers.Reshape(())(parts.dense(1, x, "scores")),
        "features": features,
    }
    told = features
    if num_told_codes:
        told = LeakyReLU(0.2)(parts.normalized(parts.dense(CODE_UNITS, features, "code_features")))
        outputs["code_means"] = parts.dense(num_told_codes, told, "code_means", use_bias=True)
    if num_told_classes:
        outputs["class_logits"] = parts.dense(num_told_classes, told, "class_logits", use_bias=True)
    return keras.Model(inputs, outputs, name="dcgan_discriminator")


def dcgan_autoencoder(seed, image_shape, width_multiplier=1.0, *, normalization="batch"):
    """The discriminator of EBGAN and BEGAN: DCGAN's discriminator, 64 numbers, its generator.

    Arguments and errors as for `dcgan_discriminator`.

    Returns:
        Model from images (N, H, W, C) to a dict: "reconstructions" (N, H, W, C) in (-1, 1),
        "features" (N, 64), the encoding.
    """
    seeds = streams.discriminator_parts(seed)
    parts = _Parts(seeds, normalization, None, image_shape, width_multiplier)
    images = keras.Input(tuple(image_shape), name="images")
    encoding = parts.dense(ENCODING_DIM, parts.features_of(images), "encoding", use_bias=True)
    outputs = {"reconstructions": parts.images_from(encoding), "features": encoding}
    return keras.Model(images, outputs, name="dcgan_autoencoder")

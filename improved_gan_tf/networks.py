"""A generator and a discriminator per experiment.

Images are NHWC, scaled as the experiment's `pixels` say. A discriminator returns
`{"logits": (N, 10), "features": (N, A)}`; `features` is the layer that feature matching uses.
A generator maps `z ~ U[0, 1)^100`, (N, 100), to images.

Paper:    Salimans et al. (2016), Sec. 6.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*.py, the lines that build
          `gen_layers` and `disc_layers`.
"""

from typing import NamedTuple

import keras
import numpy as np

from improved_gan_tf.errors import UserError
from improved_gan_tf.layers.activations import LeakyReLU, rectify
from improved_gan_tf.layers.batch_statistics_norm import BatchStatisticsNorm
from improved_gan_tf.layers.dropout import Dropout
from improved_gan_tf.layers.minibatch_discrimination.layer import MinibatchDiscrimination
from improved_gan_tf.layers.noise import GaussianNoise
from improved_gan_tf.layers.virtual_batch_norm.live import VirtualBatchNorm
from improved_gan_tf.layers.virtual_batch_norm.reference_batch import (
    DropReference,
    PrependReference,
)
from improved_gan_tf.layers.weight_norm.conv import WeightNormConv2D
from improved_gan_tf.layers.weight_norm.conv_transpose import WeightNormConv2DTranspose
from improved_gan_tf.layers.weight_norm.dense import WeightNormDense

NOISE_DIM = 100
NUM_CLASSES = 10


class Networks(NamedTuple):
    """The two players of one experiment."""

    generator: keras.Model
    discriminator: keras.Model
    couples_examples: bool  # whether a discriminator output depends on the rest of its batch


class NetworkSpec(NamedTuple):
    """How to build one experiment's players."""

    generator: object  # function of (seed, width_multiplier, reference_size)
    discriminator: object  # function of (seed, width_multiplier)
    couples_examples: bool
    # Whether the generator's last layer is initialised from one batch of noise.
    initializes_generator: bool

    def build(self, seed, width_multiplier=1.0, reference_size=None, cross_replica="global"):
        """Returns freshly built `Networks`.

        Args:
            seed: int.
            width_multiplier: float > 0.
            reference_size: int or None, see `GeneratorNormalization`.
            cross_replica: "global" or "local", what a batch is on several devices.
        """
        players = Networks(
            self.generator(seed, width_multiplier, reference_size),
            self.discriminator(seed, width_multiplier),
            self.couples_examples,
        )
        for layer in (*players.generator.layers, *players.discriminator.layers):
            if hasattr(layer, "cross_replica"):
                layer.cross_replica = cross_replica
        return players


class Seeds:
    """Independent integer seeds for the parts of one network, in the order of their creation."""

    # D3: other streams than Theano's and Lasagne's; runs compare in distribution only.
    def __init__(self, *entropy):
        self._sequence = np.random.SeedSequence(entropy)

    def next(self):
        """Returns the next seed, in [0, 2**31)."""
        child = self._sequence.spawn(1)[0]
        return int(child.generate_state(1)[0] >> 1)  # 31 bits: an int32 everywhere


def _scaled(widths, width_multiplier):
    """Widths times the multiplier, rounded down."""
    scaled = tuple(int(width * width_multiplier) for width in widths)
    if min(scaled) < 1:
        raise UserError(
            "--width_multiplier must leave every layer at least one unit; the smallest layer has "
            f"{min(widths)}. Received: {width_multiplier}."
        )
    return scaled


class GeneratorNormalization:
    """What normalises the hidden layers of a generator: the batch, or a reference batch.

    Batch normalization is the authors' choice in these generators. Virtual batch normalization
    takes its place layer by layer; `enter` puts the reference batch in front of the noise, `leave`
    takes it off before the output layer, which sees the live batch only (also when it
    is initialised from data).

    Args:
        seed: int, decides the reference noise, U[0, 1), drawn once and saved with the model.
        reference_size: int >= 2, examples in the reference batch; None for batch normalization.
    """

    def __init__(self, seed, reference_size):
        self._size = reference_size
        self._seed = Seeds(seed, 3).next()

    def enter(self, z):
        """What the generator's first layer takes, from its input z, (N, 100)."""
        if self._size is None:
            return z
        prepend = PrependReference(self._size)
        noise = np.random.RandomState(self._seed).uniform(size=(self._size, NOISE_DIM))
        prepend.set_reference(noise.astype(keras.config.floatx()))
        return prepend(z)

    def normalize(self, x):
        """Each channel normalised and shifted."""
        if self._size is None:
            return BatchStatisticsNorm()(x)
        # D12: as the batch normalization that it replaces, a shift, no scale and its epsilon.
        return VirtualBatchNorm(self._size, epsilon=1e-6, scale=False)(x)

    def leave(self, x):
        """What the output layer takes, (N, ...)."""
        return x if self._size is None else DropReference(self._size)(x)


def mnist_discriminator(seed, width_multiplier=1.0):
    """The MNIST discriminator: six weight-normalised dense layers, noise in front of each.

    Args:
        seed: int, decides initial weights and noise.
        width_multiplier: float > 0, factor of the hidden widths 1000, 500, 250, 250, 250.

    Returns:
        Model from (N, 28, 28, 1), pixels in [0, 1], to logits and features; features are the
        last hidden layer after its activation and before its noise, (N, 250).
    """
    seeds = Seeds(seed, 1)

    def dense(units, **kwargs):
        return WeightNormDense(
            units,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.1, seed=seeds.next()),
            epsilon=0.0,
            **kwargs,
        )

    images = keras.Input((28, 28, 1), name="images")
    x = keras.layers.Flatten()(images)
    x = GaussianNoise(0.3, seed=seeds.next())(x)
    for units in _scaled((1000, 500, 250, 250, 250), width_multiplier):
        features = dense(units, activation=rectify)(x)
        x = GaussianNoise(0.5, seed=seeds.next())(features)
    logits = dense(NUM_CLASSES, train_scale=True)(x)
    outputs = {"logits": logits, "features": features}
    return keras.Model(images, outputs, name="mnist_discriminator")


def mnist_generator(seed, width_multiplier=1.0, reference_size=None):
    """The MNIST generator: dense, batch-normalised softplus layers, sigmoid output.

    Args:
        seed: int, decides the initial weights.
        width_multiplier: float > 0, factor of the hidden widths 500, 500.
        reference_size: int >= 2 for virtual batch normalization, or None.

    Returns:
        Model from (N, 100) in [0, 1) to (N, 28, 28, 1) in (0, 1).
    """
    seeds = Seeds(seed, 2)

    def glorot():
        return keras.initializers.GlorotUniform(seed=seeds.next())

    normalization = GeneratorNormalization(seed, reference_size)
    z = keras.Input((NOISE_DIM,), name="z")
    x = normalization.enter(z)
    for units in _scaled((500, 500), width_multiplier):
        x = keras.layers.Dense(units, use_bias=False, kernel_initializer=glorot())(x)
        x = normalization.normalize(x)
        x = keras.layers.Activation("softplus")(x)
    x = normalization.leave(x)
    x = WeightNormDense(
        28 * 28, activation="sigmoid", kernel_initializer=glorot(), train_scale=True
    )(x)
    images = keras.layers.Reshape((28, 28, 1), name="images")(x)
    return keras.Model(z, images, name="mnist_generator")


def convolutional_discriminator(
    seed,
    width_multiplier=1.0,
    *,
    name,
    widths,
    image_shape=(32, 32, 3),
    first_padding=1,
    minibatch_discrimination=False,
    input_noise=False,
    negative_slope=0.2,
):
    """The convolutional discriminator of CIFAR-10, SVHN and the minibatch MNIST experiment.

    Nine weight-normalised convolutions with leaky ReLU, average pooling, a dense layer:
    conv3 a, conv3 a, conv3 a stride 2 | conv3 b, conv3 b, conv3 b stride 2 | conv3 b unpadded,
    1x1 b, 1x1 b, with dropout in front of each group.

    Args:
        seed: int, decides initial weights, dropout and noise.
        width_multiplier: float > 0, factor of `widths`.
        name: str, the model's name.
        widths: `(a, b)`, channels of the first three and of the other convolutions.
        image_shape: (H, W, C) of the images.
        first_padding: int, zeros around the image; 3 takes 28 x 28 images to 32 x 32.
        minibatch_discrimination: bool; with it `MinibatchDiscrimination(100, 5)` follows the
            pooling.
        input_noise: bool, Gaussian noise of 0.2 on the input instead of dropout.
        negative_slope: float, of the leaky ReLU.

    Returns:
        Model from (N, *image_shape) to logits and features; features are the pooled
        activations, (N, b).
    """
    seeds = Seeds(seed, 1)
    a, b = _scaled(widths, width_multiplier)

    def normal():
        return keras.initializers.RandomNormal(stddev=0.05, seed=seeds.next())

    def dropout(rate):
        return Dropout(rate, seed=seeds.next())

    def activated(x, filters, kernel_size, **kwargs):
        layer = WeightNormConv2D(filters, kernel_size, kernel_initializer=normal(), **kwargs)
        return LeakyReLU(negative_slope)(layer(x))

    images = keras.Input(image_shape, name="images")
    x = GaussianNoise(0.2, seed=seeds.next())(images) if input_noise else dropout(0.2)(images)
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
    features = keras.layers.GlobalAveragePooling2D()(x)
    x = features
    if minibatch_discrimination:
        x = MinibatchDiscrimination(num_kernels=100, kernel_dim=5, theta_initializer=normal())(x)
    logits = WeightNormDense(
        NUM_CLASSES, kernel_initializer=normal(), train_scale=True, init_stddev=0.1
    )(x)
    outputs = {"logits": logits, "features": features}
    return keras.Model(images, outputs, name=name)


def convolutional_generator(
    seed, width_multiplier=1.0, reference_size=None, *, name, image_shape=(32, 32, 3)
):
    """The convolutional generator: dense to 4 x 4 x 512, three transposed convolutions, tanh.

    Args:
        seed: int, decides the initial weights.
        width_multiplier: float > 0, factor of the channels 512, 256, 128.
        reference_size: int >= 2 for virtual batch normalization, or None.
        name: str, the model's name.
        image_shape: (32, 32, C), or (28, 28, C), for which the last layer maps 16 to 28.

    Returns:
        Model from (N, 100) in [0, 1) to (N, *image_shape) in (-1, 1).
    """
    seeds = Seeds(seed, 2)
    size, _, channels = image_shape

    def normal():
        return keras.initializers.RandomNormal(stddev=0.05, seed=seeds.next())

    normalization = GeneratorNormalization(seed, reference_size)

    def normalized_relu(x):
        return keras.layers.Activation(rectify)(normalization.normalize(x))

    z = keras.Input((NOISE_DIM,), name="z")
    x = normalization.enter(z)
    first, *inner = _scaled((512, 256, 128), width_multiplier)
    x = keras.layers.Dense(4 * 4 * first, use_bias=False, kernel_initializer=normal())(x)
    x = normalized_relu(x)
    x = keras.layers.Reshape((4, 4, first))(x)
    for filters in inner:
        # The full output cut by 2 and 1: exactly twice the input. Keras' "same" is a pixel off.
        x = keras.layers.Conv2DTranspose(
            filters, 5, strides=2, use_bias=False, kernel_initializer=normal()
        )(x)
        x = keras.layers.Cropping2D(((2, 1), (2, 1)))(x)
        x = normalized_relu(x)
    x = normalization.leave(x)
    # D10: the removed MNIST script's layer from 16 to 28 cannot have run; here the cut is 4 and 3.
    padding = {32: 2, 28: 4}[size]
    x = WeightNormConv2DTranspose(
        channels,
        5,
        strides=2,
        padding=padding,
        output_padding=1,
        kernel_initializer=normal(),
        train_scale=True,
        init_stddev=0.1,
    )(x)
    images = keras.layers.Activation("tanh", name="images")(x)
    return keras.Model(z, images, name=name)


def _convolutional_spec(dataset, model, **kwargs):
    """`NetworkSpec` of a convolutional experiment."""
    image_shape = kwargs.get("image_shape", (32, 32, 3))
    minibatch_discrimination = model == "minibatch_discrimination"

    def generator(seed, width_multiplier, reference_size):
        return convolutional_generator(
            seed,
            width_multiplier,
            reference_size,
            name=f"{dataset}_generator",
            image_shape=image_shape,
        )

    def discriminator(seed, width_multiplier):
        return convolutional_discriminator(
            seed,
            width_multiplier,
            name=f"{dataset}_discriminator",
            minibatch_discrimination=minibatch_discrimination,
            input_noise=model != "feature_matching",
            **kwargs,
        )

    return NetworkSpec(generator, discriminator, minibatch_discrimination, True)


EXPERIMENTS = {
    ("mnist", "feature_matching"): NetworkSpec(
        mnist_generator, mnist_discriminator, False, initializes_generator=False
    ),
    ("mnist", "minibatch_discrimination"): _convolutional_spec(
        "mnist",
        "minibatch_discrimination",
        widths=(96, 192),
        image_shape=(28, 28, 1),
        first_padding=3,
        negative_slope=0.1,
    ),
    ("cifar10", "feature_matching"): _convolutional_spec(
        "cifar10", "feature_matching", widths=(96, 192)
    ),
    ("cifar10", "minibatch_discrimination"): _convolutional_spec(
        "cifar10", "minibatch_discrimination", widths=(96, 192)
    ),
    # The network of minibatch discrimination without its layer (Table 3).
    ("cifar10", "plain"): _convolutional_spec("cifar10", "plain", widths=(96, 192)),
    ("svhn", "feature_matching"): _convolutional_spec("svhn", "feature_matching", widths=(64, 128)),
    ("svhn", "minibatch_discrimination"): _convolutional_spec(
        "svhn", "minibatch_discrimination", widths=(96, 192)
    ),
}

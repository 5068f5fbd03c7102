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

from improved_gan_tf.layers.activations import relu
from improved_gan_tf.layers.batch_statistics_norm import BatchStatisticsNorm
from improved_gan_tf.layers.noise import GaussianNoise
from improved_gan_tf.layers.weight_norm_dense import WeightNormDense

NOISE_DIM = 100
NUM_CLASSES = 10


class Networks(NamedTuple):
    """The two players of one experiment."""

    generator: keras.Model
    discriminator: keras.Model


class _Seeds:
    """Independent integer seeds for the parts of one network, in the order of their creation."""

    def __init__(self, *entropy):
        self._sequence = np.random.SeedSequence(entropy)

    def next(self):
        child = self._sequence.spawn(1)[0]
        return int(child.generate_state(1)[0] >> 1)  # 31 bits: an int32 everywhere


def mnist_discriminator(seed, widths=(1000, 500, 250, 250, 250)):
    """The MNIST discriminator: six weight-normalised dense layers, noise in front of each.

    Args:
        seed: int, decides initial weights and noise.
        widths: units of the hidden layers.

    Returns:
        Model from (N, 28, 28, 1), pixels in [0, 1], to logits and features; features are the
        last hidden layer after its activation and before its noise, (N, widths[-1]).
    """
    seeds = _Seeds(seed, 1)

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
    for units in widths:
        features = dense(units, activation=relu)(x)
        x = GaussianNoise(0.5, seed=seeds.next())(features)
    logits = dense(NUM_CLASSES, train_scale=True)(x)
    outputs = {"logits": logits, "features": features}
    return keras.Model(images, outputs, name="mnist_discriminator")


def mnist_generator(seed, widths=(500, 500)):
    """The MNIST generator: dense, batch-normalised softplus layers, sigmoid output.

    Args:
        seed: int, decides the initial weights.
        widths: units of the hidden layers.

    Returns:
        Model from (N, 100) in [0, 1) to (N, 28, 28, 1) in (0, 1).
    """
    seeds = _Seeds(seed, 2)

    def glorot():
        return keras.initializers.GlorotUniform(seed=seeds.next())

    z = keras.Input((NOISE_DIM,), name="z")
    x = z
    for units in widths:
        x = keras.layers.Dense(units, use_bias=False, kernel_initializer=glorot())(x)
        x = BatchStatisticsNorm()(x)
        x = keras.layers.Activation("softplus")(x)
    x = WeightNormDense(
        28 * 28, activation="sigmoid", kernel_initializer=glorot(), train_scale=True
    )(x)
    images = keras.layers.Reshape((28, 28, 1), name="images")(x)
    return keras.Model(z, images, name="mnist_generator")


# (data set, model) -> (generator builder, discriminator builder), each called with the seed.
BUILDERS = {("mnist", "feature_matching"): (mnist_generator, mnist_discriminator)}

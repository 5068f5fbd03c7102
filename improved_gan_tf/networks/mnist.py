"""The dense networks of MNIST."""

import keras

from improved_gan_tf import streams
from improved_gan_tf.data.known_sets import KNOWN_SETS
from improved_gan_tf.layers.activations import rectify
from improved_gan_tf.layers.noise import GaussianNoise
from improved_gan_tf.layers.weight_norm.dense import WeightNormDense
from improved_gan_tf.networks.parts import (
    NOISE_DIM,
    GeneratorNormalization,
    scaled_widths,
)
from improved_gan_tf.precision import full_precision


def mnist_discriminator(
    seed,
    width_multiplier=1.0,
    cross_replica="global",
    *,
    num_classes=KNOWN_SETS["mnist"].num_classes,
):
    """The MNIST discriminator: six weight-normalised dense layers, each preceded by noise.

    Args:
        seed: int, decides initial weights and noise.
        width_multiplier: float > 0, factor of the hidden widths 1000, 500, 250, 250, 250.
        cross_replica: "global" or "local", the scope of a batch on several devices.
        num_classes: int, number of logits.

    Returns:
        Model from (N, 28, 28, 1), pixels in [0, 1], to logits and features; features are the
        last hidden layer after its activation and before its noise, (N, 250).
    """
    seeds = streams.discriminator_parts(seed)

    def dense(units, **kwargs):
        return WeightNormDense(
            units,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.1, seed=seeds.next()),
            epsilon=0.0,
            **kwargs,
        )

    def noisy(x, stddev):
        return GaussianNoise(stddev, seed=seeds.next(), cross_replica=cross_replica)(x)

    images = keras.Input((28, 28, 1), name="images")
    x = noisy(keras.layers.Flatten(data_format="channels_last")(images), 0.3)
    for units in scaled_widths((1000, 500, 250, 250, 250), width_multiplier):
        features = dense(units, activation=rectify)(x)
        x = noisy(features, 0.5)
    logits = dense(num_classes, train_scale=True)(x)
    outputs = {"logits": logits, "features": features}
    return keras.Model(images, outputs, name="mnist_discriminator")


def mnist_generator(seed, width_multiplier=1.0, reference_size=None, cross_replica="global"):
    """The MNIST generator: dense, batch-normalised softplus layers, sigmoid output.

    Args:
        seed: int, decides the initial weights.
        width_multiplier: float > 0, factor of the hidden widths 500, 500.
        reference_size: int >= 2 for virtual batch normalization, or None.
        cross_replica: "global" or "local", the scope of a batch on several devices.

    Returns:
        Model from (N, 100) in [0, 1) to (N, 28, 28, 1) in (0, 1).
    """
    seeds = streams.generator_parts(seed)

    def glorot():
        return keras.initializers.GlorotUniform(seed=seeds.next())

    normalization = GeneratorNormalization(seed, reference_size, cross_replica)
    z = keras.Input((NOISE_DIM,), name="z")
    x = normalization.enter(z)
    for units in scaled_widths((500, 500), width_multiplier):  # D22: the paper says five layers
        x = keras.layers.Dense(units, use_bias=False, kernel_initializer=glorot())(x)
        x = normalization.normalize(x)
        x = keras.layers.Activation("softplus")(x)
    x = normalization.leave(x)
    with full_precision():
        x = WeightNormDense(
            28 * 28, activation="sigmoid", kernel_initializer=glorot(), train_scale=True
        )(x)
        images = keras.layers.Reshape((28, 28, 1), name="images")(x)
    return keras.Model(z, images, name="mnist_generator")

"""A generator and a discriminator per experiment, as Keras functional models."""

from improved_gan_tf.networks.convolutional import (
    convolutional_discriminator,
    convolutional_generator,
)
from improved_gan_tf.networks.mnist import mnist_discriminator, mnist_generator
from improved_gan_tf.networks.parts import NOISE_DIM, NUM_CLASSES
from improved_gan_tf.networks.players import EXPERIMENTS, Networks, NetworkSpec

__all__ = [
    "EXPERIMENTS",
    "NOISE_DIM",
    "NUM_CLASSES",
    "NetworkSpec",
    "Networks",
    "convolutional_discriminator",
    "convolutional_generator",
    "mnist_discriminator",
    "mnist_generator",
]

"""A generator and a discriminator for each experiment and for images of one's own.

All are Keras functional models.
"""

from improved_gan_tf.networks.biggan import biggan_discriminator, biggan_generator
from improved_gan_tf.networks.cifar10_svhn import (
    convolutional_discriminator,
    convolutional_generator,
)
from improved_gan_tf.networks.mnist import mnist_discriminator, mnist_generator
from improved_gan_tf.networks.own_images import convolutional, own_images_spec
from improved_gan_tf.networks.parts import NOISE_DIM
from improved_gan_tf.networks.players import EXPERIMENTS, Networks, NetworkSpec, spec_of
from improved_gan_tf.networks.residual_blocks import residual_down, residual_up

__all__ = [
    "EXPERIMENTS",
    "NOISE_DIM",
    "NetworkSpec",
    "Networks",
    "biggan_discriminator",
    "biggan_generator",
    "convolutional",
    "convolutional_discriminator",
    "convolutional_generator",
    "mnist_discriminator",
    "mnist_generator",
    "own_images_spec",
    "residual_down",
    "residual_up",
    "spec_of",
]

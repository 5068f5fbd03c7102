"""A generator and a discriminator for each experiment.

Images are NHWC, scaled as the experiment's `pixels` say. A discriminator returns
`{"logits": (N, K), "features": (N, A)}`: K classes, and the layer that feature matching uses.
A generator maps `z ~ U[0, 1)^100`, (N, 100), to images.

Paper:    Salimans et al. (2016), Sec. 6.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*.py, the lines that build
          `gen_layers` and `disc_layers`.
"""

from typing import NamedTuple

import keras

from improved_gan_tf.data.known_sets import known_set
from improved_gan_tf.errors import UserError
from improved_gan_tf.networks.cifar10_svhn import (
    convolutional_discriminator,
    convolutional_generator,
)
from improved_gan_tf.networks.mnist import mnist_discriminator, mnist_generator


class Networks(NamedTuple):
    """The two players of one experiment."""

    generator: keras.Model
    discriminator: keras.Model
    couples_examples: bool  # whether a discriminator output depends on the rest of the batch


class NetworkSpec(NamedTuple):
    """How to build the players of one experiment."""

    generator: object  # function of (seed, width_multiplier, reference_size, cross_replica)
    discriminator: object  # function of (seed, width_multiplier, cross_replica)
    couples_examples: bool
    # Whether the generator's last layer is initialised from one batch of noise.
    initializes_generator: bool

    def build(self, seed, width_multiplier=1.0, reference_size=None, cross_replica="global"):
        """Returns newly built `Networks`.

        Args:
            seed: int.
            width_multiplier: float > 0.
            reference_size: int or None, see `GeneratorNormalization`.
            cross_replica: "global" or "local", the scope of a batch on several devices.
        """
        return Networks(
            self.generator(seed, width_multiplier, reference_size, cross_replica),
            self.discriminator(seed, width_multiplier, cross_replica),
            self.couples_examples,
        )


def convolutional_spec(name, image_shape, num_classes, model, **kwargs):
    """`NetworkSpec` of the convolutional players of a data set.

    Args:
        name: str, first part of the models' names.
        image_shape: (H, H, C).
        num_classes: int, number of logits.
        model: "feature_matching", "minibatch_discrimination", or "plain" for the second's network
            without that layer.
        kwargs: further arguments of `convolutional_discriminator`.
    """
    minibatch_discrimination = model == "minibatch_discrimination"

    def generator(seed, width_multiplier, reference_size, cross_replica="global"):
        return convolutional_generator(
            seed,
            width_multiplier,
            reference_size,
            cross_replica,
            name=f"{name}_generator",
            image_shape=image_shape,
        )

    def discriminator(seed, width_multiplier, cross_replica="global"):
        return convolutional_discriminator(
            seed,
            width_multiplier,
            cross_replica,
            name=f"{name}_discriminator",
            image_shape=image_shape,
            num_classes=num_classes,
            minibatch_discrimination=minibatch_discrimination,
            input_noise=model != "feature_matching",
            **kwargs,
        )

    return NetworkSpec(generator, discriminator, minibatch_discrimination, True)


def _convolutional_experiment(dataset, model, **kwargs):
    """`NetworkSpec` of an experiment of the paper, on a known data set."""
    about = known_set(dataset)
    return convolutional_spec(dataset, about.image_shape, about.num_classes, model, **kwargs)


EXPERIMENTS = {
    ("mnist", "feature_matching"): NetworkSpec(
        mnist_generator, mnist_discriminator, False, initializes_generator=False
    ),
    # D10: with the layers of the scripts that were kept, not of the removed script's day.
    ("mnist", "minibatch_discrimination"): _convolutional_experiment(
        "mnist",
        "minibatch_discrimination",
        widths=(96, 192),
        first_padding=3,
        negative_slope=0.1,
    ),
    # The network of minibatch discrimination, without that layer (docs/silent_layer.md).
    ("mnist", "plain"): _convolutional_experiment(
        "mnist", "plain", widths=(96, 192), first_padding=3, negative_slope=0.1
    ),
    ("cifar10", "feature_matching"): _convolutional_experiment(
        "cifar10", "feature_matching", widths=(96, 192)
    ),
    ("cifar10", "minibatch_discrimination"): _convolutional_experiment(
        "cifar10", "minibatch_discrimination", widths=(96, 192)
    ),
    # The same for CIFAR-10 (Table 3).
    ("cifar10", "plain"): _convolutional_experiment("cifar10", "plain", widths=(96, 192)),
    # D22: the paper says that SVHN has CIFAR-10's networks.
    ("svhn", "feature_matching"): _convolutional_experiment(
        "svhn", "feature_matching", widths=(64, 128)
    ),
    ("svhn", "minibatch_discrimination"): _convolutional_experiment(
        "svhn", "minibatch_discrimination", widths=(96, 192)
    ),
}


def spec_of(dataset, model):
    """The `NetworkSpec` of an experiment; raises `UserError` if there is none."""
    known_set(dataset)
    if (dataset, model) not in EXPERIMENTS:
        known = "; ".join(f"{name} with {kind}" for name, kind in EXPERIMENTS)
        raise UserError(
            f"No networks are known for the data set {dataset!r} with model={model!r}. There are: "
            f"{known}. New ones are added to EXPERIMENTS (improved_gan_tf/networks/players.py)."
        )
    return EXPERIMENTS[dataset, model]

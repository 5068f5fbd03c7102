"""What a DCGAN's players are given besides images: z, classes, codes; and what they must tell.

    none      G(z)         D(x)
    cgan      G(z, y)      D(x, y)               y: the real image's class, to both
    acgan     G(z, c)      D(x), P(c | x)        c: drawn; real images have their own class
    infogan   G(z, c, u)   D(x), Q(c, u | G)     c: 10 categories, u: two codes in [-1, 1)

Papers: Mirza and Osindero (2014); Odena et al. (2017); Chen et al. (2016).
"""

from typing import NamedTuple

import keras
import tensorflow as tf

from improved_gan_tf import distribution, losses
from improved_gan_tf.losses import adversarial
from improved_gan_tf.networks.latents import LATENTS

NUM_CATEGORIES = 10  # InfoGAN's, whatever classes the images have
NUM_CODES = 2


class GeneratorInputs(NamedTuple):
    """One draw of what the generator is given."""

    inputs: object  # z (N, A), or a dict with "classes" (N, K) and "codes" (N, 2)
    classes: object  # int32 (N,), or None
    codes: object  # (N, 2), or None


def network_arguments(conditional, num_classes):
    """`(of the generator, of the discriminator)`: keyword arguments of `networks.dcgan`."""
    of_generator, of_discriminator = {
        "none": ({}, {}),
        "cgan": ({"num_classes": num_classes}, {"num_given_classes": num_classes}),
        "acgan": ({"num_classes": num_classes}, {"num_told_classes": num_classes}),
        "infogan": (
            {"num_classes": NUM_CATEGORIES, "num_codes": NUM_CODES},
            {"num_told_classes": NUM_CATEGORIES, "num_told_codes": NUM_CODES},
        ),
    }[conditional]
    return of_generator, of_discriminator


class PlayerInputs:
    """Draws and routes them.

    Args:
        conditional: "none", "cgan", "acgan" or "infogan".
        num_classes: int, of the images.
        latent: key of `networks.latents.LATENTS`.
        latent_dim: int.
        seed: `keras.random.SeedGenerator`.
    """

    def __init__(self, conditional, num_classes, latent, latent_dim, seed):
        self._conditional, self._latent, self._latent_dim = conditional, latent, latent_dim
        self._num_classes = NUM_CATEGORIES if conditional == "infogan" else num_classes
        self._seed = seed

    def _draw(self, draw, *shape):
        return distribution.draw_for_batch(draw, shape, self._seed)

    def draw(self, labels):
        """Draws the `GeneratorInputs` of a batch.

        Args:
            labels: int32 (N,), the real images' classes.
        """
        count, dtype = labels.shape[0], keras.config.floatx()
        z = self._draw(
            lambda shape, seed: LATENTS[self._latent](shape, seed, dtype), count, self._latent_dim
        )
        if self._conditional == "none":
            return GeneratorInputs(z, None, None)
        classes, codes = labels, None
        if self._conditional != "cgan":
            classes = self._draw(
                lambda shape, seed: keras.random.randint(shape, 0, self._num_classes, seed=seed),
                count,
            )
        inputs = {"z": z, "classes": self._one_hot(classes)}
        if self._conditional == "infogan":
            codes = self._draw(
                lambda shape, seed: keras.random.uniform(shape, -1.0, 1.0, dtype, seed),
                count,
                NUM_CODES,
            )
            inputs["codes"] = codes
        return GeneratorInputs(inputs, classes, codes)

    def _one_hot(self, classes):
        return tf.one_hot(classes, self._num_classes, dtype=keras.config.floatx())

    def of_discriminator(self, images, classes):
        """What the discriminator is given: images, or a dict with their classes."""
        if self._conditional != "cgan":
            return images
        return {"images": images, "classes": self._one_hot(classes)}

    def told_by_discriminator(self, outputs_real, outputs_generated, labels, drawn):
        """What is added to the discriminator's loss, a scalar; None without classes to tell.

        Args:
            outputs_real: the discriminator's, of real images.
            outputs_generated: the discriminator's, of generated ones.
            labels: int32 (N,), the real images' classes.
            drawn: `GeneratorInputs` of the generated ones.
        """
        told = self.told_of_generated(outputs_generated, drawn)
        if self._conditional == "acgan":
            told += losses.supervised_loss(outputs_real["class_logits"], labels)
        return told

    def told_of_generated(self, outputs, drawn):
        """The same of generated images alone, which is added to the generator's loss too."""
        if self._conditional not in ("acgan", "infogan"):
            return None
        told = losses.supervised_loss(outputs["class_logits"], drawn.classes)
        if self._conditional == "infogan":
            told += adversarial.infogan_gaussian_loss(outputs["code_means"], drawn.codes)
        return told

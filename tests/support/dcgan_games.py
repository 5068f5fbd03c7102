"""Small DCGAN games on noise, for tests."""

import dataclasses

import numpy as np

import run_dcgan
from improved_gan_tf.data.square_images import ImageSet
from improved_gan_tf.runs.dcgan import players_of

BATCH, CLASSES = 4, 3


class Kind:
    """What `players_of` asks of images."""

    num_classes, channels = CLASSES, 1


def images(count=24, size=28):
    """An `ImageSet` of noise in three classes, the same at every call."""
    random = np.random.RandomState(0)
    pixels = random.randint(0, 256, (count, size, size, 1)).astype("uint8")
    return ImageSet(pixels, (np.arange(count) % CLASSES).astype("int32"))


def settings(objective="non_saturating", **changes):
    """The published record of an objective, made small and then changed."""
    recipe = run_dcgan.VARIANTS[objective]["published"]
    small = {"width_multiplier": 1 / 64, "batch_size": BATCH, "latent_dim": 5, "epochs": 2}
    return dataclasses.replace(
        run_dcgan.EXPERIMENT, **{**recipe, "objective": objective, **small, **changes}
    )


def players(config):
    """New players of the settings, the same at every call."""
    return players_of(config, Kind)

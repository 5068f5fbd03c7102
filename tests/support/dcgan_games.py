"""Small DCGAN games on noise, for tests."""

import dataclasses

import numpy as np

import run_dcgan
from improved_gan_tf.data.square_images import ImageSet
from improved_gan_tf.runs.dcgan import players_of
from improved_gan_tf.training.adversarial import AdversarialTrainer

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


def trainer_of(config, image_set=None):
    """The trainer of new players, on `images` if no other ones are given."""
    return AdversarialTrainer(
        *players(config), image_set or images(), config, num_classes=CLASSES, epoch_iterations=10
    )


def rows(config, iterations=1):
    """What `trainer.train` takes: rows of the images in their order, again and again."""
    count = iterations * BATCH * config.discriminator_steps
    return [np.arange(count).reshape(iterations, -1) % len(images().images)]


def values(model):
    """Copies of a model's parameters."""
    return [np.array(v) for v in model.trainable_variables]

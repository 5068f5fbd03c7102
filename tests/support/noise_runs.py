"""Short runs on noise in the shape of a data set, whole or stopped on the way."""

import dataclasses
import itertools

import numpy as np

import run_mnist
from improved_gan_tf.data import datasets
from improved_gan_tf.data.known_sets import KNOWN_SETS
from improved_gan_tf.runs import semi_supervised

TRAIN, BATCH = 70, 10  # 7 iterations an epoch


def images(name, train=TRAIN, test=15):
    """Training and test images of noise, in the shape of a data set."""
    random = np.random.RandomState(0)
    known = KNOWN_SETS[name]

    def part(count):
        pixels = random.randint(0, 256, (count, *known.image_shape)).astype("uint8")
        return pixels, np.arange(count, dtype="int32") % 10

    return datasets.Dataset(
        *part(train),
        *part(test),
        description="noise",
        is_papers=False,
        class_names=known.class_names,
    )


def settings(script=run_mnist, **changes):
    small = {"labels_per_class": 2, "batch_size": BATCH, "epochs": 3, "width_multiplier": 0.05}
    small |= {"evaluate_every": 2, "checkpoint_every": "1000 epochs", "seed_data": 1}
    return dataclasses.replace(script.EXPERIMENT, **{**small, **changes})


def run(config, run_dir, stop_after_calls=None):
    """Runs to the end, or until it was asked to stop after some calls of the loop."""
    calls = itertools.count(1)
    dataset = images(config.dataset)
    return semi_supervised.execute(
        config, dataset, run_dir, config, lambda: next(calls) == stop_after_calls
    )

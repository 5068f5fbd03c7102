"""Small players of the paper's experiments, trained a few iterations: on one device or several."""

import contextlib

import numpy as np

from improved_gan_tf import networks
from improved_gan_tf.data.device_images import DeviceImages
from improved_gan_tf.layers.data_dependent import initialize_from_data
from improved_gan_tf.training import semi_supervised

IMAGES, BATCH, ITERATIONS = 48, 8, 5
LEARNING_RATE = 0.003
# experiment: (width multiplier, image shape, objective, generator steps)
EXPERIMENTS = {
    ("mnist", "feature_matching"): (0.03, (28, 28, 1), "feature_matching_l2", 1),
    ("cifar10", "feature_matching"): (0.03, (32, 32, 3), "feature_matching_l1", 1),
    ("cifar10", "minibatch_discrimination"): (0.03, (32, 32, 3), "saturating", 3),
}


def train(
    experiment,
    strategy=None,
    cross_replica="global",
    iterations=ITERATIONS,
    reference_size=None,
    **techniques,
):
    """Trains an experiment's players from the same start on the same images.

    `techniques` are settings of `training.semi_supervised.Trainer`.

    Returns:
        `(trainer, StepLosses)` after `iterations` iterations in one call.
    """
    width, shape, objective, generator_steps = EXPERIMENTS[experiment]
    random = np.random.RandomState(0)
    pixels = random.randint(0, 256, (IMAGES, *shape)).astype("uint8")
    rows = [random.randint(0, IMAGES, (iterations, BATCH)) for _ in range(3)]
    with strategy.scope() if strategy else contextlib.nullcontext():
        players = networks.EXPERIMENTS[experiment].build(
            1, width, reference_size=reference_size, cross_replica=cross_replica
        )
        images = DeviceImages(pixels, np.arange(IMAGES) % 10, (127.5, 127.5))
        initialize_from_data(players.discriminator, images.images(np.arange(IMAGES)))
        trainer = semi_supervised.Trainer(
            players,
            images,
            seed=1,
            generator_objective=objective,
            generator_steps=generator_steps,
            averaging_rate=0.1,
            cross_replica=cross_replica,
            **techniques,
        )
        if networks.EXPERIMENTS[experiment].initializes_generator:
            initialize_from_data(players.generator, trainer.draw_z(BATCH))
        losses, done = trainer.train(rows, LEARNING_RATE)
    assert done == iterations
    return trainer, losses


def state(trainer):
    """`{name: array}` of every parameter and average, as the first device holds it."""
    named = {}
    for model in (trainer.discriminator, trainer.generator):
        for number, weight in enumerate(model.weights):
            named[f"{model.name} {number} {weight.name}"] = np.asarray(weight.value)
    for number, average in enumerate(trainer.average.averages):
        named[f"average {number}"] = np.asarray(average)
    for player in ("discriminator", "generator"):
        history = getattr(trainer, f"{player}_history")
        # Not the remainders: they are rounding.
        for number, mean in enumerate([] if history is None else history.means):
            named[f"{player} mean {number}"] = np.asarray(mean)
    return named


def largest_difference(one, other):
    """The largest difference of two states, each array's relative to its largest number."""
    assert one.keys() == other.keys()
    return max(
        np.max(np.abs(one[name] - other[name])) / max(np.max(np.abs(one[name])), 1e-30)
        for name in one
    )

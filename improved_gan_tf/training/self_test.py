"""One iteration of each model against the original code's numbers, on this machine's devices.

`original_steps/*.npz` hold what the original code was given and computed, with widths divided by 8
and noise off: initial parameters as a recipe, images, latent numbers, losses, and the norm of every
parameter after the iteration. `tools/make_self_test.py` makes them from the tests' goldens.

Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*.py.
"""

import json
import pathlib
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from improved_gan_tf import networks, precision
from improved_gan_tf.data.device_images import Batch
from improved_gan_tf.layers.data_dependent import initialize_from_data
from improved_gan_tf.layers.dropout import Dropout
from improved_gan_tf.layers.noise import GaussianNoise
from improved_gan_tf.training.semi_supervised import Trainer

FOLDER = pathlib.Path(__file__).parent / "original_steps"
WIDTH_MULTIPLIER = 1 / 8
# The original's float64 against float32. Adam's first step is as long for a gradient that is all
# rounding as for any other: the norms of small parameters feel it.
LOSS_TOLERANCE = 1e-3
NORM_TOLERANCE = 2e-2

# From the original's layout of an array to that of ours.
LAYOUTS = {
    "same": lambda a: a,
    "convolution": lambda a: a.transpose(2, 3, 1, 0),
    "transposed": lambda a: a[:, :, ::-1, ::-1].transpose(2, 3, 1, 0),
    "pointwise": lambda a: a[None, None],
    "units": lambda a: np.moveaxis(a.reshape(-1, a.shape[-1] // 16, 4, 4), 1, -1).reshape(a.shape),
}


class Compared(NamedTuple):
    """One iteration of one model next to the original's."""

    model: str  # name of a file in `original_steps`
    losses: dict  # {name: (original's, ours)}
    loss_difference: float  # the largest relative one
    norm_difference: float  # the same, of the norms of all trained parameters after the iteration

    @property
    def is_right(self):
        """Whether the numbers agree as float32 can."""
        return self.loss_difference <= LOSS_TOLERANCE and self.norm_difference <= NORM_TOLERANCE


def models():
    """Names of the models that have stored numbers, like "mnist-feature_matching"."""
    return sorted(path.stem for path in FOLDER.glob("*.npz"))


def compare(model):
    """Runs one iteration in float32 where TensorFlow puts it; returns `Compared`.

    Args:
        model: one of `models()`.
    """
    with np.load(FOLDER / f"{model}.npz", allow_pickle=False) as file:
        stored = dict(file)
    tf.config.experimental.enable_tensor_float_32_execution(False)
    with precision.computing_in("float32"):
        return _compare(model, stored)


def _compare(model, stored):
    recipe = json.loads(str(stored["recipe"]))
    experiment = tuple(model.split("-"))
    players = networks.EXPERIMENTS[experiment].build(0, WIDTH_MULTIPLIER)
    for layer in players.discriminator.layers:
        if isinstance(layer, GaussianNoise):
            layer.stddev = 0.0
        if isinstance(layer, Dropout):
            layer.rate = 0.0
    weights = [*players.discriminator.weights, *players.generator.weights]
    assign_drawn(weights, recipe)
    initialize_from_data(players.discriminator, stored["init_x"])
    if networks.EXPERIMENTS[experiment].initializes_generator:
        initialize_from_data(players.generator, stored["init_z"])
    trainer = Trainer(
        players,
        None,
        seed=0,
        generator_objective=recipe["generator_objective"],
        generator_steps=recipe["generator_steps"],
    )
    latent = iter([stored["z_disc"], *stored["z_gen"]])
    trainer.draw_z = lambda count: tf.constant(next(latent))
    for optimizer in (trainer.discriminator_optimizer, trainer.generator_optimizer):
        optimizer.learning_rate.assign(recipe["learning_rate"])
    batch = Batch(*(tf.constant(stored[k]) for k in ("x_lab", "labels", "x_unl", "x_gen")))
    found = tf.function(trainer.step, autograph=False)(batch)
    names = ("supervised", "unsupervised", "generator")
    losses = {n: (float(stored[n]), float(getattr(found, n))) for n in names}
    norms = [np.linalg.norm(np.asarray(weights[i])) for i in recipe["norms_of"]]
    return Compared(
        model,
        losses,
        _largest_difference(losses.values()),
        _largest_difference(zip(stored["norms"], norms, strict=True)),
    )


def _largest_difference(pairs):
    """The largest relative difference of pairs (original's, ours); NaN if a number is."""
    return float(np.max([abs(ours - theirs) / abs(theirs) for theirs, ours in pairs]))


def assign_drawn(weights, recipe):
    """Draws the original's initial parameters and gives them to our weights."""
    random = np.random.RandomState(recipe["seed"])
    for draw in recipe["draws"]:
        drawn = random.normal(0, draw["stddev"], draw["shape"]).astype(np.float32)
        weights[draw["weight"]].assign(LAYOUTS[draw["layout"]](drawn))

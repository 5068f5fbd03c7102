"""The whole MNIST iteration against the original code, in float64.

Tolerance 1e-9: two correct float64 programs differ by rounding only. In float32 they part
ways at the first kink that falls on the other side of 0, so float32 is not compared.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import networks, training
from improved_gan_tf.initialization import initialize_from_data
from improved_gan_tf.layers import noise
from improved_gan_tf.layers.batch_statistics_norm import BatchStatisticsNorm
from improved_gan_tf.layers.weight_norm_dense import WeightNormDense
from tests.parity.original_step import OriginalStep

TOLERANCE = 1e-9


@pytest.fixture
def float64():
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


class InjectedNoise:
    """Stands in for `standard_normal`: hands out recorded draws in order, or zeros."""

    def __init__(self):
        self.queue = []

    def expect(self, *passes):
        """Queues the draws of passes that run as one batch, layer by layer."""
        self.queue = [np.concatenate(draws) for draws in zip(*passes, strict=True)]

    def __call__(self, shape, dtype, seed):
        if not self.queue:
            return tf.zeros(shape, dtype)
        drawn = self.queue.pop(0)
        assert tuple(shape) == drawn.shape
        return tf.constant(drawn, dtype)


def parameters_by_original_name(players):
    """`{original name: our variable}` for both MNIST players."""
    named = {}
    dense = [x for x in players.discriminator.layers if isinstance(x, WeightNormDense)]
    for index, layer in enumerate(dense):
        prefix = f"disc_L{2 + 2 * index:02d}_"
        named[prefix + "theta"] = layer.kernel
        named[prefix + "weight_scale"] = layer.scale
        named[prefix + "b"] = layer.bias
    kinds = (keras.layers.Dense, BatchStatisticsNorm, WeightNormDense)
    layers = [x for x in players.generator.layers if isinstance(x, kinds)]
    for index, layer in enumerate(layers, 1):
        prefix = f"gen_L{index:02d}_"
        if isinstance(layer, BatchStatisticsNorm):
            named[prefix + "b"] = layer.beta
            continue
        named[prefix + "W"] = layer.kernel
        if isinstance(layer, WeightNormDense):
            named[prefix + "b"] = layer.bias
            named[prefix + "W_scale"] = layer.scale
    return named


def images(array):
    return tf.constant(array.reshape(-1, 28, 28, 1))


@pytest.mark.parametrize("name", ["step_mnist_fm_thin_off", "step_mnist_fm_thin_inject"])
def test_three_iterations_equal_the_original(name, float64, monkeypatch):
    original = OriginalStep(name)
    injected = InjectedNoise()
    monkeypatch.setattr(noise, "standard_normal", injected)
    spec = networks.EXPERIMENTS["mnist", "feature_matching"]
    players = spec.build(seed=0, width_multiplier=1 / 8)
    ours = parameters_by_original_name(players)
    for key, value in original.initial_parameters().items():
        if "avg_batch" not in key:  # moving averages that the original never uses
            ours[key].assign(value)

    injected.expect(original.noise("init"))
    initialize_from_data(players.discriminator, images(original["init_x"]))
    for key, variable in ours.items():
        if f"p1/{key}" in original.arrays:
            original.assert_equal(f"p1/{key}", variable, TOLERANCE)

    trainer = training.Trainer(players, None, seed=0, generator_objective="feature_matching_l2")
    trainer.discriminator_optimizer.learning_rate = float(original["lr"])
    trainer.generator_optimizer.learning_rate = float(original["lr"])
    average_of = dict(
        zip(
            (str(n) for n in original["disc_trainable"]),
            _averages(trainer, ours, original),
            strict=True,
        )
    )
    for k in range(1, int(original["n_iter"]) + 1):
        check_iteration(original, f"it{k}", trainer, injected, ours, average_of)

    test = images(original["test_x"])
    raw = players.discriminator(test, training=False)["logits"]
    original.assert_equal("test_logits_raw", raw, TOLERANCE)
    averaged = spec.discriminator(0, 1 / 8)
    trainer.copy_average_to(averaged)
    logits = averaged(test, training=False)["logits"]
    original.assert_equal("test_logits_avg", logits, TOLERANCE)


def _averages(trainer, ours, original):
    """The average of each of the original's trainable parameters, in the original's order."""
    by_variable = {
        id(variable): average
        for variable, average in zip(
            trainer.average.variables, trainer.average.averages, strict=True
        )
    }
    return [by_variable[id(ours[str(name)])] for name in original["disc_trainable"]]


def check_iteration(original, it, trainer, injected, ours, average_of):
    z = [original[f"{it}/z_disc"], original[f"{it}/z_gen"]]
    trainer.draw_z = lambda count: tf.constant(z.pop(0))
    batch = training.Batch(
        images(original[f"{it}/x_lab"]),
        tf.constant(original[f"{it}/labels"]),
        images(original[f"{it}/x_unl"]),
        images(original[f"{it}/x_unl2"]),
    )
    passes = [original.noise(f"{it}/noise_{p}") for p in ("lab", "unl", "fake")]
    injected.expect(*passes)
    supervised, unsupervised, train_error = trainer._discriminator_step(batch)
    assert not injected.queue
    original.assert_equal(f"{it}/loss_lab", supervised, TOLERANCE)
    original.assert_equal(f"{it}/loss_unl", unsupervised, TOLERANCE)
    original.assert_equal(f"{it}/train_err", train_error, TOLERANCE)
    for key, average in average_of.items():
        original.assert_equal(f"{it}/after_disc/{key}", ours[key], TOLERANCE)
        original.assert_equal(f"{it}/avg/{key}", average, TOLERANCE)

    # The original stops below the output layer here; our unused last noise layer draws too.
    above = [np.zeros((batch.unlabeled.shape[0], 31))]
    real, fake = (original.noise(f"{it}/noise_{p}") for p in ("gunl", "gfake"))
    if real:
        injected.queue = [*real, *above, *fake, *above]
    loss = trainer._generator_step(batch.unlabeled_for_generator)
    assert not injected.queue
    original.assert_equal(f"{it}/loss_gen", loss, TOLERANCE)
    for key in map(str, original["gen_trainable"]):
        original.assert_equal(f"{it}/after_gen/{key}", ours[key], TOLERANCE)

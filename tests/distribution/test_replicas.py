"""Several replicas with a share of the batch each compute what one device does with all of it.

Noise and dropout are on. In float64 the numbers agree up to rounding, in float32 to 1e-5, but
where the true gradient is zero and Adam makes a step of the rounding's sign.
"""

import functools

import numpy as np
import pytest

from improved_gan_tf import distribution
from improved_gan_tf.data import datasets
from improved_gan_tf.runs import rescoring
from improved_gan_tf.training import evaluation
from tests.distribution import players
from tests.support.noise_runs import images, run, settings

pytestmark = pytest.mark.slow

MNIST = ("mnist", "feature_matching")
CIFAR = ("cifar10", "minibatch_discrimination")


def mirrored(replicas):
    return distribution.strategy_from("mirrored", replicas, None, players.BATCH)


@functools.cache
def one_device(experiment):
    trainer, losses = players.train(experiment)
    return players.state(trainer), losses


@pytest.mark.parametrize(("experiment", "replicas"), [(MNIST, 2), (MNIST, 4), (CIFAR, 2)])
def test_replicas_compute_the_update_of_one_device(experiment, replicas, float64):
    expected, expected_losses = one_device(experiment)
    trainer, losses = players.train(experiment, mirrored(replicas))
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-9)
    assert players.largest_difference(expected, players.state(trainer)) < 1e-9
    for weight in (*trainer.discriminator.weights, *trainer.generator.weights):
        copies = trainer._strategy.experimental_local_results(weight.value)
        assert len(copies) == replicas
        for copy in copies[1:]:
            np.testing.assert_array_equal(np.asarray(copy), np.asarray(copies[0]))


def test_replicas_compute_the_update_of_one_device_with_every_technique(float64):
    techniques = {
        "reference_size": 6,  # virtual batch normalization: every replica holds all of it
        "real_target": 0.9,
        "historical_averaging_weight": 5.0,
    }
    alone, expected_losses = players.train(MNIST, iterations=3, **techniques)
    trainer, losses = players.train(MNIST, mirrored(2), iterations=3, **techniques)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-9)
    expected = players.state(alone)
    assert players.largest_difference(expected, players.state(trainer)) < 1e-9
    # What the techniques are for: they change the parameters by more than that.
    without, _ = players.train(MNIST, iterations=3, reference_size=6, real_target=0.9)
    parameters = players.state(without)
    with_history = {name: expected[name] for name in parameters}
    assert players.largest_difference(parameters, with_history) > 1e-4
    for history in (trainer.discriminator_history, trainer.generator_history):
        for mean in history.means:
            copies = trainer._strategy.experimental_local_results(mean)
            np.testing.assert_array_equal(*(np.asarray(copy) for copy in copies))


def test_replicas_compute_the_baseline_of_one_device(float64):
    alone, expected = players.train(CIFAR, iterations=3, supervised_only=True)
    trainer, losses = players.train(CIFAR, mirrored(2), iterations=3, supervised_only=True)
    np.testing.assert_allclose(losses, expected, rtol=1e-9)
    assert players.largest_difference(players.state(alone), players.state(trainer)) < 1e-9


@pytest.mark.parametrize(("cross_replica", "batch"), [("global", 10), ("local", 5)])
def test_coupled_examples_are_tested_in_batches_of_the_size_they_are_trained_in(
    cross_replica, batch, tmp_path, monkeypatch
):
    sizes, predictor = [], evaluation.Predictor

    def record(discriminator, images, coupled_batch):
        sizes.append(coupled_batch)
        return predictor(discriminator, images, coupled_batch)

    monkeypatch.setattr(evaluation, "Predictor", record)
    monkeypatch.setattr(datasets, "load", lambda *arguments, **options: images("mnist"))
    config = settings(
        model="minibatch_discrimination",
        generator_objective="saturating",
        generator_steps=3,
        cross_replica=cross_replica,
        strategy="mirrored",
        num_devices=2,
        epochs=1,
    )
    with distribution.training_on("mirrored", 2, None, config.batch_size):
        assert run(config, tmp_path / "run")["final"]["test_batch"] == batch
    for recorded, now in rescoring.rescore(tmp_path / "run").values():
        assert recorded == now
    assert sizes == 4 * [batch]  # averaged and raw, in the run and scored again


def test_local_batches_are_another_algorithm(float64):
    expected, _ = one_device(MNIST)
    trainer, _ = players.train(MNIST, mirrored(2), "local")
    assert players.largest_difference(expected, players.state(trainer)) > 1e-3


def test_float32_differs_by_its_rounding():
    alone, expected = players.train(MNIST, iterations=2)
    trainer, losses = players.train(MNIST, mirrored(2), iterations=2)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    before, after = players.state(alone), players.state(trainer)
    assert players.largest_difference(before, after) < 1e-5

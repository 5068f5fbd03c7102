"""A step that XLA compiles computes the step up to rounding; a run records what it did."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import distribution
from improved_gan_tf.errors import UserError
from improved_gan_tf.runs import execution, resuming
from improved_gan_tf.runs.training_run import TrainingRun
from improved_gan_tf.training.trainer import GameTrainer
from tests.distribution import players
from tests.support.fake_game import FakeGame, after, settings, started


def fixed_numbers(shape, minval=0.0, maxval=1.0, dtype="float32", seed=None):
    """Stands in for `keras.random.uniform`, from which XLA's kernels draw other numbers."""
    numbers = tf.range(math.prod(shape), dtype=tf.int64) * 7919 % 10007
    return minval + (maxval - minval) * tf.cast(tf.reshape(numbers, shape), dtype) / 10007.0


def test_a_compiled_step_computes_the_step(float64, monkeypatch):
    experiment = ("mnist", "feature_matching")
    monkeypatch.setattr(keras.random, "uniform", fixed_numbers)
    plain, expected = players.train(experiment, iterations=1)
    keras.utils.clear_session(free_memory=False)  # for the same names of the variables
    train = GameTrainer.train

    def compiled(self, *args):
        self.jit_compile = True
        return train(self, *args)

    monkeypatch.setattr(GameTrainer, "train", compiled)
    trainer, losses = players.train(experiment, iterations=1)
    assert losses != expected  # else nothing was compiled
    np.testing.assert_allclose(losses, expected, rtol=1e-9)
    assert players.largest_difference(players.state(plain), players.state(trainer)) < 1e-9


def test_a_run_records_how_it_trained_and_says_when_it_goes_on_otherwise(tmp_path, capsys):
    run_dir = tmp_path / "run"
    with started(run_dir, deterministic=False) as run:
        assert run.game.trainer.jit_compile is False
        run.train(after(1))
        run.save_interrupted()
    with started(run_dir, jit_compile="true") as run:
        assert run.game.trainer.jit_compile is True
        run.train(after(None))
        result = run.write_result("finished")
    assert (result["versions"]["jit_compile"], result["versions"]["deterministic"]) == (True, True)
    (before,) = result["earlier_versions"]
    assert (before["jit_compile"], before["deterministic"]) == (False, False)
    warned = capsys.readouterr().err
    assert "written with jit_compile False (now True), deterministic False (now True)" in warned


def test_a_checkpoint_without_these_was_deterministic_and_not_compiled():
    assert resuming.with_defaults({"keras": "3"}) == {
        "keras": "3",
        "jit_compile": False,
        "deterministic": True,
    }


@pytest.mark.parametrize("deterministic", [True, False])
def test_determinism_is_asked_for_unless_it_is_given_up(deterministic, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(execution, "make_operations_deterministic", lambda: asked.append(True))
    config = settings(deterministic=deterministic)
    make_run = lambda: TrainingRun(config, FakeGame(), tmp_path / "run", [])  # noqa: E731
    execution.run_to_the_end(config, make_run, after(None))
    assert asked == [True] * deterministic
    assert not tf.config.experimental.tensor_float_32_execution_enabled()


def test_auto_compiles_nothing_and_several_replicas_cannot_be_compiled():
    assert [distribution.compiles_step("auto", n) for n in (1, 2)] == [False, False]
    assert distribution.compiles_step("true", 1)
    with pytest.raises(
        UserError, match=r"`jit_compile=true` compiles .* one device; .* 2 replicas"
    ):
        distribution.compiles_step("true", 2)

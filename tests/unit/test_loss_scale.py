"""A scaled loss changes no number, and a step whose gradients do not fit changes nothing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import precision
from improved_gan_tf.training import loss_scale
from improved_gan_tf.training.adam import Adam
from improved_gan_tf.training.historical_averaging import HistoricalAverage
from improved_gan_tf.training.loss_scale import LossScale, NoLossScale
from improved_gan_tf.training.parameter_average import ParameterAverage


class Player:
    """Two parameters with a loss that is a number times their sum of squares."""

    def __init__(self, scale):
        self.scale = scale
        self.variables = [
            keras.Variable([1.0, -2.0], dtype="float32"),
            keras.Variable([[3.0]], dtype="float32"),
        ]
        self.optimizer = Adam(0.1)
        self.optimizer.build(self.variables)
        self.average = ParameterAverage(self.variables, 0.25)
        self.history = HistoricalAverage(self.variables)
        self.step = tf.function(self._step)

    def state(self):
        own = [*self.average.averages, *self.history.state.values()]
        return [*self.variables, *self.optimizer.variables, *own]

    def _step(self, factor):
        with self.scale.step(self.state()):
            self.history.update()
            with tf.GradientTape() as tape:
                loss = factor * tf.add_n([tf.reduce_sum(v.value**2) for v in self.variables])
                loss = self.scale.scaled(loss + self.history.penalty())
            gradients = tape.gradient(loss, [v.value for v in self.variables])
            gradients = self.scale.unscaled(gradients)
            self.average.update()
            self.optimizer.apply(gradients, self.variables)

    def values(self):
        return [np.array(tf.convert_to_tensor(v)) for v in self.state()]


def assert_equal(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_checkpoint_holds_how_many_steps_have_fitted():
    player = Player(LossScale())
    for _ in range(3):
        player.step(tf.constant(1.0))
    scale, fitting_steps = (int(v) for v in player.scale.state)
    assert (scale, fitting_steps) == (int(player.scale.scale), 3)


def test_a_power_of_two_changes_no_bit():
    plain, scaled = Player(NoLossScale()), Player(LossScale())
    for factor in (1.0, 0.3, -2.0):
        for player in (plain, scaled):
            player.step(tf.constant(factor))
    assert_equal(plain.values(), scaled.values())
    assert float(scaled.scale.scale) == loss_scale.INITIAL_SCALE
    assert int(scaled.scale.fitting_steps) == 3


@pytest.mark.parametrize("wrong", [float("inf"), float("nan"), 1e37])
def test_a_step_that_does_not_fit_leaves_everything_as_it_was(wrong):
    player, twin = Player(LossScale()), Player(LossScale())
    for factor in (1.0, 0.3):
        player.step(tf.constant(factor))
        twin.step(tf.constant(factor))
    before = player.values()
    player.step(tf.constant(wrong))
    assert_equal(player.values(), before)
    assert float(player.scale.scale) == loss_scale.INITIAL_SCALE / 2
    assert int(player.scale.fitting_steps) == 0
    for each in (player, twin):
        each.step(tf.constant(0.7))
    assert_equal(player.values(), twin.values())


def test_the_scale_doubles_after_steps_that_fit_in_a_row(monkeypatch):
    monkeypatch.setattr(loss_scale, "STEPS_TO_DOUBLE", 3)
    player = Player(LossScale())
    scales = []
    for factor in (1.0, 1.0, float("inf"), 1.0, 1.0, 1.0, 1.0):
        player.step(tf.constant(factor))
        scales.append(float(player.scale.scale) / loss_scale.INITIAL_SCALE)
    assert scales == [1.0, 1.0, 0.5, 0.5, 0.5, 1.0, 1.0]


def test_a_scale_that_cannot_help_any_more_becomes_nan():
    player = Player(LossScale())
    player.scale.scale.assign(2 * loss_scale.SMALLEST_SCALE)
    before = player.values()
    scales = []
    for _ in range(3):
        player.step(tf.constant(float("nan")))
        scales.append(float(player.scale.scale))
    np.testing.assert_array_equal(scales, [loss_scale.SMALLEST_SCALE, np.nan, np.nan])
    assert_equal(player.values(), before)


@pytest.mark.parametrize("program", ["float32", "mixed_float16"])
def test_only_layers_in_float16_need_it_whatever_the_policy_of_the_program(program):
    def player(dtype):
        return keras.layers.Dense(1, dtype=dtype)

    kinds = {}
    with precision.computing_in(program):
        for name in ("float32", "float64", "mixed_bfloat16", "mixed_float16"):
            players = player("float32"), player(name)
            kinds[name] = type(loss_scale.loss_scale_for(players, "scale"))
    assert {name for name, kind in kinds.items() if kind is LossScale} == {"mixed_float16"}

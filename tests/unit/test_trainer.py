"""What the trainer of every game does, on a game of two numbers."""

from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf.training.loss_scale import LossScale
from improved_gan_tf.training.trainer import GameTrainer


class Losses(NamedTuple):
    """Of one iteration."""

    row: tf.Tensor
    drawn: tf.Tensor


class Number(keras.layers.Layer):
    """A player with one weight."""

    def __init__(self, name, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.weight = self.add_weight(shape=(), initializer="zeros", name="weight")


class OnTheDevice(GameTrainer):
    """Reads row numbers; the discriminator counts them, the generator stands still."""

    Losses = Losses

    def __init__(self, seed=1, dtypes=(None, None)):
        super().__init__(
            Number("generator", dtypes[0]),
            Number("discriminator", dtypes[1]),
            generator_optimizer=keras.optimizers.SGD(0.0),
            discriminator_optimizer=keras.optimizers.SGD(0.0),
            seed=seed,
        )

    def step_on(self, rows):
        row = tf.cast(tf.reduce_sum(rows), "float32")
        self.discriminator_optimizer.apply([-row], [self.discriminator.weight])
        return Losses(tf.math.log(row + 1.0), keras.random.uniform((), seed=self.noise_seed))


class FromAnIterator(OnTheDevice):
    """The same on data that comes from outside, with a state of its own."""

    def __init__(self):
        super().__init__()
        self.memory = tf.Variable(0.0, name="memory")

    def feed(self, rows):
        (rows,) = rows
        return iter(tf.data.Dataset.from_tensor_slices(rows))

    def minibatch(self, feed, i):
        return (next(feed),)

    def step_on(self, rows):
        self.memory.assign_add(1.0)
        return super().step_on(rows)

    def own_state(self):
        return {"memory": [self.memory]}


@pytest.fixture(params=[OnTheDevice, FromAnIterator])
def trainer(request):
    return request.param()


def rows(*numbers):
    """One array of rows, one image each."""
    return [np.array(numbers, "int32")[:, None]]


def test_every_iteration_sees_its_rows_at_the_learning_rate_of_the_call(trainer):
    sums, done = trainer.train(rows(1, 2, 3), 0.5)
    assert done == 3
    assert sums.row == pytest.approx(np.log(2) + np.log(3) + np.log(4), rel=1e-6)
    assert trainer.discriminator.weight.numpy() == 3.0
    trainer.train(rows(4), 0.25)
    assert trainer.discriminator.weight.numpy() == 4.0
    assert trainer.iterations() == 4


def test_sums_go_on_from_those_given(trainer):
    sums, _ = trainer.train(rows(1), 0.5, Losses(10.0, 20.0))
    assert sums.row == pytest.approx(10.0 + np.log(2), rel=1e-6)
    assert 20.0 < sums.drawn < 21.0


def test_one_graph_serves_calls_of_any_length(trainer):
    for numbers in ((1,), (1, 2), (1,), (3, 4, 5)):
        trainer.train(rows(*numbers), 0.5)
    (graph,) = trainer._graphs.values()
    assert graph.experimental_get_tracing_count() == 1


def test_another_batch_size_gets_a_graph_of_its_own(trainer):
    trainer.train(rows(1), 0.5)
    trainer.train([np.ones((2, 3), "int32")], 0.5)
    assert [g.experimental_get_tracing_count() for g in trainer._graphs.values()] == [1, 1]


def test_it_stops_behind_the_first_loss_that_is_not_finite(trainer):
    sums, done = trainer.train(rows(1, -1, 1), 0.5)
    assert done == 2
    assert not np.isfinite(sums.row)
    assert trainer.iterations() == 2


def test_the_state_has_players_optimizers_noise_and_what_the_game_adds():
    names = [name.split(".")[0] for name in FromAnIterator().state()]
    assert list(dict.fromkeys(names)) == [
        "generator",
        "discriminator",
        "generator_optimizer",
        "discriminator_optimizer",
        "noise",
        "memory",
    ]
    assert set(OnTheDevice().state()) == set(OnTheDevice().state())
    assert "noise.000.seed_generator_state" in OnTheDevice().state()


def test_variables_that_are_not_finite_are_named(trainer):
    assert trainer.not_finite() == []
    trainer.generator.weight.assign(float("nan"))
    assert trainer.not_finite() == ["generator.000.weight"]


def test_a_seed_decides_the_noise():
    one, same, other = (OnTheDevice(seed).train(rows(1), 0.5)[0].drawn for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize("half", [0, 1])
def test_one_player_in_float16_scales_the_losses_of_both(half):
    """Each loss passes through both players."""
    dtypes = ["float32", "float32"]
    dtypes[half] = "mixed_float16"
    trainer = OnTheDevice(dtypes=dtypes)
    assert isinstance(trainer.generator_loss_scale, LossScale)
    assert isinstance(trainer.discriminator_loss_scale, LossScale)


def test_a_game_without_a_step_cannot_be_made():
    class Nothing(GameTrainer):
        Losses = Losses

    with pytest.raises(TypeError, match="step_on"):
        Nothing(None, None, generator_optimizer=None, discriminator_optimizer=None, seed=1)

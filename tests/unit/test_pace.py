"""How long a run would take, from what was timed."""

import types

import numpy as np
import pytest

from improved_gan_tf.runs import dry_run, pace


class FakeTrainer:
    """An iteration takes 0.25 s, the first call 30 s more; counts the iterations of each call."""

    def __init__(self, clock):
        self.clock, self.calls = clock, []

    def train(self, rows, learning_rate):
        self.clock.now += 0.25 * len(rows[0]) + (0 if self.calls else 30.0)
        self.calls.append(len(rows[0]))


@pytest.fixture
def clock(monkeypatch):
    clock = types.SimpleNamespace(now=0.0)
    monkeypatch.setattr(pace.time, "monotonic", lambda: clock.now)
    return clock


def test_the_first_call_of_anything_does_not_count(clock):
    trainer = FakeTrainer(clock)
    evaluations = iter([4.0, 0.5])  # the first one traces

    def evaluate():
        clock.now += next(evaluations)

    found = pace.measure(trainer, (np.zeros((600, 5)),) * 2, 0.1, evaluate)
    assert found == (0.25, 0.5)
    assert trainer.calls == [1, 1, 2, 4, 8, 16]  # until five seconds are over


def test_a_short_epoch_is_enough_and_a_slow_evaluation_is_made_once(clock):
    trainer, evaluations = FakeTrainer(clock), []

    def evaluate():
        evaluations.append(1)
        clock.now += 60.0

    found = pace.measure(trainer, (np.zeros((3, 5)),), 0.1, evaluate)
    assert found == (0.25, 60.0)
    assert trainer.calls == [1, 1, 2, 3]
    assert len(evaluations) == 1


def test_a_game_without_evaluation_takes_its_iterations(clock):
    assert pace.measure(FakeTrainer(clock), (np.zeros((3, 5)),), 0.1) == (0.25, 0.0)


@pytest.mark.parametrize(("every", "evaluations"), [(1, 25), (10, 3), (25, 1), (100, 1)])
def test_a_run_takes_its_epochs_and_its_evaluations(every, evaluations):
    config = types.SimpleNamespace(epochs=25, evaluate_every=every)
    expected = 25 * 600 * 0.1 + evaluations * 2.0
    assert pace.run_seconds(config, 600, pace.Pace(0.1, 2.0)) == pytest.approx(expected)


def test_several_runs_take_their_sum_and_other_devices_are_told():
    config = types.SimpleNamespace(strategy="auto", num_devices=None)
    text = dry_run.time_text(config, pace.Pace(0.1, 2.0), [86_400.0] * 40)
    assert text == (
        "Timed here: 100 ms an iteration, 2.0 s an evaluation. At this pace 40 runs in sequence "
        "take about 40 days."
    )
    config.strategy = "mirrored"
    text = dry_run.time_text(config, pace.Pace(0.1, 0.0), [50.0])
    assert text == (
        "Timed here: 100 ms an iteration. At this pace the run takes about 50 seconds. One device "
        "was timed; several may be faster."
    )

"""How long a run would take, from what was timed."""

import dataclasses
import math
import re
import types

import numpy as np
import pytest

from improved_gan_tf.runs import dry_run, pace
from tests.support import dcgan_games as small_dcgan


class FakeTrainer:
    """An iteration takes 0.25 s, the first call 30 s more; counts the iterations of each call."""

    def __init__(self, clock):
        self.clock, self.calls, self.most = clock, [], math.inf

    def train(self, rows, learning_rate):
        done = min(len(rows[0]), self.most)
        self.clock.now += 0.25 * done + (0 if self.calls else 30.0)
        self.calls.append(len(rows[0]))
        return None, done


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


def test_iterations_that_a_loss_prevented_are_not_counted(clock):
    trainer = FakeTrainer(clock)
    trainer.most = 3  # then a loss is not finite
    assert pace.measure(trainer, (np.zeros((600, 5)),), 0.1) == (0.25, 0.0)
    assert trainer.calls == [1, 1, 2, 4]


def test_a_game_without_evaluation_takes_its_iterations(clock):
    assert pace.measure(FakeTrainer(clock), (np.zeros((3, 5)),), 0.1) == (0.25, 0.0)


@pytest.mark.parametrize(("every", "evaluations"), [(1, 25), (10, 3), (25, 1), (100, 1)])
def test_a_run_takes_its_epochs_and_its_evaluations(every, evaluations):
    config = types.SimpleNamespace(epochs=25, evaluate_every=every)
    expected = 25 * 600 * 0.1 + evaluations * 2.0
    assert pace.run_seconds(config, 600, pace.Pace(0.1, 2.0)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("done", "iterations", "evaluations"),
    [(0, 15_000, 3), (5_999, 9_001, 3), (6_000, 9_000, 2), (14_999, 1, 1), (15_000, 0, 0)],
)
def test_a_run_that_goes_on_takes_what_is_left(done, iterations, evaluations):
    config = types.SimpleNamespace(epochs=25, evaluate_every=10)
    expected = iterations * 0.1 + evaluations * 2.0
    found = pace.run_seconds(config, 600, pace.Pace(0.1, 2.0), done)
    assert found == pytest.approx(expected)


def test_several_runs_take_their_sum_and_other_devices_are_told():
    config = types.SimpleNamespace(strategy="auto", num_devices=None)
    text = dry_run.time_text(config, pace.Pace(0.1, 2.0), [dry_run.Left(86_400.0, 0)] * 40)
    assert text == (
        "Timed here: 100 ms an iteration, 2.0 s an evaluation. At this pace 40 runs in sequence "
        "take about 40 days."
    )
    config.strategy = "mirrored"
    text = dry_run.time_text(config, pace.Pace(0.1, 0.0), [dry_run.Left(50.0, 0)])
    assert text == (
        "Timed here: 100 ms an iteration. At this pace the run takes about 50 seconds. One device "
        "was timed; several may be faster."
    )


def test_a_dcgans_game_is_timed_on_a_pattern_and_the_images_stay_unread(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(pace, "SECONDS", 0.0)
    config = small_dcgan.settings(minibatch_discrimination=2, conditional="cgan", epochs=3)
    images = types.SimpleNamespace(count=24, num_classes=3, channels=1, description="photos")
    dry_run.print_dcgan_dry_run([config] * 2, config, images, "runs")
    printed = capsys.readouterr().out
    assert "Would train 2 runs on photos: 3 epochs of 6 iterations, and write runs." in printed
    assert re.search(r"Timed here: .* ms an iteration\. At this pace 2 runs in sequence", printed)
    folder = tmp_path / "seed1" / "checkpoints"
    folder.mkdir(parents=True)
    for iterations in (9, 10):
        (folder / f"checkpoint-{iterations:09d}.npz").touch()
    begun = dataclasses.replace(config, run_dir=str(tmp_path / "seed1"))
    dry_run.print_dcgan_dry_run([begun, config], config, images, tmp_path)
    left = "At this pace what is left after the 10 iterations done takes about"
    assert left in capsys.readouterr().out
    begun = dataclasses.replace(begun, overwrite=True)
    dry_run.print_dcgan_dry_run([begun], config, images, tmp_path)
    assert "At this pace the run takes about" in capsys.readouterr().out
    dry_run.print_dcgan_dry_run([], config, images, "runs")
    assert capsys.readouterr().out == (
        "\nAll runs in runs have ended. Nothing was saved (--dry_run).\n"
    )

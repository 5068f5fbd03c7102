"""When a run counts as collapsed."""

import dataclasses
import types

import pytest

import run_mnist
from improved_gan_tf.runs import semi_supervised
from improved_gan_tf.runs.health import (
    collapse_text,
    collapsed_at,
    is_alike,
    is_collapsed,
    recovered_at,
)


@pytest.mark.parametrize(
    ("losses", "epoch"),
    [
        ([], None),
        ([0.3], None),
        ([0.3, 0.01, 0.01], 1),  # two epochs in a row: the first is named
        ([0.3, 0.3, 0.02, 0.02, 0.02], 2),  # and it does not move
        ([0.3, 0.01], None),  # one low epoch is none yet
        ([0.3, 0.01, 0.3, 0.01], None),  # not in a row
        ([0.3, 0.01, 0.3, 0.01, 0.01], 3),
        ([0.01, 0.01, 0.01], 0),
        ([0.01, 0.2, 0.3], None),
        ([0.0901, 0.0116, 0.0056, 0.0036], 1),  # released, seed 2: it never had a game
        ([0.0664, 0.0603, 0.1036], None),  # the lowest beginning of a healthy run
        ([0.3, 0.03, 0.03], None),  # below 0.03, not at it
        ([0.3, 0.0299, 0.0299], 1),
        ([0.3, 0.01, 0.01, 0.5, 0.5], 1),  # a recovery does not undo it
        ([0.3, float("nan"), 0.01], None),
    ],
)
def test_a_run_collapses_at_the_first_of_two_low_epochs(losses, epoch):
    assert collapsed_at(losses) == epoch


@pytest.mark.parametrize(
    ("losses", "epoch"),
    [
        ([0.3, 0.2, 0.4], None),  # never lost
        ([0.3, 0.01, 0.01], None),
        ([0.3, 0.01, 0.01, 0.5], None),  # one epoch says nothing yet
        ([0.3, 0.01, 0.01, 0.5, 0.5], 3),
        ([0.01, 0.01, 0.5, 0.5, 0.02, 0.4, 0.4], 5),  # one low epoch on the way
        ([0.01, 0.01, 0.5, 0.5, 0.02], None),
        ([0.01, 0.01, 0.03, 0.03], 2),  # at the threshold
    ],
)
def test_a_lost_game_has_recovered_from_the_epoch_after_the_last_low_one(losses, epoch):
    assert recovered_at(losses) == epoch


@pytest.mark.parametrize(
    ("final", "text"),
    [
        ({}, ""),  # a game without the criterion
        ({"collapsed_at_epoch": None, "recovered_at_epoch": None}, ""),
        ({"collapsed_at_epoch": 3}, "epoch 4"),  # a run of an earlier version
        ({"collapsed_at_epoch": 0, "recovered_at_epoch": 7}, "epoch 1, recovered in epoch 8"),
    ],
)
def test_a_collapse_is_told_with_its_end(final, text):
    assert collapse_text(final) == text


def test_the_answer_does_not_change_as_epochs_are_added():
    losses = [0.2, 0.3, 0.02, 0.4, 0.01, 0.005, 0.001, 0.2]
    answers = [collapsed_at(losses[:n]) for n in range(1, len(losses) + 1)]
    assert answers == [None, None, None, None, None, 4, 4, 4]


def test_a_run_is_collapsed_until_it_has_come_back():
    losses = [0.4, 0.01, 0.01, 0.3, 0.4, 0.01, 0.4]
    answers = [is_collapsed(losses[:n]) for n in range(1, len(losses) + 1)]
    assert answers == [False, False, True, True, False, False, False]
    assert is_collapsed([0.01, 0.01, 0.4, 0.4, 0.01, 0.01])


def test_samples_are_alike_while_the_last_two_evaluations_say_so():
    spreads = [0.5, 0.05, None, 0.04, None, 0.3]
    answers = [is_alike(spreads[:n]) for n in range(1, len(spreads) + 1)]
    assert answers == [False, False, False, True, True, False]


def test_the_measurements_of_an_epoch_say_whether_the_run_is_collapsed_then():
    game = object.__new__(semi_supervised.SemiSupervisedGame)
    game.config = run_mnist.EXPERIMENT
    game.dataset = types.SimpleNamespace(test_labels=range(10))
    game.watches_closeness = False
    for losses, collapsed in (([0.4, 0.01, 0.01], True), ([0.01, 0.01, 0.4, 0.4], False)):
        history = [{"loss_unsupervised": loss} for loss in losses]
        assert game.measured(history, {})["collapsed"] is collapsed


def collapsed_at_epoch(losses, **settings):
    """What the game of a record says of the epochs' unsupervised losses."""
    game = object.__new__(semi_supervised.SemiSupervisedGame)
    game.config = dataclasses.replace(run_mnist.EXPERIMENT, **settings)
    return game.collapsed_at_epoch([{"loss_unsupervised": loss} for loss in losses])


def test_what_label_smoothing_adds_to_the_loss_does_not_hide_a_collapse():
    smoothed = [0.5, 0.4, 0.17, 0.165]  # with a target of 0.9 no loss is below 0.1625
    assert collapsed_at_epoch(smoothed) is None
    assert collapsed_at_epoch(smoothed, real_target=0.9) == 2
    assert collapsed_at_epoch([0.5, 0.4, 0.3, 0.3], real_target=0.9) is None


def test_a_supervised_run_has_no_game_to_lose():
    assert collapsed_at_epoch([0.5, 0.0, 0.0], supervised_only=True) is None

"""How long a run would take on this machine, from a few of its iterations and one evaluation."""

import time
from typing import NamedTuple

SECONDS = 5.0  # how long iterations are timed


class Pace(NamedTuple):
    """What was timed, in seconds."""

    iteration: float
    evaluation: float  # 0 for a game without one


def measure(trainer, rows, learning_rate, evaluate=None):
    """Trains some iterations and evaluates; returns the `Pace`. What was trained is of no use.

    Args:
        trainer: `training.trainer.GameTrainer`, newly made.
        rows: integer arrays (iterations, batch_size) of one epoch.
        learning_rate: float.
        evaluate: function without arguments, or None.
    """
    count, available = 1, len(rows[0])
    trainer.train([r[:1] for r in rows], learning_rate)  # traces and compiles
    begin = time.monotonic()
    while True:
        (_, done), seconds = _timed(
            lambda count=count: trainer.train([r[:count] for r in rows], learning_rate)
        )
        # A loss that is not finite ends a call early.
        if time.monotonic() - begin > SECONDS or count == available or done < count:
            break
        count = min(2 * count, available)
    evaluation = 0.0
    if evaluate is not None:
        _, evaluation = _timed(evaluate)
        if evaluation < SECONDS:  # most of which was the first call's
            _, evaluation = _timed(evaluate)
    return Pace(seconds / done, evaluation)


def _timed(function):
    begin = time.monotonic()
    result = function()
    return result, time.monotonic() - begin


def run_seconds(config, iterations, pace, done=0):
    """How long a run of `config` takes: epochs of `iterations` each, and its evaluations.

    `done` iterations of it have been run.
    """
    evaluations = -(-config.epochs // config.evaluate_every)
    if done >= config.epochs * iterations:
        return 0.0
    evaluations -= done // iterations // config.evaluate_every
    return (config.epochs * iterations - done) * pace.iteration + evaluations * pace.evaluation


def text(seconds):
    """A duration in words with two digits, like "3.2 hours".

    >>> [text(s) for s in (2.04, 100, 5000, 90_000, 500_000)]
    ['2.0 seconds', '1.7 minutes', '83 minutes', '25 hours', '5.8 days']
    """
    if seconds < 90:
        number, unit = seconds, "seconds"
    elif seconds < 90 * 60:
        number, unit = seconds / 60, "minutes"
    elif seconds < 48 * 3600:
        number, unit = seconds / 3600, "hours"
    else:
        number, unit = seconds / 86_400, "days"
    return f"{number:.{1 if number < 10 else 0}f} {unit}"

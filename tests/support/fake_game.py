"""A game of plain Python: one number, which every iteration moves by the learning rate."""

import contextlib
import dataclasses
from typing import NamedTuple

import numpy as np

import run_mnist
from improved_gan_tf.runs.epoch_table import Column
from improved_gan_tf.runs.game import Evaluation
from improved_gan_tf.runs.training_run import TrainingRun

ITERATIONS = 5  # of an epoch


class Number:
    """What a checkpoint needs of a variable."""

    shape, dtype = (), np.dtype("float64")

    def __init__(self):
        self.value = 0.0

    def numpy(self):
        return np.float64(self.value)

    def assign(self, value):
        self.value = float(value)


class FakeLosses(NamedTuple):
    first: float
    train_error: float


class FakeTrainer:
    """Moves its number by the learning rate times the row; its loss is the number."""

    Losses = FakeLosses
    measures = ("train_error",)

    def __init__(self):
        self.number, self.done = Number(), Number()
        self.calls = []  # (rows, learning rate) of each
        self.broken_after = None  # iterations after which a variable is not finite
        self.losses_broken_after = None  # the same of the loss

    def train(self, rows, learning_rate, sums):
        (rows,) = rows
        self.calls.append((rows.ravel().tolist(), learning_rate))
        sums = list(sums)
        for count, row in enumerate(rows, 1):
            self.number.value += learning_rate * float(row[0])
            self.done.value += 1
            lost = self.done.value == self.losses_broken_after
            sums[0] += float("nan") if lost else self.number.value
            sums[1] += 0.5
            if lost:
                return FakeLosses(*sums), count
        return FakeLosses(*sums), len(rows)

    def state(self):
        return {"number": self.number, "done": self.done}

    def not_finite(self):
        broken = self.broken_after is not None and self.done.value >= self.broken_after
        return ["number", "bias", "scale", "done"] if broken else []

    def iterations(self):
        return int(self.done.value)


class FakeEpochs:
    """Rows that tell the epoch and the iteration: 12 is iteration 2 of epoch 1."""

    iterations = ITERATIONS

    def __call__(self, epoch):
        return (10 * epoch + np.arange(ITERATIONS)[:, None],)


class FakeGame:
    """A `Game` that keeps a record of what it was asked."""

    def __init__(self):
        self.epochs = FakeEpochs()
        self.data = "the data"
        self.evaluated_at = []  # iterations done at each evaluation

    def title(self):
        return "a fake"

    def circumstances(self):
        return {"data": self.data}

    def prepare(self):
        self.trainer = FakeTrainer()

    def evaluate(self):
        self.evaluated_at.append(self.trainer.iterations())
        number = self.trainer.number.value
        return Evaluation({"found": number}, {"predicted": np.array([number])})

    def measured(self, history, numbers):
        return {"test_error": None if numbers is None else numbers["found"], "past": len(history)}

    def models(self):
        return {}

    def more_pictures(self):
        return {}

    def sample_images(self):
        return np.full((100, 1, 1, 1), min(255, self.trainer.iterations()), "uint8")

    def final(self, history, numbers):
        return {"found": numbers.get("found"), "past": len(history)}

    def columns(self):
        return [Column("test", "error", "test_error", with_best=True)]

    def remarks(self, metrics):
        return ["ODD"] if metrics["epoch"] % 2 == 0 else []


def settings(**changes):
    """A run of 3 epochs, evaluated after the second and the third."""
    values = {"epochs": 3, "evaluate_every": 2, "learning_rate": 1.0, "run_dir": None}
    values |= {"checkpoint_every": "1000 epochs", "keep_checkpoints": 100}
    return dataclasses.replace(run_mnist.EXPERIMENT, **{**values, **changes})


@contextlib.contextmanager
def started(run_dir, game=None, **changes):
    """A `TrainingRun` of the fake game that has been started; closed in the end."""
    run = TrainingRun(settings(**changes), game or FakeGame(), run_dir, ["it is a fake"])
    run.start()
    with contextlib.closing(run):
        yield run


def after(calls):
    """A request to stop that comes after some calls of the training loop; None for never."""
    left = iter([False] * (calls - 1)) if calls else None
    return lambda: False if left is None else next(left, True)

"""What a training run has to know of its game: what is trained, measured and saved."""

from typing import NamedTuple, Protocol

import numpy as np

from improved_gan_tf.runs.epoch_table import Column
from improved_gan_tf.training.trainer import GameTrainer


class Evaluation(NamedTuple):
    """What an evaluation found."""

    numbers: dict  # JSON types, kept with the run's progress; no key is a field of `Progress`
    predictions: dict  # `{name: array}`, written to predictions.npz if there are any


class Epochs(Protocol):
    """The rows of every epoch, the same whenever they are asked for."""

    iterations: int  # of an epoch

    def __call__(self, epoch: int) -> tuple[np.ndarray, ...]:
        """Integer arrays (iterations, batch_size) of `epoch`, counted from 0, for the trainer."""


class Game(Protocol):
    """One game of two players on one data set. `training_run.TrainingRun` decides when.

    Its constructor checks the settings and the data, and writes nothing into the run folder. The
    order of the calls: `title` and `circumstances` at any time, `prepare` once, then the others.

    Attributes:
        epochs: which rows the trainer is given, epoch by epoch.
        trainer: plays the game; there from `prepare` on.
    """

    epochs: Epochs
    trainer: GameTrainer

    def title(self) -> str:
        """What is trained, in one line."""

    def circumstances(self) -> dict:
        """What decides the numbers and is no setting, like a digest of the data; JSON types.

        A checkpoint is continued under the same circumstances only.
        """

    def prepare(self) -> None:
        """Makes all that training needs; the state is then that of iteration 0."""

    def evaluate(self) -> Evaluation:
        """Measures the present state, and changes nothing that training uses."""

    def measured(self, history: list[dict], numbers: dict | None) -> dict:
        """What the metrics of the last epoch hold beside losses and time; JSON types.

        Args:
            history: the metrics of all epochs; the last ones still lack what is returned here.
            numbers: those of the epoch's evaluation, None if it has none.
        """

    def models(self) -> dict:
        """`{name: model}` to save as NAME.keras, as the last evaluation measured them."""

    def sample_images(self) -> np.ndarray | None:
        """The same 100 points of the noise as images, uint8 (100, H, W, C); None without them."""

    def final(self, history: list[dict], numbers: dict) -> dict:
        """What result.json says of the end, beside what every run says; JSON types.

        Args:
            history: the metrics of all epochs.
            numbers: those of the last evaluation, {} if there was none.
        """

    def columns(self) -> list[Column]:
        """The numbers of `measured` and of the losses that the table of epochs shows."""

    def remarks(self, metrics: dict) -> list[str]:
        """Short texts to set behind an epoch's line, where something went wrong in it."""

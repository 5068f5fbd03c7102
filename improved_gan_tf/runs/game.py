"""The interface between a training run and its game: what is trained, measured and saved."""

from typing import NamedTuple, Protocol

import numpy as np

from improved_gan_tf.runs.epoch_table import Column
from improved_gan_tf.training.trainer import GameTrainer


class Evaluation(NamedTuple):
    """The result of an evaluation."""

    numbers: dict  # JSON types, kept with the run's progress; no key is a field of `Progress`
    predictions: dict  # `{name: array}`, written to predictions.npz if not empty


class Epochs(Protocol):
    """The rows of every epoch, the same at every call."""

    iterations: int  # per epoch

    def __call__(self, epoch: int) -> tuple[np.ndarray, ...]:
        """Integer arrays (iterations, batch_size) of `epoch`, counted from 0, for the trainer."""


class Game(Protocol):
    """One game of two players on one data set; `training_run.TrainingRun` runs it.

    The constructor checks the settings and the data, and writes nothing into the run folder.
    `title` and `circumstances` may be called at any time, the other methods after one `prepare`.

    Attributes:
        epochs: the rows for the trainer, epoch by epoch.
        trainer: plays the game; exists from `prepare` on.
    """

    epochs: Epochs
    trainer: GameTrainer

    def title(self) -> str:
        """What is trained, in one line."""

    def circumstances(self) -> dict:
        """What decides the numbers but is no setting, like a digest of the data; JSON types.

        A checkpoint is continued under the same circumstances only.
        """

    def prepare(self) -> None:
        """Makes everything that training needs, in the state of iteration 0."""

    def evaluate(self) -> Evaluation:
        """Measures the current state without changing anything that training uses."""

    def measured(self, history: list[dict], numbers: dict | None) -> dict:
        """The last epoch's metrics other than losses and time; JSON types.

        Args:
            history: the metrics of all epochs; the last ones still lack this result.
            numbers: from the epoch's evaluation, None without one.
        """

    def models(self) -> dict:
        """`{name: model}` to save as NAME.keras, as the last evaluation measured them."""

    def sample_images(self) -> np.ndarray | None:
        """Images of 100 fixed points of the noise, uint8 (100, H, W, C); None without them."""

    def more_pictures(self) -> dict:
        """`{name: images}` of other grids, each like `sample_images`, in folders of that name."""

    def final(self, history: list[dict], numbers: dict) -> dict:
        """The game's part of result.json; JSON types.

        Args:
            history: the metrics of all epochs.
            numbers: from the last evaluation, {} if there was none.
        """

    def columns(self) -> list[Column]:
        """The columns of the epoch table, from `measured` and the losses."""

    def remarks(self, metrics: dict) -> list[str]:
        """Short texts after an epoch's line that say what went wrong in it."""

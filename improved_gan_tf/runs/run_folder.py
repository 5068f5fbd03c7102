"""The run folder: all files of a run; nothing is written elsewhere.

config.json             the resolved settings
metrics.jsonl           one line of numbers per epoch
tensorboard/            the same as TensorBoard events (tags loss/, error/, ...), with sample grids
samples/epoch_0010.png  10 x 10 generated images per evaluation
interpolations/         the same of points on the way from one z to another (DCGAN's games)
curves.png              losses and errors over the epochs
checkpoints/            all that is needed to continue; see `checkpoints`
predictions.npz         test-set logits (averaged and raw parameters) and labels
discriminator.keras     with averaged parameters, where an average is kept
discriminator_raw.keras with the raw parameters
generator.keras
generator_frozen.keras  with frozen batch statistics, to sample from; see `frozen_generator`
result.json             settings, versions, git commit, final numbers, wall time
"""

import json
import pathlib
import re

import numpy as np
import tensorflow as tf
from PIL import Image

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files
from improved_gan_tf.machine.files import write_json
from improved_gan_tf.machine.keras_files import write_model
from improved_gan_tf.runs.curves import curves_figure


def image_grid(images, columns=10):
    """Tiles uint8 images (N, H, W, C) row by row with a two-pixel border.

    C is 1 or 3, N a multiple of `columns`. Returns uint8
    (rows * (H + 2) + 2, columns * (W + 2) + 2, C).
    """
    n, height, width, channels = images.shape
    rows = n // columns
    # D25: the original stretches the contrast of its grid.
    grid = np.full((rows, height + 2, columns, width + 2, channels), 128, np.uint8)
    tiles = images.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    grid[:, :height, :, :width] = tiles
    grid = grid.reshape(rows * (height + 2), columns * (width + 2), channels)
    return np.pad(grid, ((2, 0), (2, 0), (0, 0)), constant_values=128)


def tensorboard_tag(name):
    """A metric's name in TensorBoard, which shows what stands before the slash as a group.

    >>> [tensorboard_tag(n) for n in ("loss_generator", "test_error_raw", "closeness_real")]
    ['loss/generator', 'error/test_raw', 'closeness/real']
    >>> [tensorboard_tag(n) for n in ("train_error", "learning_rate")]
    ['error/train', 'epoch/learning_rate']
    """
    for group in ("loss", "closeness"):
        if name.startswith(f"{group}_"):
            return f"{group}/{name.removeprefix(f'{group}_')}"
    if "error" in name:
        return "error/" + name.replace("_error", "")
    return f"epoch/{name}"


# Errors of failed writes by Python, TensorBoard's writer, and HDF5 in `model.save`.
_written = files.persistent(OSError, tf.errors.OpError)


class RunFolder:
    """One run's folder, locked for other processes until it is closed.

    Args:
        path: the folder; created.
        overwrite: bool, whether a non-empty folder is moved aside instead of used.

    Raises:
        UserError: the folder cannot be written, or another process is using it.
    """

    def __init__(self, path, overwrite=False):
        self.path = pathlib.Path(path)
        self._folder = self.path.resolve()  # a link to a folder stays one
        self._events = None
        self._metrics_size = 0  # bytes of metrics.jsonl
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = files.FolderLock(self._folder)
            if overwrite and not files.holds_nothing(self.path):
                self._move_aside()
        except OSError as error:
            raise UserError(
                f"--run_dir={path} cannot be written: {error.strerror or error}."
            ) from error

    def _move_aside(self):
        try:
            self._lock.move_folder(_name_aside(self._folder, self.path))
        finally:
            self._lock.close()
        self._folder.mkdir()
        self._lock = files.FolderLock(self._folder)

    @_written
    def begin(self, config, history):
        """Resets the folder to its state after `history`, the metrics appended so far.

        TensorBoard's events of later epochs stay, and come a second time.

        `config` holds the resolved settings.
        """
        # Written first: it marks the folder as a run's.
        self.write_json("config.json", config)
        self._set_aside(len(history))
        grids = [self.path / name for name in ("samples", "interpolations")]
        files.remove_leftovers(self.path, *grids, self.path / "checkpoints")
        for picture in (p for folder in grids for p in folder.glob("epoch_*.png")):
            if _is_later(picture, len(history)):
                picture.unlink()
        lines = "".join(json.dumps(metrics) + "\n" for metrics in history)
        metrics_file = self.path / "metrics.jsonl"
        if history or metrics_file.exists():
            files.write_whole(metrics_file, lambda p: p.write_text(lines, "utf-8"))
        self._metrics_size = len(lines.encode("utf-8"))

    def _set_aside(self, epochs):
        """Renames the result and score of a finished run that goes on.

        The result of an interrupted run stays, because it says that it is interrupted.
        """
        result = self.path / "result.json"
        content = json.loads(result.read_text("utf-8")) if result.exists() else {}
        if content.get("status") == "finished":
            # Not the epoch from which it continues: the newest checkpoint may have been damaged.
            epochs = content["final"]["epochs"]
            result.rename(_unused(self.path / f"result.epochs{epochs}.json"))
        if (self.path / "score.json").exists():
            (self.path / "score.json").rename(_unused(self.path / f"score.epochs{epochs}.json"))

    @_written
    def write_json(self, name, content):
        """Writes a JSON file, whole or not at all."""
        write_json(self.path / name, content)

    @_written
    def append_metrics(self, metrics):
        """Adds one line to metrics.jsonl and the same numbers to TensorBoard."""
        line = (json.dumps(metrics) + "\n").encode("utf-8")
        with open(self.path / "metrics.jsonl", "ab") as file:
            file.truncate(self._metrics_size)  # removes what a failed try left
            file.write(line)
        with self._event_writer().as_default(step=metrics["epoch"]):
            for name, value in metrics.items():
                if isinstance(value, float):
                    tf.summary.scalar(tensorboard_tag(name), value)
        self._events.flush()
        self._metrics_size += len(line)

    @_written
    def write_samples(self, images, epoch, interrupted=False, folder="samples"):
        """Writes a 10 x 10 grid of uint8 (100, H, W, C) as PNG in `folder` and to TensorBoard.

        `epoch` counts finished epochs; `interrupted` gives the grid of a run that was stopped
        another name, and `begin` removes it.
        """
        name = f"epoch_{epoch:04d}{'_interrupted' if interrupted else ''}.png"
        (self.path / folder).mkdir(exist_ok=True)
        grid = image_grid(images)
        picture = Image.fromarray(grid[:, :, 0] if grid.shape[-1] == 1 else grid)
        files.write_whole(
            self.path / folder / name,
            lambda p: picture.save(p, format="PNG"),
        )
        # As the numbers of an epoch, which counts from 0 there; an interrupted one has not ended.
        with self._event_writer().as_default(step=epoch if interrupted else epoch - 1):
            tf.summary.image(folder, grid[None])
        self._events.flush()

    @_written
    def write_models(self, models):
        """Saves each `{name: model}` as `NAME.keras`, whole or not at all."""
        for name, model in models.items():
            write_model(self.path / f"{name}.keras", model)

    @_written
    def write_predictions(self, **arrays):
        """Saves test-set predictions; read them with `numpy.load(..., allow_pickle=False)`."""

        def save(path):
            with open(path, "wb") as file:
                np.savez_compressed(file, **arrays)

        files.write_whole(self.path / "predictions.npz", save)

    @_written
    def write_curves(self, history, title):
        """Draws losses and errors over the epochs from the appended metrics."""
        figure = curves_figure(history, title)
        files.write_whole(
            self.path / "curves.png", lambda p: figure.savefig(p, format="png", dpi=110)
        )

    def close(self):
        """Closes the TensorBoard file and unlocks the folder."""
        if self._events is not None:
            self._events.close()
        self._lock.close()

    def _event_writer(self):
        if self._events is None:
            self._events = tf.summary.create_file_writer(str(self.path / "tensorboard"))
        return self._events


def _is_later(picture, epochs):
    """Whether a grid, `epoch_0010.png`, shows the state after more epochs, or within one."""
    number = re.fullmatch(r"epoch_(\d+)(_interrupted)?", picture.stem)
    return number is not None and (number[2] is not None or int(number[1]) > epochs)


def _unused(path):
    """The path of a file, or one with a number where there is such a file."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return found


def _name_aside(folder, given):
    """An unused name next to a folder, for moving it there; `given` is how the command names it."""
    here = pathlib.Path.cwd()
    if folder in (here, *here.parents):
        raise UserError(
            "--overwrite moves an earlier run's folder aside, and cannot do that with the current "
            f"folder or one above it. Received: --run_dir={given}. Give the command in another "
            "folder, or another --run_dir."
        )
    return files.unused_name_aside(folder)

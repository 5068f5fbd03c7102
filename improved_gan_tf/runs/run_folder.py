"""The run folder: everything a run leaves, and nothing written elsewhere.

config.json             the resolved settings
metrics.jsonl           one line of numbers per epoch
tensorboard/            the same as TensorBoard events, with sample grids
samples/epoch_0010.png  10 x 10 generated images per evaluation
curves.png              losses and errors over the epochs
checkpoints/            all that it takes to continue; see `checkpointing`
predictions.npz         test-set logits (averaged and raw parameters) and labels
discriminator.keras     with averaged parameters, where an average is kept
discriminator_raw.keras with the parameters themselves
generator.keras
result.json             settings, versions, git commit, final numbers, wall time
"""

import json
import pathlib

import numpy as np
import tensorflow as tf
from PIL import Image

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files
from improved_gan_tf.machine.files import write_json
from improved_gan_tf.machine.keras_files import write_model
from improved_gan_tf.runs.curves import curves_figure


def image_grid(images, columns=10):
    """Tiles images row by row with a two-pixel border.

    Args:
        images: uint8 (N, H, W, C), C 1 or 3, N a multiple of `columns`.
        columns: int.

    Returns:
        uint8 array (rows * (H + 2) + 2, columns * (W + 2) + 2, C).
    """
    n, height, width, channels = images.shape
    rows = n // columns
    grid = np.full((rows, height + 2, columns, width + 2, channels), 128, np.uint8)
    tiles = images.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    grid[:, :height, :, :width] = tiles
    grid = grid.reshape(rows * (height + 2), columns * (width + 2), channels)
    return np.pad(grid, ((2, 0), (2, 0), (0, 0)), constant_values=128)


# What a failed writing raises: Python, TensorBoard's writer, HDF5 in `model.save`.
_written = files.persistent(OSError, tf.errors.OpError)


class RunFolder:
    """One run's folder, locked for other processes until it is closed.

    Args:
        path: where it is; created.
        overwrite: bool; an existing non-empty folder is moved aside instead of used.

    Raises:
        UserError: the folder cannot be written, or another process is using it.
    """

    def __init__(self, path, overwrite=False):
        self.path = pathlib.Path(path)
        self._events = None
        self._metrics_size = 0  # bytes of metrics.jsonl
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = files.FolderLock(self.path)
            if overwrite and not files.holds_nothing(self.path):
                self._move_aside()
        except OSError as error:
            raise UserError(
                f"--run_dir={path} cannot be written: {error.strerror or error}."
            ) from error

    def _move_aside(self):
        try:
            self._lock.move_folder(_name_aside(self.path))
        finally:
            self._lock.close()
        self.path.mkdir()
        self._lock = files.FolderLock(self.path)

    @_written
    def begin(self, config, history):
        """Makes the folder what it was when `history` was all that had happened.

        Args:
            config: dict, the resolved settings.
            history: list of the dicts given to `append_metrics` so far.
        """
        # First: by it a folder is known as a run's.
        self.write_json("config.json", config)
        self._set_aside(len(history))
        samples = self.path / "samples"
        files.remove_leftovers(self.path, samples, self.path / "checkpoints")
        for picture in samples.glob("*_interrupted.png"):
            picture.unlink()
        lines = "".join(json.dumps(metrics) + "\n" for metrics in history)
        metrics_file = self.path / "metrics.jsonl"
        if history or metrics_file.exists():
            files.write_whole(metrics_file, lambda p: p.write_text(lines, "utf-8"))
        self._metrics_size = len(lines.encode("utf-8"))

    def _set_aside(self, epochs):
        """Gives result and score of a run that goes on names of their own: soon they are not its.

        The result of an interrupted run stays, for it says that it is not the end.
        """
        result = self.path / "result.json"
        content = json.loads(result.read_text("utf-8")) if result.exists() else {}
        if content.get("status") == "finished":
            # Not the number that it goes on from: the newest checkpoint may have been damaged.
            epochs = content["final"]["epochs"]
            result.replace(self.path / f"result.epochs{epochs}.json")
        if (self.path / "score.json").exists():
            (self.path / "score.json").replace(self.path / f"score.epochs{epochs}.json")

    @_written
    def write_json(self, name, content):
        """Writes a JSON file, whole or not at all."""
        write_json(self.path / name, content)

    @_written
    def append_metrics(self, metrics):
        """Adds one line to metrics.jsonl and the same numbers to TensorBoard."""
        line = (json.dumps(metrics) + "\n").encode("utf-8")
        with open(self.path / "metrics.jsonl", "ab") as file:
            file.truncate(self._metrics_size)  # what a try before this one left
            file.write(line)
        with self._event_writer().as_default(step=metrics["epoch"]):
            for name, value in metrics.items():
                if isinstance(value, float):
                    tf.summary.scalar(name, value)
        self._events.flush()
        self._metrics_size += len(line)

    @_written
    def write_samples(self, images, epoch, interrupted=False):
        """Writes a 10 x 10 grid as PNG and to TensorBoard.

        Args:
            images: uint8 (100, H, W, C).
            epoch: int, number of finished epochs.
            interrupted: bool, whether the next epoch had begun; the grid gets a name of its own.
        """
        name = f"epoch_{epoch:04d}{'_interrupted' if interrupted else ''}.png"
        (self.path / "samples").mkdir(exist_ok=True)
        grid = image_grid(images)
        picture = Image.fromarray(grid[:, :, 0] if grid.shape[-1] == 1 else grid)
        files.write_whole(
            self.path / "samples" / name,
            lambda p: picture.save(p, format="PNG"),
        )
        with self._event_writer().as_default(step=epoch):
            tf.summary.image("samples", grid[None])
        self._events.flush()

    @_written
    def write_models(self, models):
        """Saves each `name: model` as `name.keras`, whole or not at all."""
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
        """Draws losses and errors over the epochs.

        Args:
            history: list of the dicts given to `append_metrics`.
            title: str.
        """
        figure = curves_figure(history, title)
        files.write_whole(
            self.path / "curves.png", lambda p: figure.savefig(p, format="png", dpi=110)
        )

    def close(self):
        """Closes the TensorBoard file and lets other processes in."""
        if self._events is not None:
            self._events.close()
        self._lock.close()

    def _event_writer(self):
        if self._events is None:
            self._events = tf.summary.create_file_writer(str(self.path / "tensorboard"))
        return self._events


def _name_aside(path):
    """A free name next to a folder that is to be moved there."""
    here = pathlib.Path.cwd()
    if path.resolve() in (here, *here.parents):
        raise UserError(
            "--overwrite moves an earlier run's folder aside, and cannot do that with the current "
            f"folder or one above it. Received: --run_dir={path}. Give the command in another "
            "folder, or another --run_dir."
        )
    number = 1
    while (aside := path.with_name(f"{path.name}.old-{number}")).exists():
        number += 1
    return aside

"""The trained pairs that come with the package, each a small run folder.

`python -m tools.ship_pretrained` made them from runs; docs/how_do_i.md says which.
"""

import pathlib
from typing import NamedTuple

from improved_gan_tf.errors import UserError

_FOLDERS = pathlib.Path(__file__).parent / "pretrained_models"
NAMES = ("mnist",)
PREFIX = "pretrained:"


class Pretrained(NamedTuple):
    """A trained generator and discriminator, Keras models."""

    generator: object
    discriminator: object


def pretrained_folder(name):
    """The folder of a trained pair (a `Path`).

    It holds config.json and result.json of the run, generator.keras and discriminator.keras.

    Args:
        name: one of `NAMES`.

    Raises:
        UserError: there is no such pair.
    """
    if name not in NAMES:
        raise UserError(
            f"A trained pair that comes with this package must be one of: {', '.join(NAMES)}. "
            f"Received: {name!r}."
        )
    return _FOLDERS / name


def folder_of(run_dir):
    """The run folder (a `Path`) that a command names: "pretrained:NAME", or a folder.

    Raises:
        UserError: there is no such pair or folder.
    """
    text = str(run_dir)
    if text.startswith(PREFIX):
        return pretrained_folder(text.removeprefix(PREFIX))
    path = pathlib.Path(text).expanduser()
    if not path.is_dir():
        raise UserError(f"A run folder is expected. Received: {path} (no such folder).")
    return path


def load_pretrained(name):
    """Loads a trained pair that comes with this package; returns `Pretrained`.

    "mnist": feature matching with 100 labels, the recipe of the first release, 300 epochs (paper,
    Sec. 6.1, Table 1); 87 of the 10,000 test images are misclassified. The generator takes z of
    shape (N, 100) from U[0, 1) in one batch, whose statistics it normalises by, and gives images
    (N, 28, 28, 1) from 0 to 1. The discriminator takes such images; of its outputs, `logits`
    (N, 10) classify them. Weights have bfloat16's precision in float32 variables.

    Args:
        name: one of `NAMES`.

    Raises:
        UserError: there is no such pair.
    """
    folder = pretrained_folder(name)
    # Here, because the name of a folder needs neither Keras nor TensorFlow.
    from improved_gan_tf import layers  # noqa: F401  registers them
    from improved_gan_tf.machine.keras_files import load_keras_model

    return Pretrained(
        *(load_keras_model(folder / f"{player}.keras") for player in Pretrained._fields)
    )

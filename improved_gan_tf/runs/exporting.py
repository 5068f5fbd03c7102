"""A run's classifier for other programs: bytes in, class probabilities out."""

import contextlib
import importlib.util
import io

import keras
import numpy as np

from improved_gan_tf.errors import UserError, first_line
from improved_gan_tf.layers import remove_weight_norm
from improved_gan_tf.machine import files

FORMATS = ("saved_model", "onnx")
_ONNX_PACKAGES = ("onnx", "tf2onnx")


def check_output(path, formats):
    """Refuses, before any work, a folder that holds something, and ONNX without its packages.

    Args:
        path: `pathlib.Path`.
        formats: some of `FORMATS`.

    Raises:
        UserError: see above.
    """
    if path.exists() and not (path.is_dir() and files.holds_nothing(path)):
        raise UserError(f"{path} exists; nothing is overwritten unasked. Give another --output.")
    if not path.absolute().parent.is_dir():
        raise UserError(f"{path} cannot be written: there is no folder {path.absolute().parent}.")
    missing = [name for name in _ONNX_PACKAGES if importlib.util.find_spec(name) is None]
    if "onnx" in formats and missing:
        raise UserError(
            f"ONNX needs the packages {' and '.join(missing)}: install them with `pip install "
            "'improved_gan_tf[onnx]'`, or give --format=saved_model."
        )


def bytes_to_probabilities(run):
    """A model from pixels, uint8 (N, H, W, C), to class probabilities, float32 (N, K).

    Its layers are Keras's own where they could be made so: weight normalization is done once.

    Args:
        run: `runs.loaded_run.LoadedRun`.

    Raises:
        UserError: the run has no classifier, or one whose answers depend on the whole batch.
    """
    if run.classifier is None:
        raise UserError(f"{run.path} is a run on ImageNet: it has no classifier.")
    if run.coupled_batch is not None:
        raise UserError(
            f"The classifier of {run.path} has minibatch discrimination: its answer for an image "
            f"depends on the {run.coupled_batch} images of a batch, so it is no function of one. "
            "Classify with `improved-gan classify`, or train with --model=feature_matching."
        )
    divisor, offset = run.pixels
    pixels = keras.Input(run.image_shape, dtype="uint8", name="pixels")
    scaled = keras.layers.Rescaling(1.0 / divisor, -offset / divisor, name="scaled")(pixels)
    plain = remove_weight_norm(run.classifier)
    model = keras.Model(pixels, plain(scaled), name="bytes_to_probabilities")
    model(np.zeros((1, *run.image_shape), "uint8"))  # Keras exports only what was called
    return model


def export(run, folder, formats=FORMATS):
    """Writes the classifier into a folder that `check_output` accepted, whole or not at all.

    `classifier/` is a SavedModel whose `serve` takes the pixels, `classifier.onnx` the same for
    ONNX Runtime, and `classes.txt` has the name of each probability on a line.

    Args:
        run: `runs.loaded_run.LoadedRun`.
        folder: `pathlib.Path`; created.
        formats: some of `FORMATS`.

    Raises:
        UserError: as `bytes_to_probabilities`; a converter failed, or the disk is full.
    """
    model = bytes_to_probabilities(run)

    def write(place):
        (place / "classes.txt").write_text("".join(f"{n}\n" for n in run.class_names), "utf-8")
        if "saved_model" in formats:
            _quietly(model.export, str(place / "classifier"), format="tf_saved_model")
        if "onnx" in formats:
            _quietly(model.export, str(place / "classifier.onnx"), format="onnx")

    try:
        files.write_folder_whole(folder, write)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}.") from error
    except Exception as error:  # each converter has its own
        raise UserError(
            f"The classifier could not be converted for {folder}: {first_line(error)}"
        ) from error


def _quietly(write, path, format):
    with contextlib.redirect_stdout(io.StringIO()):  # Keras prints the signature, verbose or not
        write(path, format=format, verbose=False)

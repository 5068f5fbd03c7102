"""Keras models as files: written whole or not at all, read without running code from them."""

import os

import keras

from improved_gan_tf.errors import UserError, first_line
from improved_gan_tf.machine import files


def write_model(path, model):
    """Saves a model as a .keras file, whole or not at all."""

    def save(temporary):
        renamed = temporary.with_suffix(".tmp.keras")  # Keras requires the ending
        try:
            model.save(renamed)
            os.replace(renamed, temporary)
        finally:
            renamed.unlink(missing_ok=True)

    files.write_whole(path, save)


def read_keras_file(path, compile):
    """Loads a .keras file in safe mode, which runs no code from it.

    Args:
        path: str or path.
        compile: bool, whether the model is compiled as it was when it was saved.

    Raises:
        ValueError: it cannot be read, is damaged, or holds code.
    """
    try:
        return keras.saving.load_model(path, compile=compile, safe_mode=True)
    except Exception as error:  # each part of the file has errors of its own
        # Keras wraps an error into the error of every layer around it: the innermost says most.
        innermost = str(error).split("Exception encountered: ")[-1].strip() or error
        if innermost == "None":
            innermost = type(error).__name__
        raise ValueError(f"{path} cannot be loaded: {first_line(innermost)}") from error


def load_keras_model(path):
    """`read_keras_file` for a command, which runs the model and does not train it.

    Raises:
        UserError: the file cannot be read, is damaged, or contains code.
    """
    try:
        return read_keras_file(path, compile=False)
    except ValueError as error:
        raise UserError(str(error)) from error

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


def load_keras_model(path):
    """Loads a .keras file in safe mode, which runs no code from the file.

    Raises:
        UserError: the file cannot be read, is damaged, or contains code.
    """
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # each part of the file has its own errors
        # Keras wraps an error in that of every layer around it; the innermost says most.
        innermost = str(error).split("Exception encountered: ")[-1]
        raise UserError(
            f"{path} cannot be loaded: {first_line(innermost if innermost.strip() else error)}"
        ) from error

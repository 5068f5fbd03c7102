"""Keras models as files: written whole or not at all, read without running what is in them."""

import os

import keras

from improved_gan_tf.errors import UserError, first_line
from improved_gan_tf.machine import files


def write_model(path, model):
    """Saves a model as a .keras file, whole or not at all."""

    def save(temporary):
        renamed = temporary.with_suffix(".tmp.keras")  # Keras insists on the ending
        try:
            model.save(renamed)
            os.replace(renamed, temporary)
        finally:
            renamed.unlink(missing_ok=True)

    files.write_whole(path, save)


def load_keras_model(path):
    """Loads a .keras file in safe mode, which runs no code from it.

    Raises:
        UserError: it cannot be read, is damaged, or holds code.
    """
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # each part of the file has errors of its own
        # Keras wraps an error into the error of every layer around it: the innermost says most.
        innermost = str(error).split("Exception encountered: ")[-1]
        raise UserError(
            f"{path} cannot be loaded: {first_line(innermost if innermost.strip() else error)}"
        ) from error

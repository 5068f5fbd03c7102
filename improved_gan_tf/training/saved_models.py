"""Saved models that hold layers of this package, loaded whatever was imported before."""

# Imported to be registered, by which Keras finds them when it loads a model.
from improved_gan_tf import layers  # noqa: F401
from improved_gan_tf.machine.keras_files import read_keras_file
from improved_gan_tf.training import adam  # noqa: F401
from improved_gan_tf.training.semi_supervised_gan import model  # noqa: F401


def load_model(path, compile=True):
    """Loads a .keras file that may hold layers of `improved_gan_tf.layers` and its `Adam`.

    Keras's own `load_model` in safe mode, which runs no code from the file. Classes of your own are
    found if they are registered with `keras.saving.register_keras_serializable`.

    Args:
        path: str or path of a .keras file.
        compile: bool, whether the model is compiled as it was when it was saved.

    Returns:
        `keras.Model`.

    Raises:
        ValueError: the file cannot be read, is damaged, or holds code. The message says which file;
            Keras's whole error is its cause.
    """
    return read_keras_file(path, compile)

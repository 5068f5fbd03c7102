"""Images of a class-conditional generator: BigGAN's, from z of N(0, 1) and a class.

The generator makes RGB of 32 x 32. Images are returned in the shape of its data set, so that
whatever scores real ones scores them.
"""

import keras
import numpy as np

from improved_gan_tf.data.known_sets import KNOWN_SETS
from improved_gan_tf.data.padding import from_32_pixels
from improved_gan_tf.data.pixels import to_bytes
from improved_gan_tf.errors import UserError
from improved_gan_tf.layers import set_standing_statistics
from improved_gan_tf.machine.files import name_of
from improved_gan_tf.machine.keras_files import load_keras_model
from improved_gan_tf.networks import latents

MODELS = ("biggan",)  # of settings whose generators take a class


class ClassConditionalGenerator:
    """A generator that a run saved, with averaged weights and standing statistics.

    Args:
        path: `pathlib.Path` of generator.keras.
        config: the run's config.json; "pixels" is a pair.

    Raises:
        UserError: the file cannot be loaded, or holds another kind of model.

    Attributes:
        config: the argument.
        image_shape: (H, W, C) of the data set.
        num_classes: int.
    """

    def __init__(self, path, config):
        known = KNOWN_SETS[config["dataset"]]
        self.config = config
        self.image_shape, self.num_classes = known.image_shape, known.num_classes
        self._pixels = config["pixels"]
        self._model = load_keras_model(path)
        inputs = self._model.input
        if not (isinstance(inputs, dict) and inputs.keys() == {"z", "labels"}):
            raise UserError(f"{path} must take z and labels. Received: inputs {inputs}.")
        self._z_dim = inputs["z"].shape[1]

    def draw_z(self, count, seed, threshold=None):
        """Draws z, float32 (count, z_dim), of N(0, 1), truncated unless `threshold` is None.

        `seed` is a `keras.random.SeedGenerator`.
        """
        shape = (count, self._z_dim)
        if threshold is None:
            return np.asarray(latents.normal(shape, seed))
        return np.asarray(latents.truncated_normal(shape, threshold, seed))

    def labels(self, count, first=0):
        """Labels of `count` images, all classes in turn from the class `first`: int32 (count,)."""
        return ((first + np.arange(count)) % self.num_classes).astype("int32")

    def measure_statistics(self, batches):
        """Replaces the standing statistics by those of `batches` of z, each (N, z_dim).

        The classes go on in turn from batch to batch: a batch may be smaller than their number.
        """
        inputs, done = [], 0
        for z in batches:
            inputs.append({"z": z, "labels": self.labels(len(z), done)})
            done += len(z)
        set_standing_statistics(self._model, inputs)

    def images(self, z, labels):
        """Images of z (N, z_dim) and labels (N,) as the data set's: uint8 (N, H, W, C)."""
        outputs = self._model.predict_on_batch({"z": z, "labels": labels})
        if not np.isfinite(outputs).all():
            raise UserError(f"{self._model.name} generates NaN or infinity.")
        return from_32_pixels(to_bytes(outputs, self._pixels), self.image_shape)


class ClassConditionalImages:
    """A source of images (see `image_sources`): all classes in turn, without truncation.

    Args:
        path: `pathlib.Path` of generator.keras.
        config: the run's config.json; "pixels" is a pair.
        seed: int, decides z.
    """

    available = None

    def __init__(self, path, config, seed):
        self._generator = ClassConditionalGenerator(path, config)
        self._seed = seed
        self.path, self.config, self.dataset = path, config, config["dataset"]
        self.image_shape = self._generator.image_shape
        self.differences = ["classes: equally many images of each, asked of the generator"]
        self.description = f"class-conditional generator {name_of(path.parent)}/{path.name}"

    def batches(self, count, batch_size):
        """Yields uint8 (n, H, W, C), `count` images in all."""
        seed = keras.random.SeedGenerator(self._seed)
        labels = self._generator.labels(count)
        for start in range(0, count, batch_size):
            own = labels[start : start + batch_size]
            # A whole batch of z always: an image does not depend on how many are asked for.
            z = self._generator.draw_z(batch_size, seed)[: len(own)]
            yield self._generator.images(z, own)

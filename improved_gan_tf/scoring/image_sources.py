"""Sources of images to score: a generator, a folder of pictures, a data set.

Each source has `description`, `image_shape` (H, W, C), `available` (number of images, None for a
generator), `dataset` (a name in `KNOWN_SETS`, None if unknown), `differences` (from the paper's
images, other than in number) and `batches(count, batch_size)`, which yields uint8 (n, H, W, C).
"""

import json
import pathlib

import numpy as np

import improved_gan_tf.layers  # noqa: F401  registers them, so our own generators load
from improved_gan_tf.data import run_data
from improved_gan_tf.data.pixels import from_range, to_bytes
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine.files import name_of
from improved_gan_tf.machine.keras_files import load_keras_model
from improved_gan_tf.runs.data_digest import require_images_of_run
from improved_gan_tf.runs.noise import NoiseStreams, own_noise
from improved_gan_tf.scoring import class_conditional
from improved_gan_tf.scoring.picture_folders import FolderImages, is_run_folder


def open_source(path, seed, noise=None, output_range=None):
    """Opens a run folder, a generator.keras or a folder of pictures.

    Args:
        path: str or path.
        seed: int, decides the noise, or the order of the pictures.
        noise: key of `runs.noise.NOISES`; None for that of this project's network for the run's
            data set, or else "uniform".
        output_range: `(low, high)`, a generator's values for black and white; None if the run
            folder's config.json says so.

    Raises:
        UserError: nothing at `path` can be scored.
    """
    path = pathlib.Path(path).expanduser()
    if path.is_dir() and not is_run_folder(path):
        if noise is not None or output_range is not None:
            raise UserError(f"--noise and --output_range go with a generator. Received: {path}.")
        return FolderImages(path, seed)
    if path.is_dir():
        path = path / "generator.keras"
        if not path.exists():
            raise UserError(
                f"{path.parent} holds no generator.keras: a supervised-only run has none, and a "
                "run that has not reached its first evaluation has none yet."
            )
    if path.suffix == ".keras":
        config = _config_next_to(path, output_range)
        if config is not None and config.get("model") in class_conditional.MODELS:
            if noise is not None or output_range is not None:
                raise UserError(
                    "--noise and --output_range go with generators that take no class. "
                    f"Received: {path}."
                )
            return class_conditional.ClassConditionalImages(path, config, seed)
        return GeneratorImages(path, seed, noise, output_range)
    if not path.exists():
        raise UserError(f"There is no run folder, generator or folder of pictures at {path}.")
    raise UserError(
        "What is scored must be a run folder, a generator (a file ending in .keras) or a folder "
        f"of pictures. Received: {path}."
    )


def class_conditional_generator(run_dir):
    """The `ClassConditionalGenerator` of a run folder.

    Raises:
        UserError: the folder is no run's, or its generator takes no class.
    """
    path = pathlib.Path(run_dir) / "generator.keras"
    config = _config_next_to(path)
    if config is None or config.get("model") not in class_conditional.MODELS:
        raise UserError(f"A folder of run_biggan.py is expected. Received: {run_dir}.")
    if not path.exists():
        raise UserError(f"{run_dir} holds no generator.keras yet: no evaluation has ended.")
    return class_conditional.ClassConditionalGenerator(path, config)


class GeneratorImages:
    """Images of a generator, from noise that a seed decides.

    The generators of this project normalise by the statistics of the batch, so images depend on
    the batch size, which is recorded with the score. Every batch is full; surplus images of the
    last one are dropped.
    """

    available = None

    def __init__(self, path, seed, noise, output_range=None):
        self.path = path
        config = _config_next_to(path, output_range)
        if output_range is None and config is None:
            raise UserError(
                f"No file next to {path} says what its values mean (a run folder's config.json "
                "does). Give its values for black and white: --output_range -1 1, or 0 1."
            )
        self._pixels = config["pixels"] if output_range is None else from_range(*output_range)
        self.dataset = None if config is None else config.get("dataset")
        self.config = config
        self.differences = []
        self._model = load_keras_model(path)
        *noises, images = (
            *(tuple(tensor.shape) for tensor in self._model.inputs),
            tuple(self._model.outputs[0].shape) if len(self._model.outputs) == 1 else (),
        )
        if len(images) != 4 or any(None in shape[1:] for shape in (*noises, images)):
            raise UserError(
                f"{path} must map noise (N, ...) to images (N, H, W, C), both of known sizes. "
                f"Received: a model of inputs {noises} and output {images}."
            )
        self._noise = noise or ("uniform" if config is None else own_noise(config))
        self._seed = seed
        self.image_shape = images[1:]
        self.description = f"generator {name_of(path.parent)}/{path.name}"

    def batches(self, count, batch_size):
        """Yields uint8 (n, H, W, C), `count` images in all."""
        noise = NoiseStreams(self._model, self._noise, self._seed)
        for start in range(0, count, batch_size):
            outputs = self._model.predict_on_batch(noise.draw(batch_size))
            self._check_range(outputs)
            yield to_bytes(outputs, self._pixels)[: count - start]

    def _check_range(self, outputs):
        divisor, offset = self._pixels
        low, high = (0 - offset) / divisor, (255 - offset) / divisor
        slack = 0.02 * (high - low)
        if not np.isfinite(outputs).all():
            raise UserError(f"{self.path} generates NaN or infinity.")
        if outputs.min() < low - slack or outputs.max() > high + slack:
            raise UserError(
                f"{self.path} generates values from {outputs.min():.3g} to {outputs.max():.3g}. "
                f"Expected: from {low:.3g} (black) to {high:.3g} (white). Say what they mean with "
                "--output_range LOW HIGH."
            )


class ArrayImages:
    """Images in memory, in an order that a seed decides.

    Args:
        images: uint8 (N, H, W, C).
        seed: int.
        description: str, what the images are.
        dataset: key of `data.known_sets.KNOWN_SETS`.
        is_papers: bool, whether they are the paper's whole training set.
    """

    config = None

    def __init__(self, images, seed, description, dataset, is_papers):
        self._images = images
        # The embedded digits are sorted by class; the order of TFDS is as good as any.
        self._order = np.random.RandomState(seed).permutation(len(images))
        self.available = len(images)
        self.image_shape = images.shape[1:]
        self.description = description
        self.dataset = dataset
        self.differences = [] if is_papers else [f"data: {description}"]

    def batches(self, count, batch_size):
        """Yields uint8 (n, H, W, C), `count` images in all."""
        for start in range(0, count, batch_size):
            yield self._images[self._order[start : min(start + batch_size, count)]]


def own_images_of(source, data_dir=None):
    """The images of a run on images of one's own, from which a source's generator comes.

    Returns:
        `data.datasets.Dataset`.

    Raises:
        UserError: they cannot be loaded, or are others now.
    """
    dataset = run_data.load(source.config, data_dir)
    require_images_of_run(source.path.parent, dataset)
    return dataset


def _config_next_to(path, output_range=None):
    """The config.json in a generator's run folder, or None.

    With an `output_range` it may be that of another program.
    """
    file = path.parent / "config.json"
    if output_range is not None and file.exists() and not is_run_folder(path.parent):
        return None
    try:
        config = json.loads(file.read_text("utf-8"))
        divisor, offset = config["pixels"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} is not a run's config.json: {error}") from error
    return {**config, "pixels": (divisor, offset)}

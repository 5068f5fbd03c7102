"""A finished run as Python objects: its generator, its classifier, and what their numbers mean."""

import dataclasses
import json
import pathlib

import keras
import numpy as np

from improved_gan_tf import layers
from improved_gan_tf.data.pixels import to_bytes
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine.keras_files import load_keras_model
from improved_gan_tf.runs.class_names import class_names_of
from improved_gan_tf.runs.folder_names import require_no_sweep
from improved_gan_tf.runs.frozen_generator import frozen_generator
from improved_gan_tf.runs.noise import NoiseStreams, own_noise
from improved_gan_tf.runs.pretrained import folder_of

# Kind of parameters -> file of the discriminator.
DISCRIMINATORS = {"averaged": "discriminator.keras", "raw": "discriminator_raw.keras"}
IMAGES_AT_ONCE = 100


@dataclasses.dataclass(frozen=True)
class LoadedRun:
    """What `load_run` returns.

    Attributes:
        path: `pathlib.Path` of the run folder.
        config: dict, the run's settings, as in its config.json.
        class_names: tuple of str, in the order of the classifier's outputs; None for a run without
            a classifier.
        pixels: `(divisor, offset)`: the networks' values are `(byte - offset) / divisor`.
        generator: model from noise to images (N, H, W, C) in the networks' values. An image does
            not depend on the others of its batch. None for a supervised-only run.
        batch_generator: the generator as it was trained and as the paper's scores take it: where it
            normalises by the batch, give it batches of the training size,
            `config["batch_size"]`. None like `generator`.
        classifier: model from images in the networks' values to class probabilities (N, K); None
            for a run on ImageNet, whose discriminator is none.
        coupled_batch: None, or the batch size that the classifier needs, because its answer for an
            image depends on the whole batch (minibatch discrimination).
    """

    path: pathlib.Path
    config: dict
    class_names: tuple[str, ...] | None
    pixels: tuple[float, float]
    generator: keras.Model | None
    batch_generator: keras.Model | None
    classifier: keras.Model | None
    coupled_batch: int | None

    @property
    def image_shape(self):
        """(H, W, C) of the images."""
        model = self.classifier or self.generator
        tensor = model.inputs[0] if self.classifier else model.outputs[0]
        return tuple(tensor.shape[1:])

    def __str__(self):
        divisor, offset = self.pixels
        shape = " x ".join(map(str, self.image_shape))
        names = "no classifier" if self.class_names is None else ", ".join(self.class_names)
        return (
            f"{self.path}: images of {shape} bytes, to the networks (byte - {offset:g}) / "
            f"{divisor:g}; classes: {names}"
        )

    def scaled(self, images):
        """Bytes (N, H, W, C) as the networks' values, float32: `(byte - offset) / divisor`."""
        divisor, offset = self.pixels
        return (np.asarray(images, "float32") - offset) / divisor

    def sample(self, num_images, seed=1, truncation=1.0, statistics="frozen"):
        """Draws images of the generator.

        Args:
            num_images: int.
            seed: int, decides the noise; an image depends on the seed and its number alone.
            truncation: float in (0, 1], the part of the noise's range that is drawn from.
            statistics: "frozen", or "batch" for `batch_generator` in batches of the training size,
                in which an image depends on its batch too.

        Returns:
            uint8 (num_images, H, W, C).

        Raises:
            UserError: the run has no generator, or an argument is out of its range.
        """
        if self.generator is None:
            raise UserError(f"{self.path} is a supervised-only run: it has no generator.")
        if not 0.0 < truncation <= 1.0:
            raise UserError(
                "`truncation` must be a number above 0 and at most 1. Received: "
                f"truncation={truncation}."
            )
        if statistics not in ("frozen", "batch"):
            raise UserError(
                f"`statistics` must be 'frozen' or 'batch'. Received: statistics={statistics!r}."
            )
        is_frozen = statistics == "frozen"
        model = self.generator if is_frozen else self.batch_generator
        at_once = IMAGES_AT_ONCE if is_frozen else self.config["batch_size"]
        noise = NoiseStreams(model, own_noise(self.config), seed, truncation)
        parts = []
        for start in range(0, num_images, at_once):
            images = model.predict_on_batch(noise.draw(at_once))  # the last batch is full too
            parts.append(to_bytes(images, self.pixels)[: num_images - start])
        shape = (0, *self.image_shape)
        return np.concatenate(parts) if parts else np.zeros(shape, np.uint8)

    def classify(self, images):
        """Class probabilities of some images.

        A classifier with minibatch discrimination gets full batches, in the order of the images, so
        these should not lie sorted by class. Images from the batch before, or the same images
        again, fill the last batch.

        Args:
            images: uint8 (N, H, W, C).

        Returns:
            float32 (N, K); the columns are `class_names`.

        Raises:
            UserError: the run has no classifier, or the images have another shape or type.
        """
        if self.classifier is None:
            raise UserError(f"{self.path} is a run on ImageNet: it has no classifier.")
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.shape[1:] != self.image_shape:
            raise UserError(
                f"`images` must be uint8 of shape (N, {', '.join(map(str, self.image_shape))}). "
                f"Received: {images.dtype} of shape {images.shape}."
            )
        at_once = self.coupled_batch or IMAGES_AT_ONCE
        rows = np.arange(len(images))
        if self.coupled_batch and 0 < len(rows) < at_once:
            rows = np.resize(rows, at_once)
        parts = [np.zeros((0, len(self.class_names)), "float32")]
        for start in range(0, len(rows), at_once):
            stop = min(start + at_once, len(rows))
            first = max(0, stop - at_once) if self.coupled_batch else start
            values = self.scaled(images[rows[first:stop]])
            parts.append(self.classifier.predict_on_batch(values)[start - first :])
        return np.concatenate(parts)[: len(images)]


def load_run(run_dir, parameters="averaged"):
    """Loads the networks of a run folder, in Keras's safe mode.

    Args:
        run_dir: folder that a run script wrote, or "pretrained:mnist".
        parameters: "averaged", the classifier as the run tested it (without an average those of
            the last step), or "raw".

    Returns:
        `LoadedRun`. Its `str` says what scaling the networks need.

    Raises:
        UserError: the folder is incomplete or not a run's, or holds a damaged file.
    """
    path = folder_of(run_dir)
    config = read_config(path)
    if parameters not in DISCRIMINATORS:
        raise UserError(
            f"`parameters` must be 'averaged' or 'raw'. Received: parameters={parameters!r}."
        )
    other = other_game(config)
    if other is not None:
        raise UserError(
            f"{path} is a run of {other}, whose discriminator is no classifier. `improved-gan "
            "sample` draws its images, and `improved-gan score` scores them."
        )
    is_imagenet = config["dataset"] == "imagenet"
    classifier = None
    if not is_imagenet:
        classifier = _classifier(load_keras_model(_existing(path / DISCRIMINATORS[parameters])))
    frozen, batch_generator = _generators(path, config)
    return LoadedRun(
        path=path,
        config=config,
        class_names=class_names_of(config),
        pixels=tuple(config["pixels"]),
        generator=frozen,
        batch_generator=batch_generator,
        classifier=classifier,
        coupled_batch=None if is_imagenet else _coupled_batch(path, config, classifier),
    )


def other_game(config):
    """The name of the game of a config.json if it is none with a `LoadedRun`, or None."""
    if "objective" in config:
        return "one of DCGAN's games"
    return "BigGAN" if config["model"] == "biggan" else None


def read_config(path):
    """The settings of the run in a folder (a Path), as a dict.

    Raises:
        UserError: there is no such folder, or it is not a run's.
    """
    if not path.is_dir():
        raise UserError(f"A run folder is expected. Received: {path} (no such folder).")
    try:
        config = json.loads((path / "config.json").read_text("utf-8"))
        game = "objective" if "objective" in config else "model"  # a DCGAN's, or another one
        missing = {"dataset", game, "pixels", "seed", "batch_size"} - config.keys()
        if missing:
            raise KeyError(", ".join(sorted(missing)))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        require_no_sweep(path)
        raise UserError(
            f"{path} is not a run folder with a readable config.json: {error}"
        ) from error
    return config


def _existing(path):
    tested = path.with_name(DISCRIMINATORS["averaged"])
    if not path.exists() and tested.exists():
        raise UserError(
            f"{path.parent} holds no {path.name}, only {tested.name}: load it with "
            "`parameters=averaged`."
        )
    if not path.exists():
        raise UserError(
            f"{path.parent} holds no {path.name}: a run that has not reached its first evaluation "
            "has no networks yet."
        )
    return path


def _classifier(discriminator):
    logits = discriminator.output["logits"]
    probabilities = keras.layers.Softmax(dtype="float32", name="probabilities")(logits)
    return keras.Model(discriminator.input, probabilities, name="classifier")


def _generators(path, config):
    """`(frozen, trained)` generators of a run, or `(None, None)`."""
    if config.get("supervised_only"):
        return None, None
    trained = load_keras_model(_existing(path / "generator.keras"))
    if config["dataset"] == "imagenet" or config.get("generator_normalization") == "virtual_batch":
        return trained, trained  # no image depends on the batch
    if (path / "generator_frozen.keras").exists():
        return load_keras_model(path / "generator_frozen.keras"), trained
    # A run of an earlier version: frozen as a run does it now.
    return frozen_generator(trained, config["seed"], config["batch_size"]), trained


def _coupled_batch(path, config, classifier):
    """The batch on which the run tested a classifier with minibatch discrimination, or None."""
    if not any(isinstance(layer, layers.MinibatchDiscrimination) for layer in classifier.layers):
        return None
    try:
        result = json.loads((path / "result.json").read_text("utf-8"))
        return result["final"].get("test_batch") or config["batch_size"]
    except (OSError, ValueError, KeyError, AttributeError):
        return config["batch_size"]  # it has not come to a result; the same on one device

"""The classifiers that can score samples, with one interface.

Each has `kind`, `label`, `path`, `sha256`, `num_classes`, `num_features` (None without features),
`check_images(image_shape)`, and `classify(images)`, which takes uint8 (N, H, W, 1 or 3) and
returns `Classification`:

- `FrozenInception` (`frozen_inception.py`): the authors' network, whose score alone can be compared
  with the paper's.
- `KerasInceptionV3`: a later Inception with other weights and scores.
- `KerasClassifier`: any classifier in a .keras file. Its score is not an Inception score.
"""

import contextlib
import hashlib
import json
import os
import pathlib

import keras
import numpy as np
from scipy.special import softmax

from improved_gan_tf.data import tfds_folders
from improved_gan_tf.data.pixels import from_range
from improved_gan_tf.errors import UserError, first_line
from improved_gan_tf.layers.coupled_layers import COUPLED_ALWAYS
from improved_gan_tf.machine.files import name_of
from improved_gan_tf.machine.keras_files import load_keras_model
from improved_gan_tf.scoring.classification import Classification, require_grey_or_rgb
from improved_gan_tf.scoring.frozen_inception import FrozenInception
from improved_gan_tf.scoring.model_outputs import gives_probabilities

INCEPTION_V3 = "inception_v3"
# The names of the weights in the cache of keras.applications.
_KERAS_WEIGHTS = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"


def load(name, weights=None, pixel_range=None):
    """Loads a classifier by its name on the command line.

    Args:
        name: a frozen graph (`FILE.pb`), a Keras model (`FILE.keras`), or "inception_v3".
        weights: file of weights for "inception_v3", or None for Keras's own.
        pixel_range: `(low, high)`, the values for black and white that a Keras model expects; None
            if a file next to it says so.

    Returns:
        One of the three classifiers.

    Raises:
        UserError: the file is missing, damaged, of another kind, or contains forbidden operations;
            or Keras's weights are missing and there is no network.
    """
    if name != INCEPTION_V3 and weights is not None:
        raise UserError(f"--weights goes with --classifier={INCEPTION_V3}. Received: {name}.")
    ending = pathlib.Path(name).suffix
    if ending != ".keras" and pixel_range is not None:
        raise UserError(f"--classifier_range goes with a .keras file. Received: {name}.")
    if name == INCEPTION_V3:
        return KerasInceptionV3(weights)
    if ending == ".pb":
        return FrozenInception(name)
    if ending == ".keras":
        return KerasClassifier(name, pixel_range)
    raise UserError(
        "--classifier must be the frozen Inception graph (a file ending in .pb), a Keras model "
        f"(a file ending in .keras), or {INCEPTION_V3}. Received: {name}."
    )


class KerasInceptionV3:
    """`keras.applications.InceptionV3` with images resized to 299 x 299, scaled to [-1, 1].

    It is another network than the authors', with other weights and 1,000 classes: its scores must
    not be compared with the paper's.

    Args:
        weights: file of weights for the whole network, or None for Keras's ImageNet weights,
            which are downloaded once.

    Raises:
        UserError: the weights cannot be read or downloaded.
    """

    kind = "keras_inception_v3"
    has_papers_size = False

    def __init__(self, weights=None):
        self.path = None if weights is None else pathlib.Path(weights).expanduser()
        self.sha256 = None if weights is None else _sha256(self.path)
        network = self._network("imagenet" if weights is None else str(self.path))
        images = keras.Input((None, None, 3))
        resize = keras.layers.Resizing(
            299, 299, interpolation="bilinear", data_format="channels_last"
        )
        x = resize(images)
        x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(x)
        features = network.get_layer("avg_pool").output
        both = keras.Model(network.inputs, [network.output, features])
        self._model = keras.Model(images, both(x))
        self.num_features, self.num_classes = features.shape[-1], network.output.shape[-1]

    def _network(self, weights):
        home = pathlib.Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
        cached = home / "models" / _KERAS_WEIGHTS
        if weights == "imagenet" and not cached.exists():
            error = tfds_folders.network_error()
            if error is not None:
                raise UserError(
                    f"Keras's weights for {INCEPTION_V3} are not in {cached.parent}, and there is "
                    f"no network to download them ({error}). Give them with --weights=FILE "
                    f"({_KERAS_WEIGHTS}), or run once where there is a network."
                )
        try:
            with _channels_last():
                return keras.applications.InceptionV3(weights=weights)
        except Exception as error:  # each file format has its own errors
            raise UserError(
                f"The weights for {INCEPTION_V3} cannot be loaded from {weights}: "
                f"{first_line(error)}"
            ) from error

    @property
    def label(self):
        """The name of this classifier next to a number."""
        weights = "Keras's ImageNet weights" if self.path is None else self.path.name
        return f"keras.applications.InceptionV3, {weights}"

    def check_images(self, image_shape):
        """Raises UserError unless images of this (H, W, C), any H and W, are grey or RGB."""
        require_grey_or_rgb(image_shape)

    def classify(self, images):
        """Classifies uint8 (N, H, W, 1 or 3); features (N, 2048), probabilities (N, 1000)."""
        if images.shape[-1] == 1:
            images = np.repeat(images, 3, axis=-1)
        probabilities, features = self._model.predict_on_batch(images.astype(np.float32))
        return Classification(probabilities, features)


@contextlib.contextmanager
def _channels_last():
    """Builds what knows no `data_format` argument for channels last, whatever Keras is set to."""
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        keras.config.set_image_data_format(before)


class KerasClassifier:
    """A classifier in a .keras file, loaded in Keras's safe mode.

    Its output is `{"logits": (N, C), "features": (N, A)}`, as from `train_classifier` and this
    project's discriminators (without their "generated" class), or one tensor (N, C) of
    probabilities or logits, without features. `model_outputs.gives_probabilities` decides once
    which of the two it is.

    Args:
        path: the file.
        pixel_range: `(low, high)`, the values for black and white that the model expects. If None,
            the run folder's config.json or the classifier's .json next to the file says so.

    Raises:
        UserError: the file cannot be loaded or is no image classifier, its pixel range is unknown,
            or its outputs depend on the rest of the batch.
    """

    kind = "keras"
    has_papers_size = False

    def __init__(self, path, pixel_range=None):
        self.path = pathlib.Path(path).expanduser()
        self.sha256 = _sha256(self.path)
        self._pixels, self.label = _described(self.path, pixel_range)
        self._model = load_keras_model(self.path)
        self._check_model()

    def _check_model(self):
        model = self._model
        inputs, output = getattr(model, "inputs", None), getattr(model, "output", None)
        if output is None and len(getattr(model, "outputs", None) or []) == 1:
            output = model.outputs[0]  # a Sequential never called has no `output`
        logits = output.get("logits") if isinstance(output, dict) else output
        if not inputs or len(inputs) != 1 or len(inputs[0].shape) != 4:
            raise UserError(f"{self.path} must take one batch of images (N, H, W, C).")
        if not keras.ops.is_tensor(logits) and not isinstance(logits, keras.KerasTensor):
            raise UserError(
                f"{self.path} must return one tensor (N, C), or a dict with 'logits' and "
                "'features'."
            )
        if len(logits.shape) != 2 or logits.shape[1] is None or logits.shape[1] < 2:
            raise UserError(
                f"{self.path} must return class logits or probabilities (N, C), C of 2 or more. "
                f"Received: outputs of shape {tuple(logits.shape)}."
            )
        coupled = [x for x in model._flatten_layers() if isinstance(x, COUPLED_ALWAYS)]
        if coupled:
            raise UserError(
                f"{self.path} holds a {type(coupled[0]).__name__} layer: its output for an image "
                "depends on the rest of the batch, so it cannot score images one by one. Take a "
                "discriminator trained with feature matching, or a classifier."
            )
        features = output.get("features") if isinstance(output, dict) else None
        shape = tuple(getattr(features, "shape", ()))
        if features is not None and (len(shape) != 2 or not shape[1]):
            raise UserError(
                f"{self.path} must return 'features' as one tensor (N, A), A known and 1 or more: "
                f"pool or flatten them. Received: features of shape {shape}."
            )
        self.image_shape = tuple(inputs[0].shape[1:])
        self.num_classes = logits.shape[1]
        self.num_features = None if features is None else features.shape[1]
        self._gives_probabilities = not isinstance(output, dict) and gives_probabilities(
            model, output
        )

    def check_images(self, image_shape):
        """Raises UserError unless images of this (H, W, C) fit the model."""
        fits = [
            have in (want, None) or want is None
            for have, want in zip(image_shape[:2], self.image_shape[:2], strict=True)
        ]
        grey_to_three = (image_shape[2], self.image_shape[2]) == (1, 3)
        if not all(fits) or not (image_shape[2] == self.image_shape[2] or grey_to_three):
            raise UserError(
                f"{self.path} takes images of shape {self.image_shape}. Received: images of "
                f"shape {tuple(image_shape)}."
            )

    def classify(self, images):
        """Classifies uint8 (N, H, W, C); repeats grey images to three channels if needed."""
        if (images.shape[-1], self.image_shape[-1]) == (1, 3):
            images = np.repeat(images, 3, axis=-1)
        divisor, offset = self._pixels
        output = self._model.predict_on_batch((images.astype(np.float32) - offset) / divisor)
        if isinstance(output, dict):
            logits, features = _in_float32(output["logits"]), output.get("features")
            features = None if features is None else _in_float32(features)
            return Classification(softmax(logits, axis=1), features)
        found = _in_float32(output)
        if not self._gives_probabilities:
            found = softmax(found, axis=1)
        elif found is not output:  # in half precision they sum to 1 within a percent only
            found = found / found.sum(axis=1, keepdims=True)
        return Classification(found, None)


def _in_float32(array):
    """Half precision as float32; others as they are."""
    return array.astype(np.float32) if array.dtype.itemsize < 4 else array


def _described(path, pixel_range):
    """`(pixels, label)` of a .keras file, from the files next to it."""
    about = _json_or_none(path.with_suffix(".json"))
    if pixel_range is not None:
        return from_range(*pixel_range), path.name
    if about is not None and about.get("kind") == "classifier":
        trained_on = about.get("data", "unknown data")
        return (1.0, 0.0), f"{path.name}, trained on {trained_on}"
    config = _json_or_none(path.parent / "config.json")
    if config is not None and "pixels" in config:
        return tuple(config["pixels"]), f"discriminator {name_of(path.parent)}/{path.name}"
    raise UserError(
        f"No file next to {path} says which pixels it expects. Give its values for black and "
        "white: --classifier_range 0 255, or 0 1, or -1 1."
    )


def _json_or_none(path):
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _sha256(path):
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error

"""What images and labels must be: the mistakes that would train something else without a word."""

import keras
import numpy as np

# How far beyond a generator's range pixels may lie, as a part of its width: rounding.
_MARGIN = 0.01
# Pixels beyond this, none of them negative, are bytes.
_BYTES_FROM = 2.0


def as_images(images, name, shape, pixel_range, is_training_set=True):
    """Returns images as an array, if the networks can take them.

    Args:
        images: array (N, H, W, C).
        name: str, the argument's name.
        shape: (H, W, C), what the discriminator takes.
        pixel_range: `(low, high)` of the generator's images; None if it is not known.
        is_training_set: bool, whether there are so many images that some are dark.

    Raises:
        ValueError: shape, type or range are others.
    """
    images = _as_array(images)
    if images.shape[1:] != shape:
        raise ValueError(
            f"`{name}` must hold images of the discriminator's shape, (N, "
            f"{', '.join(map(str, shape))}). Received: an array of shape {images.shape}"
        )
    if len(images) == 0:
        raise ValueError(f"`{name}` must hold at least one image. Received: none")
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(
            f"`{name}` must hold floating-point pixels in the range of the generator's images: "
            f"{_recipe(0.0, 255.0, pixel_range)}. Received: pixels of dtype {images.dtype}"
        )
    check_range(float(images.min()), float(images.max()), name, pixel_range, is_training_set)
    return images


def check_range(low, high, name, pixel_range, is_training_set=True):
    """Raises `ValueError` if real pixels from `low` to `high` are not in the generator's range."""
    received = f"Received: pixels from {low:g} to {high:g}"
    if not np.isfinite([low, high]).all():
        raise ValueError(f"`{name}` must hold finite pixels only. {received}")
    if pixel_range is None:
        if low >= 0.0 and high > _BYTES_FROM:
            raise ValueError(
                f"`{name}` holds pixels as large as bytes; networks need small numbers: "
                f"{_recipe(low, high, pixel_range)}. {received}"
            )
        return
    least, most = pixel_range
    margin = _MARGIN * (most - least)
    never_dark = is_training_set and least < 0.0 <= low
    if low < least - margin or high > most + margin or never_dark:
        raise ValueError(
            f"`{name}` must hold pixels in the range of the generator's images, {least:g} to "
            f"{most:g}, or real and generated images differ by their scale alone: "
            f"{_recipe(low, high, pixel_range)}. {received}"
        )


def _recipe(low, high, pixel_range):
    """How to scale pixels of this range."""
    to_one = pixel_range is not None and pixel_range[0] == 0.0
    if low >= 0.0 and high > _BYTES_FROM:
        return "images / 255" if to_one else "images / 127.5 - 1"
    if low >= 0.0:
        return "2 * images - 1"
    return "(images + 1) / 2 for images in -1 to 1" if to_one else "they must lie in -1 to 1"


def as_labels(labels, name, num_classes, count=None):
    """Returns labels as integers (N,).

    Args:
        labels: array (N,) or (N, 1).
        name: str, the argument's name.
        num_classes: int, K.
        count: int or None, the number of images.

    Raises:
        ValueError: they are no integers in [0, K), or not as many as the images.
    """
    labels = _as_array(labels)
    check_label_type(labels.dtype, labels.shape, name, num_classes)
    labels = labels.reshape(-1)
    if count is not None and len(labels) != count:
        raise ValueError(
            f"`{name}` must have one label for each image. Received: {len(labels)} labels of "
            f"{count} images"
        )
    outside = labels[(labels < 0) | (labels >= num_classes)]
    if len(outside):
        raise ValueError(
            f"`{name}` must be integers from 0 to {num_classes - 1}, one for each logit of the "
            "discriminator; images without a label belong in `unlabeled` alone. Received: label "
            f"{outside[0]}"
        )
    return labels.astype("int32")


def check_label_type(dtype, shape, name, num_classes):
    """Raises `ValueError` unless labels of this dtype and shape (N, ..) are integers (N,)."""
    dtype = np.dtype(dtype)
    if len(shape) == 2 and shape[1] == num_classes and num_classes > 1:
        raise ValueError(
            f"`{name}` must be one integer for each image, not one-hot rows: "
            f"np.argmax(labels, axis=1). Received: labels of shape {tuple(shape)}"
        )
    if dtype.kind in "OUST":
        raise ValueError(
            f"`{name}` must be integers from 0 to {num_classes - 1}, not names: "
            "names, labels = np.unique(labels, return_inverse=True). Received: labels of dtype "
            f"{dtype}"
        )
    if dtype.kind not in "iu":
        raise ValueError(
            f"`{name}` must be integers from 0 to {num_classes - 1}: labels.astype('int32'). "
            f"Received: labels of dtype {dtype}"
        )
    if not (len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)):
        raise ValueError(
            f"`{name}` must be one integer for each image, of shape (N,). Received: labels of "
            f"shape {tuple(shape)}"
        )


def pair(data, name):
    """Splits `(images, labels)`, or raises `ValueError`."""
    if not isinstance(data, list | tuple) or len(data) != 2:
        raise ValueError(
            f"`{name}` must be a pair (images, labels), or a tf.data.Dataset of such batches. "
            f"Received: {name} of type {type(data).__name__}"
        )
    return data


def _as_array(values):
    return keras.ops.convert_to_numpy(values) if keras.ops.is_tensor(values) else np.asarray(values)

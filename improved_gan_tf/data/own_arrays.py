"""Finds a person's own images in an array file."""

import pathlib
import zipfile

import numpy as np
from PIL import Image

from improved_gan_tf.data import pictures
from improved_gan_tf.data.own_images import NO_LABEL, Found, digest_of
from improved_gan_tf.errors import UserError, first_line

NEEDED = ("x_train", "y_train")
KNOWN = (*NEEDED, "x_test", "y_test", "x_unlabeled", "class_names")  # others are not read
MOST_CLASSES = 10_000


def find(arrays):
    """Reads an .npz file; returns `own_images.Found`.

    The file holds `x_train` and `y_train`, and where there are any `x_test` and `y_test`,
    `x_unlabeled`, `class_names`. Images are uint8 (N, H, W) or (N, H, W, C), C 1 or 3, or floats
    that are whole numbers from 0 to 255. Labels are whole numbers from 0, -1 for an image without
    one, or texts, "" without one.

    Args:
        arrays: path.

    Raises:
        UserError: the file cannot be read, or its arrays are not like that.
    """
    path = pathlib.Path(arrays).expanduser()
    found = _read(path)
    x, y = _images(path, found, "x_train"), found["y_train"]
    parts = [(x, y, "y_train", False)]
    if "x_unlabeled" in found and len(found["x_unlabeled"]):
        unlabeled = _images(path, found, "x_unlabeled")
        none = "" if y.dtype.kind == "U" else NO_LABEL
        parts.append((unlabeled, np.full(len(unlabeled), none), "x_unlabeled", False))
    if "x_test" in found or "y_test" in found:
        if not {"x_test", "y_test"} <= set(found):
            raise UserError(f"{path} must hold both of x_test and y_test, or neither.")
        if max(found["x_test"].shape[:1] + found["y_test"].shape[:1]):  # else as if there were none
            parts.append((_images(path, found, "x_test"), found["y_test"], "y_test", True))
    names = _class_names(path, found, [labels for _, labels, _, _ in parts])
    labels = [_numbers(path, what, y, len(x), names) for x, y, what, _ in parts]
    is_test = np.concatenate([np.full(len(x), tested) for x, _, _, tested in parts])
    every = [image for x, *_ in parts for image in x]
    grey = all(x.shape[-1] == 1 for x, *_ in parts)

    def square(number, image_size, channels):
        image = every[number]
        picture = Image.fromarray(image[:, :, 0] if image.shape[-1] == 1 else image)
        return pictures.square_of(picture, image_size, channels)

    return Found(
        title=path.name,
        names=tuple(f"number {number}" for number in range(len(every))),
        header=lambda number: pictures.Header(grey, min(every[number].shape[:2])),
        square=square,
        labels=np.concatenate(labels).astype(np.int32),
        is_test=is_test,
        class_names=names,
        key=f"{path.stem}-{digest_of(*(x for x, *_ in parts), *labels)}",
        notes=(),
    )


def _read(path):
    if not path.is_file():
        raise UserError(f"`arrays` must be an .npz file that exists. Received: {path}.")
    try:
        if not zipfile.is_zipfile(path):  # of which NumPy says that it were pickled
            raise ValueError("it is no such file")
        # Opened here, because NumPy would leave a damaged archive open.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
            names = list(saved.files)
            found = {name: _with_texts(saved[name]) for name in names if name in KNOWN}
    except Exception as error:  # NumPy, zipfile and zlib have their own errors for damaged files
        raise UserError(
            f"`arrays={path}` cannot be read as an .npz file of numbers and texts: "
            f"{first_line(error)}"
        ) from error
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise UserError(
            f"`arrays={path}` must hold x_train and y_train (and x_test, y_test, x_unlabeled, "
            f"class_names where there are any). Received: {', '.join(names) or 'nothing'}."
        )
    return found


def _with_texts(array):
    """An array whose bytes, as other programs write texts, are texts."""
    return np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array


def _images(path, found, name):
    images = found[name]
    if images.ndim == 3:
        images = images[..., None]
    is_bytes = images.dtype == np.uint8
    if not is_bytes and images.dtype.kind in "iuf" and images.size:
        # Not what a scaled image would be: 0.5 or -1 say that the range is another.
        is_whole = np.array_equal(images, np.clip(np.round(images), 0, 255))
        if is_whole and images.max() > 1:
            images, is_bytes = images.astype(np.uint8), True
    if not is_bytes or images.ndim != 4 or images.shape[-1] not in (1, 3) or not images.size:
        raise UserError(
            f"{name} of {path} must be images (N, H, W) or (N, H, W, C), C 1 or 3, as bytes from 0 "
            "to 255 (uint8; of scaled ones: x * 255 or the like, rounded). Received: "
            f"{found[name].dtype} of shape {found[name].shape}."
        )
    return images


def _class_names(path, found, labels):
    """Names of the classes: those of the file, the texts in the labels, or the numbers."""
    if "class_names" in found:
        names = tuple(str(name) for name in found["class_names"].ravel())
        if "" in names:
            raise UserError(
                f'class_names of {path} must be texts, none of them empty: "" stands for an image '
                f"without a label. Received: {', '.join(map(repr, names[:5]))}."
            )
    elif len({part.dtype.kind == "U" for part in labels}) > 1:
        raise UserError(
            f"y_train and y_test of {path} must both be numbers or both be texts: without "
            "class_names nothing says which number a text is. Received: "
            f"{found['y_train'].dtype} and {found['y_test'].dtype}."
        )
    elif labels[0].dtype.kind == "U":
        names = tuple(sorted({str(text) for part in labels for text in part.ravel()} - {""}))
    elif labels[0].dtype.kind in "iu" and labels[0].size:
        # As Python's numbers: unsigned ones have no -1.
        largest = max(int(part.max()) for part in labels if part.size)
        if largest >= MOST_CLASSES:
            raise UserError(
                f"y_train and y_test of {path} must be the numbers of classes, 0..K-1 with K at "
                f"most {MOST_CLASSES:,} (-1: no label, of a signed type). Received: {largest}. Of "
                "other numbers: names, y = np.unique(numbers, return_inverse=True)."
            )
        names = tuple(map(str, range(largest + 1)))
    else:
        raise UserError(
            f"y_train of {path} must be whole numbers from 0 (-1: no label) or texts. Received: "
            f"{labels[0].dtype} of shape {labels[0].shape}."
        )
    if not 2 <= len(names) <= MOST_CLASSES or len(set(names)) < len(names):
        raise UserError(
            f"{path} must have two or more classes (at most {MOST_CLASSES:,}), each with a name of "
            "its own. "
            f"Received: {len(names)} ({', '.join(names[:5])}{', ...' if names[5:] else ''})."
        )
    return names


def _numbers(path, what, labels, count, names):
    """Labels as numbers, (count,)."""
    if labels.dtype.kind == "U" and labels.shape == (count,):
        known = {**{name: number for number, name in enumerate(names)}, "": NO_LABEL}
        unknown = sorted(set(labels.tolist()) - set(known))
        if unknown:
            raise UserError(f"{what} of {path} has a label of no class: {unknown[0]!r}.")
        return np.array([known[text] for text in labels.tolist()], np.int32)
    if labels.dtype.kind not in "iu" or labels.shape != (count,):
        columns = labels.shape[1] if labels.ndim == 2 else 0
        advice = " One-hot labels: give their argmax." if columns > 1 else ""
        advice = " A column of labels: give its [:, 0]." if columns == 1 else advice
        raise UserError(
            f"{what} of {path} must be one whole number or text for each of the {count:,} images."
            f"{advice} Received: {labels.dtype} of shape {labels.shape}."
        )
    if labels.size and not NO_LABEL <= labels.min() <= labels.max() < len(names):
        raise UserError(
            f"{what} of {path} must lie in 0..{len(names) - 1}, -1 for no label. Received: "
            f"{labels.min()}..{labels.max()}."
        )
    return labels.astype(np.int32)

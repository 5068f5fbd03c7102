"""A data set of one's own: pictures in folders, arrays in a file, or any set of TFDS.

    FOLDER/train/CLASS/*.jpg    FOLDER/unlabeled/*    FOLDER/test/CLASS/*       (or FOLDER/CLASS/*)
    FILE.npz: x_train, y_train (-1: no label), x_test, y_test
    NAME as TFDS prepares it

Whatever there is no test set for is held out of the labeled images, the same ones in every run.
"""

import concurrent.futures
import hashlib
import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from improved_gan_tf import streams
from improved_gan_tf.data import cache_folders, pictures
from improved_gan_tf.data.datasets import Dataset
from improved_gan_tf.data.picture_files import require_text_names
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files
from improved_gan_tf.machine.progress_bar import progress_bar

NO_LABEL = -1
MOST_BROKEN = 0.1  # of all pictures; with more, something else is wrong
DARK = 64  # of 255; if no pixel of all images is brighter, white is probably another number
LARGEST_BY_ITSELF = 64  # pixels, unless a larger size is asked for


class Found(NamedTuple):
    """Pictures that were found and not yet decoded."""

    title: str  # what people call the set
    names: tuple[str, ...]  # of the pictures, for messages
    header: Callable  # number of a picture -> `pictures.Header`
    square: Callable  # (number, image size, channels) -> uint8 (size, size, channels)
    labels: np.ndarray  # int32 (N,), -1 without a label
    is_test: np.ndarray  # bool (N,)
    class_names: tuple[str, ...]
    key: str  # changes when the pictures do
    notes: tuple[str, ...]  # sentences about what was left out


class Loaded(NamedTuple):
    """A data set of one's own in memory."""

    dataset: Dataset
    notes: tuple[str, ...]  # sentences for the user
    is_held_out: bool  # whether the test images were held out of the labeled ones


def load(found, image_size, image_sizes, cache_dir, test_fraction):
    """Decodes the pictures, unless a cache has them, and splits them; returns `Loaded`.

    Args:
        found: `Found`.
        image_size: int, or None for the smallest of `image_sizes` that is not below the median
            shorter side, and at most `LARGEST_BY_ITSELF`.
        image_sizes: tuple of ints, rising, the sizes that the networks have.
        cache_dir: folder for the squares; `cache_folders.DEFAULT_CACHE` if None.
        test_fraction: float in (0, 1), the part of each class's labeled images that is held out for
            testing if there are no test images.

    Raises:
        UserError: most pictures cannot be read, a class has no picture to learn from, there is
            nothing to test on, a name is no text, or the cache cannot be written.
    """
    require_text_names(found.title, *found.class_names)
    broken, headers = {}, {}
    for number, name in enumerate(found.names):
        try:
            headers[number] = found.header(number)
        except UserError as error:
            broken[name] = str(error)
    _require_readable(found, broken)
    channels = 1 if all(header.is_grey for header in headers.values()) else 3
    if image_size is None:
        image_size = _size_for([h.shorter_side for h in headers.values()], image_sizes)
    images, more_broken = _squares(found, list(headers), image_size, channels, cache_dir)
    broken |= more_broken
    _require_readable(found, broken)
    kept = [n for n in headers if found.names[n] not in broken]
    return _split(found, images, np.array(kept), broken, test_fraction)


def _size_for(sides, image_sizes):
    middle = float(np.median(sides))
    fitting = [size for size in image_sizes if middle <= size <= LARGEST_BY_ITSELF]
    return fitting[0] if fitting else LARGEST_BY_ITSELF


def _require_readable(found, broken):
    if len(broken) > MOST_BROKEN * len(found.names):
        first = next(iter(broken.values()))
        raise UserError(
            f"{len(broken):,} of the {len(found.names):,} pictures of {found.title} cannot be "
            f"read, too many to leave out. The first: {first}"
        )


def _squares(found, numbers, image_size, channels, cache_dir):
    """The squares of the readable pictures, uint8 (n, size, size, C), and `{name: error}`."""
    shape = (len(numbers), image_size, image_size, channels)

    def write(folder):
        images = cache_folders.new_array(folder / "images.npy", shape)
        broken = {}

        def square_or_error(number):
            try:
                return found.square(number, image_size, channels)
            except UserError as error:
                return str(error)

        # Threads suffice: Pillow releases Python's lock while it decodes and resizes.
        progress = progress_bar(len(numbers), "picture", "crop and resize, once")
        with progress as bar, concurrent.futures.ThreadPoolExecutor() as threads:
            for row, square in enumerate(threads.map(square_or_error, numbers)):
                if isinstance(square, str):
                    broken[row] = square
                else:
                    images[row] = square
                bar.update(1)
        images.flush()
        (folder / "broken.json").write_text(json.dumps(broken), "utf-8")
        for file in folder.iterdir():
            files.synchronize(file)

    # Which pictures can be read is not in the key: permissions change without a trace in a file.
    readable = "" if len(numbers) == len(found.names) else f"-{digest_of(np.array(numbers))}"
    name = f"{found.key}{readable}-{image_size}x{channels}-own{pictures.PREPARATION}"
    folder = cache_folders.made_once(cache_dir, name, int(np.prod(shape)), write)
    try:
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        broken = json.loads((folder / "broken.json").read_text("utf-8"))
        if images.shape != shape:
            raise ValueError(f"images of shape {images.shape}")
    except (OSError, ValueError) as error:
        raise UserError(
            f"The prepared images in {folder} are damaged ({error}). Delete that folder to have "
            "them made again."
        ) from error
    rows = {int(row): text for row, text in broken.items()}
    kept = [row for row in range(len(numbers)) if row not in rows]
    return np.asarray(images[kept]), {found.names[numbers[r]]: t for r, t in rows.items()}


def _split(found, images, kept, broken, test_fraction):
    labels, is_test = found.labels[kept], found.is_test[kept]
    notes = [*found.notes, *(f"{text} It is left out." for text in broken.values())]
    untested = is_test & (labels < 0)
    if untested.any():
        notes.append(f"{untested.sum():,} test images have no label and are left out.")
        images, labels, is_test = (x[~untested] for x in (images, labels, is_test))
    is_held_out = not is_test.any()
    if is_held_out:
        is_test = held_out(labels, len(found.class_names), test_fraction)
        if not is_test.any():
            raise UserError(
                f"{found.title} has no test images, and none can be held out, since each class "
                "has at most one labeled image: add labeled images for testing."
            )
        notes.append(
            f"There are no test images: {is_test.sum():,} of the {np.sum(labels >= 0):,} labeled "
            f"images are held out for testing, the same ones in every run "
            f"(--test_fraction={test_fraction:g})."
        )
    also_trained = _trained_too(images, is_test)
    if also_trained:
        notes.append(
            f"{also_trained:,} of the {is_test.sum():,} test images are also among the training "
            "images: the test error says too little of new ones."
        )
    brightest = images.max()
    if brightest < DARK:
        notes.append(
            f"The brightest pixel of all images is {brightest} of 255. If {brightest} means white, "
            "scale the images to 255."
        )
    train_labels, test_labels = labels[~is_test], labels[is_test]
    counts = np.bincount(train_labels[train_labels >= 0], minlength=len(found.class_names))
    if counts.min() == 0:
        raise UserError(
            f"The class {found.class_names[counts.argmin()]!r} of {found.title} has no labeled "
            "training image that can be read: add some, or remove the class."
        )
    tested = np.bincount(test_labels, minlength=len(found.class_names)) > 0
    if not tested.all():
        names = ", ".join(
            name for name, yes in zip(found.class_names, tested, strict=True) if not yes
        )
        notes.append(f"No test image is of class {names}: the test error does not cover it.")
    num_labeled = int(counts.sum())
    plural = "" if len(broken) == 1 else "s"
    left_out = f"; {len(broken):,} broken picture{plural} left out" if broken else ""
    description = (
        f"{found.title} ({len(train_labels):,} training images, {num_labeled:,} of them labeled, "
        f"of {len(found.class_names)} classes; {len(test_labels):,} test images{left_out})"
    )
    dataset = Dataset(
        np.ascontiguousarray(images[~is_test]),
        train_labels.astype(np.int32),
        np.ascontiguousarray(images[is_test]),
        test_labels.astype(np.int32),
        description,
        False,
        found.class_names,
    )
    return Loaded(dataset, tuple(notes), is_held_out)


def _trained_too(images, is_test):
    """How many test images, of uint8 (N, H, W, C), are also among the others."""
    digests = np.array([hashlib.sha256(np.ascontiguousarray(x)).digest() for x in images])
    return int(np.isin(digests[is_test], digests[~is_test]).sum())


def held_out(labels, num_classes, fraction):
    """Which labeled images are for testing: bool (N,).

    Of each class the part `fraction`, rounded, and at least one of two or more images; a class with
    one image keeps it for training.
    """
    order = streams.held_out_images().permutation(len(labels))
    is_test = np.zeros(len(labels), bool)
    for label in range(num_classes):
        rows = order[labels[order] == label]
        count = min(max(1, round(fraction * len(rows))), max(0, len(rows) - 1))
        is_test[rows[:count]] = True
    return is_test


def digest_of(*parts):
    """Twelve hexadecimal digits for some texts or arrays."""
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            found.update(part.encode("utf-8", "surrogateescape"))
        else:  # the same bytes in another shape are other images
            found.update(f"{part.dtype}{part.shape}".encode())
            found.update(np.ascontiguousarray(part))
    return found.hexdigest()[:12]

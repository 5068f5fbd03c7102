"""ImageNet, or any folder of images by class, as square byte images on disk; rows of each epoch.

Images are cropped to their middle square, stretched in contrast and resized once, before the first
training, and kept as one array file of bytes: any image can then be read at once, so that the order
of the data is a pure function of seed and epoch, and training waits for no decoder.

Original: openai/improved-gan@4f5d1ec, imagenet/convert_imagenet_to_records.py, which keeps the
          same bytes (D16); `center_crop` in imagenet/utils.py.
"""

import concurrent.futures
import hashlib
import io
import itertools
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from improved_gan_tf import tfds_data
from improved_gan_tf.errors import UserError

DEFAULT_CACHE = "~/.cache/improved_gan_tf"
IMAGENET = "imagenet2012"  # its name in TFDS
IMAGENET_CLASSES = 1000
IMAGENET_COUNT = 1_281_167

_EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
PREPARATION = 2  # counts up when the bytes that are kept change
_DECODED_AT_ONCE = 256  # images; bounds the memory that encoded and decoded ones take


class Source(NamedTuple):
    """Encoded images that can be read one after the other."""

    count: int
    class_names: tuple[str, ...]
    items: Callable  # () -> iterator of (name, path or open file, label)
    key: str  # changes when the images do
    description: str  # what a result on it has to be called
    is_papers: bool  # whether it is the whole data set that the paper used


class ImageSet(NamedTuple):
    """Square images of one size."""

    images: np.ndarray  # uint8 (N, size, size, 3), read from disk as it is used
    labels: np.ndarray  # int32 (N,)


def find(image_folder, data_dir):
    """Finds the training images, and reads none of them.

    Args:
        image_folder: folder with one folder of images per class, or None for ImageNet as TFDS
            prepares it.
        data_dir: folder of prepared TFDS data, or None for TFDS's default.

    Returns:
        `Source`.

    Raises:
        UserError: there is no such folder, fewer than two classes, or no prepared ImageNet.
    """
    return _find_tfds(data_dir) if image_folder is None else _find_folder(image_folder)


def _find_folder(image_folder):
    root = pathlib.Path(image_folder).expanduser()
    if not root.is_dir():
        raise UserError(
            f"--image_folder must be a folder that exists. Received: {image_folder} (no such "
            "folder)."
        )
    by_class = {}
    for folder in sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")):
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _EXTENSIONS)
        if paths:
            by_class[folder.name] = paths
    if len(by_class) < 2:
        raise UserError(
            f"--image_folder={image_folder} must hold one folder of images for each of two or "
            f"more classes ({', '.join(_EXTENSIONS)}). Received: {len(by_class)} such folders."
        )
    labeled = [(p, label) for label, paths in enumerate(by_class.values()) for p in paths]
    digest = hashlib.sha256()
    for path, _ in labeled:
        stat = path.stat()
        digest.update(f"{path.relative_to(root)}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
    return Source(
        count=len(labeled),
        class_names=tuple(by_class),
        items=lambda: ((str(path), path, label) for path, label in labeled),
        key=f"{root.resolve().name}-{digest.hexdigest()[:12]}",
        description=f"{root.resolve().name} ({len(labeled):,} images of {len(by_class)} classes)",
        is_papers=False,
    )


def _find_tfds(data_dir):
    import tensorflow_datasets as tfds

    folder = tfds_data.prepared_folder(IMAGENET, data_dir)
    if folder is None:
        directory = tfds_data.tfds_directory(data_dir)
        raise UserError(
            f"No prepared '{IMAGENET}' data in {directory}. ImageNet has to be "
            "requested and downloaded by hand (tensorflow.org/datasets/catalog/imagenet2012); name "
            f"the folder that holds {IMAGENET}/VERSION/dataset_info.json with --data_dir=PARENT, "
            "or train on your own images: --image_folder=FOLDER, with one folder per class."
        )
    with tfds_data.explained_tfds_errors(IMAGENET, folder):
        builder = tfds.builder_from_directory(str(folder))
        count = builder.info.splits["train"].num_examples
        names = tuple(builder.info.features["label"].names)

    def items():
        with tfds_data.explained_tfds_errors(IMAGENET, folder):
            encoded = builder.as_dataset(
                split="train",
                decoders={"image": tfds.decode.SkipDecoding()},
                read_config=tfds.ReadConfig(add_tfds_id=True),
            )
            for example in tfds.as_numpy(encoded):
                name = example["tfds_id"].decode()
                yield name, io.BytesIO(example["image"]), int(example["label"])

    whole = (count, len(names)) == (IMAGENET_COUNT, IMAGENET_CLASSES)
    description = f"{IMAGENET} (TFDS {folder.name})"
    if not whole:
        description = f"PARTIAL {description}: {count:,} of {IMAGENET_COUNT:,} images"
    digest = hashlib.sha256((folder / "dataset_info.json").read_bytes())
    return Source(
        count=count,
        class_names=names,
        items=items,
        key=f"{IMAGENET}-{digest.hexdigest()[:12]}",
        description=description,
        is_papers=whole,
    )


def prepare(source, image_size, cache_dir=None):
    """Makes the square bytes of every image of a source, unless that was done before.

    Args:
        source: `Source`.
        image_size: int, side of the square images.
        cache_dir: folder for them; `DEFAULT_CACHE` if None.

    Returns:
        `ImageSet`.

    Raises:
        UserError: an image cannot be read, most images are smaller than `image_size`, or the
            folder cannot hold them.
    """
    cache = pathlib.Path(cache_dir or DEFAULT_CACHE).expanduser()
    # The number of the preparation: images that an earlier one has left are not these.
    folder = cache / f"{source.key}-{image_size}-v{PREPARATION}"
    if not folder.is_dir():
        unfinished = None
        try:
            cache.mkdir(parents=True, exist_ok=True)
            # No name that another process, on this machine or another one, has too.
            unfinished = pathlib.Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=cache))
            images = unfinished / "images"  # with the user's permissions, where mkdtemp has its own
            images.mkdir()
            _require_space(cache, source.count * image_size**2 * 3)
            _write(source, image_size, images)
            _publish(images, folder)
        except OSError as error:
            raise UserError(
                f"--cache_dir={cache} cannot hold the prepared images: {error.strerror or error}."
            ) from error
        finally:
            if unfinished is not None:
                shutil.rmtree(unfinished, ignore_errors=True)
    return ImageSet(
        np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False),
        np.load(folder / "labels.npy", allow_pickle=False),
    )


def _publish(unfinished, folder):
    try:
        unfinished.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was faster with the same images
            raise


def _require_space(cache, needed):
    free = shutil.disk_usage(cache).free
    if needed > free:
        raise UserError(
            f"The prepared images take {needed / 1e9:.1f} GB and --cache_dir={cache} has "
            f"{free / 1e9:.1f} GB left. Name a folder with more space with --cache_dir."
        )


def _write(source, image_size, folder):
    """Writes images.npy and labels.npy."""
    shape = (source.count, image_size, image_size, 3)
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, shape)
    labels = np.empty(source.count, np.int32)
    enlarged, row, items = [], 0, source.items()
    bar = tqdm(
        total=source.count,
        unit="image",
        desc="crop, stretch and resize, once",
        mininterval=0.5 if sys.stderr.isatty() else 30.0,
        dynamic_ncols=True,
    )
    # Threads suffice: Pillow decodes and resizes outside Python's lock.
    with bar, concurrent.futures.ThreadPoolExecutor() as threads:
        while some := list(itertools.islice(items, _DECODED_AT_ONCE)):
            squares = threads.map(lambda item: square(item[0], item[1], image_size), some)
            for (name, _, label), (image, side) in zip(some, squares, strict=True):
                images[row], labels[row] = image, label
                row += 1
                if side < image_size:
                    enlarged.append(name)
            bar.update(len(some))
    # Single small images are enlarged, as in the original; ImageNet has some.
    if len(enlarged) > source.count / 2:
        raise UserError(
            f"{len(enlarged):,} of {source.count:,} images are smaller than --image_size="
            f"{image_size} on their shorter side, {enlarged[0]} for one. Give a smaller "
            "--image_size (32, 64 or 128), or larger images."
        )
    images.flush()
    np.save(folder / "labels.npy", labels)


def square(name, file, image_size):
    """Reads one image, takes its largest middle square, stretches its contrast and resizes it.

    The original's `imresize` is given floats: it maps the square's least value to 0 and its
    greatest to 255, all channels alike, before Pillow's bilinear resizing.

    Args:
        name: str, what to call the image in an error.
        file: path or open file.
        image_size: int.

    Returns:
        uint8 (image_size, image_size, 3), and the length of the image's shorter side.

    Raises:
        UserError: the file is no whole image.
    """
    try:
        with Image.open(file) as image:
            rgb = image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"The image {name} cannot be read: {error}.") from error
    side = min(rgb.size)
    # Halves are rounded up, as by Python 2.
    left, top = ((length - side + 1) // 2 for length in rgb.size)
    middle = np.asarray(rgb.crop((left, top, left + side, top + side)))
    stretched = Image.fromarray(stretch_table(middle.min(), middle.max())[middle])
    resized = stretched.resize((image_size, image_size), Image.Resampling.BILINEAR)
    return _THROUGH_FLOATS[np.asarray(resized)], side


def stretch_table(low, high):
    """What each byte becomes when `low` is mapped to 0 and `high` to 255.

        (value - low) * 255 / (high - low), limited to [0, 255], rounded

    Original: `bytescale` of scipy.misc, which `imresize` calls for floats (SciPy before 0.18 rounds
    halves down).

    Args:
        low: int, 0 to 255.
        high: int, `low` to 255; where it is `low`, differences are not scaled.

    Returns:
        uint8 (256,).
    """
    low, high = int(low), int(high)
    values = (np.arange(256) - low) * (255.0 / ((high - low) or 1))
    return (values.clip(0, 255) + 0.5).astype("uint8")


# The original turns bytes into [-1, 1] and back, cut off, by which some lose one.
_THROUGH_FLOATS = ((np.arange(256) / 127.5 - 1.0 + 1.0) * (255.0 / 2.0)).astype("uint8")


class ShuffledEpochs:
    """The rows of any epoch: `epochs(epoch)`, a pure function of the constructor's arguments.

    Args:
        count: int, images.
        batch_size: int.
        seed: int, the run's.

    Raises:
        UserError: there are fewer images than fit one batch.
    """

    def __init__(self, count, batch_size, seed):
        self.iterations = count // batch_size
        if self.iterations == 0:
            raise UserError(
                f"--batch_size must not exceed the {count} images. Received: {batch_size}."
            )
        self._count, self._batch_size, self._seed = count, batch_size, seed

    def __call__(self, epoch):
        """The rows of `epoch`, counted from 0, in a tuple: ints (iterations, batch_size).

        No two are equal; the images that are left over differ from epoch to epoch.
        """
        # D16: the original shuffles the files once and then within a queue of 1,000 images.
        order = np.random.default_rng((self._seed, epoch)).permutation(self._count)
        used = order[: self.iterations * self._batch_size]
        return (used.reshape(self.iterations, self._batch_size),)


class LabeledBatch(NamedTuple):
    """What one iteration sees: bytes (N, size, size, 3) and labels (N,), as tensors."""

    images: object
    labels: object


def batches(image_set, rows):
    """The images of some iterations, read ahead of their use.

    Args:
        image_set: `ImageSet`.
        rows: int array (iterations, batch_size), from `ShuffledEpochs`.

    Returns:
        `tf.data.Dataset` of one `LabeledBatch` (uint8, int32) for each iteration, in order.
    """
    import tensorflow as tf

    def read(some):
        return image_set.images[some], image_set.labels[some]

    def read_tensors(some):
        images, labels = tf.numpy_function(read, [some], (tf.uint8, tf.int32), stateful=False)
        images.set_shape((rows.shape[1], *image_set.images.shape[1:]))
        labels.set_shape((rows.shape[1],))
        return LabeledBatch(images, labels)

    dataset = tf.data.Dataset.from_tensor_slices(rows)
    return dataset.map(read_tensors, num_parallel_calls=2).prefetch(2)

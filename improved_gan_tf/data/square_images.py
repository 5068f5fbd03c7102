"""Square byte images on disk, made once from images of any size.

Before the first training, images are cropped to their middle square and resized: as ImageNet was
in the original, or as one's own pictures are. The bytes are kept in one array file, which gives any
image at any time without decoding.

Original: openai/improved-gan@4f5d1ec, imagenet/convert_imagenet_to_records.py, which keeps the
          same bytes (D16); `center_crop` in imagenet/utils.py.
"""

import concurrent.futures
import contextlib
import functools
import hashlib
import itertools
from typing import NamedTuple

import numpy as np
from PIL import Image

from improved_gan_tf.data import cache_folders, pictures
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files
from improved_gan_tf.machine.progress_bar import progress_bar

PREPARATION = 2  # increases when the bytes of `imagenet_square` change
MOST_NAMED = 20  # images that cannot be read, in an error
_DECODED_AT_ONCE = 256  # images; bounds memory


class ImageSet(NamedTuple):
    """Square images of one size."""

    images: np.ndarray  # uint8 (N, size, size, 3), read from disk when used
    labels: np.ndarray  # int32 (N,)
    digest: str | None = None  # SHA-256 of both, for prepared images


def prepare(source, image_size, cache_dir=None, as_imagenet=True):
    """Makes the square bytes of every image of a `Source`, unless they exist; returns `ImageSet`.

    Args:
        source: `data.encoded_images.Source`.
        image_size: int, side of the square images.
        cache_dir: folder for them; `cache_folders.DEFAULT_CACHE` if None.
        as_imagenet: bool, `imagenet_square` (True) or `own_square` (False).

    Raises:
        UserError: images cannot be read, which it names; most images are smaller than
            `image_size`; the cache folder cannot be written, or its files are damaged.
    """
    # The preparations' numbers keep out images that earlier ones left.
    kind = "" if as_imagenet else f"-own{pictures.PREPARATION}"
    folder = cache_folders.made_once(
        cache_dir,
        f"{source.key}-{image_size}-v{PREPARATION}{kind}",
        source.count * image_size**2 * 3,
        functools.partial(_write, source, image_size, as_imagenet=as_imagenet),
    )
    try:
        return _read(folder, (source.count, image_size, image_size, 3))
    except (OSError, ValueError) as error:
        raise UserError(
            f"The prepared images in {folder} are damaged ({error}). Delete that folder to have "
            "them made again."
        ) from error


def _read(folder, shape):
    images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
    labels = np.load(folder / "labels.npy", allow_pickle=False)
    if (images.shape, images.dtype) != (shape, np.uint8) or len(labels) != len(images):
        raise ValueError(f"{images.dtype} {images.shape} and {len(labels)} labels")
    file = folder / "sha256.txt"
    if file.exists():
        return ImageSet(images, labels, file.read_text("utf-8"))
    digest = _digest(images, labels)  # prepared by an earlier version
    with contextlib.suppress(OSError):  # a read-only folder: it is computed each time
        files.write_whole(file, lambda path: path.write_text(digest, "utf-8"))
    return ImageSet(images, labels, digest)


def _digest(images, labels):
    """SHA-256 of all images' bytes, in order, and of their labels."""
    digest = hashlib.sha256()
    for first in range(0, len(images), _DECODED_AT_ONCE):
        digest.update(np.ascontiguousarray(images[first : first + _DECODED_AT_ONCE]))
    digest.update(np.ascontiguousarray(labels))
    return digest.hexdigest()


def _write(source, image_size, folder, as_imagenet):
    """Writes images.npy, labels.npy and sha256.txt, and waits until they are on the disk."""
    shape = (source.count, image_size, image_size, 3)
    images = cache_folders.new_array(folder / "images.npy", shape)
    labels = np.empty(source.count, np.int32)
    enlarged, broken, row, items = [], [], 0, source.items()
    what = "crop, stretch and resize" if as_imagenet else "crop and resize"
    square = imagenet_square if as_imagenet else own_square

    def square_or_error(item):
        try:
            return square(*item[:2], image_size)
        except UserError as error:
            return error

    progress = progress_bar(source.count, "image", f"{what}, once")
    # Threads suffice: Pillow releases Python's lock while it decodes and resizes.
    with progress as bar, concurrent.futures.ThreadPoolExecutor() as threads:
        while some := list(itertools.islice(items, _DECODED_AT_ONCE)):
            found = threads.map(square_or_error, some)
            for (name, _, label), square_and_side in zip(some, found, strict=True):
                if isinstance(square_and_side, UserError):
                    broken.append(square_and_side)
                else:
                    images[row], side = square_and_side
                    labels[row] = label
                    if side < image_size:
                        enlarged.append(name)
                row += 1
            bar.update(len(some))
            if len(broken) > source.count / 2:
                break
            # A few small images are enlarged, as in the original; ImageNet has some.
            if len(enlarged) > source.count / 2:
                raise UserError(
                    f"More than half of the {source.count:,} images are smaller than "
                    f"`image_size={image_size}` on their shorter side, {enlarged[0]} for one. Give "
                    "larger images, or a smaller `image_size` where there is one."
                )
    # Only now, so that all are named at once: preparing many images takes hours.
    if broken:
        raise UserError(_broken_text(broken, source.count))
    images.flush()
    np.save(folder / "labels.npy", labels)
    (folder / "sha256.txt").write_text(_digest(images, labels), "utf-8")
    for file in folder.iterdir():
        files.synchronize(file)


def _broken_text(errors, count):
    if len(errors) == 1:
        return str(errors[0])
    lines = [f"  {error}" for error in errors[:MOST_NAMED]]
    if len(errors) > MOST_NAMED:
        lines.append(f"  and {len(errors) - MOST_NAMED:,} more")
    head = f"{len(errors):,} of the {count:,} images cannot be read; remove or replace them:"
    return "\n".join([head, *lines])


def own_square(name, file, image_size):
    """One of a person's own pictures, as `pictures.read_square` reads it in colour.

    Args, Returns, Raises: as `imagenet_square`.
    """
    side = pictures.read_header(name, file).shorter_side
    return pictures.read_square(name, file, image_size, channels=3), side


def imagenet_square(name, file, image_size):
    """Reads one image, crops its middle square, stretches its contrast and resizes it.

    The original's `imresize` gets floats: it maps the square's least value to 0 and its greatest
    to 255, over all channels, before Pillow's bilinear resizing. Like the original, this follows
    no camera's note about the orientation.

    Args:
        name: str, the image's name in an error.
        file: path or open file.
        image_size: int.

    Returns:
        uint8 (image_size, image_size, 3), and the image's shorter side in pixels.

    Raises:
        UserError: the file is damaged or not an image.
    """
    with pictures.opened(name, file) as image:
        pictures.require_known_white(image)
        rgb = pictures.eight_bits(image).convert("RGB")  # D16: of CMYK too
    side = min(rgb.size)
    # Halves are rounded up, as in Python 2.
    left, top = ((length - side + 1) // 2 for length in rgb.size)
    middle = np.asarray(rgb.crop((left, top, left + side, top + side)))
    stretched = Image.fromarray(stretch_table(middle.min(), middle.max())[middle])
    resized = stretched.resize((image_size, image_size), Image.Resampling.BILINEAR)
    return _THROUGH_FLOATS[np.asarray(resized)], side


def stretch_table(low, high):
    """What each byte becomes if `low` maps to 0 and `high` to 255: uint8 (256,).

        (value - low) * 255 / (high - low), clipped to [0, 255], rounded

    If `low` equals `high`, differences are not scaled.

    Original: `bytescale` of scipy.misc, which `imresize` calls for floats (SciPy before 0.18 rounds
    halves down).
    """
    low, high = int(low), int(high)
    values = (np.arange(256) - low) * (255.0 / ((high - low) or 1))
    return (values.clip(0, 255) + 0.5).astype("uint8")


# The original converts bytes to [-1, 1] and back and truncates, so some bytes lose 1.
_THROUGH_FLOATS = ((np.arange(256) / 127.5 - 1.0 + 1.0) * (255.0 / 2.0)).astype("uint8")

"""Folders of pictures as sources of images: found at any depth, brought to one shape.

See `image_sources` for what a source is.
"""

import json
from typing import NamedTuple

import numpy as np
from PIL import Image

from improved_gan_tf.data import picture_files, pictures, square_images
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine.files import name_of
from improved_gan_tf.settings.images import IMAGES

ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
_LOSSY = {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WebP"}
_GREY_MODES = ("1", "L", "LA", "La")
# How a run's training images were made square, by its data set.
_SQUARES = {
    "imagenet": lambda name, file, shape: square_images.imagenet_square(name, file, shape[0])[0],
    "folder": lambda name, file, shape: square_images.own_square(name, file, shape[0])[0],
    IMAGES: lambda name, file, shape: pictures.read_square(name, file, shape[0], shape[2]),
}
_COLOUR_MODES = ("P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr")


class FolderImages:
    """The PNG, JPEG and WebP pictures in and below a folder, in an order that a seed decides.

    The order is a permutation, because the Inception score is taken over contiguous splits, and
    names of files and of class folders sort by class.

    Pictures of one size and kind stay as they are. Otherwise one rule brings each to one shape:

    - upright: a camera's note about the orientation is followed;
    - colour: grey if all are grey, else RGB; transparent parts are laid over white;
    - size: the largest middle part of the common aspect ratio is resized (bicubic). The common size
      is that of `image_shape`; without it, a square as wide as the shortest side of all pictures.

    Args:
        path: folder (a `Path`).
        seed: int.
        image_shape: `(H, W, C)` of the images to compare with, C 1 or 3; None for the rule.

    Raises:
        UserError: there is no picture, one is unreadable or of a grey of more than 8 bits, or they
            are files of run folders.
    """

    dataset = None
    config = None

    def __init__(self, path, seed, image_shape=None):
        files = _pictures_of(path, ENDINGS)
        if not files:
            raise UserError(
                f"{path} is no run folder (no config.json) and holds no pictures ending in "
                f"{', '.join(ENDINGS)}."
            )
        headers = [_header(file) for file in files]
        self.image_shape = _common_shape(headers) if image_shape is None else tuple(image_shape)
        order = np.random.RandomState(seed).permutation(len(files))
        self._files = [files[i] for i in order]
        self._sizes = {file: header.size for file, header in zip(files, headers, strict=True)}
        self.available = len(files)
        folders = len({file.parent for file in files})
        name = name_of(path)
        inside = name if folders == 1 else f"{folders} folders of {name}"
        self.description = f"{len(files):,} pictures in {inside}"
        self.differences = _changes(files, headers, self.image_shape)

    def batches(self, count, batch_size):
        """Yields uint8 (n, H, W, C), `count` images in all."""
        for start in range(0, count, batch_size):
            files = self._files[start : min(start + batch_size, count)]
            yield np.stack([self._read(file) for file in files])

    def _read(self, file):
        height, width, channels = self.image_shape
        with pictures.opened(file, file) as picture:
            upright = pictures.upright(picture)
            plain = pictures.over_white(upright).convert("L" if channels == 1 else "RGB")
        if upright.size != self._sizes[file]:  # by a note behind the pixels, which was not counted
            raise UserError(
                f"The picture {file} is rotated by an EXIF tag stored after its pixels: save it "
                "upright."
            )
        if plain.size != (width, height):
            middle = plain.crop(_middle(plain.size, width / height))
            plain = middle.resize((width, height), Image.Resampling.BICUBIC)
        return np.asarray(plain, np.uint8).reshape(self.image_shape)


class SquaredPictures:
    """Pictures of any size in and below a folder, made square like a run's training images.

    Args:
        path: folder.
        seed: int, decides the order.
        image_shape: `(H, W, C)` of the square images.
        dataset: "imagenet", "folder" or "images", whose preparation they get.
    """

    dataset = None
    config = None

    def __init__(self, path, seed, image_shape, dataset):
        files = _pictures_of(path, picture_files.EXTENSIONS)
        if not files:
            raise UserError(
                f"{path} holds no pictures ending in {', '.join(picture_files.EXTENSIONS)}."
            )
        order = np.random.RandomState(seed).permutation(len(files))
        self._files = [files[i] for i in order]
        self._square = _SQUARES[dataset]
        self.available = len(files)
        self.image_shape = tuple(image_shape)
        self.description = f"{len(files):,} pictures in {name_of(path)}"
        self.differences = [f"data: {self.description}"]

    def batches(self, count, batch_size):
        """Yields uint8 (n, H, W, C), `count` images in all."""
        for start in range(0, count, batch_size):
            files = self._files[start : min(start + batch_size, count)]
            yield np.stack([self._square(str(file), file, self.image_shape) for file in files])


def real_pictures(folder, seed, source):
    """The pictures of a folder (a `Path`), as the real images next to those of a source.

    They get the shape of the source's images, and next to a run on ImageNet or on images of one's
    own the preparation of its training images.

    Raises:
        UserError: as `FolderImages`.
    """
    if prepares_its_images(source):
        return SquaredPictures(folder, seed, source.image_shape, source.dataset)
    return FolderImages(folder, seed, source.image_shape)


def prepares_its_images(source):
    """Whether the training images of a source's run were made square by this package (bool)."""
    return source.dataset in _SQUARES


def is_run_folder(path):
    """Whether the config.json in a folder (a `Path`) is that of a run, or cannot be read (bool).

    That of another program is not.
    """
    file = path / "config.json"
    if not file.exists():
        return False
    try:
        settings = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return True
    return isinstance(settings, dict) and "pixels" in settings


def _pictures_of(path, endings):
    """The picture files in and below a folder, which is no run's and holds none."""
    files = picture_files.pictures_below(path, endings)
    above = {parent for file in files for parent in file.relative_to(path).parents}
    for parent in sorted(above):
        if is_run_folder(path / parent):
            raise UserError(
                f"{path / parent} is a run folder, whose pictures are grids and curves: name "
                f"the run folder itself, or a folder of pictures. Received: {path}."
            )
    return files


class _Header(NamedTuple):
    """What the header of a picture says."""

    channels: int  # 1 or 3
    size: tuple[int, int]  # (width, height), upright
    transparent: bool  # whether it has an alpha channel
    is_deep: bool  # whether it has 16 bits a channel, of which Pillow reads the upper 8


def _header(file):
    """The `_Header` of a picture; its pixels are not read."""
    with pictures.opened(file, file) as picture:
        mode, size = picture.mode, pictures.upright_size(picture)
        transparent = pictures.has_alpha(picture)
        is_deep = any(";16" in str(tile) for tile in picture.tile)
    if mode not in _GREY_MODES + _COLOUR_MODES:
        raise UserError(
            "Pictures must have 8 bits a channel: grey, RGB or a palette, with or without "
            f"transparency. Received: {file} of mode {mode}."
        )
    return _Header(1 if mode in _GREY_MODES else 3, size, transparent, is_deep)


def _common_shape(headers):
    """`(H, W, C)` for pictures of any sizes and colours: the rule of `FolderImages`."""
    sizes = {header.size for header in headers}
    if len(sizes) == 1:
        ((width, height),) = sizes
    else:
        width = height = min(map(min, sizes))
    return height, width, max(header.channels for header in headers)


def _changes(files, headers, image_shape):
    """What keeps the images from being the pictures' own pixels, as short texts."""
    height, width, channels = image_shape
    kinds = [_LOSSY[file.suffix.lower()] for file in files if file.suffix.lower() in _LOSSY]
    resized = sum(header.size != (width, height) for header in headers)
    counts = {
        f"are {' or '.join(sorted(set(kinds)))} files": len(kinds),
        f"were cropped to their middle and resized to {width} x {height}": resized,
        "have an alpha channel and were laid over white": sum(h.transparent for h in headers),
        "lost the lower 8 of 16 bits": sum(header.is_deep for header in headers),
        "lost their colours": sum(header.channels > channels for header in headers),
    }
    return [f"images: {count:,} of the pictures {what}" for what, count in counts.items() if count]


def _middle(size, ratio):
    """The box `(left, top, right, bottom)` of the largest middle part of width / height `ratio`."""
    width, height = size
    inner = max(1, min(width, round(height * ratio))), max(1, min(height, round(width / ratio)))
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    return left, top, left + inner[0], top + inner[1]

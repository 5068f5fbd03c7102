"""Samples as files: one PNG each in a folder, one array file, or one grid."""

import math
import pathlib

import numpy as np
from PIL import Image

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files
from improved_gan_tf.runs.run_folder import image_grid


def check_output(path, grid):
    """Refuses, before any work, what would be overwritten or cannot be written.

    Args:
        path: `pathlib.Path`, a file ending in .npz, with `grid` one ending in .png, else a folder,
            whose name may have a dot before other things than letters.
        grid: bool.

    Raises:
        UserError: it exists (an empty folder may), has another ending, or has no folder to be in.
    """
    if grid and path.suffix.lower() != ".png":
        raise UserError(f"--grid writes one picture: --output must end in .png. Received: {path}.")
    if not grid and path.suffix[1:].isalpha() and not (_is_array(path) or path.is_dir()):
        raise UserError(
            "--output must be a folder, for one PNG an image, or a file ending in .npz. Received: "
            f"{path}."
        )
    is_folder = not (grid or _is_array(path))
    if path.exists() and not (is_folder and path.is_dir() and files.holds_nothing(path)):
        raise UserError(f"{path} exists; nothing is overwritten unasked. Give another --output.")
    if not path.absolute().parent.is_dir():
        raise UserError(f"{path} cannot be written: there is no folder {path.absolute().parent}.")


def write(path, images, grid=False):
    """Writes uint8 images (N, H, W, C) where `check_output` let them be written, or nothing.

    An array file holds them as `images`. A grid has as many columns as rows or one more; grey fills
    what is left of it.

    Raises:
        UserError: the disk is full, or the place cannot be written.
    """
    path = pathlib.Path(path)
    try:
        if grid:
            columns = max(1, math.ceil(math.sqrt(len(images))))
            missing = -len(images) % columns
            filled = np.concatenate([images, np.full_like(images[:missing], 128)])
            picture = image_grid(filled, columns)
            files.write_whole(path, lambda place: _write_png(place, picture))
        elif _is_array(path):
            files.write_whole(path, lambda place: _write_array(place, images))
        else:
            files.write_folder_whole(path, lambda place: _write_pngs(place, images))
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error


def _is_array(path):
    return path.suffix.lower() == ".npz"


def _write_array(path, images):
    with open(path, "wb") as file:
        np.savez_compressed(file, images=images)


def _write_pngs(folder, images):
    digits = len(str(len(images) - 1))
    for number, image in enumerate(images):
        _write_png(folder / f"{number:0{digits}d}.png", image)


def _write_png(path, image):
    picture = Image.fromarray(image[:, :, 0] if image.shape[-1] == 1 else image)
    picture.save(path, format="PNG")

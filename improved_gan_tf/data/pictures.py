"""One picture file of any size and colour mode, made a square of bytes."""

import contextlib
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image

from improved_gan_tf.errors import UserError, first_line

PREPARATION = 4  # increases when the bytes of `read_square` change
GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L")
ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
# Orientation of EXIF -> what turns the picture upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTER_TURNS = (5, 6, 7, 8)  # orientations that exchange width and height
_SIXTEEN_BITS = ("I", "I;16", "I;16B", "I;16L")
_SIXTEEN_BITS_AS_I = ("PNG", "PPM")  # formats whose 16 bits Pillow may read as its 32-bit mode


class Header(NamedTuple):
    """What a picture file says before its pixels."""

    is_grey: bool
    shorter_side: int  # pixels


@contextlib.contextmanager
def opened(name, file):
    """The `PIL.Image.Image` of a picture file, for a with block that reads from it.

    Args:
        name: str, the picture's name in an error.
        file: path or open file.

    Raises:
        UserError: what the block asks of the file cannot be read.
    """
    try:
        with Image.open(file) as picture:
            yield picture
    except MemoryError:
        raise
    except Exception as error:  # Pillow's readers have many for damaged files
        raise UserError(f"The picture {name} cannot be read: {first_line(error)}.") from error


def read_header(name, file):
    """The `Header` of a picture; its pixels are not read.

    Raises:
        UserError: the file is damaged or not a picture.
    """
    with opened(name, file) as image:
        require_known_white(image)
        return Header(image.mode in GREY_MODES, min(image.size))


def read_square(name, file, image_size, channels):
    """Reads one picture, crops its middle square and resizes it.

    A camera's note about the orientation is followed. Transparent parts become white. 16 bits
    become 8. Other colour modes (CMYK, palettes) become RGB, or grey where that is asked for.
    Floating point numbers and numbers of 32 bits (TIFF) are refused.

    Args:
        name: str, the picture's name in an error.
        file: path or open file.
        image_size: int, side of the square in pixels.
        channels: 1 for grey, 3 for RGB.

    Returns:
        uint8 (image_size, image_size, channels).

    Raises:
        UserError: the file is damaged or not a picture.
    """
    with opened(name, file) as picture:
        require_known_white(picture)
        # A JPEG may be decoded at an eighth of its size; twice the size leaves room to resize.
        picture.draft(None, (2 * image_size, 2 * image_size))
        image = upright(picture)
        image.load()
        return square_of(image, image_size, channels)


def square_of(image, image_size, channels):
    """The same of a `PIL.Image.Image` whose white is known."""
    image = eight_bits(over_white_of_sixteen_bits(image))
    image = over_white(image).convert("L" if channels == 1 else "RGB")
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    image = image.crop((left, top, left + side, top + side))
    if side != image_size:
        image = image.resize((image_size, image_size), Image.Resampling.BICUBIC)
    return np.asarray(image, np.uint8).reshape(image_size, image_size, channels)


def upright(image):
    """A `PIL.Image.Image` turned as a camera's note about the orientation says."""
    # Not `ImageOps.exif_transpose`, which also writes the note anew, and fails if any other part of
    # it is damaged.
    turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    return image if turn is None else image.transpose(turn)


def upright_size(image):
    """The (width, height) of a `PIL.Image.Image` once a camera's note is followed."""
    width, height = image.size
    # Not `image.getexif()`, which decodes a PNG's pixels to look behind them.
    turned = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1) in _QUARTER_TURNS
    return (height, width) if turned else (width, height)


def has_alpha(image):
    """Whether parts of a `PIL.Image.Image` may be transparent (bool)."""
    return image.mode in ALPHA_MODES or "transparency" in image.info


def over_white(image):
    """A `PIL.Image.Image` without transparency: its transparent parts show white."""
    if not has_alpha(image):
        return image
    seen = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)


def over_white_of_sixteen_bits(image):
    """A grey `PIL.Image.Image` of 16 bits, with white where its one transparent value was."""
    if image.mode not in _SIXTEEN_BITS or "transparency" not in image.info:
        return image
    values = np.asarray(image).astype(np.int32)
    values[values == image.info["transparency"]] = 65535
    return Image.fromarray(values)  # of mode I


def require_known_white(image):
    """Raises `ValueError` for an open file of numbers that Pillow would cut off at 255."""
    if image.mode == "F":
        values = "floating point numbers"
    elif image.mode == "I" and image.format not in _SIXTEEN_BITS_AS_I:
        values = "numbers of 32 bits"
    else:
        return
    raise ValueError(
        f"its values are {values}, and nothing says which of them is white; save it with 8 or 16 "
        "bits"
    )


def eight_bits(image):
    """A `PIL.Image.Image` of 16 bits as one of 8; others as they are."""
    if image.mode not in _SIXTEEN_BITS:
        return image
    return Image.fromarray((np.asarray(image) // 257).astype(np.uint8))  # 65535 becomes 255

"""Conversion between bytes and network values: (byte - offset) / divisor."""

import numpy as np


def to_bytes(images, pixels):
    """A generator's output (N, H, W, C) as uint8: `image * divisor + offset`, rounded, clipped.

    `pixels` is the record's `(divisor, offset)`.
    """
    divisor, offset = pixels
    images = np.asarray(images)
    if images.dtype.itemsize == 2:  # half precision, which has too few digits for the product
        images = images.astype(np.float32)
    return np.clip(np.round(images * divisor + offset), 0, 255).astype(np.uint8)


def from_range(low, high):
    """`pixels` of a network whose black is `low` and whose white is `high`.

    >>> from_range(-1.0, 1.0)
    (127.5, 127.5)
    """
    divisor = 255.0 / (high - low)
    return divisor, -low * divisor

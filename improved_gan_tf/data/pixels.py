"""Conversion between bytes and network values: (byte - offset) / divisor."""

import numpy as np


def to_bytes(images, pixels):
    """Turns a generator's output into byte images.

    Args:
        images: (N, H, W, C) numbers in the network's range.
        pixels: `(divisor, offset)` of the experiment's record.

    Returns:
        uint8 (N, H, W, C): `image * divisor + offset`, rounded, clipped to [0, 255].
    """
    divisor, offset = pixels
    return np.clip(np.round(np.asarray(images) * divisor + offset), 0, 255).astype(np.uint8)


def from_range(low, high):
    """`pixels` of a network whose black is `low` and whose white is `high`.

    >>> from_range(-1.0, 1.0)
    (127.5, 127.5)
    """
    divisor = 255.0 / (high - low)
    return divisor, -low * divisor

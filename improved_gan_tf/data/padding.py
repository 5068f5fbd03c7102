"""Images of a data set as RGB of 32 x 32 pixels, and back.

Grey images get three equal channels, small ones a black border.
"""

import numpy as np

SIZE = 32


def to_32_pixels(images):
    """Returns uint8 (N, 32, 32, 3) of uint8 images (N, H, W, C), H and W up to 32, C 1 or 3.

    >>> to_32_pixels(np.zeros((2, 28, 28, 1), np.uint8)).shape
    (2, 32, 32, 3)
    """
    border = [_border(size) for size in images.shape[1:3]]
    padded = np.pad(images, ((0, 0), *border, (0, 0)))
    return np.repeat(padded, 3, axis=-1) if images.shape[-1] == 1 else padded


def from_32_pixels(images, image_shape):
    """Returns uint8 (N, *image_shape) of uint8 (N, 32, 32, 3): `to_32_pixels` undone.

    The border is cut off; grey is the rounded mean of the channels.
    """
    (top, _), (left, _) = (_border(size) for size in image_shape[:2])
    height, width, channels = image_shape
    images = images[:, top : top + height, left : left + width]
    if channels == 3:
        return images
    return np.round(images.mean(axis=-1, keepdims=True)).astype(np.uint8)


def _border(size):
    """Pixels before and after an axis."""
    missing = SIZE - size
    return missing // 2, missing - missing // 2

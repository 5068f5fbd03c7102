"""The output of every classifier that scores samples."""

from typing import NamedTuple

import numpy as np

from improved_gan_tf.errors import UserError


class Classification(NamedTuple):
    """Probabilities and features of a batch of N images."""

    probabilities: np.ndarray  # float32 (N, C), rows sum to 1
    features: np.ndarray | None  # float32 (N, A); None where the classifier names none


def require_grey_or_rgb(image_shape):
    """Raises UserError unless images of this (H, W, C) have 1 or 3 channels."""
    if image_shape[2] not in (1, 3):
        raise UserError(
            "Images must be grey or RGB, with 1 or 3 channels. Received: images of shape "
            f"{tuple(image_shape)}."
        )

"""Latent numbers z: draws, truncated draws and interpolation.

Draws are functions of (shape, seed), as `distribution.draw_for_batch` takes them.
"""

import itertools
import math

import keras
import numpy as np
from keras import ops

from improved_gan_tf.layers.noise import standard_normal


def uniform(shape, seed, dtype="float32"):
    """Draws U[-1, 1), for DCGAN (Radford et al., 2016, Fig. 1).

    Args:
        shape: tuple of ints, (N, A).
        seed: `keras.random.SeedGenerator`.
        dtype: floating-point dtype.
    """
    return keras.random.uniform(shape, -1.0, 1.0, dtype=dtype, seed=seed)


def normal(shape, seed, dtype="float32"):
    """Draws N(0, 1); arguments as for `uniform`."""
    return standard_normal(shape, dtype, seed)


_REDRAWN_FROM = 0.25  # a threshold that lets a fifth pass

LATENTS = {"uniform": uniform, "normal": normal}


def truncated_normal(shape, threshold, seed, dtype="float32"):
    """Draws N(0, 1) between `-threshold` and `threshold`: numbers outside are drawn again.

    The standard deviation is below 1: 0.88 at 2, 0.54 at 1. TF-Hub's `truncation` instead *scales*
    numbers truncated at 2. Call it eagerly: the number of draws depends on the numbers drawn. Below
    0.25, where most would be drawn again, numbers come from the inverse of the distribution.

    Args:
        shape: tuple of ints, (N, A).
        threshold: float > 0.
        seed: `keras.random.SeedGenerator`.
        dtype: floating-point dtype.

    Raises:
        ValueError: `threshold` is not positive.

    References:
        Paper: Brock et al. (2019), Large Scale GAN Training for High Fidelity Natural Image
               Synthesis, Sec. 3.1.
    """
    if not threshold > 0.0:
        raise ValueError(f"`threshold` must be positive. Received: threshold={threshold}")
    if threshold < _REDRAWN_FROM:
        return _from_inverse(shape, threshold, seed, dtype)
    draws = (normal(shape, seed, dtype) for _ in itertools.count())
    return first_within(draws, threshold)


def _from_inverse(shape, threshold, seed, dtype):
    """The same distribution: its inverse at uniform numbers."""
    draw_dtype = "float64" if dtype == "float64" else "float32"
    u = keras.random.uniform(shape, -1.0, 1.0, dtype=draw_dtype, seed=seed)
    z = math.sqrt(2.0) * ops.erfinv(u * math.erf(threshold / math.sqrt(2.0)))
    return ops.cast(ops.clip(z, -threshold, threshold), dtype)


def first_within(draws, threshold):
    """Takes each number from the first draw in which it lies within the threshold.

    Args:
        draws: iterable of tensors of one shape, read only as far as needed.
        threshold: float > 0, largest absolute value.

    Raises:
        ValueError: `draws` end before every number is found.
    """
    draws = iter(draws)
    taken = next(draws)
    while True:
        outside = ops.abs(taken) > threshold
        if not np.any(ops.convert_to_numpy(outside)):
            return taken
        drawn = next(draws, None)
        if drawn is None:
            raise ValueError(
                "The draws came to an end before every number lay within the threshold. "
                f"Received: threshold={threshold}"
            )
        taken = ops.where(outside, drawn, taken)


# Directions with a shorter sum count as opposite: the sine of their angle would consist of
# float32's rounding errors.
_OPPOSITE = 1e-3


def slerp(start, end, t):
    """Goes from one latent vector to another along the great circle between their directions.

        sin((1 - t) w) / sin(w) start + sin(t w) / sin(w) end,    w = angle between start and end

    w is the angle of the normalised ends, which may differ in length. Ends with equal or opposite
    directions are joined by the straight line. t outside [0, 1] gives the nearer end. A vector of
    zeros has no direction: NaN.

    Args:
        start: (..., A), floating point.
        end: the same shape.
        t: float in [0, 1], or an array that broadcasts against (..., 1).

    Returns:
        (..., A).

    References:
        Paper:    White (2016), Sampling Generative Networks, Sec. 2.1.
        Original: dribnet/plat@0963c75, plat/interpolate.py, `slerp`.
    """
    start, end = ops.convert_to_tensor(start), ops.convert_to_tensor(end)
    t = ops.clip(ops.cast(t, start.dtype), 0.0, 1.0)
    from_origin, to_origin = _direction(start), _direction(end)
    chord, sum_of_both = _length(from_origin - to_origin), _length(from_origin + to_origin)
    angle = 2.0 * ops.arctan2(chord, sum_of_both)  # exact for small angles, unlike arccos
    bent = ops.logical_and(chord > 0.0, sum_of_both > _OPPOSITE)
    angle = ops.where(bent, angle, ops.ones_like(angle))
    weight_of_start = ops.where(bent, ops.sin((1.0 - t) * angle) / ops.sin(angle), 1.0 - t)
    weight_of_end = ops.where(bent, ops.sin(t * angle) / ops.sin(angle), t)
    return weight_of_start * start + weight_of_end * end


def _length(x):
    return ops.sqrt(ops.sum(ops.square(x), axis=-1, keepdims=True))


def _direction(x):
    return x / _length(x)

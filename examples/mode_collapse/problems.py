"""The ring of 8 and the grid of 25 Gaussians, and what is measured of samples.

Protocol: Lin et al. (2018), Sec. 4.1; fjxmlzn/PacGAN, `MetricLogger` in pacgan/extensions.py.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.spatial import distance

HIGH_QUALITY_DEVIATIONS = 3.0  # a sample is of high quality nearer to a centre than so many


class Problem(NamedTuple):
    """Gaussians of equal weight: their centres (K, 2), and the standard deviation of each."""

    name: str
    centres: np.ndarray
    stddev: float


class Measures(NamedTuple):
    """What is measured of one trial's samples."""

    modes: int
    high_quality: float
    reverse_kl: float


def ring():
    """Returns eight Gaussians of deviation 0.01 on the unit circle."""
    angles = 2.0 * np.pi * np.arange(8) / 8
    return Problem("ring", np.stack([np.cos(angles), np.sin(angles)], axis=1), 0.01)


def grid():
    """Returns twenty-five Gaussians of deviation 0.05, two apart."""
    ticks = np.arange(-4.0, 5.0, 2.0)
    return Problem("grid", np.array([(x, y) for x in ticks for y in ticks]), 0.05)


PROBLEMS = {"ring": ring(), "grid": grid()}


def real_examples(problem, count, random):
    """Draws examples of a problem.

    Args:
        problem: `Problem`.
        count: int >= 0.
        random: `np.random.Generator`.

    Returns:
        float32 array (count, 2).
    """
    modes = random.integers(len(problem.centres), size=count)
    noise = random.normal(scale=problem.stddev, size=(count, 2))
    return (problem.centres[modes] + noise).astype("float32")


def mode_counts(problem, samples):
    """Counts the samples of high quality at each mode.

    A sample counts for its nearest centre, if that is nearer than three standard deviations.

    Args:
        problem: `Problem` of K modes.
        samples: (n, 2).

    Returns:
        int array (K,), its sum at most n.
    """
    distances = distance.cdist(samples, problem.centres)  # (n, K)
    nearest = np.argmin(distances, axis=1)
    is_good = distances.min(axis=1) < HIGH_QUALITY_DEVIATIONS * problem.stddev
    return np.bincount(nearest[is_good], minlength=len(problem.centres))


def modes_covered(counts):
    """Returns how many modes have at least one sample of high quality, int.

    Args:
        counts: (K,), samples of high quality at each mode.
    """
    return int(np.count_nonzero(counts))


def high_quality_share(counts, num_samples):
    """Returns the share of samples that are of high quality, float in [0, 1].

    Args:
        counts: (K,), samples of high quality at each mode.
        num_samples: int > 0, all samples.
    """
    return float(np.sum(counts) / num_samples)


def reverse_kl(counts):
    """Returns `sum_k q_k log(q_k / (1 / K))`, q the modes' shares of the samples of high quality.

    Args:
        counts: (K,), samples of high quality at each mode.

    Returns:
        float in [0, log K], nats: 0 for equal shares, log K for one mode alone. NaN where no sample
        is of high quality.
    """
    total = np.sum(counts)
    if total == 0:
        return math.nan
    shares = np.asarray(counts)[np.asarray(counts) > 0] / total
    return float(np.sum(shares * np.log(shares * len(counts))))


def measure(problem, samples):
    """Returns the `Measures` of samples (n, 2)."""
    counts = mode_counts(problem, samples)
    share = high_quality_share(counts, len(samples))
    return Measures(modes_covered(counts), share, reverse_kl(counts))

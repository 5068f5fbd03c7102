"""The Inception score of an array of class probabilities, as the authors computed it.

The classifier behind the probabilities decides which scores can be compared.

Paper:    Salimans et al. (2016), Sec. 4.
Original: openai/improved-gan@4f5d1ec, inception_score/model.py, get_inception_score.
"""

import itertools
import warnings
from typing import NamedTuple

import numpy as np

ROW_SUM_TOLERANCE = 1e-3  # a float32 softmax over 1008 classes is off by about 1e-6


class InceptionScore(NamedTuple):
    """Mean and population standard deviation over the splits."""

    mean: float
    std: float


def inception_score(probabilities, num_splits=10):
    """Returns `exp(mean_x KL(p(y|x) || p(y)))`, its mean and spread over contiguous splits.

    Split i of S holds the rows `i N // S` up to, not including, `(i + 1) N // S`; `p(y)` is the
    mean of `p(y|x)` over that split alone. 0 log 0 is 0. The score lies between 1 and the number of
    classes. It depends on the order of the rows, so shuffle sorted ones, and it grows with their
    number. Rows in an order that lowers the score, as of images sorted by class, get a warning.

    >>> round(inception_score(np.tile(np.eye(10), (100, 1))).mean, 9)  # sure, classes balanced
    10.0
    >>> round(inception_score(np.full((1000, 10), 0.1)).mean, 9)       # never sure
    1.0

    Args:
        probabilities: (N, C) numbers, `p(y|x)` of N images; each row sums to 1.
        num_splits: int from 1 to N.

    Returns:
        `InceptionScore` of two floats: the mean of the splits' scores, and their standard
        deviation (divided by S, not S - 1), computed in float64.

    Raises:
        ValueError: the array has another shape, fewer rows than splits, a number that is
            negative or not finite, or a row that does not sum to 1.
    """
    probabilities = _checked(probabilities)
    count = len(probabilities)
    if not 1 <= num_splits <= count:
        raise ValueError(
            f"num_splits must be from 1 to the number of rows, {count}. Received: {num_splits}."
        )
    found = _over_splits(probabilities, num_splits)
    _warn_of_sorted_rows(probabilities, num_splits, found)
    return found


def _over_splits(probabilities, num_splits):
    count = len(probabilities)
    edges = [i * count // num_splits for i in range(num_splits + 1)]
    scores = [
        np.exp(mean_divergence(probabilities[start:stop]))
        for start, stop in itertools.pairwise(edges)
    ]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))


def _warn_of_sorted_rows(probabilities, num_splits, found):
    """Warns if the same rows in a random order score a quarter more, beyond chance."""
    order = np.random.RandomState(0).permutation(len(probabilities))
    shuffled = _over_splits(probabilities[order], num_splits)
    standard_error = np.hypot(found.std, shuffled.std) / num_splits**0.5
    if shuffled.mean > max(1.25 * found.mean, found.mean + 5 * standard_error):
        warnings.warn(
            f"The rows look sorted by class: over {num_splits} contiguous splits the score is "
            f"{found.mean:.2f}, and {shuffled.mean:.2f} once the same rows are shuffled. Shuffle "
            "the images before they are classified, or compare scores of one split only.",
            stacklevel=3,
        )


def mean_divergence(probabilities):
    """`mean_x KL(p(y|x) || p(y))` >= 0 in nats with `p(y) = mean_x p(y|x)`, of float (N, C)."""
    return max(0.0, float(np.mean(divergences(probabilities))))


def divergences(probabilities):
    """`KL(p(y|x) || p(y))` of each image in nats with `p(y) = mean_x p(y|x)`.

    Takes float (N, C) with N of 1 or more; returns float64 (N,).
    """
    # D14: the original computes in float32, and gives NaN where a probability is 0.
    part = np.asarray(probabilities, np.float64)
    total = part.sum(axis=0)  # (C,): N p(y), which stays above 0 where p(y) may underflow
    # p(y|x) / p(y), or 1 where a probability is 0: its logarithm is 0, and so is 0 log 0.
    ratio = np.divide(len(part) * part, total, out=np.ones_like(part), where=part > 0)  # (N, C)
    return np.sum(part * np.log(ratio), axis=1)


def _checked(probabilities):
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 2 or probabilities.size == 0:
        raise ValueError(
            "probabilities must have shape (N, C), N images and C classes, both 1 or more. "
            f"Received: shape {probabilities.shape}."
        )
    if not np.isfinite(probabilities).all():
        raise ValueError("probabilities must be finite. Received: NaN or infinity among them.")
    if (lowest := probabilities.min()) < 0:
        raise ValueError(f"probabilities must not be negative. Received: {lowest:g}.")
    sums = probabilities.sum(axis=1, dtype=np.float64)
    worst = np.abs(sums - 1).argmax()
    if abs(sums[worst] - 1) > ROW_SUM_TOLERANCE:
        raise ValueError(
            "Each row of probabilities must sum to 1 (are these logits? apply a softmax). "
            f"Received: row {worst} sums to {sums[worst]:g}."
        )
    return probabilities

"""Precision, recall, density and coverage: who lies within whose nearest neighbours' reach.

None of them is in the paper. A set's manifold is taken to be balls around its examples, each as
wide as the distance to the k-th nearest other example of the set.

Papers:   Kynkaanniemi et al. (2019), "Improved Precision and Recall Metric..."; Naeem et al.
          (2020), "Reliable Fidelity and Diversity Metrics for Generative Models".
Original: clovaai/generative-evaluation-prdc@e320c1d, prdc/prdc.py.
"""

from typing import NamedTuple

import numpy as np

from improved_gan_tf.scoring.frechet import checked_features

NEAREST = 5  # k of Naeem et al.
_ROWS_AT_ONCE = 1_000  # bounds memory
_ROUNDING = 1e-12  # of a squared distance, in parts of the squared lengths


class Neighbours(NamedTuple):
    """Shares of examples, in [0, 1] except density."""

    precision: float  # of generated examples in a ball of a real one
    recall: float  # of real examples in a ball of a generated one
    density: float  # real balls that hold a generated example, divided by k; may exceed 1
    coverage: float  # of real examples whose ball holds a generated one


def neighbours(features_real, features_generated, nearest=NEAREST):
    """The `Neighbours` of two sets of features, in time O(N M).

    They depend on the numbers of examples: compare equal ones only.

    Args:
        features_real: (N, A) numbers, N larger than `nearest`.
        features_generated: (M, A) numbers, M larger than `nearest`.
        nearest: int >= 1, k.

    Raises:
        ValueError: as `frechet.frechet_distance`; a set has too few examples for `nearest`.
    """
    real, generated = checked_features(features_real, features_generated)
    fewest = min(len(real), len(generated))
    if not 1 <= nearest < fewest:
        raise ValueError(
            "`nearest` must be at least 1 and smaller than the number of examples of either set. "
            f"Received: nearest={nearest}, {len(real)} and {len(generated)} examples."
        )
    real, generated = real.astype(np.float64), generated.astype(np.float64)
    middle = real.mean(axis=0)  # smaller numbers lose fewer digits in the squares
    real, generated = real - middle, generated - middle
    reach_of_real, reach_of_generated = _reach(real, nearest), _reach(generated, nearest)
    balls = 0  # pairs of a real ball and a generated example in it
    in_ball = np.zeros(len(generated), bool)
    recalled, covered = [], []
    for start in range(0, len(real), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        distances = _squared_distances(real[rows], generated)
        inside = distances < reach_of_real[rows, None]
        balls += np.count_nonzero(inside)
        in_ball |= inside.any(axis=0)
        recalled.append((distances < reach_of_generated).any(axis=1))
        covered.append(inside.any(axis=1))
    return Neighbours(
        precision=float(in_ball.mean()),
        recall=float(np.concatenate(recalled).mean()),
        density=float(balls / (nearest * len(generated))),
        coverage=float(np.concatenate(covered).mean()),
    )


def _squared_distances(rows, features):
    """`|x - y|^2` of every pair, (n, N), by one matrix product; 0 for equal rows."""
    lengths = [np.sum(np.square(x), axis=1) for x in (rows, features)]
    sums = lengths[0][:, None] + lengths[1]
    distances = sums - 2.0 * (rows @ features.T)
    # Else rounding would decide which of several equal examples lie in one another's balls.
    distances[distances <= _ROUNDING * sums] = 0.0
    return distances


def _reach(features, nearest):
    """The squared distance of each example to its k-th nearest other one, (N,)."""
    parts = []
    for start in range(0, len(features), _ROWS_AT_ONCE):
        distances = _squared_distances(features[start : start + _ROWS_AT_ONCE], features)
        parts.append(np.partition(distances, nearest, axis=1)[:, nearest])  # the 0th is itself
    return np.concatenate(parts)

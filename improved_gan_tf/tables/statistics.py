"""Means and spreads of several runs' numbers, and their distance from the paper's.

Paper: Salimans et al. (2016), Tables 1 and 2.
"""

from typing import NamedTuple

import numpy as np
import scipy.stats

from improved_gan_tf import paper


class Summary(NamedTuple):
    """Mean and sample standard deviation of several runs' numbers."""

    values: tuple[float, ...]
    mean: float
    std: float | None  # divides by n - 1; None for a single run


def summarize(values):
    """The `Summary` of one number or more.

    `mean = sum(x) / n`, `std = sqrt(sum((x - mean)^2) / (n - 1))`.
    """
    values = tuple(float(value) for value in values)
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    if std is not None and len(set(values)) == 1:
        std = 0.0  # the mean of equal numbers is rounded
    return Summary(values, float(np.mean(values)), std)


def standard_errors_apart(summary, published, published_runs=paper.NUM_SPLITS):
    """How far a measured mean lies above the paper's, in standard errors of the difference.

    `(mean - paper mean) / sqrt(std^2 / n + paper std^2 / 10)`, Welch's statistic. The paper does
    not explain its +-; it is taken as the standard deviation over its 10 splits.

    Args:
        summary: `Summary`.
        published: `paper.PaperResult` in the same unit.
        published_runs: int, number of runs in `published`.

    Returns:
        float, positive if the measured error is larger, or None for a single run.
    """
    if summary.std is None:
        return None
    statistic = scipy.stats.ttest_ind_from_stats(
        summary.mean,
        summary.std,
        len(summary.values),
        published.mean,
        published.spread,
        published_runs,
        equal_var=False,
    ).statistic
    return float(statistic)

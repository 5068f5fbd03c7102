"""Two classifiers on the same test images: the difference of their errors and its uncertainty.

    n01, n10: images that only the first, only the second classifier gets wrong; n images in all

    difference = (n01 - n10) / n
    interval   = p01 - p10 -+ z sqrt((p01 + p10 - (p01 - p10)^2) / (n + 2)),    z = 1.96,
                 p01 = (n01 + 1) / (n + 2),  p10 = (n10 + 1) / (n + 2)
    p          = exact McNemar: of n01 + n10 images a fair coin gives each to one of the two

References:
    McNemar (1947), Psychometrika 12; Bonett and Price (2012), Adjusted Wald confidence interval for
    a difference of binomial proportions based on paired data, J. Educ. Behav. Stat. 37.
"""

import math
from typing import NamedTuple

import numpy as np
import scipy.stats

Z = scipy.stats.norm.ppf(0.975)


class PairedErrors(NamedTuple):
    """Errors of two classifiers on the same images, as parts of 1."""

    first: float
    second: float
    difference: float  # first - second
    interval: tuple[float, float]  # 95 %, of the difference
    p_value: float  # two-sided
    count: int


def paired_errors(first_logits, second_logits, labels):
    """The `PairedErrors` of two classifiers.

    Args:
        first_logits: (N, K).
        second_logits: (N, K).
        labels: (N,) integers.
    """
    wrong = [np.argmax(x, axis=1) != labels for x in (first_logits, second_logits)]
    only_first = int(np.sum(wrong[0] & ~wrong[1]))
    only_second = int(np.sum(wrong[1] & ~wrong[0]))
    n = len(labels)
    p01, p10 = (only_first + 1) / (n + 2), (only_second + 1) / (n + 2)
    half = Z * math.sqrt((p01 + p10 - (p01 - p10) ** 2) / (n + 2))
    differing = only_first + only_second
    p_value = scipy.stats.binomtest(only_first, differing).pvalue if differing else 1.0
    return PairedErrors(
        float(wrong[0].mean()),
        float(wrong[1].mean()),
        (only_first - only_second) / n,
        (p01 - p10 - half, p01 - p10 + half),
        float(p_value),
        n,
    )

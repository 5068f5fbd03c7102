"""The paper's numbers as data, and their text in tables.

Paper: Salimans et al. (2016), Tables 1 (MNIST), 2 (CIFAR-10) and 3, Sec. 6.3 (SVHN), Sec. 6.1 and
6.2 (people).
"""

from typing import NamedTuple


class PaperResult(NamedTuple):
    """A mean of the paper's and what it prints behind +-, which it does not explain."""

    mean: float
    spread: float

    def __str__(self):
        return f"{self.mean:g} +- {self.spread:g}"


class PaperVotes(NamedTuple):
    """How many of people's answers, real or generated, were right."""

    percent_right: float
    votes: int | None  # None where the paper does not say

    @property
    def right(self):
        """Number of right votes, or None."""
        return None if self.votes is None else round(self.percent_right * self.votes / 100)


# (data set, number of labels) -> one model, its ensemble of 10. MNIST: misclassified of the 10,000
# test images; CIFAR-10 and SVHN: test error in per cent. None where the paper has no number.
TEST_ERRORS = {
    ("mnist", 20): (PaperResult(1677, 452), PaperResult(1134, 445)),
    ("mnist", 50): (PaperResult(221, 136), PaperResult(142, 96)),
    ("mnist", 100): (PaperResult(93, 6.5), PaperResult(86, 5.6)),
    ("mnist", 200): (PaperResult(90, 4.2), PaperResult(81, 4.3)),
    ("cifar10", 1000): (PaperResult(21.83, 2.01), PaperResult(19.22, 0.54)),
    ("cifar10", 2000): (PaperResult(19.61, 2.09), PaperResult(17.25, 0.66)),
    ("cifar10", 4000): (PaperResult(18.63, 2.32), PaperResult(15.59, 0.47)),
    ("cifar10", 8000): (PaperResult(17.72, 1.82), PaperResult(14.87, 0.89)),
    ("svhn", 500): (PaperResult(18.44, 4.8), None),
    ("svhn", 1000): (PaperResult(8.11, 1.3), PaperResult(5.88, 1.0)),
    ("svhn", 2000): (PaperResult(6.16, 0.58), None),
}


# Inception score of 50,000 CIFAR-10 samples (Table 3). The +- of -VBN+BN, -LS and -L could not be
# confirmed from a second source.
INCEPTION_SCORES = {
    "real data": PaperResult(11.24, 0.12),
    "Our methods": PaperResult(8.09, 0.07),
    "-VBN+BN": PaperResult(7.54, 0.07),
    "-L+HA": PaperResult(6.86, 0.06),
    "-LS": PaperResult(6.83, 0.06),
    "-L": PaperResult(4.36, 0.04),
    "-MBF": PaperResult(3.87, 0.03),
}
# The visual Turing test (Sec. 6.1, 6.2): half of the images real, half generated; the best 1 % have
# the highest Inception score. MNIST's samples are from minibatch discrimination.
HUMAN_EVALUATIONS = {
    "MNIST": PaperVotes(52.4, 2000),
    "CIFAR-10": PaperVotes(78.7, None),
    "CIFAR-10, best 1 %": PaperVotes(71.4, None),
}
NUM_SPLITS = 10  # runs behind each mean of `TEST_ERRORS`


def error_percent(dataset, num_labels, model):
    """`(one model, ensemble of 10)`: the paper's test errors in per cent, or None without one.

    All of the paper's test errors are of models trained with feature matching.
    """
    if model != "feature_matching":
        return None, None
    # MNIST's are counts out of 10,000 images.
    scale = 100.0 if dataset == "mnist" else 1.0
    return tuple(
        result and PaperResult(round(result.mean / scale, 6), round(result.spread / scale, 6))
        for result in TEST_ERRORS.get((dataset, num_labels), (None, None))
    )


def paper_row(dataset, num_labels, model="feature_matching"):
    """The paper's test error of one model as text with its unit, or a dash if there is none."""
    result, _ = TEST_ERRORS.get((dataset, num_labels), (None, None))
    if result is None or model != "feature_matching":
        return "-"
    if dataset == "mnist":
        return f"{result.mean / 100:.2f} % +- {result.spread / 100:.3g} ({result} of 10,000)"
    return f"{result.mean:.2f} % +- {result.spread:g}"

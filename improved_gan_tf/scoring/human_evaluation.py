"""Statistics of votes on real and generated images: shares with intervals, p-values, bootstrap.

A vote is one person's answer, real or generated, to one image.

Papers: Salimans et al. (2016), Sec. 4, reports the share of right votes;
        Zhou et al. (2019), HYPE, Sec. 3, the share of wrong ones, with an interval over persons.
"""

from typing import NamedTuple

import numpy as np
import scipy.stats

CONFIDENCE = 0.95
Z = float(scipy.stats.norm.ppf((1 + CONFIDENCE) / 2))  # 1.96
CHANCE = 0.5
NUM_RESAMPLES = 10_000  # as in HYPE


class Share(NamedTuple):
    """A share of votes, with its 95 % Wilson interval."""

    count: int
    votes: int
    low: float  # from 0 to 1, as `high`
    high: float

    @property
    def share(self):
        """From 0 to 1."""
        return self.count / self.votes


class Tally(NamedTuple):
    """The statistics of some votes."""

    right: Share
    p_value: float  # exact, two-sided: this or a rarer number of right votes by guessing
    wrong_on_real: Share  # of the votes on real images, those for "generated"
    wrong_on_generated: Share  # of the votes on generated images, those for "real"


class OverPersons(NamedTuple):
    """HYPE-infinity of several persons: the mean of their shares of wrong votes, from 0 to 1."""

    wrong: float
    std: float  # of the resampled means
    low: float  # 95 % percentile bootstrap over persons, as `high`
    high: float
    num_persons: int


def wilson(count, votes):
    """A share with the Wilson score interval.

    It holds all `q` with `(count / votes - q)^2 <= z^2 q (1 - q) / votes`, z = 1.96 for 95 %.

    >>> right = wilson(1048, 2000)  # the paper's MNIST votes
    >>> f"{right.share:.3f}, {right.low:.3f} to {right.high:.3f}"
    '0.524, 0.502 to 0.546'

    Args:
        count: int from 0 to `votes`.
        votes: int of 1 or more.
    """
    interval = scipy.stats.binomtest(count, votes).proportion_ci(CONFIDENCE, "wilson")
    return Share(count, votes, float(interval.low), float(interval.high))


def p_against_chance(right, votes):
    """The exact two-sided p-value of the number of right votes, if every vote were a guess.

    It is the probability under Binomial(votes, 1/2) of all counts no likelier than `right`.

    >>> round(p_against_chance(1048, 2000), 3)
    0.034

    Args:
        right: int from 0 to `votes`.
        votes: int of 1 or more.
    """
    return float(scipy.stats.binomtest(right, votes, CHANCE).pvalue)


def tally(is_generated, said_generated):
    """Counts votes into a `Tally`.

    Args:
        is_generated: bool (...), whether the image of each vote is generated; both kinds occur.
        said_generated: bool of the same shape, each vote.
    """
    truth, said = np.asarray(is_generated, bool), np.asarray(said_generated, bool)
    wrong = truth != said
    right = int(wrong.size - wrong.sum())
    return Tally(
        wilson(right, wrong.size),
        p_against_chance(right, wrong.size),
        wilson(int(wrong[~truth].sum()), int((~truth).sum())),
        wilson(int(wrong[truth].sum()), int(truth.sum())),
    )


def over_persons(wrong_shares, random, num_resamples=NUM_RESAMPLES):
    """The mean share of wrong votes, with a bootstrap interval over persons.

    Args:
        wrong_shares: (persons,) numbers from 0 to 1, for 2 persons or more.
        random: `np.random.RandomState`, draws the persons of each resample.
        num_resamples: int.
    """
    shares = np.asarray(wrong_shares, np.float64)
    result = scipy.stats.bootstrap(
        (shares,),
        np.mean,
        n_resamples=num_resamples,
        confidence_level=CONFIDENCE,
        method="percentile",
        random_state=random,
    )
    low, high = result.confidence_interval
    std = np.std(result.bootstrap_distribution)
    return OverPersons(float(shares.mean()), float(std), float(low), float(high), len(shares))

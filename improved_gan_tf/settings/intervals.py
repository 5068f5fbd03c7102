"""When something is due: every few minutes, epochs or iterations."""

import re
import time
from typing import NamedTuple

_TEXT = re.compile(r"(\d+(?:\.\d+)?) ?(minute|epoch|iteration)s?", re.ASCII)


class Interval(NamedTuple):
    """A distance between two events."""

    amount: float
    unit: str  # "minute", "epoch" or "iteration"


def parse_interval(text):
    """The `Interval` for a text like "10 minutes", "5epochs" or "200 iterations".

    The text is a number larger than 0, whole for epochs and iterations, and a unit. Returns None
    for any other text.

    >>> parse_interval("2.5 minutes")
    Interval(amount=2.5, unit='minute')
    >>> parse_interval("2.5 epochs") is None
    True
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    amount, unit = float(match[1]), match[2]
    if not 0 < amount < 1e9 or (unit != "minute" and amount != int(amount)):
        return None
    return Interval(amount, unit)


class Due:
    """Says whether the next of several regular events is due.

    Epochs and iterations count from the start of the training, so a continued run has its events
    where an uninterrupted one has them. Minutes count from the last event.

    Args:
        interval: `Interval`.
        clock: function without arguments, seconds.
    """

    def __init__(self, interval, clock=time.monotonic):
        self._amount, self._unit = interval
        self._clock = clock
        self.happened()

    def happened(self):
        """Starts the wait for the next event."""
        self._last = self._clock()

    def now(self, epoch, iteration, iterations):
        """Whether an event is due.

        Args:
            epoch: int, finished epochs.
            iteration: int, iterations done in the current epoch.
            iterations: int, iterations per epoch.
        """
        if self._unit == "minute":
            return self._clock() - self._last >= 60.0 * self._amount
        if self._unit == "epoch":
            return iteration == 0 and epoch % self._amount == 0
        return (epoch * iterations + iteration) % self._amount == 0

    def iterations_left(self, epoch, iteration, iterations):
        """Iterations to the next event, if it is counted in iterations; otherwise infinity."""
        if self._unit != "iteration":
            return float("inf")
        return int(self._amount - (epoch * iterations + iteration) % self._amount)

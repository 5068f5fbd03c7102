"""Settings that are short texts: an interval of targets, a decay of noise."""

import re
from typing import NamedTuple

_NUMBER = r"(\d+(?:\.\d+)?(?:e-?\d+)?)"
_NOISE = re.compile(rf"{_NUMBER}:{_NUMBER}@(\d+)(?: epochs?)?", re.ASCII)


class NoiseDecay(NamedTuple):
    """A standard deviation that falls linearly."""

    start: float
    end: float
    epochs: int


def parse_targets(text):
    """`(low, high)` of a text like "0.9" or "0.7,1.2", from 0 to 2; None for any other text.

    >>> parse_targets("0.7,1.2"), parse_targets("1"), parse_targets("1.2,0.7")
    ((0.7, 1.2), (1.0, 1.0), None)
    """
    if not re.fullmatch(rf"{_NUMBER}(?:, ?{_NUMBER})?", text, re.ASCII):
        return None
    ends = [float(part) for part in text.split(",")]
    low, high = ends[0], ends[-1]
    return (low, high) if 0.0 <= low <= high <= 2.0 else None


def plain_targets(text):
    """One spelling of targets; any other text as it is.

    >>> plain_targets("1.0"), plain_targets("0.70, 1.2"), plain_targets("0.9,0.9")
    ('1', '0.7,1.2', '0.9')
    """
    ends = parse_targets(text)
    return ",".join(dict.fromkeys(map(_plain, ends))) if ends else text


def _plain(number):
    """The shortest decimal text of a float."""
    return repr(number).removesuffix(".0")


def parse_noise(text):
    """The `NoiseDecay` of a text like "0.1:0@20" or "0.1:0@20 epochs"; None for any other text.

    >>> parse_noise("0.1:0@20")
    NoiseDecay(start=0.1, end=0.0, epochs=20)
    >>> parse_noise("0:0.1@20") is None
    True
    """
    match = _NOISE.fullmatch(text)
    if match is None:
        return None
    start, end, epochs = float(match[1]), float(match[2]), int(match[3])
    fits = 0.0 <= end <= start <= 100.0 and start > 0.0 and 1 <= epochs <= 10**6
    return NoiseDecay(start, end, epochs) if fits else None


def plain_noise(text):
    """One spelling of a decay of noise; None, and any other text, as it is.

    >>> plain_noise("0.10:0.0@20 epochs")
    '0.1:0@20'
    """
    decay = text and parse_noise(text)
    return f"{_plain(decay.start)}:{_plain(decay.end)}@{decay.epochs}" if decay else text

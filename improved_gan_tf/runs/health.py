"""Criteria for ways in which a run fails while its losses look fine.

Collapsed: the discriminator has won. The unsupervised loss falls to nearly 0 and feature matching
no longer teaches the generator.

Alike, the collapse of a class-conditional game: the generator makes one image of each class.

Silent: minibatch discrimination no longer sees its batch. Its output
`o_b = sum_{j != i} exp(-||M_ib - M_jb||_1)`, 4 to 9 for real images at first, vanishes, and so do
its gradients.

Paper: Salimans et al. (2016), Sec. 3.2.
"""

import itertools
from typing import NamedTuple

COLLAPSED_BELOW = 0.03  # nats, mean unsupervised loss of an epoch
EPOCHS_IN_A_ROW = 2
SILENT_BELOW = 1e-3  # mean o
ALIKE_BELOW = 0.1  # mean distance of two samples of a class, in units of real images'


class Closeness(NamedTuple):
    """Mean `o` over examples and kernels, for a batch of real and a batch of generated images."""

    real: float
    generated: float

    @property
    def silent(self):
        """Whether both means are below 0.001."""
        return max(self) < SILENT_BELOW


def collapsed_at(unsupervised_losses):
    """The epoch at which a run collapsed, or None.

    A run has collapsed when the mean unsupervised loss (a list, from epoch 0) is below 0.03 in two
    successive epochs; the first of the two is returned.
    """
    low = 0
    for epoch, loss in enumerate(unsupervised_losses):
        low = low + 1 if loss < COLLAPSED_BELOW else 0
        if low == EPOCHS_IN_A_ROW:
            return epoch - EPOCHS_IN_A_ROW + 1
    return None


def recovered_at(unsupervised_losses):
    """The epoch from which a collapsed run has played on until now, or None.

    It did not collapse, or its loss is not yet back at 0.03 or more for two epochs in a row, up to
    the last: None.
    """
    if collapsed_at(unsupervised_losses) is None:
        return None
    low = [epoch for epoch, loss in enumerate(unsupervised_losses) if loss < COLLAPSED_BELOW]
    first = low[-1] + 1
    return first if len(unsupervised_losses) - first >= EPOCHS_IN_A_ROW else None


def is_collapsed(unsupervised_losses):
    """Whether a run is collapsed now: two epochs in a row begin a collapse, and two end it."""
    collapsed = False
    lows = [loss < COLLAPSED_BELOW for loss in unsupervised_losses]
    for before, low in itertools.pairwise(lows):
        collapsed = low if before == low else collapsed
    return collapsed


def collapse_text(final):
    """When a run collapsed, and when it came back, as "epoch 4, recovered in epoch 8".

    Args:
        final: dict, the entry of that name in `result.json`.

    Returns:
        str, epochs from 1 on; empty for a run that did not collapse.
    """
    collapsed, recovered = final.get("collapsed_at_epoch"), final.get("recovered_at_epoch")
    if collapsed is None:
        return ""
    text = f"epoch {collapsed + 1}"
    return text if recovered is None else f"{text}, recovered in epoch {recovered + 1}"


def alike_at(spreads):
    """The epoch at which samples of a class became alike, or None.

    That is when their spread is below 0.1 in two successive evaluations; the first of the two is
    returned.

    Args:
        spreads: the mean distance of two samples of one class in units of that of real images, for
            each epoch from 0; None for an epoch without an evaluation.
    """
    evaluated = [(epoch, spread) for epoch, spread in enumerate(spreads) if spread is not None]
    for (epoch, spread), (_, following) in itertools.pairwise(evaluated):
        if max(spread, following) < ALIKE_BELOW:
            return epoch
    return None


def is_alike(spreads):
    """Whether samples of a class were alike in the last two evaluations (as `alike_at`)."""
    last = [spread for spread in spreads if spread is not None][-2:]
    return len(last) == 2 and max(last) < ALIKE_BELOW

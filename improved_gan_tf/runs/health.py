"""Two ways in which a run fails while its losses look fine: stated criteria.

Collapsed: the discriminator has won. In a healthy MNIST run the unsupervised loss settles between
0.2 and 0.5; on some seeds it falls to nearly 0, feature matching no longer teaches the generator,
and the test error stops falling. No healthy run seen so far was below 0.06 in two epochs in a row.

Silent: minibatch discrimination no longer sees its batch. Its output
`o_b = sum_{j != i} exp(-||M_ib - M_jb||_1)` starts near 1; where the features under it outgrow its
scales every distance is large, `o` and its gradients vanish, and the layer hardly comes back.

Paper: Salimans et al. (2016), Sec. 3.2.
"""

from typing import NamedTuple

COLLAPSED_BELOW = 0.03  # nats, mean unsupervised loss of an epoch
EPOCHS_IN_A_ROW = 2
SILENT_BELOW = 1e-3  # mean o


class Closeness(NamedTuple):
    """Mean `o` over examples and kernels, of a batch of real and of one of generated images."""

    real: float
    generated: float

    @property
    def silent(self):
        """Whether the layer has nothing to say about either batch (both below 0.001)."""
        return max(self) < SILENT_BELOW


def collapsed_at(unsupervised_losses):
    """The epoch at which a run collapsed, or None.

    A run has collapsed when the mean unsupervised loss is below 0.03 in two epochs in a row; the
    first of the two is returned.

    Args:
        unsupervised_losses: mean unsupervised loss of each epoch so far, from epoch 0.

    Returns:
        int or None.
    """
    low = 0
    for epoch, loss in enumerate(unsupervised_losses):
        low = low + 1 if loss < COLLAPSED_BELOW else 0
        if low == EPOCHS_IN_A_ROW:
            return epoch - EPOCHS_IN_A_ROW + 1
    return None

"""When minibatch discrimination no longer sees its batch: a stated criterion on its closeness.

The layer adds to each example `o_b = sum_{j != i} exp(-||M_ib - M_jb||_1)`. It starts with `o` near
1; where the features under it outgrow its scales every distance is large, `o` and its gradients
vanish, and the layer hardly comes back: what goes on is the game without minibatch
discrimination, which the losses do not show. REPRODUCTION.md, "Thin networks", has where it did.

Paper: Salimans et al. (2016), Sec. 3.2.
"""

from typing import NamedTuple

SILENT_BELOW = 1e-3


class Closeness(NamedTuple):
    """Mean `o` over examples and kernels, of a batch of real and of one of generated images."""

    real: float
    generated: float

    @property
    def silent(self):
        """Whether the layer has nothing to say about either batch (both below 0.001)."""
        return max(self) < SILENT_BELOW

"""LSGAN: squared distances pull the scores to targets, without a sigmoid.

    discriminator   1/2 mean((s_r - b)^2) + 1/2 mean((s_g - a)^2)
    generator       1/2 mean((s_g - c)^2)

The paper has two triples (a, b, c): (0, 1, 1), the default here, and (-1, 1, 0), which minimises
the Pearson chi-squared divergence between p + q and 2 q. s is the score itself, without a sigmoid.
The authors' code sums over the batch; this code takes the mean.

Paper: Mao et al. (2017), Least Squares Generative Adversarial Networks, Eq. 8 and 9.
"""

from typing import NamedTuple

from keras import ops

from improved_gan_tf.precision import in_float32, mean


class LeastSquaresTargets(NamedTuple):
    """What the scores are pulled to."""

    generated: float  # a
    real: float  # b
    generator: float  # c


ZERO_ONE = LeastSquaresTargets(generated=0.0, real=1.0, generator=1.0)
PEARSON = LeastSquaresTargets(generated=-1.0, real=1.0, generator=0.0)


def least_squares_discriminator_loss(scores_real, scores_generated, targets=ZERO_ONE):
    """`1/2 mean((s_r - b)^2) + 1/2 mean((s_g - a)^2)`, a scalar >= 0.

    Args:
        scores_real: (N,), s_r, without a sigmoid.
        scores_generated: (M,), s_g.
        targets: `LeastSquaresTargets`, `ZERO_ONE` (default) or `PEARSON`.
    """
    real = _mean_square(scores_real, targets.real)
    return 0.5 * real + 0.5 * _mean_square(scores_generated, targets.generated)


def least_squares_generator_loss(scores_generated, targets=ZERO_ONE):
    """`1/2 mean((s_g - c)^2)` of scores (M,), a scalar >= 0; targets as for the discriminator."""
    return 0.5 * _mean_square(scores_generated, targets.generator)


def _mean_square(scores, target):
    """`mean((s - target)^2)`; the square of a score of 256 does not fit float16."""
    return mean(ops.square(in_float32(scores) - target))

"""LSGAN: scores are pulled to numbers by squares instead of through a sigmoid.

    discriminator   1/2 mean((s_r - b)^2) + 1/2 mean((s_g - a)^2)
    generator       1/2 mean((s_g - c)^2)

The paper has two triples (a, b, c): (0, 1, 1), the default here, and (-1, 1, 0), with which the
game minimises the Pearson chi-squared divergence between p + q and 2 q. s is the score
itself: no sigmoid, no clipping of weights. The authors' code sums over the batch; this is the mean.

Paper: Mao et al. (2017), Least Squares Generative Adversarial Networks, Eq. 8 and 9.
"""

from typing import NamedTuple

from keras import ops

from improved_gan_tf.precision import mean


class LeastSquaresTargets(NamedTuple):
    """What the scores are pulled to."""

    generated: float  # a
    real: float  # b
    generator: float  # c


ZERO_ONE = LeastSquaresTargets(generated=0.0, real=1.0, generator=1.0)
PEARSON = LeastSquaresTargets(generated=-1.0, real=1.0, generator=0.0)


def least_squares_discriminator_loss(scores_real, scores_generated, targets=ZERO_ONE):
    """`1/2 mean((s_r - b)^2) + 1/2 mean((s_g - a)^2)`.

    Args:
        scores_real: (N,), s_r, not passed through a sigmoid.
        scores_generated: (M,), s_g.
        targets: `LeastSquaresTargets`, `ZERO_ONE` (default) or `PEARSON`.

    Returns:
        Scalar >= 0.
    """
    real = mean(ops.square(scores_real - targets.real))
    generated = mean(ops.square(scores_generated - targets.generated))
    return 0.5 * real + 0.5 * generated


def least_squares_generator_loss(scores_generated, targets=ZERO_ONE):
    """`1/2 mean((s_g - c)^2)`.

    Args:
        scores_generated: (M,), s_g.
        targets: those of the discriminator.

    Returns:
        Scalar >= 0.
    """
    return 0.5 * mean(ops.square(scores_generated - targets.generator))

"""One table: what both players of each objective minimise, given a discriminator's scores.

EBGAN and BEGAN are not in it: their discriminators give no scores. Penalties are added elsewhere.
"""

from typing import NamedTuple

from improved_gan_tf.losses.adversarial.blended import blended_generator_loss
from improved_gan_tf.losses.adversarial.hinge import hinge_discriminator_loss, hinge_generator_loss
from improved_gan_tf.losses.adversarial.least_squares import (
    PEARSON,
    ZERO_ONE,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
)
from improved_gan_tf.losses.adversarial.non_saturating import (
    minimax_discriminator_loss,
    minimax_generator_loss,
    non_saturating_generator_loss,
)
from improved_gan_tf.losses.adversarial.wasserstein import (
    wasserstein_discriminator_loss,
    wasserstein_generator_loss,
)


class Objective(NamedTuple):
    """The losses of one objective; a scalar each."""

    # function of (scores_real, scores_generated, *more): more are targets of cross-entropy, or
    # the triple of least squares.
    discriminator_loss: object
    generator_loss: object  # function of (scores_generated, *more): the triple


OBJECTIVES = {
    "non_saturating": Objective(minimax_discriminator_loss, non_saturating_generator_loss),
    "minimax": Objective(minimax_discriminator_loss, minimax_generator_loss),
    "blended": Objective(minimax_discriminator_loss, blended_generator_loss),
    "least_squares": Objective(least_squares_discriminator_loss, least_squares_generator_loss),
    "hinge": Objective(hinge_discriminator_loss, hinge_generator_loss),
    "wasserstein": Objective(wasserstein_discriminator_loss, wasserstein_generator_loss),
    "wasserstein_gp": Objective(wasserstein_discriminator_loss, wasserstein_generator_loss),
    "dragan": Objective(minimax_discriminator_loss, non_saturating_generator_loss),
}

LEAST_SQUARES = {"zero_one": ZERO_ONE, "pearson": PEARSON}

"""Value functions of other games, as pure functions that are minimised.

Each file has one game's formulas, source and defaults. A name ends in what it is for:
`..._discriminator_loss`, `..._generator_loss`. All of them: `docs/value_functions.md`.
"""

from improved_gan_tf.losses.adversarial.acgan import acgan_discriminator_loss, acgan_generator_loss
from improved_gan_tf.losses.adversarial.began import (
    began_convergence,
    began_discriminator_loss,
    began_next_k,
    began_reconstruction_error,
)
from improved_gan_tf.losses.adversarial.blended import blended_generator_loss
from improved_gan_tf.losses.adversarial.ebgan import (
    ebgan_discriminator_loss,
    ebgan_generator_loss,
    euclidean_energy,
    mean_squared_energy,
    pull_away_term,
)
from improved_gan_tf.losses.adversarial.gradient_penalty import (
    dragan_points,
    gradient_penalty,
    interpolated_points,
    r1_penalty,
)
from improved_gan_tf.losses.adversarial.hinge import hinge_discriminator_loss, hinge_generator_loss
from improved_gan_tf.losses.adversarial.infogan import (
    infogan_categorical_loss,
    infogan_gaussian_loss,
    uniform_code_entropy,
)
from improved_gan_tf.losses.adversarial.input_gradients import input_gradients
from improved_gan_tf.losses.adversarial.least_squares import (
    PEARSON,
    ZERO_ONE,
    LeastSquaresTargets,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
)
from improved_gan_tf.losses.adversarial.non_saturating import (
    minimax_discriminator_loss,
    minimax_generator_loss,
    non_saturating_generator_loss,
)
from improved_gan_tf.losses.adversarial.preference import (
    preference_blended_generator_loss,
    preference_discriminator_loss,
    preference_generator_loss,
)
from improved_gan_tf.losses.adversarial.targets import flipped_targets, soft_targets
from improved_gan_tf.losses.adversarial.wasserstein import (
    wasserstein_discriminator_loss,
    wasserstein_generator_loss,
)

__all__ = [
    "PEARSON",
    "ZERO_ONE",
    "LeastSquaresTargets",
    "acgan_discriminator_loss",
    "acgan_generator_loss",
    "began_convergence",
    "began_discriminator_loss",
    "began_next_k",
    "began_reconstruction_error",
    "blended_generator_loss",
    "dragan_points",
    "ebgan_discriminator_loss",
    "ebgan_generator_loss",
    "euclidean_energy",
    "flipped_targets",
    "gradient_penalty",
    "hinge_discriminator_loss",
    "hinge_generator_loss",
    "infogan_categorical_loss",
    "infogan_gaussian_loss",
    "input_gradients",
    "interpolated_points",
    "least_squares_discriminator_loss",
    "least_squares_generator_loss",
    "mean_squared_energy",
    "minimax_discriminator_loss",
    "minimax_generator_loss",
    "non_saturating_generator_loss",
    "preference_blended_generator_loss",
    "preference_discriminator_loss",
    "preference_generator_loss",
    "pull_away_term",
    "r1_penalty",
    "soft_targets",
    "uniform_code_entropy",
    "wasserstein_discriminator_loss",
    "wasserstein_generator_loss",
]

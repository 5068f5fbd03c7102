"""The two players' losses: of real and generated examples apart, or of ordered pairs of them.

Protocol: fjxmlzn/PacGAN, `compute_losses` in pacgan/bricks.py.
"""

import tensorflow as tf

from examples.mode_collapse import techniques
from improved_gan_tf.losses import feature_matching_l2
from improved_gan_tf.losses.adversarial import (
    minimax_discriminator_loss,
    non_saturating_generator_loss,
    preference_blended_generator_loss,
    preference_discriminator_loss,
    preference_generator_loss,
)


def losses(settings, discriminator, real, generated):
    """Returns the discriminator's loss and the generator's, two scalars, nats.

    Args:
        settings: `Settings`.
        discriminator: of `networks.build_discriminator`.
        real: (N, 2 * packed), the data.
        generated: the same shape, from the generator.
    """
    of = losses_of_pairs if settings.technique == "preference" else losses_apart
    return of(settings, discriminator, real, generated)


def losses_apart(settings, discriminator, real, generated):
    """Real or generated? Arguments and results as in `losses`."""
    # Two calls: minibatch discrimination compares like with like.
    real_logits, real_features = discriminator(real, training=True)
    generated_logits, generated_features = discriminator(generated, training=True)
    is_smoothed = settings.technique == "label_smoothing"
    discriminator_loss = minimax_discriminator_loss(
        real_logits[:, 0],
        generated_logits[:, 0],
        real_target=techniques.REAL_TARGET if is_smoothed else 1.0,
    )
    if settings.technique == "feature_matching":
        generator_loss = feature_matching_l2(real_features, generated_features)
    else:
        generator_loss = non_saturating_generator_loss(generated_logits[:, 0])
    return discriminator_loss, generator_loss


def losses_of_pairs(settings, discriminator, real, generated):
    """Which of the two is real? Arguments and results as in `losses`.

    Each pair is judged in both orders, so that neither place tells anything.
    """
    real_first, _ = discriminator(tf.concat([real, generated], axis=1), training=True)
    generated_first, _ = discriminator(tf.concat([generated, real], axis=1), training=True)
    logits = real_first[:, 0], generated_first[:, 0]
    is_blended = settings.preference_loss == "blended"
    of_generator = preference_blended_generator_loss if is_blended else preference_generator_loss
    return preference_discriminator_loss(*logits), of_generator(*logits)

"""A discriminator of ordered pairs: which of the two examples is real?

It sees (x, G(z)) and (G(z), x). Its log odds s say that the *first* is real. At the best
discriminator `s(x, y) = log p(x) q(y) / (q(x) p(y))`, and its loss is `2 log 2 - 2 JS[PxQ || QxP]`.
With `s(x, y) = f(x) - f(y)` this is the relativistic pair (Jolicoeur-Martineau, 2018).

Source: Huszar (2016), on adversarial preference loss. The matching divergence is
        KL[PxQ || QxP] = KL[P || Q] + KL[Q || P]: symmetric, unlike that of the original GAN.
"""

from improved_gan_tf.losses.cross_entropy import binary_cross_entropy
from improved_gan_tf.precision import mean


def preference_discriminator_loss(logits_real_first, logits_generated_first):
    """`mean(softplus(-s(x, G(z)))) + mean(softplus(s(G(z), x)))`.

    Args:
        logits_real_first: (N,), s of pairs (real, generated).
        logits_generated_first: (M,), s of pairs (generated, real).

    Returns:
        Scalar >= 0, nats; 2 log 2 when the discriminator knows nothing.
    """
    return binary_cross_entropy(logits_real_first, 1.0) + binary_cross_entropy(
        logits_generated_first, 0.0
    )


def preference_generator_loss(logits_real_first, logits_generated_first):
    """The same pairs with exchanged labels, in the non-saturating form.

        mean(softplus(s(x, G(z)))) + mean(softplus(-s(G(z), x)))

    Arguments as for `preference_discriminator_loss`; a scalar >= 0, nats.
    """
    return binary_cross_entropy(logits_real_first, 0.0) + binary_cross_entropy(
        logits_generated_first, 1.0
    )


def preference_blended_generator_loss(logits_real_first, logits_generated_first):
    """`(mean(s(x, G(z))) - mean(s(G(z), x))) / 2`, a scalar, nats.

    With the best discriminator it is `KL[P || Q] + KL[Q || P]`. Arguments as for
    `preference_discriminator_loss`.
    """
    return 0.5 * (mean(logits_real_first) - mean(logits_generated_first))

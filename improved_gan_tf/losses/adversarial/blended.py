"""The sum of the GAN's two generator losses: with the best discriminator it is KL[Q || P].

Source: Huszar (2016), "An Alternative Update Rule for Generative Adversarial Networks".
"""

from improved_gan_tf.precision import mean


def blended_generator_loss(logits_generated):
    """`mean(log((1 - D(G(z))) / D(G(z)))) = -mean(s)`.

    It is `minimax_generator_loss + non_saturating_generator_loss`. With the best discriminator
    `s = log(p / q)`, so that the loss is `E_Q log(q / p) = KL[Q || P]`. The formula is that of the
    hinge and Wasserstein generators; the discriminator is another: `minimax_discriminator_loss`.

    Args:
        logits_generated: (M,).

    Returns:
        Scalar, nats.
    """
    return -mean(logits_generated)

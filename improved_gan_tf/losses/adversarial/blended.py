"""The sum of the GAN's two generator losses: with the best discriminator it is KL[Q || P].

Source: Huszar (2016), "An Alternative Update Rule for Generative Adversarial Networks".
"""

from improved_gan_tf.precision import mean


def blended_generator_loss(logits_generated):
    """`mean(log((1 - D(G(z))) / D(G(z)))) = -mean(s)` of logits (M,): a scalar, nats.

    It is `minimax_generator_loss + non_saturating_generator_loss`. With the best discriminator
    `s = log(p / q)`, and the loss is `E_Q log(q / p) = KL[Q || P]`. The discriminator minimises
    `minimax_discriminator_loss`.
    """
    return -mean(logits_generated)

"""ACGAN: the discriminator also classifies both real and generated examples.

    L_S = E log D(x) + E log(1 - D(G))            L_C = E log P(c | x) + E log P(c | G)

The discriminator maximises L_S + L_C, the generator L_C - L_S: both want the right class. P is a
softmax over K class logits, separate from the log odds of D.

Paper: Odena et al. (2017), Conditional Image Synthesis with Auxiliary Classifier GANs, Sec. 3.
"""

from improved_gan_tf.losses.adversarial.non_saturating import (
    minimax_discriminator_loss,
    non_saturating_generator_loss,
)
from improved_gan_tf.losses.semi_supervised import supervised_loss


def acgan_discriminator_loss(
    logits_real,
    logits_generated,
    class_logits_real,
    class_logits_generated,
    labels_real,
    labels_generated,
    discriminator_loss=minimax_discriminator_loss,
):
    """`discriminator_loss(s_r, s_g) + CE(real, c) + CE(generated, c)`, which is `-(L_S + L_C)`.

    Args:
        logits_real: (N,), log odds of D.
        logits_generated: (M,).
        class_logits_real: (N, K).
        class_logits_generated: (M, K).
        labels_real: (N,), integers in [0, K), the real examples' classes.
        labels_generated: (M,), the classes that the generator was asked for, not the labels of
            the real batch.
        discriminator_loss: function of (logits_real, logits_generated).

    Returns:
        Scalar, nats.
    """
    return (
        discriminator_loss(logits_real, logits_generated)
        + supervised_loss(class_logits_real, labels_real)
        + supervised_loss(class_logits_generated, labels_generated)
    )


def acgan_generator_loss(
    logits_generated,
    class_logits_generated,
    labels_generated,
    generator_loss=non_saturating_generator_loss,
):
    """`generator_loss(s_g) + CE(generated, c)`.

    With `minimax_generator_loss` it is the paper's `-(L_C - L_S)`.

    Args:
        logits_generated: (M,), log odds of D.
        class_logits_generated: (M, K).
        labels_generated: (M,), integers, the classes that the generator was asked for.
        generator_loss: function of (logits_generated).

    Returns:
        Scalar, nats.
    """
    return generator_loss(logits_generated) + supervised_loss(
        class_logits_generated, labels_generated
    )

"""The GAN of 2014: its discriminator, and the generator's loss in both published forms.

With log odds s and `D = sigmoid(s)`, `log D = -softplus(-s)` and `log(1 - D) = -softplus(s)`. The
two generator losses have the same optimum but different gradients for one example:

    minimax          d/ds log(1 - D)  = -D             near 0 where D is sure that it is generated
    non-saturating   d/ds (-log D)    = -(1 - D)       largest there

Paper: Goodfellow et al. (2014), Sec. 3, Algorithm 1.
"""

from keras import ops

from improved_gan_tf.losses.cross_entropy import binary_cross_entropy
from improved_gan_tf.precision import in_float32, mean


def minimax_discriminator_loss(
    logits_real, logits_generated, real_target=1.0, generated_target=0.0
):
    """Cross-entropy of real against generated: `-mean(log D(x)) - mean(log(1 - D(G(z))))`.

    With targets t it is `mean(softplus(s) - t s)` over the real examples plus the same over the
    generated ones. The two are added; `unsupervised_loss` weighs each with one half.

    Args:
        logits_real: (N,), s on real examples.
        logits_generated: (M,), s on generated examples.
        real_target: float, or (N,), one for each example; 1 by default, 0.9 with the paper's
            one-sided smoothing (Sec. 3.4).
        generated_target: float, or (M,); 0 by default.

    Returns:
        Scalar, nats; 2 log 2 when the discriminator knows nothing.

    Raises:
        ValueError: targets for each example differ in shape from the logits.
    """
    return binary_cross_entropy(logits_real, real_target) + binary_cross_entropy(
        logits_generated, generated_target
    )


def minimax_generator_loss(logits_generated):
    """The discriminator's loss on generated examples, negated: `mean(log(1 - D(G(z))))`.

    Of logits (M,); a scalar <= 0, nats.
    """
    return -mean(ops.softplus(in_float32(logits_generated)))


def non_saturating_generator_loss(logits_generated):
    """The usual loss of generators: `-mean(log D(G(z)))`, of logits (M,); a scalar >= 0, nats."""
    return binary_cross_entropy(logits_generated, 1.0)

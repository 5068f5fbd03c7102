"""The GAN of 2014: its discriminator, and the generator's loss in both published forms.

With log odds s and `D = sigmoid(s)`, `log D = -softplus(-s)` and `log(1 - D) = -softplus(s)`. The
two generators want the same and learn at different speeds. Of one example's loss the gradient is

    minimax          d/ds log(1 - D)  = -D             nothing where D is sure that it is generated
    non-saturating   d/ds (-log D)    = -(1 - D)       most there

Paper: Goodfellow et al. (2014), Sec. 3, Algorithm 1.
"""

from keras import ops

from improved_gan_tf.losses.cross_entropy import binary_cross_entropy
from improved_gan_tf.precision import mean


def minimax_discriminator_loss(
    logits_real, logits_generated, real_target=1.0, generated_target=0.0
):
    """Cross-entropy of real against generated: `-mean(log D(x)) - mean(log(1 - D(G(z))))`.

    With targets t it is `mean(softplus(s) - t s)` over the real plus the same over the generated
    examples. The halves are added; the paper's `unsupervised_loss` weighs each with one half. No
    label is smoothed unless a target says so (TF-GAN's default smooths: 0.875 for real examples).

    Args:
        logits_real: (N,), s of real examples.
        logits_generated: (M,), s of generated ones.
        real_target: float, or (N,), one for each example; 1 by default, 0.9 with the paper's
            one-sided smoothing (Sec. 3.4).
        generated_target: float, or (M,); 0 by default.

    Returns:
        Scalar, nats; 2 log 2 when the discriminator knows nothing.

    Raises:
        ValueError: targets for each example are of another shape than the logits.
    """
    return binary_cross_entropy(logits_real, real_target) + binary_cross_entropy(
        logits_generated, generated_target
    )


def minimax_generator_loss(logits_generated):
    """The discriminator's own objective, from the other side: `mean(log(1 - D(G(z))))`.

    Args:
        logits_generated: (M,).

    Returns:
        Scalar <= 0, nats.
    """
    return -mean(ops.softplus(logits_generated))


def non_saturating_generator_loss(logits_generated):
    """What generators minimise in practice: `-mean(log D(G(z)))`.

    Args:
        logits_generated: (M,).

    Returns:
        Scalar >= 0, nats.
    """
    return binary_cross_entropy(logits_generated, 1.0)

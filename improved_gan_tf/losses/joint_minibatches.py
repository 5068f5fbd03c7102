"""The ImageNet experiment's losses: K + 1 trained logits, smoothed targets for both players.

The last logit, "generated", is trained like the others. The discriminator's belief that an image
is real is `D = sigmoid(s)` with

    s = logsumexp(l_1 .. l_K) - l_(K+1)

Both players' losses have a target probability for `D`: 0.75 on real images (one-sided label
smoothing), 0 on generated ones, and 0.375 for the generator, which is the value of `D` at the
equilibrium under that smoothing.

Paper:    Salimans et al. (2016), Sec. 3.4, 5.
Original: openai/improved-gan@4f5d1ec, imagenet/discriminator.py, `gan_logits`;
          imagenet/model.py, `sigmoid_kl_with_logits`; imagenet/build_model.py.
"""

from keras import ops

from improved_gan_tf import losses
from improved_gan_tf.precision import in_float32


def gan_logits(logits):
    """Log odds that an image is real: `logsumexp(l_1 .. l_K) - l_(K+1)`.

    Takes logits (N, K + 1) with "generated" last; returns (N,).
    """
    logits = in_float32(logits)
    return ops.logsumexp(logits[:, :-1], axis=1) - logits[:, -1]


def sigmoid_kl(logits, target):
    """Mean divergence of `sigmoid(logits)` from a target probability t.

        mean(softplus(s) - t s) - H(t),    H(t) = -t log t - (1 - t) log(1 - t)

    It is `mean(KL(t || D))` of two coins with `D = sigmoid(s)`: cross-entropy minus the entropy of
    the target. Its minimum, 0, is at D = t.

    Args:
        logits: (N,), log odds s.
        target: float t in [0, 1].

    Returns:
        Scalar >= 0 (up to rounding), nats.
    """
    return losses.binary_cross_entropy(logits, target) - losses.binary_entropy(target)

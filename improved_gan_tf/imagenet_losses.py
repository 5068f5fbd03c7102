"""The ImageNet experiment's losses: K + 1 trained logits, smoothed targets for both players.

Here the last logit, "generated", is trained like the others, so a discriminator's belief that an
image is real is `D = sigmoid(s)` with

    s = logsumexp(l_1 .. l_K) - l_(K+1)

and both players are given a probability that `D` should take: 0.75 on real images (one-sided label
smoothing), 0 on generated ones, and for the generator 0.375, the value of `D` at the equilibrium
under that smoothing.

Paper:    Salimans et al. (2016), Sec. 3.4, 5.
Original: openai/improved-gan@4f5d1ec, imagenet/discriminator.py, `gan_logits`;
          imagenet/model.py, `sigmoid_kl_with_logits`; imagenet/build_model.py.
"""

import math

from keras import ops


def gan_logits(logits):
    """Log odds that an image is real: `logsumexp(l_1 .. l_K) - l_(K+1)`.

    Args:
        logits: (N, K + 1), the last one "generated".

    Returns:
        (N,).
    """
    return ops.logsumexp(logits[:, :-1], axis=1) - logits[:, -1]


def sigmoid_kl(logits, target):
    """Mean divergence of `sigmoid(logits)` from a target probability t.

        mean(softplus(s) - t s) - H(t),    H(t) = -t log t - (1 - t) log(1 - t)

    which is `mean(KL(t || D))` of two coins, `D = sigmoid(s)`: cross-entropy less the entropy of
    the target, so that 0 is reached, at D = t.

    Args:
        logits: (N,), log odds s.
        target: float t in [0, 1].

    Returns:
        Scalar >= 0 (up to rounding), nats.
    """
    cross_entropy = ops.mean(ops.softplus(logits) - target * logits)
    return cross_entropy - binary_entropy(target)


def binary_entropy(probability):
    """Entropy of a coin, nats; 0 for a certain one.

    Args:
        probability: float in [0, 1].

    Returns:
        float in [0, log 2].
    """
    return -sum(p * math.log(p) for p in (probability, 1.0 - probability) if p > 0.0)

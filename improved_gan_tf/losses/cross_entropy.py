"""Cross-entropy of a logit against a target probability, and the entropy of a target."""

import math

from keras import ops


def binary_cross_entropy(log_odds, target):
    """Cross-entropy of a target probability and `D = sigmoid(s)`: `mean(softplus(s) - target s)`.

    Args:
        log_odds: (N,), s.
        target: float in [0, 1].

    Returns:
        Scalar >= 0, nats.
    """
    # softplus(s) - s = softplus(-s): the difference of two large numbers would lose the loss.
    if target == 1.0:
        return ops.mean(ops.softplus(-log_odds))
    if target == 0.0:
        return ops.mean(ops.softplus(log_odds))
    return ops.mean(target * ops.softplus(-log_odds) + (1.0 - target) * ops.softplus(log_odds))


def binary_entropy(probability):
    """Entropy of a coin, `-p log p - (1 - p) log(1 - p)`; 0 for a certain one.

    Args:
        probability: float p in [0, 1].

    Returns:
        float in [0, log 2], nats.
    """
    return sum(-p * math.log(p) for p in (probability, 1.0 - probability) if p > 0.0)

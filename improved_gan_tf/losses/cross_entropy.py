"""Cross-entropy of a logit against a target probability, and the entropy of a target."""

import math
import numbers

from keras import ops

from improved_gan_tf.losses.shapes import may_be_equal
from improved_gan_tf.precision import in_float32, mean


def binary_cross_entropy(log_odds, target):
    """Cross-entropy of a target probability and `D = sigmoid(s)`: `mean(softplus(s) - target s)`.

    Args:
        log_odds: (N,), s.
        target: float in [0, 1] for all examples, or (N,), one for each. Above 1 the loss of that
            example has no minimum: for large s it falls by `target - 1` for each unit of s.

    Returns:
        Scalar, nats; >= 0 for targets in [0, 1].

    Raises:
        ValueError: targets for each example differ in shape from `log_odds`.
    """
    log_odds = in_float32(log_odds)
    # softplus(s) - s = softplus(-s); the difference of two large numbers would lose precision.
    if isinstance(target, numbers.Real):
        if target == 1.0:
            return mean(ops.softplus(-log_odds))
        if target == 0.0:
            return mean(ops.softplus(log_odds))
    else:
        log_odds, target = _example_by_example(log_odds, target)
    return mean(target * ops.softplus(-log_odds) + (1.0 - target) * ops.softplus(log_odds))


def _example_by_example(log_odds, target):
    """Returns both as tensors; shapes (N,) and (N, 1) would broadcast to (N, N)."""
    target = ops.cast(target, log_odds.dtype)
    if len(target.shape) > 0 and not may_be_equal(target.shape, log_odds.shape):
        raise ValueError(
            "`target` must be one number, or one for each example. Received: "
            f"target.shape={tuple(target.shape)}, log_odds.shape={tuple(log_odds.shape)}"
        )
    return log_odds, target


def binary_entropy(probability):
    """Entropy of a coin, `-p log p - (1 - p) log(1 - p)`, in [0, log 2] nats; 0 for p = 0 and 1."""
    return sum(-p * math.log(p) for p in (probability, 1.0 - probability) if p > 0.0)

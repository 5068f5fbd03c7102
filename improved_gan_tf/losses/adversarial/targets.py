"""Soft and flipped targets for the discriminator, one for each example.

`minimax_discriminator_loss` takes the result as its targets. The paper's one-sided label smoothing
needs one number only, `real_target=0.9`.

Source: Chintala et al. (2016), How to Train a GAN (soumith/ganhacks), 6: soft and noisy labels.
"""

from keras import ops


def soft_targets(uniform, low, high):
    """Targets spread over an interval: `low + (high - low) u`.

    The talk's intervals are [0.7, 1.2] for real examples and [0, 0.3] for generated ones. With a
    target above 1, the loss of that example has no minimum (see `binary_cross_entropy`).

    Args:
        uniform: (N,), u ~ U[0, 1).
        low: float.
        high: float >= low.

    Returns:
        (N,).

    Raises:
        ValueError: `high` is below `low`.
    """
    if high < low:
        raise ValueError(f"`high` must not be below `low`. Received: low={low}, high={high}")
    return low + (high - low) * uniform


def flipped_targets(targets_real, targets_generated, flips):
    """Exchanges the targets of real and generated examples where `flips` is True.

    The talk flips labels "occasionally" and gives no rate.

    Args:
        targets_real: (N,).
        targets_generated: (N,).
        flips: (N,), bool.

    Returns:
        `(targets_real, targets_generated)`, (N,) each.
    """
    flips = ops.convert_to_tensor(flips, "bool")
    return (
        ops.where(flips, targets_generated, targets_real),
        ops.where(flips, targets_real, targets_generated),
    )

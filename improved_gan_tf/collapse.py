"""When the discriminator has won: a stated criterion on the unsupervised loss.

In a healthy MNIST run the unsupervised loss settles between 0.2 and 0.5. On some seeds it
falls to nearly 0: the discriminator tells every generated image, feature matching no longer
teaches the generator, and the test error stops falling. The original's own log of seed 2 does
this from its tenth epoch on.
"""

COLLAPSED_BELOW = 0.03  # nats, mean unsupervised loss of an epoch
HEALTHY_ABOVE = 0.1  # nats; early epochs pass low values before the game has begun
EPOCHS_IN_A_ROW = 2


def collapsed_at(unsupervised_losses):
    """The epoch at which a run collapsed, or None.

    A run has collapsed when the mean unsupervised loss, having been above 0.1, is below 0.03
    in two epochs in a row; the first of the two is returned.

    Args:
        unsupervised_losses: mean unsupervised loss of each epoch so far, from epoch 0.

    Returns:
        int or None.
    """
    was_healthy = False
    low = 0
    for epoch, loss in enumerate(unsupervised_losses):
        was_healthy = was_healthy or loss > HEALTHY_ABOVE
        low = low + 1 if was_healthy and loss < COLLAPSED_BELOW else 0
        if low == EPOCHS_IN_A_ROW:
            return epoch - EPOCHS_IN_A_ROW + 1
    return None

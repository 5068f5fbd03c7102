"""When the discriminator has won: a stated criterion on the unsupervised loss.

In a healthy MNIST run the unsupervised loss settles between 0.2 and 0.5. On some seeds it
falls to nearly 0: the discriminator tells every generated image, feature matching no longer
teaches the generator, and the test error stops falling. The original's own log of seed 2 does
this from its tenth epoch on; a run can also do it from its second on. Early epochs of healthy runs
pass low values too, but none of those seen so far was below 0.06 in two epochs in a row.
"""

COLLAPSED_BELOW = 0.03  # nats, mean unsupervised loss of an epoch
EPOCHS_IN_A_ROW = 2


def collapsed_at(unsupervised_losses):
    """The epoch at which a run collapsed, or None.

    A run has collapsed when the mean unsupervised loss is below 0.03 in two epochs in a row; the
    first of the two is returned.

    Args:
        unsupervised_losses: mean unsupervised loss of each epoch so far, from epoch 0.

    Returns:
        int or None.
    """
    low = 0
    for epoch, loss in enumerate(unsupervised_losses):
        low = low + 1 if loss < COLLAPSED_BELOW else 0
        if low == EPOCHS_IN_A_ROW:
            return epoch - EPOCHS_IN_A_ROW + 1
    return None

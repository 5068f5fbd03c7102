"""Feature matching: the generator's loss is a distance between batch means of features.

Paper:    Salimans et al. (2016), Sec. 3.1.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*_feature_matching.py, `loss_gen`.
"""

from keras import ops

from improved_gan_tf import distribution
from improved_gan_tf.losses.shapes import may_be_equal
from improved_gan_tf.precision import mean


def feature_matching_l2(features_real, features_generated, cross_replica="global"):
    """Mean squared difference of the batch means: `mean((E f(x) - E f(G(z)))^2)` (MNIST).

    Args:
        features_real: (N, A).
        features_generated: (M, A).
        cross_replica: "global" for means over all replicas' rows, in equal shares; "local" for
            this replica's rows. The same on one device.

    Returns:
        Scalar >= 0.

    Raises:
        ValueError: the numbers of features differ, or `cross_replica` is unknown.
    """
    # D7: the paper's squared norm sums over the features; the code's mean divides by their number.
    difference = _difference_of_means(features_real, features_generated, cross_replica)
    return mean(ops.square(difference))


def feature_matching_l1(features_real, features_generated, cross_replica="global"):
    """Mean absolute difference of the batch means: `mean(|E f(x) - E f(G(z))|)` (CIFAR-10, SVHN).

    Arguments, range and errors as for `feature_matching_l2`.
    """
    difference = _difference_of_means(features_real, features_generated, cross_replica)
    return mean(ops.abs(difference))


def _difference_of_means(features_real, features_generated, cross_replica):
    distribution.check_cross_replica(cross_replica)
    shapes = [tuple(features.shape[1:]) for features in (features_real, features_generated)]
    if not may_be_equal(*shapes):
        raise ValueError(
            "Real and generated features must be of one layer. Received: features of shape "
            f"{shapes[0]} and {shapes[1]} for each row"
        )
    difference = mean(features_real, axis=(0,)) - mean(features_generated, axis=(0,))  # (A,)
    return distribution.mean_over_replicas(difference) if cross_replica == "global" else difference

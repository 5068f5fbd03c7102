"""Every scalar that is minimised, as pure functions of logits or features.

K class logits l; the (K+1)-th logit, "generated", is fixed at 0. With Z = sum_k exp l_k the
discriminator's belief that an image is real is D = Z / (Z + 1), so that

    log D       = lse - softplus(lse)                with lse = log Z = logsumexp(l)
    log (1 - D) = -softplus(lse)

Paper:    Salimans et al. (2016), Sec. 3.1, 5.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*.py, the lines from
          `loss_lab` to `loss_gen`.
"""

from keras import ops


def supervised_loss(logits, labels):
    """Cross-entropy over the K classes: `-mean(l_y) + mean(lse)`.

    Args:
        logits: (N, K).
        labels: (N,), integers in [0, K).

    Returns:
        Scalar >= 0, nats.
    """
    label_logits = ops.take_along_axis(logits, ops.expand_dims(labels, 1), axis=1)[:, 0]  # (N,)
    return ops.mean(ops.logsumexp(logits, axis=1) - label_logits)


def unsupervised_loss(logits_unlabeled, logits_generated):
    """Real images against generated ones, each with weight one half.

        -0.5 mean(lse_unl) + 0.5 mean(softplus(lse_unl)) + 0.5 mean(softplus(lse_gen))

    which is `-0.5 mean(log D(x)) - 0.5 mean(log(1 - D(G(z))))`.

    Args:
        logits_unlabeled: (N, K), real images.
        logits_generated: (M, K), generated images.

    Returns:
        Scalar >= 0, nats; log 2 when the discriminator knows nothing.
    """
    lse_unlabeled = ops.logsumexp(logits_unlabeled, axis=1)
    lse_generated = ops.logsumexp(logits_generated, axis=1)
    # softplus(l) - l = softplus(-l): the difference of two large numbers would lose the loss.
    real = ops.mean(ops.softplus(-lse_unlabeled))
    generated = ops.mean(ops.softplus(lse_generated))
    return 0.5 * real + 0.5 * generated


def saturating_generator_loss(logits_generated):
    """What the generator minimises with minibatch discrimination: `-mean(softplus(lse_gen))`.

    It is `mean(log(1 - D(G(z))))`, the generator's side of the discriminator's own objective.

    Args:
        logits_generated: (M, K).

    Returns:
        Scalar <= 0, nats.
    """
    return -ops.mean(ops.softplus(ops.logsumexp(logits_generated, axis=1)))


def feature_matching_l2(features_real, features_generated):
    """Mean squared difference of the batch means: `mean((E f(x) - E f(G(z)))^2)` (MNIST).

    Args:
        features_real: (N, A).
        features_generated: (M, A).

    Returns:
        Scalar >= 0. A distance of means, not a mean of distances.
    """
    # D7: the paper's squared norm sums over the features; the code's mean divides by their number.
    return ops.mean(ops.square(_difference_of_means(features_real, features_generated)))


def feature_matching_l1(features_real, features_generated):
    """Mean absolute difference of the batch means: `mean(|E f(x) - E f(G(z))|)` (CIFAR-10, SVHN).

    Args:
        features_real: (N, A).
        features_generated: (M, A).

    Returns:
        Scalar >= 0.
    """
    return ops.mean(ops.abs(_difference_of_means(features_real, features_generated)))


def _difference_of_means(features_real, features_generated):
    return ops.mean(features_real, axis=0) - ops.mean(features_generated, axis=0)  # (A,)


def error_rate(logits, labels):
    """Fraction of rows whose largest logit is not the label's, in [0, 1].

    Args:
        logits: (N, K).
        labels: (N,), integers.

    Returns:
        Scalar in the dtype of `logits`.
    """
    wrong = ops.not_equal(ops.argmax(logits, axis=1), ops.cast(labels, "int32"))
    return ops.mean(ops.cast(wrong, logits.dtype))

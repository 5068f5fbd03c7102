"""Every scalar that is minimised, as pure functions of logits or features.

K class logits l; the (K+1)-th logit, "generated", is fixed at 0. With Z = sum_k exp l_k the
discriminator's belief that an image is real is D = Z / (Z + 1), so that

    log D       = lse - softplus(lse)                with lse = log Z = logsumexp(l)
    log (1 - D) = -softplus(lse)

Paper:    Salimans et al. (2016), Sec. 3.1, 3.4, 5.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*.py, the lines from
          `loss_lab` to `loss_gen`.
"""

import math

from keras import ops

from improved_gan_tf import distribution


def supervised_loss(logits, labels):
    """Cross-entropy over the K classes: `-mean(l_y) + mean(lse)`.

    Args:
        logits: (N, K).
        labels: (N,), integers in [0, K).

    Returns:
        Scalar >= 0, nats.

    Raises:
        ValueError: `labels` are of another rank.
    """
    labels = _checked_labels(labels)
    label_logits = ops.take_along_axis(logits, ops.expand_dims(labels, 1), axis=1)[:, 0]  # (N,)
    return ops.mean(ops.logsumexp(logits, axis=1) - label_logits)


def unsupervised_loss(logits_unlabeled, logits_generated, real_target=1.0, generated_target=0.0):
    """Real images against generated ones, each with weight one half.

        -0.5 mean(lse_unl) + 0.5 mean(softplus(lse_unl)) + 0.5 mean(softplus(lse_gen))

    which is `-0.5 mean(log D(x)) - 0.5 mean(log(1 - D(G(z))))`.

    With one-sided label smoothing (Sec. 3.4) a real image's target is alpha instead of 1. Its
    cross-entropy, with log D and log(1 - D) from the top of this file,

        -alpha log D - (1 - alpha) log(1 - D)
            = -alpha (lse - softplus(lse)) + (1 - alpha) softplus(lse) = softplus(lse) - alpha lse

    makes the loss of the real images `0.5 mean(softplus(lse_unl) - alpha lse_unl)`; that of
    the generated ones stays. The best discriminator is then, at every x,
    `D = alpha p_data / (p_data + p_model)`. With a generated target beta > 0 as well it is
    `(alpha p_data + beta p_model) / (p_data + p_model)`, in which p_model stands above the line:
    where p_data is nearly 0 and p_model is not, samples are no longer driven back to the data.
    That is why the paper smooths one side only.

    Args:
        logits_unlabeled: (N, K), real images.
        logits_generated: (M, K), generated images.
        real_target: float in (0, 1], alpha, the target of real images.
        generated_target: float in [0, 1), beta, the target of generated images.

    Returns:
        Scalar >= 0, nats; log 2 when the discriminator knows nothing (D = 1/2 everywhere).

    Raises:
        ValueError: a target is out of its range.
    """
    if not (0.0 < real_target <= 1.0 and 0.0 <= generated_target < 1.0):
        raise ValueError(
            "`real_target` must lie in (0, 1] and `generated_target` in [0, 1). Received: "
            f"real_target={real_target}, generated_target={generated_target}"
        )
    real = binary_cross_entropy(ops.logsumexp(logits_unlabeled, axis=1), real_target)
    generated = binary_cross_entropy(ops.logsumexp(logits_generated, axis=1), generated_target)
    return 0.5 * real + 0.5 * generated


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


def smallest_unsupervised_loss(real_target=1.0, generated_target=0.0):
    """The `unsupervised_loss` of a discriminator that tells real and generated images apart.

    `0.5 H(alpha) + 0.5 H(beta)`, with H(p) = -p log p - (1 - p) log(1 - p): what smoothing
    adds to the loss whatever the discriminator does; 0 without it.

    Args:
        real_target: float in (0, 1], alpha.
        generated_target: float in [0, 1), beta.

    Returns:
        float, nats.
    """
    return 0.5 * binary_entropy(real_target) + 0.5 * binary_entropy(generated_target)


def binary_entropy(probability):
    """Entropy of a coin, `-p log p - (1 - p) log(1 - p)`; 0 for a certain one.

    Args:
        probability: float p in [0, 1].

    Returns:
        float in [0, log 2], nats.
    """
    return sum(-p * math.log(p) for p in (probability, 1.0 - probability) if p > 0.0)


def saturating_generator_loss(logits_generated):
    """What the generator minimises with minibatch discrimination: `-mean(softplus(lse_gen))`.

    It is `mean(log(1 - D(G(z))))`, the generator's side of the discriminator's own objective. Label
    smoothing is the discriminator's and leaves it as it is.

    Args:
        logits_generated: (M, K).

    Returns:
        Scalar <= 0, nats.
    """
    return -ops.mean(ops.softplus(ops.logsumexp(logits_generated, axis=1)))


def feature_matching_l2(features_real, features_generated, cross_replica="global"):
    """Mean squared difference of the batch means: `mean((E f(x) - E f(G(z)))^2)` (MNIST).

    Args:
        features_real: (N, A).
        features_generated: (M, A).
        cross_replica: "global" for means over the rows of all replicas, whose shares are of
            equal size; "local" for this replica's rows. The same on one device.

    Returns:
        Scalar >= 0. A distance of means, not a mean of distances.

    Raises:
        ValueError: the features of the two differ in number, or `cross_replica` is neither of the
            two.
    """
    # D7: the paper's squared norm sums over the features; the code's mean divides by their number.
    difference = _difference_of_means(features_real, features_generated, cross_replica)
    return ops.mean(ops.square(difference))


def feature_matching_l1(features_real, features_generated, cross_replica="global"):
    """Mean absolute difference of the batch means: `mean(|E f(x) - E f(G(z))|)` (CIFAR-10, SVHN).

    Args:
        features_real: (N, A).
        features_generated: (M, A).
        cross_replica: as in `feature_matching_l2`.

    Returns:
        Scalar >= 0.

    Raises:
        ValueError: as in `feature_matching_l2`.
    """
    difference = _difference_of_means(features_real, features_generated, cross_replica)
    return ops.mean(ops.abs(difference))


def _difference_of_means(features_real, features_generated, cross_replica):
    distribution.check_cross_replica(cross_replica)
    shapes = [tuple(features.shape[1:]) for features in (features_real, features_generated)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            "Real and generated features must be of one layer. Received: features of shape "
            f"{shapes[0]} and {shapes[1]} for each row"
        )
    difference = ops.mean(features_real, axis=0) - ops.mean(features_generated, axis=0)  # (A,)
    return distribution.mean_over_replicas(difference) if cross_replica == "global" else difference


def error_rate(logits, labels):
    """Fraction of rows whose largest logit is not the label's, in [0, 1].

    Args:
        logits: (N, K).
        labels: (N,), integers.

    Returns:
        Scalar in the dtype of `logits`.

    Raises:
        ValueError: `labels` are of another rank.
    """
    labels = _checked_labels(labels)
    wrong = ops.not_equal(ops.argmax(logits, axis=1), ops.cast(labels, "int32"))
    return ops.mean(ops.cast(wrong, logits.dtype))


def _checked_labels(labels):
    """Returns labels as a tensor; of any other rank they would be compared with every row."""
    labels = ops.convert_to_tensor(labels)
    if len(labels.shape) != 1:
        raise ValueError(
            "`labels` must be one integer for each row of the logits, of shape (N,). "
            f"Received: labels.shape={tuple(labels.shape)}"
        )
    return labels

"""The losses of the semi-supervised game, on K class logits.

There are K class logits l; the (K+1)-th logit, "generated", is fixed at 0. With Z = sum_k exp l_k
the discriminator's belief that an image is real is D = Z / (Z + 1). Therefore

    log D       = lse - softplus(lse)                with lse = log Z = logsumexp(l)
    log (1 - D) = -softplus(lse)

Paper:    Salimans et al. (2016), Sec. 3.4, 5.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*.py, the lines from
          `loss_lab` to `loss_gen`.
"""

import keras
import numpy as np
from keras import ops

from improved_gan_tf.losses.cross_entropy import binary_cross_entropy, binary_entropy
from improved_gan_tf.losses.shapes import may_be_equal
from improved_gan_tf.machine.tracing import is_traced
from improved_gan_tf.precision import in_float32, mean


def supervised_loss(logits, labels, check_labels=True):
    """Cross-entropy over the K classes: `-mean(l_y) + mean(lse)`.

    Args:
        logits: (N, K).
        labels: (N,), integers in [0, K).
        check_labels: bool, whether a graph looks at the labels too. Where they are known to be
            right it need not, and rounds the gradients otherwise.

    Returns:
        Scalar >= 0, nats. NaN, as are the row's gradients, where a graph that checks them meets a
        label outside [0, K).

    Raises:
        ValueError: `labels` have another rank or length; eagerly, one is no integer in [0, K).
    """
    logits = in_float32(logits)
    labels, one_or_nan = _checked_labels(labels, logits)
    label_logits = ops.take_along_axis(logits, ops.expand_dims(labels, 1), axis=1)[:, 0]  # (N,)
    loss = ops.logsumexp(logits, axis=1) - label_logits
    return mean(loss * one_or_nan if check_labels else loss)


def unsupervised_loss(logits_unlabeled, logits_generated, real_target=1.0, generated_target=0.0):
    """Real images against generated ones, each with weight one half.

        -0.5 mean(lse_unl) + 0.5 mean(softplus(lse_unl)) + 0.5 mean(softplus(lse_gen))

    It is `-0.5 mean(log D(x)) - 0.5 mean(log(1 - D(G(z))))`.

    With one-sided label smoothing (Sec. 3.4) a real image's target is alpha instead of 1, and its
    cross-entropy is `-alpha log D - (1 - alpha) log(1 - D) = softplus(lse) - alpha lse`. The first
    half of the loss becomes `0.5 mean(softplus(lse_unl) - alpha lse_unl)`. The best discriminator
    is then `D = alpha p_data / (p_data + p_model)`; with a generated target beta it is
    `(alpha p_data + beta p_model) / (p_data + p_model)`.

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
    _require_targets(real_target, generated_target)
    log_odds = [_log_odds(logits) for logits in (logits_unlabeled, logits_generated)]
    real = binary_cross_entropy(log_odds[0], real_target)
    generated = binary_cross_entropy(log_odds[1], generated_target)
    return 0.5 * real + 0.5 * generated  # D20: the paper's loss is the sum, without the halves


def _require_targets(real_target, generated_target):
    if not (0.0 < real_target <= 1.0 and 0.0 <= generated_target < 1.0):
        raise ValueError(
            "`real_target` must lie in (0, 1] and `generated_target` in [0, 1). Received: "
            f"real_target={real_target}, generated_target={generated_target}"
        )


def smallest_unsupervised_loss(real_target=1.0, generated_target=0.0):
    """The least `unsupervised_loss`, of a discriminator that makes no mistakes.

    `0.5 H(alpha) + 0.5 H(beta)`, with H(p) = -p log p - (1 - p) log(1 - p); 0 without smoothing.

    Args:
        real_target: float in (0, 1], alpha.
        generated_target: float in [0, 1), beta.

    Returns:
        float, nats.

    Raises:
        ValueError: a target is out of its range.
    """
    _require_targets(real_target, generated_target)
    return 0.5 * binary_entropy(real_target) + 0.5 * binary_entropy(generated_target)


def saturating_generator_loss(logits_generated):
    """The generator's loss with minibatch discrimination: `-mean(softplus(lse_gen))`.

    It is `mean(log(1 - D(G(z))))` of logits (M, K), a scalar <= 0, nats. Label smoothing does not
    change it.
    """
    return -mean(ops.softplus(_log_odds(logits_generated)))


def error_rate(logits, labels):
    """Fraction of rows whose largest logit is not the label's.

    Args:
        logits: (N, K).
        labels: (N,), integers in [0, K).

    Returns:
        Scalar in the dtype of `logits`, float32 for half precision. NaN where a graph meets a
        label outside [0, K).

    Raises:
        ValueError: `labels` have another rank or length; eagerly, one is no integer in [0, K).
    """
    logits = in_float32(logits)
    labels, one_or_nan = _checked_labels(labels, logits)
    wrong = ops.not_equal(ops.argmax(logits, axis=1), ops.cast(labels, "int32"))
    return mean(ops.cast(wrong, logits.dtype) * one_or_nan)


def _log_odds(logits):
    """`lse`, (N,), of logits (N, K)."""
    return ops.logsumexp(in_float32(logits), axis=1)


def _checked_labels(labels, logits):
    """Returns labels that can be looked up, and 1 where they are labels and NaN elsewhere.

    A graph cannot raise, and a look-up takes -1 for the last class.

    Args:
        labels: (N,), integers in any dtype; of any other shape they would be compared with
            other rows.
        logits: (N, K).

    Returns:
        (N,) in [0, K), and (N,) in the dtype of `logits`.
    """
    labels, logits = ops.convert_to_tensor(labels), ops.convert_to_tensor(logits)
    if not may_be_equal(labels.shape, logits.shape[:1]):
        raise ValueError(
            "`labels` must be one integer for each row of the logits, of shape (N,). Received: "
            f"labels.shape={tuple(labels.shape)}, logits.shape={tuple(logits.shape)}"
        )
    num_classes = logits.shape[-1]
    if not is_traced(labels):
        values = ops.convert_to_numpy(labels)
        outside = values[(values < 0) | (values >= num_classes) | (values != np.floor(values))]
        if outside.size:
            raise ValueError(
                f"`labels` must be integers from 0 to {num_classes - 1}, one logit for each. "
                f"Received: label {outside[0]}"
            )
    dtype = keras.backend.standardize_dtype(labels.dtype)
    # In uint8 a number of 256 classes would be 0.
    integers = ops.cast(labels, "int64" if dtype in ("int64", "uint32", "uint64") else "int32")
    is_label = ops.logical_and(integers >= 0, integers < num_classes)
    if "float" in dtype:
        is_label = ops.logical_and(is_label, ops.equal(ops.cast(integers, dtype), labels))
    one_or_nan = ops.cast(ops.where(is_label, 1.0, float("nan")), logits.dtype)
    return ops.where(is_label, integers, ops.zeros_like(integers)), one_or_nan

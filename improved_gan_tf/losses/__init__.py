"""Every scalar that is minimised, as pure functions of logits or features."""

from improved_gan_tf.losses.cross_entropy import binary_cross_entropy, binary_entropy
from improved_gan_tf.losses.feature_matching import feature_matching_l1, feature_matching_l2
from improved_gan_tf.losses.orthogonal import orthogonal_penalty, orthogonal_regularization
from improved_gan_tf.losses.semi_supervised import (
    error_rate,
    saturating_generator_loss,
    smallest_unsupervised_loss,
    supervised_loss,
    unsupervised_loss,
)

__all__ = [
    "binary_cross_entropy",
    "binary_entropy",
    "error_rate",
    "feature_matching_l1",
    "feature_matching_l2",
    "orthogonal_penalty",
    "orthogonal_regularization",
    "saturating_generator_loss",
    "smallest_unsupervised_loss",
    "supervised_loss",
    "unsupervised_loss",
]

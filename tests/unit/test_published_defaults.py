"""Defaults that stand for a published number are that number."""

import inspect

import pytest

from improved_gan_tf import WeightAverage, layers, losses
from improved_gan_tf.losses import adversarial


@pytest.mark.parametrize(
    ("callable_", "argument", "published"),
    [
        (losses.orthogonal_regularization, "strength", 1e-4),  # Brock et al. (2019), Sec. 3.1
        (WeightAverage, "decay", 0.9999),  # Brock et al. (2019), App. C
        (adversarial.ebgan_discriminator_loss, "margin", 10.0),  # Zhao et al. (2017), MNIST
        (adversarial.ebgan_generator_loss, "pull_away_weight", 0.1),
        (layers.BatchNorm, "momentum", 0.9),  # 1 - 0.1 of ajbrock/BigGAN-PyTorch
        (layers.ConditionalBatchNorm, "momentum", 0.9),
    ],
)
def test_a_default_is_the_published_number(callable_, argument, published):
    assert inspect.signature(callable_).parameters[argument].default == published

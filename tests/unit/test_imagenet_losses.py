"""The ImageNet losses against closed forms, their minima and extreme logits."""

import math

import numpy as np
import pytest
from keras import ops

from improved_gan_tf.losses import joint_minibatches
from tests.support.numerics import gradients, to_numpy


def sigmoid(s):
    return 1.0 / (1.0 + math.exp(-s))


def divergence(t, d):
    """KL(t || d) of two coins."""
    return sum(p * math.log(p / q) for p, q in ((t, d), (1.0 - t, 1.0 - d)) if p > 0.0)


def value(x):
    return float(to_numpy(x))


def test_the_gan_logit_is_the_classes_against_the_last_logit():
    logits = np.array([[0.0, 0.0, 0.0], [math.log(3.0), math.log(5.0), math.log(2.0)]], "float32")
    expected = [math.log(2.0), math.log(8.0 / 2.0)]
    np.testing.assert_allclose(to_numpy(joint_minibatches.gan_logits(logits)), expected, rtol=1e-6)


def test_the_gan_logit_gives_the_softmaxs_probability_of_a_real_image():
    logits = np.random.RandomState(0).normal(size=(5, 11)).astype("float32")
    softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    real = to_numpy(ops.sigmoid(joint_minibatches.gan_logits(logits)))
    np.testing.assert_allclose(real, 1.0 - softmax[:, -1], rtol=1e-5)


def test_large_logits_do_not_overflow():
    logits = np.array([[1000.0, 990.0, 0.0], [-1000.0, -1000.0, 0.0]], "float32")
    expected = [1000.0, -1000.0 + math.log(2.0)]
    np.testing.assert_allclose(to_numpy(joint_minibatches.gan_logits(logits)), expected, rtol=1e-6)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("target", [0.0, 0.375, 0.75, 1.0])
def test_it_is_the_mean_divergence_of_two_coins(target):
    logits = np.array([-3.0, -0.5, 0.0, 2.0])
    expected = np.mean([divergence(target, sigmoid(s)) for s in logits])
    assert value(joint_minibatches.sigmoid_kl(logits, target)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("target", [0.375, 0.75])
def test_it_is_zero_and_flat_where_the_belief_is_the_target_and_positive_beside_it(target):
    at = np.array([math.log(target / (1.0 - target))])
    assert value(joint_minibatches.sigmoid_kl(at, target)) == pytest.approx(0.0, abs=1e-15)
    (slope,) = gradients(lambda s: joint_minibatches.sigmoid_kl(s, target), at)
    assert slope == pytest.approx(0.0, abs=1e-15)
    for step in (-0.1, 0.1):
        assert value(joint_minibatches.sigmoid_kl(at + step, target)) > 1e-4


@pytest.mark.usefixtures("float64")
def test_its_gradient_is_belief_less_target():
    logits = np.array([-2.0, 0.3, 5.0])
    (gradient,) = gradients(lambda s: joint_minibatches.sigmoid_kl(s, 0.75), logits)
    np.testing.assert_allclose(gradient, [(sigmoid(s) - 0.75) / 3 for s in logits], rtol=1e-12)


def test_extreme_logits_keep_a_finite_loss():
    logits = np.array([-1e4, 1e4], "float32")
    assert value(joint_minibatches.sigmoid_kl(logits, 0.0)) == pytest.approx(5000.0)
    assert value(joint_minibatches.sigmoid_kl(logits, 0.75)) == pytest.approx(5000.0, rel=1e-3)


def test_an_ignorant_discriminator_pays_log_two_for_generated_images():
    assert value(joint_minibatches.sigmoid_kl(np.zeros(3, "float32"), 0.0)) == pytest.approx(
        math.log(2.0)
    )


@pytest.mark.usefixtures("float64")
def test_the_generators_target_is_the_belief_at_the_equilibrium():
    """Where both densities are equal the best D for targets 0.75 and 0 is 0.375."""
    at = np.array([math.log(0.375 / 0.625)])

    def discriminator_loss(s):
        return joint_minibatches.sigmoid_kl(s, 0.75) + joint_minibatches.sigmoid_kl(s, 0.0)

    (slope,) = gradients(discriminator_loss, at)
    assert slope == pytest.approx(0.0, abs=1e-15)

"""Losses, activations and their gradients against the original code (tests/goldens/units.md)."""

import numpy as np
import pytest
from keras import ops

from improved_gan_tf import losses
from improved_gan_tf.layers.activations import leaky_rectify, rectify
from tests.support.numerics import assert_close, gradients
from tests.support.places import GOLDENS

pytestmark = pytest.mark.usefixtures("float64")

# float64 on both sides. At logits of scale 60 Theano's softplus and sigmoid have switched to x
# and 1 (above 16), which ours have not.
TOLERANCES = {"losses": 1e-9, "losses_extreme": 1e-8}


def load(name):
    return np.load(GOLDENS / f"{name}.npz", allow_pickle=False)


@pytest.mark.parametrize("script", ["mnist", "cifar"])
@pytest.mark.parametrize("name", sorted(TOLERANCES))
def test_discriminator_losses_equal_the_original(name, script):
    golden, tolerance = load(name), TOLERANCES[name]
    supervised = losses.supervised_loss(golden["logits_lab"], golden["labels"])
    unsupervised = losses.unsupervised_loss(golden["logits_unl"], golden["logits_fake"])
    error = losses.error_rate(golden["logits_lab"], golden["labels"])
    assert_close(supervised, golden[f"{script}_loss_lab"], tolerance)
    assert_close(unsupervised, golden[f"{script}_loss_unl"], tolerance)
    assert_close(error, golden[f"{script}_train_err"])


@pytest.mark.parametrize("script", ["mnist", "cifar"])
@pytest.mark.parametrize("name", sorted(TOLERANCES))
def test_discriminator_gradients_equal_the_original(name, script):
    golden = load(name)
    labels = golden["labels"]

    def discriminator_loss(labeled, unlabeled, generated):
        supervised = losses.supervised_loss(labeled, labels)
        return supervised + losses.unsupervised_loss(unlabeled, generated)

    kinds = ("lab", "unl", "fake")
    actual = gradients(discriminator_loss, *[golden[f"logits_{k}"] for k in kinds])
    for kind, gradient in zip(kinds, actual, strict=True):
        assert_close(gradient, golden[f"{script}_d_logits_{kind}"], TOLERANCES[name])


@pytest.mark.parametrize(
    ("loss", "name"), [(losses.feature_matching_l2, "l2"), (losses.feature_matching_l1, "l1")]
)
def test_feature_matching_equals_the_original(loss, name):
    golden = load("feature_matching")
    real, generated = golden["feat_unl"], golden["feat_gen"]
    assert_close(loss(real, generated), golden[f"{name}_loss"])
    d_real, d_generated = gradients(loss, real, generated)
    assert_close(d_real, golden[f"{name}_d_feat_unl"])
    assert_close(d_generated, golden[f"{name}_d_feat_gen"])


@pytest.mark.parametrize(("activation", "name"), [(rectify, "relu"), (leaky_rectify, "lrelu")])
def test_activations_and_their_gradients_at_zero_equal_the_original(activation, name):
    golden = load("edge")
    assert 0.0 in golden["x"]
    assert_close(activation(golden["x"]), golden[name])
    (derivative,) = gradients(lambda x: ops.sum(activation(x)), golden["x"])
    assert_close(derivative, golden[f"d_{name}"])

"""ACGAN's and InfoGAN's terms against numbers from elsewhere (goldens/systems/games.md)."""

import math

import numpy as np
import pytest

from improved_gan_tf.losses import adversarial
from tests.support.numerics import gradients, to_numpy
from tests.support.systems import assert_close, load

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture(scope="module")
def golden():
    return load("losses_classification")


def test_the_acgan_discriminator_and_its_gradients_equal_the_reference(golden):
    labels = golden["labels_real"], golden["labels_fake"]
    names = ("real", "fake", "class_real", "class_fake")

    def loss(*logits):
        return adversarial.acgan_discriminator_loss(*logits, *labels)

    logits = [golden[name] for name in names]
    assert_close(loss(*logits), golden["acgan__d"])
    for name, gradient in zip(names, gradients(loss, *logits), strict=True):
        assert_close(gradient, golden[f"acgan__d_grad_{name}"])


@pytest.mark.parametrize(
    ("name", "adversarial_loss"),
    [
        ("minimax", adversarial.minimax_generator_loss),
        ("nonsaturating", adversarial.non_saturating_generator_loss),
    ],
)
def test_the_acgan_generator_and_its_gradients_equal_the_reference(golden, name, adversarial_loss):
    def loss(logits, class_logits):
        return adversarial.acgan_generator_loss(
            logits, class_logits, golden["labels_fake"], adversarial_loss
        )

    assert_close(loss(golden["fake"], golden["class_fake"]), golden[f"acgan__g_{name}"])
    d_logits, d_class = gradients(loss, golden["fake"], golden["class_fake"])
    assert_close(d_logits, golden[f"acgan__g_{name}_grad_fake"])
    assert_close(d_class, golden[f"acgan__g_{name}_grad_class_fake"])


def test_the_acgan_generator_is_non_saturating_by_default(golden):
    loss = adversarial.acgan_generator_loss(
        golden["fake"], golden["class_fake"], golden["labels_fake"]
    )
    assert_close(loss, golden["acgan__g_nonsaturating"])


def test_generated_examples_are_not_given_the_real_ones_labels(golden):
    """TF-GAN's ACGAN gives both batches one set of labels, the real ones'."""
    given = [golden[k] for k in ("real", "fake", "class_real", "class_fake")]
    loss = adversarial.minimax_discriminator_loss(*given[:2])
    ours = float(
        to_numpy(
            adversarial.acgan_discriminator_loss(
                *given, golden["labels_real"], golden["labels_fake"]
            )
            - loss
        )
    )
    same = float(
        to_numpy(
            adversarial.acgan_discriminator_loss(
                *given, golden["labels_real"], golden["labels_real"]
            )
            - loss
        )
    )
    theirs = float(golden["tfgan__acgan_d_same_labels_smoothing0.0"])
    assert same == pytest.approx(theirs, abs=1e-10)
    assert abs(ours - theirs) > 0.1


# --- InfoGAN -------------------------------------------------------------------------------


def test_the_categorical_code_and_its_gradient_equal_the_reference(golden):
    def loss(code_logits):
        return adversarial.infogan_categorical_loss(code_logits, golden["code_cat"])

    assert_close(loss(golden["q_logits"]), golden["infogan__cat_nll"])
    assert_close(gradients(loss, golden["q_logits"])[0], golden["infogan__cat_nll_grad"])
    assert_close(math.log(10) - loss(golden["q_logits"]), golden["infogan__cat_mi"])
    assert_close(loss(golden["q_logits"]), golden["tfgan__mutual_information_cat"])


def test_gaussian_codes_of_fixed_deviation_equal_the_reference(golden):
    def loss(means):
        return adversarial.infogan_gaussian_loss(means, golden["code_cont"])

    value = loss(golden["q_mean"])
    assert_close(value, golden["infogan__cont_nll_fixed"])
    assert_close(value, golden["tfgan__mutual_information_cont"])
    assert_close(gradients(loss, golden["q_mean"])[0], golden["infogan__cont_nll_fixed_grad_mean"])
    entropy = adversarial.uniform_code_entropy(2)
    assert_close(entropy - value, golden["infogan__cont_mi_true_entropy"])


def test_gaussian_codes_of_learned_deviation_equal_the_reference(golden):
    def loss(means, log_variances):
        return adversarial.infogan_gaussian_loss(means, golden["code_cont"], log_variances)

    given = golden["q_mean"], golden["q_log_var"]
    assert_close(loss(*given), golden["infogan__cont_nll_learned"])
    for name, gradient in zip(("mean", "log_var"), gradients(loss, *given), strict=True):
        assert_close(gradient, golden[f"infogan__cont_nll_learned_grad_{name}"])


def test_the_authors_prior_is_a_standard_normal(golden):
    codes = golden["code_cont"]
    prior = adversarial.infogan_gaussian_loss(np.zeros_like(codes), codes)
    assert_close(prior, golden["infogan__cont_prior_nll_as_gaussian"])
    loss = adversarial.infogan_gaussian_loss(golden["q_mean"], codes)
    assert_close(prior - loss, golden["infogan__cont_mi_as_original"])


def test_the_authors_code_is_met_to_the_1e_8_in_its_logarithms(golden):
    categorical = adversarial.infogan_categorical_loss(golden["q_logits"], golden["code_cat"])
    assert_close(categorical, golden["infogan_original__cat_cross_entropy"], 1e-5)
    codes = golden["code_cont"]
    fixed = adversarial.infogan_gaussian_loss(golden["q_mean"], codes)
    assert_close(fixed, golden["infogan_original__cont_cross_entropy"], 1e-7)
    learned = adversarial.infogan_gaussian_loss(golden["q_mean"], codes, golden["q_log_var"])
    assert_close(learned, golden["infogan_original__cont_cross_entropy_learned_std"], 1e-7)


def test_the_terms_of_several_codes_are_added(golden):
    """TF-GAN averages them, which makes lambda another one for every number of codes."""
    categorical = adversarial.infogan_categorical_loss(golden["q_logits"], golden["code_cat"])
    gaussian = adversarial.infogan_gaussian_loss(golden["q_mean"], golden["code_cont"])
    assert_close(0.5 * (categorical + gaussian), golden["tfgan__mutual_information_both"])

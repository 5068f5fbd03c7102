"""EBGAN's and BEGAN's functions against numbers from elsewhere (goldens/systems/games.md)."""

import numpy as np
import pytest
from keras import ops

from improved_gan_tf.losses import adversarial
from tests.support.numerics import gradients, to_numpy
from tests.support.systems import assert_close, load

pytestmark = pytest.mark.usefixtures("float64")

ENERGIES = {"l2": adversarial.euclidean_energy, "mse": adversarial.mean_squared_energy}


@pytest.fixture(scope="module")
def golden():
    return load("ebgan_began")


def test_the_pull_away_term_and_its_gradient_equal_the_reference(golden):
    assert_close(adversarial.pull_away_term(golden["S"]), golden["pull_away"])
    assert_close(gradients(adversarial.pull_away_term, golden["S"])[0], golden["pull_away_grad"])


def test_cosines_are_squared(golden):
    """Without squares, as in a collection that is much copied, the term can be negative."""
    encodings = golden["S"] / np.linalg.norm(golden["S"], axis=1, keepdims=True)
    assert float(golden["pull_away_unsquared_hwalsuklee"]) < 0.0
    opposite = np.concatenate([encodings[:1], -encodings[:1]])
    assert float(to_numpy(adversarial.pull_away_term(opposite))) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("name", ENERGIES)
def test_energies_and_losses_of_ebgan_equal_the_reference(golden, name):
    energy, key = ENERGIES[name], f"ebgan_{name}__"
    margin = float(golden[f"{key}margin"])

    def discriminator(recon_x, recon_g):
        return adversarial.ebgan_discriminator_loss(
            energy(golden["x"], recon_x), energy(golden["g"], recon_g), margin
        )

    given = golden["recon_x"], golden["recon_g"]
    assert_close(energy(golden["x"], given[0]), golden[f"{key}energy_real"])
    assert_close(energy(golden["g"], given[1]), golden[f"{key}energy_fake"])
    assert_close(discriminator(*given), golden[f"{key}d"])
    for kind, gradient in zip(("x", "g"), gradients(discriminator, *given), strict=True):
        assert_close(gradient, golden[f"{key}d_grad_recon_{kind}"])
    generator = adversarial.ebgan_generator_loss(energy(golden["g"], given[1]))
    assert_close(generator, golden[f"{key}g"])


@pytest.mark.parametrize("name", ENERGIES)
def test_the_hinge_is_each_examples_own(golden, name):
    """Copies take the hinge of the batch's mean, under which a bad example hides behind a good."""
    key = f"ebgan_{name}__"
    real, generated = golden[f"{key}energy_real"], golden[f"{key}energy_fake"]
    margin = float(golden[f"{key}margin"])
    ours = float(to_numpy(adversarial.ebgan_discriminator_loss(real, generated, margin)))
    mean_hinged = np.mean(real) + max(0.0, margin - np.mean(generated))
    assert mean_hinged == pytest.approx(float(golden[f"{key}d_batch_hinge"]), abs=1e-12)
    assert ours - mean_hinged > 0.01


def test_the_generator_of_ebgan_adds_a_tenth_of_the_pull_away_term(golden):
    energies = golden["ebgan_l2__energy_fake"]
    loss = adversarial.ebgan_generator_loss(energies, golden["S"])
    assert_close(loss, golden["ebgan_l2__g"] + 0.1 * golden["pull_away"])


# --- BEGAN ---------------------------------------------------------------------------------


def test_losses_of_began_and_their_gradients_equal_the_reference(golden):
    error = adversarial.began_reconstruction_error
    k = float(golden["began__k"])

    def discriminator(recon_x, recon_g):
        return adversarial.began_discriminator_loss(
            error(golden["x"], recon_x), error(golden["g"], recon_g), k
        )

    given = golden["recon_x"], golden["recon_g"]
    assert_close(error(golden["x"], given[0]), golden["began__loss_real"])
    assert_close(error(golden["g"], given[1]), golden["began__loss_fake"])
    assert_close(discriminator(*given), golden["began__d"])
    for kind, gradient in zip(("x", "g"), gradients(discriminator, *given), strict=True):
        assert_close(gradient, golden[f"began__d_grad_recon_{kind}"])


@pytest.mark.parametrize("rate", [0.001, 0.1])
@pytest.mark.parametrize("gamma", [0.5, 0.75])
def test_k_and_the_convergence_measure_follow_the_reference_for_200_steps(golden, gamma, rate):
    key = f"began_seq__gamma{gamma}_lambda{rate}__"
    k, ks, measures = ops.convert_to_tensor(np.zeros(())), [0.0], []
    for real, generated in zip(
        golden["began_seq__loss_real"], golden["began_seq__loss_fake"], strict=True
    ):
        measures.append(to_numpy(adversarial.began_convergence(real, generated, gamma)))
        k = adversarial.began_next_k(k, real, generated, gamma, rate)
        ks.append(float(to_numpy(k)))
    assert_close(np.array(ks), golden[f"{key}k"])
    assert_close(np.array(measures), golden[f"{key}measure"])
    if (gamma, rate) == (0.5, 0.1):
        assert 0.0 in ks[1:]  # the clip was met

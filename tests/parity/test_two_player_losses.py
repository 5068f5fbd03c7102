"""Value functions and their gradients against numbers from elsewhere (goldens/systems/games.md)."""

import functools

import numpy as np
import pytest

from improved_gan_tf.losses import adversarial
from tests.support.numerics import gradients, to_numpy
from tests.support.systems import assert_close, load

pytestmark = pytest.mark.usefixtures("float64")

MINIMAX = adversarial.minimax_discriminator_loss
PEARSON = adversarial.PEARSON
# name in the file: discriminator, generator
GAMES = {
    "minimax": (MINIMAX, adversarial.minimax_generator_loss),
    "nonsaturating": (MINIMAX, adversarial.non_saturating_generator_loss),
    "blended": (MINIMAX, adversarial.blended_generator_loss),
    "smoothing09": (
        functools.partial(MINIMAX, real_target=0.9),
        adversarial.non_saturating_generator_loss,
    ),
    "lsgan_011": (
        adversarial.least_squares_discriminator_loss,
        adversarial.least_squares_generator_loss,
    ),
    "lsgan_m110": (
        functools.partial(adversarial.least_squares_discriminator_loss, targets=PEARSON),
        functools.partial(adversarial.least_squares_generator_loss, targets=PEARSON),
    ),
    "wgan": (adversarial.wasserstein_discriminator_loss, adversarial.wasserstein_generator_loss),
    "hinge": (adversarial.hinge_discriminator_loss, adversarial.hinge_generator_loss),
}


@pytest.fixture(scope="module")
def golden():
    return load("losses_two_player")


@pytest.mark.parametrize("scale", ["", "extreme__"])
@pytest.mark.parametrize("name", GAMES)
def test_a_game_and_its_gradients_equal_the_reference(golden, name, scale):
    discriminator, generator = GAMES[name]
    real, fake, key = golden[f"{scale}real"], golden[f"{scale}fake"], f"{scale}{name}__"
    assert_close(discriminator(real, fake), golden[f"{key}d"])
    assert_close(generator(fake), golden[f"{key}g"])
    d_real, d_fake = gradients(discriminator, real, fake)
    assert_close(d_real, golden[f"{key}d_grad_real"])
    assert_close(d_fake, golden[f"{key}d_grad_fake"])
    assert_close(gradients(generator, fake)[0], golden[f"{key}g_grad_fake"])


def flipped(golden):
    mask = golden["flip__mask"]
    return adversarial.flipped_targets(np.ones(len(mask)), np.zeros(len(mask)), mask)


TARGETS = {
    "soft": lambda golden: (golden["soft__target_real"], golden["soft__target_fake"]),
    "flip": flipped,
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets_for_each_example_equal_the_reference(golden, name):
    loss = functools.partial(
        MINIMAX,
        **dict(zip(("real_target", "generated_target"), TARGETS[name](golden), strict=True)),
    )
    assert_close(loss(golden["real"], golden["fake"]), golden[f"{name}__d"])
    d_real, d_fake = gradients(loss, golden["real"], golden["fake"])
    assert_close(d_real, golden[f"{name}__d_grad_real"])
    assert_close(d_fake, golden[f"{name}__d_grad_fake"])


@pytest.mark.parametrize("scale", ["", "extreme__"])
@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("hinge_d_real", lambda real, fake: GAMES["hinge"][0](real, fake - np.inf)),
        ("hinge_d_fake", lambda real, fake: GAMES["hinge"][0](real + np.inf, fake)),
        ("hinge_g", lambda real, fake: GAMES["hinge"][1](fake)),
        ("dcgan_d_real", lambda real, fake: MINIMAX(real, fake - np.inf)),
        ("dcgan_d_fake", lambda real, fake: MINIMAX(real + np.inf, fake)),
        ("dcgan_g", lambda real, fake: GAMES["nonsaturating"][1](fake)),
    ],
)
def test_losses_equal_those_of_biggan_pytorch(golden, name, loss, scale):
    """Its halves are compared one by one: the other half's examples are classified for certain."""
    actual = loss(golden[f"{scale}real"], golden[f"{scale}fake"])
    assert_close(actual, golden[f"{scale}biggan_pytorch__{name}"])


@pytest.mark.parametrize("scale", ["", "extreme__"])
@pytest.mark.parametrize(
    ("name", "game", "player"),
    [
        ("minimax_d_smoothing0.0", "minimax", 0),
        ("modified_g", "nonsaturating", 1),
        ("least_squares_d", "lsgan_011", 0),
        ("least_squares_g", "lsgan_011", 1),
        ("wasserstein_d", "wgan", 0),
        ("wasserstein_g", "wgan", 1),
        ("hinge_d", "hinge", 0),
    ],
)
def test_losses_equal_those_of_tf_gan(golden, name, game, player, scale):
    real, fake = golden[f"{scale}real"], golden[f"{scale}fake"]
    actual = GAMES[game][0](real, fake) if player == 0 else GAMES[game][1](fake)
    assert_close(actual, golden[f"{scale}tfgan__{name}"])


# --- what copies of these functions get wrong ----------------------------------------------


def test_no_label_is_smoothed_by_default(golden):
    """TF-GAN's default `label_smoothing=0.25` is a real target of 0.875."""
    real, fake = golden["real"], golden["fake"]
    theirs = golden["tfgan__minimax_d_smoothing0.25"]
    assert_close(MINIMAX(real, fake, real_target=0.875), theirs)
    assert abs(float(to_numpy(MINIMAX(real, fake))) - theirs) > 0.1


def test_the_minimax_generator_carries_no_constant(golden):
    """TF-GAN's has log sigmoid(1), from a smoothed one-hot target."""
    ours = float(to_numpy(adversarial.minimax_generator_loss(golden["fake"])))
    constant = -np.log1p(np.exp(-1.0))
    assert float(golden["tfgan__minimax_g"]) - ours == pytest.approx(constant, abs=1e-10)


def test_least_squares_have_the_half(golden):
    discriminator, generator = GAMES["lsgan_011"]
    without_d, without_g = golden["lsgan_seed__d"], golden["lsgan_seed__g"]
    assert_close(2.0 * discriminator(golden["real"], golden["fake"]), without_d)
    assert_close(2.0 * generator(golden["fake"]), without_g)

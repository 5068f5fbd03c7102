"""Gradient penalties against numbers from elsewhere (goldens/systems/games.md)."""

import numpy as np
import pytest
from keras import ops

from improved_gan_tf.losses import adversarial
from tests.support.numerics import gradients, to_numpy
from tests.support.systems import assert_close, load

pytestmark = pytest.mark.usefixtures("float64")

PARAMETERS = ("W1", "b1", "W2", "b2", "W3", "b3")


def tanh(x):
    """Keras's own is float32 on JAX, whatever x is."""
    return 2.0 * ops.sigmoid(2.0 * x) - 1.0


ACTIVATIONS = {"tanh": tanh, "leaky": lambda x: ops.maximum(x, 0.2 * x)}


@pytest.fixture(scope="module")
def golden():
    return load("gradient_penalty")


def critic_of(activation, values):
    w1, b1, w2, b2, w3, b3 = values

    def critic(x):
        hidden = activation(ops.matmul(x, w1) + b1)
        return ops.matmul(activation(ops.matmul(hidden, w2) + b2), w3) + b3

    return critic


def points_of(golden):
    real, generated = golden["x_real"], golden["x_fake"]
    alpha, uniform = golden["alpha"], golden["uniform"]
    one = np.ones(len(real))
    moved = adversarial.dragan_points(real, 2.0 * alpha - 1.0, uniform)
    return {
        "wgan_gp": adversarial.interpolated_points(real, generated, alpha),
        "wgan_gp_igul222": adversarial.interpolated_points(generated, real, alpha),
        "dragan_author": adversarial.dragan_points(real, alpha, uniform),
        "dragan_two_sided": ops.clip(moved, -1.0, 1.0),
        "dragan_gaussian": adversarial.dragan_points(real, one, golden["gaussian"]),
        "r1": ops.convert_to_tensor(real),
    }


@pytest.mark.parametrize("net", ACTIVATIONS)
@pytest.mark.parametrize(
    "name",
    ["wgan_gp", "wgan_gp_igul222", "dragan_author", "dragan_two_sided", "dragan_gaussian", "r1"],
)
def test_a_penalty_and_its_gradient_in_the_parameters_equal_the_reference(golden, net, name):
    points = points_of(golden)[name]
    penalty = adversarial.r1_penalty if name == "r1" else adversarial.gradient_penalty

    def loss(*values):
        critic = critic_of(ACTIVATIONS[net], values)
        return penalty(adversarial.input_gradients(critic, points))

    values = [ops.convert_to_tensor(golden[p]) for p in PARAMETERS]
    at_points = to_numpy(adversarial.input_gradients(critic_of(ACTIVATIONS[net], values), points))
    assert_close(np.linalg.norm(at_points, axis=1), golden[f"{net}__{name}__norms"])
    assert_close(loss(*values), golden[f"{net}__{name}__penalty"])
    if f"{net}__{name}__grad_W1" in golden:
        moved = with_every_parameter(loss)
        for parameter, gradient in zip(
            PARAMETERS, gradients(moved, *[golden[p] for p in PARAMETERS]), strict=True
        ):
            assert_close(gradient, golden[f"{net}__{name}__grad_{parameter}"])


def with_every_parameter(loss):
    """The same function, connected to parameters that do not influence it (b3)."""
    return lambda *values: loss(*values) + 0.0 * sum(ops.sum(v) for v in values)


@pytest.mark.parametrize("net", ACTIVATIONS)
def test_the_one_sided_penalty_equals_the_reference(golden, net):
    points = points_of(golden)["wgan_gp"]

    def loss(*values):
        critic = critic_of(ACTIVATIONS[net], values)
        at_points = adversarial.input_gradients(critic, points)
        return adversarial.gradient_penalty(at_points, one_sided=True)

    values = [golden[p] for p in PARAMETERS]
    assert_close(
        loss(*map(ops.convert_to_tensor, values)), golden[f"{net}__wgan_gp_one_sided__penalty"]
    )
    for parameter, gradient in zip(
        PARAMETERS, gradients(with_every_parameter(loss), *values), strict=True
    ):
        assert_close(gradient, golden[f"{net}__wgan_gp_one_sided__grad_{parameter}"])


@pytest.mark.parametrize("net", ACTIVATIONS)
@pytest.mark.parametrize("name", ["wgan_gp", "wgan_gp_one_sided"])
def test_the_penalty_equals_that_of_tf_gan_to_its_epsilon(golden, net, name):
    values = [ops.convert_to_tensor(golden[p]) for p in PARAMETERS]
    at_points = adversarial.input_gradients(
        critic_of(ACTIVATIONS[net], values), points_of(golden)["wgan_gp"]
    )
    penalty = adversarial.gradient_penalty(at_points, one_sided=name.endswith("one_sided"))
    assert_close(penalty, golden[f"tfgan__{net}__{name}__penalty"], 1e-9)


# --- what copies of these functions get wrong ----------------------------------------------


@pytest.mark.parametrize("net", ACTIVATIONS)
def test_points_lie_between_real_and_generated(golden, net):
    """`alpha x - (1 - alpha) G(z)`, a sign wrong, is another penalty."""
    values = [ops.convert_to_tensor(golden[p]) for p in PARAMETERS]
    critic = critic_of(ACTIVATIONS[net], values)
    real, generated, alpha = golden["x_real"], golden["x_fake"], golden["alpha"]
    wrong = adversarial.gradient_penalty(
        adversarial.input_gradients(critic, alpha * real - (1.0 - alpha) * generated)
    )
    assert_close(wrong, golden[f"{net}__seed_literal__penalty"])
    points = to_numpy(adversarial.interpolated_points(real, generated, alpha))
    low, high = np.minimum(real, generated), np.maximum(real, generated)
    assert ((low - 1e-12 <= points) & (points <= high + 1e-12)).all()
    ours = adversarial.gradient_penalty(adversarial.input_gradients(critic, points))
    assert abs(float(to_numpy(ours - wrong))) > 1e-3


@pytest.mark.parametrize("net", ACTIVATIONS)
def test_the_norm_is_that_of_a_whole_image(golden, net):
    """The norm over the first axis of an image alone gives one norm for each column and channel."""
    values = [ops.convert_to_tensor(golden[p]) for p in PARAMETERS]
    vectors = adversarial.input_gradients(
        critic_of(ACTIVATIONS[net], values), points_of(golden)["wgan_gp"]
    )
    images = ops.reshape(vectors, (8, 2, 2, 3))
    columns = np.sqrt(np.sum(np.square(to_numpy(images)), axis=1))
    wrong = np.mean(np.square(columns - 1.0))
    assert_close(wrong, golden[f"{net}__wgan_gp__wrong_axis1_of_2x2x3"])
    assert_close(adversarial.gradient_penalty(images), golden[f"{net}__wgan_gp__penalty"])


def test_nothing_is_added_under_the_root(golden):
    """compare_gan adds 1e-4."""
    values = [ops.convert_to_tensor(golden[p]) for p in PARAMETERS]
    at_points = adversarial.input_gradients(critic_of(tanh, values), points_of(golden)["wgan_gp"])
    ours = float(to_numpy(adversarial.gradient_penalty(at_points)))
    assert abs(ours - float(golden["tanh__wgan_gp__compare_gan_eps1e-4"])) > 1e-6

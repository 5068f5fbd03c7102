"""DCGAN's whole players at 64 pixels, 16 to 2 channels wide, against its definition in torch."""

import keras
import numpy as np
import pytest
from keras import ops

from improved_gan_tf.losses.adversarial import (
    minimax_discriminator_loss,
    non_saturating_generator_loss,
)
from improved_gan_tf.networks.dcgan import dcgan_discriminator, dcgan_generator
from tests.support.numerics import BACKEND, gradients, to_numpy
from tests.support.systems import assert_close, load

pytestmark = pytest.mark.usefixtures("float64")

WIDTH = 2 / 128
TOLERANCE = 1e-8
# JAX's tanh is good to 1e-7, in float64 too.
IMAGES = 1e-6 if BACKEND == "jax" else TOLERANCE

GENERATOR = ["dense", *(f"deconv{i}" for i in range(1, 5))]
DISCRIMINATOR = [*(f"conv{i}" for i in range(1, 5)), "dense"]


@pytest.fixture(scope="module")
def golden():
    return load("dcgan_tiny")


def weights_of(model, golden, prefix, kernels, normed):
    """`{reference's name: our variable}`, in the order of the layers, with the reference's values.

    `normed` are the numbers of the layers with gain and bias.
    """
    norms = [layer for layer in model.layers if hasattr(layer, "gamma")]
    with_kernel = [layer for layer in model.layers if hasattr(layer, "kernel")]
    named = {f"{prefix}_{n}": x.kernel for n, x in zip(kernels, with_kernel, strict=True)}
    for number, norm in zip(normed, norms, strict=True):
        named[f"{prefix}_gain{number}"] = norm.gamma
        named[f"{prefix}_bias{number}"] = norm.beta
    assert len(named) == len(model.trainable_variables)  # no convolution has a bias
    for name, variable in named.items():
        variable.assign(golden[f"param__{name}"])
    return named


@pytest.fixture
def players(golden):
    generator = dcgan_generator(1, (64, 64, 3), WIDTH, latent_dim=6)
    discriminator = dcgan_discriminator(1, (64, 64, 3), WIDTH)
    return (
        (generator, weights_of(generator, golden, "g", GENERATOR, range(4))),
        (discriminator, weights_of(discriminator, golden, "d", DISCRIMINATOR, range(2, 5))),
    )


def real_images(golden):
    random = np.random.RandomState(int(golden["seed_real"]))
    return ops.convert_to_tensor(random.uniform(-1.0, 1.0, (2, 64, 64, 3)))


def test_images_and_logits_are_the_references(golden, players):
    (generator, _), (discriminator, _) = players
    images = generator(ops.convert_to_tensor(golden["z"]), training=True)
    assert_close(images, golden["images"], IMAGES)
    for kind, x in (("real", real_images(golden)), ("fake", golden["images"])):
        logits = discriminator(ops.convert_to_tensor(x), training=True)["scores"]
        assert_close(logits, golden[f"logits_{kind}"], TOLERANCE)


def test_padding_as_keras_names_it_same_gives_other_images(golden, players):
    (generator, named), _ = players
    kernel = ops.convert_to_tensor(golden["param__g_deconv4"])
    x = ops.convert_to_tensor(np.random.RandomState(0).normal(size=(1, 32, 32, 2)))
    same = to_numpy(ops.conv_transpose(x, kernel, strides=2, padding="same"))
    layers = generator.layers
    ours = to_numpy(layers[-2](layers[-3](x)))
    assert named["g_deconv4"] is layers[-3].kernel
    assert ours.shape == same.shape
    assert np.max(np.abs(ours - same)) > 0.1


def test_losses_and_gradients_of_every_weight_are_the_references(golden, players):
    (generator, of_generator), (discriminator, of_discriminator) = players
    z, real = ops.convert_to_tensor(golden["z"]), real_images(golden)

    def call(model, named, values, x):
        """The model's output with other values of its trainable variables."""
        by_id = {id(v): value for v, value in zip(named.values(), values, strict=True)}
        trainable = [by_id[id(v)] for v in model.trainable_variables]
        outputs, _ = model.stateless_call(trainable, [], x, training=True)
        return outputs

    def discriminator_loss(*values):
        generated = generator(z, training=True)
        scores = [
            call(discriminator, of_discriminator, values, x)["scores"] for x in (real, generated)
        ]
        return minimax_discriminator_loss(*scores)

    def generator_loss(*values):
        generated = call(generator, of_generator, values, z)
        return non_saturating_generator_loss(discriminator(generated, training=True)["scores"])

    for name, loss, named in (
        ("d_loss", discriminator_loss, of_discriminator),
        ("g_loss", generator_loss, of_generator),
    ):
        values = [to_numpy(v) for v in named.values()]
        assert_close(loss(*map(ops.convert_to_tensor, values)), golden[name], IMAGES)
        for key, gradient in zip(named, gradients(loss, *values), strict=True):
            assert_close(gradient, golden[f"grad__{key}"], IMAGES)


@pytest.mark.parametrize("size", [28, 32, 64])
def test_players_of_every_size_fit_each_other(size):
    generator = dcgan_generator(1, (size, size, 1), WIDTH, latent_dim=3)
    discriminator = dcgan_discriminator(1, (size, size, 1), WIDTH)
    images = generator(ops.zeros((2, 3)))
    assert images.shape == (2, size, size, 1)
    assert discriminator(images)["scores"].shape == (2,)
    widest = keras.ops.shape(discriminator(images)["features"])[1]
    assert widest == 4 * 4 * (16 if size == 64 else 8)

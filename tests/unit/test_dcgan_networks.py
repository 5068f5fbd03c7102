"""How DCGAN's players begin: initial weights, and the reference batch."""

import math

import keras
import numpy as np
import pytest

from improved_gan_tf import streams
from improved_gan_tf.layers import MinibatchDiscrimination
from improved_gan_tf.networks.dcgan import dcgan_discriminator, dcgan_generator

SHAPE, WIDTH = (32, 32, 3), 0.25


def deviation(weights):
    return float(np.std(keras.ops.convert_to_numpy(weights)))


def fan_in(layer):
    """How many numbers each output of a layer is a sum of."""
    shape = layer.kernel.shape
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return 25 * shape[-1] / 4  # stride 2: a quarter of the kernel meets each pixel
    return math.prod(shape[:-1])


def with_kernels(model):
    return [layer for layer in model.layers if hasattr(layer, "kernel")]


@pytest.mark.parametrize("make", [dcgan_generator, dcgan_discriminator])
def test_without_batch_norm_weights_have_hes_deviation(make):
    layers = with_kernels(make(1, SHAPE, WIDTH, normalization="none"))
    assert len(layers) == 4
    for layer in layers:
        expected = math.sqrt(2.0 / fan_in(layer))
        assert deviation(layer.kernel) == pytest.approx(expected, rel=0.08), layer.name


@pytest.mark.parametrize("make", [dcgan_generator, dcgan_discriminator])
def test_with_batch_norm_weights_and_gains_deviate_by_two_hundredths(make):
    model = make(1, SHAPE, WIDTH)
    for layer in with_kernels(model):
        assert deviation(layer.kernel) == pytest.approx(0.02, rel=0.08), layer.name
    gains = [layer.gamma for layer in model.layers if hasattr(layer, "gamma")]
    assert len(gains) >= 2
    for gain in gains:
        assert float(np.mean(keras.ops.convert_to_numpy(gain))) == pytest.approx(1.0, abs=0.01)
        assert deviation(gain) == pytest.approx(0.02, rel=0.3)


def test_minibatch_discrimination_begins_as_in_the_original():
    model = dcgan_discriminator(1, SHAPE, WIDTH, num_kernels=8)
    (layer,) = (x for x in model.layers if isinstance(x, MinibatchDiscrimination))
    assert deviation(layer.theta) == pytest.approx(0.05, rel=0.05)


@pytest.mark.parametrize("latent", ["uniform", "normal"])
def test_the_reference_batch_is_drawn_as_latents_are(latent):
    model = dcgan_generator(
        *(1, (28, 28, 1), 1 / 32),
        latent_dim=7,
        latent=latent,
        normalization="virtual_batch",
        reference_size=6,
    )
    random = streams.reference_batch(1)
    drawn = random.normal(size=(6, 7)) if latent == "normal" else random.uniform(-1.0, 1.0, (6, 7))
    (reference,) = (w for w in model.weights if tuple(w.shape) == (6, 7))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(reference), drawn, rtol=1e-6)

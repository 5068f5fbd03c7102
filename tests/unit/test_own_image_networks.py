"""The players for images of one's own: their shapes, their relation to CIFAR-10's, refusals."""

import numpy as np
import pytest

from improved_gan_tf import networks
from improved_gan_tf.errors import UserError
from improved_gan_tf.layers import MinibatchDiscrimination, VirtualBatchNorm
from improved_gan_tf.layers.data_dependent import initialize_from_data
from tests.support.numerics import to_numpy

NARROW = 1 / 16
SIZES = pytest.mark.parametrize("size", [28, 32, 48, 64, 96, 128])


def noise(count):
    return np.random.RandomState(0).uniform(size=(count, 100)).astype("float32")


@SIZES
@pytest.mark.parametrize("channels", [1, 3])
def test_both_players_have_the_images_shape_and_a_logit_for_each_class(size, channels):
    shape = (size, size, channels)
    generator, discriminator = networks.convolutional(shape, 5, width_multiplier=NARROW)
    images = to_numpy(generator(noise(3)))
    assert images.shape == (3, *shape)
    assert -1.0 < images.min() < 0.0 < images.max() < 1.0
    outputs = discriminator(images, training=True)
    assert outputs["logits"].shape == (3, 5)
    assert discriminator.get_layer("features").output is discriminator.output["features"]


@SIZES
def test_data_dependent_initialisation_reaches_every_layer_of_both(size):
    generator, discriminator = networks.convolutional((size, size, 1), 3, width_multiplier=NARROW)
    images = np.random.RandomState(1).uniform(-1, 1, (8, size, size, 1)).astype("float32")
    logits = to_numpy(initialize_from_data(discriminator, images)["logits"])
    np.testing.assert_allclose(logits.mean(0), 0.0, atol=1e-5)
    np.testing.assert_allclose(logits.std(0), 0.1, rtol=1e-3)
    initialize_from_data(generator, noise(8))


def test_at_32_pixels_they_are_the_players_of_cifar_10():
    for model, coupled in (("feature_matching", False), ("minibatch_discrimination", True)):
        papers = networks.EXPERIMENTS["cifar10", model].build(3, NARROW)
        ours = networks.convolutional(
            (32, 32, 3), 10, width_multiplier=NARROW, minibatch_discrimination=coupled, seed=3
        )
        for paper, own in zip(papers[:2], ours, strict=True):
            kinds = [[type(layer).__name__ for layer in m.layers] for m in (paper, own)]
            assert kinds[0] == kinds[1]
            for a, b in zip(paper.variables, own.variables, strict=True):
                np.testing.assert_array_equal(to_numpy(a), to_numpy(b))


def test_grey_images_of_28_pixels_can_have_mnists_players():
    papers = networks.EXPERIMENTS["mnist", "feature_matching"].build(3, NARROW)
    ours = networks.own_images_spec((28, 28, 1), 10, dense=True).build(3, NARROW)
    for paper, own in zip(papers[:2], ours[:2], strict=True):
        for a, b in zip(paper.variables, own.variables, strict=True):
            np.testing.assert_array_equal(to_numpy(a), to_numpy(b))
    _, discriminator, couples = networks.own_images_spec((28, 28, 1), 4, dense=True).build(3)
    assert (discriminator.output["logits"].shape, couples) == ((None, 4), False)
    for shape, model in (((28, 28, 3), "feature_matching"), ((28, 28, 1), "plain")):
        with pytest.raises(UserError, match="`dense` players are for images of"):
            networks.own_images_spec(shape, 4, model, dense=True)


def test_each_doubling_puts_one_convolution_in_front_and_one_transposed_behind():
    counts = []
    for size in (32, 64, 128):
        players = networks.convolutional((size, size, 3), 3, width_multiplier=NARROW)
        kinds = [[type(layer).__name__ for layer in player.layers] for player in players]
        counts.append((kinds[0].count("Conv2DTranspose"), kinds[1].count("WeightNormConv2D")))
    assert counts == [(2, 9), (3, 10), (4, 11)]


def test_minibatch_discrimination_and_virtual_batch_norm_are_arguments():
    generator, discriminator = networks.convolutional(
        (28, 28, 1), 3, width_multiplier=NARROW, minibatch_discrimination=True, reference_size=4
    )
    assert any(isinstance(layer, MinibatchDiscrimination) for layer in discriminator.layers)
    assert any(isinstance(layer, VirtualBatchNorm) for layer in generator.layers)


@pytest.mark.parametrize("shape", [(40, 40, 3), (32, 28, 3), (32, 32, 4), (32, 32), 32, None])
def test_another_shape_of_images_is_refused(shape):
    with pytest.raises(UserError, match="H one of 28, 32, 48, 64, 96, 128 and C 1 or 3"):
        networks.convolutional(shape, 3)


@pytest.mark.parametrize("num_classes", [1, 2.5, "five"])
def test_fewer_than_two_classes_are_refused(num_classes):
    with pytest.raises(UserError, match=f"whole number of 2 or more. Received: {num_classes}"):
        networks.convolutional((32, 32, 3), num_classes)


def test_a_numpy_number_of_classes_is_taken():
    players = networks.convolutional((32, 32, 3), np.int64(4), width_multiplier=NARROW)
    assert players[1].output["logits"].shape == (None, 4)


def test_an_unknown_model_is_refused():
    with pytest.raises(UserError, match="one of feature_matching, minibatch_discrimination, plain"):
        networks.own_images_spec((32, 32, 3), 3, "biggan")

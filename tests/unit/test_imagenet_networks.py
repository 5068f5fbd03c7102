"""The ImageNet players: shapes and counts by hand, initial weights, noise, references, scaling."""

import itertools

import keras
import numpy as np
import pytest

from improved_gan_tf.errors import UserError
from improved_gan_tf.layers import (
    CrossBatchNorm,
    LeakyReLU,
    MinibatchDiscrimination,
    PrependReference,
    VirtualBatchNorm,
    freeze_reference,
)
from improved_gan_tf.networks import imagenet
from tests.support.numerics import to_numpy

NARROW = 0.0625


def layers_of(model, *kinds):
    return [layer for layer in model.layers if isinstance(layer, kinds)]


def count(variables):
    return sum(int(np.prod(v.shape)) for v in variables)


def noise(generator, rows, seed=0):
    random = np.random.RandomState(seed)
    return {
        name: random.uniform(-1, 1, (rows, *x.shape[1:])).astype("float32")
        for name, x in generator.input.items()
    }


def images(rows, size=32, seed=0):
    return np.random.RandomState(seed).uniform(-1, 1, (rows, size, size, 3)).astype("float32")


@pytest.fixture(scope="module")
def paper_generator():
    return imagenet.imagenet_generator(1)


@pytest.fixture(scope="module")
def paper_discriminator():
    return imagenet.imagenet_discriminator(1)


@pytest.fixture
def generator():
    return imagenet.imagenet_generator(1, NARROW, 32)


@pytest.fixture
def discriminator():
    return imagenet.imagenet_discriminator(1, NARROW, 32, num_classes=5)


# --- the paper's size ----------------------------------------------------------------------


def test_the_generators_inputs_and_output_are_the_originals(paper_generator):
    assert {name: x.shape[1:] for name, x in paper_generator.input.items()} == {
        "z": (8192,),
        "noise_4": (4, 4, 64),
        "noise_8": (8, 8, 64),
        "noise_16": (16, 16, 32),
        "noise_32": (32, 32, 16),
        "noise_64": (64, 64, 8),
        "noise_128": (128, 128, 8),
    }
    assert paper_generator.output_shape == (None, 128, 128, 3)


def test_the_generators_maps_are_the_originals(paper_generator):
    norms = layers_of(paper_generator, VirtualBatchNorm)
    assert [x.output.shape[1:] for x in norms] == [
        (4, 4, 512),
        (8, 8, 256),
        (16, 16, 128),
        (32, 32, 64),
        (64, 64, 64),
        (128, 128, 64),
    ]
    convolutions = layers_of(paper_generator, keras.layers.Conv2DTranspose)
    assert [x.kernel_size for x in convolutions] == [(5, 5)] * 6
    assert [x.strides for x in convolutions] == [(2, 2)] * 5 + [(1, 1)]


def test_the_generators_parameters_counted_by_hand(paper_generator):
    dense = 8192 * 8192 + 8192
    convolutions = (
        25 * (512 + 64) * 256 + 256,
        25 * (256 + 64) * 128 + 128,
        25 * (128 + 32) * 64 + 64,
        25 * (64 + 16) * 64 + 64,
        25 * (64 + 8) * 64 + 64,
        25 * (64 + 8) * 3 + 3,
    )
    norms = 2 * (512 + 256 + 128 + 64 + 64 + 64)
    assert count(paper_generator.trainable_variables) == dense + sum(convolutions) + norms
    one_reference = 8192 + 16 * 64 + 64 * 64 + 256 * 32 + 1024 * 16 + 4096 * 8 + 16384 * 8
    assert count(paper_generator.non_trainable_variables) == 16 * one_reference


def test_the_discriminators_maps_are_the_originals(paper_discriminator):
    convolutions = layers_of(paper_discriminator, keras.layers.Conv2D)
    assert [x.output.shape[1:] for x in convolutions] == [
        (64, 64, 64),
        (32, 32, 128),
        (16, 16, 256),
        (16, 16, 256),
        (16, 16, 256),
        (8, 8, 512),
        (4, 4, 512),
    ]
    assert {x.kernel_size for x in convolutions} == {(3, 3)}
    assert paper_discriminator.input_shape == (None, 128, 128, 3)
    shapes = {name: x.shape for name, x in paper_discriminator.output.items()}
    assert shapes == {"logits": (None, 1001), "features": (None, 2560)}


def test_the_discriminators_parameters_counted_by_hand(paper_discriminator):
    widths = [3, 64, 128, 256, 256, 256, 512, 512]
    convolutions = sum(9 * a * b + b for a, b in itertools.pairwise(widths))
    dense = 4 * 4 * 512 * 2560 + 2560
    norms = 2 * (sum(widths[1:]) + 2560)
    theta = 2560 * 300 * 50
    logits = (2560 + 2 * 300) * 1001 + 1001
    expected = convolutions + dense + norms + theta + logits
    assert count(paper_discriminator.trainable_variables) == expected


def test_the_minibatch_features_are_the_originals(paper_discriminator):
    (layer,) = layers_of(paper_discriminator, MinibatchDiscrimination)
    assert (layer.num_kernels, layer.kernel_dim, layer.num_parts) == (300, 50, 2)
    assert (layer.reduction, layer.weight_normalization, layer.bias) == (
        "mean_over_pairs",
        False,
        None,
    )


def test_the_weights_start_as_the_originals(paper_generator, paper_discriminator):
    *inner, last = layers_of(paper_generator, keras.layers.Conv2DTranspose)
    for layer in [*layers_of(paper_generator, keras.layers.Dense), *inner]:
        assert float(np.std(to_numpy(layer.kernel))) == pytest.approx(0.02, rel=0.01)
        np.testing.assert_array_equal(to_numpy(layer.bias), 0.0)
    assert float(np.std(to_numpy(last.kernel))) == pytest.approx(0.075, rel=0.05)
    np.testing.assert_array_equal(to_numpy(last.bias), np.float32(-0.45))
    for layer in layers_of(paper_discriminator, keras.layers.Conv2D):
        kernel = to_numpy(layer.kernel)  # normal, cut at two standard deviations of 0.02
        assert np.abs(kernel).max() <= 0.04
        assert float(np.std(kernel)) == pytest.approx(0.88 * 0.02, rel=0.05)
    (minibatch,) = layers_of(paper_discriminator, MinibatchDiscrimination)
    for weight in (minibatch.theta, paper_discriminator.layers[-1].kernel):
        assert float(np.std(to_numpy(weight))) == pytest.approx(0.02, rel=0.01)
    norms = layers_of(paper_discriminator, CrossBatchNorm)
    norms += layers_of(paper_generator, VirtualBatchNorm)
    for layer in norms:
        gamma = to_numpy(layer.gamma)
        assert gamma.mean() == pytest.approx(1.0, abs=0.02)
        assert gamma.std() == pytest.approx(0.02, rel=0.4)
        assert layer.epsilon == 1e-5


# --- the generator -------------------------------------------------------------------------


def test_the_reference_is_fixed_uniform_noise_of_one_gpus_share(generator):
    references = layers_of(generator, PrependReference)
    assert len(references) == len(generator.input) == 5
    drawn = [to_numpy(x.reference) for x in references]
    assert {len(x) for x in drawn} == {16}
    together = np.concatenate([x.ravel() for x in drawn])
    assert -1.0 <= together.min() < -0.99
    assert 0.99 < together.max() < 1.0
    assert np.abs(together.mean()) < 0.02
    trained = {id(v) for v in generator.trainable_variables}
    assert not any(id(x.reference) in trained for x in references)


def test_an_image_does_not_depend_on_the_rest_of_its_batch(generator):
    z = noise(generator, 6)
    together = to_numpy(generator(z))[:2]
    alone = to_numpy(generator({name: x[:2] for name, x in z.items()}))
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_every_noise_input_changes_the_image(generator):
    z = noise(generator, 2)
    before = to_numpy(generator(z))
    for name, other in noise(generator, 2, seed=1).items():
        changed = to_numpy(generator({**z, name: other}))
        assert np.abs(changed - before).max() > 1e-4, name


def test_images_lie_between_minus_one_and_one(generator):
    drawn = to_numpy(generator(noise(generator, 3)))
    assert drawn.shape == (3, 32, 32, 3)
    assert -1.0 < drawn.min() < drawn.max() < 1.0
    assert drawn.std() > 0.1


def test_a_saved_generator_keeps_its_reference(generator, tmp_path):
    generator.save(tmp_path / "generator.keras")
    loaded = keras.models.load_model(tmp_path / "generator.keras")
    z = noise(generator, 2)
    np.testing.assert_allclose(to_numpy(loaded(z)), to_numpy(generator(z)), atol=1e-6)


def test_the_reference_can_be_frozen_for_deployment(generator):
    z = noise(generator, 2)
    frozen = freeze_reference(generator)
    np.testing.assert_allclose(to_numpy(frozen(z)), to_numpy(generator(z)), atol=1e-5)


# --- the discriminator ---------------------------------------------------------------------


def test_every_convolution_and_the_dense_layer_are_cross_normalised_and_leaky(discriminator):
    kinds = [type(x) for x in discriminator.layers]
    for kind in (keras.layers.Conv2D, keras.layers.Dense):
        positions = [i for i, k in enumerate(kinds) if k is kind]
        for i in positions[:-1] if kind is keras.layers.Dense else positions:
            assert kinds[i + 1 : i + 3] == [CrossBatchNorm, LeakyReLU]
    assert {x.negative_slope for x in layers_of(discriminator, LeakyReLU)} == {0.2}


def test_an_output_depends_on_both_kinds_of_its_batch(discriminator):
    joint = images(8)
    before = to_numpy(discriminator(joint)["logits"])
    for changed_row, other_row in ((0, 5), (5, 0)):
        changed = joint.copy()
        changed[changed_row] = -changed[changed_row]
        change = np.abs(to_numpy(discriminator(changed)["logits"]) - before)
        assert change[other_row].max() > 1e-6


def test_the_last_logit_is_trained(discriminator):
    assert discriminator.output["logits"].shape == (None, 6)
    assert discriminator.layers[-1].kernel.shape[-1] == 6
    assert discriminator.layers[-1].kernel.trainable


def test_a_saved_discriminator_keeps_its_outputs(discriminator, tmp_path):
    discriminator.save(tmp_path / "discriminator.keras")
    loaded = keras.models.load_model(tmp_path / "discriminator.keras")
    for name, value in discriminator(images(4)).items():
        np.testing.assert_allclose(to_numpy(loaded(images(4))[name]), to_numpy(value), atol=1e-6)


# --- multipliers and seeds -----------------------------------------------------------------


@pytest.mark.parametrize(("size", "stages", "convolutions"), [(32, 4, 5), (64, 5, 6), (128, 6, 7)])
def test_half_the_size_is_one_stage_less_in_either_player(size, stages, convolutions):
    generator = imagenet.imagenet_generator(1, NARROW, size)
    assert generator.output_shape == (None, size, size, 3)
    assert len(layers_of(generator, VirtualBatchNorm)) == stages
    discriminator = imagenet.imagenet_discriminator(1, NARROW, size)
    maps = layers_of(discriminator, keras.layers.Conv2D)
    assert len(maps) == convolutions
    assert maps[-1].output.shape[1:] == (4, 4, 8 * 4)


def test_the_width_multiplier_scales_channels_noise_and_kernels():
    generator = imagenet.imagenet_generator(1, 0.25)
    assert [x.shape[-1] for x in generator.input.values()] == [2048, 16, 16, 8, 4, 2, 2]
    assert layers_of(generator, VirtualBatchNorm)[0].output.shape[-1] == 128
    discriminator = imagenet.imagenet_discriminator(1, 0.25)
    assert layers_of(discriminator, keras.layers.Conv2D)[0].filters == 16
    assert layers_of(discriminator, MinibatchDiscrimination)[0].num_kernels == 75


def test_the_thinnest_noise_is_one_map():
    generator = imagenet.imagenet_generator(1, 1 / 32)
    assert [x.shape[-1] for x in generator.input.values()] == [256, 2, 2, 1, 1, 1, 1]


@pytest.mark.parametrize("build", [imagenet.imagenet_generator, imagenet.imagenet_discriminator])
def test_settings_out_of_range_are_refused(build):
    with pytest.raises(UserError) as caught:
        build(1, 0.03)
    assert str(caught.value) == (
        "`width_multiplier` must leave 2 of the 64 channels of the thinnest layer: 0.03125 or "
        "more. Received: 0.03."
    )
    with pytest.raises(UserError) as caught:
        build(1, 1.0, 100)
    assert str(caught.value) == "`image_size` must be one of: 32, 64, 128. Received: 100."


@pytest.mark.parametrize("build", [imagenet.imagenet_generator, imagenet.imagenet_discriminator])
def test_a_seed_decides_the_weights_and_the_reference(build):
    one, same, other = ([to_numpy(v) for v in build(s, NARROW, 32).weights] for s in (1, 1, 2))
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(a, b)
    different = [not np.array_equal(a, b) for a, b in zip(one, other, strict=True)]
    assert sum(different) > len(one) // 2


def test_weights_of_one_shape_differ(generator):
    inner = [x.gamma for x in layers_of(generator, VirtualBatchNorm)]
    assert len({float(to_numpy(g)[0]) for g in inner}) == len(inner)

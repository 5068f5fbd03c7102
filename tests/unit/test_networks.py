"""The players of each experiment: their layers, shapes, features, initial weights and seeds."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import networks, precision
from improved_gan_tf.errors import UserError
from improved_gan_tf.layers.activations import LeakyReLU, rectify
from improved_gan_tf.layers.batch_statistics_norm import BatchStatisticsNorm
from improved_gan_tf.layers.data_dependent import initialize_from_data
from improved_gan_tf.layers.dropout import Dropout
from improved_gan_tf.layers.minibatch_discrimination.layer import MinibatchDiscrimination
from improved_gan_tf.layers.noise import GaussianNoise
from improved_gan_tf.layers.virtual_batch_norm.live import VirtualBatchNorm
from improved_gan_tf.layers.virtual_batch_norm.reference_batch import (
    DropReference,
    PrependReference,
)
from improved_gan_tf.layers.weight_norm.conv import WeightNormConv2D
from improved_gan_tf.layers.weight_norm.dense import WeightNormDense
from improved_gan_tf.networks import dcgan, imagenet
from improved_gan_tf.scoring import small_classifier
from tests.support.numerics import to_numpy

SPECS = networks.EXPERIMENTS
EXPERIMENTS = pytest.mark.parametrize("key", sorted(SPECS), ids="-".join)
IMAGE_SHAPES = {"mnist": (28, 28, 1), "cifar10": (32, 32, 3), "svhn": (32, 32, 3)}
NARROW = 0.0625


def layers_of(model, *kinds):
    return [layer for layer in model.layers if isinstance(layer, kinds)]


def trainable_count(model):
    return sum(int(np.prod(v.shape)) for v in model.trainable_variables)


def noise(count, seed=0):
    return np.random.RandomState(seed).uniform(size=(count, 100)).astype("float32")


def images(count, seed=0):
    return np.random.RandomState(seed).uniform(size=(count, 28, 28, 1)).astype("float32")


# --- every experiment ----------------------------------------------------------------------


@EXPERIMENTS
def test_a_discriminator_returns_ten_logits_and_its_features_by_name(key):
    players = SPECS[key].build(1, NARROW)
    shape = IMAGE_SHAPES[key[0]]
    assert players.discriminator.input_shape == (None, *shape)
    outputs = players.discriminator(np.zeros((2, *shape), "float32"), training=False)
    assert set(outputs) == {"logits", "features"}
    assert outputs["logits"].shape == (2, 10)
    assert len(outputs["features"].shape) == 2


@EXPERIMENTS
@pytest.mark.parametrize("cross_replica", ["global", "local"])
def test_every_layer_that_knows_of_other_devices_is_told_what_a_batch_is(key, cross_replica):
    players = SPECS[key].build(1, NARROW, cross_replica=cross_replica)
    for player in (players.generator, players.discriminator):
        told = [c["config"] for c in player.get_config()["layers"]]
        found = {c["cross_replica"] for c in told if "cross_replica" in c}
        assert found == {cross_replica}


def test_a_discriminator_has_a_logit_for_each_class():
    narrow = networks.mnist_discriminator(1, NARROW, num_classes=26)
    shape = {"name": "small", "widths": (96, 192), "image_shape": (32, 32, 3)}
    convolutional = networks.convolutional_discriminator(1, NARROW, num_classes=26, **shape)
    for discriminator in (narrow, convolutional):
        assert discriminator.output["logits"].shape == (None, 26)


@EXPERIMENTS
def test_a_generator_maps_a_hundred_numbers_to_an_image_in_range(key):
    players = SPECS[key].build(1, NARROW)
    drawn = to_numpy(players.generator(noise(5)))
    assert drawn.shape == (5, *IMAGE_SHAPES[key[0]])
    lowest = 0.0 if key == ("mnist", "feature_matching") else -1.0
    assert drawn.min() >= lowest
    assert drawn.max() <= 1.0
    assert np.std(drawn) > 0.0


@EXPERIMENTS
def test_minibatch_discrimination_couples_examples_and_feature_matching_does_not(key):
    players = SPECS[key].build(1, NARROW)
    x = np.random.RandomState(0).uniform(size=(6, *IMAGE_SHAPES[key[0]])).astype("float32")
    together = to_numpy(players.discriminator(x, training=False)["logits"])[:3]
    alone = to_numpy(players.discriminator(x[:3], training=False)["logits"])
    couples = key[1] == "minibatch_discrimination"
    assert players.couples_examples == couples
    assert np.allclose(together, alone, atol=1e-4) != couples


@EXPERIMENTS
def test_only_the_output_scale_is_trained(key):
    players = SPECS[key].build(1, NARROW)
    normalized = [x for x in players.discriminator.layers if hasattr(x, "train_scale")]
    assert [x.train_scale for x in normalized] == [False] * (len(normalized) - 1) + [True]
    assert players.generator.layers[-2].train_scale


@EXPERIMENTS
def test_noise_and_dropout_of_a_network_have_seeds_of_their_own(key):
    discriminator = SPECS[key].build(1, NARROW).discriminator
    noisy = layers_of(discriminator, GaussianNoise, Dropout)
    assert len({x.seed for x in noisy}) == len(noisy) >= 3


@pytest.mark.parametrize(
    ("key", "widths"),
    [
        (("mnist", "feature_matching"), [1000, 500, 250, 250, 250, 10]),
        (("mnist", "minibatch_discrimination"), [96] * 3 + [192] * 6 + [10]),
        (("mnist", "plain"), [96] * 3 + [192] * 6 + [10]),
        (("cifar10", "feature_matching"), [96] * 3 + [192] * 6 + [10]),
        (("cifar10", "minibatch_discrimination"), [96] * 3 + [192] * 6 + [10]),
        (("cifar10", "plain"), [96] * 3 + [192] * 6 + [10]),
        (("svhn", "feature_matching"), [64] * 3 + [128] * 6 + [10]),
        (("svhn", "minibatch_discrimination"), [96] * 3 + [192] * 6 + [10]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_the_discriminators_have_the_papers_widths(key, widths):
    layers = layers_of(SPECS[key].discriminator(1, 1.0), WeightNormDense, WeightNormConv2D)
    assert [x.units if isinstance(x, WeightNormDense) else x.filters for x in layers] == widths


def test_the_width_multiplier_scales_hidden_layers_only():
    discriminator = networks.mnist_discriminator(1, 0.125)
    units = [x.units for x in layers_of(discriminator, WeightNormDense)]
    assert units == [125, 62, 31, 31, 31, 10]
    generator = networks.mnist_generator(1, 0.125)
    assert [x.units for x in layers_of(generator, keras.layers.Dense)] == [62, 62]


@pytest.mark.parametrize("dataset", ["mnist", "cifar10", "svhn"])
def test_the_width_multiplier_leaves_minibatch_discrimination_its_kernels(dataset):
    spec = networks.EXPERIMENTS[dataset, "minibatch_discrimination"]
    thin = spec.build(1, 0.05).discriminator
    (layer,) = [x for x in thin.layers if isinstance(x, MinibatchDiscrimination)]
    assert (layer.num_kernels, layer.kernel_dim) == (100, 5)
    assert layer.theta.shape[0] < 10


def test_a_width_multiplier_that_leaves_a_layer_empty_is_refused():
    with pytest.raises(UserError) as caught:
        networks.mnist_discriminator(1, 0.001)
    assert str(caught.value) == (
        "`width_multiplier` must leave every layer at least one unit, and one has 250. "
        "Received: 0.001."
    )


# --- the MNIST discriminator ---------------------------------------------------------------


@pytest.fixture
def discriminator():
    return networks.mnist_discriminator(1)


def test_the_mnist_discriminator_has_noise_in_front_of_every_dense_layer(discriminator):
    kinds = [type(x).__name__ for x in discriminator.layers[1:]]
    assert kinds == ["Flatten", *["GaussianNoise", "WeightNormDense"] * 6]
    assert [x.stddev for x in layers_of(discriminator, GaussianNoise)] == [0.3] + [0.5] * 5


def test_the_mnist_discriminator_is_relu_inside_and_linear_outside(discriminator):
    activations = [x.activation for x in layers_of(discriminator, WeightNormDense)]
    assert activations == [rectify] * 5 + [keras.activations.linear]


def test_the_mnist_discriminator_has_no_epsilon_and_unit_spread(discriminator):
    for layer in layers_of(discriminator, WeightNormDense):
        assert (layer.epsilon, layer.init_stddev) == (0.0, 1.0)


def test_the_mnist_discriminator_has_the_originals_number_of_parameters(discriminator):
    sizes = [784, 1000, 500, 250, 250, 250, 10]
    expected = sum(a * b + b for a, b in itertools.pairwise(sizes)) + 10
    assert trainable_count(discriminator) == expected


def test_the_mnist_discriminators_weights_start_normal_with_a_tenth(discriminator):
    kernels = [to_numpy(x.kernel) for x in layers_of(discriminator, WeightNormDense)]
    for kernel in kernels:
        assert np.std(kernel) == pytest.approx(0.1, rel=0.05)
        assert np.abs(kernel.mean()) < 0.01
    assert not np.array_equal(kernels[3], kernels[4])  # same shape, other seeds


def test_the_features_are_the_last_hidden_layer_after_its_activation(discriminator):
    x = images(4)
    outputs = discriminator(x, training=False)
    features = to_numpy(outputs["features"])
    assert features.shape == (4, 250)
    assert features.min() == 0.0
    last = layers_of(discriminator, WeightNormDense)[-1]
    np.testing.assert_allclose(
        to_numpy(last(features)), to_numpy(outputs["logits"]), rtol=1e-4, atol=1e-5
    )


def test_the_features_are_taken_before_the_noise(discriminator):
    features = to_numpy(discriminator(images(50), training=True)["features"])
    assert features.min() == 0.0  # noise would make some negative


def test_training_is_noisy_and_inference_is_not(discriminator):
    x = images(4)
    noisy = [to_numpy(discriminator(x, training=True)["features"]) for _ in range(2)]
    assert not np.array_equal(*noisy)
    quiet = [to_numpy(discriminator(x, training=False)["features"]) for _ in range(2)]
    np.testing.assert_array_equal(*quiet)


# --- the MNIST generator -------------------------------------------------------------------


@pytest.fixture
def generator():
    return networks.mnist_generator(1)


def test_the_mnist_generator_normalises_before_its_softplus(generator):
    kinds = [type(x).__name__ for x in generator.layers[1:]]
    block = ["Dense", "BatchStatisticsNorm", "Activation"]
    assert kinds == [*block, *block, "WeightNormDense", "Reshape"]
    activations = [x.activation for x in layers_of(generator, keras.layers.Activation)]
    assert activations == [keras.activations.softplus] * 2
    assert generator.layers[-2].activation is keras.activations.sigmoid


def test_the_mnist_generator_has_the_originals_number_of_parameters(generator):
    # No bias under batch norm; shift only; the output has bias and a trained scale.
    expected = 100 * 500 + 500 + 500 * 500 + 500 + 500 * 784 + 784 + 784
    assert trainable_count(generator) == expected
    assert generator.non_trainable_variables == []


def test_the_mnist_generators_epsilons_are_the_originals(generator):
    assert [x.epsilon for x in layers_of(generator, BatchStatisticsNorm)] == [1e-6, 1e-6]
    assert generator.layers[-2].epsilon == 1e-6


def test_the_mnist_generators_weights_start_glorot_uniform(generator):
    for layer in layers_of(generator, keras.layers.Dense, WeightNormDense):
        kernel = to_numpy(layer.kernel)
        limit = np.sqrt(6.0 / sum(kernel.shape))
        assert np.abs(kernel).max() <= limit
        assert np.std(kernel) == pytest.approx(limit / np.sqrt(3.0), rel=0.02)


def test_a_generated_image_depends_on_the_batch_in_sampling_too(generator):
    z = noise(20)
    together = to_numpy(generator(z, training=False))[:10]
    alone = to_numpy(generator(z[:10], training=False))
    assert np.abs(together - alone).max() > 1e-3


# --- the convolutional discriminator -------------------------------------------------------


@pytest.mark.parametrize("model", ["feature_matching", "minibatch_discrimination", "plain"])
def test_the_cifar_discriminators_input_noise_is_the_originals(model):
    discriminator = SPECS["cifar10", model].discriminator(1, NARROW)
    noisy = layers_of(discriminator, GaussianNoise, Dropout)
    if model == "feature_matching":
        assert [x.rate for x in noisy] == [0.2, 0.5, 0.5]
    else:
        assert noisy[0].stddev == 0.2
        assert [x.rate for x in noisy[1:]] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("key", "slope"),
    [
        (("cifar10", "feature_matching"), 0.2),
        (("svhn", "feature_matching"), 0.2),
        (("mnist", "minibatch_discrimination"), 0.1),
    ],
)
def test_the_leaky_slope_is_the_originals(key, slope):
    layers = layers_of(SPECS[key].discriminator(1, NARROW), LeakyReLU)
    assert [x.negative_slope for x in layers] == [slope] * 9


def test_the_cifar_output_layers_start_with_a_tenth_of_the_spread():
    players = SPECS["cifar10", "feature_matching"].build(1, NARROW)
    layers = [x for x in players.discriminator.layers if hasattr(x, "init_stddev")]
    assert [x.init_stddev for x in layers] == [1.0] * 9 + [0.1]
    assert [x.init_stddev for x in players.generator.layers if hasattr(x, "init_stddev")] == [0.1]


def test_the_plain_discriminator_is_that_of_minibatch_discrimination_without_its_layer():
    one, other = (
        [type(x).__name__ for x in SPECS["cifar10", model].discriminator(1, NARROW).layers]
        for model in ("plain", "minibatch_discrimination")
    )
    assert one == [name for name in other if name != "MinibatchDiscrimination"]


# --- virtual batch normalization in the generators -----------------------------------------

R = 5


GENERATORS = pytest.mark.parametrize(
    "key",
    [
        ("mnist", "feature_matching"),
        ("mnist", "minibatch_discrimination"),
        ("cifar10", "plain"),
        ("svhn", "feature_matching"),
    ],
    ids="-".join,
)


@GENERATORS
def test_virtual_batch_norm_takes_the_place_of_every_batch_norm(key):
    batch, virtual = (SPECS[key].generator(1, NARROW, size) for size in (None, R))
    kinds = [[type(x).__name__ for x in g.layers] for g in (batch, virtual)]
    assert "BatchStatisticsNorm" not in kinds[1]
    replaced = [k.replace("VirtualBatchNorm", "BatchStatisticsNorm") for k in kinds[1]]
    assert [k for k in replaced if not k.endswith("Reference")] == kinds[0]
    # The reference enters first and leaves before the output layer.
    assert kinds[1][1] == "PrependReference"
    assert kinds[1][kinds[1].index("DropReference") + 1].startswith("WeightNorm")
    for layer in layers_of(virtual, PrependReference, VirtualBatchNorm, DropReference):
        assert layer.reference_size == R
    for layer in layers_of(virtual, VirtualBatchNorm):
        assert (layer.epsilon, layer.scale, layer.center) == (1e-6, False, True)
    for a, b in zip(batch.trainable_variables, virtual.trainable_variables, strict=True):
        np.testing.assert_array_equal(to_numpy(a), to_numpy(b))


@GENERATORS
def test_with_virtual_batch_norm_an_image_does_not_depend_on_its_batch(key):
    generator = SPECS[key].generator(1, NARROW, R)
    z = noise(6)
    together = to_numpy(generator(z, training=True))
    assert together.shape == (6, *IMAGE_SHAPES[key[0]])
    alone = to_numpy(generator(z[:2], training=True))
    np.testing.assert_allclose(together[:2], alone, atol=1e-5)
    assert np.abs(together[0] - together[1]).max() > 1e-3


def test_the_reference_noise_is_uniform_fixed_by_the_seed_and_not_trained():
    one, same, other = (networks.mnist_generator(seed, NARROW, 500) for seed in (1, 1, 2))
    references = [to_numpy(g.layers[1].reference) for g in (one, same, other)]
    assert references[0].shape == (500, networks.NOISE_DIM)
    assert 0.0 <= references[0].min() < 0.001
    assert 0.999 < references[0].max() < 1.0
    np.testing.assert_array_equal(references[0], references[1])
    assert not np.any(references[0] == references[2])
    assert len(one.non_trainable_variables) == 1


def test_a_saved_generator_keeps_its_reference(tmp_path):
    generator = SPECS["cifar10", "minibatch_discrimination"].generator(1, NARROW, R)
    initialize_from_data(generator, noise(8, seed=3))
    generator.save(tmp_path / "generator.keras")
    loaded = keras.saving.load_model(tmp_path / "generator.keras")
    z = noise(4)
    np.testing.assert_array_equal(to_numpy(loaded(z)), to_numpy(generator(z)))


# --- seeds ---------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [networks.mnist_discriminator, networks.mnist_generator])
def test_a_seed_decides_the_weights(build):
    one, same, other = (
        [to_numpy(v) for v in build(seed, NARROW).trainable_variables] for seed in (1, 1, 2)
    )
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_seed_decides_the_noise():
    drawn = [
        to_numpy(networks.mnist_discriminator(seed, NARROW)(images(2), training=True)["logits"])
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_the_largest_seed_builds_both_players():
    players = SPECS["mnist", "feature_matching"].build(2**32 - 1, NARROW)
    assert np.all(np.isfinite(to_numpy(players.generator(noise(2)))))
    assert np.all(np.isfinite(to_numpy(players.discriminator(images(2), training=True)["logits"])))


GENERATORS = {
    "mnist": lambda: networks.mnist_generator(1, NARROW),
    "cifar10": lambda: SPECS["cifar10", "feature_matching"].build(1, NARROW).generator,
    "virtual batch": lambda: SPECS["svhn", "feature_matching"].build(1, NARROW, 4).generator,
    "dcgan": lambda: dcgan.dcgan_generator(1, (28, 28, 1), NARROW),
    "autoencoder": lambda: dcgan.dcgan_autoencoder(1, (28, 28, 1), NARROW),
    "biggan": lambda: networks.biggan_generator(1, channels=8, attention=()),
    "imagenet": lambda: imagenet.imagenet_generator(1, NARROW, image_size=32),
}


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float32", "float64"])
@pytest.mark.parametrize("build", GENERATORS.values(), ids=GENERATORS)
def test_images_are_made_in_full_precision(build, policy):
    with precision.computing_in(policy):
        model = build()
        assert keras.layers.Dense(1).dtype_policy.name == policy
    images = model.output["reconstructions"] if isinstance(model.output, dict) else model.output
    dtypes = [layer.compute_dtype for layer in _up_to_the_last_weights(images)]
    assert dtypes == [precision.at_least_float32(policy.removeprefix("mixed_"))] * len(dtypes)
    others = {layer.compute_dtype for layer in model.layers if layer.weights}
    assert policy.removeprefix("mixed_") in others


def _up_to_the_last_weights(output):
    """The layers from a model's output back to the first that has weights."""
    while True:
        layer = output._keras_history.operation
        yield layer
        if layer.weights:
            return
        output = layer.input


def test_a_white_pixel_has_a_gradient_in_float32_and_none_in_bfloat16():
    for dtype, is_learning in (("float32", True), ("bfloat16", False)):
        for activation, value in (("sigmoid", 6.5), ("tanh", 4.0)):
            x = tf.constant(value, dtype)
            with tf.GradientTape() as tape:
                tape.watch(x)
                pixel = keras.layers.Activation(activation, dtype=dtype)(x)
            assert (float(tape.gradient(pixel, x)) > 0.0) == is_learning


def all_players():
    """The players of every file, small."""
    thin = {"seed": 1, "width_multiplier": NARROW}
    yield networks.mnist_discriminator(**thin)
    yield from networks.convolutional((64, 64, 3), 10, width_multiplier=NARROW)
    for attention in ((), (16,)):
        options = {"channels": 8, "attention": attention, "spectral_norm": not attention}
        yield networks.biggan_generator(1, **options)
        yield networks.biggan_discriminator(1, **options)
    yield dcgan.dcgan_generator(1, (28, 28, 1), NARROW)
    yield dcgan.dcgan_discriminator(1, (28, 28, 1), NARROW, num_given_classes=3)
    yield imagenet.imagenet_generator(1, NARROW, image_size=32)
    yield imagenet.imagenet_discriminator(1, NARROW, image_size=32)
    yield small_classifier.build_classifier((28, 28, 1), 10)


def test_images_are_channels_last_whatever_format_keras_is_set_to():
    expected = list(all_players())
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    try:
        players = list(all_players())
    finally:
        keras.config.set_image_data_format(before)
    random = np.random.default_rng(0)
    for player, same in zip(players, expected, strict=True):
        assert player.output_shape == same.output_shape
        player.set_weights(same.get_weights())
        inputs = keras.tree.map_structure(
            lambda x: random.uniform(size=(4, *x.shape[1:])).astype(x.dtype), same.input
        )
        for one, other in zip(
            keras.tree.flatten(player(inputs)), keras.tree.flatten(same(inputs)), strict=True
        ):
            np.testing.assert_array_equal(to_numpy(one), to_numpy(other))

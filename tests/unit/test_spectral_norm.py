"""Spectral normalization: its limit, its state, its gradient, its removal, bad input."""

import keras
import numpy as np
import pytest
from keras import ops

from improved_gan_tf.layers import (
    ConditionalBatchNorm,
    ProjectionHead,
    SelfAttention2D,
    SpectralNormConv2D,
    SpectralNormConv2DTranspose,
    SpectralNormDense,
    SpectralNormEmbedding,
    remove_spectral_norm,
)
from improved_gan_tf.layers.spectral_norm.power_iteration import singular_values, singular_vectors
from tests.support.numerics import BACKEND, finite_differences, float64, gradients, to_numpy


def examples(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def trained(layer, x, calls=3):
    for _ in range(calls):
        layer(x, training=True)
    return layer


# --- the maths -----------------------------------------------------------------------------


@pytest.mark.usefixtures("float64")
def test_the_values_converge_to_the_largest_singular_values():
    matrix = examples(6, 4).astype("float64")
    u, v = singular_vectors(*map(ops.convert_to_tensor, (matrix, np.eye(4)[:3])), 60, 1e-12)
    values = to_numpy(singular_values(ops.convert_to_tensor(matrix), u, v))
    np.testing.assert_allclose(values, np.linalg.svd(matrix)[1][:3], rtol=1e-6)


@pytest.mark.usefixtures("float64")
def test_the_gradient_is_that_with_both_vectors_fixed():
    matrix = examples(3, 2).astype("float64")
    u, v = singular_vectors(*map(ops.convert_to_tensor, (matrix, np.ones((1, 2)))), 1, 1e-12)

    def sigma(matrix):
        return ops.sum(singular_values(matrix, u, v))

    (gradient,) = gradients(sigma, matrix)
    np.testing.assert_allclose(gradient, to_numpy(v).T @ to_numpy(u), rtol=1e-12)
    np.testing.assert_allclose(gradient, finite_differences(sigma, matrix)[0], atol=1e-8)


def test_a_second_value_of_a_kernel_of_rank_one_is_zero():
    layer = SpectralNormDense(3, num_singular_values=2, use_bias=False)
    layer.build((None, 4))
    layer.kernel.assign(np.outer([1.0, 2.0, 3.0, 4.0], [1.0, 0.0, 1.0]))
    trained(layer, np.eye(4, dtype="float32"))
    values = to_numpy(layer.singular_values)
    np.testing.assert_allclose(values, [np.sqrt(60.0), 0.0], atol=1e-5)


# --- the layers ----------------------------------------------------------------------------

# layer, shape of an input, axis of the outputs in the kernel
LAYERS = [
    (lambda **k: SpectralNormDense(4, **k), (2, 5), -1),
    (lambda **k: SpectralNormConv2D(4, 3, **k), (2, 6, 6, 3), -1),
    (lambda **k: SpectralNormConv2DTranspose(4, 3, **k), (2, 6, 6, 3), -2),
    (lambda **k: SpectralNormEmbedding(7, 4, **k), (2,), 0),
]
NAMES = ["dense", "conv", "transposed", "embedding"]


def input_of(shape):
    return examples(*shape) if len(shape) > 1 else np.arange(shape[0])


def kernel_of(layer):
    return layer.embeddings if hasattr(layer, "embeddings") else layer.kernel


@pytest.mark.parametrize(("make", "shape", "axis"), LAYERS, ids=NAMES)
def test_the_largest_singular_value_of_the_kernel_used_is_one(make, shape, axis):
    layer = make(num_power_iterations=100)
    layer(input_of(shape), training=True)
    matrix = np.moveaxis(to_numpy(layer._normalized(kernel_of(layer))), axis, -1)
    values = np.linalg.svd(matrix.reshape(-1, matrix.shape[-1]))[1]
    assert values[0] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(("make", "shape", "axis"), LAYERS, ids=NAMES)
def test_only_training_moves_u_and_nothing_moves_the_kernel(make, shape, axis):
    layer, x = make(), input_of(shape)
    layer(x)
    kernel, before = to_numpy(kernel_of(layer)), to_numpy(layer.u)
    first = to_numpy(layer(x, training=False))
    np.testing.assert_array_equal(to_numpy(layer.u), before)
    np.testing.assert_array_equal(to_numpy(layer.singular_values), [1.0])
    layer(x, training=True)
    assert np.abs(to_numpy(layer.u) - before).max() > 1e-3
    assert to_numpy(layer.singular_values)[0] != 1.0
    assert np.abs(to_numpy(layer(x)) - first).max() > 1e-5
    np.testing.assert_array_equal(to_numpy(kernel_of(layer)), kernel)


@pytest.mark.parametrize(("make", "shape", "axis"), LAYERS, ids=NAMES)
def test_the_scale_of_the_kernel_does_not_matter(make, shape, axis):
    layer, x = make(), input_of(shape)
    expected = to_numpy(layer(x))
    kernel_of(layer).assign(1000.0 * to_numpy(kernel_of(layer)))
    np.testing.assert_allclose(to_numpy(layer(x)), expected, rtol=1e-4, atol=1e-5)


def test_a_kernel_of_zeros_gives_zeros():
    layer = SpectralNormDense(3, kernel_initializer="zeros")
    assert not to_numpy(layer(examples(2, 4), training=True)).any()


def test_a_kernel_with_fewer_values_follows_those():
    layer = SpectralNormConv2D(2, 1, num_singular_values=5)
    layer.build((None, 4, 4, 3))
    assert tuple(layer.u.shape) == (2, 2)
    assert tuple(layer.singular_values.shape) == (2,)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="TensorFlow on CPUs convolves NHWC only")
def test_channels_may_come_first():
    last, first = (SpectralNormConv2D(4, 3, data_format=f"channels_{w}") for w in ("last", "first"))
    x = examples(2, 6, 6, 3)
    last(x)
    first.build((None, 3, 6, 6))
    first.set_weights(last.get_weights())
    first.bias.assign(np.arange(4.0))
    last.bias.assign(np.arange(4.0))
    outputs = to_numpy(first(np.moveaxis(x, -1, 1)))
    np.testing.assert_allclose(np.moveaxis(outputs, 1, -1), to_numpy(last(x)), atol=1e-5)


# --- removal -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "shape", "kind"),
    [
        (lambda: SpectralNormDense(4, activation="softmax"), (3, 5), "Dense"),
        (lambda: SpectralNormConv2D(4, 3, strides=2, use_bias=False), (3, 6, 6, 2), "Conv2D"),
        (
            lambda: SpectralNormConv2DTranspose(4, 3, output_padding=1, strides=2),
            (3, 6, 6, 2),
            "Conv2DTranspose",
        ),
        (lambda: SpectralNormEmbedding(7, 4, num_singular_values=2), (3,), "Embedding"),
    ],
)
def test_a_layer_becomes_the_plain_one_with_the_same_outputs(make, shape, kind):
    layer, x = make(), input_of(shape)
    trained(layer, x)
    plain = remove_spectral_norm(layer)
    assert type(plain) is getattr(keras.layers, kind)
    assert plain.name == layer.name
    np.testing.assert_allclose(to_numpy(plain(x)), to_numpy(layer(x)), rtol=1e-5, atol=1e-6)


def small_model():
    x, labels = keras.Input((4, 4, 8)), keras.Input((), dtype="int32")
    y = keras.layers.Embedding(3, 5)(labels)
    h = ConditionalBatchNorm(spectral_norm=True)([SpectralNormConv2D(8, 3, padding="same")(x), y])
    h = SelfAttention2D()(h)
    return keras.Model([x, labels], ProjectionHead(3)([h, labels]))


def test_a_model_loses_the_norm_in_every_layer_and_keeps_its_outputs(tmp_path):
    model = small_model()
    x = [examples(3, 4, 4, 8), np.arange(3)]
    for weight in model.trainable_weights:
        if weight.name == "gamma":
            weight.assign(0.7)
    trained(model, x)
    plain = remove_spectral_norm(model)
    assert not [w for w in plain.weights if w.name in ("u", "singular_values")]
    np.testing.assert_allclose(to_numpy(plain(x)), to_numpy(model(x)), rtol=1e-4, atol=1e-5)
    plain.save(tmp_path / "plain.keras")
    loaded = keras.models.load_model(tmp_path / "plain.keras")
    np.testing.assert_allclose(to_numpy(loaded(x)), to_numpy(plain(x)), rtol=1e-6, atol=1e-6)


def test_removal_says_what_it_cannot_remove():
    with pytest.raises(ValueError, match=r"a model or a spectrally .* Received: Dense"):
        remove_spectral_norm(keras.layers.Dense(3))
    with pytest.raises(ValueError, match="Only a built layer can be converted"):
        remove_spectral_norm(SpectralNormDense(3))
    inside = keras.layers.TimeDistributed(SpectralNormDense(3))
    model = keras.Sequential([keras.Input((4, 5)), inside])
    with pytest.raises(ValueError, match=r"inside other layers.* Received: SpectralNormDense"):
        remove_spectral_norm(model)
    own = type("Own", (SpectralNormDense,), {})(3)
    with pytest.raises(ValueError, match=r"of a subclass. Received: Own"):
        remove_spectral_norm(keras.Sequential([keras.Input((5,)), own]))


# --- bad input -----------------------------------------------------------------------------


def test_low_rank_adaptation_which_would_not_be_normalised_is_refused():
    layer = SpectralNormDense(3, name="d")
    layer.build((None, 5))
    with pytest.raises(ValueError, match=r"`SpectralNormDense` has no LoRA.* layer 'd'"):
        layer.enable_lora(2)
    assert not layer.lora_enabled


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epsilon": 0.0}, r"`epsilon` must be positive. Received: epsilon=0.0"),
        ({"num_singular_values": 0}, r"`num_singular_values` must be a positive integer"),
        ({"num_power_iterations": 1.5}, r"`num_power_iterations` must be a positive integer"),
    ],
)
def test_an_argument_out_of_range_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SpectralNormDense(3, **options)


def test_integers_are_refused_as_input_and_weights_as_argument():
    with pytest.raises(ValueError, match=r"must be floating point\. Received: dtype=int"):
        SpectralNormConv2D(3, 3)(np.ones((2, 4, 4, 3), "int32"))
    with pytest.raises(ValueError, match="takes no `weights`"):
        SpectralNormEmbedding(3, 4, weights=[np.ones((3, 4))])


def test_a_model_trains_by_fit_and_keeps_its_raw_kernel_apart():
    """Keras's own loop, on every backend: u is state that it carries along."""
    model = keras.Sequential([keras.Input((4,)), SpectralNormDense(1)])
    before = to_numpy(model.layers[0].u)
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    model.fit(examples(8, 4), examples(8, 1, seed=1), batch_size=4, verbose=0)
    layer = model.layers[0]
    assert np.abs(to_numpy(layer.u) - before).max() > 1e-3
    np.testing.assert_allclose(np.linalg.norm(to_numpy(layer.u)), 1.0, rtol=1e-5)
    assert np.linalg.svd(to_numpy(layer.kernel))[1][0] != pytest.approx(1.0, abs=1e-3)


def test_float64_stays_float64():
    with float64():
        layer = SpectralNormDense(3)
        x = examples(4, 5).astype("float64")
        assert keras.backend.standardize_dtype(layer(x, training=True).dtype) == "float64"


def test_a_kernel_of_zeros_keeps_its_vector_and_its_gradient():
    """As where gains start at 0: a vector of zeros would stay, and divide by epsilon ever after."""
    layer, x = SpectralNormDense(3, kernel_initializer="zeros"), examples(4, 5)
    layer(x, training=True)
    u = to_numpy(layer.u)
    assert np.abs(u).sum() > 0.1
    layer(x, training=True)
    np.testing.assert_array_equal(to_numpy(layer.u), u)

    def loss(kernel):
        return ops.sum(layer._normalized(kernel, training=True))

    (gradient,) = gradients(loss, ops.zeros((5, 3)))
    np.testing.assert_array_equal(gradient, np.ones((5, 3)))
    layer.kernel.assign(1e-3 * examples(5, 3, seed=1))
    expected = x @ (to_numpy(layer.kernel) / np.linalg.norm(to_numpy(layer.kernel), 2))
    trained(layer, x, calls=200)
    np.testing.assert_allclose(to_numpy(layer(x)), expected, rtol=1e-4, atol=1e-5)


@keras.saving.register_keras_serializable(package="tests")
class Flagged(keras.layers.Layer):
    """A user's layer with an attribute of a name that layers here have too."""

    spectral_norm = True

    def call(self, x):
        return 2.0 * x


def test_a_users_layer_with_an_attribute_of_that_name_stays_as_it_is():
    model = keras.Sequential([keras.Input((4,)), SpectralNormDense(3), Flagged(name="mine")])
    plain = remove_spectral_norm(model)
    assert type(plain.get_layer("mine")) is Flagged
    x = examples(2, 4)
    np.testing.assert_allclose(to_numpy(plain(x)), to_numpy(model(x)), rtol=1e-5)

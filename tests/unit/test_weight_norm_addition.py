"""Plain layers turned into weight-normalised ones, and back."""

import keras
import numpy as np
import pytest

from improved_gan_tf import initialize_from_data
from improved_gan_tf.layers import (
    WeightNormDense,
    WeightNormEmbedding,
    add_weight_norm,
    remove_weight_norm,
)
from improved_gan_tf.layers.weight_norm.plain_layers import PLAIN_LAYERS
from tests.support.numerics import to_numpy

L2 = "l2"
PLAIN = [
    (lambda: keras.layers.Dense(3, activation="tanh", kernel_regularizer=L2), (5,)),
    (lambda: keras.layers.Embedding(3, 4, mask_zero=True), ()),
    (lambda: keras.layers.Conv1D(4, 3, strides=2, groups=2), (7, 2)),
    (lambda: keras.layers.Conv2D(4, 3, padding="same", dilation_rate=2), (7, 6, 2)),
    (lambda: keras.layers.Conv3D(4, 2, use_bias=False), (3, 4, 3, 2)),
    (lambda: keras.layers.Conv1DTranspose(4, 3, strides=2), (7, 2)),
    (lambda: keras.layers.Conv2DTranspose(4, 3, strides=2, padding="same"), (7, 6, 2)),
    (lambda: keras.layers.Conv2DTranspose(2, 2, strides=3, output_padding=0), (4, 4, 2)),
    (lambda: keras.layers.Conv3DTranspose(4, 2), (3, 4, 3, 2)),
]


@pytest.mark.parametrize("trainable", [True, False])
def test_what_is_not_trained_stays_so(trainable):
    layer = built(keras.layers.Dense(3), (5,))
    layer.trainable = trainable
    assert add_weight_norm(layer).trainable == trainable


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def built(layer, shape):
    layer.build((None, *shape))
    for position, weight in enumerate(layer.weights):
        weight.assign(random(*weight.shape, seed=position))
    return layer


@pytest.mark.parametrize(("make", "shape"), PLAIN)
def test_a_layer_computes_the_same_and_comes_back(make, shape):
    plain = built(make(), shape)
    x = random(3, *shape) if shape else np.array([2, 0, 2])
    expected = to_numpy(plain(x))
    normalized = add_weight_norm(plain)
    assert type(normalized).__name__ == f"WeightNorm{type(plain).__name__}"
    assert normalized.name == plain.name
    np.testing.assert_allclose(to_numpy(normalized(x)), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        to_numpy(remove_weight_norm(normalized)(x)), expected, rtol=1e-5, atol=1e-5
    )
    assert normalized.train_scale
    assert type(normalized.kernel_regularizer).__name__ == (
        "L2" if isinstance(plain, keras.layers.Dense) else "NoneType"
    )


def test_every_layer_that_is_removed_can_be_added():
    assert {type(make()) for make, _ in PLAIN} == set(PLAIN_LAYERS.values())


def test_the_scale_is_the_length_of_each_units_weights():
    plain = built(keras.layers.Dense(3), (5,))
    normalized = add_weight_norm(plain, train_scale=False, epsilon=0.0)
    lengths = np.linalg.norm(to_numpy(plain.kernel), axis=0)
    np.testing.assert_allclose(to_numpy(normalized.scale), lengths, rtol=1e-6)
    assert normalized.scale.path not in {w.path for w in normalized.trainable_weights}


def test_a_model_with_models_and_other_layers_in_it():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="inside")])
    inputs = keras.Input((6, 6, 1))
    x = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    shared = keras.layers.Dense(4, name="shared")
    model = keras.Model(inputs, inner(shared(shared(x))))
    x = random(3, 6, 6, 1)
    normalized = add_weight_norm(model)
    np.testing.assert_allclose(to_numpy(normalized(x)), to_numpy(model(x)), rtol=1e-5, atol=1e-5)
    kinds = sorted(type(layer).__name__ for layer in normalized._flatten_layers())
    assert [kind for kind in kinds if kind.startswith("WeightNorm")] == [
        "WeightNormConv2D",
        "WeightNormDense",
        "WeightNormDense",
    ]
    assert type(model.get_layer("shared")) is keras.layers.Dense


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: keras.Sequential([keras.Input((3,)), keras.layers.ReLU()]), "types .*'Dense'"),
        (lambda: keras.layers.Dense(3, name="d"), "Only a built layer .* layer 'd'"),
        (lambda: built(keras.layers.Conv1D(3, 2, padding="causal"), (5, 2)), "padding=causal"),
        (lambda: keras.layers.LayerNormalization(), "Received: LayerNormalization"),
    ],
)
def test_what_is_wrong_is_said(make, message):
    with pytest.raises(ValueError, match=message):
        add_weight_norm(make())


def test_quantized_layers_are_refused():
    dense = built(keras.layers.Dense(3, name="d"), (8,))
    dense.quantize("int8")
    with pytest.raises(ValueError, match=r"before `quantize`.*'d', quantized to int8"):
        add_weight_norm(dense)


def test_an_embedding_is_a_dense_layer_of_one_hot_rows():
    embedding = WeightNormEmbedding(4, 3, use_bias=True, activation="tanh")
    dense = WeightNormDense(3, activation="tanh")
    built(embedding, ())
    dense.build((None, 4))
    dense.set_weights(embedding.get_weights())
    labels = np.array([[3, 0], [1, 1]])
    rows = np.eye(4, dtype="float32")[labels]
    np.testing.assert_allclose(to_numpy(embedding(labels)), to_numpy(dense(rows)), rtol=1e-5)
    many = np.array([0, 1, 2, 3, 3])
    initialize_from_data(embedding, many)
    initialize_from_data(dense, np.eye(4, dtype="float32")[many])
    for one, other in zip(embedding.get_weights(), dense.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_an_embedding_with_a_bias_has_no_plain_form():
    embedding = built(WeightNormEmbedding(4, 3, use_bias=True, name="e"), ())
    with pytest.raises(ValueError, match=r"no bias .* layer 'e'"):
        remove_weight_norm(embedding)


def test_an_activation_with_weights_is_copied_both_ways():
    plain = built(keras.layers.Dense(3, activation=keras.layers.PReLU()), (4,))
    x = random(6, 4)
    plain(x)
    plain.activation.alpha.assign(np.array([0.3, 0.4, 0.5], "float32"))
    normalized = add_weight_norm(plain)
    back = remove_weight_norm(normalized)
    expected = to_numpy(plain(x))
    for copy in (normalized, back):
        np.testing.assert_allclose(to_numpy(copy(x)), expected, rtol=1e-5, atol=1e-6)
        copy.activation.alpha.assign(np.full(3, 9.0, "float32"))
        np.testing.assert_allclose(to_numpy(plain(x)), expected, rtol=1e-6)
    np.testing.assert_allclose(to_numpy(plain.activation.alpha), [0.3, 0.4, 0.5])


def test_a_unit_without_a_direction_needs_an_epsilon():
    plain = keras.layers.Dense(2, kernel_initializer="zeros", name="d")
    plain.build((None, 4))
    with pytest.raises(ValueError, match=r"`epsilon` must be positive. Received: epsilon=0, .*'d'"):
        add_weight_norm(plain, epsilon=0.0)
    np.testing.assert_array_equal(to_numpy(add_weight_norm(plain)(random(3, 4))), 0.0)

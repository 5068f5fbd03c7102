"""WeightNormDense against literals, NumPy loops and Keras's own dense layer."""

import json

import keras
import numpy as np
import pytest

from improved_gan_tf.layers.activations import rectify
from improved_gan_tf.layers.weight_norm.base import sum_of_squares
from improved_gan_tf.layers.weight_norm.dense import WeightNormDense
from tests.reference import weight_norm as reference
from tests.support.numerics import finite_differences, gradients, layer_loss, to_numpy


def random(*shape, seed=0):
    return np.random.RandomState(seed).normal(size=shape)


def built(input_dim, units, **arguments):
    layer = WeightNormDense(units, **arguments)
    layer.build((None, input_dim))
    return layer


def with_random_weights(layer):
    for position, weight in enumerate(layer.weights):
        weight.assign(random(*weight.shape, seed=position + 1))
    return layer


# --- values --------------------------------------------------------------------------------


def test_each_units_weights_are_divided_by_their_length_and_scaled():
    layer = built(2, 2, epsilon=0.0)
    layer.kernel.assign([[3.0, 0.0], [4.0, 2.0]])  # lengths 5 and 2
    layer.scale.assign([10.0, 1.0])
    layer.bias.assign([0.5, -1.0])
    outputs = to_numpy(layer(np.array([[1.0, 1.0], [2.0, 0.0]], "float32")))
    np.testing.assert_allclose(outputs, [[14.5, 0.0], [12.5, -1.0]], rtol=1e-6)


def test_epsilon_is_added_inside_the_root():
    layer = built(1, 1, epsilon=7.0)
    layer.kernel.assign([[3.0]])  # 3 / sqrt(7 + 9)
    np.testing.assert_allclose(to_numpy(layer(np.ones((1, 1), "float32"))), [[0.75]], rtol=1e-6)


def test_the_default_epsilon_is_a_millionth():
    layer = built(1, 1)
    layer.kernel.assign([[1e-3]])  # 1e-3 / sqrt(1e-6 + 1e-6)
    outputs = to_numpy(layer(np.ones((1, 1), "float32")))
    np.testing.assert_allclose(outputs, [[np.sqrt(0.5)]], rtol=1e-4)


def test_the_length_of_the_kernel_does_not_matter_without_epsilon():
    layer, x = with_random_weights(built(5, 3, epsilon=0.0)), random(4, 5)
    before = to_numpy(layer(x))
    layer.kernel.assign(layer.kernel * 100.0)
    np.testing.assert_allclose(to_numpy(layer(x)), before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("epsilon", [0.0, 1e-6, 0.3])
def test_outputs_follow_the_docstrings_formula(epsilon, float64):
    layer, x = with_random_weights(built(5, 3, epsilon=epsilon)), random(4, 5)
    kernel = reference.normalized_kernel(
        to_numpy(layer.kernel), to_numpy(layer.scale), epsilon, output_axis=1
    )
    expected = x @ kernel + to_numpy(layer.bias)
    np.testing.assert_allclose(to_numpy(layer(x)), expected, rtol=1e-12)


def test_the_activation_comes_last():
    layer = built(1, 1, epsilon=0.0, activation=rectify)
    layer.kernel.assign([[1.0]])
    layer.bias.assign([-2.0])
    outputs = to_numpy(layer(np.array([[1.0], [5.0]], "float32")))
    np.testing.assert_allclose(outputs, [[0.0], [3.0]], rtol=1e-6)


def test_inputs_of_higher_rank_are_multiplied_along_their_last_axis():
    layer, x = with_random_weights(built(5, 3)), random(2, 4, 5).astype("float32")
    outputs = to_numpy(layer(x))
    assert outputs.shape == (2, 4, 3)
    for i in range(4):
        np.testing.assert_allclose(outputs[:, i], to_numpy(layer(x[:, i])), rtol=1e-5, atol=1e-6)


def test_without_bias_there_is_none():
    layer = built(2, 3, use_bias=False)
    assert [w.name for w in layer.weights] == ["kernel", "scale"]
    np.testing.assert_array_equal(to_numpy(layer(np.zeros((1, 2), "float32"))), np.zeros((1, 3)))


def test_the_sum_of_squares_has_the_derivative_of_its_formula(float64):
    kernel, weights = random(4, 3), random(3, seed=1)
    (actual,) = gradients(
        lambda v: keras.ops.sum(sum_of_squares(v, (0,)) * keras.ops.convert_to_tensor(weights)),
        kernel,
    )
    np.testing.assert_allclose(actual, 2.0 * kernel * weights, rtol=1e-12)


def test_gradients_equal_finite_differences(float64):
    layer, x = with_random_weights(built(4, 3, train_scale=True)), random(5, 4)
    arrays = [x, *[to_numpy(w) for w in layer.weights]]
    loss = layer_loss(layer, random(5, 3, seed=9))
    for ours, difference in zip(
        gradients(loss, *arrays), finite_differences(loss, *arrays), strict=True
    ):
        np.testing.assert_allclose(ours, difference, rtol=1e-6, atol=1e-7)


# --- weights -------------------------------------------------------------------------------


def test_weights_start_as_in_the_original():
    layer = built(400, 300)
    assert np.std(to_numpy(layer.kernel)) == pytest.approx(0.05, rel=0.02)
    np.testing.assert_array_equal(to_numpy(layer.scale), np.ones(300))
    np.testing.assert_array_equal(to_numpy(layer.bias), np.zeros(300))


def test_the_scale_is_trained_only_when_asked():
    assert [w.name for w in built(2, 2).trainable_weights] == ["kernel", "bias"]
    trained = built(2, 2, train_scale=True)
    assert {w.name for w in trained.trainable_weights} == {"kernel", "scale", "bias"}


def test_regularizers_and_constraints_see_the_unnormalised_kernel():
    layer = built(2, 1, kernel_regularizer=keras.regularizers.L2(0.5), kernel_constraint="non_neg")
    layer.kernel.assign([[3.0], [4.0]])
    assert float(to_numpy(layer.losses[0])) == pytest.approx(12.5)
    assert isinstance(layer.kernel.constraint, keras.constraints.NonNeg)


def test_half_precision_takes_the_norm_in_float32():
    layer = built(2000, 1, dtype="mixed_float16", epsilon=0.0)
    layer.kernel.assign(np.full((2000, 1), 10.0))  # the sum of squares overflows float16
    x = np.zeros((1, 2000), "float16")
    x[0, 0] = 1.0
    outputs = to_numpy(layer(x))
    assert outputs.dtype == np.float16
    np.testing.assert_allclose(outputs, [[1.0 / np.sqrt(2000.0)]], rtol=1e-2)


def test_the_config_rebuilds_the_layer():
    layer = WeightNormDense(
        7,
        activation="tanh",
        use_bias=False,
        train_scale=True,
        epsilon=0.25,
        init_stddev=0.1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.1, seed=3),
        kernel_regularizer="l2",
        name="dense",
    )
    copy = WeightNormDense.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert (copy.units, copy.epsilon, copy.init_stddev) == (7, 0.25, 0.1)
    assert copy.train_scale
    assert not copy.use_bias


def test_the_declared_output_shape_replaces_the_last_dimension():
    assert WeightNormDense(7).compute_output_shape((None, 4, 5)) == (None, 4, 7)


def test_a_saved_model_gives_the_same_outputs(tmp_path):
    x = random(4, 5).astype("float32")
    inputs = keras.Input((5,))
    model = keras.Model(inputs, WeightNormDense(3, activation=rectify)(inputs))
    with_random_weights(model.layers[-1])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(to_numpy(loaded(x)), to_numpy(model(x)))


def test_a_mask_goes_through_to_the_next_layer():
    words = np.array([[1, 2, 0], [3, 0, 0]])
    embedded = keras.layers.Embedding(5, 4, mask_zero=True)(words)
    outputs = WeightNormDense(3)(embedded)
    np.testing.assert_array_equal(to_numpy(outputs._keras_mask), words != 0)


def test_the_activation_may_follow_the_units_as_in_dense():
    assert WeightNormDense(3, "relu").activation is keras.activations.relu


def test_integers_of_numpy_are_integers():
    config = WeightNormDense(np.int64(3)).get_config()
    assert json.dumps(config["units"]) == "3"


# --- errors --------------------------------------------------------------------------------


@pytest.mark.parametrize("units", [0, -3, 2.0, True, "4", None])
def test_units_that_are_no_positive_integer_are_refused(units):
    with pytest.raises(ValueError, match=r"`units` must be a positive integer\. Received: units="):
        WeightNormDense(units)


@pytest.mark.parametrize("epsilon", [-1e-9, float("nan")])
def test_a_negative_epsilon_is_refused(epsilon):
    with pytest.raises(ValueError, match=r"`epsilon` must be 0 or larger\. Received: epsilon="):
        WeightNormDense(3, epsilon=epsilon)


@pytest.mark.parametrize("init_stddev", [0.0, -1.0, float("nan")])
def test_an_initial_deviation_that_is_not_positive_is_refused(init_stddev):
    with pytest.raises(ValueError, match=r"`init_stddev` must be positive\. Received: init_stdd"):
        WeightNormDense(3, init_stddev=init_stddev)


def test_an_unknown_last_dimension_is_refused():
    with pytest.raises(ValueError, match=r"last dimension .* must be known.*input_shape="):
        WeightNormDense(3).build((4, None))


def test_an_input_of_rank_one_is_refused():
    with pytest.raises(ValueError, match="min_ndim=2"):
        WeightNormDense(3)(np.ones(5, "float32"))


def test_another_width_than_built_for_is_refused():
    layer = built(5, 3)
    with pytest.raises(ValueError, match="expected axis -1"):
        layer(np.ones((2, 4), "float32"))


def test_an_integer_input_is_refused():
    with pytest.raises(ValueError, match=r"must be floating point. Received: dtype=int32"):
        WeightNormDense(2)(np.ones((3, 4), "int32"))

"""Minibatch discrimination: values, closed forms, derivatives, Keras manners, errors."""

import math
import os
import pathlib

import keras
import numpy as np
import pytest
from keras import ops

from improved_gan_tf.layers.data_dependent import initialize_from_data
from improved_gan_tf.layers.minibatch_discrimination import kernel_sums as pairwise_l1
from improved_gan_tf.layers.minibatch_discrimination.layer import MinibatchDiscrimination
from tests.reference import minibatch_discrimination as reference
from tests.support.numerics import (
    BACKEND,
    finite_differences,
    float64,
    gradients,
    layer_loss,
    to_numpy,
)

tensorflow_only = pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's own saving")

# The numbers of rows around which the offsets and their groups have their edges.
ROWS = [1, 2, 3, 4, 5, 7, 8, 33]


def normal(*shape, seed=0):
    return np.random.RandomState(seed).normal(size=shape)


def kernel_sums(m, weights=None, dtype="float64"):
    weights = np.ones((1, m.shape[0])) if weights is None else weights
    return to_numpy(pairwise_l1.kernel_sums(ops.convert_to_tensor(m, dtype=dtype), weights))


def compiled(function):
    """The function, compiled on JAX, where a loop is otherwise compiled at every call."""
    if BACKEND != "jax":
        return function
    import jax

    return jax.jit(function)


def broadcast_kernel_sums(m, weights):
    """The obvious implementation in Keras operations, differentiable by the backend."""
    distances = ops.sum(ops.abs(m[:, None] - m[None]), axis=-1)  # (N, N, B)
    others = ops.cast(1.0 - np.eye(m.shape[0]), m.dtype)[..., None]
    kernels = ops.exp(-distances) * others
    return ops.sum(kernels[None] * ops.cast(weights, m.dtype)[:, None, :, None], axis=2)


def plain_layer(theta, **arguments):
    """A layer with T = theta and no bias."""
    layer = MinibatchDiscrimination(
        *theta.shape[1:], weight_normalization=False, use_bias=False, **arguments
    )
    layer.build((None, theta.shape[0]))
    layer.theta.assign(theta)
    return layer


# --- the sum over pairs -----------------------------------------------------------------------


def test_literal_values_of_three_rows():
    m = np.array([[[0.0, 0.0]], [[1.0, -1.0]], [[0.0, 3.0]]])  # distances 2, 3, 5
    e2, e3, e5 = math.exp(-2.0), math.exp(-3.0), math.exp(-5.0)
    with float64():
        o = kernel_sums(m)
    np.testing.assert_allclose(o, [[[e2 + e3], [e2 + e5], [e3 + e5]]], rtol=1e-14)


def test_the_self_pair_is_left_out():
    # Rows so far apart that only a self pair, exp(0) = 1, could be seen.
    m = 1000.0 * np.arange(6.0)[:, None, None]
    assert np.all(kernel_sums(m, dtype="float32") == 0.0)


@pytest.mark.parametrize("rows", ROWS)
def test_identical_rows_have_one_kernel_per_other_row(rows):
    o = kernel_sums(np.ones((rows, 2, 3)), dtype="float32")
    np.testing.assert_array_equal(o, np.full((1, rows, 2), rows - 1.0))


@pytest.mark.parametrize("rows", ROWS)
def test_equals_the_loops_for_every_number_of_rows(rows):
    m = normal(rows, 3, 2)
    with float64():
        o = kernel_sums(m)
    np.testing.assert_allclose(o[0], reference.features(m), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "shape",
    [(40, 100, 5), (12, 3000, 40)],
    ids=["several offsets a step", "components split over slices"],
)
def test_equals_the_broadcast_when_steps_are_cut_differently(shape):
    m = 0.1 * normal(*shape)
    weights = np.random.RandomState(1).uniform(size=(2, shape[0]))
    with float64():
        expected = to_numpy(broadcast_kernel_sums(ops.convert_to_tensor(m), weights))
        o = kernel_sums(m, weights)
    np.testing.assert_allclose(o, expected, rtol=1e-12, atol=1e-14)
    single = kernel_sums(m, weights, dtype="float32")
    np.testing.assert_allclose(single, expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("shape", [(5, 3, 2), (40, 100, 5), (12, 3000, 40)])
def test_gradient_equals_the_broadcast(shape):
    m = 0.1 * normal(*shape)
    weights = np.random.RandomState(1).uniform(size=(2, shape[0]))
    upstream = normal(2, *shape[:2], seed=2)
    with float64():
        results = [
            gradients(lambda m, f=f: ops.sum(f(m, weights) * ops.convert_to_tensor(upstream)), m)
            for f in (pairwise_l1.kernel_sums, broadcast_kernel_sums)
        ]
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rows", [2, 5, 6])
def test_gradient_equals_finite_differences(rows):
    weights = np.random.RandomState(1).uniform(size=(2, rows))
    upstream = normal(2, rows, 2, seed=2)

    def loss(m):
        return ops.sum(pairwise_l1.kernel_sums(m, weights) * ops.convert_to_tensor(upstream))

    with float64():
        m = normal(rows, 2, 3)
        np.testing.assert_allclose(
            gradients(compiled(loss), m)[0],
            finite_differences(compiled(loss), m)[0],
            rtol=1e-6,
            atol=1e-9,
        )


def test_gradient_at_equal_rows_is_zero():
    gradient = gradients(
        lambda m: ops.sum(pairwise_l1.kernel_sums(m, np.ones((1, 4)))),
        np.ones((4, 2, 3), "float32"),
    )[0]
    np.testing.assert_array_equal(gradient, np.zeros((4, 2, 3)))


def penalty_gradients(function, *arrays):
    """Gradients of `sum of squares of d function / d arrays[0]`: second derivatives."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        @tf.function
        def penalty_gradients(*tensors):
            with tf.GradientTape() as outer:
                outer.watch(tensors)
                with tf.GradientTape() as inner:
                    inner.watch(tensors)
                    value = function(*tensors)
                penalty = tf.reduce_sum(tf.square(inner.gradient(value, tensors[0])))
            return penalty, outer.gradient(penalty, tensors)

        penalty, results = penalty_gradients(*[tf.convert_to_tensor(a) for a in arrays])
    elif BACKEND == "jax":
        import jax

        def penalty(*tensors):
            return ops.sum(ops.square(jax.grad(function)(*tensors)))

        penalty, results = jax.jit(jax.value_and_grad(penalty, argnums=tuple(range(len(arrays)))))(
            *arrays
        )
    else:
        import torch

        tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
        first = torch.autograd.grad(function(*tensors), tensors[0], create_graph=True)[0]
        penalty = torch.sum(torch.square(first))
        results = torch.autograd.grad(penalty, tensors)
    return float(to_numpy(penalty)), [to_numpy(r) for r in results]


def test_second_derivatives_equal_the_broadcast_and_finite_differences():
    weights = np.random.RandomState(1).uniform(size=(2, 6))
    m, upstream = normal(6, 2, 3), normal(2, 6, 2, seed=2)

    def loss(m, upstream, function=pairwise_l1.kernel_sums):
        # Squared, so that the upstream gradient depends on `m` as well.
        return ops.sum(ops.square(function(m, weights)) * upstream)

    with float64():
        _, results = penalty_gradients(loss, m, upstream)
        _, expected = penalty_gradients(
            lambda m, upstream: loss(m, upstream, broadcast_kernel_sums), m, upstream
        )
        for result, value in zip(results, expected, strict=True):
            np.testing.assert_allclose(result, value, rtol=1e-10, atol=1e-12)
        for index in [(0, 0, 0), (3, 1, 2), (5, 0, 1)]:
            moved = [m.copy(), m.copy()]
            moved[0][index] += 1e-5
            moved[1][index] -= 1e-5
            up, down = (penalty_gradients(loss, x, upstream)[0] for x in moved)
            np.testing.assert_allclose(results[0][index], (up - down) / 2e-5, rtol=1e-5)


def test_nearest_distances_leave_out_self_and_absent_rows():
    m = np.array([0.0, 1.0, 5.0, 5.5, 100.0])[:, None, None]
    nearest = pairwise_l1.nearest_distances(
        ops.convert_to_tensor(m, dtype="float32"), ops.convert_to_tensor([1.0, 1, 1, 0, 1])
    )
    np.testing.assert_array_equal(to_numpy(nearest)[:, 0], [1.0, 1.0, 4.0, 0.5, 95.0])


@pytest.mark.parametrize("rows", [2, 3, 6, 9])
def test_nearest_distances_give_the_loops_initialization_scale(rows):
    with float64():
        m = normal(rows, 2, 3)
        nearest = pairwise_l1.nearest_distances(ops.convert_to_tensor(m), ops.ones((rows,)))
        scale = 0.5 * to_numpy(nearest).mean(axis=0)
    np.testing.assert_allclose(scale, reference.initialization_scale(m), rtol=1e-12)


# --- the layer's options ----------------------------------------------------------------------


@pytest.mark.parametrize("num_parts", [1, 2, 3])
@pytest.mark.parametrize("reduction", ["sum", "mean", "mean_over_pairs"])
@pytest.mark.parametrize("masked", [False, True])
def test_features_equal_the_loops(reduction, num_parts, masked):
    x, theta = normal(6, 4), normal(4, 3, 2, seed=1)
    present = np.array([True, False, True, True, True, False]) if masked else None
    expected = reference.features(reference.projection(x, theta), reduction, num_parts, present)
    with float64():
        layer = plain_layer(theta, reduction=reduction, num_parts=num_parts)
        outputs = to_numpy(layer(ops.convert_to_tensor(x), row_mask=present))
    np.testing.assert_allclose(outputs, np.concatenate([x, expected], axis=1), rtol=1e-12)


def test_the_docstrings_formula_with_weight_normalization():
    x, theta, log_weight_scale = normal(5, 4), normal(4, 3, 2, seed=1), normal(3, 2, seed=2)
    tensor = reference.normalized_tensor(theta, log_weight_scale)
    expected = reference.features(reference.projection(x, tensor)) + np.array([0.5, -2.0, 0.0])
    with float64():
        layer = MinibatchDiscrimination(3, 2, concatenate_input=False)
        layer.build((None, 4))
        for variable, value in (
            (layer.theta, theta),
            (layer.log_weight_scale, log_weight_scale),
            (layer.bias, [0.5, -2.0, 0.0]),
        ):
            variable.assign(value)
        outputs = to_numpy(layer(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(outputs, expected, rtol=1e-12)


def test_layer_gradients_equal_finite_differences():
    with float64():
        layer = MinibatchDiscrimination(3, 2, reduction="mean_over_pairs", num_parts=2)
        layer.build((None, 3))
        values = [normal(*w.shape, seed=i) for i, w in enumerate(layer.weights)]
        x = normal(4, 3, seed=9)
        loss = layer_loss(layer, normal(4, 9, seed=10))
        results = gradients(compiled(loss), x, *values)
        expected = finite_differences(compiled(loss), x, *values)
    for result, value in zip(results, expected, strict=True):
        assert np.abs(value).max() > 1e-3
        np.testing.assert_allclose(result, value, rtol=1e-6, atol=1e-8)


def test_initial_weights():
    layer = MinibatchDiscrimination(100, 5, num_parts=2)
    layer.build((None, 200))
    assert [w.name for w in layer.weights] == ["theta", "log_weight_scale", "bias"]
    assert [tuple(w.shape) for w in layer.weights] == [(200, 100, 5), (100, 5), (200,)]
    theta, log_weight_scale, bias = (to_numpy(w) for w in layer.weights)
    assert abs(theta.std() - 0.05) < 0.001
    assert abs(theta.mean()) < 0.001
    assert np.all(log_weight_scale == 0.0)
    assert np.all(bias == -1.0)
    assert all(w.trainable for w in layer.weights)


def test_weights_can_be_left_out():
    layer = plain_layer(normal(4, 3, 2).astype("float32"))
    assert [w.name for w in layer.weights] == ["theta"]


def test_theta_regularizer_sees_the_unnormalised_theta():
    layer = MinibatchDiscrimination(3, 2, theta_regularizer=keras.regularizers.L2(0.5))
    layer.build((None, 4))
    loss = float(to_numpy(layer.losses[0]))
    np.testing.assert_allclose(loss, 0.5 * np.sum(to_numpy(layer.theta) ** 2), rtol=1e-5)


def test_inputs_of_higher_rank_are_flattened():
    x = normal(5, 2, 3).astype("float32")
    layer = MinibatchDiscrimination(3, 2)
    outputs = to_numpy(layer(x))
    np.testing.assert_allclose(outputs[:, :6], x.reshape(5, 6))
    flat = MinibatchDiscrimination(3, 2)
    flat.build((None, 6))
    flat.set_weights(layer.get_weights())
    np.testing.assert_allclose(outputs, to_numpy(flat(x.reshape(5, 6))), rtol=1e-6)
    assert layer.compute_output_shape((None, 2, 3)) == (None, 9)


@pytest.mark.parametrize("reduction", ["sum", "mean", "mean_over_pairs"])
def test_a_batch_of_one_gives_the_bias(reduction):
    layer = MinibatchDiscrimination(3, 2, reduction=reduction)
    outputs = to_numpy(layer(np.array([[2.0, 3.0]], "float32")))
    np.testing.assert_array_equal(outputs, [[2.0, 3.0, -1.0, -1.0, -1.0]])


def test_a_nan_reaches_every_rows_features_and_no_other_copied_input():
    x = normal(4, 3).astype("float32")
    x[1, 0] = np.nan
    outputs = to_numpy(MinibatchDiscrimination(2, 2)(x))
    assert np.all(np.isnan(outputs[:, 3:]))
    np.testing.assert_array_equal(outputs[:, :3], x)


def test_row_mask_keeps_a_nan_in_its_row():
    x = normal(4, 3).astype("float32")
    layer = MinibatchDiscrimination(2, 2)
    without = to_numpy(layer(x[[0, 2, 3]]))
    x[1, 0] = np.nan
    outputs = to_numpy(layer(x, row_mask=np.array([1, 0, 1, 1])))
    np.testing.assert_allclose(outputs[[0, 2, 3]], without, rtol=1e-6)
    np.testing.assert_array_equal(outputs[1, 3:], [-1.0, -1.0])


def test_row_mask_keeps_a_nan_out_of_the_gradients():
    x = normal(4, 3).astype("float32")
    x[1] = np.nan
    layer = MinibatchDiscrimination(2, 2, concatenate_input=False)
    layer.build((None, 3))
    loss = layer_loss(layer, normal(4, 2), row_mask=np.array([True, False, True, True]))
    results = gradients(loss, x, *[to_numpy(w) for w in layer.weights])
    assert all(np.all(np.isfinite(r)) for r in results)
    assert np.all(results[0][1] == 0.0)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_takes_distances_and_sums_in_float32(policy):
    # 300 sums of 1 - 1e-3: in bfloat16 each term would round to 1, in float16 the sum to 299.5.
    x = np.zeros((300, 1), "float32")
    x[0] = 2.0**-10
    layer = MinibatchDiscrimination(
        1, 1, weight_normalization=False, use_bias=False, dtype=policy, theta_initializer="ones"
    )
    outputs = layer(x)
    assert keras.backend.standardize_dtype(outputs.dtype) == layer.compute_dtype
    assert keras.backend.standardize_dtype(layer.theta.dtype) == "float32"
    expected = ops.cast(299.0 * math.exp(-(2.0**-10)), layer.compute_dtype)
    assert to_numpy(ops.cast(outputs[0, 1], "float32")) == to_numpy(ops.cast(expected, "float32"))
    m = layer._project(ops.cast(x, layer.compute_dtype))
    assert keras.backend.standardize_dtype(m.dtype) == "float32"


def test_a_normalised_input_is_divided_by_its_root_mean_square_for_the_distances_alone():
    x, theta = normal(6, 4), normal(4, 3, 2, seed=1)
    unit = x / np.sqrt(np.mean(x**2, axis=1, keepdims=True))
    expected = reference.features(reference.projection(unit, theta))
    with float64():
        layer = plain_layer(theta, normalize_input=True)
        outputs = to_numpy(layer(x))
        np.testing.assert_allclose(outputs[:, 4:], expected, rtol=1e-9)
        np.testing.assert_array_equal(outputs[:, :4], x)
        np.testing.assert_allclose(to_numpy(layer.closeness(x)), expected, rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_a_normalised_input_cannot_make_the_layer_silent_by_growing(dtype):
    x = normal(8, 5).astype("float32")
    found = {}
    for normalize_input in (False, True):
        layer = MinibatchDiscrimination(4, 3, normalize_input=normalize_input, dtype=dtype)
        layer.build(x.shape)
        found[normalize_input] = [to_numpy(layer.closeness(scale * x)) for scale in (1.0, 3000.0)]
    assert found[False][1].max() == 0.0
    np.testing.assert_allclose(*found[True], rtol=0.02 if dtype == "mixed_float16" else 1e-4)
    assert found[True][1].min() > 0.0


def test_a_row_of_zeros_passes_a_normalised_input_with_a_finite_gradient():
    x = np.concatenate([np.zeros((1, 3)), normal(3, 3)]).astype("float32")
    layer = MinibatchDiscrimination(2, 2, normalize_input=True)
    layer.build(x.shape)
    values = [to_numpy(w) for w in layer.weights]
    results = gradients(layer_loss(layer, normal(4, 5)), x, *values)
    assert all(np.isfinite(r).all() for r in results)


def test_gradients_with_a_normalised_input_equal_finite_differences():
    with float64():
        x = normal(4, 5, seed=7)
        layer = MinibatchDiscrimination(2, 3, normalize_input=True)
        layer.build(x.shape)
        values = [to_numpy(w) for w in layer.weights]
        loss = layer_loss(layer, normal(4, 7, seed=10))
        results = gradients(compiled(loss), x, *values)
        expected = finite_differences(compiled(loss), x, *values)
    for result, value in zip(results, expected, strict=True):
        np.testing.assert_allclose(result, value, rtol=1e-5, atol=1e-8)


# --- data-dependent initialisation ------------------------------------------------------------


def test_initialization_follows_the_definition():
    x = normal(7, 4)
    with float64():
        layer = MinibatchDiscrimination(3, 2)
        layer.build((None, 4))
        start = 0.3 * normal(3, 2, seed=3)
        layer.log_weight_scale.assign(start)
        m = reference.projection(x, reference.normalized_tensor(to_numpy(layer.theta), start))
        scale = reference.initialization_scale(m)
        o = reference.features(m / scale[:, None])
        outputs = to_numpy(initialize_from_data(layer, ops.convert_to_tensor(x)))
        after = to_numpy(layer(ops.convert_to_tensor(x)))
        log_weight_scale, bias = to_numpy(layer.log_weight_scale), to_numpy(layer.bias)
    np.testing.assert_allclose(log_weight_scale, start - np.log(scale)[:, None], rtol=1e-12)
    np.testing.assert_allclose(bias, -o.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(outputs[:, 4:], o - o.mean(axis=0), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(after, outputs, rtol=1e-10, atol=1e-12)


def test_initialization_without_weight_normalization_sets_only_the_bias():
    x = normal(5, 4).astype("float32")
    layer = MinibatchDiscrimination(3, 2, weight_normalization=False)
    before = to_numpy(layer(x))[:, 4:] + 1.0
    theta = to_numpy(layer.theta)
    outputs = to_numpy(initialize_from_data(layer, x))
    np.testing.assert_array_equal(to_numpy(layer.theta), theta)
    np.testing.assert_allclose(to_numpy(layer.bias), -before.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(outputs[:, 4:].mean(axis=0), np.zeros(3), atol=1e-6)


def test_initialization_without_a_bias_sets_only_the_scale():
    x = normal(5, 4).astype("float32")
    layer = MinibatchDiscrimination(3, 2, use_bias=False)
    outputs = to_numpy(initialize_from_data(layer, x))
    assert np.all(to_numpy(layer.log_weight_scale) != 0.0)
    np.testing.assert_allclose(outputs, to_numpy(layer(x)), rtol=1e-4)


def test_initialization_leaves_masked_rows_out():
    x = normal(5, 4).astype("float32")
    layer = MinibatchDiscrimination(3, 2)
    layer.build((None, 4))
    start = layer.get_weights()
    initialize_from_data(layer, x[:4])
    expected = layer.get_weights()
    layer.set_weights(start)
    x[4] = np.nan
    initialize_from_data(lambda b, training: layer(b, row_mask=[1, 1, 1, 1, 0]), x)
    for result, value in zip(layer.get_weights(), expected, strict=True):
        np.testing.assert_allclose(result, value, rtol=1e-5)


@pytest.mark.parametrize("x", [np.ones((1, 4)), np.ones((5, 4)), np.full((3, 4), np.nan)])
def test_initialization_refuses_a_batch_that_gives_no_scale_and_changes_nothing(x):
    layer = MinibatchDiscrimination(3, 2, name="close")
    layer.build((None, 4))
    with pytest.raises(
        ValueError,
        match=r"initialisation of layer 'close' needs a batch of at least two rows.*Received: ",
    ):
        initialize_from_data(layer, x.astype("float32"))
    assert np.all(to_numpy(layer.log_weight_scale) == 0.0)
    assert np.all(to_numpy(layer.bias) == -1.0)


# --- Keras manners ----------------------------------------------------------------------------

ARGUMENTS = {
    "num_kernels": 3,
    "kernel_dim": 2,
    "weight_normalization": False,
    "concatenate_input": False,
    "reduction": "mean",
    "num_parts": 2,
    "use_bias": False,
    "theta_initializer": keras.initializers.RandomUniform(seed=1),
    "bias_initializer": keras.initializers.Ones(),
    "theta_regularizer": keras.regularizers.L1(0.1),
}


def small_model(**arguments):
    inputs = keras.Input((4,))
    x = MinibatchDiscrimination(3, 2, **arguments)(inputs)
    return keras.Model(inputs, keras.layers.Dense(1)(x))


@pytest.mark.parametrize("arguments", [{"num_kernels": 3, "kernel_dim": 2}, ARGUMENTS])
def test_config_round_trip(arguments):
    layer = MinibatchDiscrimination(**arguments)
    config = layer.get_config()
    layer.build((None, 4))
    assert layer.get_config() == config | {"name": layer.name}
    assert set(ARGUMENTS) <= set(config)
    again = MinibatchDiscrimination.from_config(config)
    assert again.get_config() == config


def test_output_shape_with_an_unknown_batch():
    model = small_model(num_parts=2)
    assert model.layers[1].output.shape == (None, 10)
    for rows in (2, 4):
        assert to_numpy(model(normal(rows, 4).astype("float32"))).shape == (rows, 1)


def test_an_unknown_batch_size_gives_the_same_numbers(float64):
    # In float64: another batch size adds up in another order, and the bias -1 cancels the most.
    x = normal(300, 4)
    inputs = keras.Input((4,))
    layer = MinibatchDiscrimination(3, 2)
    model = keras.Model(inputs, layer(inputs))
    for rows in (1, 2, 7, 300):
        results = model.predict(x[:rows], batch_size=rows, verbose=0)
        np.testing.assert_allclose(results, to_numpy(layer(x[:rows])), rtol=1e-10)


def test_saved_models_give_the_same_outputs(tmp_path):
    x = normal(6, 4).astype("float32")
    model = small_model()
    initialize_from_data(model, x)
    expected = to_numpy(model(x))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(to_numpy(again(x)), expected, rtol=1e-6)
    model.save_weights(tmp_path / "model.weights.h5")
    fresh = small_model()
    assert np.abs(to_numpy(fresh(x)) - expected).max() > 1e-3
    fresh.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(to_numpy(fresh(x)), expected, rtol=1e-6)


def test_clone_model_and_row_mask_in_a_functional_model():
    inputs, row_mask = keras.Input((4,)), keras.Input((), dtype="bool")
    outputs = MinibatchDiscrimination(3, 2)(inputs, row_mask=row_mask)
    model = keras.Model([inputs, row_mask], outputs)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    x, mask = normal(4, 4).astype("float32"), np.array([True, True, False, True])
    expected = to_numpy(model([x, mask]))
    np.testing.assert_allclose(to_numpy(clone([x, mask])), expected, rtol=1e-6)
    np.testing.assert_array_equal(expected[2, 4:], [-1.0, -1.0, -1.0])


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.skipif(BACKEND == "torch", reason="one backend's compiler is not under test")
def test_fit_reaches_every_weight_compiled_or_not(jit_compile):
    x = normal(8, 4).astype("float32")
    model = small_model()
    before = model.get_weights()
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=jit_compile)
    model.fit(x, np.ones((8, 1), "float32"), batch_size=8, epochs=1, verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        assert np.all(np.isfinite(new))
        assert np.any(old != new)


@tensorflow_only
@pytest.mark.parametrize("jit_compile", [False, True])
def test_graph_equals_eager(jit_compile):
    import tensorflow as tf

    layer = MinibatchDiscrimination(3, 2)
    x = tf.constant(normal(9, 4).astype("float32"))
    expected = layer(x)
    np.testing.assert_allclose(tf.function(layer, jit_compile=jit_compile)(x), expected, rtol=1e-5)


@tensorflow_only
@pytest.mark.parametrize("shape", [(100, 20, 5), (256, 300, 9)], ids=["one_slice", "slices"])
def test_in_a_loop_that_fills_the_memory(shape):
    """TensorFlow rewrites chains of additions there, in a way that fails from the second call."""
    import tensorflow as tf

    m = tf.constant(normal(*shape).astype("float32"))
    weights = np.ones((1, shape[0]))

    @tf.function
    def train(iterations):
        def once(i, m):
            # More than the 80 % of a CPU's nominal 256 MB from which the rewriting begins, in
            # use before, during and after the sums.
            big = tf.fill((8000, 8000), m[0, 0, 0])
            m += 0.0 * big[0, 0]
            with tf.GradientTape() as outer:
                outer.watch(m)
                with tf.GradientTape() as inner:
                    inner.watch(m)
                    total = tf.reduce_sum(pairwise_l1.kernel_sums(m, weights))
                gradient = inner.gradient(total, m)
                length = tf.reduce_sum(gradient**2)
            second = outer.gradient(length, m)
            nearest = pairwise_l1.nearest_distances(m, tf.ones(len(m)))
            used = tf.reduce_mean(big * total) * tf.reduce_mean(nearest)
            return i + 1, m + 0.01 * (gradient + second) + 0.0 * used

        return tf.while_loop(lambda i, _: i < iterations, once, (0, m), parallel_iterations=1)

    for _ in range(2):
        _, trained = train(tf.constant(2))
    assert np.all(np.isfinite(trained))


@tensorflow_only
@pytest.mark.skipif(not pathlib.Path("/proc/self/statm").exists(), reason="reads /proc")
def test_an_eager_tape_does_not_keep_the_pairs():
    import tensorflow as tf

    def resident_bytes():
        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    m = tf.constant(normal(256, 100, 5).astype("float32"))
    pairwise_l1.kernel_sums(m, np.ones((1, 256)))  # what a first call allocates for good
    before = resident_bytes()
    with tf.GradientTape() as tape:
        tape.watch(m)
        o = pairwise_l1.kernel_sums(m, np.ones((1, 256)))
        held = resident_bytes() - before
    assert tape.gradient(o, m).shape == m.shape
    assert held < 4 * 256 * 256 * 100 * 5 / 2  # half of the differences of all pairs


@tensorflow_only
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_exported_model_serves_batches_of_any_size(tmp_path):
    import tensorflow as tf

    model = small_model()
    model.export(tmp_path / "exported", verbose=False)
    served = tf.saved_model.load(tmp_path / "exported")
    for rows in (1, 5):
        x = normal(rows, 4).astype("float32")
        np.testing.assert_allclose(served.serve(x), to_numpy(model(x)), rtol=1e-5)


@tensorflow_only
def test_a_dynamic_batch_that_cannot_be_divided_fails():
    import tensorflow as tf

    layer = MinibatchDiscrimination(3, 2, num_parts=2)
    layer.build((None, 4))
    step = tf.function(layer, input_signature=[tf.TensorSpec((None, 4))])
    assert step(tf.ones((4, 4))).shape == (4, 10)
    with pytest.raises(tf.errors.InvalidArgumentError):
        step(tf.ones((5, 4)))


@pytest.mark.parametrize("arguments", [{}, {"num_parts": 2, "use_bias": False}])
def test_closeness_is_the_output_without_input_and_bias(arguments):
    layer, x = MinibatchDiscrimination(3, 2, **arguments), normal(4, 2, 5).astype("float32")
    output = to_numpy(layer(x))
    bias = to_numpy(layer.bias) if layer.use_bias else 0.0
    expected = output[:, 10:] - bias
    assert expected.max() > 0.01
    np.testing.assert_allclose(to_numpy(layer.closeness(x)), expected, rtol=1e-5, atol=1e-6)


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["num_kernels", "kernel_dim", "num_parts"])
@pytest.mark.parametrize("value", [0, -1, 2.0, True, None])
def test_counts_must_be_positive_integers(name, value):
    arguments = {"num_kernels": 3, "kernel_dim": 2, name: value}
    with pytest.raises(
        ValueError, match=f"`{name}` must be a positive integer. Received: {name}={value}"
    ):
        MinibatchDiscrimination(**arguments)


def test_reduction_must_be_known():
    with pytest.raises(
        ValueError, match=r"`reduction` must be one of \('sum', .*Received: reduction='max'"
    ):
        MinibatchDiscrimination(3, 2, reduction="max")


def test_rank_one_is_refused():
    layer = MinibatchDiscrimination(3, 2)
    with pytest.raises(ValueError, match=r"at least one feature.*Received: input_shape=\(5,\)"):
        layer.build((5,))
    with pytest.raises(ValueError, match=r"ndim=1|input_shape=\(5,\)"):
        MinibatchDiscrimination(3, 2)(np.ones(5, "float32"))


def test_unknown_feature_dimensions_are_refused():
    with pytest.raises(ValueError, match=r"must be known. Received: input_shape=\(None, None, 3\)"):
        MinibatchDiscrimination(3, 2).build((None, None, 3))


def test_another_number_of_features_is_refused():
    layer = MinibatchDiscrimination(3, 2)
    layer.build((None, 4))
    with pytest.raises(ValueError, match=r"expected shape=\(None, 4\), found shape=\(2, 5\)"):
        layer(np.ones((2, 5), "float32"))


def test_integer_input_is_refused():
    with pytest.raises(ValueError, match=r"must be floating point. Received: dtype=int32"):
        MinibatchDiscrimination(3, 2)(np.ones((2, 5), "int32"))


def test_a_batch_that_cannot_be_divided_is_refused():
    layer = MinibatchDiscrimination(3, 2, num_parts=2)
    for rows in (5, 1):
        with pytest.raises(
            ValueError, match=rf"divisible into 2 parts.*Received: a batch of {rows}"
        ):
            layer(np.ones((rows, 4), "float32"))
        with pytest.raises(ValueError, match="divisible into 2 parts"):
            layer.closeness(np.ones((rows, 4), "float32"))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only a graph learns N late")
def test_a_batch_that_a_graph_finds_not_to_divide_is_refused():
    import tensorflow as tf

    layer = MinibatchDiscrimination(3, 2, num_parts=2)
    graph = tf.function(layer, input_signature=[tf.TensorSpec((None, 4))])
    assert graph(np.ones((4, 4), "float32")).shape == (4, 10)
    for rows in (5, 1):
        with pytest.raises(tf.errors.InvalidArgumentError, match="divisible into 2 parts"):
            graph(np.ones((rows, 4), "float32"))


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"one entry per row.*row_mask.shape=\(1,\)"):
        MinibatchDiscrimination(3, 2)(np.ones((5, 4), "float32"), row_mask=np.ones(1))


def test_a_mask_of_another_rank_is_refused():
    with pytest.raises(ValueError, match=r"one entry per row.*row_mask.shape=\(5, 1\)"):
        MinibatchDiscrimination(3, 2)(np.ones((5, 4), "float32"), row_mask=np.ones((5, 1)))


@pytest.mark.skipif(BACKEND != "jax", reason="TensorFlow's export is among the contract tests")
@pytest.mark.filterwarnings("ignore:The `native_serialization` parameter:DeprecationWarning")
def test_a_batch_of_unknown_size_is_exported_on_jax(tmp_path):
    tf = pytest.importorskip("tensorflow")
    model = keras.Sequential([keras.Input((5,)), MinibatchDiscrimination(4, 3)])
    model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    for rows in (1, 6, 7, 40):
        x = np.random.default_rng(rows).normal(size=(rows, 5)).astype("float32")
        np.testing.assert_allclose(loaded.serve(x), model(x), rtol=1e-5, atol=1e-5)


def test_closeness_of_a_layer_without_weights_is_refused():
    with pytest.raises(ValueError, match="has no weights yet: call it, or its model"):
        MinibatchDiscrimination(3, 2).closeness(np.ones((4, 5), "float32"))

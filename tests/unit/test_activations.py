"""Values, derivatives at the kink, and saving by name."""

import contextlib

import keras
import numpy as np
import pytest
from keras import ops

from improved_gan_tf.layers.activations import LeakyReLU, leaky_rectify, rectify
from tests.support.numerics import float64, gradients, to_numpy

X = np.array([-3.0, -0.5, 0.0, 0.25, 2.0], "float32")


def test_relu_is_the_positive_part():
    expected = np.array([0, 0, 0, 0.25, 2], "float32")
    np.testing.assert_allclose(to_numpy(rectify(X)), expected, rtol=0, atol=2e-38)


def test_relu_keeps_infinities_and_nan():
    x = np.array([-np.inf, np.inf, np.nan])
    for dtype in ("float32", "float64"):
        actual = to_numpy(rectify(ops.convert_to_tensor(x.astype(dtype))))
        np.testing.assert_array_equal(actual, np.array([0.0, np.inf, np.nan], dtype))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_only_an_exact_zero_is_moved_off_the_kink(dtype):
    with float64():
        x = ops.convert_to_tensor(np.array([-2.0, -1e-3, 1e-3, 2.0]), dtype=dtype)
        kept = ops.convert_to_numpy(ops.cast(rectify(x), "float64"))
        plain = ops.convert_to_numpy(ops.cast(ops.relu(x), "float64"))
    np.testing.assert_allclose(kept, plain, rtol=1e-4)


def test_leaky_relu_has_slope_a_fifth_below_zero():
    expected = np.array([-0.6, -0.1, 0.0, 0.25, 2.0], "float32")
    np.testing.assert_allclose(to_numpy(leaky_rectify(X)), expected, rtol=1e-6, atol=2e-38)


def test_leaky_relu_takes_another_slope():
    actual = to_numpy(leaky_rectify(X, negative_slope=0.1))
    np.testing.assert_allclose(actual[:2], [-0.3, -0.05], rtol=1e-6)


@pytest.mark.parametrize(("activation", "below"), [(rectify, 0.0), (leaky_rectify, 0.2)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_derivative_at_zero_is_one(activation, below, dtype):
    with float64() if dtype == "float64" else contextlib.nullcontext():
        x = ops.convert_to_tensor(X.astype(dtype))
        (derivative,) = gradients(lambda x: ops.sum(activation(x)), x)
    assert derivative.dtype == dtype
    np.testing.assert_allclose(derivative, [below, below, 1.0, 1.0, 1.0], rtol=1e-6)


def test_a_layer_with_relu_is_restored_from_its_config():
    layer = keras.layers.Activation(rectify)
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.activation is rectify


def test_the_leaky_relu_layer_applies_the_function_with_its_slope():
    np.testing.assert_array_equal(to_numpy(LeakyReLU()(X)), to_numpy(leaky_rectify(X)))
    np.testing.assert_allclose(to_numpy(LeakyReLU(0.1)(X))[:2], [-0.3, -0.05], rtol=1e-6)


@pytest.mark.parametrize("activation", [rectify, leaky_rectify])
def test_the_functions_come_back_from_a_config_as_themselves(activation):
    layer = keras.layers.Dense(3, activation=activation)
    assert keras.layers.Dense.from_config(layer.get_config()).activation is activation


def test_the_leaky_relu_layer_is_restored_from_its_config():
    layer = LeakyReLU(0.1, name="leaky")
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.get_config() == layer.get_config()
    assert copy.negative_slope == 0.1


@pytest.mark.parametrize("slope", [-0.1, 1.5, float("nan")])
def test_a_slope_outside_zero_and_one_is_refused(slope):
    message = rf"`negative_slope` must lie in \[0, 1\]\. Received: negative_slope={slope}"
    with pytest.raises(ValueError, match=message):
        LeakyReLU(slope)


@pytest.mark.parametrize("function", [rectify, leaky_rectify])
def test_integers_are_refused_by_the_functions_too(function):
    with pytest.raises(ValueError, match=r"must be floating point. Received: dtype=int32"):
        function(ops.convert_to_tensor(np.arange(3, dtype="int32")))

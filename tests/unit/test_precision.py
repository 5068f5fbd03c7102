"""Means keep the digits of their dtype, losses those of float32, models those of a run."""

import keras
import numpy as np
import pytest

from improved_gan_tf import losses, precision
from improved_gan_tf.losses.joint_minibatches import gan_logits, sigmoid_kl
from tests.support.numerics import to_numpy


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mean_has_the_digits_of_its_dtype(dtype, keepdims):
    x = (1e4 + np.random.RandomState(0).normal(size=(30, 4, 5))).astype(dtype)
    found = precision.mean(keras.ops.convert_to_tensor(x, dtype), (0, 1), keepdims=keepdims)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    expected = x.mean(axis=(0, 1), keepdims=keepdims, dtype="float64")
    tolerance = 1e-13 if dtype == "float64" else 1e-6
    np.testing.assert_allclose(to_numpy(found), expected, rtol=tolerance)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_means_and_losses_of_half_precision_are_those_of_the_same_numbers_in_float32(dtype):
    random = np.random.RandomState(0)
    half = [keras.ops.cast(random.normal(size=(300, 10)) * 20, dtype) for _ in range(2)]
    whole = [keras.ops.cast(x, "float32") for x in half]
    labels = np.arange(300) % 10
    for loss in (
        lambda a, b: precision.mean(a * 1.0),
        lambda a, b: losses.supervised_loss(a, labels),
        lambda a, b: losses.error_rate(a, labels),
        lambda a, b: losses.unsupervised_loss(a, b, real_target=0.9),
        lambda a, b: losses.saturating_generator_loss(a),
        lambda a, b: losses.feature_matching_l1(a, b),
        lambda a, b: losses.feature_matching_l2(a, b),
        lambda a, b: losses.binary_cross_entropy(a[:, 0], 0.75),
        lambda a, b: sigmoid_kl(gan_logits(a), 0.75),
    ):
        found = loss(*half)
        assert keras.backend.standardize_dtype(found.dtype) == "float32"
        np.testing.assert_array_equal(to_numpy(found), to_numpy(loss(*whole)))


@pytest.mark.parametrize(
    ("name", "compute", "variable", "floatx"),
    [
        ("float32", "float32", "float32", "float32"),
        ("mixed_bfloat16", "bfloat16", "float32", "float32"),
        ("mixed_float16", "float16", "float32", "float32"),
        ("float64", "float64", "float64", "float64"),
    ],
)
def test_new_layers_have_the_precision_inside_the_block_only(name, compute, variable, floatx):
    with precision.computing_in(name):
        layer = keras.layers.Dense(1)
        assert (layer.compute_dtype, layer.variable_dtype) == (compute, variable)
        assert keras.config.floatx() == floatx
        assert keras.Input((1,)).dtype == floatx
    assert keras.layers.Dense(1).compute_dtype == "float32"
    assert keras.config.floatx() == "float32"

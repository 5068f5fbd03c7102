"""The weight-normalised convolutions against the original code (tests/goldens)."""

import numpy as np
import pytest
from keras import ops

from improved_gan_tf.layers.activations import leaky_rectify, rectify
from improved_gan_tf.layers.data_dependent import initialize_from_data
from improved_gan_tf.layers.weight_norm.conv import WeightNormConv2D
from improved_gan_tf.layers.weight_norm.conv_transpose import WeightNormConv2DTranspose
from improved_gan_tf.layers.weight_norm.removal import remove_weight_norm
from tests.support.numerics import BACKEND, assert_close, float64, gradients, layer_loss, to_numpy
from tests.support.places import GOLDENS

# float64 on both sides: an independent reimplementation agrees to 5e-12.
LINEAR_TOLERANCE = 1e-9
# Keras's mean, tanh and maximum are float32 on JAX and PyTorch, whatever their argument.
TOLERANCE = 1e-9 if BACKEND == "tensorflow" else 1e-6

DOUBLING = {"kernel_size": 5, "strides": 2, "padding": 2, "output_padding": 1}
CASES = {
    "wn_conv_s1_p0": (WeightNormConv2D, {"kernel_size": 3}, leaky_rectify, "W_param__hwio"),
    "wn_conv_s1_p1": (
        WeightNormConv2D,
        {"kernel_size": 3, "padding": 1},
        leaky_rectify,
        "W_param__hwio",
    ),
    "wn_conv_s2_p1": (
        WeightNormConv2D,
        {"kernel_size": 3, "padding": 1, "strides": 2},
        leaky_rectify,
        "W_param__hwio",
    ),
    "wn_nin": (WeightNormConv2D, {"kernel_size": 1}, leaky_rectify, "W_param"),
    "wn_deconv_4to8": (WeightNormConv2DTranspose, DOUBLING, ops.tanh, "W_param__tf"),
    "wn_deconv_8to16_g_fixed": (WeightNormConv2DTranspose, DOUBLING, rectify, "W_param__tf"),
}


@pytest.fixture(autouse=True)
def _float64():
    with float64():
        yield


@pytest.fixture(params=sorted(CASES))
def case(request):
    """A layer with the original's parameters, the golden arrays, and the kernel's key."""
    layer_class, geometry, activation, kernel_key = CASES[request.param]
    golden = dict(np.load(GOLDENS / f"{request.param}.npz"))
    layer = layer_class(
        len(golden["g"]),
        activation=activation,
        train_scale=bool(golden["g_trainable"]),
        init_stddev=float(golden["init_stdv"]),
        **geometry,
    )
    layer.build(golden["x__nhwc"].shape)
    kernel = golden[kernel_key].astype("float64")
    layer.kernel.assign(kernel.reshape(layer.kernel.shape))
    layer.scale.assign(golden["g"].astype("float64"))
    layer.bias.assign(golden["b"].astype("float64"))
    return layer, golden, kernel_key


def test_forward(case):
    layer, golden, _ = case
    assert_close(layer(golden["x__nhwc"].astype("float64")), golden["out__nhwc"], TOLERANCE)


def test_effective_kernel(case):
    layer, golden, kernel_key = case
    factor = layer._scale_over_norm()
    if isinstance(layer, WeightNormConv2DTranspose):
        factor = ops.expand_dims(factor, -1)
    expected = golden[kernel_key.replace("W_param", "W_eff")]
    assert_close(layer.kernel * factor, expected.reshape(layer.kernel.shape), LINEAR_TOLERANCE)


def test_gradients(case):
    layer, golden, kernel_key = case
    values = [to_numpy(w) for w in layer.weights]
    loss = layer_loss(layer, golden["R__nhwc"].astype("float64"))
    d_x, *d_weights = gradients(loss, golden["x__nhwc"].astype("float64"), *values)
    actual = dict(zip([w.name for w in layer.weights], d_weights, strict=True))
    d_kernel = golden["d_" + kernel_key].reshape(layer.kernel.shape)
    assert_close(d_x, golden["d_x__nhwc"], TOLERANCE)
    assert_close(actual["kernel"], d_kernel, TOLERANCE)
    assert_close(actual["scale"], golden["d_g"], TOLERANCE)
    assert_close(actual["bias"], golden["d_b"], TOLERANCE)


def test_which_weights_are_trained(case):
    layer, golden, _ = case
    expected = {"kernel", "bias"} | ({"scale"} if golden["g_trainable"] else set())
    assert {w.name for w in layer.trainable_weights} == expected


def test_initialization_pass(case):
    layer, golden, _ = case
    x = golden["x__nhwc"].astype("float64")
    assert_close(initialize_from_data(layer, x), golden["init_out__nhwc"], TOLERANCE)
    assert_close(layer.scale, golden["init_g"], TOLERANCE)
    assert_close(layer.bias, golden["init_b"], TOLERANCE)
    assert_close(layer(x), golden["out_after_init__nhwc"], TOLERANCE)


LINEAR_CASES = {
    "lin_conv_s2_p1": (WeightNormConv2D, {"kernel_size": 3, "padding": 1, "strides": 2}, "hwio"),
    "lin_conv_s2_p1_odd": (
        WeightNormConv2D,
        {"kernel_size": 3, "padding": 1, "strides": 2},
        "hwio",
    ),
    "lin_deconv_4to8": (WeightNormConv2DTranspose, DOUBLING, "tf"),
    "lin_deconv_16to32": (WeightNormConv2DTranspose, DOUBLING, "tf"),
}


@pytest.fixture(params=sorted(LINEAR_CASES))
def linear_case(request):
    """A layer whose scale is its kernel's norm: it computes what the plain layer does."""
    layer_class, geometry, layout = LINEAR_CASES[request.param]
    golden = dict(np.load(GOLDENS / f"{request.param}.npz"))
    kernel = golden[f"W__{layout}"].astype("float64")
    layer = layer_class(len(golden["b"]), epsilon=0.0, **geometry)
    layer.build(golden["x__nhwc"].shape)
    layer.kernel.assign(kernel)
    axes = (0, 1, 3) if layout == "tf" else (0, 1, 2)
    layer.scale.assign(np.sqrt(np.sum(kernel**2, axis=axes)))
    layer.bias.assign(golden["b"].astype("float64"))
    return layer, golden, golden[f"d_W__{layout}"]


def test_geometry_of_the_original_layers(linear_case):
    layer, golden, _ = linear_case
    assert_close(layer(golden["x__nhwc"].astype("float64")), golden["out__nhwc"], LINEAR_TOLERANCE)


def test_plain_layers_have_the_gradients_of_the_original_layers(linear_case):
    layer, golden, d_kernel = linear_case
    plain = remove_weight_norm(layer)
    values = [to_numpy(w) for w in plain.weights]
    loss = layer_loss(plain, golden["R__nhwc"].astype("float64"))
    d_x, actual_d_kernel, d_bias = gradients(loss, golden["x__nhwc"].astype("float64"), *values)
    assert_close(d_x, golden["d_x__nhwc"], LINEAR_TOLERANCE)
    assert_close(actual_d_kernel, d_kernel, LINEAR_TOLERANCE)
    assert_close(d_bias, golden["d_b"], LINEAR_TOLERANCE)

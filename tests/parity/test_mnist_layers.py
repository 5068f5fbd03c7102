"""The dense and batch-norm layers against the original code (tests/goldens/units.md)."""

import numpy as np
import pytest
from keras import ops

from improved_gan_tf.layers.activations import leaky_rectify, rectify
from improved_gan_tf.layers.batch_statistics_norm import BatchStatisticsNorm
from improved_gan_tf.layers.data_dependent import initialize_from_data
from improved_gan_tf.layers.weight_norm.dense import WeightNormDense
from tests.support.numerics import assert_close, gradients, layer_loss, to_numpy
from tests.support.places import GOLDENS

pytestmark = pytest.mark.usefixtures("float64")


# file -> (arguments of the layer, original names of kernel and scale)
DENSE = {
    "old_dense_relu": (
        {"units": 6, "activation": rectify, "epsilon": 0.0},
        "theta",
        "weight_scale",
    ),
    "old_dense_out": (
        {"units": 6, "epsilon": 0.0, "train_scale": True},
        "theta",
        "weight_scale",
    ),
    "wn_dense_lrelu": ({"units": 5, "activation": leaky_rectify}, "W_param", "g"),
    "wn_dense_out": ({"units": 10, "train_scale": True, "init_stddev": 0.1}, "W_param", "g"),
    "l2norm_dense_sigmoid": (
        {"units": 6, "activation": "sigmoid", "train_scale": True},
        "W",
        "W_scale",
    ),
}
INITIALIZED = sorted(set(DENSE) - {"l2norm_dense_sigmoid"})

BATCH_NORM = {
    "bn_dense_softplus": (ops.softplus, ""),
    "bn_dense_relu": (rectify, ""),
    "bn_conv_relu": (rectify, "__nhwc"),
}


def load(name):
    return np.load(GOLDENS / f"{name}.npz", allow_pickle=False)


def dense(name):
    """The layer with the original's parameters, and the golden."""
    arguments, kernel, scale = DENSE[name]
    golden = load(name)
    layer = WeightNormDense(**arguments)
    layer.build(golden["x"].shape)
    layer.kernel.assign(golden[kernel])
    layer.scale.assign(golden[scale])
    layer.bias.assign(golden["b"])
    return layer, golden


@pytest.mark.parametrize("name", sorted(DENSE))
def test_dense_outputs_equal_the_original(name):
    layer, golden = dense(name)
    assert_close(layer(golden["x"]), golden["out"])


@pytest.mark.parametrize("name", sorted(DENSE))
def test_dense_gradients_equal_the_original(name):
    layer, golden = dense(name)
    _, kernel, scale = DENSE[name]
    loss = layer_loss(layer, golden["R"])
    d_x, *d_weights = gradients(loss, golden["x"], *[to_numpy(w) for w in layer.weights])
    actual = dict(zip([w.name for w in layer.weights], d_weights, strict=True))
    assert_close(d_x, golden["d_x"])
    assert_close(actual["kernel"], golden[f"d_{kernel}"])
    assert_close(actual["scale"], golden[f"d_{scale}"])
    assert_close(actual["bias"], golden["d_b"])


@pytest.mark.parametrize("name", ["wn_dense_lrelu", "wn_dense_out"])
def test_dense_effective_kernel_equals_the_original(name):
    layer, golden = dense(name)
    without_bias = layer._linear(np.eye(len(golden["W_param"])))
    assert_close(without_bias, golden["W_eff"])


@pytest.mark.parametrize("name", INITIALIZED)
def test_dense_initialization_pass_equals_the_original(name):
    layer, golden = dense(name)
    scale = DENSE[name][2]
    assert_close(initialize_from_data(layer, golden["x"]), golden["init_out"])
    assert_close(layer.scale, golden[f"init_{scale}"])
    assert_close(layer.bias, golden["init_b"])
    assert_close(layer(golden["x"]), golden["out_after_init"])


def batch_norm(name):
    """The layer with the original's shift, the golden, and the arrays' suffix."""
    golden = load(name)
    suffix = BATCH_NORM[name][1]
    layer = BatchStatisticsNorm()
    layer.build(golden["x" + suffix].shape)
    layer.beta.assign(golden["b"])
    return layer, golden, suffix


@pytest.mark.parametrize("name", sorted(BATCH_NORM))
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_outputs_equal_the_original(name, training):
    layer, golden, suffix = batch_norm(name)
    outputs = BATCH_NORM[name][0](layer(golden["x" + suffix], training=training))
    assert_close(outputs, golden["out" + suffix])


@pytest.mark.parametrize("name", sorted(BATCH_NORM))
def test_batch_norm_gradients_equal_the_original(name):
    layer, golden, suffix = batch_norm(name)
    activation = BATCH_NORM[name][0]

    def loss(x, beta):
        outputs, _ = layer.stateless_call([beta], [], x)
        return ops.sum(activation(outputs) * golden["R" + suffix])

    d_x, d_beta = gradients(loss, golden["x" + suffix], golden["b"])
    assert_close(d_x, golden["d_x" + suffix])
    assert_close(d_beta, golden["d_b"])

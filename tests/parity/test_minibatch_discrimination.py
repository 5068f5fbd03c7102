"""Minibatch discrimination against the original code (tests/goldens/minibatch.md)."""

import numpy as np
import pytest
from keras import ops

from improved_gan_tf.layers.data_dependent import initialize_from_data
from improved_gan_tf.layers.minibatch_discrimination import direct_kernel_sums
from improved_gan_tf.layers.minibatch_discrimination.layer import MinibatchDiscrimination
from tests.support.numerics import assert_close, float64, gradients, layer_loss
from tests.support.places import GOLDENS

CASES = {"minibatch_small": True, "minibatch_full_8_kernels": False}  # is the input in `out`?


@pytest.fixture(params=[True, False], ids=["direct", "loop"])
def way(request, monkeypatch):
    """Has the layer take one of its two ways over the pairs, whatever the shape."""
    monkeypatch.setattr(direct_kernel_sums, "is_faster", lambda shape: request.param)


@pytest.fixture(params=CASES)
def golden(request, way):
    with np.load(GOLDENS / f"{request.param}.npz") as arrays, float64():
        golden = {key: arrays[key].astype("float64") for key in arrays}
        layer = MinibatchDiscrimination(
            *golden["log_weight_scale"].shape, concatenate_input=CASES[request.param]
        )
        layer.build((None, golden["x"].shape[1]))
        layer.theta.assign(golden["theta"])
        layer.log_weight_scale.assign(golden["log_weight_scale"])
        layer.bias.assign(golden["b"])
        yield layer, golden


def test_forward(golden):
    layer, golden = golden
    assert_close(layer(ops.convert_to_tensor(golden["x"])), golden["out"])


def test_gradients(golden):
    layer, golden = golden
    arrays = [golden[key] for key in ("x", "theta", "log_weight_scale", "b")]
    results = gradients(layer_loss(layer, golden["R"]), *arrays)
    for name, result in zip(("d_x", "d_theta", "d_log_weight_scale", "d_b"), results, strict=True):
        if name in golden:  # `d_x` is kept for the small case only
            assert_close(result, golden[name])


def test_data_dependent_initialization(golden):
    layer, golden = golden
    x = ops.convert_to_tensor(golden["x"])
    assert_close(initialize_from_data(layer, x), golden["init_out"])
    assert_close(layer.log_weight_scale, golden["init_log_weight_scale"])
    assert_close(layer.bias, golden["init_b"])
    assert_close(layer(x), golden["out_after_init"])

"""Cross batch norm against NumPy loops, and what each half of the batch reaches."""

import keras
import numpy as np
import pytest
from keras import ops

from improved_gan_tf.layers.cross_batch_norm import CrossBatchNorm
from tests.reference.cross_batch_norm import cross_batch_norm
from tests.support.numerics import finite_differences, gradients, layer_loss, to_numpy


def random(*shape, seed=0, dtype="float64"):
    return np.random.RandomState(seed).normal(2.0, 3.0, size=shape).astype(dtype)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("shape", [(6, 4), (4, 3, 2), (8, 3, 2, 6)])
def test_it_equals_the_loops(shape):
    layer, x = CrossBatchNorm(epsilon=0.01), random(*shape)
    layer.build(shape)
    gamma, beta = random(shape[-1], seed=1), random(shape[-1], seed=2)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    expected = cross_batch_norm(x, gamma, beta, 0.01)
    np.testing.assert_allclose(to_numpy(layer(x)), expected, rtol=1e-10, atol=1e-10)


def test_in_its_first_channels_the_real_rows_are_standard_in_the_last_the_generated_ones():
    layer, x = CrossBatchNorm(gamma_initializer="ones"), random(20, 5, 5, 4, dtype="float32")
    outputs = to_numpy(layer(x))
    for rows, channels in ((slice(0, 10), slice(0, 2)), (slice(10, 20), slice(2, 4))):
        part = outputs[rows, :, :, channels]
        np.testing.assert_allclose(part.mean((0, 1, 2)), 0.0, atol=1e-5)
        np.testing.assert_allclose(part.std((0, 1, 2)), 1.0, rtol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_float16", "float16"])
def test_half_precision_takes_its_squares_in_float32(policy):
    layer = CrossBatchNorm(gamma_initializer="ones", dtype=policy)
    x = np.repeat([[300.0, 300.0], [900.0, 900.0]] * 2, 50, axis=0).astype("float16")
    outputs = to_numpy(layer(x))  # 300 squared overflows float16
    assert outputs.dtype == np.float16
    np.testing.assert_allclose(np.abs(outputs), 1.0, rtol=1e-3)


def test_a_changed_row_of_one_kind_leaves_the_other_kinds_channels_of_other_rows_alone():
    layer, x = CrossBatchNorm(), random(8, 4, dtype="float32")
    before = to_numpy(layer(x))
    x[5] += 10.0  # generated
    change = np.abs(to_numpy(layer(x)) - before)
    others = [0, 1, 2, 3, 4, 6, 7]
    np.testing.assert_array_equal(change[others, :2], 0.0)
    assert (change[others, 2:] > 1e-3).all()


def test_inference_equals_training_and_earlier_batches_leave_no_trace():
    layer, x = CrossBatchNorm(), random(6, 4, dtype="float32")
    before = to_numpy(layer(x, training=True))
    layer(100.0 * random(6, 4, seed=1, dtype="float32"), training=True)
    np.testing.assert_array_equal(to_numpy(layer(x, training=False)), before)


@pytest.mark.usefixtures("float64")
def test_gradients_flow_through_the_statistics():
    layer, x = CrossBatchNorm(), random(4, 2, 2)
    layer(x)
    loss = layer_loss(layer, random(4, 2, 2, seed=3))
    values = [x, *map(to_numpy, layer.weights)]
    exact, estimated = gradients(loss, *values), finite_differences(loss, *values)
    for a, b in zip(exact, estimated, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_the_defaults_are_the_originals():
    layer = CrossBatchNorm()
    layer.build((None, 4000))
    assert layer.epsilon == 1e-5
    assert to_numpy(layer.gamma).mean() == pytest.approx(1.0, abs=0.002)
    assert to_numpy(layer.gamma).std() == pytest.approx(0.02, rel=0.1)
    np.testing.assert_array_equal(to_numpy(layer.beta), 0.0)


def test_the_smallest_variance_is_epsilon():
    layer = CrossBatchNorm(epsilon=0.25, gamma_initializer="ones")
    outputs = to_numpy(layer(np.array([[1.0, 5.0], [3.0, 5.0]], "float32")))
    # One row of each kind: no variance, so a deviation of sqrt(0.25).
    np.testing.assert_allclose(outputs, [[0.0, 0.0], [4.0, 0.0]], atol=1e-6)


@pytest.mark.parametrize("epsilon", [0.0, -1.0])
def test_an_epsilon_that_is_not_positive_is_refused(epsilon):
    with pytest.raises(ValueError, match=r"`epsilon` must be positive\. Received: epsilon="):
        CrossBatchNorm(epsilon=epsilon)


@pytest.mark.parametrize("shape", [(4, 3), (4, None)])
def test_odd_or_unknown_channels_are_refused(shape):
    with pytest.raises(ValueError, match=r"must be known and even: .* Received: input_shape=\(4,"):
        CrossBatchNorm().build(shape)


def test_an_odd_batch_is_refused():
    with pytest.raises(
        ValueError, match=r"as many real as generated rows, .* Received: a batch of 3\b"
    ):
        CrossBatchNorm()(np.zeros((3, 4), "float32"))


def test_an_odd_batch_of_unknown_size_fails():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, CrossBatchNorm()(inputs))
    with pytest.raises(Exception, match=r"as many real as generated rows, .*a batch of\D*3"):
        model.predict(np.zeros((3, 4), "float32"), verbose=0)
    assert model.predict(np.zeros((6, 4), "float32"), verbose=0).shape == (6, 4)


def test_integers_are_refused():
    with pytest.raises(ValueError, match=r"must be floating point\. Received: dtype=int32"):
        CrossBatchNorm()(ops.zeros((2, 4), "int32"))

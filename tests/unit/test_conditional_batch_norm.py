"""Batch normalization, plain and conditional: statistics, standing statistics, bad input."""

import keras
import numpy as np
import pytest

from improved_gan_tf.layers import (
    BatchNorm,
    ConditionalBatchNorm,
    SpectralNormDense,
    set_standing_statistics,
)
from tests.support.numerics import to_numpy


def examples(*shape, seed=0):
    return np.random.default_rng(seed).normal(2.0, 3.0, size=shape).astype("float32")


def test_training_normalises_by_the_batch_and_moves_the_averages():
    layer, x = BatchNorm(momentum=0.75, epsilon=1e-8), examples(5, 4, 3)
    outputs = to_numpy(layer(x, training=True))
    np.testing.assert_allclose(outputs.mean((0, 1)), 0.0, atol=1e-5)
    np.testing.assert_allclose(outputs.std((0, 1)), 1.0, rtol=1e-5)
    np.testing.assert_allclose(to_numpy(layer.moving_mean), 0.25 * x.mean((0, 1)), rtol=1e-5)
    variance = 0.75 + 0.25 * x.var((0, 1), ddof=1)
    np.testing.assert_allclose(to_numpy(layer.moving_variance), variance, rtol=1e-5)


def test_evaluation_normalises_by_the_averages_and_leaves_them():
    layer, x = BatchNorm(epsilon=1e-5), examples(5, 3)
    layer.build(x.shape)
    layer.moving_mean.assign([1.0, 2.0, 3.0])
    layer.moving_variance.assign([4.0, 9.0, 16.0])
    layer.gamma.assign([1.0, 2.0, 3.0])
    layer.beta.assign([0.0, 0.0, 5.0])
    expected = (x - [1, 2, 3]) / np.sqrt(np.array([4, 9, 16]) + 1e-5) * [1, 2, 3] + [0, 0, 5]
    np.testing.assert_allclose(to_numpy(layer(x)), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(to_numpy(layer.moving_mean), [1.0, 2.0, 3.0])


def test_every_example_has_the_gain_and_bias_of_its_class():
    layer, x, labels = ConditionalBatchNorm(num_classes=3), examples(4, 2, 2, 2), [2, 0, 2, 1]
    inputs = [x, np.array(labels)]
    layer(inputs)
    gain, bias = examples(3, 2, seed=1), examples(3, 2, seed=2)
    layer.gain.embeddings.assign(gain)
    layer.bias.embeddings.assign(bias)
    normal = x / np.sqrt(1.0 + 1e-5)
    expected = normal * (1.0 + gain[labels])[:, None, None] + bias[labels][:, None, None]
    np.testing.assert_allclose(to_numpy(layer(inputs)), expected, rtol=1e-5, atol=1e-5)


def test_the_class_of_an_example_does_not_matter_with_gain_and_bias_zero():
    layer = ConditionalBatchNorm(3, gain_initializer="zeros", bias_initializer="zeros")
    x = examples(6, 4)
    one, other = (layer([x, np.full(6, label)], training=True) for label in (0, 2))
    np.testing.assert_array_equal(to_numpy(one), to_numpy(other))


def small_generator():
    z, y = keras.Input((4,)), keras.Input((3,))
    h = ConditionalBatchNorm(spectral_norm=True)([SpectralNormDense(5)(z), y])
    return keras.Model([z, y], BatchNorm()(h))


def test_standing_statistics_are_the_mean_of_the_batches_and_move_nothing_else():
    model = small_generator()
    batches = [[examples(8, 4, seed=i), examples(8, 3, seed=10 + i)] for i in range(3)]
    before = {w.path: to_numpy(w) for w in model.weights}
    # u makes its steps meanwhile, and stands where it did in the end.
    dense = model.layers[1]
    seen = [to_numpy(dense(z, training=True)) for z, _ in batches]
    dense.u.assign(before[dense.u.path])
    dense.singular_values.assign(before[dense.singular_values.path])
    set_standing_statistics(model, batches)
    changed = {w.name for w in model.weights if not np.array_equal(before[w.path], to_numpy(w))}
    assert changed == {"moving_mean", "moving_variance"}
    (norm,) = [layer for layer in model.layers if isinstance(layer, ConditionalBatchNorm)]
    mean, variance = (np.mean([f(x, 0) for x in seen], 0) for f in (np.mean, np.var))
    np.testing.assert_allclose(to_numpy(norm.moving_mean), mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(to_numpy(norm.moving_variance), variance, rtol=1e-4)


def test_standing_statistics_need_a_layer_and_a_batch():
    with pytest.raises(ValueError, match=r"found no `BatchNorm` or `ConditionalBatchNorm`"):
        set_standing_statistics(keras.Sequential([keras.Input((3,))]), [examples(2, 3)])
    with pytest.raises(ValueError, match=r"at least one batch. Received: none"):
        set_standing_statistics(small_generator(), [])


def test_standing_statistics_that_fail_leave_everything_as_it_was():
    model = small_generator()
    before = {w.path: to_numpy(w) for w in model.variables}

    def batches():
        yield [examples(8, 4), examples(8, 3)]
        raise RuntimeError("the batches end early")

    with pytest.raises(RuntimeError, match="the batches end early"):
        set_standing_statistics(model, batches())
    for variable in model.variables:
        np.testing.assert_array_equal(to_numpy(variable), before[variable.path])


def test_standing_statistics_do_not_move_the_noise_and_name_a_layer_that_is_not_called():
    noisy = keras.Sequential([keras.Input((4,)), keras.layers.GaussianNoise(1.0), BatchNorm()])
    seeds = [to_numpy(v) for v in noisy.non_trainable_variables if "seed" in v.path]
    set_standing_statistics(noisy, [examples(8, 4)])
    again = [to_numpy(v) for v in noisy.non_trainable_variables if "seed" in v.path]
    assert len(seeds) == 1
    np.testing.assert_array_equal(again, seeds)

    class Idle(keras.Model):
        def __init__(self):
            super().__init__(name="idle")
            self.used, self.unused = BatchNorm(name="used"), BatchNorm(name="unused")

        def build(self, shape):
            self.used.build(shape)
            self.unused.build(shape)

        def call(self, x, training=False):
            return self.used(x, training=training)

    with pytest.raises(ValueError, match=r"'idle' did not call: unused"):
        set_standing_statistics(Idle(), [examples(8, 4)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"momentum": 1.0}, r"`momentum` must lie in \[0, 1\). Received: momentum=1.0"),
        ({"epsilon": 0.0}, r"`epsilon` must be positive. Received: epsilon=0.0"),
        ({"cross_replica": "both"}, r"`cross_replica` must be one of .*Received: .*'both'"),
        ({"num_classes": 0}, r"`num_classes` must be a positive integer"),
        ({"num_classes": 3, "spectral_norm": True}, r"`spectral_norm` is for linear maps"),
    ],
)
def test_an_argument_out_of_range_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ConditionalBatchNorm(**options)


def test_the_wrong_inputs_are_refused():
    x = examples(4, 2, 2, 3)
    with pytest.raises(ValueError, match=r"takes a list of two, \[x, condition\]. Received: \(4, "):
        ConditionalBatchNorm()(x)
    with pytest.raises(ValueError, match=r"must be vectors \(N, D\), or labels \(N,\)"):
        ConditionalBatchNorm()([x, np.arange(4)])
    with pytest.raises(ValueError, match=r"must be vectors \(N, D\), or labels \(N,\)"):
        ConditionalBatchNorm(num_classes=3)([x, examples(4, 3)])
    layer, labels = ConditionalBatchNorm(num_classes=3), np.arange(4) % 3
    layer([x, labels])
    for training in (True, False):  # one channel would be broadcast to three
        with pytest.raises(ValueError, match=r"was built for 3 channels\. Received: .*4, 2, 2, 1"):
            layer([examples(4, 2, 2, 1), labels], training=training)
    with pytest.raises(ValueError, match=r"must be floating point\. Received: dtype=int"):
        BatchNorm()(np.ones((4, 3), "int32"))
    with pytest.raises(ValueError, match="whose last dimension must be known"):
        BatchNorm()(keras.Input((4, None)))


def test_a_layer_that_is_not_to_be_trained_is_in_evaluation_as_in_keras():
    x, labels = examples(8, 3), np.arange(8) % 2
    for layer, inputs in (
        (BatchNorm(), x),
        (ConditionalBatchNorm(num_classes=2), [x, labels]),
    ):
        expected = to_numpy(layer(inputs, training=False))
        layer.trainable = False
        np.testing.assert_array_equal(to_numpy(layer(inputs, training=True)), expected)
        np.testing.assert_array_equal(to_numpy(layer.moving_mean), 0.0)
        set_standing_statistics(layer, [inputs])  # what it asks for is the batch's
        np.testing.assert_allclose(to_numpy(layer.moving_mean), x.mean(0), rtol=1e-5)


def test_a_layer_that_is_not_to_be_trained_leaves_its_norms_where_they_are():
    x, condition = examples(8, 3), examples(8, 4, seed=1)
    layer = ConditionalBatchNorm(spectral_norm=True)
    layer([x, condition], training=True)
    layer.trainable = False
    before = layer.get_weights()
    layer([x, condition], training=True)
    for one, other in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)

"""The generators' batch norm against hand-made numbers and NumPy's definition."""

import keras
import numpy as np
import pytest

from improved_gan_tf.layers.batch_statistics_norm import BatchStatisticsNorm
from tests.support.numerics import to_numpy


def random(*shape, seed=0):
    return np.random.RandomState(seed).normal(2.0, 3.0, size=shape).astype("float32")


def test_two_values_become_minus_one_and_one():
    outputs = to_numpy(BatchStatisticsNorm()(np.array([[1.0], [3.0]], "float32")))
    np.testing.assert_allclose(outputs, [[-1.0], [1.0]], rtol=1e-5)


def test_epsilon_is_added_inside_the_root():
    layer = BatchStatisticsNorm(epsilon=3.0)
    outputs = to_numpy(layer(np.array([[1.0], [3.0]], "float32")))  # variance 1
    np.testing.assert_allclose(outputs, [[-0.5], [0.5]], rtol=1e-6)


def test_the_default_epsilon_is_a_millionth():
    outputs = to_numpy(BatchStatisticsNorm()(np.array([[-1e-3], [1e-3]], "float32")))
    np.testing.assert_allclose(outputs[1], [np.sqrt(0.5)], rtol=1e-4)


@pytest.mark.parametrize("shape", [(6, 3), (5, 4, 3), (4, 3, 2, 3)])
def test_statistics_are_over_every_axis_but_the_last(shape):
    x = random(*shape)
    layer = BatchStatisticsNorm()
    layer.build(shape)
    layer.beta.assign([1.0, -2.0, 0.5])
    axes = tuple(range(len(shape) - 1))
    expected = (x - x.mean(axes)) / np.sqrt(x.var(axes) + 1e-6) + [1.0, -2.0, 0.5]
    np.testing.assert_allclose(to_numpy(layer(x)), expected, rtol=1e-4, atol=1e-5)


def test_inference_uses_the_batch_at_hand_too():
    layer, x = BatchStatisticsNorm(), random(8, 3)
    np.testing.assert_array_equal(
        to_numpy(layer(x, training=True)), to_numpy(layer(x, training=False))
    )


def test_earlier_batches_leave_no_trace():
    layer, x = BatchStatisticsNorm(), random(8, 3)
    before = to_numpy(layer(x, training=True))
    layer(random(8, 3, seed=1) * 100.0, training=True)
    np.testing.assert_array_equal(to_numpy(layer(x, training=True)), before)


def test_a_shift_is_the_only_weight():
    layer = BatchStatisticsNorm()
    layer.build((None, 4))
    assert [w.name for w in layer.weights] == ["beta"]
    assert layer.beta.trainable
    np.testing.assert_array_equal(to_numpy(layer.beta), np.zeros(4))


def test_the_shift_starts_as_its_initializer_says():
    layer = BatchStatisticsNorm(beta_initializer=keras.initializers.Constant(2.0))
    outputs = to_numpy(layer(random(8, 3)))
    np.testing.assert_allclose(outputs.mean(0), [2.0, 2.0, 2.0], rtol=1e-4)


def test_with_a_scale_each_channel_has_its_own_deviation():
    scale = keras.initializers.Constant([1.0, 3.0])
    layer = BatchStatisticsNorm(scale=True, gamma_initializer=scale, beta_initializer="ones")
    outputs = to_numpy(layer(random(64, 2)))
    np.testing.assert_allclose(outputs.mean(0), [1.0, 1.0], atol=1e-5)
    np.testing.assert_allclose(outputs.std(0), [1.0, 3.0], rtol=1e-4)
    assert [w.name for w in layer.trainable_weights] == ["beta", "gamma"]


def test_a_large_mean_does_not_eat_the_variance():
    x = np.array([[1000.0], [1001.0], [1002.0]], "float32")  # mean of squares would cancel
    outputs = to_numpy(BatchStatisticsNorm()(x))
    np.testing.assert_allclose(outputs[:, 0], [-np.sqrt(1.5), 0.0, np.sqrt(1.5)], atol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_float16", "float16"])
def test_half_precision_takes_its_sums_in_float32(policy):
    layer = BatchStatisticsNorm(dtype=policy)
    x = np.tile(np.array([[300.0], [500.0]], "float16"), (600, 1))  # sums overflow float16
    outputs = to_numpy(layer(x))
    assert outputs.dtype == np.float16
    np.testing.assert_allclose(outputs[:2], [[-1.0], [1.0]], rtol=1e-3)


def test_the_config_rebuilds_the_layer():
    layer = BatchStatisticsNorm(epsilon=0.5, beta_initializer="ones", name="bn")
    config = BatchStatisticsNorm.from_config(layer.get_config()).get_config()
    assert config == layer.get_config()
    assert config["epsilon"] == 0.5
    assert config["name"] == "bn"


def test_the_declared_output_shape_is_the_inputs():
    assert BatchStatisticsNorm().compute_output_shape((None, 4, 4, 7)) == (None, 4, 4, 7)


@pytest.mark.parametrize("epsilon", [0.0, -1e-6, float("nan")])
def test_an_epsilon_that_is_not_positive_is_refused(epsilon):
    with pytest.raises(ValueError, match=rf"`epsilon` must be positive\. Received: .*={epsilon}"):
        BatchStatisticsNorm(epsilon=epsilon)


def test_an_unknown_number_of_channels_is_refused():
    with pytest.raises(ValueError, match=r"last dimension .* must be known.*input_shape="):
        BatchStatisticsNorm().build((4, None))


def test_an_input_without_channels_is_refused():
    with pytest.raises(ValueError, match="min_ndim=2"):
        BatchStatisticsNorm()(np.ones(3, "float32"))


def test_another_number_of_channels_than_built_for_is_refused():
    layer = BatchStatisticsNorm()
    layer(random(4, 3))
    with pytest.raises(ValueError, match="expected axis -1"):
        layer(random(4, 5))

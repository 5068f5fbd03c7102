"""BigGAN's average of the generator's weights: the original's numbers, its start, bad input."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf.training.weight_average import WeightAverage
from tests.support.places import GOLDENS


@pytest.mark.parametrize("start", [0, 3])
def test_the_averages_equal_the_original(start):
    golden = np.load(GOLDENS / "systems/weight_average.npz", allow_pickle=False)
    parameters, averages = golden[f"start{start}__parameters"], golden[f"start{start}__averages"]
    variable = tf.Variable(parameters[0])
    average = WeightAverage([variable], decay=float(golden["decay"]), start=start)
    update = tf.function(average.update)
    np.testing.assert_array_equal(average.averages[0], averages[0])
    for parameter, expected in zip(parameters[1:], averages[1:], strict=True):
        variable.assign(parameter)
        update()
        np.testing.assert_allclose(average.averages[0], expected, rtol=1e-14)


def test_in_float32_one_minus_decay_is_rounded_as_in_runs_so_far():
    values = np.random.RandomState(0).normal(size=(2, 50)).astype("float32")
    variable = tf.Variable(values[0])
    average = WeightAverage([variable], decay=0.9999)
    variable.assign(values[1])
    average.update()
    decay = np.float32(0.9999)
    expected = decay * values[0] + (np.float32(1.0) - decay) * values[1]
    np.testing.assert_array_equal(average.averages[0], expected)


def test_until_the_start_the_averages_are_the_weights():
    variable = tf.Variable([1.0, 2.0])
    average = WeightAverage([variable], decay=0.5, start=3)
    for value in (5.0, 7.0):
        variable.assign([value, value])
        average.update()
        np.testing.assert_array_equal(average.averages[0], [value, value])
    variable.assign([9.0, 11.0])
    average.update()  # number 3
    np.testing.assert_array_equal(average.averages[0], [8.0, 9.0])


def test_state_that_is_not_trained_is_averaged_and_copied_too():
    model = keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization()])
    average = WeightAverage(model.weights, decay=0.75)
    model(np.array([[1.0, 2.0], [3.0, 6.0]], "float32"), training=True)
    average.update()
    copy = keras.models.clone_model(model)
    average.copy_to(copy.weights)
    moved = model.layers[0].moving_mean.numpy()
    np.testing.assert_allclose(copy.layers[0].moving_mean.numpy(), 0.25 * moved, rtol=1e-6)
    assert len(average.averages) == len(model.weights) == 4


def test_what_was_no_number_at_first_is_one_from_its_first_value_on():
    """The reference of `PrependReference` is NaN until it is set."""
    variable = tf.Variable([np.nan, np.nan])
    average = WeightAverage([variable], decay=0.5, start=2)
    variable.assign([1.0, 2.0])
    average.update()
    np.testing.assert_array_equal(average.averages[0], [1.0, 2.0])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_small_steps_add_up_in_half_precision_too(dtype):
    variable = tf.Variable(tf.zeros(2, dtype))
    average = WeightAverage([variable], decay=0.999)
    variable.assign(tf.ones(2, dtype))
    for _ in range(200):
        average.update()
    expected = 1.0 - 0.999**200
    np.testing.assert_allclose(average.averages[0].numpy(), [expected] * 2, rtol=1e-4)
    average.copy_to([variable])
    np.testing.assert_allclose(tf.cast(variable, tf.float32), [expected] * 2, rtol=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decay": 1.0}, r"`decay` must lie in \[0, 1\). Received: decay=1.0"),
        ({"start": -1}, r"`start` must be 0 or larger. Received: start=-1"),
    ],
)
def test_an_argument_out_of_range_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        WeightAverage([tf.Variable(1.0)], **options)


def test_integers_cannot_be_averaged():
    with pytest.raises(ValueError, match=r"Only floating point .* counter:0 of dtype .*int64"):
        WeightAverage([tf.Variable(1, dtype=tf.int64, name="counter")])

"""The parameter average: starts at zero, is not corrected, follows its formula."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf.training.adam import Adam
from improved_gan_tf.training.parameter_average import ParameterAverage


def test_the_average_starts_at_zero_not_at_the_parameter():
    average = ParameterAverage([tf.Variable([4.0, 5.0])])
    np.testing.assert_array_equal(average.averages[0].numpy(), [0.0, 0.0])


def test_one_update_moves_a_ten_thousandth_of_the_way():
    average = ParameterAverage([tf.Variable([4.0, -5.0])])
    average.update()
    np.testing.assert_allclose(average.averages[0].numpy(), [4e-4, -5e-4], rtol=1e-6)


def test_a_constant_parameter_is_reached_as_one_minus_a_power():
    average = ParameterAverage([tf.Variable(3.0)], rate=0.25)
    for t in range(1, 6):
        average.update()
        expected = 3.0 * (1.0 - 0.75**t)
        assert average.averages[0].numpy() == pytest.approx(expected, rel=1e-6)


def test_updates_follow_a_moving_parameter():
    variable = tf.Variable(1.0)
    average = ParameterAverage([variable], rate=0.5)
    average.update()  # 0.5
    variable.assign(3.0)
    average.update()  # 0.5 + 0.5 (3 - 0.5)
    assert average.averages[0].numpy() == 1.75


@pytest.mark.parametrize("make", [lambda x: tf.Variable(x), lambda x: keras.Variable(x)])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_small_steps_add_up_in_half_precision_too(make, dtype):
    variable = make(tf.zeros(2, dtype))
    average = ParameterAverage([variable], rate=1e-3)
    variable.assign(tf.ones(2, dtype))
    for _ in range(200):
        average.update()
    expected = 1.0 - 0.999**200
    np.testing.assert_allclose(average.averages[0].numpy(), [expected] * 2, rtol=1e-4)
    average.copy_to([variable])
    copied = np.asarray(keras.ops.cast(variable, "float32"))
    np.testing.assert_allclose(copied, [expected] * 2, rtol=0.01)


def test_a_rate_of_one_keeps_the_last_value():
    variable = tf.Variable([1.0, 2.0])
    average = ParameterAverage([variable], rate=1.0)
    average.update()
    np.testing.assert_array_equal(average.averages[0].numpy(), [1.0, 2.0])


def test_updating_does_not_touch_the_parameter():
    variable = tf.Variable([1.0, 2.0])
    ParameterAverage([variable], rate=0.5).update()
    np.testing.assert_array_equal(variable.numpy(), [1.0, 2.0])


def test_updated_before_the_optimizer_it_takes_the_old_parameter():
    variable = keras.Variable([2.0])
    average = ParameterAverage([variable], rate=0.5)
    optimizer = Adam(learning_rate=1.0)
    optimizer.build([variable])

    @tf.function
    def step():
        average.update()
        optimizer.apply([tf.constant([1.0])], [variable])

    step()
    assert average.averages[0].numpy() == [1.0]
    assert variable.numpy() == pytest.approx([1.0], rel=1e-6)


def test_keras_variables_are_averaged_in_their_own_type():
    variables = [keras.Variable(np.ones((2, 3)), dtype="float64"), keras.Variable([1.0])]
    average = ParameterAverage(variables, rate=1e-9)
    average.update()
    assert [a.dtype for a in average.averages] == [tf.float64, tf.float32]
    np.testing.assert_allclose(average.averages[0].numpy(), np.full((2, 3), 1e-9), rtol=1e-12)


def test_copy_to_assigns_the_averages_in_order():
    average = ParameterAverage([tf.Variable(1.0), tf.Variable([2.0, 3.0])], rate=0.5)
    average.update()
    targets = [tf.Variable(9.0), tf.Variable([9.0, 9.0])]
    average.copy_to(targets)
    assert targets[0].numpy() == 0.5
    np.testing.assert_array_equal(targets[1].numpy(), [1.0, 1.5])


def test_copy_to_another_number_of_variables_is_refused():
    average = ParameterAverage([tf.Variable(1.0), tf.Variable(2.0)])
    with pytest.raises(ValueError, match="zip"):
        average.copy_to([tf.Variable(0.0)])


@pytest.mark.parametrize("rate", [0.0, -1.0, 2.0, float("nan")])
def test_a_rate_out_of_its_range_is_refused(rate):
    with pytest.raises(ValueError, match=rf"`rate` must .* Received: rate={rate}"):
        ParameterAverage([], rate)

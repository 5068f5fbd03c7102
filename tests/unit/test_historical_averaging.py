"""Historical averaging: its mean is exact over long runs, its penalty and gradients the paper's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf.training.historical_averaging import HistoricalAverage, two_sum


def mean_of(history, index=0):
    """The mean in float64, its remainder included."""
    return sum(np.float64(part[index].numpy()) for part in (history.means, history.remainders))


def followed(values, variable):
    """A history that has seen each of `values` in `variable`."""
    history = HistoricalAverage([variable])
    for value in values:
        variable.assign(value)
        history.update()
    return history


# --- the mean ------------------------------------------------------------------------------


def test_the_mean_is_that_of_all_values_the_present_one_included():
    theta = tf.Variable([0.0, 0.0])
    history = followed([[1.0, 8.0], [2.0, 0.0], [6.0, 1.0]], theta)
    np.testing.assert_array_equal(history.means[0].numpy(), [3.0, 3.0])
    assert history.count.numpy() == 3


def test_values_from_before_the_first_update_do_not_count():
    theta = tf.Variable([1e6])
    history = followed([[2.0], [4.0]], theta)
    assert mean_of(history) == [3.0]


def long_walk(steps, size):
    """A random walk in float32, as parameters make one, far from zero beside its steps."""
    random = np.random.RandomState(0)
    walk = 1.0 + np.cumsum(1e-3 * random.normal(size=(steps, size)), axis=0)
    return walk.astype("float32")


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_after_ten_thousand_float32_steps_the_mean_is_the_explicit_float64_mean(jit_compile):
    """Error stated: below 1e-9 of the value, where the float32 update alone is off by 1e-6."""
    walk = long_walk(10_000, 50)
    theta = tf.Variable(walk[0])
    history = HistoricalAverage([theta])
    plain = tf.Variable(walk[0])

    @tf.function(jit_compile=jit_compile)
    def follow(walk):
        for i in tf.range(tf.shape(walk)[0]):
            theta.assign(walk[i])
            history.update()
            plain.assign_add((theta - plain) / tf.cast(i + 1, tf.float32))

    follow(tf.constant(walk))
    explicit = np.mean(walk.astype("float64"), axis=0)
    assert np.max(np.abs(mean_of(history) / explicit - 1.0)) < 1e-9
    assert np.max(np.abs(plain.numpy() / explicit - 1.0)) > 1e-6


def test_after_six_hundred_thousand_steps_the_mean_still_moves():
    """The float32 increment is then below half a unit in the mean's last place."""
    theta = tf.Variable([1.0])
    history = followed([[1.0]], theta)
    count, updates = 600_000, 2_000
    history.count.assign(count)
    theta.assign([1.01])

    @tf.function
    def update():
        for _ in tf.range(updates):
            history.update()

    update()
    expected = (count * 1.0 + updates * np.float64(np.float32(1.01))) / (count + updates)
    np.testing.assert_allclose(mean_of(history), [expected], rtol=1e-11)
    assert np.float32(1.0) + np.float32(0.01 / count) == np.float32(1.0)


def test_two_sum_loses_nothing():
    a = np.array([1.0, 1e-8, 3e7, -1.0], "float32")
    b = np.array([1e-8, 1.0, 0.1, 1.0], "float32")
    total, error = (x.numpy().astype("float64") for x in two_sum(tf.constant(a), tf.constant(b)))
    np.testing.assert_array_equal(total + error, a.astype("float64") + b.astype("float64"))
    np.testing.assert_array_equal(total, (a + b).astype("float64"))


def test_float64_variables_have_float64_means_and_half_precision_ones_float32():
    variables = [
        keras.Variable([1.0], dtype="float64"),
        tf.Variable([1.0], dtype=tf.bfloat16),
        tf.Variable([1.0], dtype=tf.float16),
    ]
    history = HistoricalAverage(variables)
    assert [m.dtype for m in history.means] == [tf.float64, tf.float32, tf.float32]
    history.update()
    dtypes = [g.dtype for g in history.gradients()]
    assert dtypes == [tf.float64, tf.bfloat16, tf.float16]


# --- the penalty ---------------------------------------------------------------------------


def test_the_first_steps_penalty_is_zero():
    theta = tf.Variable([3.0, -4.0])
    history = HistoricalAverage([theta])
    theta.assign([5.0, 6.0])
    history.update()
    assert float(history.penalty()) == 0.0


def test_the_penalty_is_the_squared_distance_over_all_parameters():
    one, two = tf.Variable([[1.0, 2.0]]), tf.Variable(3.0)
    history = HistoricalAverage([one, two])
    history.update()
    one.assign([[3.0, 2.0]])
    two.assign(9.0)
    history.update()  # means (2, 2) and 6
    assert float(history.penalty()) == 1.0 + 0.0 + 9.0


def test_the_penalty_of_parameters_that_stand_still_fades_like_one_over_t_squared():
    history = followed([[0.0], *([[1.0]] * 9)], tf.Variable([0.0]))  # mean 0.9
    assert float(history.penalty()) == pytest.approx(0.01, rel=1e-5)


def test_gradients_flow_through_the_parameters_only():
    theta = tf.Variable([1.0, 2.0])
    history = followed([[0.0, 0.0], [1.0, 4.0]], theta)  # means 0.5 and 2
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(history.means)
        tape.watch(history.remainders)
        penalty = history.penalty()
    np.testing.assert_array_equal(tape.gradient(penalty, theta).numpy(), [1.0, 4.0])
    assert tape.gradient(penalty, history.means[0]) is None
    assert tape.gradient(penalty, history.remainders[0]) is None


def test_the_gradients_without_a_tape_are_those_of_the_weighted_penalty():
    variables = [tf.Variable(np.random.RandomState(0).normal(size=(3, 4)), dtype=tf.float32)]
    history = HistoricalAverage(variables)
    history.update()
    variables[0].assign_add(tf.ones((3, 4)))
    history.update()
    with tf.GradientTape() as tape:
        loss = 0.25 * history.penalty()
    (expected,) = tape.gradient(loss, variables)
    (actual,) = history.gradients(weight=0.25)
    np.testing.assert_allclose(actual.numpy(), expected.numpy(), rtol=1e-6)
    np.testing.assert_allclose(actual.numpy(), np.full((3, 4), 0.25), rtol=1e-6)


def test_the_penalty_sees_deviations_smaller_than_the_means_last_place():
    theta = tf.Variable([1.0])
    history = followed([[1.0], [1.0], [1.0], [np.nextafter(np.float32(1), np.float32(2))]], theta)
    # theta is one unit (2^-23) from 1; the mean a quarter of it, which float32 cannot hold.
    assert history.gradients()[0].numpy() == pytest.approx([2 * 0.75 * 2.0**-23], rel=1e-6)


# --- in a training loop --------------------------------------------------------------------


def test_updating_does_not_touch_the_parameters():
    theta = tf.Variable([1.0, 2.0])
    HistoricalAverage([theta]).update()
    np.testing.assert_array_equal(theta.numpy(), [1.0, 2.0])


def test_gradient_descent_orbits_on_xy_and_comes_to_rest_with_historical_averaging():
    def distance_after(weight, steps=400):
        x, y = keras.Variable(1.0), keras.Variable(1.0)
        histories = [HistoricalAverage([x]), HistoricalAverage([y])]

        @tf.function
        def play():
            for _ in tf.range(steps):
                for history in histories:
                    history.update()
                slopes = [y.value, -x.value]  # x minimises xy, y maximises it
                pulls = [history.gradients(weight)[0] for history in histories]
                x.value.assign_sub(0.1 * (slopes[0] + pulls[0]))
                y.value.assign_sub(0.1 * (slopes[1] + pulls[1]))

        play()
        return float(np.hypot(x.numpy(), y.numpy()))

    assert distance_after(0.0) > 1.0
    assert distance_after(0.1) < 0.02


def test_the_state_is_everything_that_a_later_run_needs():
    values = long_walk(6, 3)
    theta = tf.Variable(values[0])
    history = followed(values[:3], theta)
    resumed = HistoricalAverage([theta])
    assert set(resumed.state) == {"count", "mean_0", "remainder_0"}
    for name, variable in resumed.state.items():
        variable.assign(history.state[name])
    for value in values[3:]:
        theta.assign(value)
        history.update()
        resumed.update()
    np.testing.assert_array_equal(mean_of(resumed), mean_of(history))
    assert float(resumed.penalty()) == float(history.penalty()) > 0.0


def test_every_replica_has_the_mean_of_its_own_copy_and_they_are_equal():
    devices = [d.name for d in tf.config.list_logical_devices("CPU")][:2]
    strategy = tf.distribute.MirroredStrategy(devices)
    with strategy.scope():
        theta = keras.Variable([1.0, 2.0])
        history = HistoricalAverage([theta])

    @tf.function
    def step():
        strategy.run(history.update)

    for value in ([1.0, 2.0], [3.0, 6.0]):
        theta.assign(value)
        step()
    for mean in strategy.experimental_local_results(history.means[0]):
        np.testing.assert_array_equal(mean.numpy(), [2.0, 4.0])
    assert [c.numpy() for c in strategy.experimental_local_results(history.count)] == [2, 2]


def test_no_variables_are_refused():
    with pytest.raises(ValueError, match="at least one variable"):
        HistoricalAverage([])


def test_variables_of_several_dtypes_add_up():
    variables = [tf.Variable([0.0], dtype=dtype) for dtype in ("float32", "float64")]
    history = HistoricalAverage(variables)
    history.update()
    for variable, value in zip(variables, (1.0, 3.0), strict=True):
        variable.assign([value])
    history.update()  # means 0.5 and 1.5
    assert history.penalty().dtype == tf.float64
    assert float(history.penalty()) == 0.25 + 2.25

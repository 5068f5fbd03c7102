"""Adam with its epsilon inside the root, against closed forms and the docstring's formula."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf.training.adam import Adam
from improved_gan_tf.training.player_optimizers import player_optimizer


def first_step(gradient, dtype="float64", **arguments):
    """How far the first step moves a parameter at 0."""
    variable = keras.Variable(np.zeros(np.shape(gradient)), dtype=dtype)
    optimizer = Adam(learning_rate=1.0, **arguments)
    optimizer.build([variable])
    optimizer.apply([tf.constant(gradient, dtype)], [variable])
    return variable.value.numpy()


def adam_by_definition(parameter, gradients, rates, beta_1, beta_2, epsilon):
    """The docstring's formulas, in float64."""
    m = v = np.zeros_like(parameter)
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), 1):
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient**2
        m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
        parameter = parameter - rate * m_hat / np.sqrt(v_hat + epsilon)
    return parameter


def run(parameter, gradients, rates, dtype, **arguments):
    variable = keras.Variable(parameter, dtype=dtype)
    optimizer = Adam(learning_rate=0.0, **arguments)
    optimizer.build([variable])

    @tf.function
    def step(gradient):
        optimizer.apply([gradient], [variable])

    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.learning_rate.assign(rate)
        step(tf.constant(gradient, dtype))
    return variable.value.numpy()


def test_the_first_step_has_the_length_of_the_learning_rate():
    np.testing.assert_allclose(first_step([3.0, -0.2, 70.0]), [-1.0, 1.0, -1.0], rtol=1e-6)


def test_epsilon_is_inside_the_root():
    # g / sqrt(g^2 + 1e-8) with g = 1e-4: one over root two. Outside the root: 0.9999.
    np.testing.assert_allclose(first_step([1e-4]), [-np.sqrt(0.5)], rtol=1e-9)


def test_another_epsilon_is_inside_the_root_too():
    np.testing.assert_allclose(first_step([1.0], epsilon=3.0), [-0.5], rtol=1e-9)


def test_a_zero_gradient_moves_nothing():
    np.testing.assert_array_equal(first_step([0.0, 0.0]), [0.0, 0.0])


@pytest.mark.parametrize("beta_1", [0.5, 0.9])
def test_many_steps_follow_the_docstrings_formula(beta_1, float64):
    random = np.random.RandomState(3)
    parameter = random.normal(size=(4, 3))
    gradients = [random.normal(size=(4, 3)) * 10.0**-k for k in range(8)]
    rates = [0.01, 0.01, 0.02, 0.02, 0.005, 0.005, 0.001, 0.001]
    expected = adam_by_definition(parameter, gradients, rates, beta_1, 0.999, 1e-8)
    actual = run(parameter, gradients, rates, "float64", beta_1=beta_1)
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_beta_2_and_epsilon_follow_the_docstrings_formula(float64):
    random = np.random.RandomState(4)
    parameter, gradients = random.normal(size=5), list(random.normal(size=(6, 5)))
    arguments = {"beta_1": 0.3, "beta_2": 0.7, "epsilon": 0.2}
    expected = adam_by_definition(parameter, gradients, [0.1] * 6, **arguments)
    actual = run(parameter, gradients, [0.1] * 6, "float64", **arguments)
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_float32_parameters_follow_the_formula_over_many_steps():
    random = np.random.RandomState(5)
    parameter = random.normal(size=50)
    gradients = list(random.normal(size=(300, 50)) * 1e-3)
    rates = [0.003] * 300
    expected = adam_by_definition(parameter, gradients, rates, 0.5, 0.999, 1e-8)
    actual = run(parameter, gradients, rates, "float32")
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_defaults_are_the_originals():
    optimizer = Adam(learning_rate=0.003)
    assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) == (0.5, 0.999, 1e-8)


def test_it_is_restored_from_its_config():
    optimizer = Adam(0.002, beta_1=0.4, beta_2=0.99, epsilon=1e-6, name="players")
    restored = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(restored) is Adam
    assert restored.get_config() == optimizer.get_config()
    assert (restored.beta_1, restored.beta_2, restored.epsilon) == (0.4, 0.99, 1e-6)


def test_every_variable_keeps_its_own_moments(float64):
    variables = [keras.Variable([0.0], dtype="float64"), keras.Variable([0.0], dtype="float64")]
    optimizer = Adam(learning_rate=1.0)
    optimizer.build(variables)
    for gradients in ([1.0, 0.5], [1.0, -0.5]):
        optimizer.apply([tf.constant([g], "float64") for g in gradients], variables)
    expected = [
        adam_by_definition(np.zeros(1), [np.array([g]), np.array([h])], [1, 1], 0.5, 0.999, 1e-8)
        for g, h in ((1.0, 1.0), (0.5, -0.5))
    ]
    actual = [v.value.numpy() for v in variables]
    np.testing.assert_allclose(actual, expected, rtol=1e-12)
    assert int(optimizer.iterations.numpy()) == 2


@pytest.mark.parametrize(
    "arguments",
    [{"epsilon": 0.0}, {"beta_1": 1.0}, {"beta_1": -0.1}, {"beta_2": 1.0}, {"beta_2": 0.0}],
)
def test_arguments_out_of_their_range_are_refused(arguments):
    ((name, value),) = arguments.items()
    with pytest.raises(ValueError, match=rf"`{name}` must .*\. Received: {name}={value}"):
        Adam(0.1, **arguments)


@pytest.mark.parametrize("rate", [-1.0, -1, float("nan"), np.float32(-0.1)])
def test_a_learning_rate_below_zero_or_none_at_all_is_refused(rate):
    with pytest.raises(ValueError, match=r"`learning_rate` must be 0 .*Received: learning_rate="):
        Adam(rate)


def test_a_learning_rate_of_zero_and_a_schedule_are_taken():
    assert float(Adam(0.0).learning_rate) == 0.0
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
    copy = Adam.from_config(Adam(schedule).get_config())
    assert float(copy.learning_rate) == pytest.approx(0.1)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_in_which_epsilon_is_0_or_beta_2_is_1_is_refused(dtype):
    with pytest.raises(ValueError, match=f"as under `mixed_{dtype}`. Received: a {dtype} variable"):
        Adam(0.1).build([keras.Variable(np.ones(2), dtype=dtype)])


def test_wassersteins_rmsprop_has_the_numbers_of_its_authors_framework():
    optimizer = player_optimizer("rmsprop", 0.5, 0.999)
    numbers = optimizer.rho, optimizer.epsilon, optimizer.momentum, optimizer.centered
    assert numbers == (0.99, 1e-16, 0.0, False)

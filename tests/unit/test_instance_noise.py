"""Instance noise: its decay, its distribution, its state."""

import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf.training.instance_noise import InstanceNoise, linear_decay
from tests.support.numerics import to_numpy

IMAGES = np.full((20, 8, 8, 3), 0.5, "float32")


def test_the_decay_is_a_straight_line_and_then_level():
    values = [float(linear_decay(step, 0.5, 0.1, 4)) for step in (0, 1, 2, 4, 5, 10**9)]
    np.testing.assert_allclose(values, [0.5, 0.4, 0.3, 0.1, 0.1, 0.1], rtol=1e-6)


def test_the_noise_has_the_deviation_of_its_step():
    noise = InstanceNoise(0.4, 0.0, num_steps=4, seed=1)
    for expected in (0.4, 0.3, 0.2, 0.1):
        added = to_numpy(noise(IMAGES)) - IMAGES
        assert np.std(added) == pytest.approx(expected, rel=0.05)
        assert abs(np.mean(added)) < 4.0 * expected / np.sqrt(added.size)
        noise.advance()
    np.testing.assert_array_equal(to_numpy(noise(IMAGES)), IMAGES)


def test_real_and_generated_images_get_noise_of_one_deviation_and_different_draws():
    noise = InstanceNoise(0.4, 0.0, num_steps=4, seed=1)
    real, generated = (to_numpy(noise(IMAGES)) - IMAGES for _ in range(2))
    assert np.all(real != generated)
    assert np.std(real) == pytest.approx(np.std(generated), rel=0.05)


def test_inside_a_graph_the_deviation_falls_from_step_to_step():
    noise = InstanceNoise(0.4, 0.0, num_steps=2, seed=1)

    @tf.function
    def step():
        noisy = noise(tf.constant(IMAGES))
        noise.advance()
        return noisy

    deviations = [np.std(step().numpy() - IMAGES) for _ in range(3)]
    np.testing.assert_allclose(deviations, [0.4, 0.2, 0.0], rtol=0.05, atol=1e-7)


def test_its_state_continues_it_exactly():
    one, other = (InstanceNoise(0.4, 0.1, num_steps=9, seed=seed) for seed in (1, 2))
    for _ in range(3):
        one(IMAGES)
        one.advance()
    assert np.any(to_numpy(one(IMAGES)) != to_numpy(other(IMAGES)))
    for name, variable in other.state.items():
        variable.assign(one.state[name])
    np.testing.assert_array_equal(to_numpy(one(IMAGES)), to_numpy(other(IMAGES)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.1, 0.2, 5), "Received: start=0.1, end=0.2"),
        ((0.1, -0.1, 5), "Received: start=0.1, end=-0.1"),
        ((0.1, 0.0, 0), "`num_steps` must be at least 1. Received: num_steps=0"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        InstanceNoise(*arguments, seed=1)

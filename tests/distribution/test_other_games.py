"""What other games add, on two replicas: the numbers of one device with the whole batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import distribution
from improved_gan_tf.losses import adversarial
from improved_gan_tf.training.instance_noise import InstanceNoise
from improved_gan_tf.training.replay_buffer import ReplayBuffer

ROWS = 8


@pytest.fixture(scope="module")
def strategy():
    return distribution.strategy_from("mirrored", 2, None, ROWS)


def examples(seed=0, shape=(5,)):
    return np.random.default_rng(seed).normal(size=(ROWS, *shape))


def on_replicas(strategy, function, *arrays):
    """Runs `function` on the halves of the arrays; returns each output's two values."""
    shares = [
        strategy.experimental_distribute_values_from_function(
            lambda context, a=array: tf.constant(np.split(a, 2)[context.replica_id_in_sync_group])
        )
        for array in arrays
    ]
    outputs = strategy.run(tf.function(function), args=shares)
    return [[v.numpy() for v in strategy.experimental_local_results(o)] for o in outputs]


def test_the_pull_away_term_is_that_of_all_pairs(strategy, float64):
    def value_and_gradient(encodings):
        with tf.GradientTape() as tape:
            tape.watch(encodings)
            value = adversarial.pull_away_term(encodings)
            share = distribution.share_of_loss(value)
        return value, tape.gradient(share, encodings)

    expected, expected_gradient = value_and_gradient(tf.constant(examples()))
    values, parts = on_replicas(strategy, value_and_gradient, examples())
    assert np.mean(values) == pytest.approx(float(expected), rel=1e-12)
    np.testing.assert_allclose(np.concatenate(parts), expected_gradient, rtol=1e-9)
    local = on_replicas(
        strategy, lambda e: [adversarial.pull_away_term(e, cross_replica="local")], examples()
    )[0]
    halves = [float(adversarial.pull_away_term(half)) for half in np.split(examples(), 2)]
    np.testing.assert_allclose(local, halves, rtol=1e-12)


def test_the_pull_away_term_of_one_example_on_each_replica_is_that_of_both(strategy, float64):
    pair = examples()[:2]
    values = on_replicas(strategy, lambda e: [adversarial.pull_away_term(e)], pair)[0]
    np.testing.assert_allclose(values, float(adversarial.pull_away_term(pair)), rtol=1e-12)
    with pytest.raises(ValueError, match=r"at least two examples.*\(1, 5\)"):
        on_replicas(
            strategy, lambda e: [adversarial.pull_away_term(e, cross_replica="local")], pair
        )


def test_dragans_points_have_the_deviation_of_the_whole_batch(strategy, float64):
    arrays = examples(0, (2, 3)), np.full(ROWS, 0.7), examples(1, (2, 3))
    expected = adversarial.dragan_points(*arrays)
    parts = on_replicas(strategy, lambda *a: [adversarial.dragan_points(*a)], *arrays)[0]
    np.testing.assert_allclose(np.concatenate(parts), expected, rtol=1e-12)


def test_instance_noise_is_that_of_one_device(strategy):
    def make():
        return InstanceNoise(0.5, 0.0, num_steps=4, seed=3)

    def step(noise):
        def noisy(images):
            result = noise(images)
            noise.advance()
            return [result]

        return noisy

    with strategy.scope():
        mirrored = make()
    alone, x = make(), examples().astype("float32")
    for _ in range(2):
        parts = on_replicas(strategy, step(mirrored), x)[0]
        np.testing.assert_allclose(np.concatenate(parts), step(alone)(x)[0], rtol=1e-6)


def test_the_replay_buffer_is_that_of_one_device(strategy):
    first = examples(5)
    with strategy.scope():
        mirrored = ReplayBuffer(first, seed=3)
    alone = ReplayBuffer(first, seed=3)
    for seed in range(3):
        fresh = examples(seed)
        parts = on_replicas(strategy, lambda x: [mirrored.replay(x)], fresh)[0]
        np.testing.assert_array_equal(np.concatenate(parts), alone.replay(fresh))
    for copy in strategy.experimental_local_results(mirrored.entries):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(copy), alone.entries.numpy())

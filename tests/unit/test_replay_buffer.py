"""The replay buffer: nothing is lost or shown twice, its randomness, its state."""

import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf.training.replay_buffer import ReplayBuffer, exchange
from tests.support.numerics import to_numpy


def batch(first, count=6):
    """Examples that are known by their number."""
    return np.arange(first, first + count, dtype="float32").reshape(-1, 1, 1) * np.ones((1, 2, 3))


def numbers(examples):
    return to_numpy(examples)[:, 0, 0].astype(int).tolist()


def test_an_exchange_swaps_places_with_rows_and_leaves_the_rest():
    entries, shown = exchange(batch(0, 4), batch(10, 5), np.array([3, 1]), np.array([0, 4]))
    assert numbers(entries) == [0, 14, 2, 10]
    assert numbers(shown) == [3, 11, 12, 13, 1]


def test_every_example_is_shown_once_or_still_in_the_buffer():
    buffer, generated, shown = ReplayBuffer(batch(0, 10), seed=1), list(range(10)), []
    for step in range(20):
        fresh = batch(100 + 6 * step)
        generated += numbers(fresh)
        shown += numbers(buffer.replay(fresh))
    assert sorted(shown + numbers(buffer.entries)) == sorted(generated)
    assert len(set(shown)) == len(shown) == 120


def test_half_of_a_batch_is_from_earlier_ones():
    buffer = ReplayBuffer(batch(0, 10), seed=1)
    for step in range(5):
        shown = numbers(buffer.replay(batch(100 * (step + 1))))
        fresh = [number >= 100 * (step + 1) for number in shown]
        assert fresh == [False, True] * 3


def test_a_buffer_smaller_than_half_of_the_batch_is_exchanged_whole():
    buffer = ReplayBuffer(batch(0, 2), seed=1)
    shown = numbers(buffer.replay(batch(100)))
    assert sorted(n for n in shown if n < 100) == [0, 1]
    assert sorted(numbers(buffer.entries) + shown) == [0, 1, *range(100, 106)]


def test_one_example_alone_is_shown_as_it_is():
    buffer = ReplayBuffer(batch(0, 3), seed=1)
    assert numbers(buffer.replay(batch(100, 1))) == [100]
    assert numbers(buffer.entries) == [0, 1, 2]


def test_every_entry_is_as_likely_to_be_taken():
    taken = np.zeros(8)
    buffer = ReplayBuffer(batch(0, 8), seed=1)
    for _ in range(300):
        buffer.entries.assign(batch(0, 8))
        for number in numbers(buffer.replay(batch(100, 4)))[::2]:
            taken[number] += 1
    expected = 300 * 2 / 8
    assert np.abs(taken - expected).max() < 4.0 * np.sqrt(expected)


def test_inside_a_graph_every_step_draws_anew():
    buffer = ReplayBuffer(batch(0, 50), seed=1)
    step = tf.function(buffer.replay)
    shown = [numbers(step(tf.constant(batch(100 * (i + 1), 6), tf.float64))) for i in range(3)]
    assert len({tuple(s[::2]) for s in shown}) == 3


def test_no_gradient_flows_to_what_is_generated():
    buffer, generated = ReplayBuffer(batch(0, 4), seed=1), tf.constant(batch(9, 4))
    with tf.GradientTape() as tape:
        tape.watch(generated)
        total = tf.reduce_sum(buffer.replay(generated))
    assert tape.gradient(total, generated) is None


def test_its_state_continues_it_exactly():
    one, other = ReplayBuffer(batch(0, 9), seed=1), ReplayBuffer(batch(50, 9), seed=2)
    one.replay(batch(100))
    for name, variable in other.state.items():
        variable.assign(one.state[name])
    for step in (2, 3):
        assert numbers(one.replay(batch(100 * step))) == numbers(other.replay(batch(100 * step)))
    assert numbers(one.entries) == numbers(other.entries)


def test_a_buffer_of_nothing_is_refused():
    with pytest.raises(ValueError, match=r"needs at least one example\. Received: 0"):
        ReplayBuffer(batch(0, 0), seed=1)


def test_examples_of_another_shape_are_refused():
    buffer = ReplayBuffer(batch(0, 4), seed=1)
    with pytest.raises(
        ValueError, match=r"shape, \(2, 3\)\. Received: generated.shape=\(4, 3, 3\)"
    ):
        buffer.replay(np.zeros((4, 3, 3)))

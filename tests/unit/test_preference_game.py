"""The game of ordered pairs in the example of mode collapse: what the two players minimise."""

import math

import numpy as np
import pytest
import tensorflow as tf

from examples.mode_collapse import networks, techniques
from examples.mode_collapse.losses import losses

PAIRS = techniques.Settings("grid", "preference", generator_units=8, discriminator_units=6)
BLENDED = PAIRS._replace(preference_loss="blended")
LOG_2 = math.log(2.0)


def points(seed, mean=0.0, count=50):
    return tf.constant(np.random.default_rng(seed).normal(mean, size=(count, 2)), tf.float32)


REAL, GENERATED = points(1), points(2, mean=0.5)


def judge(first=(1.0, -2.0), second=(0.5, 0.25), bias=0.0):
    """A discriminator whose logit is `first . x + second . y + bias` of the pair (x, y)."""
    weights = tf.constant([*first, *second], tf.float32)
    return lambda pairs, training: (tf.linalg.matvec(pairs, weights)[:, None] + bias, None)


def test_the_discriminator_sees_each_pair_in_both_orders():
    seen = []

    def recording(pairs, training):
        seen.append(pairs.numpy())
        return tf.zeros((len(pairs), 1)), None

    losses(PAIRS, recording, REAL, GENERATED)
    real_first, generated_first = seen
    np.testing.assert_array_equal(real_first, np.hstack([REAL, GENERATED]))
    np.testing.assert_array_equal(generated_first, np.hstack([GENERATED, REAL]))


@pytest.mark.parametrize(("settings", "of_generator"), [(PAIRS, 2.0 * LOG_2), (BLENDED, 0.0)])
def test_an_undecided_discriminator_costs_two_log_two(settings, of_generator):
    discriminator = networks.build_discriminator(settings, [1])
    last = discriminator.layers[-1]
    last.kernel.assign(tf.zeros_like(last.kernel))
    actual = losses(settings, discriminator, REAL, GENERATED)
    np.testing.assert_allclose(actual, [2.0 * LOG_2, of_generator], rtol=1e-6)


@pytest.mark.parametrize("bias", [-3.0, -0.1, 0.1, 3.0])
def test_to_prefer_one_place_blindly_costs_more(bias):
    blind = judge((0.0, 0.0), (0.0, 0.0), bias)
    discriminator_loss, _ = losses(PAIRS, blind, REAL, GENERATED)
    expected = math.log1p(math.exp(bias)) + math.log1p(math.exp(-bias))
    assert float(discriminator_loss) == pytest.approx(expected, rel=1e-6)
    assert expected > 2.0 * LOG_2


def test_the_generator_plays_with_real_and_generated_exchanged():
    of_discriminator, of_generator = losses(PAIRS, judge(), REAL, GENERATED)
    exchanged = losses(PAIRS, judge(), GENERATED, REAL)
    np.testing.assert_allclose(exchanged, [of_generator, of_discriminator], rtol=1e-6)
    assert abs(float(of_generator - of_discriminator)) > 0.1
    blended, of_exchanged = (
        float(losses(BLENDED, judge(), *batches)[1])
        for batches in ((REAL, GENERATED), (GENERATED, REAL))
    )
    assert blended == pytest.approx(-of_exchanged, rel=1e-5)
    assert abs(blended) > 0.1


def test_exchanged_places_exchange_the_logits():
    """A discriminator that says which is *generated* is the same with the opposite logit."""
    forward = losses(PAIRS, judge((1.0, -2.0), (0.5, 0.25)), REAL, GENERATED)
    backward = losses(PAIRS, judge((-0.5, -0.25), (-1.0, 2.0)), REAL, GENERATED)
    np.testing.assert_allclose(forward, backward, rtol=1e-6)


def test_the_blended_loss_of_the_best_discriminator_is_both_divergences():
    # Of N(m, I) and N(-m, I) the log ratio is 2 m . x, and either KL is 2 |m|^2.
    m = np.array([0.3, -0.1])
    real, generated = points(3, m, 200_000), points(4, -m, 200_000)
    best = judge(tuple(2.0 * m), tuple(-2.0 * m))
    _, blended = losses(BLENDED, best, real, generated)
    assert float(blended) == pytest.approx(4.0 * np.sum(m**2), abs=0.01)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        # sigmoid(s(x, g)) second - sigmoid(-s(g, x)) first, at s(x, g) = 1 and s(g, x) = 2.
        (PAIRS, 0.7310585786 * np.array([0.5, 0.25]) - 0.1192029220 * np.array([1.0, -2.0])),
        (BLENDED, 0.5 * (np.array([0.5, 0.25]) - np.array([1.0, -2.0]))),
    ],
)
def test_the_generator_is_taught_by_both_orders(settings, expected):
    generated = tf.Variable([[2.0, 0.0]])
    real = tf.constant([[0.0, 0.0]])  # s(x, g) = 1 and s(g, x) = 2
    with tf.GradientTape() as tape:
        _, generator_loss = losses(settings, judge(), real, generated)
    (gradient,) = tape.gradient(generator_loss, generated).numpy()
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)

"""Divergences of minibatches: every minibatch counted, bounds, and what discriminators reach."""

import itertools
import math

import numpy as np
import pytest

from improved_gan_tf.losses import adversarial, divergences
from tests.support.numerics import to_numpy


def probabilities(p, num_examples):
    """The probability of each of the 2^N minibatches, in order."""
    return np.array(
        [
            math.prod(p if one else 1.0 - p for one in minibatch)
            for minibatch in itertools.product((0, 1), repeat=num_examples)
        ]
    )


def js_of(first, second):
    mean = (first + second) / 2.0
    return 0.5 * sum(np.sum(d[d > 0] * np.log2(d[d > 0] / mean[d > 0])) for d in (first, second))


@pytest.mark.parametrize("q", [0.0, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("num_examples", [1, 2, 5])
def test_counts_of_ones_stand_for_every_minibatch(num_examples, q):
    first, second = probabilities(0.3, num_examples), probabilities(q, num_examples)
    assert divergences.js(0.3, q, num_examples) == pytest.approx(js_of(first, second), abs=1e-12)
    pairs = np.outer(first, second), np.outer(second, first)
    assert divergences.preference_js(0.3, q, num_examples) == pytest.approx(
        js_of(*(x.ravel() for x in pairs)), abs=1e-12
    )


def test_equal_coins_cannot_be_told_apart():
    for function in (divergences.kl, divergences.js, divergences.preference_js):
        for p in (0.0, 0.3, 1.0):
            assert function(p, p, 8) == pytest.approx(0.0, abs=1e-15)


def test_opposite_coins_are_told_apart_for_certain():
    assert divergences.js(0.0, 1.0, 1) == 1.0
    assert divergences.kl(0.0, 1.0, 1) == np.inf


def test_a_larger_minibatch_tells_more_and_each_of_its_examples_less():
    sizes = np.array([1, 2, 3, 8, 50])
    js = divergences.js(0.2, 0.4, sizes)
    assert (np.diff(js) > 0.0).all()
    assert (np.diff(js / sizes) < 0.0).all()
    assert (js <= 1.0).all()


def test_a_thousand_throws_do_not_overflow():
    assert divergences.js(0.5, 0.51, 1000) == pytest.approx(
        divergences.js(0.49, 0.5, 1000), abs=1e-9
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-0.1, 0.5, 1), r"`p` must lie in \[0, 1\]"),
        ((0.5, [0.1, 1.1], 1), r"`q` must lie in \[0, 1\]"),
        ((float("nan"), 0.5, 1), r"`p` must lie in"),
        ((0.5, 0.5, 0), r"`num_examples` must be .* Received: num_examples=0"),
        ((0.5, 0.5, 1.5), r"`num_examples` must be an integer"),
    ],
)
@pytest.mark.parametrize("function", [divergences.kl, divergences.js, divergences.preference_js])
def test_an_argument_out_of_range_is_refused(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)


# --- what the losses of best discriminators come to ----------------------------------------

# Coins of 1/5 and 1/4: batches of 20 examples, or 400 pairs, have exactly these frequencies.
P, Q = 0.2, 0.25
REAL, GENERATED = np.repeat([1.0, 0.0], [4, 16]), np.repeat([1.0, 0.0], [5, 15])


def log_ratio(ones):
    """log p(x) / q(x)."""
    return np.where(ones == 1.0, np.log(P / Q), np.log((1.0 - P) / (1.0 - Q)))


def value(loss):
    return float(to_numpy(loss))


def test_the_best_discriminators_loss_is_two_log_two_less_twice_js(float64):
    loss = adversarial.minimax_discriminator_loss(log_ratio(REAL), log_ratio(GENERATED))
    js = divergences.js(P, Q) * math.log(2.0)
    assert value(loss) == pytest.approx(2.0 * math.log(2.0) - 2.0 * js, abs=1e-12)


def test_the_best_discriminators_blended_loss_is_the_blended_value(float64):
    loss = adversarial.blended_generator_loss(log_ratio(GENERATED))
    assert value(loss) == pytest.approx(divergences.blended_value(P, Q), abs=1e-12)


def test_the_best_judge_of_pairs_reaches_the_preference_divergences(float64):
    first = log_ratio(np.repeat(REAL, 20)) - log_ratio(np.tile(GENERATED, 20))
    loss = adversarial.preference_discriminator_loss(first, -first)
    js = divergences.preference_js(P, Q) * math.log(2.0)
    assert value(loss) == pytest.approx(2.0 * math.log(2.0) - 2.0 * js, abs=1e-12)
    blended = adversarial.preference_blended_generator_loss(first, -first)
    assert value(blended) == pytest.approx(divergences.preference_kl(P, Q), abs=1e-12)

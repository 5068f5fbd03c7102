"""Divergences that a GAN minimises if its discriminator sees whole minibatches: exact, two coins.

P and Q are coins that show 1 with probability p and q. A discriminator of minibatches tells P^N
from Q^N, N throws at a time. A minibatch's probability depends only on its number of ones k, so
the 2^N minibatches form N + 1 groups with weights `C(N, k)`: nothing is sampled.

All functions take the arguments of `kl` and raise its errors. They broadcast p, q and N as NumPy
arrays do, and return float64. KL is infinite where one coin cannot make what the other can (q = 0
or 1); the other divergences stay finite.

Source: Huszar (2016), the post on minibatch discrimination, blended updates and preference loss.
"""

import numpy as np
from scipy import special

_LOG_2 = np.log(2.0)


def kl(p, q, num_examples=1):
    """`KL[P^N || Q^N] = N (p log(p / q) + (1 - p) log((1 - p) / (1 - q)))`.

    Args:
        p: float or array in [0, 1].
        q: float or array in [0, 1].
        num_examples: int or array of ints >= 1, N, the size of a minibatch.

    Returns:
        >= 0, nats; infinite where Q never shows a side that P shows.

    Raises:
        ValueError: an argument is out of its range.
    """
    p, q, num_examples = _checked(p, q, num_examples)
    return num_examples * (special.rel_entr(p, q) + special.rel_entr(1.0 - p, 1.0 - q))


def js(p, q, num_examples=1):
    """`JS[P^N || Q^N] = (KL[P^N || M] + KL[Q^N || M]) / 2` with `M = (P^N + Q^N) / 2`.

    `minimax_discriminator_loss` of the best discriminator of minibatches is `2 log 2 - 2 JS`, with
    JS in nats.

    Returns:
        In [0, 1], *bits*; 1 where the two are always told apart.
    """
    log_p, log_q = (_log_counts(x, num_examples) for x in _pair(p, q, num_examples))
    return _js_bits(log_p, log_q, axes=-1)


def preference_kl(p, q, num_examples=1):
    """`KL[P^N x Q^N || Q^N x P^N] = KL[P^N || Q^N] + KL[Q^N || P^N]`, of ordered pairs.

    Returns:
        >= 0, nats; infinite where either of the two is.
    """
    return kl(p, q, num_examples) + kl(q, p, num_examples)


def preference_js(p, q, num_examples=1):
    """`JS[P^N x Q^N || Q^N x P^N]`: what the best discriminator of ordered pairs measures.

    Returns:
        In [0, 1], *bits*.
    """
    log_p, log_q = (_log_counts(x, num_examples) for x in _pair(p, q, num_examples))
    p_first = log_p[..., :, None] + log_q[..., None, :]
    q_first = log_q[..., :, None] + log_p[..., None, :]
    return _js_bits(p_first, q_first, axes=(-2, -1))


def blended_value(p, q, num_examples=1):
    """`E_Q log((1 - D) / D)` at the best discriminator `D = P^N / (P^N + Q^N)`: `KL[Q^N || P^N]`.

    It is the `blended_generator_loss` against that discriminator of minibatches.

    Returns:
        >= 0, nats; infinite where P never shows a side that Q shows.
    """
    return kl(q, p, num_examples)


def _checked(p, q, num_examples):
    """Returns the three as arrays."""
    p, q, num_examples = (
        np.asarray(p, "float64"),
        np.asarray(q, "float64"),
        np.asarray(num_examples),
    )
    for name, value in (("p", p), ("q", q)):
        if not ((value >= 0.0) & (value <= 1.0)).all():
            raise ValueError(f"`{name}` must lie in [0, 1]. Received: {name}={value}")
    if num_examples.dtype.kind not in "iu" or not (num_examples >= 1).all():
        raise ValueError(
            "`num_examples` must be an integer of at least 1. "
            f"Received: num_examples={num_examples}"
        )
    return p, q, num_examples


def _pair(p, q, num_examples):
    p, q, num_examples = np.broadcast_arrays(*_checked(p, q, num_examples))
    return p, q


def _log_counts(probability, num_examples):
    """Log probabilities of 0 .. max N ones in N throws, on a last axis; -inf beyond N."""
    num_examples = np.asarray(num_examples)[..., None]
    ones = np.arange(num_examples.max() + 1)
    zeros = np.maximum(num_examples - ones, 0)
    arrangements = -np.log1p(num_examples) - special.betaln(zeros + 1, ones + 1)  # log C(N, k)
    log_probability = (
        arrangements
        + special.xlogy(ones, probability[..., None])
        + special.xlog1py(zeros, -probability[..., None])
    )
    return np.where(ones <= num_examples, log_probability, -np.inf)


def _js_bits(log_p, log_q, axes):
    total = sum(np.sum(_to_the_mean(*pair), axis=axes) for pair in ((log_p, log_q), (log_q, log_p)))
    return 0.5 * total / _LOG_2


def _to_the_mean(log_p, log_q):
    """`p log(p / ((p + q) / 2))`, elementwise; 0 where p is 0."""
    possible = np.isfinite(log_p)
    log_ratio = np.where(possible, log_q, 0.0) - np.where(possible, log_p, 0.0)
    return np.exp(log_p) * (_LOG_2 - np.logaddexp(0.0, log_ratio))

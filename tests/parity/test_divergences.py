"""Divergences of minibatches against 50-digit numbers from elsewhere (goldens/systems/games.md)."""

import numpy as np
import pytest

from improved_gan_tf.losses import divergences
from tests.support.systems import load

FUNCTIONS = {
    "kl_pq_nats": divergences.kl,
    "kl_qp_nats": lambda p, q, n: divergences.kl(q, p, n),
    "js_bits": divergences.js,
    "js_nats": lambda p, q, n: divergences.js(p, q, n) * np.log(2.0),
    "js_bits_per_example": lambda p, q, n: divergences.js(p, q, n) / n,
    "preference_js_bits": divergences.preference_js,
    "preference_kl_nats": divergences.preference_kl,
    "optimal_d_blended_value": divergences.blended_value,
}


@pytest.fixture(scope="module")
def golden():
    return load("minibatch_divergences")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_divergence_equals_the_reference_and_is_infinite_where_it_is(golden, name):
    actual = FUNCTIONS[name](golden["p"], golden["q"][None], golden["N"][:, None])
    assert actual.shape == golden[name].shape == (4, 21)
    np.testing.assert_allclose(actual, golden[name], rtol=1e-12, atol=1e-12)
    assert np.isinf(actual).any() == name.startswith(("kl_pq", "preference_kl"))

"""The projection head and self-attention: formulas as written, and bad input."""

import keras
import numpy as np
import pytest

from improved_gan_tf.layers import ProjectionHead, SelfAttention2D
from improved_gan_tf.layers.self_attention import attention_map
from tests.support.numerics import to_numpy


def examples(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def test_the_logit_is_the_linear_score_plus_the_projection_on_the_class():
    layer, x, labels = ProjectionHead(3, spectral_norm=False), examples(4, 2, 5, 6), [2, 0, 1, 2]
    logits = to_numpy(layer([x, np.array(labels)]))
    h = np.maximum(x, 0.0).sum((1, 2))
    vectors = to_numpy(layer.embed.embeddings)[labels]
    expected = h @ to_numpy(layer.linear.kernel) + (vectors * h).sum(1, keepdims=True)
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-5)


def test_attention_starts_as_the_identity_and_mixes_positions_afterwards():
    layer, x = SelfAttention2D(), examples(2, 4, 4, 8)
    np.testing.assert_array_equal(to_numpy(layer(x)), x)
    layer.gamma.assign(1.0)
    before = to_numpy(layer(x))
    x[:, 0, 0] += 5.0  # in one corner
    assert np.abs(to_numpy(layer(x)) - before)[:, 3, 3].max() > 1e-3  # and seen in the other


def test_the_attention_map_is_the_softmax_of_plain_products():
    queries, keys = examples(2, 5, 3), examples(2, 4, 3, seed=1)
    products = np.exp(np.einsum("npd,nqd->npq", queries, keys))
    expected = products / products.sum(-1, keepdims=True)
    np.testing.assert_allclose(to_numpy(attention_map(queries, keys)), expected, rtol=1e-5)


def test_images_of_odd_or_unknown_size_are_attended_to():
    model = keras.Sequential([keras.Input((None, None, 8)), SelfAttention2D()])
    for shape in ((1, 5, 7, 8), (2, 4, 6, 8)):
        assert tuple(model(examples(*shape)).shape) == shape


def test_the_wrong_inputs_are_refused():
    with pytest.raises(ValueError, match=r"takes a list of two, \[x, labels\]. Received: \(4, "):
        ProjectionHead(3)(examples(4, 2, 2, 3))
    with pytest.raises(ValueError, match=r"`num_classes` must be a positive integer"):
        ProjectionHead(0)
    with pytest.raises(ValueError, match=r"last dimension .* `ProjectionHead` must be known"):
        ProjectionHead(3)([keras.Input((4, 4, None)), keras.Input((), dtype="int32")])
    with pytest.raises(ValueError, match=r"must be known and at least 8. Received: .*\(2, 4, 4, 7"):
        SelfAttention2D()(examples(2, 4, 4, 7))
    with pytest.raises(ValueError, match=r"must be floating point\. Received: dtype=int"):
        SelfAttention2D()(np.ones((2, 4, 4, 8), "int32"))

"""Shapes of a loss's arguments where a TensorFlow graph does not know every length."""

import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf.losses import feature_matching_l2, supervised_loss
from improved_gan_tf.losses.adversarial import infogan_gaussian_loss
from improved_gan_tf.losses.cross_entropy import binary_cross_entropy
from improved_gan_tf.losses.shapes import may_be_equal


def vectors(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ([(None, 3), (4, 3)], True),
        ([(None, 3), (4, 3), (5, 3)], False),
        ([(4, None), (None, 3), (None, None)], True),
        ([(4,), (4, 1)], False),
        ([(), ()], True),
        ([(None,), (None, None)], False),
    ],
)
def test_an_unknown_length_is_like_any(shapes, expected):
    assert may_be_equal(*shapes) == expected


@pytest.mark.parametrize(
    ("loss", "first", "second"),
    [
        (infogan_gaussian_loss, vectors(4, 2), vectors(4, 2)[::-1].copy()),
        (binary_cross_entropy, vectors(4), np.linspace(0.0, 1.0, 4, dtype="float32")),
        (feature_matching_l2, vectors(4, 2), vectors(5, 2)),
        (supervised_loss, vectors(4, 3), np.array([2, 0, 1, 1])),
    ],
)
def test_a_graph_may_know_one_of_two_lengths(loss, first, second):
    expected = float(loss(first, second))
    for unknown in ((True, False), (False, True), (True, True)):
        specs = [
            tf.TensorSpec([None] * x.ndim if is_unknown else x.shape, x.dtype)
            for x, is_unknown in zip((first, second), unknown, strict=True)
        ]
        if loss is supervised_loss:  # which must know the number of classes
            specs[0] = tf.TensorSpec((specs[0].shape[0], 3), tf.float32)
        found = tf.function(loss, input_signature=specs)(first, second)
        assert float(found) == pytest.approx(expected, rel=1e-6)


def test_lengths_that_are_known_to_differ_are_refused():
    for loss, other in (
        (infogan_gaussian_loss, vectors(5, 2)),
        (binary_cross_entropy, vectors(4, 1)),
        (feature_matching_l2, vectors(4, 3)),
    ):
        with pytest.raises(ValueError, match="Received"):
            loss(vectors(4, 2) if loss is not binary_cross_entropy else vectors(4), other)

"""The sums over pairs without a loop: equal to the loop's, taken by the stated rule."""

import math

import numpy as np
import pytest
from keras import ops

from improved_gan_tf.layers.minibatch_discrimination import direct_kernel_sums, kernel_sums
from improved_gan_tf.layers.minibatch_discrimination.layer import MinibatchDiscrimination
from tests.support.numerics import BACKEND, float64, gradients, to_numpy

WAYS = (kernel_sums.kernel_sums, direct_kernel_sums.kernel_sums)
ROWS = [1, 2, 3, 8, 33]


def normal(*shape, seed=0):
    return np.random.RandomState(seed).normal(size=shape)


def two_parts(rows):
    return np.random.RandomState(1).uniform(size=(2, rows))


def test_literal_values_of_three_rows():
    m = np.array([[[0.0, 0.0]], [[1.0, -1.0]], [[0.0, 3.0]]])  # distances 2, 3, 5
    e2, e3, e5 = math.exp(-2.0), math.exp(-3.0), math.exp(-5.0)
    weights = np.array([[1.0, 2.0, 4.0]])
    with float64():
        o = to_numpy(direct_kernel_sums.kernel_sums(ops.convert_to_tensor(m), weights))
    expected = [[[2 * e2 + 4 * e3], [e2 + 4 * e5], [e3 + 2 * e5]]]
    np.testing.assert_allclose(o, expected, rtol=1e-14)


@pytest.mark.parametrize("rows", ROWS)
def test_values_equal_the_loops(rows):
    with float64():
        m = ops.convert_to_tensor(normal(rows, 3, 2))
        looped, direct = (to_numpy(way(m, two_parts(rows))) for way in WAYS)
    assert direct.shape == (2, rows, 3)
    np.testing.assert_allclose(direct, looped, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rows", ROWS)
def test_gradients_equal_the_loops(rows):
    m, upstream = normal(rows, 3, 2), normal(2, rows, 3, seed=2)

    def loss(way):
        return lambda m: ops.sum(way(m, two_parts(rows)) * ops.convert_to_tensor(upstream))

    with float64():
        looped, direct = (gradients(loss(way), m)[0] for way in WAYS)
    np.testing.assert_allclose(direct, looped, rtol=1e-12, atol=1e-12)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="a tape over a tape is TensorFlow's")
@pytest.mark.parametrize("rows", ROWS)
def test_second_derivatives_equal_the_loops(rows):
    import tensorflow as tf

    def second(way):
        m = tf.constant(normal(rows, 3, 2))
        upstream = tf.constant(normal(2, rows, 3, seed=2))
        with tf.GradientTape() as outer:
            outer.watch([m, upstream])
            with tf.GradientTape() as inner:
                inner.watch(m)
                # Squared, so that the upstream gradient depends on `m` as well.
                total = tf.reduce_sum(way(m, two_parts(rows)) ** 2 * upstream)
            length = tf.reduce_sum(inner.gradient(total, m) ** 2)
        return outer.gradient(length, [m, upstream])

    with float64():
        for looped, direct in zip(*map(second, WAYS), strict=True):
            np.testing.assert_allclose(direct, looped, rtol=1e-12, atol=1e-12)


def test_the_gradient_at_equal_rows_is_zero():
    gradient = gradients(
        lambda m: ops.sum(direct_kernel_sums.kernel_sums(m, np.ones((1, 4)))),
        np.ones((4, 2, 3), "float32"),
    )[0]
    np.testing.assert_array_equal(gradient, np.zeros((4, 2, 3)))


# --- which way is taken --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((100, 20, 3), True),  # B C = 60 <= 100; 600,000 elements
        ((100, 20, 5), True),  # B C = 100, 1,000,000 elements
        ((100, 21, 5), False),  # B C = 105 > 100
        ((102, 101, 1), False),  # 1,050,804 elements > 2^20 = 1,048,576
        ((1024, 1, 1), True),  # 2^20
        ((1025, 1, 1), False),
        ((None, 2, 2), False),
    ],
)
def test_the_rule_of_small_batches_and_few_kernels(shape, expected):
    assert direct_kernel_sums.is_faster(shape) is expected


@pytest.mark.parametrize("rows", [100, 200, 256, 500])
@pytest.mark.parametrize(("num_kernels", "kernel_dim"), [(100, 5), (300, 50)])
def test_the_papers_networks_keep_the_loop(rows, num_kernels, kernel_dim):
    assert not direct_kernel_sums.is_faster((rows, num_kernels, kernel_dim))


@pytest.mark.parametrize("rows", [16, 4])
def test_the_layer_takes_the_way_of_the_rule(rows, monkeypatch):
    taken = []
    for module in (kernel_sums, direct_kernel_sums):
        original = module.kernel_sums

        def recorded(m, weights, name=module.__name__, original=original):
            taken.append(name)
            return original(m, weights)

        monkeypatch.setattr(module, "kernel_sums", recorded)
    MinibatchDiscrimination(3, 2)(normal(rows, 5).astype("float32"))
    expected = direct_kernel_sums if rows >= 6 else kernel_sums
    assert taken == [expected.__name__]


@pytest.mark.parametrize("reduction", ["sum", "mean", "mean_over_pairs"])
def test_the_layer_gives_the_same_features_either_way(reduction, monkeypatch):
    with float64():
        layer = MinibatchDiscrimination(3, 2, reduction=reduction, num_parts=2)
        x, mask = normal(12, 5), np.arange(12) % 5 > 0
        features = []
        for is_direct in (True, False):
            monkeypatch.setattr(direct_kernel_sums, "is_faster", lambda shape, d=is_direct: d)
            features.append(to_numpy(layer(ops.convert_to_tensor(x), mask)))
    np.testing.assert_allclose(features[0], features[1], rtol=1e-12, atol=1e-12)

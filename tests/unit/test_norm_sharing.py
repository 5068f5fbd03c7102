"""One computation of the norms for several passes: inside the block, and only there."""

import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf.layers.weight_norm import shared_norms
from improved_gan_tf.layers.weight_norm.dense import WeightNormDense
from tests.support.numerics import to_numpy

INPUT = np.array([[3.0, 4.0]], "float32")


@pytest.fixture
def layer():
    layer = WeightNormDense(1, epsilon=0.0)
    layer.build((None, 2))
    layer.kernel.assign([[1.0], [0.0]])
    return layer


def test_a_second_pass_inside_the_block_takes_the_first_ones_norm(layer):
    with shared_norms.shared_norms():
        layer(INPUT)
        layer.kernel.assign([[2.0], [0.0]])  # not allowed there: shows that the norm is the old one
        assert to_numpy(layer(INPUT)).item() == 6.0
    assert to_numpy(layer(INPUT)).item() == 3.0


def test_layers_do_not_take_each_others_norm(layer):
    other = WeightNormDense(1, epsilon=0.0, name=layer.name)  # as in another model
    other.build((None, 2))
    other.kernel.assign([[0.0], [5.0]])
    with shared_norms.shared_norms():
        assert to_numpy(layer(INPUT)).item() == 3.0
        assert to_numpy(other(INPUT)).item() == 4.0


def test_the_block_forgets_its_norms_after_an_error(layer):
    @shared_norms.shared_norms()
    def fail():
        layer(INPUT)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    layer.kernel.assign([[2.0], [0.0]])
    assert to_numpy(layer(INPUT)).item() == 3.0


def test_the_gradient_by_the_input_passes_through_a_shared_norm(layer):
    layer.kernel.assign([[0.6], [0.8]])
    x = tf.constant(INPUT)
    with shared_norms.shared_norms():
        layer(INPUT)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
    np.testing.assert_allclose(tape.gradient(y, x), [[0.6, 0.8]], rtol=1e-6)

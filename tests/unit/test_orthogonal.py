"""Orthogonal regularisation: which weights, in which direction, bad input."""

import keras
import numpy as np
import pytest

from improved_gan_tf.layers import SpectralNormConv2DTranspose, SpectralNormDense
from improved_gan_tf.losses.orthogonal import orthogonal_penalty, orthogonal_regularization
from tests.support.numerics import to_numpy


def examples(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def by_loops(matrix, include_diagonal=False):
    """Sum over pairs of columns, as the formula is written."""
    total = 0.0
    for i in range(matrix.shape[1]):
        for j in range(matrix.shape[1]):
            product = float(matrix[:, i] @ matrix[:, j])
            if i != j:
                total += product**2
            elif include_diagonal:
                total += (product - 1.0) ** 2
    return total


@pytest.mark.parametrize("include_diagonal", [False, True])
def test_the_penalty_sums_over_pairs_of_filters(include_diagonal):
    kernel = examples(2, 2, 3, 4)
    expected = by_loops(kernel.reshape(-1, 4), include_diagonal)
    penalty = orthogonal_penalty(kernel, include_diagonal=include_diagonal)
    assert float(to_numpy(penalty)) == pytest.approx(expected, rel=1e-5)


def test_an_orthogonal_kernel_of_any_scale_costs_nothing():
    kernel = keras.initializers.Orthogonal(gain=3.0, seed=1)((3, 3, 4, 6))
    assert float(to_numpy(orthogonal_penalty(kernel))) < 1e-6
    assert float(to_numpy(orthogonal_penalty(kernel, include_diagonal=True))) > 100.0


def test_a_model_is_charged_for_kernels_and_embeddings_but_for_what_is_excluded():
    shared = keras.layers.Embedding(3, 5)
    labels = keras.Input((), dtype="int32")
    h = SpectralNormDense(32)(shared(labels))
    h = keras.layers.Reshape((4, 4, 2))(h)
    h = SpectralNormConv2DTranspose(3, 2)(h)
    model = keras.Model(labels, keras.layers.Conv2D(2, 3)(h))
    _, table, dense, _, transposed, conv = model.layers
    of_table = by_loops(to_numpy(table.embeddings).T)
    expected = (
        of_table
        + by_loops(to_numpy(dense.kernel))
        + by_loops(np.moveaxis(to_numpy(transposed.kernel), 2, 3).reshape(-1, 3))
    )
    expected += by_loops(to_numpy(conv.kernel).reshape(-1, 2))
    value = float(to_numpy(orthogonal_regularization(model, strength=0.5)))
    assert value == pytest.approx(0.5 * expected, rel=1e-5)
    value = float(to_numpy(orthogonal_regularization(model, strength=0.5, exclude=[shared])))
    assert value == pytest.approx(0.5 * (expected - of_table), rel=1e-5)


def test_an_excluded_model_is_left_out_with_its_layers():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    last = keras.layers.Dense(2)
    model = keras.Sequential([keras.Input((4,)), inner, last])
    found = to_numpy(orthogonal_regularization(model, 1.0, exclude=[inner]))
    np.testing.assert_allclose(found, by_loops(to_numpy(last.kernel)), rtol=1e-5)


def test_a_name_does_not_exclude_a_layer():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="shared")])
    with pytest.raises(ValueError, match=r"`exclude` must hold layers.*Received: 'shared'"):
        orthogonal_regularization(model, exclude=["shared"])


def test_the_penalty_of_a_kernel_in_half_precision_is_computed_in_float32():
    kernel = keras.ops.cast(40.0 * examples(8, 5), "float16")
    found = to_numpy(orthogonal_penalty(kernel))
    np.testing.assert_allclose(found, by_loops(to_numpy(kernel).astype("float64")), rtol=1e-5)


def test_nothing_to_regularise_and_a_negative_strength_are_refused():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"`strength` must be 0 or larger. .* strength=-1"):
        orthogonal_regularization(model, strength=-1)
    with pytest.raises(ValueError, match="no kernel and no embedding to regularise"):
        orthogonal_regularization(model, exclude=model.layers)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_convolutions_of_every_rank_are_charged(rank):
    forward, transposed = (
        getattr(keras.layers, f"Conv{rank}D{kind}")(filters, 2)
        for kind, filters in (("", 4), ("Transpose", 3))
    )
    model = keras.Sequential([keras.Input((5,) * rank + (2,)), forward, transposed])
    expected = orthogonal_penalty(forward.kernel) + orthogonal_penalty(transposed.kernel, -2)
    found = orthogonal_regularization(model, 1.0)
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), rtol=1e-6)
    assert to_numpy(expected) > 0.0


def test_filters_of_two_groups_do_not_overlap():
    layer = keras.layers.Conv2D(4, 1, groups=2)
    model = keras.Sequential([keras.Input((5, 5, 6)), layer])
    one, other = np.split(to_numpy(layer.kernel).reshape(3, 4), 2, axis=1)
    found = float(to_numpy(orthogonal_regularization(model, 1.0)))
    assert found == pytest.approx(by_loops(one) + by_loops(other), rel=1e-5)

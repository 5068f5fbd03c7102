"""MinibatchStdDev against literals and the paper's steps, one after the other."""

import keras
import numpy as np
import pytest

from improved_gan_tf.layers import MinibatchStdDev
from tests.support.numerics import to_numpy


def images(rows=8, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, 3, 2, 4)).astype("float32")


def feature_by_loops(x):
    """Karras et al. (2018), Sec. 3: deviation of each feature at each place, then their mean."""
    deviations = [
        np.sqrt(np.mean([(row[place] - np.mean(x[(slice(None), *place)])) ** 2 for row in x]))
        for place in np.ndindex(*x.shape[1:])
    ]
    return sum(deviations) / len(deviations)


def test_the_feature_is_the_mean_deviation_everywhere():
    x = images()
    y = to_numpy(MinibatchStdDev()(x))
    np.testing.assert_array_equal(y[..., :-1], x)
    np.testing.assert_allclose(y[..., -1], np.full((8, 3, 2), feature_by_loops(x)), rtol=1e-5)


def test_groups_take_every_mth_row_as_the_original_code_does():
    x = images()
    y = to_numpy(MinibatchStdDev(group_size=4)(x))
    for row in range(8):
        expected = feature_by_loops(x[row % 2 :: 2])
        np.testing.assert_allclose(y[row, ..., -1], np.full((3, 2), expected), rtol=1e-5)
    assert abs(y[0, 0, 0, -1] - y[1, 0, 0, -1]) > 1e-4


def test_a_batch_smaller_than_a_group_is_one_group():
    x = images(3)
    whole, grouped = (to_numpy(MinibatchStdDev(group)(x)) for group in (None, 4))
    np.testing.assert_allclose(grouped, whole, rtol=1e-6)


def test_the_channel_axis_may_be_the_first():
    x = images()
    last = to_numpy(MinibatchStdDev()(x))
    first = to_numpy(MinibatchStdDev(axis=1)(np.moveaxis(x, -1, 1)))
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), last, rtol=1e-6)


def test_equal_rows_have_next_to_no_deviation():
    y = to_numpy(MinibatchStdDev(epsilon=1e-8)(np.ones((5, 3), "float32")))
    np.testing.assert_allclose(y[:, -1], np.full(5, 1e-4), rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"group_size": 0}, r"`group_size` must be a positive integer\. Received: group_size=0"),
        ({"axis": 0}, r"`axis` must be .* not 0\. Received: axis=0"),
        ({"epsilon": 0.0}, r"`epsilon` must be positive\. Received: epsilon=0\.0"),
        ({"cross_replica": "both"}, r"`cross_replica` must be one of .*'both'"),
        ({"axis": 4}, r"an `axis` among them\. Received: .*axis=4"),
        ({"group_size": 3}, r"divisible into groups of 3\. Received: a batch of 8"),
    ],
)
def test_what_is_wrong_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        MinibatchStdDev(**arguments)(images())


def test_a_batch_of_unknown_size_that_cannot_be_divided_is_explained():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, MinibatchStdDev(group_size=3)(inputs))
    with pytest.raises(Exception, match=r"divisible into groups of 3\. .*a batch of\D*8"):
        model.predict(np.zeros((8, 4), "float32"), verbose=0)
    for rows in (2, 3, 6):
        assert model.predict(np.zeros((rows, 4), "float32"), verbose=0).shape == (rows, 5)

"""Pixel shuffle: its formula, ICNR's saved form, refusals."""

import keras
import numpy as np
import pytest

from improved_gan_tf.layers import ICNR, PixelShuffle
from tests.support.numerics import to_numpy


@pytest.mark.parametrize("channel_order", ["tensorflow", "pytorch"])
@pytest.mark.parametrize("r", [1, 2, 3])
def test_every_number_goes_where_the_docstring_says(channel_order, r):
    channels = 2
    x = np.arange(2 * 3 * 4 * r * r * channels, dtype="float32").reshape(2, 3, 4, -1)
    y = to_numpy(PixelShuffle(r, channel_order)(x))
    for n, h, w, c, i, j in np.ndindex(2, 3, 4, channels, r, r):
        channel = (i * r + j) * channels + c
        if channel_order == "pytorch":
            channel = c * r * r + i * r + j
        assert y[n, h * r + i, w * r + j, c] == x[n, h, w, channel]


def test_a_batch_and_an_image_of_unknown_size_are_shuffled():
    inputs = keras.Input((None, None, 8))
    model = keras.Model(inputs, PixelShuffle(2)(inputs))
    assert model.output_shape == (None, None, None, 2)
    for size in (3, 5):
        assert model.predict(np.zeros((2, size, 4, 8)), verbose=0).shape == (2, 2 * size, 8, 2)


def test_icnr_survives_saving():
    initializer = ICNR(keras.initializers.RandomNormal(stddev=0.02, seed=1), 2, "pytorch")
    again = keras.initializers.deserialize(keras.initializers.serialize(initializer))
    kernels = [to_numpy(made((3, 3, 2, 8))) for made in (initializer, again)]
    np.testing.assert_array_equal(*kernels)
    assert again.get_config() == initializer.get_config()
    assert np.std(kernels[0]) == pytest.approx(0.02, rel=0.4)
    assert len(np.unique(kernels[0])) == kernels[0].size // 4


@pytest.mark.parametrize("make", [PixelShuffle, lambda *a: ICNR("zeros", *a)])
def test_arguments_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="`upscale_factor` must be a positive integer"):
        make(0)
    with pytest.raises(ValueError, match=r"`channel_order` must be one of .*Received: .*'nchw'"):
        make(2, "nchw")


def test_channels_that_are_no_multiple_are_refused():
    with pytest.raises(ValueError, match=r"multiple of 4\. Received: input_shape=\(1, 2, 2, 6\)"):
        PixelShuffle(2)(np.zeros((1, 2, 2, 6), "float32"))
    with pytest.raises(ValueError, match=r"multiple of 4\. Received: shape=\(3, 3, 2, 6\)"):
        ICNR("zeros", 2)((3, 3, 2, 6))

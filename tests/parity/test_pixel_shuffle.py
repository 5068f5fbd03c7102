"""Pixel shuffles and ICNR against PyTorch and TensorFlow (goldens/systems/games.md)."""

import keras
import numpy as np
import pytest
from keras import ops

from improved_gan_tf.layers.pixel_shuffle import ICNR, pixel_shuffle
from tests.support.numerics import to_numpy
from tests.support.systems import assert_close, load

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture(scope="module")
def golden():
    return load("pixel_shuffle")


@pytest.mark.parametrize(
    ("channel_order", "name"),
    [("pytorch", "torch_pixel_shuffle"), ("tensorflow", "tf_depth_to_space_of_x")],
)
def test_the_shuffle_equals_that_of_its_namesake(golden, channel_order, name):
    actual = pixel_shuffle(ops.convert_to_tensor(golden["x"]), int(golden["r"]), channel_order)
    assert_close(actual, golden[name], 0.0)


def test_channels_in_the_references_order_make_one_shuffle_of_the_other(golden):
    x = golden["x"][..., golden["channel_order_for_depth_to_space"]]
    assert_close(pixel_shuffle(ops.convert_to_tensor(x), 2), golden["torch_pixel_shuffle"], 0.0)


@pytest.mark.parametrize("channel_order", ["pytorch", "tensorflow"])
def test_a_convolution_with_icnr_begins_as_nearest_neighbours(golden, channel_order):
    sub_kernel = golden["icnr_sub_kernel"]
    *rest, channels = sub_kernel.shape

    class Given(keras.initializers.Initializer):
        def __call__(self, shape, dtype=None):
            assert tuple(shape) == sub_kernel.shape
            return ops.convert_to_tensor(sub_kernel)

    kernel = ICNR(Given(), 2, channel_order)((*rest, 4 * channels), dtype="float64")
    low = ops.conv(ops.convert_to_tensor(golden["icnr_input"]), kernel, padding="same")
    out = to_numpy(pixel_shuffle(low, 2, channel_order))
    assert_close(out, golden["icnr_out"])
    blocks = out.reshape(2, 3, 2, 3, 2, channels)
    np.testing.assert_allclose(blocks, np.broadcast_to(blocks[:, :, :1, :, :1], blocks.shape))

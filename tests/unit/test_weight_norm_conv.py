"""WeightNormConv2D and WeightNormConv2DTranspose against literals, loops and Keras."""

import keras
import numpy as np
import pytest
from keras import ops

from improved_gan_tf.layers.data_dependent import initialize_from_data
from improved_gan_tf.layers.weight_norm.conv import WeightNormConv2D, conv_output_length
from improved_gan_tf.layers.weight_norm.conv_transpose import (
    WeightNormConv2DTranspose,
    conv_transpose_output_length,
)
from improved_gan_tf.layers.weight_norm.other_ranks import (
    WeightNormConv1D,
    WeightNormConv1DTranspose,
    WeightNormConv3D,
    WeightNormConv3DTranspose,
)
from tests.reference import weight_norm as reference
from tests.support.numerics import (
    BACKEND,
    finite_differences,
    float64,
    gradients,
    layer_loss,
    to_numpy,
)

BOTH = pytest.mark.parametrize("layer_class", [WeightNormConv2D, WeightNormConv2DTranspose])


@pytest.fixture
def in_float64():
    with float64():
        yield


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def with_random_weights(layer, input_shape):
    layer.build(input_shape)
    for position, weight in enumerate(layer.weights):
        weight.assign(random(*weight.shape, seed=position + 1))
    return layer


# --- values --------------------------------------------------------------------------------


def test_conv_divides_by_the_norm_over_height_width_and_input_channels():
    layer = WeightNormConv2D(2, 1, epsilon=0.0)
    layer.build((None, 1, 1, 2))
    layer.kernel.assign([[[[3.0, 0.0], [4.0, 2.0]]]])  # norms 5 and 2
    layer.scale.assign([10.0, 1.0])
    layer.bias.assign([0.5, -1.0])
    outputs = to_numpy(layer(np.array([[[[1.0, 1.0]]]], "float32")))
    np.testing.assert_allclose(outputs, [[[[14.5, 0.0]]]], rtol=1e-6)


def test_conv_transpose_divides_by_the_norm_of_each_output_channel():
    layer = WeightNormConv2DTranspose(2, 1, epsilon=0.0)
    layer.build((None, 1, 1, 3))
    # (kh, kw, K, A): output channel 0 has norm 3, channel 1 has norm 7.
    layer.kernel.assign([[[[1.0, 2.0, 2.0], [2.0, 3.0, 6.0]]]])
    outputs = to_numpy(layer(np.array([[[[1.0, 1.0, 1.0]]]], "float32")))
    np.testing.assert_allclose(outputs, [[[[5.0 / 3.0, 11.0 / 7.0]]]], rtol=1e-6)


@BOTH
def test_epsilon_is_added_inside_the_root(layer_class):
    layer = layer_class(1, 1, epsilon=7.0)
    layer.build((None, 1, 1, 1))
    layer.kernel.assign([[[[3.0]]]])  # 3 / sqrt(7 + 9)
    outputs = to_numpy(layer(np.ones((1, 1, 1, 1), "float32")))
    np.testing.assert_allclose(outputs, [[[[0.75]]]], rtol=1e-6)


def test_one_pixel_becomes_the_kernel_cut_by_the_padding():
    layer = WeightNormConv2DTranspose(1, 5, strides=2, padding=2, output_padding=1, epsilon=0.0)
    layer.build((None, 1, 1, 1))
    kernel = np.arange(25.0).reshape(5, 5)
    layer.kernel.assign(kernel[:, :, None, None])
    layer.scale.assign([np.sqrt(np.sum(kernel**2))])
    outputs = to_numpy(layer(np.ones((1, 1, 1, 1), "float32")))
    np.testing.assert_allclose(outputs[0, :, :, 0], [[12.0, 13.0], [17.0, 18.0]], rtol=1e-6)


def test_padding_one_with_stride_two_differs_from_same():
    x = np.zeros((1, 4, 4, 1), "float32")
    x[0, 0, 0, 0] = 1.0
    kernel = np.arange(9.0).reshape(3, 3, 1, 1)
    outputs = {}
    for padding in (1, "same"):
        layer = WeightNormConv2D(1, 3, strides=2, padding=padding, use_bias=False, epsilon=0.0)
        layer.build(x.shape)
        layer.kernel.assign(kernel)
        layer.scale.assign([np.sqrt(np.sum(kernel**2))])
        outputs[padding] = to_numpy(layer(x))[0, 0, 0, 0]
    np.testing.assert_allclose([outputs[1], outputs["same"]], [4.0, 0.0], atol=1e-5)


CONV_GEOMETRIES = [
    {},
    {"padding": "same"},
    {"padding": "SAME", "strides": 2},
    {"padding": 1},
    {"padding": 1, "strides": 2},
    {"padding": [0, 2], "strides": (1, 2)},
    {"padding": 0},
    {"padding": 2, "dilation_rate": 2},
    {"padding": "same", "dilation_rate": (1, 2)},
    {"padding": (2, 1), "dilation_rate": (2, 1)},
    {"padding": 1, "groups": 2},
    {"groups": 4},
]


@pytest.mark.parametrize("geometry", CONV_GEOMETRIES, ids=str)
def test_conv_equals_the_loops(geometry, in_float64):
    x = random(2, 7, 6, 4)
    layer = with_random_weights(WeightNormConv2D(8, 3, epsilon=0.1, **geometry), x.shape)
    kernel, scale, bias = map(to_numpy, (layer.kernel, layer.scale, layer.bias))
    dilation = layer.dilation_rate
    if layer.padding == "same":
        paddings = reference.same_paddings(x.shape[1:3], (3, 3), layer.strides, dilation)
    elif layer.padding == "valid":
        paddings = ((0, 0), (0, 0))
    else:
        paddings = tuple((p, p) for p in layer.padding)
    expected = bias + reference.conv2d(
        x,
        reference.normalized_kernel(kernel, scale, 0.1, output_axis=3),
        layer.strides,
        paddings,
        dilation,
        layer.groups,
    )
    np.testing.assert_allclose(to_numpy(layer(x)), expected, rtol=1e-9, atol=1e-9)


TRANSPOSE_GEOMETRIES = [
    ({}, 3),
    ({"strides": 2}, 3),
    ({"strides": 3}, 2),  # a kernel smaller than the stride
    ({"strides": 3, "padding": 0}, 2),
    ({"strides": 3, "padding": 1, "output_padding": 2}, 2),
    ({"strides": 2, "padding": 2, "output_padding": 1}, 5),
    ({"strides": 2, "padding": 4, "output_padding": 1}, 5),  # 16 -> 28 in the MNIST generator
    ({"strides": 2, "padding": (1, 0), "output_padding": (0, 1)}, (3, 4)),
    ({"strides": (1, 2), "padding": 1}, 3),
    ({"strides": 2, "output_padding": 1}, 3),
    ({"dilation_rate": 2}, 3),
    ({"dilation_rate": 2, "padding": 2}, 3),
]


@pytest.mark.parametrize(("geometry", "kernel_size"), TRANSPOSE_GEOMETRIES, ids=str)
def test_conv_transpose_equals_the_loops(geometry, kernel_size, in_float64):
    if BACKEND == "tensorflow" and "dilation_rate" in geometry:
        pytest.skip("TensorFlow has no dilated transposed convolution on CPUs")
    x = random(2, 4, 5, 3)
    layer = WeightNormConv2DTranspose(2, kernel_size, epsilon=0.1, **geometry)
    layer = with_random_weights(layer, x.shape)
    kernel, scale, bias = map(to_numpy, (layer.kernel, layer.scale, layer.bias))
    output_padding = layer.output_padding or (0, 0)
    if layer.padding == "valid" and layer.output_padding is None:
        # Keras fills the output up to the stride.
        sizes = zip(layer.strides, layer.kernel_size, strict=True)
        output_padding = tuple(max(s - k, 0) for s, k in sizes)
    expected = bias + reference.conv2d_transpose(
        x,
        reference.normalized_kernel(kernel, scale, 0.1, output_axis=2),
        layer.strides,
        (0, 0) if layer.padding == "valid" else layer.padding,
        output_padding,
        layer.dilation_rate,
    )
    np.testing.assert_allclose(to_numpy(layer(x)), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("output_padding", [None, 0, 1])
def test_conv_transpose_equals_keras_with_the_same_arguments(padding, output_padding):
    x = random(2, 4, 5, 3).astype("float32")
    arguments = {"strides": 2, "padding": padding, "output_padding": output_padding}
    theirs = keras.layers.Conv2DTranspose(2, 3, **arguments)
    expected = to_numpy(theirs(x))
    ours = WeightNormConv2DTranspose(2, 3, epsilon=0.0, **arguments)
    ours.build(x.shape)
    kernel = to_numpy(theirs.kernel)
    ours.kernel.assign(kernel)
    ours.scale.assign(np.sqrt(np.sum(kernel**2, axis=(0, 1, 3))))
    assert ours.compute_output_shape(x.shape) == expected.shape
    np.testing.assert_allclose(to_numpy(ours(x)), expected, rtol=1e-4, atol=1e-5)


def test_activation_is_applied_after_the_bias():
    layer = WeightNormConv2D(1, 1, activation="relu", epsilon=0.0)
    layer.build((None, 1, 2, 1))
    layer.kernel.assign([[[[1.0]]]])
    layer.bias.assign([-2.0])
    outputs = to_numpy(layer(np.array([[[[3.0], [1.0]]]], "float32")))
    np.testing.assert_allclose(outputs.ravel(), [1.0, 0.0])


# --- shapes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((8, 3, 1, 1, "valid"), 6),
        ((8, 3, 2, 1, "same"), 4),
        ((7, 3, 2, 1, "same"), 4),
        ((8, 3, 2, 1, 1), 4),
        ((7, 3, 2, 1, 1), 4),
        ((28, 3, 1, 1, 3), 32),
        ((8, 3, 1, 2, "valid"), 4),
        ((None, 3, 1, 1, 1), None),
    ],
)
def test_conv_output_length(arguments, expected):
    assert conv_output_length(*arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((16, 5, 2, 1, 2, 1), 32),
        ((16, 5, 2, 1, 4, 1), 28),
        ((16, 5, 2, 1, "same", None), 32),
        ((16, 5, 2, 1, "valid", None), 35),
        ((16, 5, 2, 1, "same", 0), 31),
        ((4, 2, 3, 1, "valid", None), 12),
        ((4, 2, 3, 1, 0, None), 11),
        ((4, 3, 1, 2, 1, None), 6),
        ((None, 5, 2, 1, 2, 1), None),
    ],
)
def test_conv_transpose_output_length(arguments, expected):
    assert conv_transpose_output_length(*arguments) == expected


@BOTH
@pytest.mark.parametrize("padding", [1, "same"])
def test_unknown_spatial_sizes(layer_class, padding):
    layer = layer_class(2, 3, strides=2, padding=padding)
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, None, None, 2)
    x = random(2, 6, 5, 3).astype("float32")
    outputs = model.predict(x, verbose=0)
    assert outputs.shape == layer.compute_output_shape(x.shape)
    np.testing.assert_allclose(outputs, to_numpy(layer(x)), rtol=1e-5, atol=1e-6)


# --- weights -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "kernel_shape"),
    [
        (WeightNormConv2D(6, (3, 2), groups=2), (3, 2, 2, 6)),
        (WeightNormConv2DTranspose(6, (3, 2)), (3, 2, 6, 4)),
    ],
)
def test_weights_and_their_shapes(layer, kernel_shape):
    layer.build((None, 8, 8, 4))
    shapes = {w.name: tuple(w.shape) for w in layer.weights}
    assert shapes == {"kernel": kernel_shape, "scale": (6,), "bias": (6,)}
    assert {w.name for w in layer.trainable_weights} == {"kernel", "bias"}


@BOTH
def test_initial_values_are_the_originals(layer_class):
    layer = layer_class(64, 5)
    layer.build((None, 8, 8, 64))
    kernel = to_numpy(layer.kernel)
    np.testing.assert_allclose([kernel.mean(), kernel.std()], [0.0, 0.05], atol=1e-3)
    np.testing.assert_array_equal(to_numpy(layer.scale), np.ones(64))
    np.testing.assert_array_equal(to_numpy(layer.bias), np.zeros(64))


@BOTH
def test_options_reach_their_weights(layer_class):
    layer = layer_class(
        2,
        1,
        kernel_initializer="ones",
        kernel_regularizer=keras.regularizers.L2(0.5),
        bias_initializer=keras.initializers.Constant(3.0),
        bias_regularizer=keras.regularizers.L1(1.0),
        scale_initializer=keras.initializers.Constant(4.0),
        kernel_constraint="non_neg",
        bias_constraint="non_neg",
        train_scale=True,
    )
    layer.build((None, 1, 1, 3))
    # 0.5 * 6 squares of one, and two biases of three.
    np.testing.assert_allclose(sum(map(to_numpy, layer.losses)), 3.0 + 6.0)
    assert isinstance(layer.kernel.constraint, keras.constraints.NonNeg)
    assert isinstance(layer.bias.constraint, keras.constraints.NonNeg)
    np.testing.assert_array_equal(to_numpy(layer.scale), [4.0, 4.0])
    assert {w.name for w in layer.trainable_weights} == {"kernel", "scale", "bias"}


@BOTH
def test_without_a_bias(layer_class):
    layer = layer_class(2, 3, use_bias=False)
    layer.build((None, 4, 4, 3))
    assert layer.bias is None
    assert [w.name for w in layer.weights] == ["kernel", "scale"]
    assert np.all(to_numpy(layer(np.zeros((1, 4, 4, 3), "float32"))) == 0.0)


# --- data-dependent initialisation ---------------------------------------------------------


@BOTH
def test_initialization_equals_the_loops(layer_class, in_float64):
    layer = layer_class(3, 3, strides=2, padding=1, init_stddev=0.1, activation="linear")
    x = random(5, 6, 6, 2)
    with_random_weights(layer, x.shape)
    old_scale = to_numpy(layer.scale)
    pre_activation = to_numpy(layer(x) - layer.bias)
    expected, scale, bias = reference.initialized(pre_activation, old_scale, 0.1)
    outputs = to_numpy(initialize_from_data(layer, x))
    # `keras.ops.mean` is float32 on JAX and PyTorch.
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(to_numpy(layer.scale), scale, rtol=1e-6)
    np.testing.assert_allclose(to_numpy(layer.bias), bias, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(to_numpy(layer(x)), expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(outputs.std(axis=(0, 1, 2)), [0.1] * 3, rtol=1e-5)


# --- gradients -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer",
    [
        lambda: WeightNormConv2D(2, 3, strides=2, padding=1, train_scale=True),
        lambda: WeightNormConv2D(2, 2, padding="same", groups=2, train_scale=True),
        lambda: WeightNormConv2DTranspose(2, 3, strides=2, padding=1, output_padding=1),
    ],
    ids=["conv", "grouped", "transposed"],
)
def test_gradients_equal_finite_differences(layer, in_float64):
    layer, x = layer(), random(1, 3, 4, 2)
    with_random_weights(layer, x.shape)
    loss = layer_loss(layer, random(*layer.compute_output_shape(x.shape), seed=9))
    arrays = [x, *map(to_numpy, layer.weights)]
    actual, expected = gradients(loss, *arrays), finite_differences(loss, *arrays)
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)


# --- bad input -----------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0}, r"`filters` must be a positive integer. Received: filters=0"),
        ({"filters": 1.5}, r"`filters` must be a positive integer. Received: filters=1.5"),
        ({"kernel_size": 0}, r"`kernel_size` must be an integer of at least 1.*kernel_size=0"),
        ({"kernel_size": (3, 3, 3)}, r"`kernel_size` must be .*kernel_size=\(3, 3, 3\)"),
        ({"strides": "2"}, r"`strides` must be an integer of at least 1.*strides='2'"),
        ({"dilation_rate": -1}, r"`dilation_rate` must be .*dilation_rate=-1"),
        ({"padding": "full"}, r"`padding` must be 'valid', 'same', an integer.*padding=full"),
        ({"padding": -1}, r"`padding` must be an integer of at least 0.*padding=-1"),
        ({"padding": (1, None)}, r"`padding` must be .*padding=\(1, None\)"),
        (
            {"strides": 2, "dilation_rate": 2},
            r"`strides` above 1 cannot be combined with `dilation_rate` above 1",
        ),
        (
            {"data_format": "NCHW"},
            r"`data_format` must be one of .*Received: data_format='NCHW'",
        ),
        ({"epsilon": -1.0}, r"`epsilon` must be 0 or larger. Received: epsilon=-1.0"),
        ({"init_stddev": 0.0}, r"`init_stddev` must be positive. Received: init_stddev=0.0"),
    ],
    ids=str,
)
def test_arguments_out_of_range(layer_class, arguments, message):
    with pytest.raises(ValueError, match=message):
        layer_class(**{"filters": 4, "kernel_size": 3, **arguments})


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (0, r"`groups` must be a positive integer. Received: groups=0"),
        (3, r"`filters` must be divisible by `groups`. Received: filters=4, groups=3"),
    ],
)
def test_groups_out_of_range(groups, message):
    with pytest.raises(ValueError, match=message):
        WeightNormConv2D(4, 3, groups=groups)


def test_groups_must_divide_the_input_channels():
    with pytest.raises(ValueError, match=r"input channels must be divisible by `groups`.*groups=4"):
        WeightNormConv2D(4, 3, groups=4).build((None, 8, 8, 6))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output_padding": 2}, r"must be smaller than `strides`.*output_padding=\(2, 2\)"),
        ({"output_padding": -1}, r"`output_padding` must be an integer of at least 0"),
    ],
)
def test_output_padding_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        WeightNormConv2DTranspose(4, 3, strides=2, **arguments)


@BOTH
def test_the_number_of_channels_must_be_known(layer_class):
    with pytest.raises(ValueError, match=r"channel dimension of the input of `WeightNorm.*known"):
        layer_class(4, 3).build((None, 8, 8, None))


@BOTH
def test_rank_four_is_required(layer_class):
    with pytest.raises(ValueError, match="expected ndim=4, found ndim=3"):
        layer_class(4, 3)(np.zeros((2, 8, 3), "float32"))


@BOTH
def test_the_number_of_channels_cannot_change(layer_class):
    layer = layer_class(4, 3)
    layer.build((None, 8, 8, 3))
    with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 3"):
        layer(np.zeros((2, 8, 8, 5), "float32"))


@BOTH
def test_integer_input_is_refused(layer_class):
    with pytest.raises(ValueError, match=r"must be floating point\. Received: dtype=int32"):
        layer_class(4, 3)(np.zeros((2, 8, 8, 3), "int32"))


def test_input_smaller_than_the_kernel():
    with pytest.raises(ValueError, match=r"empty output \(None, 0, 0, 4\).*too small"):
        WeightNormConv2D(4, 3).build((None, 2, 2, 3))


def test_padding_that_cuts_everything():
    with pytest.raises(ValueError, match=r"empty output.*padding=\(3, 3\)"):
        WeightNormConv2DTranspose(4, 3, padding=3).build((None, 2, 2, 3))


def test_a_channel_that_does_not_vary_cannot_be_initialized():
    layer = WeightNormConv2D(1, 1)
    with pytest.raises(ValueError, match="every unit varies"):
        initialize_from_data(layer, np.zeros((4, 2, 2, 1), "float32"))


def test_no_state_besides_the_weights_changes_in_a_call():
    layer = with_random_weights(WeightNormConv2D(2, 3), (None, 4, 4, 3))
    before = [to_numpy(w).copy() for w in layer.weights]
    layer(ops.ones((1, 4, 4, 3)), training=True)
    for old, new in zip(before, layer.weights, strict=True):
        np.testing.assert_array_equal(old, to_numpy(new))


# --- channels first, and other numbers of dimensions -----------------------------------------

GEOMETRIES = [
    (WeightNormConv2D, {"padding": 1, "strides": 2}),
    (WeightNormConv2D, {"padding": "same", "groups": 2}),
    (WeightNormConv2DTranspose, {"padding": (1, 0), "strides": 2, "output_padding": (1, 0)}),
]


@pytest.mark.parametrize(("layer_class", "options"), GEOMETRIES)
def test_channels_first_is_channels_last_transposed(layer_class, options):
    x = random(6, 5, 7, 4).astype("float32")
    last = with_random_weights(layer_class(2, 3, activation="tanh", **options), x.shape)
    options = {**options, "data_format": "channels_first"}
    first = layer_class(2, 3, activation="tanh", **options)
    outputs = to_numpy(first(np.moveaxis(x, -1, 1)))
    first.set_weights(last.get_weights())
    outputs = to_numpy(first(np.moveaxis(x, -1, 1)))
    np.testing.assert_allclose(np.moveaxis(outputs, 1, -1), to_numpy(last(x)), rtol=1e-5, atol=1e-6)
    assert outputs.shape == tuple(first.compute_output_shape((6, 4, 5, 7)))
    initialize_from_data(first, np.moveaxis(x, -1, 1))
    initialize_from_data(last, x)
    for one, other in zip(first.get_weights(), last.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_keras_setting_of_the_data_format_is_taken():
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    try:
        assert WeightNormConv2D(2, 3).data_format == "channels_first"
    finally:
        keras.config.set_image_data_format(before)


@pytest.mark.parametrize(
    ("one", "two", "options"),
    [
        (WeightNormConv1D, WeightNormConv2D, {"padding": 1, "strides": 2}),
        (WeightNormConv1DTranspose, WeightNormConv2DTranspose, {"padding": 1, "strides": 2}),
    ],
)
def test_one_dimension_is_two_of_which_one_has_length_one(one, two, options):
    x = random(3, 9, 4).astype("float32")
    layer = with_random_weights(one(2, 3, **options), x.shape)
    flat = {name: (0 if name == "padding" else 1, value) for name, value in options.items()}
    wide = two(2, (1, 3), **flat)
    wide.build((3, 1, 9, 4))
    wide.set_weights([layer.get_weights()[0][None], *layer.get_weights()[1:]])
    expected = to_numpy(wide(x[:, None]))[:, 0]
    np.testing.assert_allclose(to_numpy(layer(x)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("three", "two", "options"),
    [
        (WeightNormConv3D, WeightNormConv2D, {"padding": 1, "strides": 2}),
        (WeightNormConv3DTranspose, WeightNormConv2DTranspose, {"padding": 1, "strides": 2}),
    ],
)
def test_three_dimensions_of_which_one_has_length_one_are_two(three, two, options):
    x = random(3, 6, 5, 4).astype("float32")
    layer = with_random_weights(two(2, 3, **options), x.shape)
    deep = {name: (0 if name == "padding" else 1, v, v) for name, v in options.items()}
    volume = three(2, (1, 3, 3), **deep)
    volume.build((3, 1, 6, 5, 4))
    volume.set_weights([layer.get_weights()[0][None], *layer.get_weights()[1:]])
    outputs = to_numpy(volume(x[:, None]))[:, 0]
    np.testing.assert_allclose(outputs, to_numpy(layer(x)), rtol=1e-5, atol=1e-6)


def test_each_number_of_dimensions_says_how_many_integers_it_takes():
    with pytest.raises(ValueError, match=r"`strides` .* or one of them \(length,\).*\(1, 2\)"):
        WeightNormConv1D(2, 3, strides=(1, 2))
    with pytest.raises(ValueError, match=r"`kernel_size` .* three of them \(depth, height, width"):
        WeightNormConv3D(2, (3, 3))

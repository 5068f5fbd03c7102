"""Data-dependent initialisation of whole models: one eager pass, every layer normalised."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf.layers import data_dependent
from improved_gan_tf.layers.activations import rectify
from improved_gan_tf.layers.data_dependent import initialize_from_data
from improved_gan_tf.layers.minibatch_discrimination.layer import MinibatchDiscrimination
from improved_gan_tf.layers.noise import GaussianNoise
from improved_gan_tf.layers.weight_norm.conv import WeightNormConv2D
from improved_gan_tf.layers.weight_norm.conv_transpose import WeightNormConv2DTranspose
from improved_gan_tf.layers.weight_norm.dense import WeightNormDense
from tests.support.numerics import to_numpy


def batch(size=200, width=6, seed=0):
    return np.random.RandomState(seed).normal(3.0, 2.0, size=(size, width)).astype("float32")


def two_layers():
    inputs = keras.Input((6,))
    hidden = WeightNormDense(5, activation=rectify, name="first")(inputs)
    outputs = WeightNormDense(4, init_stddev=0.1, name="second")(hidden)
    return keras.Model(inputs, {"hidden": hidden, "outputs": outputs})


def assert_mean_and_deviation(values, deviation):
    np.testing.assert_allclose(values.mean(0), np.zeros(values.shape[1]), atol=1e-5)
    np.testing.assert_allclose(values.std(0), np.full(values.shape[1], deviation), rtol=1e-4)


def test_every_layer_gets_its_spread_on_the_batch():
    model, x = two_layers(), batch()
    initialize_from_data(model, x)
    first, second = model.get_layer("first"), model.get_layer("second")
    first.activation = keras.activations.linear
    pre_activation = to_numpy(first(x))
    assert_mean_and_deviation(pre_activation, 1.0)
    assert_mean_and_deviation(to_numpy(second(np.maximum(pre_activation, 0.0))), 0.1)


def test_each_layer_is_initialised_from_what_the_layer_below_now_gives():
    model, x = two_layers(), batch()
    during = initialize_from_data(model, x)
    after = model(x)
    for name in ("hidden", "outputs"):
        np.testing.assert_allclose(
            to_numpy(during[name]), to_numpy(after[name]), rtol=1e-4, atol=1e-5
        )


def test_the_old_scale_is_multiplied_and_the_old_bias_forgotten():
    x = batch()
    plain, other = WeightNormDense(3), WeightNormDense(3)
    for layer in (plain, other):
        layer.build(x.shape)
    other.kernel.assign(plain.kernel)
    other.scale.assign([2.0, 2.0, 2.0])
    other.bias.assign([5.0, -5.0, 50.0])
    initialize_from_data(plain, x)
    initialize_from_data(other, x)
    np.testing.assert_allclose(to_numpy(other.scale), to_numpy(plain.scale), rtol=1e-4)
    np.testing.assert_allclose(to_numpy(other.bias), to_numpy(plain.bias), rtol=1e-4, atol=1e-5)


def test_a_unit_by_hand():
    layer = WeightNormDense(1, epsilon=0.0, init_stddev=0.5)
    layer.build((None, 1))
    layer.kernel.assign([[-4.0]])  # direction -1
    outputs = initialize_from_data(layer, np.array([[1.0], [5.0]], "float32"))
    # pre-activations -1 and -5: mean -3, deviation 2, factor 1/4
    np.testing.assert_allclose(to_numpy(layer.scale), [0.25], rtol=1e-6)
    np.testing.assert_allclose(to_numpy(layer.bias), [0.75], rtol=1e-6)
    np.testing.assert_allclose(to_numpy(outputs), [[0.5], [-0.5]], rtol=1e-6)


def test_kernels_stay_as_they_were():
    model, x = two_layers(), batch()
    before = [to_numpy(model.get_layer(n).kernel) for n in ("first", "second")]
    initialize_from_data(model, x)
    after = [to_numpy(model.get_layer(n).kernel) for n in ("first", "second")]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_noise_is_on_in_the_pass():
    x = batch(2000)
    inputs = keras.Input((6,))
    noisy = GaussianNoise(100.0, seed=1)(inputs)
    layer = WeightNormDense(1)
    model = keras.Model(inputs, layer(noisy))
    initialize_from_data(model, x)
    # The scale undoes a spread of about 100, not the data's 2.
    assert 0.005 < float(to_numpy(layer.scale)[0]) < 0.02


def test_calls_after_the_pass_are_ordinary():
    model, x = two_layers(), batch()
    initialize_from_data(model, x)
    weights = [to_numpy(w) for w in model.weights]
    assert not data_dependent.is_initializing()
    model(batch(seed=1), training=True)
    for before, after in zip(weights, model.weights, strict=True):
        np.testing.assert_array_equal(before, to_numpy(after))


def test_a_failed_pass_leaves_the_next_call_ordinary():
    with pytest.raises(ValueError, match="every unit varies"):
        initialize_from_data(two_layers(), np.ones((8, 6), "float32"))
    assert not data_dependent.is_initializing()


def test_a_batch_without_variation_is_refused_by_layer_name():
    with pytest.raises(ValueError, match=r"layer 'first' .*standard deviation 0"):
        initialize_from_data(two_layers(), np.ones((8, 6), "float32"))


def test_a_batch_with_nan_is_refused():
    x = batch()
    x[0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        initialize_from_data(two_layers(), x)


def test_a_call_while_a_graph_is_traced_is_refused():
    model = two_layers()

    @tf.function
    def step(x):
        return initialize_from_data(model, x)

    with pytest.raises(RuntimeError, match=r"call it before training and outside tf\.function"):
        step(tf.constant(batch()))


def test_a_layer_that_is_called_twice_is_refused():
    shared = WeightNormDense(3, name="shared")
    first, second = keras.Input((4,)), keras.Input((4,))
    model = keras.Model([first, second], [shared(first), shared(second)])
    batch = np.random.RandomState(0).normal(size=(2, 8, 4)).astype("float32")
    with pytest.raises(ValueError, match="calls layer 'shared' more than once"):
        initialize_from_data(model, list(batch))
    # The next pass begins anew.
    initialize_from_data(keras.Sequential([keras.Input((4,)), shared]), batch[0])


@pytest.mark.parametrize("kind", ["model", "function"])
def test_a_failed_pass_leaves_everything_as_it_was(kind):
    """All or nothing: the layers before the one that fails, the noise, the moving averages."""
    inputs = keras.Input((6,))
    hidden = WeightNormDense(5, name="first")(GaussianNoise(0.1, seed=1)(inputs))
    hidden = keras.layers.BatchNormalization()(hidden)
    hidden = keras.layers.Rescaling(0.0)(hidden)  # the second layer's units do not vary
    model = keras.Model(inputs, WeightNormDense(4, name="second")(hidden))
    variables = model.variables if kind == "model" else model.get_layer("first").variables
    before = [to_numpy(v) for v in variables]
    given = model if kind == "model" else (lambda x, training: model(x, training=training))
    with pytest.raises(ValueError, match=r"layer 'second' .*standard deviation 0"):
        initialize_from_data(given, batch())
    for value, variable in zip(before, variables, strict=True):
        np.testing.assert_array_equal(to_numpy(variable), value)


class TwoInputs(keras.Model):
    """Called with two arguments, as a conditional discriminator is."""

    def __init__(self):
        super().__init__(name="two")
        self.first, self.second = WeightNormDense(3), WeightNormDense(2)

    def call(self, x, y):
        return self.second(keras.ops.concatenate([self.first(x), y], axis=-1))


def test_a_model_of_several_arguments_takes_them_one_by_one():
    x, y = batch(), batch(width=2, seed=1)
    assert_mean_and_deviation(to_numpy(initialize_from_data(TwoInputs(), x, y)), 1.0)


def test_the_wrong_number_of_arguments_is_named_before_anything_is_built():
    model = TwoInputs()
    message = r"`call` of 'two' takes other arguments: .*'y'.* initialize_from_data\(model, x, y\)"
    with pytest.raises(TypeError, match=message):
        initialize_from_data(model, [batch(), batch()])
    assert not model.built


class Compiled(keras.Model):
    """A model whose `call` is a compiled function."""

    def __init__(self):
        super().__init__()
        self.dense = WeightNormDense(3)

    def build(self, input_shape):
        self.dense.build(input_shape)

    @tf.function
    def call(self, inputs):
        return self.dense(inputs)


@pytest.mark.parametrize("is_traced_before", [True, False])
def test_a_model_whose_call_is_compiled_is_initialised_once(is_traced_before):
    model, x = Compiled(), batch()
    if is_traced_before:
        model(x)
    assert_mean_and_deviation(to_numpy(initialize_from_data(model, x)), 1.0)
    # What the next call runs is no initialisation.
    np.testing.assert_allclose(to_numpy(model(3.0 * x)).std(0), [3.0, 3.0, 3.0], rtol=1e-4)
    assert not tf.config.functions_run_eagerly()


def test_a_layer_that_is_called_at_every_step_is_refused_with_the_way_out():
    steps = np.random.RandomState(0).normal(size=(8, 3, 4)).astype("float32")
    wrapped = WeightNormDense(3, name="wrapped")
    model = keras.Sequential([keras.Input((3, 4)), keras.layers.TimeDistributed(wrapped)])
    with pytest.raises(ValueError, match=r"'wrapped' more than once.*TimeDistributed"):
        initialize_from_data(model, steps)
    outputs = initialize_from_data(wrapped, steps.reshape(-1, 4))
    assert_mean_and_deviation(to_numpy(outputs), 1.0)


@pytest.mark.parametrize("not_a_batch", [[[1.0, 2.0]], tf.data.Dataset.range(2)], ids=type)
def test_what_is_no_batch_is_named(not_a_batch):
    model = keras.Sequential([WeightNormDense(3)])
    message = r"takes one batch, .* `next\(iter\(dataset\)\)`. Received: a value of type (float|_R)"
    with pytest.raises(TypeError, match=message):
        initialize_from_data(model, not_a_batch)
    assert not model.built


@pytest.mark.parametrize("policy", ["bfloat16", "float16"])
@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: WeightNormDense(3), (8,)),
        (lambda: WeightNormConv2D(3, 3), (4, 4, 2)),
        (lambda: WeightNormConv2DTranspose(3, 3), (4, 4, 2)),
        (lambda: MinibatchDiscrimination(3, 2), (8,)),
    ],
)
def test_layers_wholly_in_half_precision_are_initialised(make, shape, policy):
    """Not under a mixed policy: their variables are in half precision too."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        layer = make()
    finally:
        keras.config.set_dtype_policy(before)
    x = np.random.RandomState(0).normal(3.0, 2.0, size=(200, *shape)).astype("float32")
    outputs = initialize_from_data(layer, x)
    assert keras.backend.standardize_dtype(outputs.dtype) == policy
    outputs = to_numpy(layer(x)).astype("float32")[..., -3:]
    axes = tuple(range(outputs.ndim - 1))
    np.testing.assert_allclose(outputs.mean(axes), 0.0, atol=0.15)
    if not isinstance(layer, MinibatchDiscrimination):
        np.testing.assert_allclose(outputs.std(axes), 1.0, rtol=0.05)


@pytest.mark.parametrize("policy", ["bfloat16", "float16"])
def test_the_norm_of_a_large_kernel_fits_half_precision(policy):
    layer = WeightNormDense(1, kernel_initializer=keras.initializers.Constant(8.0), dtype=policy)
    outputs = layer(np.full((1, 4096), 0.25, "float32"))  # the squares sum up to 262144
    assert float(to_numpy(outputs).astype("float32")[0, 0]) == pytest.approx(16.0, rel=0.01)


def test_a_frozen_layer_keeps_its_values():
    model, x = two_layers(), batch()
    pairs = keras.Sequential([keras.Input((6,)), MinibatchDiscrimination(3, 2, name="pairs")])
    for frozen in (model.get_layer("first"), pairs.get_layer("pairs")):
        frozen.trainable = False
    before = [[to_numpy(w) for w in m.weights] for m in (model, pairs)]
    initialize_from_data(model, x)
    initialize_from_data(pairs, x)
    assert data_dependent.layers_to_initialize(model) == [model.get_layer("second")]
    changed = {
        w.path
        for m, values in zip((model, pairs), before, strict=True)
        for w, value in zip(m.weights, values, strict=True)
        if not np.array_equal(to_numpy(w), value)
    }
    assert changed == {"second/scale", "second/bias"}


def test_a_call_that_must_be_told_whether_it_trains_is_told():
    class Told(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = WeightNormDense(3)

        def call(self, x, training):
            assert training in (False, True)
            return self.dense(x)

    assert_mean_and_deviation(to_numpy(initialize_from_data(Told(), batch())), 1.0)


@pytest.mark.parametrize("value", [0.1, 1.0, 3.3])
@pytest.mark.parametrize("rows", [7, 100, 500])
@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: WeightNormDense(3), (5,)),
        (lambda: WeightNormConv2D(4, 3), (3, 3, 2)),
        (lambda: MinibatchDiscrimination(4, 3), (5,)),
    ],
)
def test_a_batch_of_one_image_again_and_again_is_refused(make, shape, rows, value):
    """Its deviation is not always 0: the mean of equal numbers is rounded."""
    layer = make()
    layer.build((None, *shape))
    before = layer.get_weights()
    image = value * np.random.RandomState(1).uniform(0.5, 1.0, size=shape)
    with pytest.raises(ValueError, match=f"of layer '{layer.name}' needs a batch"):
        initialize_from_data(layer, np.tile(image.astype("float32"), (rows, *(1,) * len(shape))))
    for one, other in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_unit_that_varies_a_little_around_a_large_mean_is_initialised():
    layer = WeightNormDense(3)
    x = 50.0 + 0.1 * batch(500)
    outputs = to_numpy(initialize_from_data(layer, x.astype("float32")))
    np.testing.assert_allclose(outputs.mean(0), 0.0, atol=1e-3)
    np.testing.assert_allclose(outputs.std(0), 1.0, rtol=1e-3)


def test_products_that_only_the_norm_brings_into_float16_are_finite():
    """As in the convolutions, whose kernel is normalised before it is multiplied."""
    large = keras.initializers.Constant(100.0)
    for policy in ("float32", "mixed_float16"):
        dense = WeightNormDense(2, kernel_initializer=large, dtype=policy)
        found = to_numpy(dense(np.ones((1, 1000), "float32"))).astype("float32")
        np.testing.assert_allclose(found, np.sqrt(1000.0), rtol=2e-3)
    x = batch(20, 1000)
    outputs = []
    for policy in ("float32", "mixed_float16"):
        layer = MinibatchDiscrimination(3, 2, dtype=policy)
        layer.build(x.shape)
        theta = np.random.RandomState(2).normal(size=layer.theta.shape)
        layer.theta.assign(2e3 * theta.astype("float32"))
        layer.log_weight_scale.assign(-np.ones((3, 2), "float32"))
        outputs.append(to_numpy(layer.closeness(x)))
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=2e-2)

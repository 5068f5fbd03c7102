"""Virtual batch normalization against closed forms and loops, with its reference and frozen."""

import keras
import numpy as np
import pytest
from keras import ops

from improved_gan_tf.layers.virtual_batch_norm.frozen import (
    FrozenVirtualBatchNorm,
    freeze_reference,
)
from improved_gan_tf.layers.virtual_batch_norm.live import VirtualBatchNorm
from improved_gan_tf.layers.virtual_batch_norm.reference_batch import (
    DropReference,
    PrependReference,
)
from improved_gan_tf.layers.virtual_batch_norm.statistics import virtual_statistics
from tests.reference.virtual_batch_norm import virtual_batch_norm
from tests.support.numerics import (
    BACKEND,
    finite_differences,
    float64,
    gradients,
    layer_loss,
    to_numpy,
)


@pytest.fixture
def in_float64():
    with float64():
        yield


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def plain(size, **arguments):
    """A layer with gamma 1 and beta 0."""
    return VirtualBatchNorm(size, gamma_initializer="ones", **arguments)


def generator(size=4, example=(3,), seed=0):
    """A model with two normalisations, its reference set."""
    inputs = keras.Input(example)
    prepend = PrependReference(size, name="prepend")
    x = prepend(inputs)
    x = keras.layers.Dense(4 * 4 * 2, name="dense")(x)
    x = keras.layers.Reshape((4, 4, 2), name="reshape")(x)
    x = VirtualBatchNorm(size, name="first")(x)
    x = keras.layers.Conv2D(3, 3, activation="relu", name="conv")(x)
    x = VirtualBatchNorm(size, name="second", epsilon=0.1, scale=False)(x)
    outputs = DropReference(size, name="drop")(x)
    model = keras.Model(inputs, outputs)
    for position, weight in enumerate(model.trainable_weights):
        weight.assign(random(*weight.shape, seed=seed + position))
    prepend.set_reference(random(size, *example, seed=99))
    return model


# --- values --------------------------------------------------------------------------------


def test_a_reference_of_one_row_gives_the_closed_form(in_float64):
    """R = 1, w = 1/2: mean (x + r) / 2 and variance ((x - r) / 2)^2; the reference gives 0."""
    reference, live = np.array([[3.0, -1.0]]), np.array([[5.0, -1.0], [0.0, 7.0]])
    outputs = to_numpy(plain(1, epsilon=1e-5)(np.concatenate([reference, live])))
    half = (live - reference) / 2.0
    np.testing.assert_allclose(outputs[0], [0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(outputs[1:], half / np.sqrt(1e-5 + half**2), rtol=1e-12)


def test_literal_values(in_float64):
    """R = 2: reference 0 and 2 has mean 1, mean of squares 2; x = 4: mean 2, mean square 20/3."""
    outputs = to_numpy(plain(2, epsilon=1.0)(np.array([[0.0], [2.0], [4.0]])))
    expected = [-1.0 / np.sqrt(2.0), 1.0 / np.sqrt(2.0), 2.0 / np.sqrt(1.0 + 20.0 / 3.0 - 4.0)]
    np.testing.assert_allclose(outputs[:, 0], expected, rtol=1e-12)


@pytest.mark.parametrize("shape", [(5,), (3, 5), (3, 2, 4), (2, 3, 2, 4)], ids=str)
def test_every_rank_equals_the_loops(shape, in_float64):
    reference, live = 1.0 + random(4, *shape), 2.0 * random(3, *shape, seed=1) - 1.0
    layer = VirtualBatchNorm(4, epsilon=0.01)
    layer.build((None, *shape))
    gamma, beta = random(shape[-1], seed=2), random(shape[-1], seed=3)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    outputs = to_numpy(layer(np.concatenate([reference, live])))
    expected = np.concatenate(virtual_batch_norm(reference, live, gamma, beta, 0.01))
    np.testing.assert_allclose(outputs, expected, rtol=1e-9, atol=1e-10)


def test_the_statistics_are_those_of_the_formula():
    m_x, v_x, m_ref, v_ref, w = 2.0, 3.0, -1.0, 0.5, 0.2
    mean, variance = virtual_statistics(m_x, v_x, m_ref, v_ref, w)
    expected_mean = w * m_x + (1 - w) * m_ref
    mean_square = w * (v_x + m_x**2) + (1 - w) * (v_ref + m_ref**2)
    np.testing.assert_allclose(float(mean), expected_mean)
    np.testing.assert_allclose(to_numpy(variance), mean_square - expected_mean**2, rtol=1e-6)


def test_a_large_mean_costs_no_digits():
    x = random(8, 4, 4, 2)
    layer = plain(5)
    moved = to_numpy(layer((x + 4096.0).astype("float32")))
    np.testing.assert_allclose(moved, to_numpy(layer(x.astype("float32"))), atol=5e-3)


@pytest.mark.parametrize("layer_class", [VirtualBatchNorm, FrozenVirtualBatchNorm])
def test_statistics_do_not_overflow_half_precision(layer_class):
    x = (1000.0 * random(6, 4, 4, 2)).astype("float32")  # squares do not fit float16
    arguments = {"reference_size": 3, "gamma_initializer": "ones"}
    half = to_numpy(layer_class(dtype="mixed_float16", **arguments)(x))
    np.testing.assert_allclose(half, to_numpy(layer_class(**arguments)(x)), rtol=0.01, atol=0.01)


def test_the_reference_is_normalised_by_itself_only():
    layer, reference = plain(3), random(3, 2, 2, 2)
    one = to_numpy(layer(np.concatenate([reference, random(2, 2, 2, 2, seed=1)])))
    other = to_numpy(layer(np.concatenate([reference, 9.0 + random(5, 2, 2, 2, seed=2)])))
    np.testing.assert_array_equal(one[:3], other[:3])
    np.testing.assert_allclose(one[:3].mean(axis=(0, 1, 2)), 0.0, atol=1e-6)
    np.testing.assert_allclose(one[:3].std(axis=(0, 1, 2)), 1.0, atol=1e-3)


def test_an_example_does_not_depend_on_its_neighbours():
    layer, reference, x = plain(3), random(3, 2, 2, 2), random(1, 2, 2, 2, seed=1)
    alone = to_numpy(layer(np.concatenate([reference, x])))[3]
    neighbours = 5.0 * random(4, 2, 2, 2, seed=2)
    among = to_numpy(layer(np.concatenate([reference, neighbours, x])))[-1]
    np.testing.assert_allclose(alone, among, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_reaches_its_own_row_only(bad):
    model, x = generator(), random(4, 3, seed=5).astype("float32")
    clean = to_numpy(model(x))
    x[1, 2] = bad
    spoiled = to_numpy(model(x))
    assert np.isnan(spoiled[1]).all()
    np.testing.assert_array_equal(np.delete(spoiled, 1, axis=0), np.delete(clean, 1, axis=0))


def test_the_channel_axis_can_be_the_first(in_float64):
    x = random(7, 4, 4, 3)
    last = to_numpy(plain(4)(x))
    first = to_numpy(plain(4, axis=1)(x.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(first.transpose(0, 2, 3, 1), last, rtol=1e-12)


def test_gamma_and_beta_can_be_left_out():
    layer = VirtualBatchNorm(2, center=False, scale=False)
    layer.build((None, 3))
    assert layer.weights == []
    default = VirtualBatchNorm(2)
    default.build((None, 3))
    assert [w.name for w in default.trainable_weights] == ["gamma", "beta"]


def test_initial_values_are_the_originals():
    layer = VirtualBatchNorm(2)
    layer.build((None, 20000))
    gamma = to_numpy(layer.gamma)
    np.testing.assert_allclose([gamma.mean(), gamma.std()], [1.0, 0.02], atol=1e-3)
    np.testing.assert_array_equal(to_numpy(layer.beta), np.zeros(20000))
    assert layer.epsilon == 1e-5


def test_options_reach_their_weights():
    layer = VirtualBatchNorm(
        2,
        gamma_initializer="ones",
        gamma_regularizer=keras.regularizers.L2(0.5),
        gamma_constraint="non_neg",
        beta_initializer=keras.initializers.Constant(3.0),
        beta_regularizer=keras.regularizers.L1(1.0),
        beta_constraint="max_norm",
    )
    layer.build((None, 4))
    np.testing.assert_allclose(sum(map(to_numpy, layer.losses)), 0.5 * 4 + 3.0 * 4)
    assert isinstance(layer.gamma.constraint, keras.constraints.NonNeg)
    assert isinstance(layer.beta.constraint, keras.constraints.MaxNorm)


# --- gradients -----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2,), (2, 2, 2)], ids=str)
def test_gradients_equal_finite_differences(shape, in_float64):
    layer, x = VirtualBatchNorm(2, epsilon=0.1), random(4, *shape)
    layer.build(x.shape)
    loss = layer_loss(layer, random(*x.shape, seed=1))
    arrays = [x, *map(to_numpy, layer.weights)]
    actual, expected = gradients(loss, *arrays), finite_differences(loss, *arrays)
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)


def test_a_live_loss_reaches_the_reference_rows(in_float64):
    layer, x, weights = VirtualBatchNorm(2), random(3, 2, 2, 2), random(3, 2, 2, 2, seed=1)
    layer.build(x.shape)
    weights[:2] = 0.0  # the loss sees the live row only
    d_x = gradients(layer_loss(layer, weights), x, *map(to_numpy, layer.weights))[0]
    assert np.all(np.abs(d_x[:2]) > 1e-6)


# --- the reference batch -------------------------------------------------------------------


def test_prepend_and_drop_are_inverse():
    prepend, x = PrependReference(3), random(2, 4).astype("float32")
    reference = random(3, 4).astype("float32")
    prepend.set_reference(reference)
    both = to_numpy(prepend(x))
    np.testing.assert_array_equal(both, np.concatenate([reference, x]))
    np.testing.assert_array_equal(to_numpy(DropReference(3)(both)), x)


def test_the_reference_is_a_weight_that_is_not_trained():
    layer = PrependReference(2)
    layer.set_reference(np.ones((2, 3), "float32"))
    assert [w.name for w in layer.non_trainable_weights] == ["reference"]
    assert layer.trainable_weights == []


def test_the_reference_can_be_set_again():
    layer, x = PrependReference(2), np.zeros((1, 3), "float32")
    layer.set_reference(np.ones((2, 3), "float32"))
    layer(x)
    layer.set_reference(np.full((2, 3), 5.0))
    np.testing.assert_array_equal(to_numpy(layer(x))[:2], np.full((2, 3), 5.0))


@pytest.mark.parametrize(
    "use",
    [
        lambda model, x: model(x, training=True),
        lambda model, x: model.predict(x, verbose=0),
        lambda model, x: freeze_reference(model),
    ],
)
def test_without_a_reference_the_use_of_a_model_says_so(use):
    if BACKEND != "tensorflow":
        pytest.skip("jax.jit hides the value")
    layers = [PrependReference(2, name="prepend"), VirtualBatchNorm(2), DropReference(2)]
    model = keras.Sequential([keras.Input((3,)), *layers])
    with pytest.raises(ValueError, match=r"ayer 'prepend'.* has no reference batch"):
        use(model, np.zeros((1, 3), "float32"))


def test_an_average_of_the_weights_may_be_built_by_a_call():
    """The usual pattern: a clone, one call on anything, the weights of the model."""
    model = generator()
    clone = keras.models.clone_model(model)
    x = random(2, 3).astype("float32")
    with pytest.warns(UserWarning, match="has no reference batch: .* Until then .* is NaN"):
        outputs = clone(x)
    assert np.isnan(to_numpy(outputs)).all()
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(to_numpy(clone(x)), to_numpy(model(x)))


@pytest.mark.parametrize(("norm", "drop", "wrong"), [(16, 32, "norm"), (32, 16, "drop")])
def test_a_functional_model_counts_the_same_reference_rows_everywhere(norm, drop, wrong):
    layers = [
        PrependReference(32, name="prepend"),
        keras.layers.Dense(4),
        VirtualBatchNorm(norm, name="norm"),
        keras.layers.Dense(4),
        DropReference(drop, name="drop"),
    ]
    message = rf"'{wrong}' must have the `reference_size` .* 'prepend' before it, 32.*size=16"
    with pytest.raises(ValueError, match=message):
        keras.Sequential([keras.Input((3,)), *layers])


def test_rows_of_a_reference_that_was_dropped_do_not_count():
    x = keras.Input((3,))
    for size in (4, 2):
        x = DropReference(size)(VirtualBatchNorm(size)(PrependReference(size)(x)))
    y = keras.layers.Add()([PrependReference(4)(x), PrependReference(2)(x)])
    with pytest.raises(ValueError, match="'second' must have"):  # either branch is looked at
        VirtualBatchNorm(4, name="second")(y)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (np.zeros((3, 4)), r"must have shape \(2, ...\). Received: .* shape \(3, 4\)"),
        (np.zeros(2), r"must have shape \(2, ...\). Received: .* shape \(2,\)"),
        (
            np.zeros((2, 4), "int32"),
            r"reference batch .* floating point\. Received: dtype=int32",
        ),
        (np.full((2, 4), np.nan), r"must be finite"),
        (
            np.zeros((2, 5)),
            r"must have the shape \(2, 4\) with which layer 'p' was built.*\(2, 5\)",
        ),
    ],
)
def test_a_wrong_reference_is_refused(batch, message):
    layer = PrependReference(2, name="p")
    layer.build((None, 4))
    with pytest.raises(ValueError, match=message):
        layer.set_reference(batch)
    assert np.isnan(to_numpy(layer.reference)).all()


@pytest.mark.parametrize("size", [0, -3, 2.0, True])
@pytest.mark.parametrize(
    "layer_class", [PrependReference, DropReference, VirtualBatchNorm, FrozenVirtualBatchNorm]
)
def test_the_size_of_the_reference_must_be_a_positive_integer(layer_class, size):
    message = f"`reference_size` must be a positive integer. Received: reference_size={size}"
    with pytest.raises(ValueError, match=message):
        layer_class(size)


def test_a_reference_of_one_example_is_refused():
    with pytest.raises(ValueError, match=r"must be at least 2.*reference_size=1"):
        PrependReference(1)


def test_an_example_of_another_shape_is_refused():
    layer = PrependReference(2)
    layer.set_reference(np.zeros((2, 4)))
    with pytest.raises(ValueError, match="is incompatible with the layer"):
        layer(np.zeros((3, 5), "float32"))


def test_an_unknown_example_shape_is_refused():
    with pytest.raises(ValueError, match=r"must be known, or the reference set.*\(None, None, 3\)"):
        PrependReference(2)(keras.Input((None, 3)))


# --- bad input -----------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [VirtualBatchNorm(4), DropReference(4)], ids=str)
def test_fewer_rows_than_the_reference(layer):
    message = r"first `reference_size` rows .* are the reference batch: put `PrependReference`"
    with pytest.raises(ValueError, match=message):
        layer(np.zeros((3, 2), "float32"))


def test_fewer_rows_than_the_reference_in_a_batch_of_unknown_size():
    inputs = keras.Input((2,))
    model = keras.Model(inputs, VirtualBatchNorm(4)(inputs))
    with pytest.raises(Exception, match=r"reshape|put `PrependReference`"):
        model.predict(np.zeros((1, 2), "float32"), verbose=0)


@pytest.mark.parametrize("layer_class", [VirtualBatchNorm, FrozenVirtualBatchNorm])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epsilon": 0.0}, "`epsilon` must be positive. Received: epsilon=0.0"),
        ({"axis": 0}, "`axis` must be the integer of the channel axis, not 0. Received: axis=0"),
        ({"axis": 1.0}, "`axis` must be the integer of the channel axis"),
    ],
)
def test_arguments_out_of_range(layer_class, arguments, message):
    with pytest.raises(ValueError, match=message):
        layer_class(2, **arguments)


@pytest.mark.parametrize("layer_class", [VirtualBatchNorm, FrozenVirtualBatchNorm])
@pytest.mark.parametrize(
    ("arguments", "input_shape", "message"),
    [
        ({"axis": 3}, (None, 4), r"channel axis of an input of rank 2. Received: axis=3"),
        ({"axis": -2}, (None, 4), r"channel axis of an input of rank 2. Received: axis=-2"),
        ({}, (None, 4, None), r"must have a known size. Received: input_shape=\(None, 4, None\)"),
    ],
)
def test_shapes_that_do_not_fit(layer_class, arguments, input_shape, message):
    with pytest.raises(ValueError, match=message):
        layer_class(2, **arguments).build(input_shape)


@pytest.mark.parametrize("layer_class", [VirtualBatchNorm, FrozenVirtualBatchNorm])
def test_integer_input_is_refused(layer_class):
    with pytest.raises(ValueError, match=r"must be floating point\. Received: dtype=int32"):
        layer_class(2)(np.zeros((3, 2), "int32"))


@pytest.mark.parametrize("layer_class", [PrependReference, VirtualBatchNorm])
def test_rank_one_is_refused(layer_class):
    with pytest.raises(ValueError, match="expected min_ndim=2, found ndim=1"):
        layer_class(2)(np.zeros(3, "float32"))


# --- freezing ------------------------------------------------------------------------------


def test_frozen_and_live_outputs_agree():
    model = generator()
    frozen = freeze_reference(model)
    for rows in (1, 3):
        x = 2.0 * random(rows, 3, seed=rows).astype("float32")
        np.testing.assert_allclose(to_numpy(frozen(x)), to_numpy(model(x)), rtol=1e-4, atol=1e-5)


def test_a_frozen_model_holds_no_reference_batch():
    frozen = freeze_reference(generator())
    names = {w.path for w in frozen.weights}
    assert not any(name.endswith("prepend/reference") for name in names)
    kinds = (PrependReference, DropReference, VirtualBatchNorm)
    assert not any(isinstance(layer, kinds) for layer in frozen.layers)
    assert frozen.output_shape == (None, 2, 2, 3)
    statistics = [w for w in frozen.non_trainable_weights if "reference_" in w.name]
    assert len(statistics) == 4


def test_the_frozen_statistics_are_those_of_the_reference():
    model = keras.Sequential(
        [keras.Input((2,)), PrependReference(3), VirtualBatchNorm(3, name="vbn"), DropReference(3)]
    )
    reference = random(3, 2)
    model.layers[0].set_reference(reference)
    layer = freeze_reference(model).get_layer("vbn")
    np.testing.assert_allclose(to_numpy(layer.reference_mean), reference.mean(0), rtol=1e-5)
    np.testing.assert_allclose(to_numpy(layer.reference_variance), reference.var(0), rtol=1e-5)


def test_freezing_changes_nothing_in_the_model():
    model, x = generator(), random(2, 3).astype("float32")
    before, outputs = [to_numpy(w) for w in model.weights], to_numpy(model(x))
    frozen = freeze_reference(model)
    frozen.set_weights([2.0 * np.asarray(w) for w in frozen.get_weights()])
    for old, new in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, to_numpy(new))
    np.testing.assert_array_equal(to_numpy(model(x)), outputs)


def test_a_frozen_model_is_saved_and_loaded(tmp_path):
    frozen, x = freeze_reference(generator()), random(2, 3).astype("float32")
    frozen.save(tmp_path / "frozen.keras")
    loaded = keras.models.load_model(tmp_path / "frozen.keras")
    np.testing.assert_array_equal(to_numpy(loaded(x)), to_numpy(frozen(x)))


def test_nested_models_are_frozen():
    inner = generator()
    inputs = keras.Input((3,))
    outer = keras.Model(inputs, keras.layers.Flatten()(inner(inputs)))
    x = random(2, 3).astype("float32")
    np.testing.assert_allclose(
        to_numpy(freeze_reference(outer)(x)), to_numpy(outer(x)), rtol=1e-4, atol=1e-5
    )


def test_freezing_with_an_unknown_input_shape():
    inputs = keras.Input((None, 3))
    prepend = PrependReference(2)
    prepend.set_reference(random(2, 3))
    x = DropReference(2)(VirtualBatchNorm(2)(prepend(keras.layers.GlobalMaxPool1D()(inputs))))
    model = keras.Model(inputs, x)
    with pytest.raises(ValueError, match=r"needs `inputs`.*\(None, None, 3\), inputs=None"):
        freeze_reference(model)
    batch = random(2, 5, 3).astype("float32")
    frozen = freeze_reference(model, inputs=batch)
    np.testing.assert_allclose(to_numpy(frozen(batch)), to_numpy(model(batch)), atol=1e-5)


def test_freezing_a_model_without_the_layer():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="found no `VirtualBatchNorm`"):
        freeze_reference(model)


def test_freezing_without_a_reference():
    model = keras.models.clone_model(generator())
    with pytest.raises(ValueError, match="has no reference batch"):
        freeze_reference(model)


def test_a_shared_layer_cannot_be_frozen():
    shared, prepend = VirtualBatchNorm(2, name="shared"), PrependReference(2)
    prepend.set_reference(random(2, 3))
    inputs = keras.Input((3,))
    model = keras.Model(inputs, DropReference(2)(shared(shared(prepend(inputs)))))
    with pytest.raises(ValueError, match="Layer 'shared' is called more than once"):
        freeze_reference(model)


@keras.saving.register_keras_serializable(package="tests")
class Wrapping(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = VirtualBatchNorm(2, name="inner")

    def call(self, inputs):
        return self.inner(inputs)

    def compute_output_shape(self, input_shape):
        return input_shape


def test_a_layer_inside_another_layer_cannot_be_frozen():
    prepend = PrependReference(2)
    prepend.set_reference(random(2, 3))
    model = keras.Sequential([keras.Input((3,)), prepend, Wrapping(), DropReference(2)])
    with pytest.raises(ValueError, match=r"inside another layer.*Received: layers \['inner'\]"):
        freeze_reference(model)


def test_a_layer_of_a_subclass_which_may_do_more_cannot_be_frozen():
    prepend, own = PrependReference(2), type("Own", (VirtualBatchNorm,), {})(2, name="own")
    prepend.set_reference(random(2, 3))
    model = keras.Sequential([keras.Input((3,)), prepend, own, DropReference(2)])
    with pytest.raises(ValueError, match=r"or of a subclass. Received: layers \['own'\]"):
        freeze_reference(model)


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize("model", [Subclassed(), keras.Sequential([DropReference(2)])], ids=str)
def test_a_model_without_known_structure_cannot_be_frozen(model):
    with pytest.raises(ValueError, match="takes a built Sequential or functional model"):
        freeze_reference(model)


# --- training ------------------------------------------------------------------------------


def test_fit_changes_the_weights_and_not_the_reference():
    model = generator()
    model.compile(optimizer="sgd", loss="mse")
    reference = to_numpy(model.get_layer("prepend").reference)
    gamma = to_numpy(model.get_layer("first").gamma)
    x = random(6, 3).astype("float32")
    model.fit(x, np.ones((6, 2, 2, 3), "float32"), batch_size=4, verbose=0)
    np.testing.assert_array_equal(to_numpy(model.get_layer("prepend").reference), reference)
    assert np.all(to_numpy(model.get_layer("first").gamma) != gamma)
    assert np.isfinite(to_numpy(ops.sum(model(x))))

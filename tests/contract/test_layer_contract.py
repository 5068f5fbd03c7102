"""Does every public layer behave like a layer? A table of cases x properties."""

import inspect
import json

import keras
import numpy as np
import pytest

from improved_gan_tf import initialize_from_data
from improved_gan_tf.layers.weight_norm.dense import WeightNormDense
from tests.contract.layer_cases import LAYER_CASES
from tests.support.numerics import BACKEND, gradients, layer_loss, to_numpy

pytestmark = [
    pytest.mark.parametrize("case", LAYER_CASES.values(), ids=list(LAYER_CASES)),
]


@keras.saving.register_keras_serializable(package="tests")
class Subclassed(keras.Model):
    """A layer before a weight-normalised one, in a model that Keras builds by calling it."""

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        self.layer = layer
        self.flatten = keras.layers.Flatten()
        self.dense = WeightNormDense(3)

    def call(self, inputs, training=False):
        return self.dense(self.flatten(self.layer(inputs)))

    def get_config(self):
        layer = keras.saving.serialize_keras_object(self.layer)
        return {**super().get_config(), "layer": layer}

    @classmethod
    def from_config(cls, config):
        layer = keras.saving.deserialize_keras_object(config.pop("layer"))
        return cls(layer, **config)


def model_of(layer, case):
    inputs = case.keras_inputs()
    return keras.Model(inputs, layer(inputs))


def built_model(case, **kwargs):
    """A model of the one layer, whose trained weights are away from their first values."""
    layer = case.make(name="layer", **kwargs)
    model = model_of(layer, case)
    generator = np.random.default_rng(3)
    for weight in model.trainable_weights:
        weight.assign(to_numpy(weight) + 0.3 * generator.normal(size=weight.shape))
    return model


def shape_of(x):
    """The shape of an array, or a list of the shapes of several."""
    return [one.shape for one in x] if isinstance(x, list) else x.shape


def assert_same(actual, expected, tolerance=1e-5):
    assert tuple(actual.shape) == tuple(expected.shape)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def test_the_declared_output_shape_is_the_real_one(case):
    layer, x = case.make(), case.inputs()
    assert tuple(layer.compute_output_shape(shape_of(x))) == tuple(layer(x).shape)


def test_the_batch_size_may_be_unknown(case):
    model = built_model(case)
    assert model.output_shape[0] is None
    shapes = []
    for rows in (case.rows, 2 * case.rows):
        x = case.inputs(rows=rows)
        outputs = model.predict(x, batch_size=rows, verbose=0)
        assert outputs.shape == tuple(model.layers[-1].compute_output_shape(shape_of(x)))
        shapes.append(outputs.shape[1:])
    assert model.output_shape[1:] == shapes[0] == shapes[1]


def test_the_config_survives_building(case):
    layer = case.make()
    before = json.dumps(keras.saving.serialize_keras_object(layer)["config"], sort_keys=True)
    layer(case.inputs())
    after = json.dumps(keras.saving.serialize_keras_object(layer)["config"], sort_keys=True)
    assert after == before


def test_the_config_names_every_constructor_argument(case):
    layer = case.make()
    names = set()
    for ancestor in type(layer).__mro__:
        if ancestor.__module__.split(".")[0] == "keras":  # whose own arguments are its affair
            break
        if "__init__" in vars(ancestor):
            parameters = inspect.signature(ancestor.__init__).parameters.values()
            names |= {p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
    assert (names - {"self"}) | {"name", "trainable", "dtype"} <= set(layer.get_config())


def test_the_config_makes_the_same_layer(case):
    layer = case.make()
    again = type(layer).from_config(layer.get_config())
    one, other = (keras.saving.serialize_keras_object(made)["config"] for made in (layer, again))
    assert one == other


def test_a_saved_model_file_keeps_the_outputs(case, tmp_path):
    model, x = built_model(case), case.inputs()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_same(to_numpy(loaded(x)), to_numpy(model(x)), 1e-6)


def test_a_subclassed_model_that_began_with_its_initialization_is_saved_whole(case, tmp_path):
    model, x = Subclassed(case.make()), case.inputs()
    initialize_from_data(model, x)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_same(to_numpy(loaded(x)), to_numpy(model(x)), 1e-6)


def test_a_weights_file_keeps_the_outputs(case, tmp_path):
    model, x = built_model(case), case.inputs()
    model.save_weights(tmp_path / "model.weights.h5")
    other = model_of(type(model.layers[-1]).from_config(model.layers[-1].get_config()), case)
    other.load_weights(tmp_path / "model.weights.h5")
    assert_same(to_numpy(other(x)), to_numpy(model(x)), 1e-6)


def test_a_clone_with_copied_weights_keeps_the_outputs(case):
    model, x = built_model(case), case.inputs()
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert_same(to_numpy(clone(x)), to_numpy(model(x)), 1e-6)


def test_the_compiled_graph_equals_eager(case):
    model, x = built_model(case), case.inputs()
    model.compile(jit_compile=False)
    assert_same(model.predict(x, batch_size=case.rows, verbose=0), to_numpy(model(x)))


def test_jit_compilation_equals_eager(case):
    if BACKEND == "torch":
        pytest.skip("jit_compile is for TensorFlow and JAX")
    model, x = built_model(case), case.inputs()
    model.compile(jit_compile=True)
    assert_same(model.predict(x, batch_size=case.rows, verbose=0), to_numpy(model(x)))


def test_gradients_reach_the_input_and_every_trainable_weight(case):
    model, x = built_model(case), case.inputs()
    layer = model.layers[-1]
    weights = np.random.default_rng(4).normal(size=model(x).shape).astype("float32")
    first, *others = x if isinstance(x, list) else [x]
    loss = layer_loss(layer, weights)
    given = (lambda one: [one, *others]) if others else (lambda one: one)
    values = map(to_numpy, layer.weights)
    if first.dtype.kind == "f":
        results = gradients(lambda x, *values: loss(given(x), *values), first, *values)
        reached = {"input": results.pop(0)}
    else:  # labels
        results, reached = gradients(lambda *values: loss(first, *values), *values), {}
    expected = len(reached) + len(layer.trainable_weights)
    trained = [id(w) for w in layer.trainable_weights]
    for weight, gradient in zip(layer.weights, results, strict=True):
        if id(weight) in trained:
            reached[weight.path] = gradient
    for name, gradient in reached.items():
        assert np.isfinite(gradient).all(), name
        assert np.any(np.abs(gradient) > 1e-6), name
    assert len(reached) == expected


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(case, policy):
    model, x = built_model(case), case.inputs()
    mixed = model_of(case.make(name="layer", dtype=policy), case)
    mixed.set_weights(model.get_weights())
    outputs = mixed(x)
    assert keras.backend.standardize_dtype(outputs.dtype) == policy.removeprefix("mixed_")
    assert {keras.backend.standardize_dtype(w.dtype) for w in mixed.weights} <= {"float32"}
    expected = to_numpy(model(x))
    error = np.abs(to_numpy(outputs).astype("float32") - expected)
    scale = np.max(np.abs(expected))
    assert np.max(error) <= (0.01 if policy == "mixed_float16" else 0.05) * scale


def test_large_values_fit_half_precision(case):
    """Sums of squares of weights and of activations are not taken in float16."""
    model = built_model(case, dtype="mixed_float16")
    x = keras.tree.map_structure(
        lambda one: 20.0 * one if one.dtype.kind == "f" else one, case.inputs()
    )
    for weight in model.layers[-1].weights:
        if weight.name == "kernel":  # its norm stays 1, its squares do not fit
            weight.assign(300.0 * to_numpy(weight))
    assert np.isfinite(to_numpy(model(x)).astype("float32")).all()


def test_an_exported_model_keeps_the_outputs(case, tmp_path):
    if BACKEND != "tensorflow":
        pytest.skip("a SavedModel is a TensorFlow format")
    import tensorflow as tf

    model, x = built_model(case), case.inputs()
    model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    assert_same(to_numpy(loaded.serve(x)), to_numpy(model(x)))


def test_the_docstring_names_paper_and_arguments(case):
    layer_class = type(case.make())
    for heading in ("Args:", "Call arguments:", "Returns:", "Batch meaning:", "Training:", ">>> "):
        assert heading in layer_class.__doc__, heading
    returns = layer_class.__doc__.split("Returns:")[1].split("\n\n")[0]
    assert "compute dtype" in returns  # not the input's: see `test_mixed_precision`

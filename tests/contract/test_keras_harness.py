"""Keras's own layer test, `run_layer_test`, with its strict checks, over every public layer.

It makes each layer anew several times and looks at serialization, weights, build state, symbolic
and eager output shapes, one training step compiled, and mixed precision.
"""

import importlib
import inspect

import keras
import numpy as np
import pytest

from improved_gan_tf.layers import PrependReference
from improved_gan_tf.layers.argument_checks import has_own_build
from tests.contract.layer_cases import LAYER_CASES

pytestmark = [
    pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning"),
    pytest.mark.filterwarnings("ignore:The model does not have any trainable weights:UserWarning"),
]

# From 3.6 to 3.15 in the same place; Keras does not publish it.
keras_testing = importlib.import_module("keras.src.testing")


class HarnessCase(keras_testing.TestCase):
    """Keras's test case, whose method is called from ours."""

    def runTest(self):  # what makes an instance possible
        pass


@pytest.fixture(autouse=True)
def _traceback_filtering():
    # The harness turns it off.
    was_on = keras.config.is_traceback_filtering_enabled()
    yield
    if was_on:
        keras.config.enable_traceback_filtering()


def with_a_reference(layer_class, reference):
    """A subclass of `PrependReference` that comes with its reference batch; saved as its base."""

    class WithReference(layer_class):
        def build(self, input_shape):
            super().build(input_shape)
            self.reference.assign(reference)

    return WithReference


@pytest.mark.parametrize("case", LAYER_CASES.values(), ids=list(LAYER_CASES))
def test_keras_own_layer_test(case):
    layer = case.make()
    layer_class, arguments = type(layer), constructor_arguments(layer)
    if layer_class is PrependReference:
        # A copy: Keras's compiled training step on JAX gives the variables' buffers away.
        layer_class = with_a_reference(layer_class, np.array(layer.reference))
    x = case.inputs()
    if isinstance(x, list):  # tf.data, which feeds the training step, takes tuples
        x = tuple(x)
    options = {
        "input_data": keras.tree.map_structure(keras.ops.convert_to_tensor, x),
        "expected_output_shape": tuple(
            layer.compute_output_shape(keras.tree.map_structure(np.shape, x))
        ),
        "expected_output_dtype": "float32",
        "expected_num_losses": 0,
        "supports_masking": layer.supports_masking,
        "custom_objects": {layer_class.__name__: layer_class},
        "assert_built_after_instantiation": not has_own_build(layer),
    }
    harness = HarnessCase()
    known = inspect.signature(harness.run_layer_test).parameters
    assert set(options) - set(known) <= {"assert_built_after_instantiation"}
    harness.setUp()
    harness.run_layer_test(
        layer_class, arguments, **{name: o for name, o in options.items() if name in known}
    )


def constructor_arguments(layer):
    config = layer.get_config()
    config.pop("name")  # of each layer its own
    return config

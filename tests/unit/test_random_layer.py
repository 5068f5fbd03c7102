"""Noise and dropout as Keras layers: shared random streams, and what subclasses may build."""

import keras
import numpy as np
import pytest

from improved_gan_tf.layers import Dropout, GaussianNoise, LeakyReLU
from tests.support.numerics import to_numpy

BOTH = pytest.mark.parametrize("layer_class", [GaussianNoise, Dropout])


def two_noises(layer_class):
    """A model of two layers that draw from one generator."""
    seed = keras.random.SeedGenerator(1)
    inputs = keras.Input((2000,))
    return keras.Model(inputs, [layer_class(0.5, seed=seed)(inputs) for _ in range(2)])


def correlation(model):
    """Correlation of what the two outputs of a model make of ones while training."""
    first, second = (to_numpy(y)[0] for y in model(np.ones((1, 2000), "float32"), training=True))
    return np.corrcoef(first, second)[0, 1]


@BOTH
def test_layers_that_share_a_generator_draw_other_numbers_also_after_load(layer_class, tmp_path):
    model = two_noises(layer_class)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for same in (model, loaded, keras.models.clone_model(model)):
        assert abs(correlation(same)) < 4 / np.sqrt(2000)


@BOTH
def test_a_layer_made_from_a_config_draws_the_same_numbers_each_time(layer_class):
    config = layer_class(0.5, seed=keras.random.SeedGenerator(1), name="noise").get_config()
    inputs = np.ones((4, 50), "float32")
    first, second = (
        to_numpy(layer_class.from_config(config)(inputs, training=True)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("layer_class", [GaussianNoise, Dropout, LeakyReLU])
def test_the_build_of_a_subclass_runs(layer_class):
    class Scaled(layer_class):
        def build(self, input_shape):
            self.scale = self.add_weight(name="scale", shape=input_shape[-1:])
            self.built = True

    layer = Scaled(0.5)
    layer(np.ones((4, 3), "float32"))
    assert [tuple(w.shape) for w in layer.weights if "scale" in w.path] == [(3,)]
    assert layer_class(0.5).built


@pytest.mark.parametrize("layer", [GaussianNoise(0.5), Dropout(0.5), LeakyReLU()], ids=type)
def test_integers_are_refused_in_training_and_in_inference(layer):
    for training in (False, True):
        options = {} if isinstance(layer, LeakyReLU) else {"training": training}
        with pytest.raises(ValueError, match=r"must be floating point\. Received: dtype=uint8"):
            layer(np.ones((2, 3), "uint8"), **options)

"""Copies of models and averages have values of their own: training one leaves the others alone."""

import keras
import numpy as np
import pytest
from keras import ops

from improved_gan_tf import HistoricalAverage, ParameterAverage, WeightAverage
from improved_gan_tf.layers import (
    BatchStatisticsNorm,
    WeightNormDense,
    add_weight_norm,
    freeze_batch_statistics,
    freeze_reference,
    remove_spectral_norm,
    remove_weight_norm,
    use_virtual_batch_norm,
)
from improved_gan_tf.layers.spectral_norm.dense import SpectralNormDense


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def model_with(*layers):
    return keras.Sequential([keras.Input((5,)), *layers, keras.layers.Dense(1)])


def train(model):
    """An epoch of Keras's `fit`, which on JAX gives the model's arrays away."""
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(random(8, 5), random(8, 1), batch_size=4, verbose=0)


def virtual():
    return use_virtual_batch_norm(model_with(keras.layers.BatchNormalization()), random(4, 5))


COPIES = {
    "add_weight_norm": (lambda: model_with(keras.layers.Dense(4)), add_weight_norm),
    "remove_weight_norm": (lambda: model_with(WeightNormDense(4)), remove_weight_norm),
    "remove_spectral_norm": (lambda: model_with(SpectralNormDense(4)), remove_spectral_norm),
    "use_virtual_batch_norm": (
        lambda: model_with(keras.layers.BatchNormalization()),
        lambda model: use_virtual_batch_norm(model, random(4, 5)),
    ),
    "freeze_reference": (virtual, freeze_reference),
    "freeze_batch_statistics": (
        lambda: model_with(BatchStatisticsNorm()),
        lambda model: freeze_batch_statistics(model, [random(8, 5)]),
    ),
}


@pytest.mark.parametrize(("make", "convert"), COPIES.values(), ids=list(COPIES))
def test_training_a_copy_leaves_the_model_as_it_was(make, convert):
    model = make()
    before = [weight.copy() for weight in model.get_weights()]
    copy = convert(model)
    train(copy)
    for expected, weight in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
    model(random(2, 5))


@pytest.mark.parametrize("make", [WeightAverage, ParameterAverage])
def test_training_a_model_with_averaged_weights_leaves_the_average_as_it_was(make):
    model, other = model_with(), model_with()
    average = make(model.trainable_weights)
    average.update()
    expected = ops.convert_to_numpy(average.averages[0]).copy()
    average.copy_to(other.trainable_weights)
    train(other)
    np.testing.assert_array_equal(ops.convert_to_numpy(average.averages[0]), expected)


def test_a_past_that_begins_anew_goes_with_the_fit_of_its_model():
    model = model_with()
    model.history_of_weights = HistoricalAverage(model.trainable_weights)
    model.history_of_weights.begin()
    train(model)
    assert int(ops.convert_to_numpy(model.history_of_weights.count)) == 0
    assert float(ops.convert_to_numpy(model.history_of_weights.penalty())) > 0.0

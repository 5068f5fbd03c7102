"""Four programs as users write them: on two replicas and one, in mixed precision, saved, loaded."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import improved_gan_tf
from improved_gan_tf import distribution
from tests.support.users_programs import PROGRAMS, examples

pytestmark = pytest.mark.slow

BATCH = 4
EACH = pytest.mark.parametrize("name", PROGRAMS)


@pytest.fixture(scope="module")
def strategy():
    return distribution.strategy_from("mirrored", 2, None, BATCH)


@pytest.fixture
def half_precision():
    keras.mixed_precision.set_global_policy("mixed_float16")
    yield
    keras.mixed_precision.set_global_policy("float32")


def trained(name, count, scope=None, **settings):
    """A program trained by `fit` for an epoch of `count` examples, and its losses."""
    make, names = PROGRAMS[name]
    keras.utils.set_random_seed(1)
    with scope or contextlib.nullcontext():
        program = make()
        program.compile(**{"jit_compile": False} | settings)
    arrays = tuple(examples(count)[n] for n in names)
    data = tf.data.Dataset.from_tensor_slices(arrays).batch(BATCH)
    history = program.fit(data, shuffle=False, verbose=0).history
    return program, [loss for losses in history.values() for loss in losses]


def weights(program):
    return [np.asarray(w.numpy(), "float64") for w in program.weights]


def differs(program, other):
    pairs = zip(weights(program), weights(other), strict=True)
    return max(np.abs(one - two).max() for one, two in pairs)


@EACH
def test_two_replicas_train_as_one_device_with_a_smaller_last_batch(name, strategy):
    one, losses = trained(name, 10)  # batches of 4, 4 and 2
    two, losses_of_two = trained(name, 10, strategy.scope())
    assert np.isfinite(losses).all()
    np.testing.assert_allclose(losses_of_two, losses, rtol=2e-4, atol=1e-5)
    assert differs(one, two) < 1e-4


@EACH
def test_half_precision_trains_on_two_replicas_with_a_last_batch_of_unequal_shares(
    name, strategy, half_precision
):
    program, losses = trained(name, 7, strategy.scope())  # batches of 4 and 3
    assert np.isfinite(losses).all()
    assert all(np.isfinite(w).all() for w in weights(program))
    assert {w.dtype for w in program.trainable_variables} == {"float32"}
    assert "float16" in {layer.compute_dtype for layer in program.discriminator.layers}


@EACH
def test_a_saved_program_generates_and_judges_the_same(name, tmp_path):
    program, _ = trained(name, 10)
    program.save(tmp_path / "program.keras")
    loaded = improved_gan_tf.load_model(tmp_path / "program.keras", compile=False)
    some = examples(6, seed=2)
    labels = [some["labels"]] if name == "conditional GAN" else []
    for player, inputs in (
        ("generator", [some["z"], *labels]),
        ("discriminator", [some["images"], *labels]),
    ):
        given = inputs if labels else inputs[0]
        before, after = (getattr(p, player)(given, training=False) for p in (program, loaded))
        for one, two in zip(tf.nest.flatten(before), tf.nest.flatten(after), strict=True):
            np.testing.assert_array_equal(two, one)


@pytest.mark.parametrize("name", ["conditional GAN", "WGAN-GP"])  # without noise of their own
def test_a_step_compiled_by_xla_trains_as_one_that_runs_eagerly(name):
    compiled, losses = trained(name, 8, jit_compile=True)
    eager, losses_of_eager = trained(name, 8, run_eagerly=True)
    np.testing.assert_allclose(losses, losses_of_eager, rtol=1e-3, atol=1e-4)
    assert differs(compiled, eager) < 1e-3

"""What can be checked of a TPU without one: the step compiles as a whole, for fixed shapes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import networks
from improved_gan_tf.data.device_images import DeviceImages
from improved_gan_tf.training import semi_supervised
from tests.distribution import players


def make_trainer(experiment):
    width, shape, objective, generator_steps = players.EXPERIMENTS[experiment]
    random = np.random.RandomState(0)
    pixels = random.randint(0, 256, (players.IMAGES, *shape)).astype("uint8")
    images = DeviceImages(pixels, np.arange(players.IMAGES) % 10, (127.5, 127.5))
    return semi_supervised.Trainer(
        networks.EXPERIMENTS[experiment].build(1, width),
        images,
        seed=1,
        generator_objective=objective,
        generator_steps=generator_steps,
    )


@pytest.mark.parametrize("experiment", [("mnist", "feature_matching")])
def test_the_step_compiles_with_xla(experiment):
    """XLA refuses what a TPU refuses: shapes that are not known, calls to Python on the host."""
    trainer = make_trainer(experiment)
    rows = [tf.constant(np.arange(players.BATCH), tf.int32)] * 3
    step = tf.function(trainer._replica_step, jit_compile=True)
    before = [np.array(w) for w in trainer.discriminator.trainable_variables]
    trainer.discriminator_optimizer.learning_rate.assign(0.01)
    losses = step(*rows)
    assert np.all(np.isfinite(losses))
    after = trainer.discriminator.trainable_variables
    assert all(not np.array_equal(b, np.array(a)) for b, a in zip(before, after, strict=True))


@pytest.mark.parametrize("experiment", list(players.EXPERIMENTS))
def test_every_shape_of_the_step_is_known(experiment):
    trainer = make_trainer(experiment)
    rows = [tf.TensorSpec((players.BATCH,), tf.int32)] * 3
    graph = tf.function(trainer._replica_step).get_concrete_function(*rows).graph
    host = {"PyFunc", "EagerPyFunc", "PyFuncStateless", "Print", "PrintV2", "StringFormat"}
    assert {op.type for op in graph.get_operations()} & host == set()
    for variable in trainer.state().values():
        assert None not in tuple(variable.shape)
    for losses in graph.structured_outputs:
        assert losses.shape == ()
    assert keras.config.backend() == "tensorflow"

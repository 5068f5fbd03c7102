"""BigGAN's game on several replicas: the numbers of one device with the whole batch."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import distribution
from improved_gan_tf.data.device_images import DeviceImages
from improved_gan_tf.networks import biggan_discriminator, biggan_generator
from improved_gan_tf.training.biggan import BigganTrainer

pytestmark = pytest.mark.slow

BATCH, CLASSES, STEPS = 8, 3, 2


@pytest.fixture(autouse=True)
def _eager():
    """Without tracing: it takes longer than the iterations."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def trained(replicas=None):
    """`({name: array} of every variable, sums of the losses)` after two iterations."""
    random = np.random.RandomState(0)
    images = random.randint(0, 256, (STEPS * BATCH, 32, 32, 3)).astype("uint8")
    labels = np.arange(len(images)) % CLASSES
    scope = contextlib.nullcontext()
    if replicas is not None:
        scope = distribution.strategy_from("mirrored", replicas, None, BATCH).scope()
    with scope:
        common = {"channels": 1, "num_classes": CLASSES}
        trainer = BigganTrainer(
            biggan_generator(1, z_dim=8, shared_dim=3, hierarchical=True, **common),
            biggan_discriminator(1, **common),
            DeviceImages(images, labels, (127.5, 127.5)),
            num_classes=CLASSES,
            seed=1,
            orthogonal_weight=0.1,
            averaging_decay=0.5,
            averaging_start=2,
        )
        rows = [random.permutation(len(images)) for _ in range(2)]
        rows = np.split(np.stack(rows), STEPS, axis=1)
        sums, done = trainer.train(rows, 0.001)
    assert done == 2
    return {name: np.asarray(v.numpy()) for name, v in trainer.state().items()}, sums


@pytest.mark.usefixtures("float64")
def test_two_replicas_compute_the_update_of_one_device():
    expected, expected_losses = trained()
    state, losses = trained(replicas=2)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-9)
    assert state.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(state[name], value, rtol=1e-6, atol=1e-9, err_msg=name)

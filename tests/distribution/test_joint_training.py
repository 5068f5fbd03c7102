"""The ImageNet game on several replicas: the towers of a batch, wherever they are computed."""

import contextlib

import numpy as np
import pytest

from improved_gan_tf import distribution
from improved_gan_tf.data import square_images
from improved_gan_tf.errors import UserError
from improved_gan_tf.networks import imagenet
from improved_gan_tf.training.joint_minibatches import JointTrainer

pytestmark = pytest.mark.slow

BATCH, CLASSES = 8, 3


def trained(replicas=None, num_towers=2, iterations=2):
    """`({name: array} of every variable, sums of the losses)` after some iterations, noise on."""
    random = np.random.RandomState(0)
    images = square_images.ImageSet(
        random.randint(0, 256, (BATCH, 32, 32, 3)).astype("uint8"),
        (np.arange(BATCH) % CLASSES).astype("int32"),
    )
    scope = contextlib.nullcontext()
    if replicas is not None:
        scope = distribution.strategy_from("mirrored", replicas, None, BATCH).scope()
    with scope:
        trainer = JointTrainer(
            imagenet.imagenet_generator(1, 1 / 32, 32),
            imagenet.imagenet_discriminator(1, 1 / 32, 32, CLASSES),
            images,
            seed=1,
            pixels=(127.5, 127.5),
            num_towers=num_towers,
        )
        rows = np.stack([random.permutation(BATCH) for _ in range(iterations)])
        sums, done = trainer.train([rows], 0.001)
    assert done == iterations
    return {name: np.asarray(v.numpy()) for name, v in trainer.state().items()}, sums


@pytest.mark.usefixtures("float64")
def test_two_replicas_compute_the_update_of_one_device():
    expected, expected_losses = trained()
    state, losses = trained(replicas=2)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-9)
    assert state.keys() == expected.keys()
    for name, value in expected.items():
        # Biases before a norm have no true gradient; Adam makes 1e-12 of the rounding.
        np.testing.assert_allclose(state[name], value, rtol=1e-9, atol=1e-10, err_msg=name)


def test_devices_that_cannot_share_the_towers_are_refused():
    with pytest.raises(UserError) as caught:
        trained(replicas=2, num_towers=1)
    assert str(caught.value) == (
        "`num_towers` must be a multiple of the number of devices, so that each device has "
        "equally many. Received: num_towers=1, 2 devices."
    )

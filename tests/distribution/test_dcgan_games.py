"""DCGAN's games on two replicas: the update of one device with the whole batch."""

import contextlib

import numpy as np
import pytest

from improved_gan_tf import distribution
from improved_gan_tf.training.adversarial import AdversarialTrainer
from tests.support.dcgan_games import BATCH, images, players, settings

pytestmark = pytest.mark.slow

TRICKS = {
    "instance_noise": "0.3:0.1@1",
    "replay": 6,
    "real_targets": "0.7,1.2",
    "flip_rate": 0.2,
    "historical_averaging_weight": 0.1,
    "minibatch_discrimination": 3,
}
GAMES = {
    "tricks": ("non_saturating", TRICKS),
    "joint batches": ("hinge", {"separate_batches": False, "feature_matching": True}),
    "clipping": ("wasserstein", {"discriminator_steps": 2, "conditional": "infogan"}),
    "penalty": ("dragan", {"conditional": "cgan", "generator_normalization": "virtual_batch"}),
    "balance": ("began", {"diversity_ratio": 1.0}),
}


def trained(config, replicas=None):
    """`({name: array} of every variable, sums of the losses)` after two iterations."""
    scope = contextlib.nullcontext()
    if replicas is not None:
        scope = distribution.strategy_from("mirrored", replicas, None, BATCH).scope()
    with scope:
        trainer = AdversarialTrainer(
            *players(config), images(), config, num_classes=3, epoch_iterations=4
        )
        count = 2 * BATCH * config.discriminator_steps
        rows = [np.random.RandomState(0).permutation(count).reshape(2, -1)]
        sums, done = trainer.train(rows, config.learning_rate)
    assert done == 2
    return {name: np.asarray(v.numpy()) for name, v in trainer.state().items()}, sums


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("game", GAMES)
def test_two_replicas_compute_the_update_of_one_device(game):
    objective, changes = GAMES[game]
    # SGD: Adam would make a step of the rounding where a gradient is truly 0.
    config = settings(
        objective,
        generator_optimizer="sgd",
        discriminator_optimizer="sgd",
        learning_rate=0.01,
        discriminator_learning_rate=0.01,
        **changes,
    )
    expected, expected_losses = trained(config)
    state, losses = trained(config, replicas=2)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-7, atol=1e-9)
    assert state.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(state[name], value, rtol=1e-6, atol=1e-8, err_msg=name)

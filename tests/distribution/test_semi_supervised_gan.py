"""`SemiSupervisedGAN.fit` under `MirroredStrategy`: two devices compute the update of one."""

import contextlib

import numpy as np
import pytest

from improved_gan_tf import distribution
from tests.support import small_gan

pytestmark = pytest.mark.slow

BATCH = 6
X, Y = small_gan.make_images(18)


def trained(strategy=None, **settings):
    with strategy.scope() if strategy else contextlib.nullcontext():
        gan = small_gan.make(averaging_rate=0.1, **settings)
    x = X.astype("float64")
    history = gan.fit(
        labeled=(x[:BATCH], Y[:BATCH]),
        unlabeled=x,
        batch_size=BATCH,
        epochs=2,
        validation_data=(x, Y),
        verbose=0,
    ).history
    return gan, history


@pytest.mark.parametrize(
    "settings",
    [{"historical_averaging_weight": 0.5, "real_target": 0.9}, {"coupled": True}],
    ids=["feature matching", "minibatch discrimination"],
)
def test_two_devices_compute_the_update_of_one(settings, float64):
    alone, expected = trained(**settings)
    shared, history = trained(distribution.strategy_from("mirrored", 2, None, BATCH), **settings)
    assert shared.distribute_strategy.num_replicas_in_sync == 2
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-5, err_msg=name)
    found, wanted = small_gan.state(shared), small_gan.state(alone)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-8, atol=1e-8, err_msg=name)
    for weight in (*shared.discriminator.weights, *shared.average.averages):
        copies = shared.distribute_strategy.experimental_local_results(
            getattr(weight, "_value", weight)
        )
        assert len(copies) == 2
        np.testing.assert_array_equal(*(np.array(copy) for copy in copies))


def test_a_batch_that_does_not_divide_is_refused():
    with distribution.strategy_from("mirrored", 2, None, BATCH).scope():
        gan = small_gan.make()
    with pytest.raises(ValueError, match=r"Received: batch_size=5 on 2 devices"):
        gan.fit(labeled=(X, Y), unlabeled=X, batch_size=5, verbose=0)
    assert int(gan.steps.numpy()) == 0

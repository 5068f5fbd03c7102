"""Half precision: close to float32, on replicas as on one device, and skipped on all or on none."""

import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import distribution, precision
from improved_gan_tf.training import loss_scale
from tests.distribution import players
from tests.support.noise_runs import settings

pytestmark = pytest.mark.slow

MNIST = ("mnist", "feature_matching")
# Numbers below 1 have this spacing at most.
SPACING = {"mixed_bfloat16": 2.0**-8, "mixed_float16": 2.0**-11}


def trained(name, strategy=None, iterations=1):
    with precision.computing_in(name):
        return players.train(MNIST, strategy, iterations=iterations)


def mirrored(replicas):
    return distribution.strategy_from("mirrored", replicas, None, players.BATCH)


@pytest.mark.parametrize("name", SPACING)
def test_replicas_compute_the_losses_of_one_device_and_of_float32(name):
    assert settings(precision=name).precision == name
    _, exact = trained("float32")
    _, alone = trained(name)
    trainer, shared = trained(name, mirrored(2))
    for found in (alone, shared):
        assert found != exact
        np.testing.assert_allclose(found[:2], exact[:2], rtol=4 * SPACING[name])
        # After the discriminator's first step, in which Adam goes as far for a small gradient as
        # for a large one.
        np.testing.assert_allclose(found.generator, exact.generator, rtol=0.2)
    np.testing.assert_allclose(shared[:2], alone[:2], rtol=4 * SPACING[name])
    for weight in trainer.discriminator.weights:
        copies = trainer._strategy.experimental_local_results(weight.value)
        np.testing.assert_array_equal(*(np.asarray(copy) for copy in copies))


def test_gradients_that_do_not_fit_on_one_replica_undo_the_step_on_all():
    strategy = mirrored(2)
    with strategy.scope():
        scale = loss_scale.LossScale()
        variable = tf.Variable([1.0, 2.0], aggregation=tf.VariableAggregation.MEAN)

    @tf.function
    def step(gradients):
        def on_replica(gradients):
            own = distribution.own_rows(gradients)[0]
            with scale.step([variable]):
                (gradient,) = scale.unscaled([scale.scale * own])
                variable.assign_sub(distribution.sum_over_replicas(gradient))

        strategy.run(on_replica, args=(gradients,))

    def values():
        return [np.array(copy) for copy in strategy.experimental_local_results(variable)]

    step(tf.constant([[1.0, 0.5], [0.5, 0.5]]))
    np.testing.assert_array_equal(values(), [[-0.5, 1.0]] * 2)
    for wrong in ([[np.inf, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, np.nan]]):
        step(tf.constant(wrong))
        np.testing.assert_array_equal(values(), [[-0.5, 1.0]] * 2)
    for copy in strategy.experimental_local_results(scale.scale):
        assert float(copy) == loss_scale.INITIAL_SCALE / 4

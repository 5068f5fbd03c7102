"""Data-dependent initialisation under a strategy: the same numbers on every replica as without."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import initialize_from_data
from improved_gan_tf.layers import MinibatchDiscrimination, WeightNormConv2D, WeightNormDense


def build():
    def normal(seed):
        return keras.initializers.RandomNormal(stddev=0.05, seed=seed)

    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            WeightNormConv2D(4, 3, kernel_initializer=normal(1), activation="tanh"),
            keras.layers.Flatten(),
            MinibatchDiscrimination(5, 3, theta_initializer=normal(2)),
            WeightNormDense(2, kernel_initializer=normal(3), init_stddev=0.1),
        ]
    )


@pytest.mark.parametrize("inside_scope", [True, False])
def test_every_replica_gets_the_weights_of_one_device(inside_scope):
    batch = np.random.RandomState(0).normal(size=(20, 6, 6, 1)).astype("float32")
    alone = build()
    before = [w.numpy() for w in alone.weights]
    initialize_from_data(alone, batch)
    assert any(not np.array_equal(a, w.numpy()) for a, w in zip(before, alone.weights, strict=True))

    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        mirrored = build()
        if inside_scope:
            initialize_from_data(mirrored, batch)
    if not inside_scope:
        initialize_from_data(mirrored, batch)
    for expected, weight in zip(alone.weights, mirrored.weights, strict=True):
        replicas = strategy.experimental_local_results(weight.value)
        assert len(replicas) == 2
        for replica in replicas:
            np.testing.assert_allclose(replica.numpy(), expected.numpy(), rtol=1e-6, atol=1e-7)

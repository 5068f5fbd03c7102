"""Shares of a batch that differ in size, are empty, or are unknown while the graph is traced.

That is every `fit` and `Dataset.batch` whose rows do not divide: TensorFlow then gives the last
replicas fewer rows or none.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import distribution
from improved_gan_tf.layers import (
    BatchNorm,
    Dropout,
    GaussianNoise,
    MinibatchDiscrimination,
    MinibatchStdDev,
)
from tests.distribution.test_layers import (
    COUPLED,
    RANDOM,
    ROWS,
    on_replicas,
    one_device_and_replicas,
    with_unknown_rows,
)

SHARES = {  # and whether their sizes are known while the graph is traced
    "unequal": ([[0, 1, 2, 3, 4], [5, 6, 7]], True),
    "three unequal": ([[0, 1, 2], [3, 4], [5, 6, 7]], False),
    "one of two empty": ([[0, 1, 2, 3, 4, 5, 6, 7], []], False),
    "one of three empty": ([[0, 1, 2, 3], [4, 5, 6, 7], []], True),
}
each_kind_of_shares = pytest.mark.parametrize(
    ("shares", "known_rows"), SHARES.values(), ids=list(SHARES)
)


def mirrored(replicas):
    tf.config.list_logical_devices()  # starts TensorFlow with the devices of conftest.py
    return distribution.strategy_from("mirrored", replicas, None, 2 * replicas)


COUPLED_HERE = {
    "MinibatchDiscrimination, mean": COUPLED["MinibatchDiscrimination, mean"],
    "BatchStatisticsNorm": COUPLED["BatchStatisticsNorm"],
    "MinibatchStdDev": MinibatchStdDev,
    "MinibatchStdDev, groups": lambda: MinibatchStdDev(group_size=4),
}


@each_kind_of_shares
@pytest.mark.parametrize("make", COUPLED_HERE.values(), ids=list(COUPLED_HERE))
def test_a_coupled_layer_sees_the_batch_of_all_replicas(make, shares, known_rows, float64):
    strategy = mirrored(len(shares))
    expected, actual = one_device_and_replicas(strategy, make, shares, known_rows)
    for e, a in zip(expected, actual, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-10, atol=1e-12)


@each_kind_of_shares
@pytest.mark.parametrize("make", RANDOM.values(), ids=list(RANDOM))
def test_noise_is_that_of_one_device(make, shares, known_rows, float64):
    ones, strategy = np.ones((ROWS, 100)), mirrored(len(shares))
    expected = np.asarray(make()(ones, training=True))
    with strategy.scope():
        layer = make()

    def step(x):
        return [layer(x if known_rows else with_unknown_rows(x), training=True)]

    (parts,) = on_replicas(strategy, step, shares, ones)
    np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_noise_of_several_minibatches_follows_unequal_shares(float64):
    """Two minibatches of four rows in one batch; a replica has three of each, the other one."""
    ones, strategy = np.ones((ROWS, 100)), mirrored(2)
    expected = np.asarray(GaussianNoise(0.5, seed=3)(ones, training=True))
    with strategy.scope():
        layer = GaussianNoise(0.5, seed=3)
    shares = [[0, 1, 2, 4, 5, 6], [3, 7]]

    def step(x):
        with distribution.joint_minibatches(2):
            return [layer(with_unknown_rows(x), training=True)]

    for rows, part in zip(shares, on_replicas(strategy, step, shares, ones)[0], strict=True):
        np.testing.assert_array_equal(part, expected[rows])


# --- Keras's own loops ---------------------------------------------------------------------


def model_and_copy(strategy, *layers):
    """A model on one device and, with its weights, on the replicas of a strategy."""

    def build():
        made = [layer() for layer in layers]
        model = keras.Sequential([keras.Input((4,)), *made, keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.05), "mse", jit_compile=False)
        return model

    alone = build()
    with strategy.scope():
        mirrored_model = build()
    mirrored_model.set_weights(alone.get_weights())
    return alone, mirrored_model


def ten_rows():
    x = np.random.default_rng(0).normal(size=(10, 4)).astype("float32")
    return x, x[:, :1] * 2.0


ALL_KINDS = (
    lambda: GaussianNoise(0.5, seed=1),
    lambda: Dropout(0.5, seed=2),
    lambda: MinibatchDiscrimination(3, 2),
    COUPLED["BatchStatisticsNorm"],
)


@pytest.mark.parametrize(
    ("replicas", "batch_size"),
    [(2, 4), (3, 6)],  # the last batch is shared 1 + 1 and 2 + 2 + 0
)
def test_predict_and_evaluate_with_a_smaller_last_batch_are_those_of_one_device(
    replicas, batch_size
):
    x, y = ten_rows()
    alone, model = model_and_copy(mirrored(replicas), *ALL_KINDS)
    predicted = [m.predict(x, batch_size=batch_size, verbose=0) for m in (alone, model)]
    np.testing.assert_allclose(predicted[1], predicted[0], rtol=1e-5, atol=1e-6)
    losses = [m.evaluate(x, y, batch_size=batch_size, verbose=0) for m in (alone, model)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


def test_fit_with_a_smaller_last_batch_is_that_of_one_device():
    x, y = ten_rows()
    alone, model = model_and_copy(mirrored(2), *ALL_KINDS)
    for one in (alone, model):
        one.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for expected, actual in zip(alone.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_fit_with_an_empty_share_stays_finite():
    """Not the numbers of one device: Keras counts each replica's mean loss alike, the empty too."""
    x, y = ten_rows()
    _, model = model_and_copy(mirrored(3), *ALL_KINDS)
    model.fit(x, y, batch_size=6, shuffle=False, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


@pytest.mark.parametrize("cross_replica", ["local", "global"])
def test_an_empty_share_leaves_moving_averages_finite(cross_replica):
    x, y = ten_rows()
    _, model = model_and_copy(mirrored(3), lambda: BatchNorm(cross_replica=cross_replica))
    model.fit(x[:8], y[:8], batch_size=6, shuffle=False, verbose=0)  # 2 + 2 + 2, then 1 + 1 + 0
    norm = model.layers[0]
    for weight in (norm.moving_mean, norm.moving_variance):
        assert np.isfinite(weight).all()
    # Two steps move the averages from 0 by a tenth each.
    assert 0.0 < np.abs(norm.moving_mean).max() < 0.2 * np.abs(x[:8]).max()


@pytest.mark.parametrize(("cross_replica", "same"), [("local", True), ("global", False)])
def test_train_on_batch_gives_every_replica_the_whole_batch(cross_replica, same):
    """So that a layer over all replicas meets each row as often as there are replicas."""
    x, y = ten_rows()
    alone, model = model_and_copy(
        mirrored(2), lambda: MinibatchDiscrimination(3, 2, cross_replica=cross_replica)
    )
    for one in (alone, model):
        one.train_on_batch(x, y)
    differences = [
        np.abs(a - e).max() for e, a in zip(alone.get_weights(), model.get_weights(), strict=True)
    ]
    assert (max(differences) < 1e-5) == same


def test_a_loop_over_a_distributed_dataset_counts_its_last_rows():
    """TensorFlow's own pattern: a `tf.function` for each batch, traced again for the last."""
    x, _ = ten_rows()
    strategy, make = mirrored(2), COUPLED["MinibatchDiscrimination"]
    alone = make()
    alone(x)
    with strategy.scope():
        layer = make()
        layer(tf.constant(x))
    layer.set_weights(alone.get_weights())
    step = tf.function(lambda batch: strategy.run(layer, args=(batch,)))
    data = tf.data.Dataset.from_tensor_slices(x).batch(7)  # 4 + 3, then 3 = 3 + 0 or 2 + 1
    outputs = [strategy.gather(step(b), 0) for b in strategy.experimental_distribute_dataset(data)]
    expected = [alone(x[:7]), alone(x[7:])]
    np.testing.assert_allclose(
        np.concatenate(outputs), np.concatenate(expected), rtol=1e-5, atol=1e-6
    )

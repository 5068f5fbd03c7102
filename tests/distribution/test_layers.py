"""The layers in anybody's model under MirroredStrategy: the batch of all, or each its own."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import distribution, initialize_from_data, losses
from improved_gan_tf.layers import (
    BatchNorm,
    BatchStatisticsNorm,
    ConditionalBatchNorm,
    CrossBatchNorm,
    Dropout,
    DropReference,
    GaussianNoise,
    MinibatchDiscrimination,
    PrependReference,
    SelfAttention2D,
    SpectralNormDense,
    VirtualBatchNorm,
)
from improved_gan_tf.training.parameter_average import ParameterAverage
from improved_gan_tf.training.weight_average import WeightAverage
from tests.support.numerics import float64 as float64_numbers

ROWS = 8
HALVES = [[0, 1, 2, 3], [4, 5, 6, 7]]  # rows of each replica
HALVES_OF_BOTH_KINDS = [[0, 1, 4, 5], [2, 3, 6, 7]]
UNEQUAL = [[0, 1, 2, 3, 4], [5, 6, 7]]


@pytest.fixture(scope="module")
def strategy():
    return distribution.strategy_from("mirrored", 2, None, ROWS)


@pytest.fixture(scope="module", autouse=True)
def _float64():
    with float64_numbers():
        yield


def examples(seed=0, shape=(3, 4)):
    return np.random.default_rng(seed).normal(size=(ROWS, *shape))


def outputs_and_gradients(layer, x, weights):
    """Outputs, and gradients of `sum(outputs * weights)` for input and trained weights."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = layer(x)
        loss = tf.reduce_sum(outputs * weights)
    return outputs, *tape.gradient(loss, [x, *[w.value for w in layer.trainable_weights]])


def per_replica(strategy, array, shares):
    return strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(array[shares[context.replica_id_in_sync_group]])
    )


def on_replicas(strategy, function, shares, *arrays):
    """`function` of each replica's rows, as one graph: a list of arrays for each of its results."""
    run = tf.function(lambda *args: strategy.run(function, args=args))
    results = run(*(per_replica(strategy, a, shares) for a in arrays))
    return [list(map(np.asarray, strategy.experimental_local_results(r))) for r in results]


def with_unknown_rows(array):
    return tf.boolean_mask(array, tf.fill(tf.shape(array)[:1], True))


def one_device_and_replicas(strategy, make, shares=HALVES, known_rows=True, x=None):
    """What one device and two replicas make of the same layer: outputs and gradients.

    Rows of the replicas are put where they belong, gradients of weights added up.
    """
    x = examples() if x is None else x
    keras.utils.set_random_seed(1)
    alone = make()
    weights = examples(1, alone(tf.constant(x)).shape[1:])
    with strategy.scope():
        mirrored = make()
        mirrored(tf.constant(x))
    mirrored.set_weights(alone.get_weights())
    expected = outputs_and_gradients(alone, tf.constant(x), weights)

    def on_replica(*arrays):
        if not known_rows:
            arrays = map(with_unknown_rows, arrays)
        return outputs_and_gradients(mirrored, *arrays)

    of_rows, of_weights = [], []
    for i, parts in enumerate(on_replicas(strategy, on_replica, shares, x, weights)):
        if i < 2:
            together = np.empty((ROWS, *parts[0].shape[1:]))
            for rows, part in zip(shares, parts, strict=True):
                together[rows] = part
            of_rows.append(together)
        else:
            of_weights.append(sum(parts))
    return [np.asarray(e) for e in expected], of_rows + of_weights


class Training(keras.layers.Layer):
    """A layer in a training call, whatever it is called with."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, inputs):
        return self.layer(inputs, training=True)


COUPLED = {
    "MinibatchDiscrimination": lambda **k: MinibatchDiscrimination(5, 3, **k),
    "MinibatchDiscrimination, mean": lambda **k: MinibatchDiscrimination(
        5, 3, reduction="mean", weight_normalization=False, **k
    ),
    "MinibatchDiscrimination, pairs": lambda **k: MinibatchDiscrimination(
        5, 3, reduction="mean_over_pairs", **k
    ),
    "BatchStatisticsNorm": lambda **k: BatchStatisticsNorm(**k),
    "BatchNorm": lambda **k: Training(BatchNorm(**k)),
}
OF_TWO_KINDS = {
    "MinibatchDiscrimination, two parts": lambda **k: MinibatchDiscrimination(
        5, 3, num_parts=2, reduction="mean_over_pairs", **k
    ),
    "CrossBatchNorm": lambda **k: CrossBatchNorm(**k),
}


def cases(makes, shares):
    return [pytest.param(make, shares, id=name) for name, make in makes.items()]


@pytest.mark.parametrize(
    ("make", "shares"), cases(COUPLED, HALVES) + cases(OF_TWO_KINDS, HALVES_OF_BOTH_KINDS)
)
def test_a_coupled_layer_sees_the_batch_of_all_replicas(make, shares, strategy):
    expected, actual = one_device_and_replicas(strategy, make, shares)
    for e, a in zip(expected, actual, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("make", COUPLED.values(), ids=list(COUPLED))
def test_shares_of_different_size_make_one_batch_too(make, strategy):
    expected, actual = one_device_and_replicas(strategy, make, UNEQUAL, known_rows=False)
    for e, a in zip(expected, actual, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "shares"), cases(COUPLED, HALVES) + cases(OF_TWO_KINDS, HALVES_OF_BOTH_KINDS)
)
def test_a_local_layer_sees_the_rows_of_its_replica_alone(make, shares, strategy):
    x, make_local = examples(), lambda: make(cross_replica="local")
    expected, actual = one_device_and_replicas(strategy, make_local, shares)
    assert np.abs(expected[0] - actual[0]).max() > 0.01
    x[shares[1]] = 7.0  # what the other replica has does not matter now
    _, again = one_device_and_replicas(strategy, make_local, shares, x=x)
    np.testing.assert_array_equal(again[0][shares[0]], actual[0][shares[0]])


def test_the_second_derivative_crosses_replicas_too(strategy):
    """A gradient penalty: the gradient of the squared norm of the input's gradient."""
    x = examples()

    def penalty_gradient(layer, x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                outputs = tf.reduce_sum(tf.square(layer(x)))
            penalty = tf.reduce_sum(tf.square(inner.gradient(outputs, x)))
        return [outer.gradient(penalty, x)]

    alone = MinibatchDiscrimination(5, 3)
    expected = penalty_gradient(alone, tf.constant(x))[0]
    with strategy.scope():
        mirrored = MinibatchDiscrimination(5, 3)
        mirrored(tf.constant(x))
    mirrored.set_weights(alone.get_weights())
    parts = on_replicas(strategy, lambda x: penalty_gradient(mirrored, x), HALVES, x)[0]
    np.testing.assert_allclose(np.concatenate(parts), expected, rtol=1e-9, atol=1e-12)


def test_a_row_mask_counts_on_every_replica(strategy):
    x, mask = examples(), np.array([1, 1, 0, 1, 1, 0, 0, 1])
    alone = MinibatchDiscrimination(5, 3, reduction="mean")
    expected = alone(tf.constant(x), row_mask=mask)
    with strategy.scope():
        mirrored = MinibatchDiscrimination(5, 3, reduction="mean")
        mirrored(tf.constant(x))
    mirrored.set_weights(alone.get_weights())
    parts = on_replicas(strategy, lambda x, m: [mirrored(x, row_mask=m)], HALVES, x, mask)[0]
    np.testing.assert_allclose(np.concatenate(parts), expected, rtol=1e-12)


def test_virtual_batch_norm_needs_no_exchange(strategy):
    reference = np.random.default_rng(5).normal(size=(3, 3, 4))

    def make():
        prepend = PrependReference(3)
        prepend.set_reference(reference)
        layers = [prepend, VirtualBatchNorm(3), DropReference(3)]
        return keras.Sequential([keras.Input((3, 4)), *layers])

    expected, actual = one_device_and_replicas(strategy, make)
    for e, a in zip(expected, actual, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-10, atol=1e-12)


# --- layers that keep state ----------------------------------------------------------------

LABELS = np.array([0, 2, 1, 2, 0, 0, 1, 2])


def conditional(**options):
    return ConditionalBatchNorm(num_classes=3, **options)


STATEFUL = {
    "BatchNorm": (lambda **k: BatchNorm(**k), (3, 4)),
    "ConditionalBatchNorm": (conditional, (3, 4)),
    "SpectralNormDense": (lambda **k: SpectralNormDense(3, num_singular_values=2), (4,)),
    "SelfAttention2D": (lambda **k: SelfAttention2D(), (4, 4, 8)),
}


def trained_on_replicas(strategy, make, shares, x, calls=3, known_rows=True, **options):
    """Outputs of the last training call and every weight: of one device, and of two replicas.

    Of the replicas the weights come as a list, as each holds them.
    """
    keras.utils.set_random_seed(1)
    alone = make(**options)
    inputs = (lambda x, y: [x, y]) if make is conditional else (lambda x, y: x)
    alone(inputs(tf.constant(x), tf.constant(LABELS)))
    with strategy.scope():
        mirrored = make(**options)
        mirrored(inputs(tf.constant(x), tf.constant(LABELS)))
    mirrored.set_weights(alone.get_weights())

    def step(x, labels):
        if not known_rows:
            x, labels = with_unknown_rows(x), with_unknown_rows(labels)
        return [mirrored(inputs(x, labels), training=True)]

    for _ in range(calls):
        expected = alone(inputs(tf.constant(x), tf.constant(LABELS)), training=True)
        (parts,) = on_replicas(strategy, step, shares, x, LABELS)
    outputs = np.empty_like(expected)
    for rows, part in zip(shares, parts, strict=True):
        outputs[rows] = part
    held = [strategy.experimental_local_results(w.value) for w in mirrored.weights]
    held = [[np.asarray(one) for one in w] for w in held]
    return (np.asarray(expected), [np.asarray(w.value) for w in alone.weights]), (outputs, held)


@pytest.mark.parametrize("name", list(STATEFUL))
@pytest.mark.parametrize(("shares", "known_rows"), [(HALVES, True), (UNEQUAL, False)])
def test_training_calls_on_replicas_leave_the_state_of_one_device(
    name, shares, known_rows, strategy
):
    make, shape = STATEFUL[name]
    (outputs, weights), (actual, held) = trained_on_replicas(
        strategy, make, shares, examples(0, shape), known_rows=known_rows
    )
    np.testing.assert_allclose(actual, outputs, rtol=1e-10, atol=1e-12)
    for expected, (one, other) in zip(weights, held, strict=True):
        np.testing.assert_allclose(one, expected, rtol=1e-10, atol=1e-12)
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["BatchNorm", "ConditionalBatchNorm"])
def test_local_batches_are_averaged_into_one_state(name, strategy):
    make, shape = STATEFUL[name]
    x = examples(0, shape)
    (outputs, _), (actual, held) = trained_on_replicas(
        strategy, make, HALVES, x, calls=1, cross_replica="local", momentum=0.0
    )
    assert np.abs(outputs - actual).max() > 0.01
    mean, variance = [h for h in held if h[0].shape == (4,)][-2:]  # the last of these
    for one, other in (mean, variance):
        np.testing.assert_array_equal(one, other)
    halves = [x[rows].reshape(-1, shape[-1]) for rows in HALVES]
    np.testing.assert_allclose(mean[0], np.mean([h.mean(0) for h in halves], 0), rtol=1e-10)
    variances = [h.var(0, ddof=1) for h in halves]
    np.testing.assert_allclose(variance[0], np.mean(variances, 0), rtol=1e-10)


def test_the_weight_average_is_the_same_on_every_replica(strategy):
    with strategy.scope():
        variable = keras.Variable(np.arange(3.0), aggregation="only_first_replica")
        average = WeightAverage([variable], decay=0.75, start=2)

    def step(x):
        variable.assign(variable + 1.0)
        average.update()
        return [x]

    for _ in range(3):  # 1 2 3, 2 3 4 and 3 4 5 beside the first
        on_replicas(strategy, step, HALVES, examples())
    expected = 0.75 * (0.75 * (np.arange(3.0) + 1) + 0.25 * (np.arange(3.0) + 2))
    expected += 0.25 * (np.arange(3.0) + 3)
    for held in strategy.experimental_local_results(average.averages[0]):
        np.testing.assert_allclose(held, expected, rtol=1e-12)


@pytest.mark.parametrize("in_scope", [True, False])
def test_outside_of_replicas_too_the_parameter_average_is_the_same_on_every_one(in_scope, strategy):
    with strategy.scope():
        variable = keras.Variable(np.arange(3.0), aggregation="only_first_replica")
        average = ParameterAverage([variable], rate=0.25)
    with strategy.scope() if in_scope else contextlib.nullcontext():
        average.update()
    on_replicas(strategy, lambda x: average.update() or [x], HALVES, examples())
    with strategy.scope() if in_scope else contextlib.nullcontext():
        average.update()
    for held in strategy.experimental_local_results(average.averages[0]):
        np.testing.assert_allclose(held, (1 - 0.75**3) * np.arange(3.0), rtol=1e-6)


# --- noise and dropout ---------------------------------------------------------------------

RANDOM = {
    "GaussianNoise": lambda **k: GaussianNoise(0.5, seed=3, **k),
    "Dropout": lambda **k: Dropout(0.4, seed=3, **k),
}


def drawn_by(strategy, make, minibatches=1):
    ones = np.ones((ROWS, 1000))
    with strategy.scope():
        layer = make()

    def step(x):
        with distribution.joint_minibatches(minibatches):
            return [layer(x, training=True)]

    return on_replicas(strategy, step, HALVES, ones)[0]


@pytest.mark.parametrize("make", RANDOM.values(), ids=list(RANDOM))
def test_noise_is_that_of_one_device(make, strategy):
    expected = np.asarray(make()(np.ones((ROWS, 1000)), training=True))
    np.testing.assert_array_equal(np.concatenate(drawn_by(strategy, make)), expected)


@pytest.mark.parametrize("make", RANDOM.values(), ids=list(RANDOM))
def test_noise_of_several_minibatches_in_one_batch_is_that_of_one_device(make, strategy):
    expected = np.asarray(make()(np.ones((ROWS, 1000)), training=True))
    parts = drawn_by(strategy, make, minibatches=2)
    for rows, part in zip(HALVES_OF_BOTH_KINDS, parts, strict=True):
        np.testing.assert_array_equal(part, expected[rows])


def assert_different(first, second):
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 4.0 / np.sqrt(first.size)


@pytest.mark.parametrize("cross_replica", ["global", "local"])
@pytest.mark.parametrize("make", RANDOM.values(), ids=list(RANDOM))
def test_replicas_draw_different_noise(make, cross_replica, strategy):
    assert_different(*drawn_by(strategy, lambda: make(cross_replica=cross_replica)))


def test_local_noise_is_new_in_every_call(strategy):
    with strategy.scope():
        layer = GaussianNoise(0.5, seed=3, cross_replica="local")
    twice = lambda x: [layer(x, training=True), layer(x, training=True)]  # noqa: E731
    first, second = on_replicas(strategy, twice, HALVES, np.ones((ROWS, 1000)))
    for one, other in zip(first, second, strict=True):
        assert_different(one, other)


@pytest.mark.parametrize(
    "make",
    [lambda: keras.layers.GaussianNoise(0.5, seed=3), lambda: keras.layers.Dropout(0.4, seed=3)],
)
def test_keras_own_layers_draw_the_same_noise_on_every_replica(make, strategy):
    """Why these layers exist; if it fails, Keras has repaired it."""
    with pytest.raises(AssertionError):
        assert_different(*drawn_by(strategy, make))


# --- losses and initialisation -------------------------------------------------------------


@pytest.mark.parametrize("loss", [losses.feature_matching_l1, losses.feature_matching_l2])
def test_feature_matching_compares_the_means_of_all_replicas(loss, strategy):
    real, generated = examples(0, (5,)), examples(1, (5,))

    def gradient(real, generated):
        with tf.GradientTape() as tape:
            tape.watch(generated)
            value = loss(real, generated)
            share = distribution.share_of_loss(value)
        return value, tape.gradient(share, generated)

    expected, expected_gradient = gradient(tf.constant(real), tf.constant(generated))
    values, parts = on_replicas(strategy, gradient, HALVES, real, generated)
    np.testing.assert_allclose(values, [expected, expected], rtol=1e-12)
    np.testing.assert_allclose(np.concatenate(parts), expected_gradient, rtol=1e-12)
    local = lambda real, generated: [loss(real, generated, "local")]  # noqa: E731
    first, second = on_replicas(strategy, local, HALVES, real, generated)[0]
    assert first != second


def test_initialisation_on_one_of_several_replicas_is_refused(strategy):
    with strategy.scope():
        layer = MinibatchDiscrimination(5, 3)
        layer(tf.constant(examples()))
    with pytest.raises(RuntimeError, match="in the strategy's scope"):
        strategy.run(lambda: initialize_from_data(layer, tf.constant(examples())))


@pytest.mark.parametrize(
    "make",
    [
        lambda **k: MinibatchDiscrimination(5, 3, **k),
        lambda **k: BatchStatisticsNorm(**k),
        lambda **k: CrossBatchNorm(**k),
        lambda **k: BatchNorm(**k),
        lambda **k: ConditionalBatchNorm(**k),
        lambda **k: GaussianNoise(0.5, **k),
        lambda **k: Dropout(0.5, **k),
    ],
)
def test_another_word_for_the_batch_is_refused(make):
    with pytest.raises(ValueError, match=r"`cross_replica` must be one of .*Received: .*'both'"):
        make(cross_replica="both")


def test_a_users_own_model_trains_by_fit_as_on_one_device(strategy):
    """Keras's own loop: `compile` and `fit` with a coupled layer, SGD, two epochs."""

    def trained(scope):
        keras.utils.set_random_seed(1)
        with scope:
            model = keras.Sequential(
                [
                    keras.Input((4,)),
                    keras.layers.Dense(6, activation="tanh"),
                    MinibatchDiscrimination(5, 3),
                    keras.layers.Dense(1),
                ]
            )
            model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
        x, y = examples(0, (4,)), examples(1, (1,))
        data = tf.data.Dataset.from_tensor_slices((x, y)).batch(ROWS, drop_remainder=True)
        model.fit(data, epochs=2, shuffle=False, verbose=0)
        return [np.asarray(w.value) for w in model.weights]

    expected, actual = trained(contextlib.nullcontext()), trained(strategy.scope())
    for one, other in zip(expected, actual, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-12)

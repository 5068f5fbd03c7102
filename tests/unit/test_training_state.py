"""Averages and Adam on every Keras backend, and as a part of a model that is saved and loaded."""

import keras
import numpy as np
import pytest
from keras import ops

from improved_gan_tf import Adam, HistoricalAverage, ParameterAverage, WeightAverage

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


def numbers(variable):
    return ops.convert_to_numpy(variable)


# --- by themselves -------------------------------------------------------------------------


def test_the_parameter_average_follows_its_formula():
    variables = [keras.Variable([1.0, -2.0]), keras.Variable(np.ones((2, 2), "float32"))]
    average = ParameterAverage(variables, rate=0.25)
    expected = np.zeros(2)
    for value in ([1.0, -2.0], [3.0, 5.0], [0.5, 0.25]):
        variables[0].assign(value)
        average.update()
        expected += 0.25 * (np.array(value) - expected)
    np.testing.assert_allclose(numbers(average.averages[0]), expected, rtol=1e-6)
    np.testing.assert_allclose(numbers(average.averages[1]), 1.0 - 0.75**3, rtol=1e-6)
    np.testing.assert_array_equal(numbers(variables[0]), [0.5, 0.25])


def test_the_parameter_average_is_copied_to_other_variables():
    average = ParameterAverage([keras.Variable([4.0])], rate=0.5)
    average.update()
    other = keras.Variable([9.0])
    average.copy_to([other])
    np.testing.assert_array_equal(numbers(other), [2.0])


def test_the_historical_mean_is_exact_over_a_long_walk_in_float32():
    walk = 1.0 + np.cumsum(1e-3 * np.random.RandomState(0).normal(size=(300, 20)), axis=0)
    walk = walk.astype("float32")
    theta = keras.Variable(walk[0])
    history = HistoricalAverage([theta])
    for value in walk:
        theta.assign(value)
        history.update()
    parts = (history.means[0], history.remainders[0])
    mean = sum(numbers(part).astype("float64") for part in parts)
    explicit = np.mean(walk.astype("float64"), axis=0)
    assert np.max(np.abs(mean / explicit - 1.0)) < 1e-9
    deviation = walk[-1] - explicit
    assert float(numbers(history.penalty())) == pytest.approx(np.sum(deviation**2), rel=1e-5)
    np.testing.assert_allclose(numbers(history.gradients(0.25)[0]), 0.5 * deviation, rtol=1e-4)
    assert int(numbers(history.count)) == 300


def test_the_first_mean_is_a_copy_of_the_parameter():
    theta = keras.Variable([1.0])
    history = HistoricalAverage([theta])
    theta.assign([5.0])
    np.testing.assert_array_equal(numbers(history.means[0]), [1.0])


def test_the_weight_average_starts_as_a_copy_and_follows_its_formula():
    variable = keras.Variable([1.0, -2.0])
    average = WeightAverage([variable], decay=0.75, start=2)
    variable.assign([4.0, 0.0])
    np.testing.assert_array_equal(numbers(average.averages[0]), [1.0, -2.0])
    average.update()  # before the start: the weights
    np.testing.assert_array_equal(numbers(average.averages[0]), [4.0, 0.0])
    variable.assign([8.0, 2.0])
    average.update()
    np.testing.assert_array_equal(numbers(average.averages[0]), [5.0, 0.5])
    assert int(numbers(average.updates)) == 2


@pytest.mark.parametrize("average", [ParameterAverage, HistoricalAverage, WeightAverage])
def test_whole_numbers_are_not_averaged(average):
    model = keras.Sequential([keras.Input((3,)), keras.layers.GaussianNoise(0.1, seed=1)])
    with pytest.raises(ValueError, match=r"Only floating point .* of dtype"):
        average(model.variables)


@pytest.mark.parametrize("average", [HistoricalAverage, ParameterAverage, WeightAverage])
def test_a_model_that_is_not_built_has_nothing_to_average(average):
    model = keras.Sequential([keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"at least one variable.*built"):
        average(model.trainable_variables)


# --- in a model ----------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="improved_gan_tf_tests")
class Player(keras.Model):
    """One kernel, its two averages, and the loss that updates them."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
        self.dense.build((None, 2))
        self.average = ParameterAverage(self.dense.trainable_variables, rate=0.5)
        self.past = HistoricalAverage(self.dense.trainable_variables)

    def call(self, x):
        return self.dense(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = ops.mean(ops.square(y_pred - y))
        if training:
            self.average.update()
            self.past.update()
            loss += 0.5 * self.past.penalty()
        return loss


X = np.array([[1.0, 2.0], [0.5, -1.0], [-2.0, 0.25], [1.5, 0.75]], "float32")
Y = np.array([[1.0], [-1.0], [0.5], [2.0]], "float32")


def trained(steps, model=None):
    model = model or Player()
    model.compile(optimizer=keras.optimizers.SGD(0.1))
    model.fit(X, Y, batch_size=4, epochs=steps, shuffle=False, verbose=0)
    return model


def by_hand(steps):
    """Kernel, average and mean of `trained`, in NumPy."""
    kernel, average, past = np.ones((2, 1)), np.zeros((2, 1)), []
    for _ in range(steps):
        average = average + 0.5 * (kernel - average)
        past.append(kernel)
        gradient = 2.0 * X.T @ (X @ kernel - Y) / len(X) + (kernel - np.mean(past, axis=0))
        kernel = kernel - 0.1 * gradient
    return kernel, average, np.mean(past, axis=0)


def state_of(model):
    return model.dense.kernel, model.average.averages[0], model.past.means[0]


def test_a_model_updates_them_in_its_compiled_loss():
    for actual, expected in zip(state_of(trained(5)), by_hand(5), strict=True):
        np.testing.assert_allclose(numbers(actual), expected, rtol=1e-5)


def test_evaluation_does_not_change_them():
    model = trained(2)
    before = [numbers(v) for v in model.variables]
    model.evaluate(X, Y, verbose=0)
    assert int(numbers(model.past.count)) == 2
    for variable, value in zip(model.weights, before, strict=False):
        np.testing.assert_array_equal(numbers(variable), value)


def test_their_state_is_not_trained_and_their_parameters_are_not_counted_twice():
    model = Player()
    assert [v.name for v in model.trainable_variables] == ["kernel"]
    names = ["average_0", "historical_count", "historical_mean_0", "historical_remainder_0"]
    assert [v.name for v in model.non_trainable_variables] == names


def test_a_keras_file_holds_them(tmp_path):
    model = trained(3)
    model.save(tmp_path / "player.keras")
    loaded = keras.saving.load_model(tmp_path / "player.keras")
    assert int(numbers(loaded.past.count)) == 3
    trained(2, loaded)
    for actual, expected in zip(state_of(loaded), by_hand(5), strict=True):
        np.testing.assert_allclose(numbers(actual), expected, rtol=1e-5)


def test_a_weights_file_holds_them(tmp_path):
    model = trained(3)
    model.save_weights(tmp_path / "player.weights.h5")
    other = trained(1)
    other.load_weights(tmp_path / "player.weights.h5")
    for actual, expected in zip(other.weights, model.weights, strict=True):
        np.testing.assert_array_equal(numbers(actual), numbers(expected))
    assert int(numbers(other.past.count)) == 3


@pytest.mark.skipif(not ON_TENSORFLOW, reason="tf.train.Checkpoint is TensorFlow's")
def test_a_tensorflow_checkpoint_holds_them(tmp_path):
    import tensorflow as tf

    model, other = trained(3), trained(1)
    tf.train.Checkpoint(model).write(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(other).read(str(tmp_path / "checkpoint")).assert_consumed()
    for name in ("average", "past"):
        pairs = zip(getattr(other, name).weights, getattr(model, name).weights, strict=True)
        for actual, expected in pairs:
            np.testing.assert_array_equal(numbers(actual), numbers(expected))
    assert int(numbers(other.past.count)) == 3


def sequential():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


def functional():
    inputs = keras.Input((2,))
    return keras.Model(inputs, keras.layers.Dense(1)(inputs))


@pytest.mark.parametrize("make", [sequential, functional])
@pytest.mark.parametrize("average", [ParameterAverage, HistoricalAverage, WeightAverage])
def test_a_model_without_a_class_of_its_own_gets_them_back_from_the_same_file(
    make, average, tmp_path
):
    model = make()
    model.average = average(model.trainable_variables)
    for _ in range(3):
        model.layers[-1].kernel.assign_add(ops.ones((2, 1)))
        model.average.update()
    model.save(tmp_path / "model.keras")

    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert not hasattr(loaded, "average")  # not there, rather than there and empty
    loaded.average = average(loaded.trainable_variables)
    loaded.load_weights(tmp_path / "model.keras")
    pairs = list(zip(loaded.average.weights, model.average.weights, strict=True))
    assert len(pairs) >= 2
    for actual, expected in pairs:
        np.testing.assert_array_equal(numbers(actual), numbers(expected))
    np.testing.assert_array_equal(
        numbers(loaded.layers[-1].kernel), numbers(model.layers[-1].kernel)
    )


# --- Adam ----------------------------------------------------------------------------------


def stepped(gradients, optimizer, start=(1.0, -2.0, 0.5)):
    """The parameter after a step for each gradient."""
    variable = keras.Variable(np.array(start, "float32"))
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([ops.convert_to_tensor(np.float32(gradient))], [variable])
    return numbers(variable)


def definition(gradients, rate=0.1, start=(1.0, -2.0, 0.5), decay=0.0, epsilon=1e-8):
    """The parameters after every step, by the formulas in the docstring of `Adam`."""
    p, after = np.array(start), []
    m = v = np.zeros(3)
    for t, gradient in enumerate(np.array(gradients, float), 1):
        p = p - decay * rate * p
        m, v = 0.5 * m + 0.5 * gradient, 0.999 * v + 0.001 * gradient**2
        p = p - rate * m / (1 - 0.5**t) / np.sqrt(v / (1 - 0.999**t) + epsilon)
        after.append(p)
    return np.array(after)


GRADIENTS = np.random.RandomState(0).normal(size=(6, 3))
close = {"rtol": 1e-4, "atol": 1e-5}


def test_adam_follows_its_formula():
    np.testing.assert_allclose(stepped(GRADIENTS, Adam(0.1)), definition(GRADIENTS)[-1], **close)


def test_adams_epsilon_is_inside_the_root():
    actual = stepped(GRADIENTS, Adam(0.1, epsilon=0.5))
    np.testing.assert_allclose(actual, definition(GRADIENTS, epsilon=0.5)[-1], **close)


def test_adam_trains_a_compiled_model():
    model = sequential()
    model.compile(Adam(0.05), "mse")
    losses = model.fit(X, Y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    assert int(numbers(model.optimizer.iterations)) == 30


def clipped_each(gradients):
    return [g / max(1.0, np.linalg.norm(g) / 0.5) for g in gradients]


@pytest.mark.parametrize(
    ("options", "gradients"),
    [
        ({"clipnorm": 0.5}, clipped_each(GRADIENTS)),
        ({"global_clipnorm": 0.5}, clipped_each(GRADIENTS)),
        ({"clipvalue": 0.3}, np.clip(GRADIENTS, -0.3, 0.3)),
        ({"loss_scale_factor": 4.0}, GRADIENTS / 4.0),
        ({"gradient_accumulation_steps": 3}, GRADIENTS.reshape(2, 3, 3).mean(axis=1)),
    ],
)
def test_keras_changes_the_gradients_before_adam(options, gradients):
    # An epsilon that counts: Adam alone would hide a constant factor.
    actual = stepped(GRADIENTS, Adam(0.1, epsilon=0.5, **options))
    expected = definition(gradients, epsilon=0.5)[-1]
    np.testing.assert_allclose(actual, expected, **close)
    assert np.max(np.abs(expected - definition(GRADIENTS, epsilon=0.5)[-1])) > 0.01


def test_keras_decays_the_weights_before_adam():
    actual = stepped(GRADIENTS, Adam(0.1, weight_decay=0.2))
    np.testing.assert_allclose(actual, definition(GRADIENTS, decay=0.2)[-1], **close)


def test_keras_averages_the_weights_after_adam():
    variable = keras.Variable(np.array([1.0, -2.0, 0.5], "float32"))
    optimizer = Adam(0.1, use_ema=True, ema_momentum=0.5)
    optimizer.build([variable])
    expected = np.zeros(3)
    for i, (gradient, p) in enumerate(zip(GRADIENTS, definition(GRADIENTS), strict=True)):
        optimizer.apply([ops.convert_to_tensor(np.float32(gradient))], [variable])
        expected = p if i == 0 else 0.5 * expected + 0.5 * p  # Keras starts at the first value
    optimizer.finalize_variable_values([variable])
    np.testing.assert_allclose(numbers(variable), expected, **close)


def test_keras_overwrites_the_weights_by_their_average():
    options = {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2}
    first, second = definition(GRADIENTS[:2])
    actual = stepped(GRADIENTS[:2], Adam(0.1, **options))
    np.testing.assert_allclose(actual, 0.5 * (first + second), **close)


def test_adam_takes_a_schedule():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.1, 0.0])
    actual = stepped(GRADIENTS, Adam(schedule))
    np.testing.assert_allclose(actual, definition(GRADIENTS[:1])[-1], **close)


def test_adam_keeps_what_keras_does_around_it_in_its_config():
    optimizer = Adam(0.1, beta_1=0.4, clipnorm=1.0, weight_decay=0.01, use_ema=True)
    restored = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(restored) is Adam
    assert restored.get_config() == optimizer.get_config()
    assert (restored.clipnorm, restored.weight_decay, restored.use_ema) == (1.0, 0.01, True)


def test_two_ways_to_clip_at_once_are_refused_by_keras():
    with pytest.raises(ValueError, match="Only one of `clipnorm`"):
        Adam(0.1, clipnorm=1.0, clipvalue=1.0)


def test_an_argument_that_keras_does_not_know_is_refused():
    with pytest.raises(ValueError, match=r"not recognized.*clip_norm"):
        Adam(0.1, clip_norm=1.0)


def test_amsgrad_is_refused():
    with pytest.raises(ValueError, match=r"has no `amsgrad`.*Received: amsgrad=True"):
        Adam(0.1, amsgrad=True)

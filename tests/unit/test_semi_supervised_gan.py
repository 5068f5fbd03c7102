"""`SemiSupervisedGAN`: the scripts' step in a Keras model, what is tested, saved and continued."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import SemiSupervisedGAN, load_model, networks, precision
from improved_gan_tf.data.device_images import DeviceImages
from improved_gan_tf.data.epoch_rows import EpochStreams
from improved_gan_tf.data.mixed_order import mixed_order
from improved_gan_tf.layers import GaussianNoise, WeightNormDense
from improved_gan_tf.layers.data_dependent import initialize_from_data
from improved_gan_tf.training import loss_scale
from improved_gan_tf.training.semi_supervised import Trainer
from tests.support import numerics, small_gan
from tests.support.small_gan import assert_equal_states, make, make_images, state

BATCH, UNLABELED, LABELED = 6, 30, 12
X, Y = make_images(UNLABELED)
FEW = (X[:LABELED], Y[:LABELED])


def fit(gan, epochs=1, **kwargs):
    return gan.fit(
        **{"labeled": FEW, "unlabeled": X, "batch_size": BATCH, "verbose": 0, **kwargs},
        epochs=epochs,
    )


# --- the step is that of the run scripts -----------------------------------------------------

TECHNIQUES = {
    "feature matching": {},
    "minibatch discrimination": {"coupled": True},
    "every other technique": {
        "virtual": True,
        "generator_objective": "feature_matching_l2",
        "real_target": 0.9,
        "generated_target": 0.1,
        "historical_averaging_weight": 0.5,
        "unlabeled_weight": 0.7,
        "supervised_weight": 1.3,
    },
    "no average, one history": {
        "averaging_rate": 0.0,
        "historical_averaging_weight": 0.5,
        "historical_averaging_players": "generator",
    },
    "supervised only": {"supervised_only": True},
}


def scripts_trainer(coupled=False, virtual=False, **settings):
    """The trainer of the run scripts after two epochs on the same images, given as bytes."""
    pixels, labels = small_gan.make_bytes(UNLABELED)
    data = DeviceImages(pixels, labels, (128.0, 128.0))
    objective = "saturating" if coupled else "feature_matching_l1"
    settings = {"generator_objective": objective, "averaging_rate": 1e-4, **settings}
    features = small_gan.make_discriminator(coupled)
    outputs = {"logits": features.output, "features": features.get_layer("features").output}
    discriminator = keras.Model(features.input, outputs)
    generator = small_gan.make_generator(virtual=virtual)
    rows = EpochStreams(UNLABELED, np.arange(LABELED), BATCH, 4, generator_sees_real=not coupled)
    initialize_from_data(discriminator, data.images(rows(0).unlabeled.ravel()))
    trainer = Trainer(
        networks.Networks(generator, discriminator, coupled),
        data,
        seed=4,
        generator_steps=3 if coupled else 1,
        **settings,
    )
    initialize_from_data(generator, trainer.draw_z(BATCH))
    for epoch in range(2):
        trainer.train(rows(epoch), 0.01)
    return trainer


@pytest.fixture
def graphs_as_written():
    # Grappler rewrites the scripts' loop over the steps in other ways than `fit`'s single step:
    # with minibatch discrimination that changes the order of a sum.
    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False, **before})


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_fit_computes_the_bits_of_the_run_scripts(technique, graphs_as_written):
    settings = TECHNIQUES[technique]
    gan = make(**settings)
    start = state(gan)
    fit(gan, epochs=2)
    trainer = scripts_trainer(**settings)
    expected = small_gan.arrays(trainer.state())
    found = state(gan)
    assert found.pop("steps") == trainer.iterations() == 10
    assert_equal_states(found, expected)
    moved = [name for name, value in found.items() if not np.array_equal(value, start[name])]
    assert any(name.startswith("discriminator.") for name in moved)


def test_an_epoch_is_the_same_in_one_call_and_in_two():
    once, twice = make(), make()
    fit(once, epochs=3)
    fit(twice)
    fit(twice, epochs=3, initial_epoch=1)
    assert_equal_states(state(once), state(twice))


def test_steps_per_epoch_go_on_through_the_images():
    whole, parts = make(), make()
    fit(whole, epochs=2)  # of 5 steps
    fit(parts, epochs=5, steps_per_epoch=2)
    assert_equal_states(state(whole), state(parts))


def images_seen(gan, monkeypatch, **kwargs):
    """The row numbers of the unlabeled images that one epoch of `fit` showed the discriminator."""
    seen = []

    def record(data):
        seen.append(np.array(data[2]))
        gan.steps.assign_add(1)
        return {"loss": tf.zeros(())}

    gan.compile(run_eagerly=True)
    monkeypatch.setattr(gan, "train_step", record)
    fit(gan, **kwargs)
    monkeypatch.undo()
    places = {image.tobytes(): row for row, image in enumerate(X)}
    return [places[image.tobytes()] for image in np.concatenate(seen)]


def test_another_size_of_batches_begins_a_new_pass(monkeypatch, tmp_path):
    gan = make()
    first = images_seen(gan, monkeypatch, steps_per_epoch=3)
    assert len(set(first)) == 18
    gan.save(tmp_path / "gan.keras")
    gan = load_model(tmp_path / "gan.keras")
    second = images_seen(gan, monkeypatch, batch_size=10)
    third = images_seen(gan, monkeypatch, batch_size=10)
    images_seen(gan, monkeypatch, batch_size=9, steps_per_epoch=1)
    assert len(set(images_seen(gan, monkeypatch, batch_size=8))) == 24  # as many steps in a pass
    fourth = images_seen(gan, monkeypatch, batch_size=5, steps_per_epoch=4)
    rest = images_seen(gan, monkeypatch, batch_size=5, steps_per_epoch=2)
    for whole_pass in (second, third, fourth + rest):
        assert sorted(whole_pass) == list(range(UNLABELED))
    orders = [first, second[:18], third[:18], fourth[:18]]
    assert len({tuple(order) for order in orders}) == 4


def test_other_labels_begin_a_new_pass(monkeypatch):
    gan = make()
    images_seen(gan, monkeypatch, steps_per_epoch=3)
    more = (X[:18], Y[:18])
    assert sorted(images_seen(gan, monkeypatch, labeled=more)) == list(range(UNLABELED))


def test_a_backup_goes_on_in_the_pass_that_it_was_saved_in(tmp_path):
    def stop(epoch, logs):
        raise KeyboardInterrupt

    uninterrupted, stopped, restored = make(), make(), make()
    folder = str(tmp_path / "backup")
    for gan in (uninterrupted, stopped):
        fit(gan, steps_per_epoch=2)
    fit(uninterrupted, 2, batch_size=10)
    callbacks = [
        keras.callbacks.BackupAndRestore(folder),
        keras.callbacks.LambdaCallback(on_epoch_end=stop),
    ]
    with pytest.raises(KeyboardInterrupt):
        fit(stopped, 2, batch_size=10, callbacks=callbacks)
    fit(restored, 2, batch_size=10, callbacks=[keras.callbacks.BackupAndRestore(folder)])
    assert_equal_states(state(restored), state(uninterrupted))


def test_after_pipelines_arrays_begin_a_new_pass(monkeypatch):
    labeled = tf.data.Dataset.from_tensor_slices(FEW).batch(BATCH, drop_remainder=True)
    unlabeled = tf.data.Dataset.from_tensor_slices(X).batch(BATCH, drop_remainder=True)
    pipelines = {"labeled": labeled, "unlabeled": unlabeled, "batch_size": None}
    gan = make()
    images_seen(gan, monkeypatch, steps_per_epoch=3, **pipelines)
    first = images_seen(gan, monkeypatch)
    images_seen(gan, monkeypatch, steps_per_epoch=3, **pipelines)
    second = images_seen(gan, monkeypatch)
    assert sorted(first) == sorted(second) == list(range(UNLABELED))
    assert first != second


def test_a_file_of_an_earlier_version_goes_on_in_its_pass(tmp_path, monkeypatch):
    gan = make()
    fit(gan, steps_per_epoch=3)
    own_state = gan._own_state()
    del own_state["passes"]
    monkeypatch.setattr(gan, "_own_state", lambda: own_state, raising=True)
    gan.save(tmp_path / "gan.keras")
    monkeypatch.undo()
    loaded = load_model(tmp_path / "gan.keras")
    fit(gan)
    fit(loaded)
    assert_equal_states(state(gan), state(loaded))


def test_the_step_of_a_baseline_needs_no_unlabeled_images():
    gan = make(supervised_only=True)
    history = fit(gan, unlabeled=None, epochs=40).history
    assert set(history) == {"supervised_loss", "accuracy"}
    assert history["supervised_loss"][-1] < 0.5 * history["supervised_loss"][0]


# --- what fit reports ------------------------------------------------------------------------


def test_losses_and_accuracies_are_reported_by_name_and_learning_shows():
    gan = make(averaging_rate=0.02, metrics=["accuracy", "sparse_top_k_categorical_accuracy"])
    test = make_images(21, seed=1)
    history = fit(gan, epochs=40, validation_data=test).history
    training = {"supervised_loss", "unsupervised_loss", "generator_loss", "accuracy"}
    tested = {"val_loss", "val_accuracy", "val_sparse_top_k_categorical_accuracy"}
    assert set(history) == training | tested
    assert all(len(values) == 40 for values in history.values())
    assert history["val_accuracy"][-1] > 0.5  # by chance a third
    results = gan.evaluate(*test, verbose=0, return_dict=True)
    assert {f"val_{name}": value for name, value in results.items()} == pytest.approx(
        {name: history[name][-1] for name in tested}
    )
    assert gan.evaluate(*test, verbose=0) == list(results.values())
    assert list(results)[:2] == ["loss", "accuracy"]


def test_metrics_may_be_objects_and_a_layer_may_have_one_of_its_own():
    class Counted(keras.layers.Flatten):
        def __init__(self):
            super().__init__()
            self.calls = keras.metrics.Mean(name="calls")

    images = keras.Input(small_gan.SHAPE)
    features = WeightNormDense(12, activation="relu", name="features")(Counted()(images))
    logits = WeightNormDense(small_gan.CLASSES, train_scale=True)(features)
    gan = SemiSupervisedGAN(
        keras.Model(images, logits), small_gan.make_generator(), feature_layer="features"
    )
    gan.compile(metrics=[keras.metrics.SparseTopKCategoricalAccuracy(2, name="top")])
    x, y = make_images(21, seed=1)
    history = fit(gan, validation_data=(x, y)).history
    results = gan.evaluate(x, y, verbose=0, return_dict=True)
    assert list(results) == ["loss", "accuracy", "top"]
    assert results["top"] == pytest.approx(history["val_top"][-1])
    best = np.argsort(gan.predict(x, verbose=0), axis=1)[:, -2:]
    assert results["top"] == pytest.approx(np.mean(np.any(best == y[:, None], axis=1)))
    assert gan.test_on_batch(x, y, return_dict=True) == pytest.approx(results, rel=1e-5)


def test_evaluate_is_cross_entropy_and_accuracy_of_the_predicted_logits():
    gan = make()
    fit(gan)
    x, y = make_images(25, seed=1)
    logits = gan.predict(x, batch_size=10, verbose=0)
    rows = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    expected = [-np.mean(rows[np.arange(25), y]), np.mean(np.argmax(logits, 1) == y)]
    for labels in (y, y[:, None].astype("int64")):
        np.testing.assert_allclose(
            gan.evaluate(x, labels, batch_size=10, verbose=0), expected, rtol=1e-5
        )


def test_a_batch_is_tested_with_the_results_of_evaluate():
    gan = make(metrics=["sparse_top_k_categorical_accuracy"])
    names = ["loss", "accuracy", "sparse_top_k_categorical_accuracy"]
    assert gan.metrics_names == names
    assert make(compiled=False).metrics_names == []
    x, y = make_images(9, seed=1)
    expected = gan.evaluate(x, y, verbose=0, return_dict=True)
    assert list(expected) == names
    tested = gan.test_on_batch(x, y, return_dict=True)
    assert list(tested) == names
    assert tested == pytest.approx(expected, rel=1e-5)
    assert gan.test_on_batch(x, y) == list(tested.values())
    weights = np.repeat([1.0, 0.0], [4, 5])
    assert gan.test_on_batch(x, y, weights) == pytest.approx(
        gan.test_on_batch(x[:4], y[:4]), rel=1e-5
    )


def test_initialisation_is_told_and_happens_once(capsys):
    gan = make()
    weights = [*gan.discriminator.weights, *gan.generator.weights]
    fit(gan, verbose=2)
    line = capsys.readouterr().out.splitlines()[0]
    assert line == (
        "Data-dependent initialisation from 30 images, once: scales and biases of 2 layers of the "
        "discriminator, 1 of the generator."
    )
    before = [np.array(weight) for weight in weights]
    gan.compile(learning_rate=0.0)
    fit(gan, verbose=2)
    assert "initialisation" not in capsys.readouterr().out
    for value, weight in zip(before, weights, strict=True):
        np.testing.assert_array_equal(value, np.array(weight))


@pytest.mark.parametrize("experiment", sorted(networks.EXPERIMENTS))
def test_the_generator_is_initialised_where_the_original_does_it(experiment):
    spec = networks.EXPERIMENTS[experiment]
    players = spec.build(1, width_multiplier=0.02)
    gan = small_gan.SemiSupervisedGAN(players.discriminator, players.generator)
    assert gan.initialize_generator == spec.initializes_generator
    copy = small_gan.SemiSupervisedGAN.from_config(gan.get_config())
    assert copy.initialize_generator == spec.initializes_generator


@pytest.mark.parametrize("asked", [True, False])
def test_the_generator_is_initialised_as_asked(asked, capsys):
    gan = make(initialize_generator=asked)
    gan.compile(learning_rate=0.0)
    before = [np.array(weight) for weight in gan.generator.trainable_weights]
    fit(gan, verbose=2)
    assert f"discriminator, {int(asked)} of the generator" in capsys.readouterr().out
    moved = [
        not np.array_equal(value, np.array(weight))
        for value, weight in zip(before, gan.generator.trainable_weights, strict=True)
    ]
    assert any(moved) == asked
    copy = small_gan.SemiSupervisedGAN.from_config(gan.get_config())
    assert copy.initialize_generator == asked


def test_a_trained_discriminator_keeps_its_values_if_asked(capsys):
    gan = make(initialize_discriminator=False)
    gan.compile(learning_rate=0.0)
    before = [np.array(weight) for weight in gan.discriminator.weights]
    fit(gan, verbose=2)
    assert "0 layers of the discriminator" in capsys.readouterr().out
    for value, weight in zip(before, gan.discriminator.weights, strict=True):
        np.testing.assert_array_equal(value, np.array(weight))
    assert not small_gan.SemiSupervisedGAN.from_config(gan.get_config()).initialize_discriminator


def test_players_without_such_layers_are_not_initialised(capsys):
    discriminator = keras.Sequential(
        [
            keras.Input(small_gan.SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(8, "relu", name="hidden"),
            keras.layers.Dense(3),
        ]
    )
    generator = keras.Sequential(
        [keras.Input((7,)), keras.layers.Dense(36, "tanh"), keras.layers.Reshape((6, 6, 1))]
    )
    gan = small_gan.SemiSupervisedGAN(discriminator, generator, feature_layer="hidden")
    gan.compile()
    fit(gan, verbose=2)
    assert "initialisation" not in capsys.readouterr().out
    assert gan.generate(3).shape == (3, 6, 6, 1)


# --- the average ---------------------------------------------------------------------------


def test_before_training_the_parameters_themselves_are_tested():
    gan = make()
    expected = gan.discriminator(X, training=False)
    np.testing.assert_array_equal(gan.predict(X, verbose=0), expected)


def test_the_tested_parameters_are_weighted_means_of_the_past_ones():
    rate, past = 0.3, []
    gan = make(averaging_rate=rate)
    keep = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: past.append(
            [np.array(v) for v in gan.discriminator.trainable_variables]
        )
    )
    fit(gan, callbacks=[keep])
    assert len(past) == 5
    weights = [rate * (1 - rate) ** (4 - i) for i in range(5)]
    classifier = gan.classifier
    for i, variable in enumerate(classifier.trainable_variables):
        expected = np.average([values[i] for values in past], axis=0, weights=weights)
        np.testing.assert_allclose(np.array(variable), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(
        classifier.predict(X, verbose=0), gan.predict(X, batch_size=32, verbose=0)
    )


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_without_an_average_the_classifier_has_the_last_parameters(rate):
    gan = make(averaging_rate=rate)
    fit(gan)
    if rate == 0.0:
        expected = gan.discriminator(X, training=False)
        np.testing.assert_allclose(gan.classifier(X), expected, rtol=1e-6)
    assert np.isfinite(gan.predict(X, verbose=0)).all()


def test_the_classifier_is_a_model_of_its_own(tmp_path):
    gan = make()
    fit(gan)
    classifier = gan.classifier
    logits = gan.predict(X, verbose=0)
    classifier.save(tmp_path / "classifier.keras")
    fit(gan)
    loaded = load_model(tmp_path / "classifier.keras")
    np.testing.assert_allclose(loaded.predict(X, verbose=0), logits, rtol=1e-6)
    assert np.abs(gan.predict(X, verbose=0) - logits).max() > 1e-4
    assert loaded.output.shape == (None, 3)


@pytest.mark.parametrize("frozen", [["features"], ["features", "classes"]])
def test_layers_frozen_after_training_keep_their_averages(frozen):
    gan = make(averaging_rate=0.1)
    fit(gan)
    expected = gan.predict(X, verbose=0)
    for name in frozen:
        gan.discriminator.get_layer(name).trainable = False
    np.testing.assert_array_equal(gan.predict(X, verbose=0), expected)
    np.testing.assert_allclose(gan.classifier.predict(X, verbose=0), expected, rtol=1e-6)


@pytest.mark.parametrize("first", [True, False])
def test_a_layer_that_is_frozen_or_no_longer_is_saved_with_its_average(first, tmp_path):
    gan = make(averaging_rate=0.1, historical_averaging_weight=0.5)
    layer = gan.discriminator.get_layer("features")
    layer.trainable = first
    gan = SemiSupervisedGAN(
        gan.discriminator, gan.generator, averaging_rate=0.1, historical_averaging_weight=0.5
    )
    gan.compile(0.01)
    fit(gan)
    layer.trainable = not first
    gan.compile(0.01)
    fit(gan)
    kernel = next(v for v in layer.variables if "kernel" in v.path)
    assert kernel.path in {v.path for v in gan.average.parameters}
    gan.save(tmp_path / "gan.keras")
    loaded = load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), gan.predict(X, verbose=0))
    assert fit(loaded).history == fit(gan).history


def test_what_a_normalization_learned_is_in_the_classifier_too():
    normalization = keras.layers.Normalization()
    normalization.adapt(5.0 * X + 3.0)
    images = keras.Input(small_gan.SHAPE)
    x = keras.layers.Flatten()(normalization(images))
    x = keras.layers.Dense(8, "relu", name="features")(x)
    gan = SemiSupervisedGAN(
        keras.Model(images, keras.layers.Dense(3)(x)), small_gan.make_generator()
    )
    expected = gan.predict(X, verbose=0)
    np.testing.assert_allclose(gan.classifier.predict(X, verbose=0), expected, rtol=1e-5)
    assert np.ptp(expected) > 0.1


def test_a_discriminator_may_have_a_layer_that_no_name_leads_to():
    class Doubled(keras.layers.Layer):  # not registered, and known in this test alone
        def call(self, inputs):
            return 2.0 * inputs

    small = small_gan.make_discriminator()
    discriminator = keras.Model(small.input, Doubled()(small.output))
    gan = SemiSupervisedGAN(discriminator, small_gan.make_generator(), feature_layer="features")
    gan.compile()
    fit(gan)
    logits = gan.classifier.predict(X, verbose=0)
    np.testing.assert_allclose(logits, gan.predict(X, verbose=0), rtol=1e-6)


# --- coupled examples ------------------------------------------------------------------------


def test_with_minibatch_discrimination_images_are_tested_in_batches_of_training():
    gan = make(coupled=True)
    x, y = make_images(15, seed=1)
    history = fit(gan, validation_data=(x, y)).history
    logits = gan.predict(x, verbose=0)
    whole = gan.classifier(x[:BATCH], training=False)
    np.testing.assert_allclose(logits[:BATCH], whole, rtol=1e-5, atol=1e-6)
    last = gan.classifier(x[-BATCH:], training=False)
    np.testing.assert_allclose(logits[-3:], last[-3:], rtol=1e-5, atol=1e-6)
    accuracy = np.mean(np.argmax(logits, 1) == y)
    tested = gan.evaluate(x, y, verbose=0)
    assert tested[1] == pytest.approx(accuracy)
    np.testing.assert_allclose([history["val_loss"][0], history["val_accuracy"][0]], tested)
    with pytest.raises(ValueError, match=r"at least one batch.*Received: 5 images, batch_size=6"):
        gan.predict(x[:5], verbose=0)


def test_in_batches_of_training_too_a_prediction_has_its_steps_and_callbacks():
    gan = make(coupled=True)
    x, _ = make_images(15, seed=1)
    fit(gan)
    heard = []
    callback = keras.callbacks.LambdaCallback()
    callback.on_predict_begin = lambda logs=None: heard.append("begin")
    callback.on_predict_end = lambda logs=None: heard.append("end")
    logits = gan.predict(x, verbose=0, callbacks=[callback])
    assert heard == ["begin", "end"]
    assert logits.shape == (15, small_gan.CLASSES)
    for steps, count in ((1, BATCH), (2, 2 * BATCH), (3, 15)):
        np.testing.assert_array_equal(gan.predict(x, verbose=0, steps=steps), logits[:count])
    np.testing.assert_allclose(
        gan.predict(x[: 2 * BATCH], verbose=0), logits[: 2 * BATCH], rtol=1e-5, atol=1e-6
    )


@keras.saving.register_keras_serializable(package="tests")
class MeanOfTheBatch(keras.layers.Layer):
    """A layer of one's own, whose output for an image depends on the others."""

    def call(self, x):
        return x - keras.ops.mean(x, axis=0, keepdims=True)


def test_a_layer_of_ones_own_may_couple_the_images_of_a_batch(tmp_path):
    images = keras.Input(small_gan.SHAPE)
    x = keras.layers.Dense(8, name="features")(keras.layers.Flatten()(images))
    discriminator = keras.Model(images, keras.layers.Dense(3)(MeanOfTheBatch()(x)))
    for told in (None, True):
        gan = SemiSupervisedGAN(
            discriminator, small_gan.make_generator(), couples_examples=told, averaging_rate=0.0
        )
        gan.compile()
        passed = []
        gan._game.discriminator = lambda x, training, passed=passed: (
            passed.append(len(x)) or {"logits": tf.zeros((len(x), 3))}
        )
        gan._game._logits(*[tf.zeros((BATCH, *small_gan.SHAPE))] * 3)
        assert passed == ([BATCH] * 3 if told else [3 * BATCH])
    gan = SemiSupervisedGAN(discriminator, small_gan.make_generator(), couples_examples=True)
    gan.compile()
    fit(gan)
    gan.save(tmp_path / "gan.keras")
    loaded = load_model(tmp_path / "gan.keras")
    with pytest.raises(ValueError, match=r"at least one batch.*Received: 5 images, batch_size=6"):
        loaded.predict(X[:5], verbose=0)
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), gan.predict(X, verbose=0))


def test_a_test_set_sorted_by_class_is_evaluated_in_mixed_batches():
    gan = make(coupled=True)
    x, y = make_images(18, seed=1)
    fit(gan)
    order = np.argsort(y, kind="stable")
    x, y = x[order], y[order]
    rows = mixed_order(y)
    logits = gan.predict(x[rows], verbose=0)
    expected = keras.losses.sparse_categorical_crossentropy(y[rows], logits, from_logits=True)
    tested = gan.evaluate(x, y, verbose=0)
    assert tested[0] == pytest.approx(np.mean(expected), rel=1e-5)
    sorted_logits = gan.predict(x, verbose=0)
    of_sorted = keras.losses.sparse_categorical_crossentropy(y, sorted_logits, from_logits=True)
    assert tested[0] != pytest.approx(np.mean(of_sorted), rel=1e-5)
    weights = np.linspace(0.1, 2.0, len(y)).astype("float32")
    weighted = gan.evaluate(x, y, sample_weight=weights, verbose=0)
    right = np.argmax(logits, axis=-1) == y[rows]
    expected = np.average(right, weights=weights[rows])
    assert weighted[1] == pytest.approx(expected, rel=1e-5)


def test_in_batches_of_training_too_a_test_has_its_steps_weights_and_callbacks():
    gan = make(coupled=True)
    x, y = make_images(18, seed=1)
    heard = []
    callback = keras.callbacks.LambdaCallback()
    callback.on_test_begin = lambda logs=None: heard.append("begin")
    callback.on_test_end = lambda logs=None: heard.append(sorted(logs))
    history = fit(gan, validation_data=(x, y), validation_steps=2, callbacks=[callback]).history
    assert heard == ["begin", ["accuracy", "loss"]]
    first = gan.evaluate(x[: 2 * BATCH], y[: 2 * BATCH], verbose=0)
    np.testing.assert_allclose([history["val_loss"][0], history["val_accuracy"][0]], first)
    np.testing.assert_allclose(gan.evaluate(x, y, steps=2, verbose=0), first)
    weights = np.repeat([1.0, 0.0], [2 * BATCH, 18 - 2 * BATCH])
    np.testing.assert_allclose(
        gan.evaluate(x, y, sample_weight=weights, callbacks=[callback], verbose=0)[1], first[1]
    )
    assert len(heard) == 4


# --- generated images --------------------------------------------------------------------------


def test_generated_images_are_other_ones_at_every_call_or_those_of_a_seed():
    gan = make()
    assert gan.generate(16).shape == (16, *small_gan.SHAPE)
    assert not np.array_equal(gan.generate(2), gan.generate(2))
    np.testing.assert_array_equal(gan.generate(120, seed=5)[:7], gan.generate(7, seed=5))
    images = gan.generate(120)
    assert images.shape == (120, *small_gan.SHAPE)
    assert np.abs(images).max() <= 1.0


# --- saving and continuing ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [{"historical_averaging_weight": 0.5, "virtual": True}, {"coupled": True}],
    ids=["every memory", "minibatch discrimination"],
)
def test_training_goes_on_after_loading_as_if_it_had_not_stopped(settings, tmp_path):
    uninterrupted, stopped = make(**settings), make(**settings)
    fit(uninterrupted, epochs=3)
    fit(stopped, epochs=2)
    stopped.save(tmp_path / "gan.keras")
    loaded = load_model(tmp_path / "gan.keras")
    assert_equal_states(state(loaded), state(stopped))
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), stopped.predict(X, verbose=0))
    fit(loaded, epochs=1)
    assert_equal_states(state(loaded), state(uninterrupted))


@pytest.mark.parametrize(
    "settings",
    [{"historical_averaging_weight": 0.5, "virtual": True}, {"coupled": True}],
    ids=["every memory", "minibatch discrimination"],
)
def test_training_goes_on_in_float64_while_keras_has_float32(settings, tmp_path):
    with numerics.float64():
        uninterrupted, stopped = make(**settings), make(**settings)
        fit(uninterrupted, epochs=2)
        images = uninterrupted.generate(3, seed=5)
        fit(stopped)
        stopped.save(tmp_path / "gan.keras")
    assert keras.config.floatx() == "float32"
    loaded = load_model(tmp_path / "gan.keras")
    fit(loaded)
    found, expected = state(loaded), state(uninterrupted)
    assert found.keys() == expected.keys()
    for name, value in found.items():  # not to the bit: Keras has the learning rate in float32
        np.testing.assert_allclose(value, expected[name], rtol=1e-3, atol=1e-4, err_msg=name)
    assert loaded.predict(X, verbose=0).dtype == np.float64
    np.testing.assert_allclose(loaded.generate(3, seed=5), images, atol=1e-4)


def test_pipelines_train_float64_players_while_keras_has_float32():
    with numerics.float64():
        gan = make()
    labeled = tf.data.Dataset.from_tensor_slices(FEW).batch(BATCH, drop_remainder=True)
    unlabeled = tf.data.Dataset.from_tensor_slices(X).batch(BATCH, drop_remainder=True)
    fit(gan, labeled=labeled, unlabeled=unlabeled, batch_size=None)
    assert int(gan.steps) == 5


@pytest.mark.parametrize("step_by_step", [False, True])
def test_a_sequential_discriminator_is_loaded_and_trained_on(step_by_step, tmp_path):
    def make_one():
        layers = [
            keras.Input(small_gan.SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(8, "relu", kernel_initializer=small_gan.normal(1), name="features"),
            keras.layers.Dense(3, kernel_initializer=small_gan.normal(2)),
        ]
        discriminator = keras.Sequential(None if step_by_step else layers)
        for layer in layers if step_by_step else ():
            discriminator.add(layer)  # calls all layers anew
        gan = small_gan.SemiSupervisedGAN(discriminator, small_gan.make_generator(), seed=4)
        gan.compile(learning_rate=0.01)
        return gan

    uninterrupted, stopped = make_one(), make_one()
    fit(uninterrupted, epochs=2)
    fit(stopped)
    stopped.save(tmp_path / "gan.keras")
    loaded = load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), stopped.predict(X, verbose=0))
    np.testing.assert_array_equal(loaded.classifier(X), stopped.classifier(X))
    fit(loaded)
    assert_equal_states(state(loaded), state(uninterrupted))


def test_layers_that_share_a_generator_are_refused():
    """A file has one state for each layer, so that such a model could not be loaded."""
    seed = keras.random.SeedGenerator(9)
    z = keras.Input((small_gan.NOISE,))
    noisy = keras.Sequential([GaussianNoise(0.1, seed=seed, name=n) for n in ("one", "other")])
    generator = keras.Model(z, small_gan.make_generator()(noisy(z)))
    with pytest.raises(ValueError, match=r"layers '(one|other)' and '(one|other)' share one"):
        small_gan.SemiSupervisedGAN(small_gan.make_discriminator(), generator)


def test_one_layer_in_two_places_has_one_generator():
    noise = GaussianNoise(0.1, seed=9)
    z = keras.Input((small_gan.NOISE,))
    generator = keras.Model(z, small_gan.make_generator()(noise(noise(z))))
    small_gan.SemiSupervisedGAN(small_gan.make_discriminator(), generator)


def test_images_after_loading_are_other_ones_than_before(tmp_path):
    gan = make()
    gan.generate(120)
    gan.save(tmp_path / "gan.keras")
    loaded = load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(loaded.generate(3), gan.generate(3))


def test_a_file_without_its_optimizers_still_holds_the_average(tmp_path):
    gan = make(averaging_rate=0.1)
    fit(gan)
    gan.save(tmp_path / "gan.keras")
    loaded = load_model(tmp_path / "gan.keras", compile=False)
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), gan.predict(X, verbose=0))
    for name, value in gan.get_config().items():
        assert name in ("discriminator", "generator") or loaded.get_config()[name] == value


def test_a_file_holds_the_discriminator_once(tmp_path):
    gan = make()
    gan.save_weights(tmp_path / "gan.weights.h5")
    assert "classifier" not in dir(gan)
    assert {"discriminator", "generator", "average"} <= set(dir(gan))


def test_the_optimizers_and_their_arguments_come_back(tmp_path):
    gan = make(compiled=False)
    gan.compile(
        discriminator_optimizer=keras.optimizers.SGD(0.02, momentum=0.5),
        generator_optimizer=keras.optimizers.RMSprop(0.01),
        metrics=["sparse_top_k_categorical_accuracy"],
        steps_per_execution=2,
    )
    fit(gan)
    gan.save(tmp_path / "gan.keras")
    loaded = load_model(tmp_path / "gan.keras")
    assert isinstance(loaded.optimizer, keras.optimizers.SGD)
    assert isinstance(loaded.generator_optimizer, keras.optimizers.RMSprop)
    assert loaded.steps_per_execution == 2
    assert "sparse_top_k_categorical_accuracy" in loaded.evaluate(X, Y, verbose=0, return_dict=True)
    fit(gan)
    fit(loaded)
    assert_equal_states(state(loaded), state(gan))


# --- Keras's callbacks ---------------------------------------------------------------------------


def test_a_scheduler_of_the_learning_rate_reaches_both_players():
    rates = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: rates.append(
            (float(gan.optimizer.learning_rate), float(gan.generator_optimizer.learning_rate))
        )
    )
    gan = make(compiled=False)
    gan.compile(
        discriminator_optimizer=keras.optimizers.SGD(0.02),
        generator_optimizer=keras.optimizers.SGD(0.01),
    )
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.4 / 2**epoch)
    history = fit(gan, epochs=2, callbacks=[schedule, watch]).history
    assert rates[0] == pytest.approx((0.4, 0.2))
    assert rates[-1] == pytest.approx((0.2, 0.1))
    np.testing.assert_allclose(history["learning_rate"], [0.4, 0.2])


def test_a_rate_that_is_set_before_a_step_reaches_both_players():
    gan = make(compiled=False)
    gan.compile(
        discriminator_optimizer=keras.optimizers.SGD(0.02),
        generator_optimizer=keras.optimizers.SGD(0.01),
    )
    warm_up = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: setattr(gan.optimizer, "learning_rate", 0.004)
    )
    fit(gan, callbacks=[warm_up])
    assert float(gan.generator_optimizer.learning_rate) == pytest.approx(0.002)


def test_the_factor_between_the_rates_is_saved_while_both_are_zero(tmp_path):
    gan = make(compiled=False)
    gan.compile(
        discriminator_optimizer=keras.optimizers.SGD(0.02),
        generator_optimizer=keras.optimizers.SGD(0.01),
    )
    gan.optimizer.learning_rate = 0.0
    fit(gan)
    assert float(gan.generator_optimizer.learning_rate) == 0.0
    gan.save(tmp_path / "gan.keras")
    loaded = load_model(tmp_path / "gan.keras")
    loaded.optimizer.learning_rate = 0.4
    fit(loaded)
    assert float(loaded.generator_optimizer.learning_rate) == pytest.approx(0.2)


def test_averages_of_the_optimizers_are_in_both_players_after_a_fit():
    gan = make(compiled=False)
    gan.compile(
        discriminator_optimizer=keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9),
        generator_optimizer=keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9),
    )
    fit(gan)
    for player, optimizer in (
        (gan.discriminator, gan.optimizer),
        (gan.generator, gan.generator_optimizer),
    ):
        averages = optimizer._model_variables_moving_average
        for variable, average in zip(player.trainable_variables, averages, strict=True):
            np.testing.assert_array_equal(numerics.to_numpy(variable), numerics.to_numpy(average))


def test_it_is_exported_without_saying_what_images_are(tmp_path):
    gan = make()
    fit(gan)
    gan.export(tmp_path / "served", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "served"))
    found = served.serve(X[:5]).numpy()
    np.testing.assert_allclose(found, gan.predict(X[:5], verbose=0), rtol=1e-5, atol=1e-6)


class Batches(keras.utils.PyDataset):
    """The images in batches of ten."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(10 * index, 10 * index + 10)
        return X[rows], Y[rows]


def test_keras_own_data_sets_are_predicted_and_evaluated():
    gan = make()
    fit(gan)
    expected = gan.predict(X, verbose=0)
    np.testing.assert_allclose(gan.predict(Batches(), verbose=0), expected, rtol=1e-5, atol=1e-6)
    results = gan.evaluate(Batches(), verbose=0)
    np.testing.assert_allclose(results, gan.evaluate(X, Y, verbose=0), rtol=1e-5)
    generator = (Batches()[i] for i in range(len(Batches())))
    np.testing.assert_allclose(gan.evaluate(generator, steps=3, verbose=0), results, rtol=1e-5)
    with pytest.raises(ValueError, match=r"depend on the batch\. Received: a Batches"):
        make(coupled=True).predict(Batches(), verbose=0)
    with pytest.raises(ValueError, match=r"depend on the batch\. Received: a Batches"):
        make(coupled=True).evaluate(Batches(), verbose=0)
    with pytest.raises(ValueError, match=r"depend on the batch\. Received: a generator"):
        make(coupled=True).evaluate((Batches()[i] for i in range(3)), verbose=0)


def test_a_player_that_stands_still_leaves_the_other_its_learning_rate():
    gan = make(compiled=False)
    gan.compile(
        discriminator_optimizer=keras.optimizers.SGD(0.0),
        generator_optimizer=keras.optimizers.SGD(0.5),
    )
    before = [np.array(v) for v in gan.generator.trainable_variables]
    fit(gan)
    assert float(gan.generator_optimizer.learning_rate) == 0.5
    assert not np.array_equal(before[0], gan.generator.trainable_variables[0])


def test_learning_rate_schedules_are_left_alone():
    gan = make(compiled=False)
    gan.compile(learning_rate=keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5))
    fit(gan, epochs=2)
    for optimizer in (gan.optimizer, gan.generator_optimizer):
        assert float(optimizer.learning_rate) == pytest.approx(0.025)


def test_an_interrupted_fit_is_restored_by_keras(tmp_path):
    def stop(epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    uninterrupted, stopped, restored = make(), make(), make()
    fit(uninterrupted, epochs=3)
    folder = str(tmp_path / "backup")
    backup = [keras.callbacks.BackupAndRestore(folder)]
    with pytest.raises(KeyboardInterrupt):
        fit(stopped, 3, callbacks=[*backup, keras.callbacks.LambdaCallback(on_epoch_end=stop)])
    history = fit(restored, 3, callbacks=[keras.callbacks.BackupAndRestore(folder)])
    assert history.epoch == [2]
    assert_equal_states(state(restored), state(uninterrupted))


def test_early_stopping_and_checkpoints_watch_the_validation(tmp_path):
    gan = make(averaging_rate=0.1)
    path = tmp_path / "best.keras"
    callbacks = [
        keras.callbacks.EarlyStopping("val_accuracy", patience=3, restore_best_weights=True),
        keras.callbacks.ModelCheckpoint(path, "val_accuracy", save_best_only=True),
        keras.callbacks.TensorBoard(tmp_path / "logs", update_freq="epoch"),
        keras.callbacks.TerminateOnNaN(),
    ]
    history = fit(gan, 40, callbacks=callbacks, validation_data=(X, Y)).history
    assert len(history["val_accuracy"]) < 40
    best = max(history["val_accuracy"])
    assert gan.evaluate(X, Y, verbose=0)[1] == pytest.approx(best)
    assert load_model(path).evaluate(X, Y, verbose=0)[1] == pytest.approx(best)
    assert list((tmp_path / "logs" / "train").iterdir())


# --- other ways to run the step ------------------------------------------------------------------


def test_several_steps_in_one_execution_are_the_same_steps():
    one, several = make(), make(compiled=False)
    several.compile(learning_rate=0.01, steps_per_execution=5)
    for gan in (one, several):
        fit(gan, epochs=2)
    assert_equal_states(state(one), state(several))


def test_the_eager_step_agrees():
    graph, eager = make(), make(compiled=False)
    eager.compile(learning_rate=0.01, run_eagerly=True)
    found = [fit(gan).history for gan in (graph, eager)]
    for name, values in found[0].items():
        np.testing.assert_allclose(values, found[1][name], rtol=1e-3)


def test_the_step_compiles_with_xla():
    gan = make(jit_compile=True, averaging_rate=0.1)
    history = fit(gan, epochs=20, validation_data=(X, Y)).history
    assert np.isfinite([v for values in history.values() for v in values]).all()
    assert history["supervised_loss"][-1] < history["supervised_loss"][0]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_trains_and_goes_on_after_loading(policy, tmp_path):
    with precision.computing_in(policy):
        gan = make(averaging_rate=0.05)
        history = fit(gan, epochs=30).history
        assert history["supervised_loss"][-1] < 0.5 * history["supervised_loss"][0]
        assert {v.dtype for v in gan.trainable_variables} == {"float32"}
        gan.save(tmp_path / "gan.keras")
        loaded = load_model(tmp_path / "gan.keras")
        fit(gan)
        fit(loaded)
    assert_equal_states(state(loaded), state(gan))


@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_float16_trains_the_opponent_of_a_player_that_is_frozen_whole(player):
    with precision.computing_in("mixed_float16"):
        gan = make()
        getattr(gan, player).trainable = False
        gan.compile(0.01)
        before = [np.array(v) for v in gan.trainable_variables]
        fit(gan)
    assert before
    assert not np.array_equal(before[-1], np.array(gan.trainable_variables[-1]))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_goes_on_in_a_program_with_another_policy(policy, tmp_path):
    with precision.computing_in(policy):
        gan = make(averaging_rate=0.05)
        fit(gan, epochs=2)
        gan.save(tmp_path / "gan.keras")
        fit(gan)
    loaded = load_model(tmp_path / "gan.keras")
    fit(loaded)
    assert_equal_states(state(loaded), state(gan))


def test_the_average_is_divided_by_the_weight_of_the_steps_that_float16_has_made(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(loss_scale, "INITIAL_SCALE", 2.0**28)
    with precision.computing_in("mixed_float16"):
        gan = make()
        gan.compile(learning_rate=0.0)
        fit(gan, epochs=4)
        assert 0 < int(gan.optimizer.iterations) < int(gan.steps)  # some were undone
        gan.save(tmp_path / "gan.keras")
        classifiers = gan.classifier, load_model(tmp_path / "gan.keras").classifier
    for classifier in classifiers:
        for tested, variable in zip(
            classifier.trainable_variables, gan.discriminator.trainable_variables, strict=True
        ):
            np.testing.assert_allclose(np.array(tested), np.array(variable), rtol=1e-4)


def test_a_file_of_an_earlier_version_counts_all_steps_alike(tmp_path, monkeypatch):
    gan = make(averaging_rate=0.1)
    fit(gan)
    own_state = gan._own_state()
    del own_state["averaged_steps"]
    monkeypatch.setattr(gan, "_own_state", lambda: own_state, raising=True)
    gan.save(tmp_path / "gan.keras")
    loaded = load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), gan.predict(X, verbose=0))


def test_pipelines_of_ones_own_are_trained_on():
    labeled = tf.data.Dataset.from_tensor_slices(FEW).shuffle(12, seed=1).repeat()
    labeled = labeled.batch(BATCH, drop_remainder=True)
    unlabeled = tf.data.Dataset.from_tensor_slices(X).batch(BATCH, drop_remainder=True)
    test = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
    gan = make(averaging_rate=0.05)
    history = fit(
        gan, 20, labeled=labeled, unlabeled=unlabeled, batch_size=None, validation_data=test
    ).history
    assert int(gan.steps) == 100
    assert history["val_accuracy"][-1] > 0.5  # by chance a third
    assert gan.predict(test.map(lambda x, y: x), verbose=0).shape == (30, 3)
    np.testing.assert_allclose(
        gan.evaluate(test, verbose=0), gan.evaluate(X, Y, verbose=0), rtol=1e-5
    )


def test_a_pipeline_without_end_has_epochs_of_the_steps_that_are_asked_for():
    labeled = tf.data.Dataset.from_tensor_slices(FEW).repeat().batch(BATCH, drop_remainder=True)
    unlabeled = tf.data.Dataset.from_tensor_slices(X).repeat().batch(BATCH, drop_remainder=True)
    data = {"labeled": labeled, "unlabeled": unlabeled, "batch_size": None}
    gan = make()
    fit(gan, 2, steps_per_epoch=3, **data)
    assert int(gan.steps) == 6
    with pytest.raises(ValueError, match="needs `steps_per_epoch`"):
        fit(gan, **data)


@pytest.mark.parametrize("supervised_only", [False, True])
def test_a_labeled_pipeline_does_not_begin_anew_when_the_unlabeled_one_does(supervised_only):
    numbered = np.arange(60, dtype="float32")[:, None, None, None] * np.ones_like(X[:1])
    labels = np.arange(60) % 3
    labeled = tf.data.Dataset.from_tensor_slices((numbered / 30 - 1, labels))
    labeled = labeled.batch(BATCH, drop_remainder=True)  # 60 / BATCH batches
    unlabeled = tf.data.Dataset.from_tensor_slices(X[: 2 * BATCH]).batch(BATCH, drop_remainder=True)
    seen = []

    class Recording(SemiSupervisedGAN):
        def train_step(self, data):
            seen.append(round(30 * float(data[0][0, 0, 0, 0] + 1)))
            return super().train_step(data)

    parts = make(supervised_only=supervised_only)
    gan = Recording(parts.discriminator, parts.generator, supervised_only=supervised_only)
    gan.compile(0.001, run_eagerly=True)
    data = {"labeled": labeled, "unlabeled": None if supervised_only else unlabeled}
    gan.fit(**data, steps_per_epoch=60 // BATCH + 1, verbose=0)
    assert seen == [*range(0, 60, BATCH), 0]
    # Nor with epochs as long as the unlabeled images, of which there are two batches.
    seen.clear()
    epochs = 1 if supervised_only else 5
    gan.fit(**data, epochs=epochs, verbose=0)
    assert seen == [*range(0, 60, BATCH)]


def test_a_pipeline_for_the_baseline():
    labeled = tf.data.Dataset.from_tensor_slices(FEW).batch(BATCH, drop_remainder=True)
    unlabeled = tf.data.Dataset.from_tensor_slices(X).batch(BATCH, drop_remainder=True)
    for given, steps in ((None, 2), (unlabeled, 5)):
        gan = make(supervised_only=True)
        fit(gan, labeled=labeled, unlabeled=given, batch_size=None)
        assert int(gan.steps) == steps

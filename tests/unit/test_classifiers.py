"""Classifiers behind one interface: what they compute, what they say they are, what is refused."""

import hashlib
import json

import keras
import numpy as np
import pytest

from improved_gan_tf import layers, networks
from improved_gan_tf.data import tfds_folders
from improved_gan_tf.errors import UserError
from improved_gan_tf.scoring import classifiers
from improved_gan_tf.scoring.classifiers import KerasClassifier, KerasInceptionV3
from improved_gan_tf.scoring.frozen_inception import FrozenInception
from tests.support.frozen_graphs import small_inception


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def random_images(count=5, shape=(4, 4, 1)):
    return np.random.RandomState(0).randint(0, 256, (count, *shape)).astype("uint8")


def save_linear(path, shape=(4, 4, 1), outputs="dict", classes=3):
    """A linear classifier with features = pixels; returns its weights."""
    images = keras.Input(shape)
    features = keras.layers.Flatten()(images)
    dense = keras.layers.Dense(classes)
    logits = dense(features)
    made = {
        "dict": {"logits": logits, "features": features},
        "logits": logits,
        "probabilities": keras.layers.Softmax()(logits),
    }[outputs]
    keras.Model(images, made).save(path)
    return keras.ops.convert_to_numpy(dense.kernel)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("outputs", ["dict", "logits", "probabilities", "mean of probabilities"])
def test_a_classifier_in_half_precision_gives_probabilities_in_float32(tmp_path, dtype, outputs):
    images = keras.Input((4, 4, 1))
    features = keras.layers.Flatten(dtype=dtype)(images)
    logits = keras.layers.Dense(10, dtype=dtype, kernel_initializer="glorot_normal")(features)
    softmaxed = keras.layers.Softmax(dtype=dtype)(logits)
    made = {
        "dict": {"logits": logits, "features": features},
        "logits": logits,
        "probabilities": softmaxed,
        "mean of probabilities": keras.layers.Average(dtype=dtype)([softmaxed, softmaxed]),
    }[outputs]
    keras.Model(images, made).save(tmp_path / "half.keras")
    classifier = KerasClassifier(tmp_path / "half.keras", (0, 1))
    probabilities, features = classifier.classify(random_images(500))
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)
    assert probabilities.std(axis=0).min() > 0.01
    assert features is None or features.dtype == np.float32


def test_numbers_that_sum_to_one_and_are_negative_are_no_probabilities(tmp_path):
    images = keras.Input((4, 4, 1))
    brightness = keras.layers.GlobalAveragePooling2D()(images)
    outputs = keras.layers.Concatenate()([1.5 + 0.0 * brightness, -0.5 + 0.0 * brightness])
    keras.Model(images, outputs).save(tmp_path / "sum.keras")
    probabilities, _ = KerasClassifier(tmp_path / "sum.keras", (0, 1)).classify(random_images(2))
    np.testing.assert_allclose(probabilities, softmax(np.array([[1.5, -0.5]] * 2)), rtol=1e-5)


# --- any Keras classifier ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pixel_range", "scaled"),
    [((0, 255), lambda x: x), ((0, 1), lambda x: x / 255), ((-1, 1), lambda x: x / 127.5 - 1)],
)
@pytest.mark.parametrize("outputs", ["dict", "logits", "probabilities"])
def test_a_keras_classifier_gives_softmaxed_logits_of_scaled_pixels(
    tmp_path, outputs, pixel_range, scaled
):
    path = tmp_path / "linear.keras"
    kernel = save_linear(path, outputs=outputs)
    classifier = KerasClassifier(path, pixel_range)
    images = random_images()
    probabilities, features = classifier.classify(images)
    pixels = scaled(images.reshape(5, 16).astype("float64"))
    np.testing.assert_allclose(probabilities, softmax(pixels @ kernel), atol=1e-4)
    if outputs == "dict":
        np.testing.assert_allclose(features, pixels, rtol=1e-5, atol=1e-6)
        assert classifier.num_features == 16
    else:
        assert features is None
        assert classifier.num_features is None
    assert classifier.num_classes == 3
    assert classifier.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert classifier.label == "linear.keras"


def output_of(ending, logits):
    """What a model makes of `logits` in the end."""
    halves = [keras.layers.Rescaling(scale)(logits) for scale in (0.5, 1.5)]
    return {
        "linear": lambda: logits,
        "softmax activation": lambda: keras.layers.Activation("softmax")(logits),
        "keras.ops": lambda: keras.ops.softmax(logits),
        "dense of softmax": lambda: keras.layers.Dense(3, "softmax", kernel_initializer="identity")(
            logits
        ),
        "cast": lambda: keras.layers.Activation("linear")(keras.ops.softmax(logits)),
        "layer as activation": lambda: keras.layers.Activation(keras.layers.Softmax())(logits),
        "function as activation": lambda: keras.layers.Activation(keras.ops.softmax)(logits),
        "nested": lambda: keras.Sequential([keras.layers.Softmax()])(logits),
        "mean of logits": lambda: keras.layers.Average()(halves),
        "mean of softmaxes": lambda: keras.layers.Average()([keras.ops.softmax(h) for h in halves]),
    }[ending]()


@pytest.mark.parametrize(
    ("ending", "is_probabilities"),
    [
        ("linear", False),
        ("softmax activation", True),
        ("keras.ops", True),
        ("dense of softmax", True),
        ("cast", True),
        ("layer as activation", True),
        ("function as activation", True),
        ("nested", True),
        ("mean of logits", False),
        ("mean of softmaxes", True),
    ],
)
def test_all_batches_of_a_classifier_are_read_as_the_same(tmp_path, ending, is_probabilities):
    # Of a black image the logits are not negative and sum to 1, as probabilities do; of others not.
    logits = [0.5, 0.3, 0.2]
    images = keras.Input((4, 4, 1))
    dense = keras.layers.Dense(3)
    made = output_of(ending, dense(keras.layers.Flatten()(images)))
    path = tmp_path / "classifier.keras"
    dense.bias.assign(logits)
    keras.Model(images, made).save(path)
    classifier = KerasClassifier(path, (0, 1))
    assert classifier._gives_probabilities == is_probabilities
    black = np.zeros((2, 4, 4, 1), "uint8")
    expected = np.tile(softmax(np.array([logits])), (2, 1))
    if ending == "mean of softmaxes":
        halves = [softmax(scale * np.array([logits])) for scale in (0.5, 1.5)]
        expected = np.tile(np.mean(halves, axis=0), (2, 1))
    np.testing.assert_allclose(classifier.classify(black).probabilities, expected, atol=1e-6)
    mixed = classifier.classify(np.concatenate([black, random_images(3)])).probabilities
    np.testing.assert_allclose(mixed[:2], expected, atol=1e-6)
    np.testing.assert_allclose(mixed.sum(axis=1), 1.0, atol=1e-6)


@keras.saving.register_keras_serializable(package="tests")
class LogOfIts(keras.Sequential):
    def call(self, *args, **kwargs):
        return keras.ops.log(super().call(*args, **kwargs))


def test_what_a_model_computes_in_a_call_of_its_own_is_looked_at(tmp_path):
    images = keras.Input((4, 4, 1))
    dense = keras.layers.Dense(3)(keras.layers.Flatten()(images))
    nested = LogOfIts([keras.Input((3,)), keras.layers.Softmax()])
    keras.Model(images, nested(dense)).save(tmp_path / "nested.keras")
    layers = [images, keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    LogOfIts(layers).save(tmp_path / "whole.keras")
    for name in ("nested", "whole"):
        assert not KerasClassifier(tmp_path / f"{name}.keras", (0, 1))._gives_probabilities


def test_a_classifier_of_images_of_any_size_is_read_once_too(tmp_path):
    images = keras.Input((None, None, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3)(images))
    path = tmp_path / "classifier.keras"
    keras.Model(images, pooled).save(path)
    assert not KerasClassifier(path, (0, 1))._gives_probabilities


def test_a_discriminator_knows_its_pixels_from_its_run_folder(tmp_path):
    path = tmp_path / "discriminator.keras"
    model = networks.mnist_discriminator(1, 0.02)
    model.save(path)
    (tmp_path / "config.json").write_text(json.dumps({"pixels": [255.0, 0.0]}))
    classifier = classifiers.load(str(path))
    images = random_images(3, (28, 28, 1))
    expected = model(images / 255.0, training=False)
    probabilities, features = classifier.classify(images)
    expected_probabilities = softmax(keras.ops.convert_to_numpy(expected["logits"]))
    np.testing.assert_allclose(probabilities, expected_probabilities, atol=1e-5)
    np.testing.assert_allclose(features, expected["features"], atol=1e-5)
    assert classifier.label == f"discriminator {tmp_path.name}/discriminator.keras"


def test_a_trained_classifier_knows_its_pixels_and_its_data_from_its_json(tmp_path):
    path = tmp_path / "own.keras"
    kernel = save_linear(path)
    (tmp_path / "own.json").write_text(json.dumps({"kind": "classifier", "data": "digits"}))
    classifier = KerasClassifier(path)
    assert classifier.label == "own.keras, trained on digits"
    images = random_images()
    expected = softmax(images.reshape(5, 16).astype("float64") @ kernel)
    np.testing.assert_allclose(classifier.classify(images).probabilities, expected, atol=1e-4)


def test_grey_images_are_repeated_for_a_classifier_of_colour(tmp_path):
    path = tmp_path / "linear.keras"
    save_linear(path, (4, 4, 3))
    classifier = KerasClassifier(path, (0, 1))
    classifier.check_images((4, 4, 1))
    features = classifier.classify(random_images()).features.reshape(5, 4, 4, 3)
    for channel in range(3):
        np.testing.assert_allclose(features[..., channel], random_images()[..., 0] / 255, rtol=1e-6)


@pytest.mark.parametrize("shape", [(4, 5, 1), (4, 4, 3), (5, 4, 1)])
def test_images_of_another_shape_are_refused(tmp_path, shape):
    path = tmp_path / "linear.keras"
    save_linear(path)
    classifier = KerasClassifier(path, (0, 1))
    classifier.check_images((4, 4, 1))
    with pytest.raises(UserError, match=rf"takes images of shape \(4, 4, 1\)\. .* \({shape[0]}, "):
        classifier.check_images(shape)


def test_a_classifier_of_unknown_pixels_asks_for_them(tmp_path):
    save_linear(tmp_path / "linear.keras")
    with pytest.raises(UserError, match="--classifier_range 0 255, or 0 1, or -1 1"):
        KerasClassifier(tmp_path / "linear.keras")


def test_a_discriminator_with_minibatch_discrimination_is_refused(tmp_path):
    path = tmp_path / "discriminator.keras"
    model = networks.EXPERIMENTS["cifar10", "minibatch_discrimination"].discriminator(1, 0.02)
    model.save(path)
    with pytest.raises(UserError, match="its output for an image depends on the rest of the batch"):
        KerasClassifier(path, (-1, 1))


def test_a_sequential_model_is_a_classifier(tmp_path):
    parts = [keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(10)]
    keras.Sequential(parts).save(tmp_path / "model.keras")
    classifier = KerasClassifier(tmp_path / "model.keras", (-1, 1))
    assert (classifier.num_classes, classifier.num_features) == (10, None)


@pytest.mark.parametrize("layer", ["BatchStatisticsNorm", "MinibatchStdDev"])
def test_a_batch_coupled_layer_in_a_model_inside_is_found(layer, tmp_path):
    inner = keras.Sequential([keras.Input((4, 4, 3)), getattr(layers, layer)()])
    outer = [keras.Input((4, 4, 3)), inner, keras.layers.Flatten(), keras.layers.Dense(10)]
    keras.Sequential(outer).save(tmp_path / "model.keras")
    with pytest.raises(UserError, match=f"holds a {layer} layer"):
        KerasClassifier(tmp_path / "model.keras", (-1, 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda x: keras.layers.Dense(1)(keras.layers.Flatten()(x)),
            r"C of 2 or more.*\(None, 1\)",
        ),
        (lambda x: keras.layers.Conv2D(3, 1)(x), r"shape \(None, 4, 4, 3\)"),
        (lambda x: {"features": keras.layers.Flatten()(x)}, "a dict with 'logits'"),
        (lambda x: [keras.layers.Flatten()(x)] * 2, "must return one tensor"),
        (
            lambda x: {"logits": keras.layers.Flatten()(x), "features": x},
            r"'features' as one tensor \(N, A\).* Received: features of shape \(None, 4, 4, 1\)",
        ),
        (
            lambda x: {"logits": keras.layers.Flatten()(x), "features": [x, x]},
            r"Received: features of shape \(\)",
        ),
    ],
)
def test_a_model_that_is_no_classifier_is_refused(tmp_path, make, message):
    images = keras.Input((4, 4, 1))
    path = tmp_path / "model.keras"
    keras.Model(images, make(images)).save(path)
    with pytest.raises(UserError, match=message):
        KerasClassifier(path, (0, 1))


def test_a_model_that_takes_no_images_is_refused(tmp_path):
    z = keras.Input((100,))
    keras.Model(z, keras.layers.Dense(3)(z)).save(tmp_path / "model.keras")
    with pytest.raises(UserError, match=r"must take one batch of images \(N, H, W, C\)"):
        KerasClassifier(tmp_path / "model.keras", (0, 1))


# --- Keras's InceptionV3 -------------------------------------------------------------------


def tiny_inception_v3(weights):
    """Stands in for the real one, which takes seconds to build."""
    images = keras.Input((299, 299, 3))
    features = keras.layers.GlobalAveragePooling2D(name="avg_pool")(images)
    probabilities = keras.layers.Dense(5, activation="softmax")(features)
    return keras.Model(images, probabilities)


@pytest.fixture(params=["channels_last", "channels_first"])
def _data_format(request):
    before = keras.config.image_data_format()
    keras.config.set_image_data_format(request.param)
    yield
    assert keras.config.image_data_format() == request.param
    keras.config.set_image_data_format(before)


@pytest.mark.usefixtures("_data_format")
def test_inception_v3_sees_images_of_299_pixels_from_minus_one_to_one(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.applications, "InceptionV3", tiny_inception_v3)
    file = tmp_path / "weights.h5"
    file.write_bytes(b"weights")
    classifier = classifiers.load("inception_v3", file)
    images = np.full((2, 7, 9, 1), 51, "uint8")
    images[1] = 255
    probabilities, features = classifier.classify(images)
    np.testing.assert_allclose(features, [[-0.6] * 3, [1.0] * 3], atol=1e-3)
    assert probabilities.shape == (2, 5)
    assert (classifier.num_features, classifier.num_classes) == (3, 5)
    assert classifier.label == "keras.applications.InceptionV3, weights.h5"
    assert classifier.sha256 == hashlib.sha256(b"weights").hexdigest()
    classifier.check_images((7, 9, 1))
    with pytest.raises(UserError, match=r"must be grey or RGB.*Received: .*\(7, 9, 2\)\."):
        classifier.check_images((7, 9, 2))


def test_the_real_inception_v3_has_the_layers_that_are_asked_for(monkeypatch):
    network = keras.applications.InceptionV3
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda weights: network(weights=None))
    monkeypatch.setattr(tfds_folders, "network_error", lambda: None)
    classifier = KerasInceptionV3()
    assert (classifier.num_features, classifier.num_classes) == (2048, 1000)
    assert classifier.label == "keras.applications.InceptionV3, Keras's ImageNet weights"


def test_without_weights_and_network_it_says_so_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(tfds_folders, "network_error", lambda: "host: no answer")
    with pytest.raises(
        UserError, match=r"no network to download them \(host: no answer\)\. Give t"
    ):
        KerasInceptionV3()


def test_weights_that_cannot_be_read_are_explained(tmp_path, monkeypatch):
    def fails(weights):
        raise OSError("Unable to open file (file signature not found)")

    monkeypatch.setattr(keras.applications, "InceptionV3", fails)
    file = tmp_path / "weights.h5"
    file.write_bytes(b"weights")
    with pytest.raises(UserError, match=r"cannot be loaded from .*weights\.h5: Unable to open"):
        KerasInceptionV3(file)
    with pytest.raises(UserError, match=r"none\.h5 cannot be read: No such file"):
        KerasInceptionV3(tmp_path / "none.h5")


# --- by name -------------------------------------------------------------------------------


def test_a_frozen_graph_is_known_by_its_ending(tmp_path):
    path = small_inception()[0].write(tmp_path / "graph.pb")
    assert isinstance(classifiers.load(str(path)), FrozenInception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("graph.tgz",), r"must be the frozen Inception graph .* Received: graph\.tgz\."),
        (("a.keras", "w.h5"), "--weights goes with --classifier=inception_v3"),
        (("a.pb", None, (0, 1)), r"--classifier_range goes with a \.keras file"),
        (("none.keras",), r"none\.keras cannot be read: No such file"),
    ],
)
def test_what_is_no_classifier_is_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        classifiers.load(*arguments)

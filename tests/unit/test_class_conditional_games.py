"""What a class-conditional game is watched with: images, spread, collapse, singular values."""

import keras
import numpy as np
import pytest

from improved_gan_tf.data.padding import from_32_pixels, to_32_pixels
from improved_gan_tf.layers import SpectralNormConv2DTranspose, WeightNormConv2DTranspose
from improved_gan_tf.runs.health import alike_at
from improved_gan_tf.scoring import class_conditional, truncation
from improved_gan_tf.scoring.classification import Classification
from improved_gan_tf.scoring.frechet import frechet_distance
from improved_gan_tf.scoring.inception_score import inception_score
from improved_gan_tf.training.spectra import first_singular_values
from improved_gan_tf.training.spread import within_class_distance
from tests.support import noise_runs


def test_statistics_are_of_all_classes_where_a_batch_is_smaller_than_their_number(monkeypatch):
    class Generator(class_conditional.ClassConditionalGenerator):
        def __init__(self):
            self.num_classes, self._model = 10, None

    seen = []
    monkeypatch.setattr(class_conditional, "set_standing_statistics", lambda _, b: seen.extend(b))
    Generator().measure_statistics(np.zeros((4, 3)) for _ in range(5))
    expected = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 1], [2, 3, 4, 5], [6, 7, 8, 9]]
    assert [batch["labels"].tolist() for batch in seen] == expected


class ShowsLatents(class_conditional.ClassConditionalGenerator):
    """Its images are z."""

    def __init__(self, path=None, config=None):
        self.num_classes, self._z_dim, self.image_shape = 10, 3, (3,)

    def measure_statistics(self, batches):
        list(batches)

    def images(self, z, labels):
        return z


def test_an_image_does_not_depend_on_how_many_are_asked_for(monkeypatch, tmp_path):
    monkeypatch.setattr(class_conditional, "ClassConditionalGenerator", ShowsLatents)
    source = class_conditional.ClassConditionalImages(tmp_path / "run", {"dataset": "mnist"}, 1)
    fewer, more = (np.concatenate(list(source.batches(n, 50))) for n in (60, 100))
    assert (len(fewer), len(more)) == (60, 100)
    np.testing.assert_array_equal(fewer, more[:60])


def test_a_truncated_image_does_not_depend_on_how_many_are_asked_for():
    class Classifier:
        def classify(self, images):
            self.seen.extend(images.tolist())
            return Classification(np.full((len(images), 10), 0.1), None)

    real = truncation.Real(np.eye(10, 3).astype("uint8"), np.arange(10) // 2, None, "")
    of_counts = []
    for count in (60, 100):
        classifier = Classifier()
        classifier.seen = []
        settings = {"num_samples": count, "batch_size": 50, "standing": 1, "seed": 1}
        truncation.curve(ShowsLatents(), classifier, real, [0.5], **settings)
        of_counts.append(np.array(classifier.seen))
    assert np.abs(of_counts[1]).max() <= 0.5
    np.testing.assert_array_equal(of_counts[0], of_counts[1][:60])


def test_every_threshold_has_the_same_z_and_the_batches_asked_for():
    class Classifier:
        def classify(self, images):
            return Classification(np.full((len(images), 10), 0.1), None)

    counted = []

    class Counts(ShowsLatents):
        def measure_statistics(self, batches):
            counted.append(len(list(batches)))

    real = truncation.Real(np.eye(10, 3).astype("uint8"), np.arange(10) // 2, None, "")
    settings = {"num_samples": 40, "batch_size": 20, "standing": 3}
    generator = Counts()
    _, first = truncation.curve(generator, Classifier(), real, [None, None], seed=1, **settings)
    np.testing.assert_array_equal(first[0], first[1])
    assert counted == [3, 3]
    _, second = truncation.curve(generator, Classifier(), real, [None], seed=2, **settings)
    assert not np.array_equal(first[0], second[0])


def test_the_truncation_curve_compares_with_the_first_real_images_of_each_class():
    class Classifier:
        num_features = 3

        def classify(self, images):
            return Classification(None, images.reshape(len(images), -1)[:, :3].astype("float32"))

    dataset = noise_runs.images("mnist")
    real = truncation.real_images(dataset, Classifier(), 30, 7)
    np.testing.assert_array_equal(real.labels, np.arange(30) % 10)  # three of each, the first
    np.testing.assert_array_equal(real.images, dataset.train_images[:30])
    np.testing.assert_array_equal(real.features, real.images.reshape(30, -1)[:, :3])


def test_samples_are_scored_in_ten_splits_and_against_the_real_features():
    random = np.random.RandomState(0)
    probabilities = random.dirichlet(np.ones(4), 40)
    features, real_features = random.normal(size=(40, 3)), random.normal(1.0, 2.0, (50, 3))
    labels = np.arange(40) % 4
    results = [Classification(probabilities[i : i + 20], features[i : i + 20]) for i in (0, 20)]
    found = truncation.scores(results, labels, truncation.Real(None, None, real_features, ""))
    expected = inception_score(probabilities, 10)
    assert (found["score_mean"], found["score_std"]) == pytest.approx(expected)
    assert found["frechet_distance"] == pytest.approx(frechet_distance(features, real_features))
    right = probabilities.argmax(axis=1) == labels
    assert found["right_by_class"] == [np.mean(right[k::4]) for k in range(4)]


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (27, 30, 1)])
def test_images_come_back_from_32_pixels_as_they_were(shape):
    images = np.random.RandomState(0).randint(0, 256, (3, *shape)).astype("uint8")
    large = to_32_pixels(images)
    assert (large.shape, large.dtype) == ((3, 32, 32, 3), np.uint8)
    np.testing.assert_array_equal(from_32_pixels(large, shape), images)


def test_a_digit_stands_in_the_middle_of_black():
    large = to_32_pixels(np.full((1, 28, 28, 1), 7, np.uint8))
    assert large.sum() == 7 * 28 * 28 * 3
    assert np.all(large[0, 2:30, 2:30] == 7)


def test_grey_is_the_rounded_mean_of_the_channels():
    image = np.zeros((1, 32, 32, 3), np.uint8) + np.array([10, 10, 12], np.uint8)
    assert np.all(from_32_pixels(image, (28, 28, 1)) == 11)


def test_the_distance_within_classes_is_a_mean_over_pairs_then_over_classes():
    images = np.array([[0, 0], [3, 4], [10, 0], [10, 0], [10, 6], [99, 99]], np.uint8)
    labels = [0, 0, 1, 1, 1, 2]
    # Class 0: 5. Class 1: (0 + 6 + 6) / 3. Class 2 has one image.
    assert within_class_distance(images, labels) == pytest.approx((5 + 4) / 2)
    with pytest.raises(ValueError, match="two images or more"):
        within_class_distance(images[:2], [0, 1])


@pytest.mark.parametrize(
    ("spreads", "epoch"),
    [
        ([], None),
        ([0.05], None),  # one is none yet
        ([0.9, 0.05, 0.05], 1),
        ([0.9, 0.05, 0.5, 0.05], None),  # not in a row
        ([0.9, None, 0.05, None, 0.05], 2),  # evaluations in a row, whatever is between them
        ([0.1, 0.1], None),  # below, not at it
        ([0.05, 0.05, 0.9], 0),  # a recovery does not undo it
        ([None, None], None),
    ],
)
def test_samples_are_alike_at_the_first_of_two_low_evaluations(spreads, epoch):
    assert alike_at(spreads) == epoch


def test_the_first_singular_values_are_those_of_numpy_for_every_kernel_and_table():
    x = keras.Input((4, 4, 2))
    labels = keras.Input((), dtype="int32")
    y = keras.layers.Conv2D(5, 3, name="conv")(x)
    y = keras.layers.Dense(1, name="dense")(keras.layers.Flatten()(y))
    table = keras.layers.Embedding(3, 1, name="table")(labels)
    model = keras.Model([x, labels], keras.layers.Add()([y, table]))
    found = first_singular_values(model, count=3)
    assert list(found) == ["conv", "dense", "table"]
    for name, values in found.items():
        kernel = model.get_layer(name).get_weights()[0]
        expected = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[:3]
        np.testing.assert_allclose(values, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.layers.Conv2DTranspose(3, 4, name="up"),
        lambda: WeightNormConv2DTranspose(3, 4, name="up"),
        lambda: SpectralNormConv2DTranspose(3, 4, name="up"),
    ],
)
def test_a_transposed_convolution_has_a_column_for_each_output(make):
    model = keras.Sequential([keras.Input((8, 8, 6)), make()], name="model")
    ((_, values),) = first_singular_values(model, count=9).items()
    kernel = model.get_layer("up").get_weights()[0]  # (4, 4, outputs, inputs)
    matrix = kernel.transpose(0, 1, 3, 2).reshape(-1, 3)
    np.testing.assert_allclose(values, np.linalg.svd(matrix, compute_uv=False), rtol=1e-5)


def test_layers_of_one_path_are_told_apart():
    x = keras.Input((3,))
    inner = [keras.Model(x, keras.layers.Dense(3, name="dense")(x)) for _ in range(2)]
    model = keras.Model(x, inner[1](inner[0](x)))
    found = first_singular_values(model)
    assert list(found) == ["dense", "dense (2)"]
    assert found["dense"] != found["dense (2)"]

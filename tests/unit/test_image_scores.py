"""Scores of a set of images, and what keeps them out of the paper's column."""

import json

import numpy as np
import pytest

from improved_gan_tf.errors import UserError
from improved_gan_tf.scoring import image_scores, inception_check, score_text
from improved_gan_tf.scoring.classification import Classification
from improved_gan_tf.scoring.diversity import mean_pairwise_distance
from improved_gan_tf.scoring.frechet import frechet_distance
from improved_gan_tf.scoring.image_sources import ArrayImages
from improved_gan_tf.scoring.inception_score import inception_score


class PixelClassifier:
    """Sure of class (first byte mod 4); its features are the pixels."""

    kind = "keras"
    label = "pixel.keras"
    path = None
    sha256 = None
    num_classes = 4
    num_features = 3
    has_papers_size = False

    def classify(self, images):
        return Classification(
            np.eye(4, dtype="float32")[images[:, 0, 0, 0] % 4],
            images.reshape(len(images), 3).astype("float32"),
        )


def pixels(count, seed=0):
    return np.random.RandomState(seed).randint(0, 256, (count, 1, 1, 3)).astype("uint8")


def source_of(images, seed=1, dataset="cifar10", is_papers=True):
    return ArrayImages(images, seed, "pixels", dataset, is_papers)


@pytest.mark.parametrize("batch_size", [1, 7, 40, 100])
def test_every_image_is_classified_once_in_the_sources_order(batch_size):
    images = pixels(40)
    classified = image_scores.classify_all(source_of(images), PixelClassifier(), 30, batch_size)
    order = np.random.RandomState(1).permutation(40)[:30]
    np.testing.assert_array_equal(classified.features, images.reshape(40, 3)[order])
    np.testing.assert_array_equal(classified.images, images[order])
    assert classified.probabilities.shape == (30, 4)
    assert classified.description == "30 images: pixels"


def test_only_the_first_images_are_kept_for_distances(monkeypatch):
    monkeypatch.setattr(image_scores, "NUM_FOR_DISTANCE", 10)
    images = pixels(40)
    classified = image_scores.classify_all(source_of(images), PixelClassifier(), 40, 7)
    np.testing.assert_array_equal(
        classified.images, images[np.random.RandomState(1).permutation(40)[:10]]
    )


@pytest.mark.parametrize(
    ("side", "count"), [(32, 2000), (128, 2000), (512, 127), (1024, 31), (9000, 2)]
)
def test_large_images_are_compared_in_a_bounded_memory(side, count):
    assert image_scores.num_for_distance((side, side, 3)) == count


def test_only_as_many_large_images_as_their_memory_allows_are_kept(monkeypatch):
    monkeypatch.setattr(image_scores, "BYTES_FOR_DISTANCE", 20)  # six pixels of three channels
    classified = image_scores.classify_all(source_of(pixels(40)), PixelClassifier(), 40, 4)
    assert (len(classified.images), len(classified.probabilities)) == (6, 40)


def test_a_black_picture_among_others_is_none_of_a_wrong_range():
    images = np.stack([np.full((4, 4, 3), value, "uint8") for value in (0, 0, 90, 200)])

    class Source:
        description, image_shape = "four", (4, 4, 3)

        def batches(self, count, batch_size):
            for start in range(0, count, batch_size):
                yield images[start : start + batch_size]

    class Classifier:
        num_features = None

        def classify(self, batch):
            return Classification(np.full((len(batch), 2), 0.5), None)

    for batch_size in (1, 4):
        found = image_scores.classify_all(Source(), Classifier(), 4, batch_size)
        assert len(found.probabilities) == 4


def test_black_images_are_refused_as_the_original_does():
    images = np.full((20, 1, 1, 3), 10, "uint8")
    with pytest.raises(UserError, match="no byte of them is above 10"):
        image_scores.classify_all(source_of(images), PixelClassifier(), 20, 10)
    images[3] = 11
    image_scores.classify_all(source_of(images), PixelClassifier(), 20, 20)


@pytest.mark.parametrize("name", ["probabilities", "features"])
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_classifier_that_says_nan_of_an_image_is_refused_at_once(name, number):
    class Broken(PixelClassifier):
        calls = 0

        def classify(self, images):
            self.calls += 1
            result = super().classify(images)
            if self.calls == 2:
                getattr(result, name)[-1, -1] = number
            return result

    classifier = Broken()
    with pytest.raises(UserError) as caught:
        image_scores.classify_all(source_of(pixels(40)), classifier, 40, 10)
    assert str(caught.value) == (
        f"Nothing can be scored with pixel.keras: its {name} of pixels hold NaN or infinity."
    )
    assert classifier.calls == 2


def test_a_score_is_what_the_pure_functions_say_of_the_classified_images():
    classifier, these, others = PixelClassifier(), pixels(50), pixels(80, seed=1)
    classified = image_scores.classify_all(source_of(these), classifier, 50, 9)
    real = image_scores.classify_all(source_of(others), classifier, 80, 9)
    score = image_scores.score(source_of(these), classifier, classified, real, 5)
    assert (score["mean"], score["std"]) == inception_score(classified.probabilities, 5)
    assert score["frechet"]["distance"] == frechet_distance(classified.features, real.features)
    assert score["frechet"]["weights"] == "pixel.keras"
    assert score["diversity"]["mean_pairwise_distance"] == mean_pairwise_distance(classified.images)
    assert sum(score["diversity"]["class_counts"]) == 50
    # As many of the 80 real images as there are samples.
    assert score["real"]["mean"] == inception_score(real.probabilities[:50], 5).mean
    assert score["real"]["num_samples"] == 50
    assert score["real"]["diversity"]["num_for_pairwise_distance"] == 50
    first = mean_pairwise_distance(real.images[:50])
    assert score["real"]["diversity"]["mean_pairwise_distance"] == first
    assert json.loads(json.dumps(score)) == score


def test_precision_is_of_the_samples_and_recall_of_the_real_images(monkeypatch):
    real = np.random.RandomState(0).normal(size=(50, 3)).astype("float32")
    one_again = np.repeat(real[:1], 50, axis=0)  # a good image, always the same

    def classified(features):
        return image_scores.Classified("", np.ones((len(features), 1)), features, None)

    def kernel(a, b):
        return (a.astype("float64") @ b.astype("float64").T / 3 + 1) ** 3

    def of_distinct(a):
        return (kernel(a, a).sum() - np.trace(kernel(a, a))) / (50 * 49)

    found = image_scores.of_features(classified(one_again), classified(real), PixelClassifier())
    neighbours = found["neighbours"]
    assert (neighbours["precision"], neighbours["recall"]) == (1.0, 0.0)
    assert (neighbours["nearest"], neighbours["num_of_each"]) == (5, 50)
    expected = of_distinct(one_again) + of_distinct(real) - 2 * kernel(one_again, real).mean()
    np.testing.assert_allclose(found["kernel_distance"]["mean"], expected, rtol=1e-5)
    text = [row for row in score_text._rows_of_features(found) if row[0].startswith("precision")]
    assert text == [["precision, recall (5 nearest of 50)", "1.000, 0.000", ""]]
    five = image_scores.of_features(classified(one_again[:5]), classified(real), PixelClassifier())
    assert five["neighbours"] is None
    monkeypatch.setattr(image_scores, "NUM_FOR_NEIGHBOURS", 20)
    found = image_scores.of_features(classified(one_again), classified(real), PixelClassifier())
    assert found["neighbours"]["num_of_each"] == 20


def test_without_features_there_is_no_frechet_distance():
    classifier = PixelClassifier()
    classifier.num_features = None
    classified = image_scores.classify_all(source_of(pixels(20)), classifier, 20, 9)
    assert (
        image_scores.score(source_of(pixels(20)), classifier, classified, classified, 5)["frechet"]
        is None
    )


# --- beside the paper ----------------------------------------------------------------------


class FrozenGraph(PixelClassifier):
    kind = "inception_2015"
    label = "graph.pb"
    has_papers_size = True
    sha256 = "ab12"

    def __init__(self, path=None):
        self.path = path


def cifar_source(**kwargs):
    return source_of(np.zeros((2, 32, 32, 3), "uint8"), **kwargs)


def test_fifty_thousand_cifar_images_by_the_graph_of_2015_are_measured_as_the_papers():
    source, classifier = cifar_source(), FrozenGraph()
    assert image_scores.differences_from_paper(source, classifier, 50_000, 10) == []


@pytest.mark.parametrize(
    ("source", "classifier", "count", "splits", "expected"),
    [
        (cifar_source(), FrozenGraph(), 49_999, 10, "samples: 49,999 instead of 50,000"),
        (cifar_source(), FrozenGraph(), 50_000, 1, "splits: 1 instead of 10"),
        (
            cifar_source(),
            PixelClassifier(),
            50_000,
            10,
            "classifier: pixel.keras instead of the 2015 Inception graph",
        ),
        (
            cifar_source(dataset="svhn"),
            FrozenGraph(),
            50_000,
            10,
            "images: svhn instead of cifar10",
        ),
        (
            cifar_source(dataset=None),
            FrozenGraph(),
            50_000,
            10,
            "images: of an unnamed data set instead of cifar10",
        ),
        (
            source_of(pixels(2)),
            FrozenGraph(),
            50_000,
            10,
            "images: (1, 1, 3) instead of (32, 32, 3)",
        ),
        (cifar_source(is_papers=False), FrozenGraph(), 50_000, 10, "data: pixels"),
    ],
)
def test_each_difference_is_named(source, classifier, count, splits, expected):
    found = image_scores.differences_from_paper(source, classifier, count, splits)
    assert found == [expected]


def test_a_graph_of_another_size_is_named():
    classifier = FrozenGraph()
    classifier.has_papers_size = False
    found = image_scores.differences_from_paper(cifar_source(), classifier, 50_000, 10)
    assert found == ["classifier: 3 features and 4 outputs instead of 2048 and 1008"]


def score_of_real(mean):
    return {
        "images": "50,000 images",
        "mean": mean,
        "std": 0.1,
        "num_samples": 50_000,
        "num_splits": 10,
    }


@pytest.mark.parametrize("mean", [11.13, 11.24, 11.35])
def test_a_graph_that_scored_real_images_as_the_authors_did_counts_as_theirs(tmp_path, mean):
    classifier = FrozenGraph(tmp_path / "graph.pb")
    inception_check.record(classifier, score_of_real(mean))
    assert inception_check.why_unchecked(classifier) == []
    assert (tmp_path / "graph.pb.check.json").exists()


@pytest.mark.parametrize("mean", [9.8, 11.11, 11.37, float("nan")])
def test_a_graph_that_scored_them_otherwise_does_not(tmp_path, mean):
    classifier = FrozenGraph(tmp_path / "graph.pb")
    inception_check.record(classifier, score_of_real(mean))
    (why,) = inception_check.why_unchecked(classifier)
    assert why == f"weights: real CIFAR-10 scores {mean:.2f} with them, not 11.24"


def test_a_graph_that_was_not_checked_names_the_command(tmp_path):
    classifier = FrozenGraph(tmp_path / "graph.pb")
    (why,) = inception_check.why_unchecked(classifier)
    command = "python -m improved_gan_tf.score --real=cifar10 --classifier="
    assert why == f"weights: not yet checked against real CIFAR-10 ({command}{classifier.path})"
    classifier = FrozenGraph(tmp_path / "my graph.pb")
    assert f"({command}'{classifier.path}')" in inception_check.why_unchecked(classifier)[0]


def test_the_record_is_bound_to_the_file(tmp_path):
    classifier = FrozenGraph(tmp_path / "graph.pb")
    inception_check.record(classifier, score_of_real(11.24))
    classifier.sha256 = "other"
    (why,) = inception_check.why_unchecked(classifier)
    assert why.startswith("weights: graph.pb.check.json is of another graph (python -m")


@pytest.mark.parametrize("content", ["{", "[]", '{"sha256": "ab12"}', '{"sha256": 1, "mean": "x"}'])
def test_a_damaged_record_is_explained(tmp_path, content):
    classifier = FrozenGraph(tmp_path / "graph.pb")
    inception_check.record_path(classifier.path).write_text(content)
    with pytest.raises(UserError, match=r"graph\.pb\.check\.json is damaged"):
        inception_check.why_unchecked(classifier)


def test_a_classifier_that_is_not_of_2015_needs_no_check():
    assert inception_check.why_unchecked(PixelClassifier()) == []

"""Which images people are shown: half real, half generated, the best of them by a classifier."""

import json

import numpy as np
import pytest
from PIL import Image

from improved_gan_tf.data import datasets, run_data
from improved_gan_tf.data.known_sets import KNOWN_SETS
from improved_gan_tf.errors import UserError
from improved_gan_tf.runs import data_digest
from improved_gan_tf.scoring import inception_score, turing_test
from improved_gan_tf.scoring.classification import Classification
from tests.support.image_folders import write_image_folder


class Source:
    """Images that all have the number of their row in every pixel."""

    config, dataset, differences = None, None, ()
    image_shape = (4, 4, 1)
    description = "numbered images"

    def __init__(self, available=None):
        self.available = available

    def batches(self, count, batch_size):
        for start in range(0, count, batch_size):
            rows = np.arange(start, min(start + batch_size, count))
            yield np.broadcast_to(rows[:, None, None, None], (len(rows), 4, 4, 1)).astype("uint8")


class Classifier:
    """Sure of images whose number ends in 7, all classes alike; undecided about the others."""

    label, num_features = "sevens", None

    def check_images(self, image_shape):
        self.checked = image_shape

    def classify(self, images):
        number = images[:, 0, 0, 0].astype(int)
        sure = np.eye(10)[number // 10 % 10]
        return Classification(np.where((number % 10 == 7)[:, None], sure, 0.1), None)


def test_half_of_the_images_are_real_and_the_order_is_the_seeds():
    real, generated = np.zeros((30, 2, 2, 1), "uint8"), np.ones((30, 2, 2, 1), "uint8")
    images, is_generated = turing_test.mixed(real, generated, seed=1)
    np.testing.assert_array_equal(images[:, 0, 0, 0], is_generated)
    assert is_generated.sum() == 30
    assert 5 < is_generated[:30].sum() < 25
    np.testing.assert_array_equal(turing_test.mixed(real, generated, 1)[1], is_generated)
    assert (turing_test.mixed(real, generated, 2)[1] != is_generated).any()


def test_the_first_images_are_taken_across_batches():
    found = turing_test.first(Source(), 25, batch_size=10)
    assert found[:, 0, 0, 0].tolist() == list(range(25))


def test_too_few_images_are_an_error():
    with pytest.raises(UserError, match=r"A page of 60 images needs 30 of either kind.*: 29"):
        turing_test.first(Source(available=29), 30, batch_size=10)


def test_the_best_samples_are_those_that_raise_the_inception_score_most():
    found = turing_test.best(Source(), Classifier(), 6, 0.1, batch_size=25)
    assert found.num_candidates == 60
    assert found.images[:, 0, 0, 0].tolist() == [7, 17, 27, 37, 47, 57]
    assert found.classifier == "sevens"


def test_as_many_candidates_as_the_share_asks_for():
    assert turing_test.best(Source(), Classifier(), 2, 0.03, 50).num_candidates == 67
    with pytest.raises(UserError, match=r"--best=0.01 needs 200 images to choose 2 from.*: 199"):
        turing_test.best(Source(available=199), Classifier(), 2, 0.01, 50)


def test_the_parts_of_images_have_the_inception_scores_mean():
    probabilities = np.random.RandomState(0).dirichlet(np.ones(5), 40)
    parts = inception_score.divergences(probabilities)
    marginal = probabilities.mean(axis=0)
    expected = (probabilities * np.log(probabilities / marginal)).sum(axis=1)
    np.testing.assert_allclose(parts, expected, rtol=1e-12)
    assert np.exp(parts.mean()) == pytest.approx(
        inception_score.inception_score(probabilities, 1).mean
    )


# --- real images ---------------------------------------------------------------------------


def noise(name, *_):
    known = KNOWN_SETS[name]
    images = np.arange(40, dtype="uint8")[:, None, None, None] + np.zeros(
        known.image_shape, "uint8"
    )
    labels = np.zeros(40, "int32")
    halves = (images[:20], labels[:20], images[20:], labels[20:])
    return datasets.Dataset(*halves, "numbers", False, known.class_names)


def test_the_real_images_are_test_images_of_the_runs_data_set(monkeypatch):
    asked = []
    monkeypatch.setattr(datasets, "load", lambda *args: asked.append(args) or noise(*args))
    source = Source()
    source.image_shape, source.dataset = (28, 28, 1), "mnist"
    source.config = {"data_source": "sample", "data_dir": "/data"}
    real = turing_test.open_real(source, seed=1)
    assert asked == [("mnist", "sample", "/data")]
    shown = turing_test.first(real, 20, 7)[:, 0, 0, 0].tolist()
    assert sorted(shown) == list(range(20, 40)) != shown
    assert real.description == "test images of numbers"


def test_pictures_of_ones_own_are_of_no_data_set_and_that_is_a_difference(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    source = Source()
    source.dataset = "mnist"
    real = turing_test.open_real(source, seed=1, folder=tmp_path)
    assert turing_test.dataset_of(source, real) is None
    assert real.differences == [f"data: {real.description}"]


def test_a_run_on_ones_own_images_has_its_own_test_images(tmp_path, monkeypatch):
    images = np.arange(12, dtype="uint8")[:, None, None, None] + np.zeros((1, 4, 4, 1), "uint8")
    labels = np.zeros(12, "int32")
    data = datasets.Dataset(images[:2], labels[:2], images, labels, "photos", False, ("a",))
    monkeypatch.setattr(run_data, "load", lambda settings, data_dir: data)
    source = Source()
    source.dataset, source.config = "images", {"dataset": "images"}
    source.path = tmp_path / "run" / "generator.keras"
    real = turing_test.open_real(source, seed=1)
    assert sorted(turing_test.first(real, 12, 5)[:, 0, 0, 0]) == list(range(12))
    with pytest.raises(UserError, match=r"Received: `data_source=sample`"):
        turing_test.open_real(source, seed=1, data_source="sample")
    # Made as large as the generated ones, in all formats that the training read.
    for name in ("a.png", "b.bmp", "c.tif"):
        Image.new("L", (9, 7), 100).save(tmp_path / name)
    Image.fromarray(np.full((9, 7), 100 * 257, "uint16")).save(tmp_path / "d.png")
    real = turing_test.open_real(source, seed=1, folder=tmp_path)
    assert (turing_test.first(real, 4, 3) == np.full((4, 4, 4, 1), 100)).all()
    (tmp_path / "run").mkdir()
    known = {"circumstances": data_digest.data_circumstances(data)}
    (tmp_path / "run" / "result.json").write_text(json.dumps(known))
    assert turing_test.open_real(source, seed=1).available == 12
    images[3, 0, 0, 0] += 1
    with pytest.raises(
        UserError, match=r"not those of the run in .*run\. Received: photos, digest"
    ):
        turing_test.open_real(source, seed=1)


@pytest.mark.parametrize(
    ("generated", "real", "both"),
    [("mnist", "mnist", "mnist"), (None, "mnist", "mnist"), ("svhn", "cifar10", None)],
)
def test_the_data_set_of_a_page_is_that_of_both_kinds(generated, real, both):
    sources = Source(), Source()
    sources[0].dataset, sources[1].dataset = generated, real
    assert turing_test.dataset_of(*sources) == both


def test_an_unfinished_run_is_a_difference(tmp_path):
    assert turing_test.differences_of_run(tmp_path) == []
    (tmp_path / "config.json").write_text("{}")
    assert turing_test.differences_of_run(tmp_path) == ["the run has not finished"]
    for status, ended in (("interrupted", "was interrupted"), ("collapsed", "collapsed")):
        result = {
            "config": {"model": "feature_matching", "dataset": "mnist", "epochs": 300},
            "differences_from_paper": [],
            "status": status,
            "final": {"epochs": 1},
        }
        (tmp_path / "result.json").write_text(json.dumps(result))
        assert turing_test.differences_of_run(tmp_path / "generator.keras") == [
            f"the run {ended} after 1 of 300 epochs"
        ]


def test_without_a_data_set_a_folder_is_asked_for():
    with pytest.raises(UserError, match=r"--real=FOLDER, for images of an unnamed data set\."):
        turing_test.open_real(Source(), seed=1)


def test_real_images_of_another_shape_are_refused(tmp_path):
    Image.new("L", (5, 4)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"must have one shape.*\(4, 5, 1\).*\(4, 4, 1\)"):
        turing_test.open_real(Source(), seed=1, folder=tmp_path)


def test_pictures_beside_an_imagenet_run_are_made_square_as_its_training_images(tmp_path):
    write_image_folder(tmp_path)  # 12 pictures of 40 x 32 in two folders
    source = Source()
    source.image_shape, source.dataset = (32, 32, 3), "imagenet"
    real = turing_test.open_real(source, seed=1, folder=tmp_path)
    assert real.available == 12
    images = turing_test.first(real, 12, 5)
    assert (images.shape, images.dtype) == ((12, 32, 32, 3), np.uint8)
    assert np.ptp(images.mean(axis=(1, 2, 3))) > 50  # of both folders
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no pictures"):
        turing_test.open_real(source, seed=1, folder=tmp_path / "empty")


def test_a_run_of_another_game_says_so_and_not_how_it_differs_from_its_recipe(tmp_path):
    config = {"objective": "wasserstein_gp", "dataset": "mnist"}
    result = {
        "config": config,
        "differences_from_paper": ["batch_size: 16 instead of 64"],
        "status": "finished",
    }
    (tmp_path / "result.json").write_text(json.dumps(result))
    for source in (tmp_path, tmp_path / "generator.keras"):
        assert turing_test.differences_of_run(source) == ["the game is one of DCGAN's games"]
    assert turing_test.model_of(config) == "DCGAN, wasserstein_gp"
    result["config"] = {"model": "feature_matching", "dataset": "mnist"}
    (tmp_path / "result.json").write_text(json.dumps(result))
    assert turing_test.differences_of_run(tmp_path) == ["batch_size: 16 instead of 64"]
    assert turing_test.model_of(result["config"]) == "feature_matching"
    assert turing_test.model_of(None) is None

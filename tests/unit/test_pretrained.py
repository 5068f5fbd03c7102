"""The trained pair that comes with the package, and how it was made small."""

import json
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

import improved_gan_tf
from improved_gan_tf.data import datasets
from improved_gan_tf.errors import UserError
from improved_gan_tf.layers import WeightNormDense
from improved_gan_tf.runs import pretrained
from improved_gan_tf.scoring import image_sources
from tools import ship_pretrained


@pytest.fixture(scope="module")
def pair():
    return improved_gan_tf.load_pretrained("mnist")


@pytest.fixture(scope="module")
def generated(pair):
    z = np.random.RandomState(0).uniform(size=(500, 100)).astype("float32")
    return np.array(pair.generator(z, training=False))


def test_every_pair_is_a_small_run_folder():
    assert sorted(p.name for p in pretrained._FOLDERS.iterdir()) == sorted(pretrained.NAMES)
    for name in pretrained.NAMES:
        folder = pretrained.pretrained_folder(name)
        files = {path.name: path.stat().st_size for path in folder.iterdir()}
        assert set(files) == {
            *("config.json", "result.json", "generator.keras", "discriminator.keras"),
        }
        assert sum(files.values()) < 4_000_000
        result = json.loads((folder / "result.json").read_text("utf-8"))
        assert (result["status"], result["differences_from_paper"]) == ("finished", [])
        config = json.loads((folder / "config.json").read_text("utf-8"))
        assert result["config"] == config
        assert (config["data_dir"], config["run_dir"]) == (None, None)


def test_the_classifier_knows_digits_it_had_no_labels_of(pair):
    digits = datasets.load("mnist", "sample")
    images = digits.test_images.astype("float32") / 255
    logits = np.array(pair.discriminator(images, training=False)["logits"])
    wrong = np.sum(logits.argmax(axis=1) != digits.test_labels)
    # Of MNIST's own test images it gets 87 in 10,000 wrong; 1,000 images have 8.7 +- 3.
    assert wrong <= 20


def test_the_generator_draws_every_digit(pair, generated):
    assert generated.shape == (500, 28, 28, 1)
    assert generated.min() >= 0.0
    assert generated.max() <= 1.0
    assert generated.std(axis=0).mean() > 0.05  # no two z give one image
    classes = np.array(pair.discriminator(generated, training=False)["logits"]).argmax(axis=1)
    assert min(np.bincount(classes, minlength=10)) >= 5


def test_a_pair_is_a_source_of_images_to_score_or_show(generated):
    source = image_sources.open_source(pretrained.pretrained_folder("mnist"), seed=0)
    assert (source.dataset, source.image_shape) == ("mnist", (28, 28, 1))
    (images,) = source.batches(500, 500)
    np.testing.assert_allclose(images / 255, generated, atol=0.51 / 255)


def test_another_name_is_refused():
    with pytest.raises(UserError, match=r"must be one of: mnist\. Received: 'faces'"):
        improved_gan_tf.load_pretrained("faces")


# --- made small ----------------------------------------------------------------------------


def test_numbers_are_rounded_as_bfloat16_is():
    numbers = np.random.RandomState(0).normal(size=10_000).astype("float32")
    expected = tf.cast(tf.cast(numbers, tf.bfloat16), tf.float32).numpy()
    np.testing.assert_array_equal(ship_pretrained.rounded(numbers), expected)


def test_a_file_made_small_is_a_keras_file_with_rounded_matrices(tmp_path):
    model = keras.Sequential([keras.Input((60,)), WeightNormDense(50), keras.layers.Dense(3)])
    model.save(tmp_path / "whole.keras")
    ship_pretrained.compact(tmp_path / "whole.keras", tmp_path / "small.keras")
    small = improved_gan_tf.load_model(tmp_path / "small.keras")
    for before, after in zip(model.get_weights(), small.get_weights(), strict=True):
        expected = ship_pretrained.rounded(before) if before.size >= 2000 else before
        np.testing.assert_array_equal(after, expected)
    assert sum(w.size >= 2000 for w in model.get_weights()) == 1


@pytest.mark.parametrize("player", ship_pretrained.PLAYERS)
def test_the_files_name_no_argument_that_an_older_keras_refuses(player):
    file = pretrained.pretrained_folder("mnist") / f"{player}.keras"
    with zipfile.ZipFile(file) as parts:
        settings = json.loads(parts.read(ship_pretrained.SETTINGS))
    assert settings == ship_pretrained.for_older_keras(settings)


def test_a_new_argument_that_says_something_stays():
    settings = {"layers": [{"units": 3, "input_axes": None, "output_axes": 1, "bias": None}]}
    older = {"layers": [{"units": 3, "output_axes": 1, "bias": None}]}
    assert ship_pretrained.for_older_keras(settings) == older


def test_a_command_may_name_the_pair_in_place_of_a_run_folder(tmp_path):
    assert pretrained.folder_of("pretrained:mnist") == pretrained.pretrained_folder("mnist")
    assert pretrained.folder_of(tmp_path) == tmp_path
    with pytest.raises(UserError, match=r"must be one of: mnist\. Received: 'svhn'"):
        pretrained.folder_of("pretrained:svhn")
    with pytest.raises(UserError, match=r"A run folder is expected\. Received: .*none"):
        pretrained.folder_of(tmp_path / "none")


def test_the_pair_is_sampled_and_classifies_its_samples():
    run = improved_gan_tf.load_run("pretrained:mnist")
    images = run.sample(20, seed=1)
    assert (images.shape, images.dtype) == ((20, 28, 28, 1), np.uint8)
    probabilities = np.array(run.classifier(run.scaled(images)))
    assert np.mean(probabilities.max(axis=1) > 0.9) > 0.5  # most are clear digits
    assert len(set(probabilities.argmax(axis=1))) > 4


def test_a_pair_has_the_averaged_parameters_only():
    message = r"holds no discriminator_raw\.keras, only discriminator\.keras: load it with"
    with pytest.raises(UserError, match=message):
        improved_gan_tf.load_run("pretrained:mnist", "raw")

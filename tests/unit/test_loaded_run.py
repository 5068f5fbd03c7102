"""`load_run` and the commands that use a trained run: sample, classify, export."""

import csv
import dataclasses
import errno
import importlib.util
import json
import os
import shutil
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import improved_gan_tf
import run_cifar10
from improved_gan_tf import classify, export, sample
from improved_gan_tf.data.pixels import to_bytes
from improved_gan_tf.errors import UserError
from improved_gan_tf.layers import freeze_batch_statistics
from improved_gan_tf.networks.dcgan import dcgan_generator
from improved_gan_tf.runs import classification_file, exporting, loaded_run, sample_files
from improved_gan_tf.runs.frozen_generator import frozen_generator
from improved_gan_tf.scoring.image_sources import open_source
from improved_gan_tf.streams import coupled_test_order
from tests.support import noise_runs
from tests.support.commands import call_main

HAS_ONNX = all(importlib.util.find_spec(name) for name in ("onnx", "tf2onnx", "onnxruntime"))


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """A finished run on noise, with an average that has moved."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    noise_runs.run(noise_runs.settings(epochs=1, averaging_rate=0.5), folder)
    return folder


@pytest.fixture(scope="module")
def loaded(run_dir):
    return improved_gan_tf.load_run(run_dir)


DCGAN = {
    **{"dataset": "mnist", "objective": "hinge", "latent": "uniform"},
    **{"pixels": [127.5, 127.5], "seed": 1, "batch_size": 4},
}


def write_dcgan(folder):
    """The generator and settings that a run of a DCGAN's game leaves."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(DCGAN))
    dcgan_generator(1, (28, 28, 1), 1 / 64, latent_dim=5).save(folder / "generator.keras")
    return folder


def test_a_run_of_a_dcgan_is_refused_with_what_knows_it(tmp_path):
    with pytest.raises(UserError, match=r"is a run of one of DCGAN's games.*`improved-gan sample`"):
        improved_gan_tf.load_run(write_dcgan(tmp_path / "run"))


def test_a_dcgan_draws_samples_as_its_score_takes_them(tmp_path, capsys):
    run, output = write_dcgan(tmp_path / "run"), tmp_path / "some.npz"
    arguments = [run, "--num_images=6", "--seed=3", f"--output={output}"]
    code, out, err = call_main(sample.main, capsys, *arguments)
    assert (code, out, err) == (0, f"6 images of 28 x 28 x 1 bytes in {output}\n", "")
    expected = np.concatenate(list(open_source(run, seed=3).batches(6, 4)))
    with np.load(output, allow_pickle=False) as saved:
        np.testing.assert_array_equal(saved["images"], expected)
    for flag in ("--truncation=0.5", "--statistics=batch"):
        code, _, err = call_main(sample.main, capsys, run, flag, f"--output={tmp_path / 'new'}")
        assert code == 2
        assert "go with the semi-supervised and the ImageNet game" in err


def test_a_run_says_what_its_numbers_mean(loaded, run_dir):
    assert loaded.class_names == tuple("0123456789")
    assert loaded.pixels == (255.0, 0.0)
    assert loaded.image_shape == (28, 28, 1)
    assert loaded.config == json.loads((run_dir / "config.json").read_text())
    for text in ("28 x 28 x 1 bytes", "(byte - 0) / 255", "classes: 0, 1, 2"):
        assert text in str(loaded)


def test_the_classifier_has_the_predictions_of_the_run(loaded, run_dir):
    test = noise_runs.images("mnist")
    with np.load(run_dir / "predictions.npz", allow_pickle=False) as saved:
        expected = {
            kind: np.asarray(tf.nn.softmax(saved[f"logits_{kind}"])) for kind in ("averaged", "raw")
        }
    found = loaded.classify(test.test_images)
    np.testing.assert_allclose(found, expected["averaged"], atol=1e-6)
    raw = improved_gan_tf.load_run(run_dir, "raw").classify(test.test_images)
    np.testing.assert_allclose(raw, expected["raw"], atol=1e-6)
    assert np.abs(expected["averaged"] - expected["raw"]).max() > 1e-4
    assert loaded.classify(test.test_images[:0]).shape == (0, 10)


def test_the_saved_generator_has_the_statistics_of_ten_batches(loaded, run_dir):
    trained = keras.saving.load_model(run_dir / "generator.keras")
    z = np.random.RandomState(0).uniform(size=(7, 100)).astype("float32")
    again = frozen_generator(trained, seed=1, batch_size=noise_runs.BATCH)
    np.testing.assert_allclose(loaded.generator(z), again(z), atol=1e-6)
    random = improved_gan_tf.streams.frozen_statistics_noise(1)
    batches = [random.uniform(size=(10, 100)).astype("float32") for _ in range(10)]
    by_hand = freeze_batch_statistics(trained, batches)
    np.testing.assert_allclose(again(z), by_hand(z), atol=1e-6)


def test_an_image_depends_on_seed_and_number_only(loaded):
    ten = loaded.sample(10, seed=3)
    assert (ten.shape, ten.dtype) == ((10, 28, 28, 1), np.uint8)
    np.testing.assert_array_equal(loaded.sample(130, seed=3)[:10], ten)
    assert len(np.unique(ten, axis=0)) == 10
    assert (loaded.sample(10, seed=4) != ten).any()
    z = np.random.RandomState(3).uniform(size=(100, 100)).astype("float32")
    one = to_bytes(loaded.generator(z[4:5]), loaded.pixels)
    assert np.abs(one[0].astype(int) - ten[4]).max() <= 1  # a rounding


def test_batch_statistics_are_those_of_whole_batches(loaded):
    z = np.random.RandomState(3).uniform(size=(20, 100)).astype("float32")
    expected = np.concatenate([loaded.batch_generator(z[:10]), loaded.batch_generator(z[10:])])
    found = loaded.sample(13, seed=3, statistics="batch")
    np.testing.assert_array_equal(found, to_bytes(expected, loaded.pixels)[:13])


def test_truncated_noise_is_from_the_middle_of_the_range(loaded):
    z = np.random.RandomState(3).uniform(size=(100, 100))
    expected = loaded.generator((0.5 + 0.25 * (z - 0.5)).astype("float32"))
    found = loaded.sample(100, seed=3, truncation=0.25).astype(int)
    assert np.abs(found - to_bytes(expected, loaded.pixels)).max() <= 1


def test_wrong_arguments_are_refused(loaded, run_dir, tmp_path):
    with pytest.raises(UserError, match=r"`truncation` .*Received: truncation=0"):
        loaded.sample(3, truncation=0.0)
    with pytest.raises(UserError, match="`statistics` must be"):
        loaded.sample(3, statistics="moving")
    with pytest.raises(UserError, match=r"uint8 of shape \(N, 28, 28, 1\).*float64"):
        loaded.classify(np.zeros((2, 28, 28, 1)))
    with pytest.raises(UserError, match="`parameters` must be"):
        improved_gan_tf.load_run(run_dir, "best")
    with pytest.raises(UserError, match="no such folder"):
        improved_gan_tf.load_run(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"not a run folder with a readable config\.json"):
        improved_gan_tf.load_run(tmp_path)
    for name in ("labels20-seed1", "labels20-seed2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    with pytest.raises(UserError, match=r"folder of runs\. Give one .*/labels20-seed1\.$"):
        improved_gan_tf.load_run(tmp_path)


def test_a_run_of_an_earlier_version_is_frozen_when_it_is_loaded(loaded, run_dir, tmp_path):
    shutil.copytree(run_dir, tmp_path / "old")
    (tmp_path / "old" / "generator_frozen.keras").unlink()
    old = improved_gan_tf.load_run(tmp_path / "old")
    np.testing.assert_array_equal(old.sample(5), loaded.sample(5))


def test_a_baseline_has_a_classifier_and_no_generator(tmp_path):
    noise_runs.run(noise_runs.settings(epochs=1, supervised_only=True), tmp_path / "run")
    run = improved_gan_tf.load_run(tmp_path / "run")
    assert run.classify(noise_runs.images("mnist").test_images).shape == (15, 10)
    with pytest.raises(UserError, match="supervised-only run: it has no generator"):
        run.sample(3)


def test_a_classifier_that_couples_images_gets_full_batches(tmp_path):
    recipe = run_cifar10.VARIANTS["minibatch_discrimination"]["released"]
    small = {"model": "minibatch_discrimination", "width_multiplier": 0.02, "epochs": 1}
    config = noise_runs.settings(run_cifar10, **recipe, **small)
    noise_runs.run(config, tmp_path / "run")
    # The raw parameters: the average of so few steps has logits near 0, whatever the pixels.
    run = improved_gan_tf.load_run(tmp_path / "run", "raw")
    assert run.coupled_batch == 10
    images = noise_runs.images("cifar10").test_images
    with np.load(tmp_path / "run" / "predictions.npz", allow_pickle=False) as saved:
        expected = np.asarray(tf.nn.softmax(saved["logits_raw"]))
    np.testing.assert_allclose(run.classify(images), expected, atol=1e-6)
    assert run.classify(images[:3]).shape == (3, 10)  # filled up with the same three
    with pytest.raises(UserError, match="it is no function of one"):
        exporting.bytes_to_probabilities(run)


# --- the commands --------------------------------------------------------------------------


def test_samples_are_written_as_pictures_an_array_and_a_grid(loaded, run_dir, tmp_path, capsys):
    expected = loaded.sample(11, seed=2)
    folder, array, grid = tmp_path / "folder", tmp_path / "some.npz", tmp_path / "grid.png"
    options = ["--num_images=11", "--seed=2"]
    for place, more in ((folder, []), (array, []), (grid, ["--grid"])):
        arguments = [run_dir, *options, f"--output={place}", *more]
        code, out, err = call_main(sample.main, capsys, *arguments)
        assert (code, err) == (0, "")
        assert out == f"11 images of 28 x 28 x 1 bytes in {place}\n"
        code, _, err = call_main(sample.main, capsys, *arguments)
        assert code == 2
        assert "exists; nothing is overwritten unasked" in err
    pictures = [np.asarray(Image.open(p))[:, :, None] for p in sorted(folder.iterdir())]
    np.testing.assert_array_equal(pictures, expected)
    with np.load(array, allow_pickle=False) as saved:
        np.testing.assert_array_equal(saved["images"], expected)
    with Image.open(grid) as picture:
        assert picture.size == (4 * 30 + 2, 3 * 30 + 2)
        np.testing.assert_array_equal(np.asarray(picture)[2:30, 32:60], expected[1, :, :, 0])


@pytest.mark.parametrize(("name", "grid"), [("folder", False), ("grid.png", True)])
def test_a_full_disk_leaves_no_half_of_the_samples(tmp_path, monkeypatch, name, grid):
    images = np.zeros((3, 4, 4, 1), "uint8")
    saved = []

    def save(picture, place, format):
        saved.append(place)
        place.write_bytes(b"half")
        if len(saved) == (1 if grid else 3):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", save)
    with pytest.raises(UserError, match="cannot be written: No space left"):
        sample_files.write(tmp_path / name, images, grid)
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_leaves_no_half_of_it(loaded, tmp_path, monkeypatch):
    def fail(model, path, format, verbose):
        raise RuntimeError("the converter is too old")

    monkeypatch.setattr(keras.Model, "export", fail)
    (tmp_path / "empty").mkdir()
    for output in (tmp_path / "new", tmp_path / "empty"):
        with pytest.raises(UserError, match=r"converted for .*: the converter is too old"):
            exporting.export(loaded, output, ("saved_model",))
        exporting.check_output(output, ("saved_model",))
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output=a.jpg"], "--output must be a folder"),
        (["--output=a", "--grid"], "--output must end in .png"),
        (["--output=a", "--num_images=0"], "--num_images must be 1 or more"),
        (["--output=a", "--seed=-1"], "--seed must be from 0"),
        (["--output=a", "--truncation=2"], "--truncation must be"),
        (["--output=no/such/a"], "there is no folder"),
    ],
)
def test_samples_that_cannot_be_written_are_refused(run_dir, arguments, message, capsys):
    code, _, err = call_main(sample.main, capsys, run_dir, *arguments)
    assert code == 2
    assert message in err


def test_pictures_are_classified_into_a_table(loaded, run_dir, tmp_path, capsys):
    images = noise_runs.images("mnist").test_images[:3]
    folder = tmp_path / "Zoë's photos"
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image[:, :, 0]).save(folder / f"{number}.png")
    Image.new("RGB", (60, 40), (9, 200, 9)).save(tmp_path / "photo.jpg")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 nothing")
    output = tmp_path / "predictions.csv"
    arguments = [run_dir, tmp_path / "photo.jpg", folder, f"--output={output}"]
    code, out, err = call_main(classify.main, capsys, *arguments)
    assert code == 0, err
    assert "broken.jpg cannot be read" in err
    assert f"Probabilities of 4 pictures in {output}" in out
    with open(output, encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    assert header == ["image", "class", "probability", *"0123456789"]
    assert lines[0][0] == str(tmp_path / "photo.jpg")
    expected = loaded.classify(images)
    for line, p in zip(lines[1:], expected, strict=True):
        np.testing.assert_allclose(np.array(line[3:], float), p, atol=1e-6)
        assert line[1] == str(p.argmax())
        assert float(line[2]) == pytest.approx(p.max(), abs=1e-6)
    code, _, err = call_main(classify.main, capsys, *arguments)
    assert code == 2
    assert "exists; give another --output" in err
    code, _, err = call_main(classify.main, capsys, *arguments, "--overwrite", "--parameters=raw")
    assert code == 0, err
    with open(output, encoding="utf-8") as file:
        _, _, *lines = csv.reader(file)
    expected = improved_gan_tf.load_run(run_dir, "raw").classify(images)
    np.testing.assert_allclose(np.array(lines)[:, 3:].astype(float), expected, atol=1e-6)


def test_a_classifier_that_couples_images_gets_files_of_mixed_folders(tmp_path):
    """And each line still has the probabilities of its own picture."""
    paths = []
    for number in range(12):
        folder = tmp_path / f"class{number // 4}"
        folder.mkdir(exist_ok=True)
        paths.append(folder / f"{number}.png")
        Image.fromarray(np.full((4, 4), number, np.uint8)).save(paths[-1])
    paths.insert(5, tmp_path / "nowhere.png")
    batches = []

    class Run:
        classifier, coupled_batch = "one with minibatch discrimination", 4
        image_shape, class_names = (4, 4, 1), ("a", "b")

        @staticmethod
        def classify(images):
            values = images[:, 0, 0, 0].astype(int)
            batches.append(values)
            return np.stack([values / 100, 1 - values / 100], axis=1)

    counts = classification_file.classify_files(Run, paths, tmp_path / "table.csv")
    assert counts == {"b": 12}
    assert sorted(batches[0]) == list(range(12))
    assert all(len(set(batches[0][i : i + 4] // 4)) > 1 for i in (0, 4, 8))
    with open(tmp_path / "table.csv", encoding="utf-8") as file:
        lines = list(csv.reader(file))[1:]
    assert [line[0] for line in lines] == [str(p) for p in paths if p.exists()]
    assert [float(line[3]) for line in lines] == [number / 100 for number in range(12)]


def test_many_files_are_classified_as_if_all_were_read_at_once(tmp_path, monkeypatch):
    """The last picture's batch is filled with those before it, not with copies of itself."""
    monkeypatch.setattr(classification_file, "FILES_AT_ONCE", 10)
    paths = [tmp_path / f"{number}.png" for number in range(22)]
    for number, path in enumerate(paths[:-1]):
        Image.fromarray(np.full((4, 4), 9 * number, np.uint8)).save(path)
    discriminator = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()])
    summed = keras.layers.Lambda(lambda x: x[:, :2] + keras.ops.sum(x[:, 2:4], 0))
    classifier = keras.Sequential([discriminator, summed])  # an answer depends on its batch
    run = loaded_run.LoadedRun(tmp_path, {}, ("a", "b"), (255, 0), None, None, classifier, 4)
    classification_file.classify_files(run, paths, tmp_path / "table.csv")
    order = [row for row in coupled_test_order().permutation(22) if row != 21]
    pixels = np.stack([np.asarray(Image.open(paths[row]))[..., None] for row in order])
    expected = run.classify(pixels)
    with open(tmp_path / "table.csv", encoding="utf-8") as file:
        lines = list(csv.reader(file))[1:]
    found = np.array([lines[row][3:] for row in order], float)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all names of files are Unicode")
def test_a_file_whose_name_is_no_text_is_classified_under_it(loaded, tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    Image.new("L", (28, 28)).save(path)
    classification_file.classify_files(loaded, [path], tmp_path / "table.csv")
    assert b"/caf\xe9.png," in (tmp_path / "table.csv").read_bytes()


def test_a_folder_without_a_readable_picture_is_refused(run_dir, tmp_path, capsys):
    (tmp_path / "broken.png").write_bytes(b"no")
    code, _, err = call_main(
        classify.main, capsys, run_dir, tmp_path / "broken.png", f"--output={tmp_path / 'p.csv'}"
    )
    assert code == 2
    assert "None of the 1 files is a picture" in err
    assert not (tmp_path / "p.csv").exists()


def test_the_exported_classifier_takes_bytes(loaded, run_dir, tmp_path, capsys, monkeypatch):
    output = tmp_path / "exported"
    code, out, err = call_main(
        export.main, capsys, run_dir, f"--output={output}", "--format=saved_model"
    )
    assert code == 0, err
    assert "classes.txt, classifier" in out
    images = noise_runs.images("mnist").test_images
    saved = tf.saved_model.load(str(output / "classifier"))
    np.testing.assert_allclose(saved.serve(images), loaded.classify(images), atol=1e-5)
    assert (output / "classes.txt").read_text().split() == list("0123456789")
    code, _, err = call_main(export.main, capsys, run_dir, f"--output={output}")
    assert code == 2
    assert "exists" in err
    exported = []
    monkeypatch.setattr(exporting, "export", lambda run, *_: exported.append(run))
    monkeypatch.setattr(exporting, "check_output", lambda *_: None)
    call_main(export.main, capsys, run_dir, f"--output={tmp_path}", "--parameters=raw")
    raw = improved_gan_tf.load_run(run_dir, "raw")
    np.testing.assert_array_equal(exported[0].classify(images), raw.classify(images))


def test_the_exported_classifier_of_coloured_images_takes_bytes(tmp_path):
    """MNIST's pixels have no offset, CIFAR-10's do."""
    config = noise_runs.settings(run_cifar10, width_multiplier=0.02, epochs=1, learning_rate=0.01)
    noise_runs.run(config, tmp_path / "run")
    run = improved_gan_tf.load_run(tmp_path / "run", "raw")
    images = noise_runs.images("cifar10").test_images
    found, expected = exporting.bytes_to_probabilities(run)(images), run.classify(images)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(expected - run.classify(255 - images)).max() > 1e-3  # they depend on the pixels


def test_onnx_without_its_packages_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs the packages onnx and tf2onnx: .*\[onnx\]"):
        exporting.check_output(tmp_path / "new", ("onnx",))
    exporting.check_output(tmp_path / "new", ("saved_model",))


@pytest.mark.skipif(not HAS_ONNX, reason="needs onnx, tf2onnx and onnxruntime")
@pytest.mark.filterwarnings("ignore")  # of the converter
def test_the_exported_onnx_file_takes_bytes(loaded, tmp_path):
    import onnxruntime

    exporting.export(loaded, tmp_path / "exported", ("onnx",))
    session = onnxruntime.InferenceSession(str(tmp_path / "exported" / "classifier.onnx"))
    images = noise_runs.images("mnist").test_images
    (found,) = session.run(None, {session.get_inputs()[0].name: images})
    np.testing.assert_allclose(found, loaded.classify(images), atol=1e-5)


def test_a_generator_with_a_reference_batch_is_not_frozen(tmp_path):
    config = noise_runs.settings(epochs=1, generator_normalization="virtual_batch")
    noise_runs.run(dataclasses.replace(config), tmp_path / "run")
    assert not (tmp_path / "run" / "generator_frozen.keras").exists()
    run = improved_gan_tf.load_run(tmp_path / "run")
    assert run.generator is run.batch_generator
    assert len(np.unique(run.sample(5), axis=0)) == 5

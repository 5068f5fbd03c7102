"""The scoring commands as a user types them: what they print, write and refuse."""

import functools
import json
import os
import subprocess
import sys
import types

import keras
import numpy as np
import pytest
from PIL import Image

from improved_gan_tf import networks, score, train_classifier
from improved_gan_tf.data import datasets
from improved_gan_tf.data.known_sets import KNOWN_SETS
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import keras_files
from improved_gan_tf.paper import PaperResult
from improved_gan_tf.runs import finished_runs
from improved_gan_tf.scoring import inception_check, picture_folders, small_classifier
from improved_gan_tf.tables import inception_scores
from tests.support.commands import call_main
from tests.support.frozen_graphs import small_inception
from tests.support.places import ROOT

pytestmark = []


load_sample = functools.cache(functools.partial(datasets.load, "mnist", "sample"))


@pytest.fixture(autouse=True)
def _embedded_digits_are_read_once(monkeypatch):
    load = datasets.load

    def load_or_remember(name, data_source="tfds", data_dir=None):
        is_digits = data_source == "sample" and data_dir is None
        return load_sample() if is_digits else load(name, data_source, data_dir)

    monkeypatch.setattr(datasets, "load", load_or_remember)


def command(capsys, *arguments, module=score):
    """Runs the command in this process; returns its exit code, stdout and stderr."""
    return call_main(module.main, capsys, *arguments)


@pytest.fixture
def mnist_run(tmp_path):
    """A run folder with a thin generator of digits, trained on the embedded sample."""
    folder = tmp_path / "run"
    folder.mkdir()
    networks.mnist_generator(1, 0.02).save(folder / "generator.keras")
    config = {"dataset": "mnist", "pixels": [255, 0], "data_source": "sample", "data_dir": None}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture
def classifier(tmp_path, monkeypatch):
    """A thin untrained classifier of digits, as `train_classifier` leaves it."""
    monkeypatch.setattr(small_classifier, "FILTERS", (2, 4))
    path = tmp_path / "mnist.keras"
    keras.utils.set_random_seed(1)
    small_classifier.build_classifier((28, 28, 1), 10).save(path)
    path.with_suffix(".json").write_text(json.dumps({"kind": "classifier", "data": "digits"}))
    return path


# --- any classifier ------------------------------------------------------------------------


def test_a_run_is_scored_beside_real_images_and_the_score_stands_in_its_folder(
    mnist_run, classifier, capsys
):
    small = ("--num_samples=60", "--num_splits=3", "--num_real=90", "--batch_size=50")
    code, out, err = command(capsys, mnist_run, f"--classifier={classifier}", *small)
    assert code == 0, err
    result = json.loads((mnist_run / "score.json").read_text())
    assert result["kind"] == "inception_score"
    assert result["classifier"] == "mnist.keras, trained on digits"
    assert (result["num_samples"], result["num_splits"]) == (60, 3)
    assert result["comparable_with_paper"] is False
    assert result["why_not"] == [
        "classifier: mnist.keras, trained on digits instead of the 2015 Inception graph",
        "samples: 60 instead of 50,000",
        "splits: 3 instead of 10",
        "images: mnist instead of cifar10",
    ]
    assert result["generator_sha256"] == finished_runs.generator_digest(mnist_run) is not None
    assert result["frechet"]["num_real"] == 90
    assert result["frechet"]["distance"] > 0
    assert result["real"]["num_samples"] == 60
    elsewhere = f"--output={mnist_run / 'other.json'}"
    command(capsys, mnist_run / "generator.keras", f"--classifier={classifier}", *small, elsewhere)
    other = json.loads((mnist_run / "other.json").read_text())
    assert other["generator_sha256"] == result["generator_sha256"]
    # The first column of numbers is the generator's, the second that of real digits.
    line = next(row for row in out.splitlines() if "exp(mean KL)" in row)
    assert f"{result['mean']:.3f} +- {result['std']:.3f}" in line.split("|")[2]
    assert f"{result['real']['mean']:.3f}" in line.split("|")[3]
    assert "not an Inception score (3 splits)" in line
    assert "Not the paper's Inception score: classifier: " in out
    assert f"Frechet distance on 128 features of {result['classifier']}, 60 against 90" in out

    # What `compare` makes of it.
    run = types.SimpleNamespace(
        path=mnist_run,
        config=types.SimpleNamespace(ablation=None, supervised_only=False),
        result={"differences_from_paper": []},
    )
    (row,), left_out = inception_scores.read_scores([run])
    assert left_out == []
    assert (row.classifier, row.mean) == (result["classifier"], result["mean"])
    assert row.frechet == result["frechet"]["distance"]
    assert row.why_not == tuple(result["why_not"])

    code, out, err = command(capsys, mnist_run, f"--classifier={classifier}", *small)
    assert code == 2
    assert err == (
        f"error: {mnist_run}/score.json exists; give another --output, or --overwrite to replace "
        "it.\n"
    )
    code, _, _ = command(capsys, mnist_run, f"--classifier={classifier}", *small, "--overwrite")
    assert code == 0
    again = json.loads((mnist_run / "score.json").read_text())
    assert again == result  # a seed decides everything


def test_pictures_of_real_digits_score_as_the_digits_themselves(tmp_path, classifier, capsys):
    digits = load_sample().train_images[::40]  # 100, ten of each class
    (tmp_path / "pictures").mkdir()
    for number, digit in enumerate(digits):
        Image.fromarray(digit[..., 0]).save(tmp_path / "pictures" / f"{number:03d}.png")
    output = tmp_path / "score.json"
    arguments = (f"--classifier={classifier}", "--num_splits=1", f"--output={output}")
    code, out, err = command(capsys, tmp_path / "pictures", *arguments)
    assert code == 0, err
    assert "real: no real images were asked for (--real_data=NAME or --real_folder=FOLDER)" in out
    result = json.loads(output.read_text())
    assert (result["num_samples"], result["dataset"], result["frechet"]) == (100, None, None)

    arguments += ("--real_data=mnist", "--data_source=sample", "--overwrite")
    code, _, err = command(capsys, tmp_path / "pictures", *arguments)
    assert code == 0, err
    with_real = json.loads(output.read_text())
    assert with_real["mean"] == result["mean"]
    assert with_real["real"]["num_samples"] == 100  # of 4,000
    assert with_real["frechet"]["num_real"] == 4000
    assert with_real["dataset"] == "mnist"


def test_a_folder_of_class_folders_is_scored_against_another_folder(tmp_path, classifier, capsys):
    digits, labels = load_sample().train_images[::40], load_sample().train_labels[::40]
    for number, (digit, label) in enumerate(zip(digits, labels, strict=True)):
        picture = Image.fromarray(digit[..., 0])
        half = "scored" if number % 2 else "real"
        (tmp_path / half / str(label)).mkdir(parents=True, exist_ok=True)
        # The real ones have colour, transparency and another size: all of it is undone.
        if half == "real":
            picture = picture.convert("RGBA").resize((56, 56), Image.Resampling.NEAREST)
        picture.save(tmp_path / half / str(label) / f"{number:03d}.png")
    output = tmp_path / "score.json"
    given = (f"--classifier={classifier}", "--num_splits=1", f"--output={output}")
    folder = f"--real_folder={tmp_path / 'real'}"
    code, out, err = command(capsys, tmp_path / "scored", *given, folder)
    assert code == 0, err
    result = json.loads(output.read_text())
    assert result["num_samples"] == result["frechet"]["num_real"] == 50
    assert "these: 50 images: 50 pictures in 10 folders of scored" in out
    assert "real: 50 images: 50 pictures in 10 folders of real" in out
    # Halves of one data set are near: nearer than one of them is to its negative.
    for file in (tmp_path / "real").rglob("*.png"):
        rgb = np.asarray(Image.open(file).convert("RGB"))
        Image.fromarray(255 - rgb).save(file)
    code, _, err = command(capsys, tmp_path / "scored", *given, folder, "--overwrite")
    assert code == 0, err
    negative = json.loads(output.read_text())
    assert negative["frechet"]["distance"] > 2 * result["frechet"]["distance"] > 0
    assert negative["mean"] == result["mean"]


def write_noise(folder, count):
    folder.mkdir()
    random = np.random.RandomState(1)
    for number in range(count):
        pixels = random.randint(0, 256, (28, 28), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def test_real_images_that_are_fewer_than_the_splits_say_in_how_many_they_are(
    tmp_path, classifier, capsys
):
    folders = write_noise(tmp_path / "a", 12), f"--real_folder={write_noise(tmp_path / 'b', 4)}"
    code, out, err = command(capsys, *folders, f"--classifier={classifier}")
    assert code == 0, err
    assert "(10 splits)" in out
    assert "real: 4 images: 4 pictures in b, 4 of them scored in 4 splits\n" in out


def test_one_real_image_is_refused(tmp_path, classifier, capsys):
    folders = write_noise(tmp_path / "a", 12), f"--real_folder={write_noise(tmp_path / 'b', 1)}"
    code, out, err = command(capsys, *folders, f"--classifier={classifier}")
    assert (code, out) == (2, "")
    assert "2 real images or more; --num_real=0 is for none. Received: 1 (1 pictures in b)." in err


@pytest.mark.parametrize("given", ["--data_source=sample", "--data_dir=sets", "--num_real=5"])
def test_where_real_images_are_is_refused_where_none_are_read(given, tmp_path, classifier, capsys):
    pictures = write_noise(tmp_path / "a", 12)
    code, out, err = command(capsys, pictures, f"--classifier={classifier}", given)
    assert (code, out) == (2, "")
    assert err == (
        "error: No real images were asked for (--real_data=NAME or --real_folder=FOLDER): leave "
        f"{given.split('=')[0]} out. Received: {given}.\n"
    )


@pytest.mark.parametrize(
    ("dataset", "given", "why"),
    [
        ("folder", "--data_dir=sets", "No comparison with real images of folder: leave --data_dir"),
        ("imagenet", "--num_real=9", "No comparison with real images of imagenet: leave --num_rea"),
        ("images", "--data_source=sample", "A run on images of one's own is compared with those: "),
    ],
)
def test_another_place_of_real_images_than_a_runs_is_refused(
    mnist_run, dataset, given, why, classifier, capsys
):
    config = json.loads((mnist_run / "config.json").read_text())
    (mnist_run / "config.json").write_text(json.dumps({**config, "dataset": dataset}))
    code, out, err = command(capsys, mnist_run, f"--classifier={classifier}", given)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {why}")
    assert err.endswith(f"Received: {given}.\n")


def test_of_real_images_no_generator_is_recorded(tmp_path, classifier, monkeypatch, capsys):
    (tmp_path / "generator.keras").write_bytes(b"of whatever was trained here")
    monkeypatch.chdir(tmp_path)
    code, _, err = command(
        capsys,
        *("--real=mnist", "--data_source=sample", f"--classifier={classifier}"),
        *("--num_samples=20", "--num_splits=1", "--num_real=0", "--output=score.json"),
    )
    assert code == 0, err
    result = json.loads((tmp_path / "score.json").read_text())
    assert (result["source"], result["generator_sha256"]) == ("--real=mnist", None)


def test_the_flags_decide_the_noise_its_seed_and_the_batches(mnist_run, classifier, capsys):
    flags = {
        "default": (),
        "again": (),
        "seed": ("--seed=2",),
        "noise": ("--noise=normal",),
        "batches": ("--batch_size=20",),  # the generator's batch norm takes its batch's statistics
    }
    means = {}
    for name, given in flags.items():
        output = mnist_run / f"{name}.json"
        small = ("--num_samples=60", "--num_splits=1", "--num_real=0", f"--output={output}")
        code, _, err = command(capsys, mnist_run, f"--classifier={classifier}", *small, *given)
        assert code == 0, err
        means[name] = json.loads(output.read_text())["mean"]
    assert means["again"] == means.pop("default")
    assert len(set(means.values())) == len(means)


def test_real_training_images_are_compared_with_test_images(tmp_path, classifier, capsys):
    output = tmp_path / "score.json"
    code, out, err = command(
        capsys,
        *("--real=mnist", "--data_source=sample", f"--classifier={classifier}"),
        *("--num_samples=100", "--num_splits=1", f"--output={output}"),
    )
    assert code == 0, err
    assert json.loads(output.read_text())["frechet"]["num_real"] == 1000  # 4,000 train
    assert "test images of MNIST sample" in out


@pytest.mark.parametrize("as_squares", [False, True])
def test_a_seed_chooses_the_real_pictures(tmp_path, as_squares):
    write_noise(tmp_path / "real", 12)
    dataset = "folder" if as_squares else None
    source = types.SimpleNamespace(dataset=dataset, image_shape=(28, 28, 3 if as_squares else 1))
    one, same, other = (
        np.concatenate(
            list(picture_folders.real_pictures(tmp_path / "real", seed, source).batches(5, 5))
        )
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_classifier_has_the_epochs_and_the_seed_that_are_asked_for(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(small_classifier, "FILTERS", (2, 2))
    digits = load_sample()
    few = digits._replace(
        train_images=digits.train_images[:256],
        train_labels=digits.train_labels[:256],
        test_images=digits.test_images[:50],
        test_labels=digits.test_labels[:50],
    )
    made = [small_classifier.train(few, *given)[0] for given in ((1, 1), (1, 2), (2, 1))]
    first, seed, epochs = ([np.array(w) for w in model.weights] for model in made)
    for other in (seed, epochs):
        assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    # The step size of the second epoch is not 0.
    steps = []
    monkeypatch.setattr(
        keras.optimizers.schedules, "CosineDecay", lambda rate, n: steps.append(n) or rate
    )
    small_classifier.train(few, 2, 1)
    assert steps == [2 * -(-256 // small_classifier.BATCH_SIZE)]
    asked = []
    monkeypatch.setattr(
        train_classifier, "train", lambda data, *given: asked.append(given) or (made[0], 3)
    )
    arguments = ("--epochs=4", "--seed=7", f"--output={tmp_path / 'a.keras'}")
    command(capsys, "--dataset=mnist", "--data_source=sample", *arguments, module=train_classifier)
    assert asked == [(4, 7)]


def test_without_real_data_a_run_is_scored_all_the_same(mnist_run, classifier, monkeypatch, capsys):
    def missing(*arguments):
        raise UserError("No prepared data.")

    monkeypatch.setattr(datasets, "load", missing)
    arguments = (mnist_run, f"--classifier={classifier}", "--num_samples=20", "--output=x.json")
    monkeypatch.chdir(mnist_run)
    code, out, err = command(capsys, *arguments)
    assert code == 0, err
    assert "real: no real images to compare with. No prepared data." in out
    # Asked for by name they are needed.
    code, _, err = command(capsys, *arguments, "--overwrite", "--real_data=mnist")
    assert (code, err) == (2, "error: No prepared data.\n")


def test_the_command_in_a_process_of_its_own(mnist_run, classifier):
    arguments = [f"--classifier={classifier}", "--num_samples=20", "--num_real=0"]
    done = subprocess.run(
        [sys.executable, "-m", "improved_gan_tf.score", str(mnist_run), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert "20/20" in done.stderr  # progress
    assert "Traceback" not in done.stderr
    assert (mnist_run / "score.json").exists()


# --- the paper's column --------------------------------------------------------------------


@pytest.fixture
def forty_cifar_images(monkeypatch):
    """CIFAR-10 as if it had 40 training images, and the paper as if it had scored 40."""
    random = np.random.RandomState(0)
    images = random.randint(0, 256, (60, 32, 32, 3)).astype("uint8")
    labels = np.arange(60, dtype="int32") % 10
    names = KNOWN_SETS["cifar10"].class_names
    halves = (images[:40], labels[:40], images[40:], labels[40:])
    dataset = datasets.Dataset(*halves, "cifar10", True, names)
    monkeypatch.setattr(datasets, "load", lambda name, *rest: dataset)
    monkeypatch.setattr(inception_check, "NUM_SAMPLES", 40)
    return images


def test_only_a_graph_that_scored_real_images_as_the_authors_did_is_put_beside_them(
    tmp_path, forty_cifar_images, monkeypatch, capsys
):
    graph = small_inception(2048, 1008)[0].write(tmp_path / "graph.pb")
    run = tmp_path / "run"
    run.mkdir()
    networks.convolutional_generator(1, 0.02, name="generator").save(run / "generator.keras")
    (run / "config.json").write_text(json.dumps({"dataset": "cifar10", "pixels": [128, 127.5]}))
    score_run = (run, f"--classifier={graph}", "--num_samples=40", "--num_real=0", "--overwrite")
    check = ("--real=cifar10", f"--classifier={graph}", "--num_real=0")

    def why_not():
        assert command(capsys, *score_run)[0] == 0
        result = json.loads((run / "score.json").read_text())
        assert result["comparable_with_paper"] is (result["why_not"] == [])
        return result["why_not"]

    assert why_not() == [
        "weights: not yet checked against real CIFAR-10 (python -m improved_gan_tf.score "
        f"--real=cifar10 --classifier={graph})"
    ]

    # Random weights do not give 11.24.
    code, out, _ = command(capsys, *check)
    assert code == 1
    assert "CHECK NOT PASSED" in out
    mean = json.loads(inception_check.record_path(graph).read_text())["mean"]
    assert why_not() == [f"weights: real CIFAR-10 scores {mean:.2f} with them, not 11.24"]

    # Had the paper scored what they give, they would count.
    monkeypatch.setattr(inception_check, "REAL", PaperResult(mean + 0.1, 0.12))
    code, out, _ = command(capsys, *check)
    assert code == 0
    assert "CHECK PASSED" in out
    assert why_not() == []

    # A score of fewer of them is no check, and takes nothing back.
    record = inception_check.record_path(graph)
    before = record.read_bytes()
    code, out, _ = command(capsys, *check, "--num_samples=30", "--num_splits=5")
    assert code == 1
    assert out.endswith(
        "\nNOT THE CHECK (samples: 30 instead of 40; splits: 5 instead of 10): nothing was "
        f"recorded, {record} is as it was.\n"
    )
    assert record.read_bytes() == before
    assert why_not() == []

    # But another file is another network.
    small_inception(2048, 1008, seed=1)[0].write(graph)
    assert why_not()[0].startswith("weights: graph.pb.check.json is of another graph")


def test_a_check_with_fewer_images_is_not_recorded(tmp_path, forty_cifar_images, capsys):
    graph = small_inception(2048, 1008)[0].write(tmp_path / "graph.pb")
    arguments = ("--real=cifar10", f"--classifier={graph}", "--num_samples=30", "--num_real=0")
    code, out, _ = command(capsys, *arguments)
    assert code == 1
    assert (
        "\nNOT THE CHECK (samples: 30 instead of 40): nothing was recorded, the graph has no "
        "record of one.\n"
    ) in out
    assert "CHECK NOT PASSED" not in out
    assert not inception_check.record_path(graph).exists()


# --- mistakes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give either a run folder, generator or folder of pictures, or --real=NAME."),
        (["x", "--real=mnist"], "Give either a run folder"),
        (["--real=mnist", "--real_data=mnist"], "leave --real_data out"),
        (
            ["x", "--num_real=0", "--real_folder=."],
            "--num_real=0 compares with no real images: leave --real_folder out. Received: "
            "--real_folder=.",
        ),
        (["x", "--num_real=0", "--data_source=sample"], "leave --data_source out."),
        (["x", "--num_real=0", "--data_dir=sets"], "leave --data_dir out."),
        (
            ["x", "--real_folder=here", "--real_data=mnist"],
            "--real_folder and --real_data both say which images are the real ones",
        ),
        (["x", "--real_folder=none"], "--real_folder must be a folder that exists."),
        ([".", "--real_folder=."], "--real_folder must hold other pictures than those that are"),
        (["x", "--num_samples=1"], "--num_samples must be 2 or more. Received: 1."),
        (["x", "--num_splits=0"], "--num_splits must be 1 or more. Received: 0."),
        (["x", "--batch_size=0"], "--batch_size must be 1 or more. Received: 0."),
        (["x", "--num_real=1"], "--num_real must be 0, or 2 or more. Received: 1."),
        (
            ["--real=mnist", "--noise=normal"],
            "--noise and --output_range go with a generator. Received: --real=mnist.",
        ),
        (["x", "--seed=-1"], "--seed must be from 0 to 4294967295. Received: -1."),
        (["x", "--output_range", "1", "0"], "--output_range must be two finite rising numbers."),
        (["x", "--output=/nowhere/s.json"], "/nowhere/s.json cannot be written"),
        (["x"], "There is no run folder, generator or folder of pictures at x."),
        (
            ["--real=mnist", "--data_source=sample", "--num_samples=5000"],
            "exceeds the 4,000 images",
        ),
        (
            ["--real=mnist", "--data_source=sample", "--num_samples=9"],
            "--num_splits=10 splits need as many images, and at least 2. Received: 9 images.",
        ),
    ],
)
def test_a_mistake_is_one_paragraph_and_exit_code_2(
    arguments, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "none.keras").touch()  # found to be none when everything else is right
    code, out, err = command(capsys, *arguments, "--classifier=none.keras")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["none.keras", "none.pb"])
def test_a_missing_classifier_is_told_before_any_data_is_loaded(name, monkeypatch, capsys):
    monkeypatch.setattr(datasets, "load", lambda *_: pytest.fail("data was loaded"))
    code, _, err = command(capsys, "--real=mnist", f"--classifier={name}")
    assert (code, err) == (
        2,
        f"error: --classifier must be a file that exists. Received: {name}.\n",
    )


@pytest.mark.parametrize("given", [["--output=folder"], ["--output=folder", "--overwrite"]])
def test_an_output_that_is_a_folder_is_refused_before_work(given, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    # Of two mistakes this one is found before the classifier is looked for.
    code, _, err = command(capsys, "--real=mnist", *given, "--classifier=none.keras")
    assert (code, err) == (2, "error: folder is a folder; --output must name a file to write.\n")


def test_a_classifier_that_does_not_fit_the_images_is_refused(mnist_run, tmp_path, capsys):
    path = tmp_path / "cifar.keras"
    small_classifier.build_classifier((32, 32, 3), 10).save(path)
    arguments = (mnist_run, f"--classifier={path}", "--classifier_range", "0", "255")
    code, _, err = command(capsys, *arguments, "--num_real=0")
    assert code == 2
    assert "takes images of shape (32, 32, 3). Received: images of shape (28, 28, 1)." in err


def test_real_images_of_another_shape_are_refused(mnist_run, classifier, monkeypatch, capsys):
    images, labels = np.zeros((4, 32, 32, 3), "uint8"), np.zeros(4, "int32")
    names = KNOWN_SETS["cifar10"].class_names
    dataset = datasets.Dataset(images, labels, images, labels, "cifar10", False, names)
    monkeypatch.setattr(datasets, "load", lambda *arguments: dataset)
    arguments = (mnist_run, f"--classifier={classifier}", "--real_data=cifar10")
    code, _, err = command(capsys, *arguments)
    assert code == 2
    assert "Images of shape (28, 28, 1) cannot be compared with cifar10" in err


# --- training a classifier -----------------------------------------------------------------


def test_a_classifier_is_trained_described_and_scores_digits(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(small_classifier, "FILTERS", (4, 8))
    path = tmp_path / "new" / "digits.keras"
    train = ("--dataset=mnist", "--data_source=sample", "--epochs=1", f"--output={path}")
    code, out, err = command(capsys, *train, module=train_classifier)
    assert code == 0, err
    about = json.loads(path.with_suffix(".json").read_text())
    assert (about["kind"], about["train_count"], about["test_count"]) == ("classifier", 4000, 1000)
    assert about["test_wrong"] < 500  # guessing gets 900 wrong
    assert f"({about['test_wrong']} of 1,000 wrong). Scores with it are not Inception" in out

    # The saved model is the one that was tested.
    digits = load_sample()
    output = keras.saving.load_model(path).predict(digits.test_images, verbose=0)
    assert (output["logits"].argmax(axis=1) != digits.test_labels).sum() == about["test_wrong"]
    assert output["features"].shape == (1000, 128)

    code, out, err = command(
        capsys, "--real=mnist", "--data_source=sample", f"--classifier={path}", "--num_real=0"
    )
    assert code == 0, err
    assert "digits.keras, trained on MNIST sample (4,000 training" in out

    code, _, err = command(capsys, *train, module=train_classifier)
    expected = f"error: --output={path}: {path} exists; --overwrite replaces it.\n"
    assert (code, err) == (2, expected)


@pytest.fixture
def nothing_trains(monkeypatch):
    def train(*arguments):
        raise AssertionError("a classifier was trained")

    monkeypatch.setattr(train_classifier, "train", train)


def refused_output(capsys, *arguments):
    """The message with which `train_classifier` refuses `--output=digits.keras`."""
    given = ("--dataset=mnist", "--data_source=sample", "--output=digits.keras", *arguments)
    code, _, err = command(capsys, *given, module=train_classifier)
    assert code == 2
    assert err.count("\n") == 1
    return err.removeprefix("error: --output=digits.keras").rstrip()


def test_a_json_file_in_the_way_is_not_overwritten_unasked(
    tmp_path, nothing_trains, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits.json").write_text("years of work")
    assert refused_output(capsys) == ": digits.json exists; --overwrite replaces it."
    assert (tmp_path / "digits.json").read_text() == "years of work"


def test_a_classifier_that_could_not_be_written_has_no_description_of_another(
    tmp_path, monkeypatch
):
    def fail(path, model):
        raise KeyboardInterrupt

    monkeypatch.setattr(train_classifier, "train", lambda *arguments: (None, 0))
    monkeypatch.setattr(keras_files, "write_model", fail)
    for name in ("digits.keras", "digits.json"):
        (tmp_path / name).write_text("of another classifier")
    given = ["--dataset=mnist", "--data_source=sample", f"--output={tmp_path}/digits.keras"]
    with pytest.raises(KeyboardInterrupt):
        train_classifier._run(train_classifier._parse([*given, "--overwrite"], "prog"))
    assert [path.name for path in tmp_path.iterdir()] == ["digits.keras"]


@pytest.mark.parametrize("name", ["digits.keras", "digits.json"])
def test_a_folder_in_the_way_of_a_classifier_is_refused(
    name, tmp_path, nothing_trains, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    expected = f" cannot be written: {name} is a folder."
    assert refused_output(capsys, "--overwrite") == expected


def test_a_folder_that_cannot_be_written_is_found_before_training(
    tmp_path, nothing_trains, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    # Asked, since for root every folder can be written.
    monkeypatch.setattr(train_classifier.os, "access", lambda path, mode: False)
    assert refused_output(capsys) == " cannot be written: . is not writable."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output=a.h5"], "--output must end in .keras. Received: a.h5."),
        (["--output=a.keras", "--epochs=0"], "--epochs must be 1 or more. Received: 0."),
        (["--output=a.keras", "--seed=-1"], "--seed must be from 0 to 4294967295."),
        (
            ["--output=a.keras", "--data_source=sample", "--data_dir=sets"],
            "--data_dir is where --data_source=tfds finds its data; the sample comes with a "
            "package. Received: --data_source=sample --data_dir=sets.",
        ),
    ],
)
def test_a_mistake_in_training_a_classifier_is_one_paragraph(
    arguments, message, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    code, _, err = command(capsys, "--dataset=mnist", *arguments, module=train_classifier)
    assert code == 2
    assert err.startswith(f"error: {message}")
    assert list(tmp_path.iterdir()) == []

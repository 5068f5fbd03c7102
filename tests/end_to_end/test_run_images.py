"""`run_images.py` on a folder as people have them: the run, and every command that reads it."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

import improved_gan_tf
from improved_gan_tf import classify, compare, report, rescore, sample
from improved_gan_tf.scoring import arguments as score_arguments
from improved_gan_tf.scoring import score as score_module
from tests.support.commands import call_main, run_python
from tests.support.image_folders import write_image_folder
from tests.support.places import ROOT

pytestmark = pytest.mark.slow

CLASSES = ("Zoë 猫", "dark", "light")
SMALL = ["--width_multiplier=0.03", "--image_size=28", "--batch_size=4", "--cache_dir=cache"]


def command(*arguments, cwd):
    return run_python(ROOT / "run_images.py", *SMALL, *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with photos of all kinds of trouble, and a finished run on them."""
    place = tmp_path_factory.mktemp("own")
    photos = place / "photos"
    write_image_folder(photos / "train", CLASSES, per_class=4)
    write_image_folder(photos / "test", CLASSES, per_class=4, seed=1, size=(50, 31))
    write_image_folder(photos, ("unlabeled",), per_class=12, seed=2)
    (photos / "train" / "dark" / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    (photos / "train" / "notes.txt").write_text("taken in May")
    Image.new("CMYK", (64, 48), (0, 255, 255, 0)).save(photos / "train" / "dark" / "print.jpg")
    done = command("--image_folder=photos", "--epochs=2", "--run_dir=run", cwd=place)
    assert done.returncode == 0, done.stderr
    (place / "stdout.txt").write_text(done.stdout, "utf-8")
    (place / "stderr.txt").write_text(done.stderr, "utf-8")
    return place


def test_the_run_says_what_it_is_and_ends_with_the_answer(place):
    out = (place / "stdout.txt").read_text("utf-8")
    data = (
        "photos (25 training images, 13 of them labeled, of 3 classes; 12 test images; "
        "1 broken picture left out)"
    )
    assert f"{data}, feature_matching, 13 labels -> run" in out
    assert f"{data}, supervised only, 13 labels -> run/supervised_only" in out
    assert f"Not the paper's setting: data: {data}.\n" in out
    assert "paper, 13 labels" not in out
    last = out.rstrip().splitlines()[-1]
    assert last.startswith("Does the unlabeled data help? ")
    assert "of 12 test images wrong with it" in last
    assert "paired on the test images" in last
    err = (place / "stderr.txt").read_text("utf-8")
    for text in (
        "note: 1 file is left out, neither a picture of a class nor one without a label: "
        "train/notes.txt.",
        "note: The picture train/dark/broken.jpg cannot be read: ",
        "warning: 25 training images are few for this method",
        "warning: Fewer than 5 labels of class Zoë 猫, light:",
        "warning: 12 test images measure",
    ):
        assert text in err


def test_the_record_has_everything_that_the_rule_decided(place):
    config = json.loads((place / "run" / "config.json").read_text("utf-8"))
    assert config["class_names"] == list(CLASSES)
    assert config["image_shape"] == [28, 28, 3]
    assert (config["epochs"], config["evaluate_every"], config["averaging_rate"]) == (2, 1, 0.05)
    result = json.loads((place / "run" / "result.json").read_text("utf-8"))
    assert result["final"]["test_count"] == 12
    assert result["final"]["epochs"] == 2


def test_a_finished_run_is_refused_and_goes_on_with_more_epochs(place):
    again = command("--image_folder=photos", "--epochs=2", "--run_dir=run", cwd=place)
    assert again.returncode == 2
    assert "run" in again.stderr
    dry = command(
        "--image_folder=photos", "--epochs=3", "--evaluate_every=1", "--averaging_rate=0.05",
        "--run_dir=run", "--dry_run", cwd=place,
    )  # fmt: skip
    assert dry.returncode == 0, dry.stderr
    assert "3 epochs of 6 iterations, 13 labeled images" in dry.stdout


def test_compare_and_report_show_it_with_the_names_of_its_classes(place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    code, out, _ = call_main(compare.main, capsys, "run")
    assert code == 0
    assert "Images of one's own, not the paper's: test error in %" in out
    (line,) = [x for x in out.splitlines() if x.startswith("13") and "averaged" in x][:1]
    assert "feature_matching" in line
    assert "image_folder=" not in out  # there is one set only
    code, out, err = call_main(report.main, capsys, "run", "--output=report.html")
    assert code == 0, err
    page = (place / "report.html").read_text("utf-8")
    for name in CLASSES:
        assert name in page
    assert "photos (25 training images" in page
    assert "the test images could not be loaded" not in page


def test_its_networks_are_scored_again_with_the_same_counts(place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    code, out, err = call_main(rescore.main, capsys, "run")
    assert code == 0, err
    assert out.count("wrong, now") == 2


def test_its_samples_are_scored_against_its_own_images(place, monkeypatch):
    monkeypatch.chdir(place)
    arguments = score_arguments.parse(["run", "--classifier=any.keras"], "score", "")
    source, real, reason = score_module._source_and_real(arguments)
    assert reason is None
    assert (source.image_shape, real.image_shape) == ((28, 28, 3), (28, 28, 3))
    assert real.available == 25


def test_its_classifier_and_generator_are_used_by_class_names(place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    run = improved_gan_tf.load_run("run")
    assert run.class_names == CLASSES
    assert run.image_shape == (28, 28, 3)
    test = place / "photos" / "test"
    code, _, err = call_main(classify.main, capsys, "run", test, "--output=predictions.csv")
    assert code == 0, err
    with open("predictions.csv", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    assert header[3:] == list(CLASSES)
    found = np.array([line[3:] for line in lines], float)
    with np.load("run/predictions.npz", allow_pickle=False) as saved:
        # In the order of the test set: by class, then by name, as `classify` finds them.
        expected = np.exp(saved["logits_averaged"])
    np.testing.assert_allclose(found, expected / expected.sum(1, keepdims=True), atol=1e-4)
    code, _, _ = call_main(sample.main, capsys, "run", "--num_images=7", "--output=samples")
    assert code == 0
    assert len(list((place / "samples").glob("*.png"))) == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "error: Give one source of images: --image_folder=FOLDER"),
        (["--image_folder=nowhere"], "error: --image_folder must be a folder that exists"),
        (["--arrays=photos"], "error: --arrays must be an .npz file that exists"),
        (
            ["--image_folder=photos", "--labels_per_class=5"],
            "error: --labels_per_class must not exceed the number of labeled training images",
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_written(place, arguments, message):
    done = command(*arguments, "--run_dir=new", cwd=place)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (place / "new").exists()


def test_each_label_count_gets_an_answer(place):
    done = command(
        "--image_folder=photos", "--labels_per_class=2,4", "--epochs=1", "--run_dir=sweep",
        cwd=place,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = [x for x in done.stdout.splitlines() if "Does the unlabeled data help?" in x]
    assert [x.split(".")[0] for x in answers] == ["6 labels", "12 labels"]
    assert done.stdout.rstrip().endswith(answers[-1])
    assert all("of 12 test images wrong with it" in x for x in answers)
    names = ("labels6-seed1", "labels12-seed1")
    for name in names:
        assert (place / "sweep" / name / "supervised_only" / "result.json").exists()

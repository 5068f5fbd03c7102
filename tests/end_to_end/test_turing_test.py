"""The command of the visual Turing test as a user types it: pages, tallies and refusals."""

import functools
import json
import shlex

import keras
import numpy as np
import pytest
from PIL import Image

from improved_gan_tf import turing_test
from improved_gan_tf.data import datasets
from improved_gan_tf.networks import mnist
from improved_gan_tf.scoring import small_classifier, votes
from improved_gan_tf.scoring import turing_test as turing_test_images
from tests.support.commands import call_main, run_python
from tests.support.written_votes import write_votes

pytestmark = [
    # Keras's own conversion of variables to arrays, under NumPy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def _few_digits(monkeypatch):
    random = np.random.RandomState(0)
    images = random.randint(0, 256, (60, 28, 28, 1)).astype("uint8")
    labels = (np.arange(60) % 10).astype("int32")

    def load(*_):
        parts = (images, labels, images[:40], labels[:40])
        return datasets.Dataset(*parts, "noise", True, tuple("0123456789"))

    monkeypatch.setattr(datasets, "load", load)


command = functools.partial(call_main, turing_test.main)


@pytest.fixture
def run(tmp_path):
    """A run folder with a thin generator of digits."""
    folder = tmp_path / "run"
    folder.mkdir()
    mnist.mnist_generator(1, 0.02).save(folder / "generator.keras")
    config = {"dataset": "mnist", "pixels": [255, 0], "data_source": "sample", "data_dir": None}
    config["model"] = "feature_matching"
    (folder / "config.json").write_text(json.dumps(config))
    result = {"config": config, "differences_from_paper": ["epochs: 3 instead of 300"]}
    (folder / "result.json").write_text(json.dumps(result))
    return folder


def test_a_page_of_a_run_is_made_voted_on_and_counted(run, capsys):
    code, out, err = command(capsys, run, "--num_images=20")
    assert (code, err) == (0, "")
    folder = run / "turing_test"
    assert out.startswith(f"{folder}/turing_test.html: 20 images, ")
    assert "real:      10 of the test images of noise" in out
    assert "generated: 10 of the generator run/generator.keras" in out
    page = votes.read_page(folder)
    assert page.is_generated.sum() == 10
    key = page.key
    assert (key["dataset"], key["model"]) == ("mnist", "feature_matching")
    assert (key["feedback"], key["images_at_once"], key["seed"]) == (True, 1, 1)
    assert key["differences"] == ["epochs: 3 instead of 300"]
    assert key["best"] is None

    files = [write_votes(folder, page, "a", wrong=(1, 2, 3)), write_votes(folder, page, "b")]
    code, out, err = command(capsys, "--tally", *files, "--format=json")
    assert (code, err) == (0, "")
    content = json.loads(out)
    assert content["pooled"]["right"] | {"low": 0, "high": 0} == {
        **{"count": 37, "votes": 40, "share": 37 / 40, "low": 0, "high": 0},
    }
    code, out, _ = command(capsys, "--tally", *files)
    assert code == 0
    (line,) = [x for x in out.splitlines() if x.startswith("right %")]
    assert line.split("  ")[-1] == "52.4 (50.2 to 54.6)"
    assert "92.5 (80.1 to 97.4)" in line


def test_the_best_samples_by_a_classifier_are_shown_when_asked(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(small_classifier, "FILTERS", (2, 4))
    classifier = tmp_path / "digits.keras"
    keras.utils.set_random_seed(1)
    small_classifier.build_classifier((28, 28, 1), 10).save(classifier)
    classifier.with_suffix(".json").write_text(json.dumps({"kind": "classifier", "data": "d"}))
    arguments = ("--num_images=4", "--best=0.1", f"--classifier={classifier}", "--feedback=off")
    code, out, _ = command(capsys, run, *arguments, "--images_at_once=9")
    assert code == 0
    assert "the best of 20 by digits.keras, trained on d" in out
    key = votes.read_page(run / "turing_test").key
    assert key["best"] == {
        "share": 0.1,
        "num_candidates": 20,
        "classifier": "digits.keras, trained on d",
    }
    assert (key["feedback"], key["images_at_once"]) == (False, 9)


def test_pictures_in_two_folders_make_a_page_too(tmp_path, capsys):
    for name, level in (("real", 250), ("generated", 5)):
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.new("RGB", (9, 7), (level, number, 0)).save(tmp_path / name / f"{number}.png")
    arguments = (tmp_path / "generated", f"--real={tmp_path / 'real'}", "--num_images=6")
    code, _, err = command(capsys, *arguments)
    assert code == 2
    assert "is no run folder: say where to write the page with --output=DIR" in err
    code, out, err = command(capsys, *arguments, f"--output={tmp_path / 'page'}")
    assert (code, err) == (0, "")
    assert "real:      3 of the 3 pictures in real" in out
    assert votes.read_page(tmp_path / "page").key["dataset"] is None


def test_real_pictures_for_a_run_on_a_folder_may_be_of_any_size(tmp_path, capsys):
    run = tmp_path / "run"
    run.mkdir()
    noise = keras.Input((4,))
    pixels = keras.layers.Dense(8 * 8 * 3, activation="tanh")(noise)
    keras.Model(noise, keras.layers.Reshape((8, 8, 3))(pixels)).save(run / "generator.keras")
    config = {"dataset": "folder", "pixels": [127.5, 127.5], "objective": "hinge", "seed": 1}
    (run / "config.json").write_text(json.dumps(config))
    (tmp_path / "photos").mkdir()
    for number, size in enumerate([(9, 7), (20, 30)]):
        Image.new("RGB", size, (250, number, 0)).save(tmp_path / "photos" / f"{number}.png")
    code, out, err = command(capsys, run, f"--real={tmp_path / 'photos'}", "--num_images=4")
    assert (code, err) == (0, "")
    assert "real:      2 of the 2 pictures in photos" in out


def test_the_seed_decides_images_and_order_and_the_batches_are_those_asked_for(
    run, tmp_path, capsys, monkeypatch
):
    sizes, first = [], turing_test_images.first
    monkeypatch.setattr(
        turing_test_images, "first", lambda source, *of: sizes.append(of) or first(source, *of)
    )
    pages = []
    for number, given in enumerate(((), (), ("--seed=2",))):
        folder = tmp_path / str(number)
        command(capsys, run, "--num_images=40", "--batch_size=7", f"--output={folder}", *given)
        pages.append(votes.read_page(folder))
    assert sizes == 6 * [(20, 7)]
    orders = [page.is_generated.tolist() for page in pages]
    assert orders[0] == orders[1] != orders[2]
    images = [{i["sha256"] for i in page.key["images"] if not i["generated"]} for page in pages]
    assert images[0] == images[1] != images[2]


def test_a_page_of_a_runs_generator_says_what_a_page_of_the_run_says(run, tmp_path, capsys):
    keys = []
    for source in (run, run / "generator.keras"):
        folder = tmp_path / f"page {len(keys)}"
        code, out, err = command(capsys, source, "--num_images=4", f"--output={folder}")
        assert (code, err) == (0, "")
        *_, pattern = shlex.split(out.splitlines()[-1])
        assert pattern == f"{folder}/votes-*.json"
        keys.append(votes.read_page(folder).key)
    assert keys[1]["differences"] == keys[0]["differences"] == ["epochs: 3 instead of 300"]
    assert keys[1]["generator_sha256"] == keys[0]["generator_sha256"] is not None


def test_a_page_is_not_replaced_unasked(run, capsys):
    assert command(capsys, run, "--num_images=2")[0] == 0
    before = (run / "turing_test" / votes.KEY_NAME).read_text()
    code, _, err = command(capsys, run, "--num_images=2", "--seed=2")
    assert code == 2
    assert err.startswith(f"error: {run}/turing_test holds a page already; give another --output")
    assert (run / "turing_test" / votes.KEY_NAME).read_text() == before
    assert command(capsys, run, "--num_images=2", "--seed=2", "--overwrite")[0] == 0
    assert (run / "turing_test" / votes.KEY_NAME).read_text() != before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give either a run folder, generator or folder of pictures to make a page of, or"),
        (["RUN", "--tally", "x.json"], "Give either a run folder"),
        (["RUN", "--num_images=7"], "--num_images must be even and 2 or more: half of the images"),
        (["RUN", "--num_images=0"], "--num_images must be even and 2 or more"),
        (["RUN", "--num_images=100"], "A page of 100 images needs 50 of either kind. Received: 40"),
        (["RUN", "--seed=-1"], "--seed must be from 0 to 4294967295. Received: -1."),
        (["RUN", "--best=0.01"], "--best needs --classifier, whose score decides"),
        (["RUN", "--classifier=x.keras"], "and --classifier goes with it. Received: best=None"),
        (["RUN", "--weights=x.h5"], "no --classifier that could take it: leave --weights out."),
        (["RUN", "--classifier_range", "0", "1"], "leave --classifier_range out."),
        (["RUN", "--format=json"], "--format goes with --tally. Received: --format=json."),
        (["RUN", "--page=."], "--page goes with --tally. Received: --page=."),
        (
            ["--tally", "nowhere/votes-1.json", "--output=OUT"],
            "--output is for making a page, not for counting. Received: --output=",
        ),
        (["--tally", "nowhere/votes-1.json", "--num_images=10"], "--num_images is for making a"),
        (["--tally", "nowhere/votes-1.json", "--overwrite"], "--overwrite is for making a page"),
        (["RUN", "--best=1.5", "--classifier=x.keras"], "--best must lie between 0 and 1."),
        (["RUN", "--best=0.5", "--classifier=x.keras"], "--classifier must be a file that exists"),
        (["RUN", "--real=nowhere"], "--real must be a folder of pictures. Received: nowhere."),
        ([".", "--real=docs", "--output=OUT"], "--real must hold other pictures than those that"),
        (["RUN", "--real=.", "--real_data=mnist"], "--real=FOLDER takes the place of --real_data"),
        (["RUN", "--batch_size=0"], "--batch_size must be 1 or more. Received: 0."),
        (["nowhere", "--output=OUT"], "There is no run folder, generator or folder of pictures"),
        (["--tally", "nowhere/votes-1.json"], "The page that these votes are on cannot be read"),
    ],
)
def test_mistakes_are_told_in_one_paragraph_and_nothing_is_written(
    run, tmp_path, capsys, arguments, message
):
    places = {"RUN": str(run), "--output=OUT": f"--output={tmp_path / 'out'}"}
    code, out, err = command(capsys, *[places.get(a, a) for a in arguments])
    assert code == 2
    assert err.startswith("error: ")
    assert message in err
    assert out == ""
    assert not (run / "turing_test").exists()
    assert not (tmp_path / "out").exists()


def test_help_lists_every_argument(tmp_path):
    done = run_python("-m", "improved_gan_tf.turing_test", "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for flag in ("--tally", "--num_images", "--feedback", "--real", "--best", "--page"):
        assert flag in done.stdout

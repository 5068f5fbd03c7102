"""The run folder: what is written, what is refused, and that files are whole or absent."""

import contextlib
import io
import json
import os
import re
import subprocess

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing import event_accumulator

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files, versions
from improved_gan_tf.pages import truncation_figure
from improved_gan_tf.runs import curves
from improved_gan_tf.runs import run_folder as reporting

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:tensorboard.*"),
]


def metrics(epoch, averaged=0.5, raw=0.25):
    return {
        "epoch": epoch,
        "learning_rate": 0.003,
        "loss_supervised": 1.0 / (epoch + 1),
        "loss_unsupervised": 0.5,
        "loss_generator": 2.0,
        "train_error": 0.125,
        "test_error_averaged": averaged,
        "test_error_raw": raw,
        "seconds": 1.5,
        "collapsed": False,
    }


def files_of(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


# --- files are whole or absent -------------------------------------------------------------


def test_a_model_whose_saving_fails_leaves_nothing(tmp_path):
    class Broken:
        def save(self, path):
            path.write_text("half a model")
            raise RuntimeError("disk full")

    folder = reporting.RunFolder(tmp_path / "run")
    with contextlib.closing(folder), pytest.raises(RuntimeError, match="disk full"):
        folder.write_models({"generator": Broken()})
    assert files_of(tmp_path) == []


# --- the grid ------------------------------------------------------------------------------


def test_the_grid_goes_row_by_row_with_a_border_of_two():
    images = np.arange(6, dtype="uint8").reshape(6, 1, 1, 1)
    grid = reporting.image_grid(images, columns=3)
    assert grid.dtype == np.uint8
    _ = 128
    expected = [
        [_, _, _, _, _, _, _, _, _, _, _],
        [_, _, _, _, _, _, _, _, _, _, _],
        [_, _, 0, _, _, 1, _, _, 2, _, _],
        [_, _, _, _, _, _, _, _, _, _, _],
        [_, _, _, _, _, _, _, _, _, _, _],
        [_, _, 3, _, _, 4, _, _, 5, _, _],
        [_, _, _, _, _, _, _, _, _, _, _],
        [_, _, _, _, _, _, _, _, _, _, _],
    ]
    np.testing.assert_array_equal(grid[:, :, 0], expected)


def test_images_of_the_grid_stand_upright():
    image = np.arange(12, dtype="uint8").reshape(1, 2, 2, 3)
    grid = reporting.image_grid(image, columns=1)
    assert grid.shape == (6, 6, 3)
    np.testing.assert_array_equal(grid[2:4, 2:4], image[0])


# --- the folder ----------------------------------------------------------------------------


def test_a_new_folder_is_made_with_its_parents(tmp_path):
    folder = reporting.RunFolder(tmp_path / "runs" / "one")
    assert folder.path == tmp_path / "runs" / "one"
    assert folder.path.is_dir()
    folder.close()


def test_overwriting_moves_the_old_folders_aside_one_after_the_other(tmp_path):
    path = tmp_path / "run"
    for number in range(3):
        folder = reporting.RunFolder(path, overwrite=True)
        folder.write_json("config.json", {"number": number})
        folder.close()
    kept = {p.name: json.loads((p / "config.json").read_text()) for p in tmp_path.iterdir()}
    assert kept == {"run": {"number": 2}, "run.old-1": {"number": 0}, "run.old-2": {"number": 1}}


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("name", [".", ".."])
def test_the_current_folder_is_not_moved_aside(tmp_path, monkeypatch, name, absolute):
    here = tmp_path / "one" / "two"
    here.mkdir(parents=True)
    (here / "thesis.txt").write_text("years of work")
    monkeypatch.chdir(here)
    path = (here / name).resolve() if absolute else name
    with pytest.raises(UserError, match=rf"above it\. Received: --run_dir={path}\. "):
        reporting.RunFolder(path, overwrite=True)
    assert files_of(tmp_path) == ["one/two/thesis.txt"]


def test_a_folder_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "file").write_text("x")
    path = tmp_path / "file" / "run"
    with pytest.raises(UserError, match=rf"--run_dir={path} cannot be written: Not a directory\."):
        reporting.RunFolder(path)


# --- what is written -----------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    run_folder = reporting.RunFolder(tmp_path / "run")
    yield run_folder
    run_folder.close()


def test_json_is_readable_and_keeps_its_order(folder):
    folder.write_json("result.json", {"b": 1, "a": [None, 0.5, "x"]})
    text = (folder.path / "result.json").read_text()
    assert list(json.loads(text)) == ["b", "a"]
    assert text.endswith("}\n")


def test_metrics_are_one_json_line_an_epoch(folder):
    history = [metrics(0), metrics(1, averaged=None)]
    for line in history:
        folder.append_metrics(line)
    lines = (folder.path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == history


def test_a_line_that_has_to_be_written_again_is_there_once(folder, monkeypatch):
    monkeypatch.setattr(files, "PAUSES", (0.0,))
    scalar, failures = tf.summary.scalar, [OSError(28, "No space left on device")]

    def fails_once(*args):
        if failures:
            raise failures.pop()
        return scalar(*args)

    monkeypatch.setattr(tf.summary, "scalar", fails_once)
    folder.append_metrics(metrics(0))
    lines = (folder.path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [metrics(0)]


def test_a_continued_run_has_the_lines_of_its_history_and_no_others(folder):
    for epoch in range(3):
        folder.append_metrics(metrics(epoch))
    with open(folder.path / "metrics.jsonl", "a") as file:
        file.write('{"epoch": 3, "loss_')  # killed here
    folder.begin({}, [metrics(0), metrics(1)])
    folder.append_metrics(metrics(2, raw=0.25))
    lines = (folder.path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [metrics(0), metrics(1), metrics(2, raw=0.25)]


def test_beginning_tidies_up_what_a_kill_and_an_interruption_left(folder):
    folder.begin({}, [])
    folder.write_samples(np.zeros((100, 28, 28, 1), "uint8"), 2)
    folder.write_samples(np.zeros((100, 28, 28, 1), "uint8"), 2, interrupted=True)
    for name in (".12.curves.png", "samples/.345.epoch_0001.png", ".hidden"):
        (folder.path / name).write_text("half")
    folder.begin({"epochs": 3}, [metrics(0), metrics(1)])
    assert files_of(folder.path / "samples") == ["epoch_0002.png"]
    assert {".hidden", "config.json"} <= set(files_of(folder.path))
    assert ".12.curves.png" not in files_of(folder.path)


@pytest.mark.parametrize("status", ["finished", "interrupted"])
def test_a_run_that_goes_on_sets_its_result_and_score_aside(folder, status):
    for name in ("result", "score"):
        folder.write_json(f"{name}.json", {"status": status, "of": name, "final": {"epochs": 2}})
    # Of a finished run the newest checkpoint was damaged.
    folder.begin({}, [metrics(0)] if status == "finished" else [metrics(0), metrics(1)])
    aside = {"score.epochs2.json"} | ({"result.epochs2.json"} if status == "finished" else set())
    names = {name for name in files_of(folder.path) if name.startswith(("result", "score"))}
    assert names == aside | ({"result.json"} if status == "interrupted" else set())
    assert json.loads((folder.path / "score.epochs2.json").read_text())["of"] == "score"


def test_a_second_score_after_as_many_epochs_takes_no_ones_place(folder):
    for number in (1, 2, 3):
        folder.write_json("score.json", {"of": number})
        folder.begin({}, [metrics(0)])
    kept = [folder.path / f"score.epochs1{number}.json" for number in ("", "-2", "-3")]
    assert [json.loads(path.read_text())["of"] for path in kept] == [1, 2, 3]


def test_tensorboard_gets_the_same_numbers_and_the_samples(folder):
    folder.append_metrics(metrics(0))
    folder.append_metrics(metrics(1, averaged=None))
    folder.write_samples(np.zeros((100, 28, 28, 1), "uint8"), 2)
    folder.close()
    events = event_accumulator.EventAccumulator(
        str(folder.path / "tensorboard"), size_guidance={"tensors": 0}
    )
    events.Reload()

    def numbers(name):
        return {e.step: float(tf.make_ndarray(e.tensor_proto)) for e in events.Tensors(name)}

    assert numbers("loss/supervised") == {0: 1.0, 1: 0.5}
    assert numbers("error/test_averaged") == {0: 0.5}
    assert [e.step for e in events.Tensors("samples")] == [1]  # beside that epoch's numbers


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_samples_are_a_ten_by_ten_grid_as_png(folder, channels, mode):
    images = np.random.RandomState(0).randint(0, 256, (100, 28, 28, channels)).astype("uint8")
    folder.write_samples(images, 7)
    with Image.open(folder.path / "samples" / "epoch_0007.png") as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", mode, (302, 302))
        pixels = np.array(picture).reshape(302, 302, channels)
    # Row 4, column 2 of the grid is image 42.
    top, left = 2 + 4 * 30, 2 + 2 * 30
    np.testing.assert_array_equal(pixels[top : top + 28, left : left + 28], images[42])


def test_predictions_are_read_without_pickle(folder):
    folder.write_predictions(logits_raw=np.eye(3), labels=np.arange(3))
    with np.load(folder.path / "predictions.npz", allow_pickle=False) as saved:
        assert set(saved) == {"logits_raw", "labels"}
        np.testing.assert_array_equal(saved["logits_raw"], np.eye(3))


def test_models_are_saved_under_their_names(folder):
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    folder.write_models({"generator": model, "discriminator": model})
    assert files_of(folder.path) == [files.LOCK, "discriminator.keras", "generator.keras"]
    loaded = keras.saving.load_model(folder.path / "generator.keras")
    x = np.ones((1, 2), "float32")
    np.testing.assert_array_equal(np.array(loaded(x)), np.array(model(x)))


@pytest.mark.parametrize(
    "history",
    [
        [metrics(0)],
        [metrics(0), metrics(1, averaged=None, raw=None), metrics(2)],
        [metrics(0, averaged=None, raw=None)],
        [metrics(0, averaged=0.0, raw=0.0), metrics(1, averaged=0.0, raw=0.0)],
    ],
    ids=["one epoch", "a gap", "never tested", "no errors"],
)
def test_curves_are_a_picture(folder, history):
    folder.write_curves(history, "a title")
    with Image.open(folder.path / "curves.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (1100, 462))


def test_a_title_with_dollars_is_no_formula(folder):
    title = "shoes_$20_$50 (100 training images), feature_matching"
    folder.write_curves([metrics(0)], title)
    assert (folder.path / "curves.png").exists()
    point = {"threshold": None, "spread": 1.0, "score_mean": 2.0, "score_std": 0.1, "right": 0.5}
    point["right_by_class"] = [0.4, 0.6]
    grid = np.zeros((2 * 3, 8, 8, 1), np.uint8)
    truncation_figure.figure([point], [grid], title).savefig(io.BytesIO())


def test_curves_show_each_epochs_numbers():
    history = [metrics(0), metrics(1, averaged=None), metrics(2)]
    figure = curves.curves_figure(history, "a title")
    left, right = figure.axes
    supervised = next(line for line in left.lines if line.get_label() == "supervised")
    np.testing.assert_array_equal(supervised.get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(supervised.get_ydata(), [1.0, 0.5, 1.0 / 3.0])
    averaged = next(line for line in right.lines if "averaged" in line.get_label())
    np.testing.assert_array_equal(averaged.get_xdata(), [1, 3])
    np.testing.assert_array_equal(averaged.get_ydata(), [50.0, 50.0])  # per cent


def test_the_truncation_curve_has_the_spread_to_the_right_and_a_row_for_each_class():
    points = [
        {"threshold": t, "spread": spread, "score_mean": score, "score_std": 0.1, "right": 0.5}
        | {"right_by_class": [0.4, 0.6]}
        for t, spread, score in ((None, 1.0, 2.0), (0.5, 0.3, 4.0))
    ]
    grids = [np.zeros((6, 8, 8, 1), np.uint8)] * 2  # two classes, three images of each
    axes, panel, _ = truncation_figure.figure(points, grids, "a title").axes
    _, _, (bars,) = axes.containers[0]
    lengths = [np.ptp(segment[:, 1]) for segment in bars.get_segments()]
    np.testing.assert_allclose(lengths, [0.2, 0.2])
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[1.0, 2.0], [0.3, 4.0]])
    assert panel.images[0].get_array().shape[:2] == (2 * (8 + 2) + 2, 3 * (8 + 2) + 2)
    assert panel.images[0].get_clim() == (0, 255)  # not stretched


def test_curves_of_biggan_show_the_spread_and_each_players_spectra():
    history = [
        {"epoch": epoch, "loss_a": 1.0, "spread": 0.5}
        | {"sigma0/generator/block0_conv1": 3.0, "sigma0/generator/block0_conv2": 7.0}
        | {"sigma0/generator/block0_norm1/gain": 4.0, "sigma0/discriminator/logits/embed": 5.0}
        for epoch in (0, 1)
    ]
    *_, spread, generator, discriminator = curves.curves_figure(history, "a title").axes
    assert [line.get_ydata()[0] for line in spread.lines] == [0.5, 1.0, 0.1]
    assert [(line.get_color(), line.get_ydata()[0]) for line in generator.lines] == [
        ("C0", 3.0),
        ("C0", 7.0),
        ("C1", 4.0),
    ]
    kinds = [label.get_text() for label in generator.get_legend().get_texts()]
    assert kinds == ["convolutions", "gains and biases by class"]  # each kind once
    assert [text.get_text() for text in generator.texts] == ["block0_conv2"]  # the largest
    assert [line.get_ydata()[0] for line in discriminator.lines] == [5.0]


@pytest.mark.parametrize(
    ("errors", "bottom", "labels"),
    [
        ((0.5, 0.25), 20.0, {"20", "30", "40", "50"}),
        ((0.5, 0.02), 1.6, {"2", "5", "10", "20", "50"}),
        ((0.5, 0.0), 0.0, {"0", "0.1", "1", "10", "50"}),
    ],
)
def test_the_axis_of_errors_begins_below_the_least_and_has_plain_numbers(errors, bottom, labels):
    shown = dict.fromkeys(("test_error_averaged", "test_error_raw"))
    history = [metrics(i) | shown | {"train_error": e} for i, e in enumerate(errors)]
    figure = curves.curves_figure(history, "a title")
    axes = figure.axes[1]
    assert axes.get_ylim()[0] == pytest.approx(bottom)
    figure.draw_without_rendering()
    assert labels <= {label.get_text() for label in axes.get_yticklabels()}


def test_the_curves_of_one_epoch_are_points():
    left, _ = curves.curves_figure([metrics(0)], "a title").axes
    assert {line.get_marker() for line in left.lines} == {"."}


def test_curves_of_a_baseline_leave_out_the_losses_that_it_does_not_have():
    history = [
        {**metrics(epoch), "loss_unsupervised": 0.0, "loss_generator": 0.0} for epoch in (0, 1)
    ]
    figure = curves.curves_figure(history, "the data, " * 20 + "the game")
    lines = figure.get_suptitle().splitlines()
    assert max(map(len, lines)) <= 2 * curves.TITLE_WIDTH < len(" ".join(lines))
    left, _ = figure.axes
    assert [line.get_label() for line in left.lines] == ["supervised"]


def test_curves_of_minibatch_discrimination_show_its_closeness():
    history = [
        {**metrics(epoch), "closeness_real": real, "closeness_generated": 0.25}
        for epoch, real in enumerate([1.0, None, 1e-9])
    ]
    *_, third = curves.curves_figure(history, "a title").axes
    real, generated, limit = third.lines
    assert [line.get_label() for line in third.lines] == ["real", "generated", "silent below"]
    np.testing.assert_array_equal(real.get_xydata(), [[1, 1.0], [3, 1e-9]])
    np.testing.assert_array_equal(generated.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(limit.get_ydata(), 1e-3)


def test_the_commit_says_whether_files_were_changed(tmp_path, monkeypatch):
    code = tmp_path / "improved_gan_tf" / "machine"
    code.mkdir(parents=True)
    (code / "versions.py").write_text("first")

    def git(*arguments):
        author = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        subprocess.run(["git", *author, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    monkeypatch.setattr(versions, "__file__", str(code / "versions.py"))
    commit = versions.versions()["git_commit"]
    assert re.fullmatch("[0-9a-f]{40}", commit)
    (tmp_path / "new").write_text("not of the code")
    assert versions.versions()["git_commit"] == commit
    (code / "versions.py").write_text("second")
    assert versions.versions()["git_commit"] == f"{commit}+changes"


def test_versions_name_what_numbers_depend_on():
    found = versions.versions()
    assert set(found) == {
        "improved_gan_tf",
        "tensorflow",
        "keras",
        "numpy",
        "python",
        "git_commit",
        "device",
        "onednn",
        "num_threads",
    }
    assert found["device"] in ("CPU", "GPU")
    assert (found["num_threads"] is None) == (found["device"] == "GPU")
    assert found["onednn"] == os.environ.get("TF_ENABLE_ONEDNN_OPTS")
    assert found["keras"] == keras.__version__
    assert found["numpy"] == np.__version__

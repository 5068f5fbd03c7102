"""The user's command, in a process of its own: what it prints, writes, refuses and leaves."""

import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

import run_mnist
from improved_gan_tf.machine import environment
from tests.support import commands
from tests.support.commands import TIMEOUT, run_python
from tests.support.places import ROOT
from tests.support.prepared_data import write_prepared_mnist

# Raised inside TFDS while it writes.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SCRIPT = ROOT / "run_mnist.py"
SMALL = ["--data_source=sample", "--width_multiplier=0.1"]
THREE_EPOCHS = [*SMALL, "--epochs=3", "--evaluate_every=2"]
ENVIRONMENT = dict(commands.ENVIRONMENT)
ENVIRONMENT.pop(environment.ONEDNN, None)  # the command sets it where it is of use


def command(*arguments, cwd, code=None):
    """Runs the script, or `code`, in a new process and returns what it did."""
    program = [SCRIPT] if code is None else ["-c", code]
    return run_python(*program, *arguments, cwd=cwd, env=ENVIRONMENT)


def content(folder):
    """`{relative path: bytes}` of every file below a folder."""
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in pathlib.Path(folder).rglob("*")
        if p.is_file()
    }


def read_json(path):
    return json.loads(path.read_text("utf-8"))


def read_metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


# --- runs that several tests look at -------------------------------------------------------


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """`shared(name, make)`: a folder that `make(folder)` fills once, for all test processes."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent

    def get(name, make):
        folder, done = base / name, base / f"{name}.done"
        with open(base / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return get


def three_epochs(*arguments):
    def make(folder):
        done = command(*THREE_EPOCHS, f"--run_dir={folder}/run", *arguments, cwd=folder)
        assert done.returncode == 0, done.stderr
        (folder / "stdout.txt").write_text(done.stdout)
        (folder / "stderr.txt").write_text(done.stderr)

    return make


@pytest.fixture(scope="session")
def finished(shared):
    """A finished run of three epochs with its baseline."""
    return shared("finished", three_epochs("--with_baseline"))


@pytest.fixture(scope="session")
def prepared(shared):
    """A folder with 40 training and 20 test images as TFDS prepares them."""
    return shared("prepared", write_prepared_mnist)


# --- --help and --dry_run ------------------------------------------------------------------


def test_help_lists_every_setting_with_default_and_source(tmp_path):
    done = command("--help", cwd=tmp_path)
    assert done.returncode == 0
    _, *entries = re.split(r"^  --(?:\[no\])?(\w+): ", done.stdout, flags=re.M)
    described = dict(zip(entries[::2], entries[1::2], strict=True))
    settings = [f for f in dataclasses.fields(run_mnist.EXPERIMENT) if f.metadata]
    settings = [f for f in settings if f.name != "ablation"]  # this script has no such rows
    assert len(settings) >= 12
    for field in settings:
        default = getattr(run_mnist.EXPERIMENT, field.name)
        entry = " ".join(described[field.name].split())
        shown = "not given" if default is None else default
        assert f". Default: {shown}" in entry, field.name
        assert "(from " in entry, field.name
    assert content(tmp_path) == {}


def test_dry_run_says_what_would_run_and_writes_nothing(tmp_path):
    done = command(*SMALL, "--dry_run", "--epochs=7", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "\nepochs = 7  (default: 300)\n" in done.stdout
    assert "\nlearning_rate = 0.003\n" in done.stdout
    assert "None" not in done.stdout
    assert len(done.stdout.splitlines()) < 25
    assert "7 epochs of 40 iterations, 100 labeled images" in done.stdout
    assert "Nothing was saved (--dry_run)" in done.stdout
    assert re.search(
        r"\nTimed here: [\d.]+ ms an iteration, [\d.]+ s an evaluation\. At this pace the run "
        r"takes about [\d.]+ (seconds|minutes|hours)\.\n",
        done.stdout,
    )
    assert content(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


# --- the run folder ------------------------------------------------------------------------


def test_the_run_folder_has_every_file_that_is_promised(finished):
    files = set(content(finished / "run"))
    events = {f for f in files if f.startswith("tensorboard/events.out.tfevents.")}
    own = {f for f in files - events if not f.startswith("supervised_only/")}
    assert len(events) == 1
    assert own == {
        "config.json",
        "metrics.jsonl",
        "checkpoints/checkpoint-000000120.npz",
        "samples/epoch_0002.png",
        "samples/epoch_0003.png",
        "curves.png",
        "predictions.npz",
        "discriminator.keras",
        "discriminator_raw.keras",
        "generator.keras",
        "generator_frozen.keras",
        "result.json",
    }


def test_there_is_one_line_of_metrics_an_epoch(finished):
    lines = read_metrics(finished / "run")
    assert [m["epoch"] for m in lines] == [0, 1, 2]
    assert [m["test_error_averaged"] is None for m in lines] == [True, False, False]
    assert [m["test_error_raw"] is None for m in lines] == [True, False, False]
    for line in lines:
        assert line["learning_rate"] == 0.003
        assert line["loss_supervised"] > 0.0
        assert line["loss_unsupervised"] > 0.0
        assert line["loss_generator"] > 0.0
        assert 0.0 <= line["train_error"] <= 1.0
        assert line["seconds"] > 0.0
        assert line["collapsed"] is False


def test_three_epochs_teach_the_network_something(finished):
    lines = read_metrics(finished / "run")
    assert lines[2]["loss_supervised"] < 0.5 * lines[0]["loss_supervised"]
    assert lines[2]["test_error_raw"] < 0.6  # 0.9 is chance


def test_the_settings_are_saved_as_resolved(finished):
    config = read_json(finished / "run" / "config.json")
    expected = run_mnist.EXPERIMENT.to_dict() | {
        "data_source": "sample",
        "width_multiplier": 0.1,
        "epochs": 3,
        "evaluate_every": 2,
        "with_baseline": True,
        "run_dir": f"{finished}/run",
    }
    assert config == expected


def test_the_result_says_what_ran_and_what_came_out(finished):
    result = read_json(finished / "run" / "result.json")
    metrics = read_metrics(finished / "run")
    assert result["status"] == "finished"
    assert result["config"] == read_json(finished / "run" / "config.json")
    assert result["wall_seconds"] > 0.0
    assert {"tensorflow", "keras", "numpy", "python", "git_commit"} <= set(result["versions"])
    asked = {"x86_64": "1", "AMD64": "1"}.get(platform.machine())
    assert result["versions"]["onednn"] == asked
    final = result["final"]
    assert (final["epochs"], final["models_of_epoch"], final["test_count"]) == (3, 3, 1000)
    assert final["metrics"] == metrics[-1]
    assert final["test_wrong_averaged"] == 1000 * metrics[-1]["test_error_averaged"]
    assert final["test_wrong_raw"] == 1000 * metrics[-1]["test_error_raw"]
    assert final["average_weight"] == pytest.approx(1.0 - 0.9999**120)
    assert final["collapsed_at_epoch"] is None
    assert "sample" in result["title"]
    assert any("sample" in d for d in result["differences_from_paper"])
    assert "epochs: 3 instead of 300" in result["differences_from_paper"]


def test_predictions_hold_logits_and_labels_of_every_test_image(finished):
    result = read_json(finished / "run" / "result.json")["final"]
    with np.load(finished / "run" / "predictions.npz", allow_pickle=False) as saved:
        assert set(saved) == {"logits_averaged", "logits_raw", "labels"}
        np.testing.assert_array_equal(np.bincount(saved["labels"]), [100] * 10)
        for kind in ("averaged", "raw"):
            logits = saved[f"logits_{kind}"]
            assert logits.shape == (1000, 10)
            wrong = np.sum(np.argmax(logits, axis=1) != saved["labels"])
            assert wrong == result[f"test_wrong_{kind}"]


def test_pictures_have_their_sizes(finished):
    run = finished / "run"
    for name in ("epoch_0002.png", "epoch_0003.png"):
        with Image.open(run / "samples" / name) as picture:
            assert (picture.size, picture.mode) == ((302, 302), "L")
            assert np.std(np.array(picture)) > 5.0
    with Image.open(run / "curves.png") as picture:
        assert picture.size == (1100, 462)


def test_each_epoch_is_one_line_of_a_table(finished):
    lines = (finished / "stdout.txt").read_text().splitlines()
    tables = [i for i, line in enumerate(lines) if line.startswith("epoch  ")]
    assert len(tables) == 2  # the run's and the baseline's
    columns = ["epoch", "supervised", "unsupervised", "generator"]
    tested = ["error", "error", "best", "error", "best", "time"]
    assert [lines[i].split() for i in tables] == [columns + tested, columns[:2] + tested]
    for i, losses in zip(tables, (3, 1), strict=True):
        rows = [line.split() for line in lines[i + 1 : i + 4]]
        assert [row[0] for row in rows] == ["1", "2", "3"]
        for number, row in enumerate(rows, 1):
            metrics, (seconds, unit) = row[1 + losses : -2], row[-2:]
            assert all(float(loss) > 0.0 for loss in row[1 : 1 + losses])
            # The training error, and test errors where the epoch was evaluated.
            assert len(metrics) == (1 if number == 1 else 5)
            assert all(re.fullmatch(r"\d+\.\d\d%", text) for text in metrics)
            assert (float(seconds) > 0.0, unit) == (True, "s")


def test_what_is_written_to_a_file_has_whole_lines_only(finished):
    told = {name: (finished / name).read_bytes() for name in ("stdout.txt", "stderr.txt")}
    assert not [name for name, text in told.items() if b"\r" in text]
    assert re.findall(rb"^(\w+): 100% 120/120 \[", told["stderr.txt"], re.M) == [
        b"run",
        b"supervised_only",
    ]


# --- the table -----------------------------------------------------------------------------


def table_of(finished):
    lines = (finished / "stdout.txt").read_text().splitlines()
    rows = [[c.strip() for c in x.strip("|").split("|")] for x in lines if x.startswith("| ")]
    assert rows[0] == ["test error", "as in the paper", "measured otherwise"]
    return {row[0]: row[1:] for row in rows[1:]}


def test_the_table_sets_run_and_baseline_beside_the_paper(finished):
    assert set(table_of(finished)) == {
        "feature_matching, averaged parameters",
        "feature_matching, raw parameters",
        "supervised only, averaged parameters",
        "supervised only, raw parameters",
        "paper, 100 labels, full data, 10 splits",
    }


def test_no_result_on_the_sample_stands_in_the_papers_column(finished):
    for name, (as_paper, otherwise) in table_of(finished).items():
        if name.startswith("paper"):
            assert (as_paper, otherwise) == ("0.93 % +- 0.065 (93 +- 6.5 of 10,000)", "")
        else:
            assert as_paper == ""
            assert otherwise.endswith("of 1,000)")


def test_what_keeps_the_result_out_of_the_papers_column_is_printed(finished):
    text = (finished / "stdout.txt").read_text()
    assert "Not the paper's setting: data: MNIST sample" in text
    assert "starts at zero; after this run it holds 1 % of its weight, far from settled" in text


# --- the baseline --------------------------------------------------------------------------


def test_the_baseline_has_a_folder_of_its_own_without_a_generator(finished):
    folder = finished / "run" / "supervised_only"
    files = set(content(folder))
    assert {"result.json", "discriminator.keras", "predictions.npz", "curves.png"} <= files
    assert "generator.keras" not in files
    assert not any(f.startswith("samples/") for f in files)
    result = read_json(folder / "result.json")
    assert result["config"]["supervised_only"] is True
    assert result["status"] == "finished"
    for line in read_metrics(folder):
        assert (line["loss_unsupervised"], line["loss_generator"]) == (0.0, 0.0)
        assert line["collapsed"] is False


# --- the saved networks --------------------------------------------------------------------

LOAD = """
import json, sys
import keras, numpy as np
import improved_gan_tf.layers
from improved_gan_tf.data import datasets

run = sys.argv[1]
sample = datasets.load("mnist", data_source="sample")
images = sample.test_images.astype("float32") / 255.0
saved = np.load(f"{run}/predictions.npz", allow_pickle=False)
found = {}
for name, kind in (("discriminator", "averaged"), ("discriminator_raw", "raw")):
    model = keras.saving.load_model(f"{run}/{name}.keras", safe_mode=True)
    logits = np.array(model(images, training=False)["logits"])
    found[f"wrong_{kind}"] = int(np.sum(np.argmax(logits, 1) != sample.test_labels))
    found[f"difference_{kind}"] = float(np.max(np.abs(logits - saved[f"logits_{kind}"])))
    found[f"size_{kind}"] = float(np.max(np.abs(logits)))
generator = keras.saving.load_model(f"{run}/generator.keras", safe_mode=True)
drawn = np.array(generator(np.random.RandomState(1).uniform(size=(20, 100)).astype("float32")))
found["drawn"] = [list(drawn.shape), float(drawn.min()), float(drawn.max()), float(drawn.std())]
print(json.dumps(found))
"""


def test_saved_networks_load_in_a_fresh_process_and_give_the_recorded_results(finished, tmp_path):
    done = command(finished / "run", cwd=tmp_path, code=LOAD)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    final = read_json(finished / "run" / "result.json")["final"]
    for kind in ("averaged", "raw"):
        assert found[f"wrong_{kind}"] == final[f"test_wrong_{kind}"]
        assert found[f"difference_{kind}"] <= 1e-5 * found[f"size_{kind}"]
    shape, low, high, spread = found["drawn"]
    assert shape == [20, 28, 28, 1]
    assert 0.0 <= low < high <= 1.0
    assert spread > 0.05


# --- seeds ---------------------------------------------------------------------------------


def without_times(folder):
    return [{k: v for k, v in m.items() if k != "seconds"} for m in read_metrics(folder)]


def test_the_same_seed_gives_the_same_bits(finished, shared):
    again = shared("again", three_epochs())
    assert without_times(again / "run") == without_times(finished / "run")
    with (
        np.load(finished / "run" / "predictions.npz") as one,
        np.load(again / "run" / "predictions.npz") as other,
    ):
        for name in ("logits_averaged", "logits_raw", "labels"):
            np.testing.assert_array_equal(one[name], other[name])
    sample = "run/samples/epoch_0003.png"
    assert (finished / sample).read_bytes() == (again / sample).read_bytes()


def test_another_seed_gives_another_run(finished, tmp_path):
    done = command(*SMALL, "--epochs=1", "--seed=2", f"--run_dir={tmp_path}/run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    one, other = (read_metrics(f / "run")[0] for f in (finished, tmp_path))
    for name in ("loss_supervised", "loss_unsupervised", "loss_generator"):
        assert one[name] != other[name]


# --- an existing run folder ----------------------------------------------------------------


def test_a_folder_with_content_is_refused_untouched_and_moved_aside_when_asked(prepared, tmp_path):
    run = tmp_path / "run"
    (run / "deep").mkdir(parents=True)
    (run / "deep" / "thesis.txt").write_text("years of work")
    before = content(run)
    small = [f"--data_dir={prepared}", "--epochs=1", "--batch_size=20", "--labels_per_class=2"]
    arguments = [*small, "--width_multiplier=0.1", f"--run_dir={run}"]
    refused = command(*arguments, cwd=tmp_path)
    assert_user_error(refused, f"--run_dir={run} exists and is not empty")
    assert "--overwrite" in refused.stderr
    assert content(run) == before

    done = command(*arguments, "--overwrite", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert content(tmp_path / "run.old-1") == before
    # The same run shows what a part of the real data set is called.
    result = read_json(run / "result.json")
    assert result["status"] == "finished"
    assert result["title"].startswith("PARTIAL mnist (TFDS 3.0.1): 40 of 60,000")
    assert any("PARTIAL" in d for d in result["differences_from_paper"])


# --- interrupted, diverged -----------------------------------------------------------------


def wait_for(condition, process):
    begin = time.monotonic()
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() - begin < TIMEOUT
        time.sleep(0.1)


def test_ctrl_c_leaves_a_usable_folder_and_says_so(tmp_path):
    run = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *SMALL, "--evaluate_every=100", f"--run_dir={run}"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with contextlib.closing(process.stdout), contextlib.closing(process.stderr):
        try:
            wait_for((run / "metrics.jsonl").exists, process)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert "Ctrl-C: stopping and saving" in stderr
    assert "interrupted: the files are from the moment" in stdout

    result = read_json(run / "result.json")
    epochs = len(read_metrics(run))
    assert result["status"] == "interrupted"
    assert 1 <= epochs < 300
    assert result["final"]["epochs"] == epochs
    assert result["final"]["models_of_epoch"] == epochs
    assert result["final"]["test_wrong_averaged"] is not None
    files = set(content(run))
    assert {
        "config.json",
        "curves.png",
        "predictions.npz",
        "discriminator.keras",
        "discriminator_raw.keras",
        "generator.keras",
        f"samples/epoch_{epochs:04d}_interrupted.png",
    } <= files
    assert not [f for f in files if f.split("/")[-1].startswith(".")]
    with np.load(run / "predictions.npz", allow_pickle=False) as saved:
        wrong = int(np.sum(np.argmax(saved["logits_raw"], 1) != saved["labels"]))
    assert wrong == result["final"]["test_wrong_raw"]


def test_sigterm_while_evaluating_leaves_a_checkpoint_and_the_same_command_continues(tmp_path):
    run = tmp_path / "run"
    arguments = [*SMALL, "--epochs=2", "--evaluate_every=1", f"--run_dir={run}"]
    # The signal comes from inside the first evaluation.
    code = f"""
import os, runpy, signal, sys
from improved_gan_tf.training import evaluation
logits = evaluation.Predictor.logits

def logits_and_signal(self):
    os.kill(os.getpid(), signal.SIGTERM)
    return logits(self)

evaluation.Predictor.logits = logits_and_signal
sys.argv[0] = {str(SCRIPT)!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""
    stopped = command(*arguments, cwd=tmp_path, code=code)
    assert stopped.returncode == 143, stopped.stderr
    assert "SIGTERM: stopping and saving" in stopped.stderr
    assert "give the same command again to continue" in stopped.stdout
    assert read_json(run / "result.json")["status"] == "interrupted"
    (checkpoint,) = (run / "checkpoints").iterdir()
    assert checkpoint.name == "checkpoint-000000040.npz"

    continued = command(*arguments, cwd=tmp_path)
    assert continued.returncode == 0, continued.stderr
    assert f"continuing after epoch 1, iteration 0 of the next ({checkpoint})" in continued.stdout
    assert [m["epoch"] for m in read_metrics(run)] == [0, 1]
    again = command(*arguments, cwd=tmp_path)
    assert_user_error(again, f"The run in {run} is finished, all 2 epochs.")


def test_a_learning_rate_that_breaks_the_losses_stops_at_once_and_says_what_to_try(tmp_path):
    run = tmp_path / "run"
    done = command(*SMALL, "--learning_rate=1e30", f"--run_dir={run}", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    message = paragraph(done.stderr)
    assert "loss became NaN or infinite in epoch 1, iteration " in message
    assert "Try a smaller --learning_rate (received 1e+30)" in message
    assert str(run) in message
    result = read_json(run / "result.json")
    assert result["status"] == "diverged"
    assert result["config"]["learning_rate"] == 1e30


# --- bad input -----------------------------------------------------------------------------


def paragraph(stderr):
    """The last line, which starts with "error: "; TensorFlow's own log may stand before it."""
    assert "Traceback" not in stderr, stderr
    *before, last = stderr.rstrip("\n").split("\n")
    assert last.startswith("error: "), stderr
    assert not [line for line in before if line.startswith("error: ")], stderr
    return last


def assert_user_error(done, *texts):
    assert done.returncode == 2, done.stderr
    message = paragraph(done.stderr)
    for text in texts:
        assert text in message


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("--labels_per_class=0", "--labels_per_class must be a whole number of 1 or more"),
        ("--epochs=0", "--epochs must be a whole number of 1 or more. Received: 0."),
        ("--epochs=-3", "--epochs must be a whole number of 1 or more. Received: -3."),
        ("--batch_size=0", "--batch_size must be a whole number of 2 or more. Received: 0."),
        ("--batch_size=-1", "--batch_size must be a whole number of 2 or more. Received: -1."),
        ("--evaluate_every=0", "--evaluate_every must be a whole number of 1 or more"),
        ("--learning_rate=0", "--learning_rate must be a finite number larger than 0"),
        ("--learning_rate=nan", "--learning_rate must be a finite number larger than 0"),
        ("--seed=-1", "--seed must be a whole number from 0 to 4294967295. Received: -1."),
        ("--recipe=best", "--recipe must be one of: released, first_release"),
        ("--data_source=web", "--data_source must be one of: tfds, sample. Received: 'web'."),
        ("--epochs=many", "epochs"),
        ("--labels=100", "labels"),
        ("mnist", "Settings are given as --name=value. Received: 'mnist'."),
    ],
)
def test_a_setting_out_of_range_is_refused_before_anything_starts(argument, text, tmp_path):
    assert_user_error(command(argument, cwd=tmp_path), text)
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_that_does_not_exist_is_refused(tmp_path):
    done = command(f"--data_dir={tmp_path}/missing", cwd=tmp_path)
    assert_user_error(
        done, f"--data_dir must be a folder that exists. Received: {tmp_path}/missing"
    )
    assert list(tmp_path.iterdir()) == []


OFFLINE = f"""
import runpy, socket, sys

def refuse(*args, **kwargs):
    raise OSError("Network is unreachable")

socket.create_connection = refuse
socket.socket.connect = refuse
sys.argv[0] = {str(SCRIPT)!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_without_data_and_network_the_command_says_what_to_do(tmp_path):
    (tmp_path / "data").mkdir()
    done = command(f"--data_dir={tmp_path}/data", cwd=tmp_path, code=OFFLINE)
    assert_user_error(
        done,
        f"No prepared 'mnist' data in {tmp_path}/data, and no network to download it",
        "--data_dir=PARENT",
        "--data_source=sample",
    )
    assert content(tmp_path) == {}


def test_settings_that_do_not_fit_the_data_are_refused(prepared, tmp_path):
    arguments = [f"--data_dir={prepared}", "--labels_per_class=2", "--batch_size=41"]
    done = command(*arguments, cwd=tmp_path)
    assert_user_error(done, "--batch_size must not exceed the 40 training images. Received: 41.")
    assert list(tmp_path.iterdir()) == []


def test_a_run_folder_that_cannot_be_written_is_refused(prepared, tmp_path):
    (tmp_path / "file").write_text("x")
    run = tmp_path / "file" / "run"
    small = ["--batch_size=20", "--labels_per_class=2"]
    done = command(f"--data_dir={prepared}", *small, f"--run_dir={run}", cwd=tmp_path)
    assert_user_error(done, f"--run_dir={run} cannot be written")
    assert content(tmp_path) == {"file": b"x"}


def test_a_damaged_record_is_explained(tmp_path):
    write_prepared_mnist(tmp_path / "data")
    (record,) = (tmp_path / "data").rglob("*train*")
    record.write_bytes(record.read_bytes()[:-20])
    before = content(tmp_path)
    done = command(f"--data_dir={tmp_path}/data", cwd=tmp_path)
    folder = tmp_path / "data" / "mnist" / "3.0.1"
    assert_user_error(done, f"The 'mnist' data in {folder} cannot be read", "damaged", "--data_dir")
    assert content(tmp_path) == before

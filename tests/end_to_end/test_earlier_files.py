"""Files written before the package moved into rooms: they load, go on and are compared as ever.

`tests/goldens/before_the_rooms/README.md` says how they were made. Only what users call is used
here: the scripts, the `python -m` commands and the public layers.
"""

import collections
import hashlib
import json
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

import keras
import numpy as np
import pytest

import improved_gan_tf.layers  # saved models name the layers: importing it registers them

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parent.parent.parent
EARLIER = ROOT / "tests" / "goldens" / "before_the_rooms"
COMMANDS = json.loads((EARLIER / "commands.json").read_text("utf-8"))
RECORDED = json.loads((EARLIER / "ends.json").read_text("utf-8"))
ADDED = {"recovered_at_epoch"}  # what `final` has had only since
MODELS = sorted(str(p.relative_to(EARLIER).with_suffix("")) for p in EARLIER.rglob("*.keras"))
STOPPED = ("feature_matching", "minibatch_discrimination", "imagenet")

ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_NUM_INTRAOP_THREADS": "1",  # as when the files were made: sums depend on it
}
ENVIRONMENT.pop("TF_ENABLE_ONEDNN_OPTS", None)  # the commands set it where it is of use

# Processors, versions and numbers of threads round differently. What two threads without oneDNN's
# kernels changed, as measured when the files were made, and what is therefore allowed:
OUTPUTS = 1e-6  # of the largest output; 3.6e-7 measured
LOSSES = 2e-4  # of the loss; 1.4e-5 measured
CLOSENESS = 0.1  # of the closeness, after an update of a network of one channel; 0.017 measured
ERRORS = 0.02  # of the images; none measured, but some lie at the border of two classes


def command(*arguments, cwd):
    """Runs Python in a new process and returns what it did."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,  # seconds, for a machine with other work; a command takes ten
    )


def read_json(path):
    return json.loads(path.read_text("utf-8"))


def read_metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def arrays_of(archive):
    """`{name: array}` of a checkpoint; its header is left out."""
    with np.load(archive, allow_pickle=False) as saved:
        return {name: saved[name] for name in saved.files if name != "header"}


# --- models --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_a_model_loads_and_predicts_what_it_predicted(name):
    model = keras.saving.load_model(EARLIER / f"{name}.keras", safe_mode=True)
    shape = (4, *model.input_shape[1:])
    inputs = np.random.RandomState(0).random_sample(shape).astype("float32")
    found = model(inputs, training=False)
    found = found if isinstance(found, dict) else {"images": found}
    with np.load(EARLIER / "outputs.npz", allow_pickle=False) as saved:
        expected = {k.split("/")[-1]: v for k, v in saved.items() if k.startswith(f"{name}/")}
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert np.std(values) > 0.0
        tolerance = OUTPUTS * np.max(np.abs(values))
        np.testing.assert_allclose(np.array(found[key]), values, rtol=0.0, atol=tolerance)


def test_some_model_holds_each_public_layer():
    model = keras.saving.load_model(EARLIER / "every_layer.keras", safe_mode=True)
    public = vars(improved_gan_tf.layers)
    classes = {n for n in improved_gan_tf.layers.__all__ if isinstance(public[n], type)}
    in_the_file = {type(layer).__name__ for layer in model.layers}
    # Those of that time: a layer that is newer has no such file.
    assert {
        "BatchStatisticsNorm",
        "CrossBatchNorm",
        "DropReference",
        "Dropout",
        "FrozenVirtualBatchNorm",
        "GaussianNoise",
        "LeakyReLU",
        "MinibatchDiscrimination",
        "PrependReference",
        "VirtualBatchNorm",
        "WeightNormConv2D",
        "WeightNormConv2DTranspose",
        "WeightNormDense",
    } == classes & in_the_file


# --- runs that were stopped ----------------------------------------------------------------

# Runs a script and keeps the value of every variable at the moment when it says that it goes on:
# all is restored then, and nothing has been trained.
WATCHED = """
import gc, runpy, sys
import numpy as np

class Output:
    def __init__(self, stream):
        self.stream = stream
    def __getattr__(self, name):
        return getattr(self.stream, name)
    def write(self, text):
        if text.startswith("continuing after epoch"):
            kind = sys.modules["tensorflow"].Variable
            alive = [v.numpy() for v in gc.get_objects() if issubclass(type(v), kind)]
            np.savez("restored.npz", *alive)
        return self.stream.write(text)

sys.stdout = Output(sys.stdout)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Continued(NamedTuple):
    """A stopped run's folder after its command was given again."""

    name: str
    folder: pathlib.Path
    checkpoint: dict  # arrays of the earlier file
    restored: list  # arrays, the variables before the first further iteration


@pytest.fixture(scope="module", params=STOPPED)
def continued(request, tmp_path_factory):
    name = request.param
    parent = tmp_path_factory.mktemp(name)
    folder = parent / name
    shutil.copytree(EARLIER / "stopped" / name, folder)
    shutil.copytree(EARLIER / "pictures", parent / "pictures")
    (packed,) = folder.glob("checkpoints/*.xz")
    checkpoint = packed.with_suffix("")
    checkpoint.write_bytes(lzma.decompress(packed.read_bytes()))
    packed.unlink()
    held = arrays_of(checkpoint)
    script, *arguments = COMMANDS[f"stopped/{name}"]
    done = command("-c", WATCHED, ROOT / script, *arguments, cwd=parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{name}/checkpoints/{checkpoint.name}" in done.stdout
    restored = list(arrays_of(parent / "restored.npz").values())
    return Continued(name, folder, held, restored)


def folders(run):
    """`[(folder, what the uninterrupted run ended with)]`, the baseline's after its run's."""
    names = [n for n in RECORDED["ends"] if n.split("/")[0] == run.name]
    return [(run.folder.parent / n, RECORDED["ends"][n]) for n in names]


def identity(array):
    return str(array.dtype), array.shape, array.tobytes()


def digest(array):
    return [str(array.dtype), hashlib.sha256(array.tobytes()).hexdigest()[:16]]


def without_times(metrics):
    return {k: v for k, v in metrics.items() if k != "seconds"}


def final_state(folder):
    (path,) = folder.glob("checkpoints/*.npz")
    return arrays_of(path)


def test_every_array_of_the_checkpoint_is_restored_bit_for_bit(continued):
    held = collections.Counter(map(identity, continued.checkpoint.values()))
    assert len(held) > 20
    assert not held - collections.Counter(map(identity, continued.restored))


def test_the_epochs_before_the_stop_are_as_they_were(continued):
    before = read_metrics(EARLIER / "stopped" / continued.name)
    assert len(before) == 1
    assert read_metrics(continued.folder)[:1] == before


def test_the_run_ends_as_the_uninterrupted_one_did(continued):
    for folder, end in folders(continued):
        assert read_json(folder / "result.json")["status"] == "finished"
        metrics, expected = read_metrics(folder), end["metrics"]
        assert [m["epoch"] for m in metrics] == [m["epoch"] for m in expected]
        for found, wanted in zip(metrics, expected, strict=True):
            assert_close(without_times(found), without_times(wanted))
        final, wanted = read_json(folder / "result.json")["final"], end["final"]
        assert final.keys() - ADDED == wanted.keys()
        for key in ("epochs", "models_of_epoch", "models_of_iteration"):
            assert final[key] == wanted[key]


def assert_close(found, wanted):
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        if value is None or isinstance(value, bool):
            assert found[name] is value, name
        elif name == "closeness_real":  # then of 100 images of one class, now of all (D8)
            assert 0.0 < found[name] < 99.0
        elif "error" in name:
            assert found[name] == pytest.approx(value, abs=ERRORS), name
        else:
            share = CLOSENESS if "closeness" in name else LOSSES
            assert found[name] == pytest.approx(value, rel=share), name


def test_the_last_checkpoint_holds_the_same_variables_and_the_same_counts(continued):
    """Counts of iterations and states of random numbers are whole numbers: nothing rounds them."""
    for folder, end in folders(continued):
        found = {n: digest(a) for n, a in final_state(folder).items()}
        assert {n: d[0] for n, d in found.items()} == {n: d[0] for n, d in end["state"].items()}
        whole = {n: d for n, d in end["state"].items() if "int" in d[0]}
        assert len(whole) >= 3
        assert {n: found[n] for n in whole} == whole


def test_on_the_processor_and_versions_of_the_files_every_bit_is_the_same(continued):
    for folder, end in folders(continued):
        if is_like_then(read_json(folder / "result.json")["versions"]):
            assert {n: digest(a) for n, a in final_state(folder).items()} == end["state"]
            metrics = [without_times(m) for m in read_metrics(folder)]
            assert metrics == [without_times(m) for m in end["metrics"]]


def is_like_then(versions):
    """Whether these bits are promised: the same kernels on the same kind of processor."""
    ours = {"improved_gan_tf", "git_commit"}
    same = {k: v for k, v in versions.items() if k not in ours}
    then = {k: v for k, v in RECORDED["versions"].items() if k not in ours}
    return same == then and processor() == RECORDED["processor"]


def processor():
    """What decides which kernels run, of Linux's description; None where there is none."""
    path = pathlib.Path("/proc/cpuinfo")
    if not path.exists():
        return None
    lines = path.read_text().split("\n\n")[0].splitlines()
    told = {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    kinds = ("avx", "fma", "amx", "sse")
    flags = sorted(f for f in told.get("flags", "").split() if f.startswith(kinds))
    names = ("vendor_id", "cpu family", "model", "stepping")
    return {**{n: told.get(n) for n in names}, "flags": flags}


# --- runs that had finished ----------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A copy of the folder of finished runs, to work in."""
    return shutil.copytree(EARLIER / "finished", tmp_path_factory.mktemp("finished") / "runs")


def test_finished_runs_are_compared_with_the_same_numbers(finished):
    arguments = ("--other_versions", "feature_matching", "sweep")
    done = command("-m", "improved_gan_tf.compare", *arguments, cwd=finished)
    assert done.returncode == 0, done.stderr
    # The table has other columns and another order since, and the same numbers.
    then = numbers_of_mnist((EARLIER / "compare.txt").read_text("utf-8"))
    assert len(then) > 20
    assert numbers_of_mnist(done.stdout) == then


def numbers_of_mnist(text):
    """Every number with a point in the first table, with its spread and its "(of N)", sorted."""
    table = text.split("\n\na: ")[0]
    return sorted(re.findall(r"\d+\.\d+(?: \+- \d+\.\d+)?(?: \(of \d\))?", table))


def test_the_networks_of_a_finished_run_are_scored_again_with_the_same_counts(finished):
    done = command("-m", "improved_gan_tf.rescore", "feature_matching", cwd=finished)
    final = read_json(finished / "feature_matching" / "result.json")["final"]
    assert done.stdout.splitlines() == [
        f"{kind} parameters: recorded {wrong} wrong, now {wrong} wrong"
        for kind, wrong in (
            ("averaged", final["test_wrong_averaged"]),
            ("raw", final["test_wrong_raw"]),
        )
    ]
    assert done.returncode == 0, done.stderr


def test_a_report_is_made_of_finished_runs(finished):
    arguments = ("--other_versions", "--output=page.html", "feature_matching", "sweep")
    done = command("-m", "improved_gan_tf.report", *arguments, cwd=finished)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("page.html: 6 runs, ")
    page = (finished / "page.html").read_text("utf-8")
    for name in ("feature_matching", "sweep/labels50-seed1", "sweep/labels100-seed2"):
        assert name in page


def test_a_finished_run_is_known_as_finished_to_its_command(finished):
    before = {p: p.read_bytes() for p in finished.rglob("*") if p.is_file()}
    script, *arguments = COMMANDS["finished/feature_matching"]
    done = command(ROOT / script, *arguments, cwd=finished)
    assert done.returncode == 2
    assert "is finished, all 3 epochs" in done.stderr
    assert {p: p.read_bytes() for p in finished.rglob("*") if p.is_file()} == before

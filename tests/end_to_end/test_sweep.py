"""Several runs with one command: folders, resuming by skipping, failures, the table at the end."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.support.commands import ENVIRONMENT, TIMEOUT, run_python
from tests.support.places import ROOT
from tests.support.prepared_data import write_prepared_mnist

pytestmark = [  # raised inside TFDS while it writes
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SMALL = ["--batch_size=20", "--epochs=1", "--width_multiplier=0.02", "--run_dir=all"]


def command(folder, *arguments):
    return run_python(ROOT / "run_mnist.py", "--data_dir=data", *SMALL, *arguments, cwd=folder)


def modified(folder):
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def test_a_sweep_trains_skips_what_is_finished_and_ends_with_the_papers_table(tmp_path):
    write_prepared_mnist(tmp_path / "data")
    done = command(tmp_path, "--num_runs=2", "--labels_per_class=1,2", "--dry_run")
    assert done.returncode == 0, done.stderr
    assert "Would train 4 of 4 runs" in done.stdout
    assert re.search(r"At this pace 4 runs in sequence take about [\d.]+ \w+\.\n", done.stdout)
    assert not (tmp_path / "all").exists()

    done = command(tmp_path, "--labels_per_class=1,2")
    assert done.returncode == 0, done.stderr
    runs = tmp_path / "all"
    assert sorted(p.name for p in runs.iterdir()) == ["labels10-seed1", "labels20-seed1"]
    before = modified(runs)

    done = command(tmp_path, "--num_runs=2", "--labels_per_class=2", "--with_baseline")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("finished earlier") == 2  # said when it is skipped, and in the table
    assert {path: modified(runs)[path] for path in before} == before
    for name in ("labels20-seed1", "labels20-seed2"):
        for folder, supervised_only in (
            (runs / name, False),
            (runs / name / "supervised_only", True),
        ):
            result = json.loads((folder / "result.json").read_text("utf-8"))
            assert result["status"] == "finished"
            config = result["config"]
            assert f"labels{10 * config['labels_per_class']}-seed{config['seed']}" == name
            assert config["seed_data"] == config["seed"]
            assert config["supervised_only"] is supervised_only
    assert "MNIST (the paper's Table 1)" in done.stdout
    assert "(of 2)" in done.stdout
    assert "tf.function retracing" not in done.stderr

    # What does not belong to these runs is refused before anything starts.
    before = modified(runs)
    done = command(tmp_path, "--num_runs=3", "--labels_per_class=1,2", "--learning_rate=0.1")
    assert done.returncode == 2
    assert "holds a finished run with other settings: learning_rate=0.003 (now 0.1)" in done.stderr
    done = command(tmp_path, "--num_runs=3", "--labels_per_class=1,500")
    assert done.returncode == 2
    assert "--labels_per_class must not exceed" in done.stderr
    assert modified(runs) == before


def test_ctrl_c_in_a_terminal_saves_the_run_and_the_same_command_goes_on(tmp_path):
    write_prepared_mnist(tmp_path / "data")
    given = ("--data_dir=data", *SMALL[:1], *SMALL[2:], "--epochs=100000", "--num_runs=2")
    started = subprocess.Popen(
        [sys.executable, ROOT / "run_mnist.py", *given, "--labels_per_class=2"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a terminal signals the processes of its session
    )
    metrics = tmp_path / "all" / "labels20-seed1" / "metrics.jsonl"
    begin = time.monotonic()
    while not (metrics.exists() and metrics.read_text()) and time.monotonic() - begin < TIMEOUT:
        time.sleep(0.1)
    os.killpg(started.pid, signal.SIGINT)
    out, _ = started.communicate(timeout=TIMEOUT)
    assert started.returncode == 130, out
    table = [line.split("|")[5].strip() for line in out.splitlines() if line.startswith("|")]
    assert table[2:] == ["interrupted", "not started"]
    assert out.endswith("Give the same command again to continue.\n"), out[-200:]
    trained = len(metrics.read_text().splitlines())
    result = json.loads((metrics.parent / "result.json").read_text("utf-8"))
    assert result["status"] == "interrupted"

    done = command(tmp_path, "--num_runs=2", "--labels_per_class=2", f"--epochs={trained + 1}")
    assert done.returncode == 0, done.stderr
    assert f"continuing after epoch {trained}, " in done.stdout
    assert len(metrics.read_text().splitlines()) == trained + 1


def test_runs_that_diverge_are_told_at_the_end_and_by_the_exit_code(tmp_path):
    write_prepared_mnist(tmp_path / "data")
    done = command(tmp_path, "--num_runs=2", "--labels_per_class=2", "--learning_rate=1e30")
    assert done.returncode == 3, done.stderr
    table = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert [line.split("|")[5].strip() for line in table[2:]] == ["diverged", "diverged"]
    assert "became NaN or infinite in epoch 1" in done.stdout

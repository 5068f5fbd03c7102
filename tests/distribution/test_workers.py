"""Several workers, as processes: the page's commands, the same numbers, one that dies."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from benchmarks.kill_campaign import remains
from improved_gan_tf.runs import checkpoints
from tests.distribution import players, worker
from tests.support import numerics
from tests.support.places import ROOT

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs/devices.md").read_text("utf-8")
TIMEOUT = 500  # seconds, for a machine with other work


def free_ports():
    sockets = [socket.create_server(("localhost", 0)) for _ in range(2)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def tf_configs():
    workers = [f"localhost:{port}" for port in free_ports()]
    return [
        json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": i}})
        for i in range(2)
    ]


def start(command, tf_config, cwd, log):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}
    with open(log, "w") as output:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env={**environment, "TF_CONFIG": tf_config},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def wait_for(processes):
    try:
        return [p.wait(TIMEOUT) for p in processes]
    finally:
        for p in processes:
            p.kill()
            p.wait()


def commands_of_the_page():
    """`[(TF_CONFIG, command)]` of the two terminals."""
    found = re.findall(r"```bash\nexport TF_CONFIG='(.*)'\n(python .*)\n```", PAGE)
    assert len(found) == 2
    return found


def start_both(tmp_path, *more, others_folder=None):
    """Starts the page's two commands, on free ports and with more flags."""
    ports, processes = free_ports(), []
    for number, (tf_config, command) in enumerate(commands_of_the_page()):
        for printed, free in zip(("12345", "12346"), ports, strict=True):
            assert printed in tf_config
            tf_config = tf_config.replace(printed, str(free))
        _, script, *flags = command.split()
        command = [sys.executable, str(ROOT / script), *flags, *more]
        place = (others_folder or tmp_path) if number else tmp_path
        processes.append(start(command, tf_config, place, tmp_path / f"{number}.log"))
    return processes


def logs(tmp_path):
    return [(tmp_path / f"{number}.log").read_text("utf-8") for number in range(2)]


def test_the_readmes_commands_train_one_run(tmp_path):
    codes = wait_for(start_both(tmp_path))
    chief, other = logs(tmp_path)
    assert codes == [0, 0], chief + other
    assert "2 replicas, 50 of every 100 images on each" in chief
    assert "Everything is in runs/two-workers" in chief
    assert "worker 0 prints and writes the results" in other
    assert "epoch" not in other
    run = tmp_path / "runs" / "two-workers"
    result = json.loads((run / "result.json").read_text("utf-8"))
    assert result["status"] == "finished"
    assert result["final"]["epochs"] == 3
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 3
    keras.saving.load_model(run / "generator.keras", compile=False)


def test_the_pages_command_without_a_gpu_trains_on_two_replicas(tmp_path):
    (command,) = re.findall(r"^python (.*--strategy=mirrored.*)$", PAGE, re.M)
    script, *flags = command.split()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}

    def run(*more):
        return subprocess.run(
            [sys.executable, str(ROOT / script), *flags, "--run_dir=run", *more],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )

    refused = run("--num_devices=3")
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith("error: --batch_size is shared in equal")
    assert "99 or 102" in refused.stderr
    assert list(tmp_path.iterdir()) == []
    done = run()
    assert done.returncode == 0, done.stderr
    assert "2 replicas, 50 of every 100 images on each" in done.stdout
    assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "finished"


def test_two_workers_compute_the_update_of_one_device(tmp_path):
    processes = [
        start(
            [sys.executable, "-m", "tests.distribution.worker", str(tmp_path / f"{i}.npz")],
            tf_config,
            ROOT,
            tmp_path / f"{i}.log",
        )
        for i, tf_config in enumerate(tf_configs())
    ]
    expected = {}
    with numerics.float64():
        for experiment in worker.EXPERIMENTS:
            trainer, losses = players.train(experiment)
            expected |= {f"{experiment[0]} {n}": a for n, a in players.state(trainer).items()}
            expected[f"{experiment[0]} losses"] = np.array(losses)
    assert wait_for(processes) == [0, 0], "".join(logs(tmp_path))
    for i in range(2):
        with np.load(tmp_path / f"{i}.npz", allow_pickle=False) as arrays:
            assert players.largest_difference(expected, dict(arrays)) < 1e-9


def test_a_worker_that_is_killed_ends_the_run_and_both_continue_with_the_same_bits(tmp_path):
    chief, other = start_both(tmp_path, "--epochs=300", "--checkpoint_every=1 epochs")
    run = tmp_path / "runs" / "two-workers"
    begin = time.monotonic()
    while not list(run.glob("checkpoints/checkpoint-*.npz")):
        assert time.monotonic() - begin < TIMEOUT, "".join(logs(tmp_path))
        assert chief.poll() is None, "".join(logs(tmp_path))
        time.sleep(0.2)
    other.send_signal(signal.SIGKILL)
    assert wait_for([chief, other]) == [5, -signal.SIGKILL], "".join(logs(tmp_path))
    (said,) = re.findall(r"^error: (.*)", logs(tmp_path)[0], re.M)
    assert said.startswith("Another worker has ended or does not answer")
    assert "keeps the models of epoch" in said
    assert "checkpoint-" in said
    assert "Traceback" not in logs(tmp_path)[0]
    for name in ("discriminator", "discriminator_raw", "generator"):
        keras.saving.load_model(run / f"{name}.keras", compile=False)
    for line in (run / "metrics.jsonl").read_text("utf-8").splitlines():
        json.loads(line)
    assert not (run / "result.json").exists()

    # Both again, to the end of the next epoch but one: the bits of two that never stopped.
    epochs = max(checkpoint_epochs(run)) + 2
    straight = tmp_path / "straight"
    straight.mkdir()
    for folder in (tmp_path, straight):
        processes = start_both(folder, f"--epochs={epochs}", "--checkpoint_every=1 epochs")
        assert wait_for(processes) == [0, 0], "".join(logs(folder))
    assert "continuing after epoch" in logs(tmp_path)[0]
    assert remains(run) == remains(straight / "runs" / "two-workers")


def test_workers_that_do_not_share_the_folder_are_refused_before_they_go_on(tmp_path):
    codes = wait_for(start_both(tmp_path, "--epochs=1"))
    assert codes == [0, 0], "".join(logs(tmp_path))
    run, elsewhere = tmp_path / "runs" / "two-workers", tmp_path / "elsewhere"
    elsewhere.mkdir()
    before = remains(run)
    codes = wait_for(start_both(tmp_path, "--epochs=2", others_folder=elsewhere))
    assert codes == [2, 2], "".join(logs(tmp_path))
    for log in logs(tmp_path):
        assert re.search(r"^error: .*every worker must see the checkpoints of the first", log, re.M)
        assert "Traceback" not in log
    assert remains(run) == before
    assert not any(elsewhere.rglob("*.*"))


def checkpoint_epochs(run):
    return [
        checkpoints.read(path).header["progress"]["epoch"]
        for path in run.glob("checkpoints/checkpoint-*.npz")
    ]

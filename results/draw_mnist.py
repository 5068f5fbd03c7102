"""Our MNIST runs beside the original's logs: a picture, and how many runs have collapsed.

    python results/draw_mnist.py

Reads `original/*.txt` and `mnist_feature_matching/*/`, prints a table of the runs and one of how
many have collapsed (with the exact binomial interval), and writes
`mnist_with_original.png` beside itself.
"""

import json
import pathlib
import re

import matplotlib.figure
from scipy.stats import binomtest
from tabulate import tabulate

from improved_gan_tf.runs.health import collapsed_at

HERE = pathlib.Path(__file__).parent
RECIPES = ("released", "first_release")
COUNTED_EPOCHS = 30
PANELS = (
    ("loss_supervised", "supervised loss"),
    ("loss_unsupervised", "unsupervised loss"),
    ("test_error", "test error"),
)
ORIGINAL_LINE = re.compile(
    r"loss_lab = (?P<loss_supervised>\S+), loss_unl = (?P<loss_unsupervised>\S+), "
    r"train err = \S+, test err = (?P<test_error>\S+)"
)


def original_runs(recipe):
    """`[(seed, [epoch dicts])]` of the original's logs."""
    runs = []
    for path in sorted((HERE / "original").glob("mnist_*.txt")):
        if ("first_release" in path.name) != (recipe == "first_release"):
            continue
        text = path.read_text("utf-8")
        seed = int(re.search(r"Namespace\(seed=(\d+)", text)[1])
        epochs = [
            {name: float(value) for name, value in match.groupdict().items()}
            for match in ORIGINAL_LINE.finditer(text)
        ]
        runs.append((seed, epochs))
    return sorted(runs, key=lambda run: run[0])


def our_runs(recipe):
    """`[(seed, [epoch dicts], result)]` of our runs; of two with one seed the longer comes last.

    Of runs with the recipe's settings: nothing but the number of epochs may differ.
    """
    runs = []
    for folder in (HERE / "mnist_feature_matching").glob(f"{recipe}-seed*"):
        result = json.loads((folder / "result.json").read_text("utf-8"))
        if any(not text.startswith("epochs:") for text in result["differences_from_paper"]):
            continue
        lines = (folder / "metrics.jsonl").read_text("utf-8").splitlines()
        epochs = [json.loads(line) for line in lines]
        for epoch in epochs:
            averaged = epoch["test_error_averaged"]
            epoch["test_error"] = epoch["test_error_raw"] if averaged is None else averaged
        runs.append((result["config"]["seed"], epochs, result))
    return sorted(runs, key=lambda run: (run[0], len(run[1])))


def draw(path):
    """Draws every run's losses and test error, one row of panels for each recipe."""
    figure = matplotlib.figure.Figure(figsize=(14.5, 7), layout="constrained")
    for row, recipe in zip(figure.subplots(2, 3), RECIPES, strict=True):
        groups = {
            ("original", "C1", "--"): [epochs for _, epochs in original_runs(recipe)],
            ("ours", "C0", "-"): [epochs for _, epochs, _ in our_runs(recipe)],
        }
        for axes, (name, label) in zip(row, PANELS, strict=True):
            for (source, colour, style), runs in groups.items():
                for epochs in runs:
                    collapsed = collapse_epoch(epochs) is not None
                    # Not every epoch was tested.
                    drawn = [(n, e[name]) for n, e in enumerate(epochs, 1) if e[name] is not None]
                    axes.plot(
                        [number for number, _ in drawn],
                        [max(value, 1e-5) for _, value in drawn],
                        style,
                        color="C3" if collapsed else colour,
                        alpha=0.7,
                        linewidth=1.2,
                        label=f"{source}, collapsed" if collapsed else source,
                    )
            axes.set(xlabel="epoch", ylabel=label, xscale="log", yscale="log")
            axes.set_title(recipe if name == "loss_supervised" else "", loc="left")
            axes.grid(alpha=0.3, which="both")
        once = dict(zip(*reversed(row[-1].get_legend_handles_labels()), strict=True))
        row[-1].legend(once.values(), once.keys(), fontsize=8, loc="lower left")
    figure.suptitle("MNIST, 100 labels, feature matching: the authors' code and this one")
    figure.savefig(path, dpi=90)


def table():
    """One row for each run: how far it went, whether it collapsed, its last test errors."""
    rows = []
    for recipe in RECIPES:
        for seed, epochs in original_runs(recipe):
            row = collapse_row(epochs)
            rows.append(["original", recipe, seed, *row, f"{100 * epochs[-1]['test_error']:.2f} %"])
        for seed, epochs, result in our_runs(recipe):
            final = result["final"]
            wrong = [final["test_wrong_averaged"], final["test_wrong_raw"]]
            shown = " / ".join("-" if w is None else f"{w / 100:.2f} %" for w in wrong)
            rows.append(["ours", recipe, seed, *collapse_row(epochs), shown])
    headers = [
        "code",
        "recipe",
        "seed",
        "epochs",
        "collapsed in epoch",
        "lowest unsupervised loss after epoch 5",
        "last test error (ours: averaged / raw)",
    ]
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def collapse_row(epochs):
    """Number of epochs, the epoch of collapse (from 1) or "no", the lowest late loss."""
    at = collapse_epoch(epochs)
    lowest = min((epoch["loss_unsupervised"] for epoch in epochs[5:]), default=0)
    return [len(epochs), "no" if at is None else at, f"{lowest:.4f}"]


def collapse_epoch(epochs):
    """The epoch (from 1) in which a run collapsed, or None."""
    at = collapsed_at([epoch["loss_unsupervised"] for epoch in epochs])
    return None if at is None else at + 1


def counts():
    """How many of our runs have collapsed, of two with one seed the longer."""
    rows = []
    for recipe in RECIPES:
        longest = {seed: epochs for seed, epochs, _ in our_runs(recipe)}
        runs = [epochs for epochs in longest.values() if len(epochs) >= COUNTED_EPOCHS]
        collapsed = sum(collapse_epoch(epochs) is not None for epochs in runs)
        interval = binomtest(collapsed, len(runs)).proportion_ci()
        shown = f"{100 * interval.low:.0f} to {100 * interval.high:.0f} %"
        rows.append([recipe, len(runs), collapsed, shown])
    headers = ["recipe", f"seeds of {COUNTED_EPOCHS} or more epochs", "collapsed", "95 % interval"]
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


if __name__ == "__main__":
    print(table())
    print()
    print(counts())
    draw(HERE / "mnist_with_original.png")

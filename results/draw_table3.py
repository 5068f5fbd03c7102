"""Thin runs of the rows of Table 3: a table of what was measured, and a picture of their samples.

    python results/draw_table3.py RUNS       # RUNS/ROW are run folders of run_cifar10.py --ablation

Copies what the table needs of each run (settings, losses, and the score.json of
`python -m improved_gan_tf.score RUN --classifier=...`) into `table3_thin/ROW/`, prints the table
from there, and draws `table3_thin/samples.png` from the runs' last sample grids. Without RUNS only
the table is printed.
"""

import json
import pathlib
import shutil
import sys

import matplotlib.figure
from PIL import Image
from tabulate import tabulate

import run_cifar10

HERE = pathlib.Path(__file__).parent / "table3_thin"
FILES = ("result.json", "metrics.jsonl", "score.json")


def rows():
    """`{row: (result, score)}` of the runs that were copied, in the order of the paper's table."""
    found = {}
    for row in run_cifar10.ABLATIONS:
        folder = HERE / row
        if (folder / "result.json").exists():
            found[row] = [json.loads((folder / name).read_text("utf-8")) for name in FILES[::2]]
    return found


def table():
    """One line for each run, the real images last."""
    lines = []
    for row, (result, score) in rows().items():
        last = result["final"]["metrics"]
        lines.append(
            [
                row,
                result["final"]["models_of_iteration"],
                f"{last['loss_unsupervised']:.3f}",
                f"{last['loss_generator']:.3f}",
                f"{100 * last['test_error_raw']:.1f} %",
                f"{score['mean']:.2f}",
                f"{score['diversity']['mean_pairwise_distance']:.1f}",
            ]
        )
    headers = [
        "row",
        "iterations",
        "unsupervised loss",
        "generator loss",
        "test error (raw)",
        "classifier score (not an Inception score)",
        "mean pairwise distance",
    ]
    return tabulate(lines, headers=headers, tablefmt="github", disable_numparse=True)


def copy(runs):
    """Copies the small files of every run folder below `runs`."""
    for row in run_cifar10.ABLATIONS:
        (HERE / row).mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copy(runs / row / name, HERE / row / name)


def draw(runs, path):
    """The last sample grid of every run, six in a picture."""
    figure = matplotlib.figure.Figure(figsize=(11, 7.6), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    for panel, row in zip(axes, run_cifar10.ABLATIONS, strict=True):
        grid = sorted((runs / row / "samples").glob("epoch_*.png"))[-1]
        panel.imshow(Image.open(grid))
        panel.set_title(row, fontsize=10)
        panel.axis("off")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        copy(pathlib.Path(sys.argv[1]))
        draw(pathlib.Path(sys.argv[1]), HERE / "samples.png")
    print(table())

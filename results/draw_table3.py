"""Thin runs of the rows of Table 3: a table of what was measured, and a picture of their samples.

    python results/draw_table3.py RUNS       # RUNS/ROW are run folders of run_cifar10.py --ablation

Copies what the table needs of each run that has been evaluated and scored (settings, metrics,
result, and the score.json of `python -m improved_gan_tf.score RUN --classifier=...`) into
`table3_thin/ROW/`, with what `improved_gan_tf.rescore` says of the closeness in its minibatch
discrimination, prints the table from there, and draws `table3_thin/samples.png` from the runs'
last sample grids. Without RUNS only the table is printed.
"""

import json
import pathlib
import shutil
import sys

import matplotlib.figure
from PIL import Image
from tabulate import tabulate

from improved_gan_tf.runs import rescoring
from improved_gan_tf.tables.inception_scores import PAPER_ROWS

HERE = pathlib.Path(__file__).parent / "table3_thin"
FILES = ("config.json", "metrics.jsonl", "result.json", "score.json")
# Folders of the machine that a run was made on.
LEFT_OUT = ("data_dir", "run_dir", "source")
HEADERS = (
    "row",
    "epochs",
    "unsupervised loss",
    "generator loss",
    "test error (raw)",
    "mean distance of pairs",
    "classes seen",
    "classifier score",
    "Frechet distance",
    "closeness, real and generated",
)


def table():
    """One line for each run that was copied, in the paper's order, then one for real images."""
    lines = []
    for row in PAPER_ROWS:
        folder = HERE / row
        if not folder.exists():
            continue
        epochs = [json.loads(e) for e in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
        last = [epoch for epoch in epochs if epoch["test_error_raw"] is not None][-1]
        losses = [f"{last[f'loss_{name}']:.3f}" for name in ("unsupervised", "generator")]
        score = json.loads((folder / "score.json").read_text("utf-8"))
        test_error = f"{100 * last['test_error_raw']:.1f} %"
        close = json.loads((folder / "closeness.json").read_text("utf-8"))
        close = "-" if close is None else " and ".join(f"{value:.1g}" for value in close)
        lines.append([row, last["epoch"] + 1, *losses, test_error, *measures(score), close])
        real = {**score["real"], "frechet": None}
    lines.append(["real images", "-", "-", "-", "-", *measures(real), "-"])
    return tabulate(lines, headers=HEADERS, tablefmt="github", disable_numparse=True)


def measures(score):
    """What a score.json says of one set of images, as text."""
    diversity, frechet = score["diversity"], score["frechet"]
    return [
        f"{diversity['mean_pairwise_distance']:.0f}",
        diversity["num_classes_seen"],
        f"{score['mean']:.2f}",
        "-" if frechet is None else f"{frechet['distance']:.1f}",
    ]


def scored(runs):
    """The rows below `runs` that have everything the table needs."""
    return [row for row in PAPER_ROWS if all((runs / row / name).exists() for name in FILES)]


def copy(runs):
    """Copies the small files of every scored run, without the folders of the machine."""
    for row in scored(runs):
        (HERE / row).mkdir(parents=True, exist_ok=True)
        shutil.copy(runs / row / "metrics.jsonl", HERE / row / "metrics.jsonl")
        for name in ("config.json", "result.json", "score.json"):
            content = json.loads(
                (runs / row / name).read_text("utf-8"), object_hook=without_folders
            )
            (HERE / row / name).write_text(json.dumps(content, indent=2) + "\n", "utf-8")
        close = json.dumps(rescoring.closeness(runs / row))
        (HERE / row / "closeness.json").write_text(close + "\n", "utf-8")


def without_folders(content):
    """A dict of a JSON file without what says where on a machine something was."""
    return {k: v for k, v in content.items() if k not in LEFT_OUT}


def draw(runs, path):
    """The last sample grid of every scored run, side by side."""
    rows = scored(runs)
    figure = matplotlib.figure.Figure(figsize=(3.7 * len(rows), 4.0), layout="constrained")
    panels = figure.subplots(1, len(rows), squeeze=False)[0]
    for panel, row in zip(panels, rows, strict=True):
        grid = sorted((runs / row / "samples").glob("epoch_*.png"))[-1]
        panel.imshow(Image.open(grid))
        panel.set_title(f"{row}, {grid.stem.replace('_', ' ')}", fontsize=9)
        panel.axis("off")
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        copy(pathlib.Path(sys.argv[1]))
        draw(pathlib.Path(sys.argv[1]), HERE / "samples.png")
    print(table())

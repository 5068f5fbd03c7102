"""Thin runs of the rows of Table 3: copies the data for their table, and draws their samples.

    python -m tools.draw_table3 RUNS       # RUNS/ROW are run folders of run_cifar10.py --ablation

Copies the small files of each run that has been evaluated and scored (settings, metrics, result,
and the score.json of `python -m improved_gan_tf.score RUN --classifier=...`) into
`results/table3_thin/ROW/`, with the closeness in its minibatch discrimination. Draws
`results/table3_thin/samples.png` from the runs' last sample grids. `python -m tools.tables` then
writes the table.
"""

import shutil

import matplotlib.figure
from PIL import Image

from improved_gan_tf.runs import rescoring
from improved_gan_tf.tables.inception_scores import PAPER_ROWS
from tools import arguments
from tools.draw_figure3 import last_grid
from tools.run_files import read, without, write
from tools.thin_tables import TABLE3

# Folders on the machine that made the run.
LEFT_OUT = ("data_dir", "run_dir", "source")
JSON_FILES = ("config.json", "result.json", "score.json")


def scored(runs):
    """The rows below `runs` with all data for the table."""
    needed = (*JSON_FILES, "metrics.jsonl")
    return [row for row in PAPER_ROWS if all((runs / row / name).exists() for name in needed)]


def copy(runs):
    """Copies the small files of every scored run, without the machine's folders."""
    for row in scored(runs):
        target = TABLE3 / row
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(runs / row / "metrics.jsonl", target)
        for name in JSON_FILES:
            content = without(read(runs / row / name), *LEFT_OUT)
            if "config" in content:
                content["config"] = without(content["config"], *LEFT_OUT)
            write(target / name, content)
        write(target / "closeness.json", rescoring.closeness(runs / row))


def draw(runs, path):
    """The last sample grid of every scored run, side by side."""
    rows = scored(runs)
    figure = matplotlib.figure.Figure(figsize=(3.7 * len(rows), 4.0), layout="constrained")
    panels = figure.subplots(1, len(rows), squeeze=False)[0]
    for panel, row in zip(panels, rows, strict=True):
        grid = last_grid(runs / row)
        panel.imshow(Image.open(grid))
        panel.set_title(f"{row}, {grid.stem.replace('_', ' ')}", fontsize=9)
        panel.axis("off")
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    (source,) = arguments.folders(__doc__, "RUNS", 1)
    copy(source)
    draw(source, TABLE3 / "samples.png")

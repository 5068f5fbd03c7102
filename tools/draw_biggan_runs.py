"""Thin runs of BigGAN: copies the files for their tables, and draws samples and spectra.

    python -m tools.draw_biggan_runs RUNS     # draws the spectra alone without RUNS

RUNS holds the folders of run_biggan.py that docs/biggan.md names, with the files of `improved-gan
truncation`. Copies metrics, result and curves into `results/biggan/`, and draws `samples.png` there
from the last sample grids, `spectra.png` from the metrics. `python -m tools.tables` then writes the
tables.
"""

import shutil

import matplotlib
import matplotlib.figure
from PIL import Image

from tools import arguments
from tools.biggan_tables import ANEW, BIGGAN, EARLY, FIXED, LATE, RUNS, untruncated
from tools.draw_figure3 import last_grid
from tools.run_files import epochs, read, without, write

# Folders on the machine that made the run.
LEFT_OUT = ("data_dir", "run_dir")
PLAYERS = ("generator", "discriminator")
CURVES = (ANEW, FIXED)


def copy(runs):
    """Copies the small files of the runs, without the machine's folders."""
    for name in (*RUNS, EARLY):
        target = BIGGAN / name
        target.mkdir(parents=True, exist_ok=True)
        if name in RUNS:
            shutil.copy(runs / name / "metrics.jsonl", target)
        content = read(runs / name / "result.json")
        content["config"] = without(content["config"], *LEFT_OUT)
        write(target / "result.json", content)
        for curve in CURVES:
            if (runs / name / curve).exists():
                shutil.copy(runs / name / curve, target)
    for name in (EARLY, LATE):
        shutil.copy((runs / name / FIXED).with_suffix(".png"), BIGGAN / f"{name}.png")


def draw_samples(runs, path):
    """The last sample grids, a row for each class, side by side."""
    figure = matplotlib.figure.Figure(figsize=(4.4 * len(RUNS), 4.9), layout="constrained")
    for panel, (name, title) in zip(figure.subplots(1, len(RUNS)), RUNS.items(), strict=True):
        grid = last_grid(runs / name)
        right = 100 * untruncated(BIGGAN / name)["right"]
        panel.imshow(Image.open(grid))
        epoch = int(grid.stem.split("_")[1])
        panel.set_title(f"{title}, epoch {epoch}: {right:.0f} % of the class asked for", fontsize=9)
        panel.axis("off")
    figure.savefig(path, dpi=80)


def draw_spectra(path):
    """The largest singular value of every raw kernel over the epochs, of both players and runs."""
    figure = matplotlib.figure.Figure(figsize=(9.5, 6.4), layout="constrained")
    panels = figure.subplots(len(PLAYERS), len(RUNS), sharex=True, sharey="row")
    colours = matplotlib.colormaps["viridis"]
    for row, player in zip(panels, PLAYERS, strict=True):
        for axes, (name, title) in zip(row, RUNS.items(), strict=True):
            history = epochs(BIGGAN / name)
            start = f"sigma0/{player}/"
            layers = [n for n in history[-1] if n.startswith(start)]
            for i, layer in enumerate(layers):
                axes.plot(
                    [m["epoch"] + 1 for m in history],
                    [m[layer] for m in history],
                    color=colours(i / (len(layers) - 1)),
                    linewidth=1,
                    label=layer.removeprefix(start),
                )
            axes.set_yscale("log")
            axes.set_title(f"{player}, {title}", fontsize=10)
        row[0].set_ylabel("largest singular value")
        row[-1].legend(fontsize=5, ncols=2, loc="center left", bbox_to_anchor=(1.0, 0.5))
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    for source in arguments.folders(__doc__, "RUNS"):
        copy(source)
        draw_samples(source, BIGGAN / "samples.png")
    draw_spectra(BIGGAN / "spectra.png")

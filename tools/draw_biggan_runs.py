"""Thin runs of BigGAN: copies the files for their tables, and draws samples and spectra.

    python -m tools.draw_biggan_runs RUNS     # draws the spectra alone without RUNS

RUNS holds the folders of run_biggan.py that docs/biggan.md names, with the files of `improved-gan
truncation`. Copies metrics, result and curves into `results/biggan/`, and draws `samples.png` there
from the last sample grids, `spectra.png` from the metrics. `python -m tools.tables` then writes the
tables.
"""

import shutil

import matplotlib.figure
import matplotlib.ticker
from PIL import Image

from improved_gan_tf.runs.spectrum_lines import draw_spectra
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


def draw_every_spectrum(path):
    """The largest singular value of every raw kernel over the epochs, of both players and runs."""
    figure = matplotlib.figure.Figure(figsize=(9.5, 6.4), layout="constrained")
    panels = figure.subplots(len(PLAYERS), len(RUNS), sharex=True, sharey="row")
    for row, player in zip(panels, PLAYERS, strict=True):
        for axes, (name, title) in zip(row, RUNS.items(), strict=True):
            draw_spectra(axes, epochs(BIGGAN / name), player)
            axes.set_title(f"{player}, {title}", fontsize=10)
        row[0].set_ylabel("largest singular value")
        row[-1].get_legend().remove()  # as to the left
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    for source in arguments.folders(__doc__, "RUNS"):
        copy(source)
        draw_samples(source, BIGGAN / "samples.png")
    draw_every_spectrum(BIGGAN / "spectra.png")

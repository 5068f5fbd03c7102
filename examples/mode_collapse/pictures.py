"""The picture of a problem: samples of each technique over the true modes, and modes by epoch."""

import io
import math

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from examples.mode_collapse import problems, tables
from improved_gan_tf.machine import files

COLUMNS = 4


def figure(results, problem):
    """Draws the first trial of each row over the modes, then how many modes the rows cover.

    Args:
        results: list of `results.Result`; those of other problems are left out.
        problem: str, a name in `problems.PROBLEMS`.

    Returns:
        `matplotlib.figure.Figure`.
    """
    rows = tables.rows_of([r for r in results if r.settings.problem == problem])
    of = problems.PROBLEMS[problem]
    num_panels = len(rows) + 2
    columns = min(COLUMNS, num_panels)
    lines = math.ceil(num_panels / columns)
    drawing = Figure(figsize=(3.2 * columns, 3.4 * lines), layout="constrained")
    FigureCanvasAgg(drawing)
    panels = drawing.subplots(lines, columns, squeeze=False).flat
    samples = problems.real_examples(of, 500, np.random.default_rng(0))
    _draw_samples(next(panels), of, samples, "real data")
    for (_, title), trials in rows.items():
        first = trials[0]
        reached = f"seed {first.seed}: {first.measures.modes} of {len(of.centres)} modes"
        _draw_samples(next(panels), of, first.samples, f"{title}\n{reached}")
    _draw_modes(next(panels), rows, len(of.centres))
    for empty in panels:
        empty.set_axis_off()
    return drawing


def _draw_samples(axes, problem, samples, title):
    axes.scatter(*problem.centres.T, s=90, facecolors="none", edgecolors="tab:orange", linewidths=1)
    axes.scatter(*np.transpose(samples), s=3, alpha=0.4, linewidths=0, color="tab:blue")
    limit = 1.3 * np.abs(problem.centres).max()
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
    axes.set_title(title, fontsize=8)


def _draw_modes(axes, rows, modes):
    for (_, title), trials in rows.items():
        covered = np.mean([trial.epochs["modes"] for trial in trials], axis=0)
        axes.plot(np.arange(1, len(covered) + 1), covered, linewidth=1, label=title)
    axes.axhline(modes, color="0.6", linewidth=0.8, linestyle=":")
    axes.set(xlabel="epochs of 1,000 steps", ylim=(0, 1.05 * modes))
    axes.set_title("modes covered, mean over trials", fontsize=8)
    axes.legend(fontsize=6)


def write(results, problem, path):
    """Writes the picture as a PNG file of few colours, whole or not at all."""
    rendered = io.BytesIO()
    figure(results, problem).savefig(rendered, format="png", dpi=100)
    picture = Image.open(rendered).convert("RGB").quantize(64)
    files.write_whole(path, lambda p: picture.save(p, format="PNG", optimize=True))

"""The picture of a problem: samples of each technique over the true modes, and modes covered."""

import io
import math

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from examples.mode_collapse import problems, tables
from examples.mode_collapse.techniques import TECHNIQUES
from improved_gan_tf.machine import files

COLUMNS = 5


def figure(results, problem):
    """Draws the first trial of each row over the modes, then the modes that all trials cover.

    Args:
        results: list of `results.Result`; those of other problems are left out.
        problem: str, a name in `problems.PROBLEMS`.

    Returns:
        `matplotlib.figure.Figure`.
    """
    rows = tables.rows_of([r for r in results if r.settings.problem == problem])
    of = problems.PROBLEMS[problem]
    lines = math.ceil((len(rows) + 1) / COLUMNS)
    heights = 2.6 * lines + 0.3, max(0.25 * len(rows) + 1.2, 2.6)
    drawing = Figure(figsize=(2.3 * COLUMNS, sum(heights)), layout="constrained")
    FigureCanvasAgg(drawing)
    # The layout forgets the third line of titles in the top row.
    drawing.get_layout_engine().set(rect=(0, 0, 1, 1 - 0.15 / sum(heights)))
    above, below = drawing.subfigures(2, 1, height_ratios=heights)
    panels = above.subplots(lines, COLUMNS, squeeze=False).flat
    samples = problems.real_examples(of, 500, np.random.default_rng(0))
    _draw_samples(next(panels), of, samples, "real data")
    for (_, title), trials in rows.items():
        first = trials[0]
        reached = f"seed {first.seed}: {first.measures.modes} of {len(of.centres)} modes"
        _draw_samples(next(panels), of, first.samples, title.replace(" (", "\n(") + f"\n{reached}")
    for empty in panels:
        empty.set_axis_off()
    of_trials, by_epoch = below.subplots(1, 2, width_ratios=(3, 2))
    colors = _colors(rows)
    _draw_trials(of_trials, rows, len(of.centres), colors)
    _draw_epochs(by_epoch, rows, len(of.centres), colors)
    return drawing


def _colors(rows):
    """A colour for each row: one hue for a technique, dark for its first form and light for others.

    A technique has the same one in every picture.
    """
    colors, seen = [], set()
    for trials in rows.values():
        technique = trials[0].settings.technique
        shade = 2 * TECHNIQUES.index(technique) + (technique in seen)
        colors.append(matplotlib.colormaps["tab20"](shade))
        seen.add(technique)
    return colors


def _draw_samples(axes, problem, samples, title):
    axes.scatter(*problem.centres.T, s=90, facecolors="none", edgecolors="tab:orange", linewidths=1)
    axes.scatter(*np.transpose(samples), s=3, alpha=0.4, linewidths=0, color="tab:blue")
    limit = 1.3 * np.abs(problem.centres).max()
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
    axes.set_title(title, fontsize=7)


def _draw_trials(axes, rows, modes, colors):
    late = tables.late_epochs([trial for trials in rows.values() for trial in trials])
    for place, (trials, color) in enumerate(zip(rows.values(), colors, strict=True)):
        covered = [tables.late_modes(trial) for trial in trials]
        axes.plot(covered, [place] * len(covered), "o", markersize=5, alpha=0.8, color=color)
        axes.plot([np.mean(covered)], [place], "|", markersize=15, color="black")
    axes.axvline(modes, color="0.6", linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(rows)), [title for _, title in rows], fontsize=7)
    axes.set(xlim=(0, 1.04 * modes), ylim=(len(rows) - 0.4, -0.6))
    axes.set_title(
        f"modes covered in the last {late} epochs: each trial, and the mean",
        fontsize=8,
    )


def _draw_epochs(axes, rows, modes, colors):
    for trials, color in zip(rows.values(), colors, strict=True):
        covered = np.mean([trial.epochs["modes"] for trial in trials], axis=0)
        axes.plot(np.arange(1, len(covered) + 1), covered, linewidth=1, color=color)
    axes.axhline(modes, color="0.6", linewidth=0.8, linestyle=":")
    axes.set(xlabel="epochs of 1,000 steps", ylim=(0, 1.05 * modes))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title("modes by epoch, mean over trials (colours: left)", fontsize=8)


def write(results, problem, path):
    """Writes the picture as a PNG file, whole or not at all."""
    rendered = io.BytesIO()
    figure(results, problem).savefig(rendered, format="png", dpi=100)
    files.write_whole(path, lambda p: p.write_bytes(rendered.getvalue()))

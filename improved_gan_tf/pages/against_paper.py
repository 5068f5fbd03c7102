"""The picture on top of a report: what the runs measured next to what the paper reports.

Paper: Salimans et al. (2016), Tables 1 and 2, Sec. 6.3.
"""

from typing import NamedTuple

import matplotlib.figure
import numpy as np

from improved_gan_tf.data.known_sets import KNOWN_SETS
from improved_gan_tf.pages import figures

PAPER, OURS = "0.55", figures.COLORS[0]


class Line(NamedTuple):
    """A line of the picture: the paper's mean and spread, and the runs' own values."""

    name: str
    paper: tuple[float, float]
    values: tuple[float, ...]
    as_in_paper: bool  # whether settings and data are the paper's


def pictures(found):
    """A picture for each data set with runs next to a number of the paper, `{"svg", "alt"}` dicts.

    `found` is a `tables.comparison.Comparison`.
    """
    drawn = []
    for dataset, rows in found.rows.items():
        lines = [
            Line(_name(row), tuple(row.paper), row.error.values, row.comparable)
            for row in rows
            if row.runs and row.paper is not None
        ]
        if lines:
            title = f"{KNOWN_SETS[dataset].title}: test error (%)"
            drawn.append({"svg": picture_svg(lines, title), "alt": picture_text(lines, title)})
    return drawn


def _name(row):
    return f"{row.num_labels} labels" + (f"\n{row.settings}" if row.settings else "")


def picture_text(lines, title):
    """The content of a picture in words."""
    parts = [
        f"{line.name.replace(chr(10), ', ')}: paper {line.paper[0]:g} +- {line.paper[1]:g}, "
        f"ours {np.mean(line.values):.4g} over {len(line.values)} "
        f"run{'' if len(line.values) == 1 else 's'}"
        for line in lines
    ]
    return f"{title}. {'; '.join(parts)}"


def picture_svg(lines, title):
    """Draws `Line`s below each other; each has the paper's mean with its spread, then every run.

    Returns SVG text for use inside an HTML page.
    """
    with figures.page_style(title):
        figure = matplotlib.figure.Figure(
            figsize=(5.0, 1.2 + 0.55 * len(lines)), layout="constrained"
        )
        axes = figure.subplots()
        for place, line in enumerate(lines):
            mean, spread = line.paper
            axes.plot([mean - spread, mean + spread], 2 * [place - 0.16], color=PAPER, linewidth=7)
            axes.plot([mean], [place - 0.16], "|", color=figures.TEXT_COLOR, markersize=11)
            axes.plot(
                line.values,
                len(line.values) * [place + 0.16],
                "o",
                color=OURS,
                markerfacecolor=OURS if line.as_in_paper else "none",
                markersize=6,
            )
            axes.plot(
                [np.mean(line.values)], [place + 0.16], "|", color=figures.TEXT_COLOR, markersize=11
            )
        everything = [v for line in lines for v in (*line.values, sum(line.paper))]
        everything += [max(line.paper[0] - line.paper[1], 1e-3) for line in lines]
        if max(everything) > 5 * min(everything):
            figures.logarithmic_scale(axes.set_xscale, axes.xaxis)
        else:
            axes.set_xlim(left=0)
        axes.set_yticks(range(len(lines)), [line.name for line in lines])
        axes.set_ylim(len(lines) - 0.4, -0.6)
        axes.set_xlabel(title)
        axes.spines[["top", "right"]].set_visible(False)
        handles = [
            axes.plot([], [], color=PAPER, linewidth=7, label="paper: mean +- spread of 10")[0]
        ]
        for is_papers, name in ((True, "ours: each run, | mean"), (False, _OTHERWISE)):
            if any(line.as_in_paper == is_papers for line in lines):
                face = OURS if is_papers else "none"
                handles += axes.plot([], [], "o", color=OURS, markerfacecolor=face, label=name)
        figure.legend(handles=handles, loc="outside upper left", ncols=2, frameon=False)
        return figures.svg_of(figure)


_OTHERWISE = "ours, not the paper's setting"

"""Pictures of a report as text inside the page: SVG curves, PNG images.

Curves have the page's own text colour, for light and dark pages.
"""

import base64
import io
import re

import matplotlib
import matplotlib.figure
import matplotlib.ticker
import numpy as np
from PIL import Image

# Replaced by the page's text colour in the finished SVG.
TEXT_COLOR = "#010203"
COLORS = ("#2f81f7", "#d97706", "#159a6c", "#b5569c")


def png_uri(content):
    """PNG bytes as a data URI."""
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")


def image_uri(image):
    """A uint8 image (H, W, C), C 1 or 3, as a data URI."""
    file = io.BytesIO()
    Image.fromarray(image[:, :, 0] if image.shape[-1] == 1 else image).save(file, "PNG")
    return png_uri(file.getvalue())


def spread_over_runs(histories, name, scale=1.0):
    """Mean, least and largest value of a metric at each epoch, over runs.

    Only epochs count in which every run with that metric has it, so the mean is always over the
    same runs.

    Args:
        histories: list of lists of metrics.jsonl's dicts.
        name: metric.
        scale: factor.

    Returns:
        `(epochs, mean, low, high)`, float arrays of one length; epochs count from 1.
    """
    curves = [
        {m["epoch"] + 1: scale * m[name] for m in history if m.get(name) is not None}
        for history in histories
    ]
    curves = [curve for curve in curves if curve]
    epochs = sorted(set.intersection(*map(set, curves))) if curves else []
    values = {e: [curve[e] for curve in curves] for e in epochs}
    columns = [(np.mean(values[e]), np.min(values[e]), np.max(values[e])) for e in epochs]
    mean, low, high = np.array(columns, float).reshape(-1, 3).T
    return np.array(epochs, float), mean, low, high


def curves_svg(lines, ylabel, logarithmic=False, level=None):
    """A panel of curves over the epochs, each with a band from the least to the largest run.

    Args:
        lines: list of `(label, spread)`, `spread` from `spread_over_runs`.
        ylabel: str.
        logarithmic: bool, whether the y axis is logarithmic if the values differ enough.
        level: None, or `(label, value)` of a horizontal line.

    Returns:
        SVG text without prolog, names or metadata, for use inside an HTML page.
    """
    with page_style(ylabel):
        figure = matplotlib.figure.Figure(figsize=(4.2, 3.1), layout="constrained")
        axes = figure.subplots()
        for (label, (epochs, mean, low, high)), color in zip(lines, COLORS, strict=False):
            marker = "o" if len(epochs) < 3 else None
            axes.plot(epochs, mean, color=color, label=label, linewidth=1.6, marker=marker)
            axes.fill_between(epochs, low, high, color=color, alpha=0.25, linewidth=0)
        if level is not None:
            axes.axhline(level[1], color=TEXT_COLOR, linestyle=":", linewidth=1, label=level[0])
        axes.set(xlabel="epoch", ylabel=ylabel)
        axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
        lowest = min(np.min(low) for _, (_, _, low, _) in lines)
        highest = max(np.max(high) for _, (_, _, _, high) in lines)
        if logarithmic and highest > 4 * lowest > 0:
            logarithmic_scale(axes.set_yscale, axes.yaxis)
        axes.spines[["top", "right"]].set_visible(False)
        # Above the panel, clear of the curves.
        figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=8)
        return svg_of(figure)


def page_style(name):
    """The context in which a figure for the page is drawn; `name` distinguishes it from others."""
    return matplotlib.rc_context(
        {
            "svg.fonttype": "none",  # text stays text: selectable, in the page's font
            "svg.hashsalt": name,
            "font.size": 9,
            "text.color": TEXT_COLOR,
            "axes.labelcolor": TEXT_COLOR,
            "axes.edgecolor": TEXT_COLOR,
            "xtick.color": TEXT_COLOR,
            "ytick.color": TEXT_COLOR,
        }
    )


def logarithmic_scale(set_scale, axis):
    """Makes a matplotlib axis logarithmic, with plain numbers at 1, 2 and 5."""
    set_scale("log")
    axis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axis.set_minor_formatter(matplotlib.ticker.NullFormatter())


def svg_of(figure):
    """A figure as SVG text without what only a separate file needs; colours follow the page."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)
    # The page decides the size; names of groups would be repeated for each picture.
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    return svg.replace(TEXT_COLOR, "currentColor").replace("xlink:href", "href")

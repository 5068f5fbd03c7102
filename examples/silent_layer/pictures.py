"""Pictures of finished trials: the layer's closeness while training, and the samples."""

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from examples.silent_layer import tables
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files
from improved_gan_tf.runs.health import SILENT_BELOW

NUM_COLORS = 64  # of a sheet of samples, which are grey
LOWEST = 1e-13  # smaller closeness is drawn here


def figure(results):
    """Draws closeness by iteration, and the samples' classes against closeness in the end.

    Each trial has a thin line, and those of a variant their geometric mean.

    Args:
        results: list of `tables.read_all`, all with the same settings; those without the layer
            and those that diverged are left out.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        UserError: the settings are not the same, or no trial has the layer.
    """
    with_layer = [r for r in tables.ended(results) if r["variant"] != "no_layer"]
    groups = tables.groups(with_layer)
    if not groups:
        raise UserError(
            "A picture of closeness needs a finished trial with the layer. Received: trials of "
            "no_layer, or that diverged, alone."
        )
    sizes = sorted({size for size, _ in groups})
    if len(sizes) > 1:
        raise UserError(
            "A picture of closeness is of trials with one data set, one number of labels, width, "
            f"learning rate and number of iterations. Received: {'; '.join(sizes)}."
        )
    drawing = Figure(figsize=(11, 4.4), layout="constrained")
    FigureCanvasAgg(drawing)
    curves, outcomes = drawing.subplots(1, 2)
    for number, ((_, variant), trials) in enumerate(groups.items()):
        look = {"color": f"C{number}", "marker": "osD^vPX*"[number]}
        iterations = [w["iteration"] for w in trials[0]["watched"]]
        closeness = np.array([[w["closeness_real"] for w in t["watched"]] for t in trials])
        # The means of the table; only what is drawn ends at `LOWEST`.
        mean = np.maximum([tables.geometric_mean(column) for column in closeness.T], LOWEST)
        closeness = np.maximum(closeness, LOWEST)
        curves.plot(iterations, closeness.T, color=look["color"], linewidth=0.5, alpha=0.5)
        curves.plot(iterations, mean, label=tables.TITLES[variant].replace("`", ""), **look)
        entropies = [t["outcome"]["class_entropy"] for t in trials]
        outcomes.plot(closeness[:, -1], entropies, linestyle="", **look)
    curves.axhspan(LOWEST, SILENT_BELOW, color="0.92", zorder=0)
    curves.set_xscale("symlog", linthresh=50)
    curves.set_xticks(iterations, [f"{i:,}" for i in iterations])
    curves.set(yscale="log", xlabel="iterations", title="closeness of real images (grey: lost)")
    curves.legend(fontsize=7, loc="lower left")
    outcomes.axhline(np.log(10), color="0.6", linestyle=":")
    outcomes.axvspan(LOWEST, SILENT_BELOW, color="0.92", zorder=0)
    outcomes.set(xscale="log", xlabel="closeness of real images in the end", ylim=(-0.1, 2.5))
    outcomes.set_title("entropy of the samples' classes, nats (dotted: equal shares)")
    return drawing


def sheet(results):
    """Draws the samples of every trial: a row for each variant, a column for each seed.

    Args:
        results: list of `tables.read_all`.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        UserError: no trial has a picture of its samples.
    """
    results = [r for r in results if r["samples_file"].exists()]
    if not results:
        raise UserError("No finished trial has a picture of its samples.")
    groups = tables.groups(results)
    seeds = sorted({r["seed"] for r in results})
    drawing = Figure(figsize=(4 * len(seeds), 1.05 * len(groups)), layout="constrained")
    FigureCanvasAgg(drawing)
    axes = drawing.subplots(len(groups), len(seeds), squeeze=False)
    for row, ((size, variant), trials) in zip(axes, groups.items(), strict=True):
        for place in row:
            place.axis("off")
        for trial in trials:
            place = row[seeds.index(trial["seed"])]
            place.imshow(np.asarray(Image.open(trial["samples_file"]).convert("RGB")))
            title = f"{size}: {tables.TITLES[variant]}, seed {trial['seed']}"
            place.set_title(title.replace("`", ""), fontsize=6)
    return drawing


def write(results, path):
    """Writes `figure` as a PNG file, whole or not at all."""
    picture = _rendered(figure(results), dpi=100)
    files.write_whole(path, lambda p: picture.save(p, format="PNG", optimize=True))


def write_sheet(results, path):
    """Writes `sheet` as a PNG file of few colours, whole or not at all."""
    picture = _rendered(sheet(results), dpi=110).quantize(NUM_COLORS)
    files.write_whole(path, lambda p: picture.save(p, format="PNG", optimize=True))


def _rendered(drawing, dpi):
    rendered = io.BytesIO()
    drawing.savefig(rendered, format="png", dpi=dpi)
    return Image.open(rendered).convert("RGB")


def write_samples(pixels, path):
    """Writes a trial's samples, uint8 (H, W, C), as a PNG file, whole or not at all."""
    picture = Image.fromarray(pixels.squeeze())
    files.write_whole(path, lambda p: picture.save(p, format="PNG", optimize=True))

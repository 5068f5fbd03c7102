"""The picture of finished trials: the layer's closeness while training, and what samples became."""

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from examples.silent_layer import tables
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files
from improved_gan_tf.runs.health import SILENT_BELOW

LOWEST = 1e-13  # smaller closeness is drawn here


def figure(results):
    """Draws closeness by iteration, and the samples' classes against closeness in the end.

    Args:
        results: list of `tables.read_all`, all with the same settings.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        UserError: the settings are not the same.
    """
    groups = tables.groups(results)
    sizes = sorted({size for size, _ in groups})
    if len(sizes) > 1:
        raise UserError(
            "A picture is of trials with one width, learning rate and number of iterations. "
            f"Received: {'; '.join(sizes)}."
        )
    drawing = Figure(figsize=(11, 4.4), layout="constrained")
    FigureCanvasAgg(drawing)
    curves, outcomes = drawing.subplots(1, 2)
    for number, ((_, variant), trials) in enumerate(groups.items()):
        look = {"color": f"C{number}", "marker": "osD^vPX*"[number]}
        iterations = [w["iteration"] for w in trials[0]["watched"]]
        closeness = np.array([[w["closeness_real"] for w in t["watched"]] for t in trials])
        closeness = np.maximum(closeness, LOWEST)
        mean = np.exp(np.log(closeness).mean(axis=0))
        curves.plot(iterations, mean, label=tables.TITLES[variant].replace("`", ""), **look)
        entropies = [t["outcome"]["class_entropy"] for t in trials]
        outcomes.plot(closeness[:, -1], entropies, linestyle="", **look)
    curves.axhspan(LOWEST, SILENT_BELOW, color="0.92", zorder=0)
    curves.set_xscale("symlog", linthresh=50)
    curves.set_xticks(iterations, [f"{i:,}" for i in iterations])
    curves.set(yscale="log", xlabel="iterations", title="closeness of real images (grey: silent)")
    curves.legend(fontsize=7, loc="lower left")
    outcomes.axhline(np.log(10), color="0.6", linestyle=":")
    outcomes.axvspan(LOWEST, SILENT_BELOW, color="0.92", zorder=0)
    outcomes.set(xscale="log", xlabel="closeness of real images in the end", ylim=(-0.1, 2.5))
    outcomes.set_title("entropy of the samples' classes, nats (dotted: equal shares)")
    return drawing


def write(results, path):
    """Writes the picture as a PNG file of few colours, whole or not at all."""
    rendered = io.BytesIO()
    figure(results).savefig(rendered, format="png", dpi=100)
    picture = Image.open(rendered).convert("RGB").quantize(64)
    files.write_whole(path, lambda p: picture.save(p, format="PNG", optimize=True))

"""The learning curves of a run as one figure."""

import textwrap

import matplotlib.figure
import matplotlib.ticker

from improved_gan_tf.runs.health import ALIKE_BELOW, SILENT_BELOW
from improved_gan_tf.runs.spectrum_lines import draw_spectra

ERRORS = (
    ("train_error", "training (labeled, with noise)"),
    ("test_error_averaged", "test, averaged parameters"),
    ("test_error_raw", "test, raw parameters"),
)

TITLE_WIDTH = 50  # letters in a line over one panel


def curves_figure(history, title):
    """A figure with a panel for each kind of number that the run has.

    Losses; errors; a DCGAN's gradient norms; with minibatch discrimination how close it finds
    images to each other; for BigGAN the samples' spread, and the largest singular value of every
    layer of either player.
    """
    # From the last epoch: an earlier version may not have recorded a metric in the first epochs.
    names = list(history[-1])
    panels = [_losses]
    if any(name in names for name, _ in ERRORS):
        panels.append(_errors)
    if any(name.startswith("gradient_norm_") for name in names):
        panels.append(_gradient_norms)
    if any(name.startswith("closeness_") for name in names):
        panels.append(_closeness)
    if "spread" in names:
        panels.append(_spread)
    panels += [_spectra(player) for player in _players(names)]
    # Built without pyplot: no global state, no window system.
    figure = matplotlib.figure.Figure(figsize=(5 * len(panels), 4.2), layout="constrained")
    for axes, draw in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        draw(axes, history)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True, min_n_ticks=1))
    title = textwrap.fill(title, TITLE_WIDTH * len(panels), break_on_hyphens=False)
    figure.suptitle(title, parse_math=False)  # it may name a folder "$5_$9"
    return figure


def _points(history, name, factor=1.0):
    """Epochs, from 1, with a number of that name, and the numbers."""
    found = [(m["epoch"] + 1, factor * m[name]) for m in history if m.get(name) is not None]
    return tuple(zip(*found, strict=True))


def _draw(axes, history, name, label, factor=1.0, **options):
    points = _points(history, name, factor)
    if len(history) == 1:  # a line of one point is none
        options["marker"] = "."
    if points:
        axes.plot(*points, label=label, **options)


def _losses(axes, history):
    for name in history[0]:
        # A baseline's metrics hold zeros for losses that it does not have.
        if name.startswith("loss_") and any(m[name] for m in history):
            _draw(axes, history, name, name.removeprefix("loss_"))
    axes.set(ylabel="loss (mean of the epoch)")
    axes.set_yscale("symlog", linthresh=0.01)
    axes.legend()


def _errors(axes, history):
    for name, label in ERRORS:
        _draw(axes, history, name, label, 100.0, marker=".")
    axes.set(ylabel="error (%)")
    axes.set_yscale("symlog", linthresh=0.1)
    known = [100.0 * m[name] for name, _ in ERRORS for m in history if m.get(name) is not None]
    least = min(known, default=0.0)
    axes.set_ylim(bottom=0.8 * least if least > 0.1 else 0.0)
    ticks = range(1, 10) if least > 10.0 else (1, 2, 5)
    axes.yaxis.set_major_locator(
        matplotlib.ticker.SymmetricalLogLocator(base=10, linthresh=0.1, subs=ticks)
    )
    axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axes.yaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.legend()


def _gradient_norms(axes, history):
    for name in history[-1]:
        if name.startswith("gradient_norm_"):
            _draw(axes, history, name, name.removeprefix("gradient_norm_"), marker=".")
    axes.set(ylabel="gradient norm (mean)")
    axes.set_yscale("symlog", linthresh=0.1)
    axes.set_ylim(bottom=0)
    axes.legend()


def _closeness(axes, history):
    for name in history[-1]:
        if name.startswith("closeness_"):
            _draw(axes, history, name, name.removeprefix("closeness_"), marker=".")
    axes.axhline(SILENT_BELOW, color="0.5", linestyle=":", label="silent below")
    axes.set(ylabel="closeness in minibatch discrimination (mean o)")
    axes.set_yscale("symlog", linthresh=SILENT_BELOW)
    axes.set_ylim(bottom=0)
    axes.legend()


def _spread(axes, history):
    _draw(axes, history, "spread", "samples of a class", marker=".")
    axes.axhline(1.0, color="0.5", linestyle="--", label="real images")
    axes.axhline(ALIKE_BELOW, color="0.5", linestyle=":", label="collapsed below")
    axes.set(ylabel="mean distance of two (real images: 1)")
    axes.set_ylim(bottom=0)
    axes.legend()


def _players(names):
    """The players whose singular values are among the metrics."""
    return dict.fromkeys(name.split("/")[1] for name in names if name.startswith("sigma0/"))


def _spectra(player):
    """A function that draws the largest singular value of every layer of a player."""

    def draw(axes, history):
        draw_spectra(axes, history, player)
        axes.set(ylabel=f"largest singular value, {player}'s layers")

    return draw

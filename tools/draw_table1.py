"""The paper's Table 1 as curves: test error against epoch of every full-length MNIST run.

    python -m tools.draw_table1 [FOLDER]

Draws `results/mnist_table1.png` from the runs in FOLDER (`results/mnist_table1`): a panel for each
number of labels, a line for each run (a cross at the end of one that collapsed) and each baseline,
the paper's value with its spread.
Unfinished runs are drawn as far as they went. The legend has the mean of the finished ones, with
those that collapsed apart.
"""

import statistics
import sys

import matplotlib.figure
import matplotlib.ticker

from improved_gan_tf import paper
from tools import arguments
from tools.mnist_runs import RECIPES, TABLE1, has_collapsed, is_full_length, with_test_errors
from tools.run_files import RESULTS, error_of, labels_of, result, runs_in

COLOURS = dict(zip(RECIPES, ("#1d4ed8", "#c2410c"), strict=True))
BASELINE = "supervised_only"


def panels(folder):
    """`{labels: {recipe: run folders}}` of all runs, finished or not."""
    found = {}
    for run in runs_in(folder):
        config = result(run)["config"]
        of_labels = found.setdefault(labels_of(config), {})
        of_labels.setdefault(config["recipe"], []).append(run)
    return dict(sorted(found.items()))


def draw(folder, path):
    """Draws the panels side by side.

    Raises:
        SystemExit: there is no run in `folder`.
    """
    found = panels(folder)
    if not found:
        sys.exit(f"There is no run in {folder}.")
    figure = matplotlib.figure.Figure(
        figsize=(max(7.5, 5.2 * len(found)), 5.2), layout="constrained"
    )
    all_axes = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, (labels, recipes) in zip(all_axes, found.items(), strict=True):
        draw_panel(axes, labels, recipes)
    figure.suptitle("MNIST, feature matching, 300 epochs: test error of every run")
    figure.savefig(path, dpi=100)


def draw_panel(axes, labels, recipes):
    """Draws the runs of one number of labels, their baselines and the paper's value."""
    for recipe in (recipe for recipe in RECIPES if recipe in recipes):
        runs, colour = recipes[recipe], COLOURS[recipe]
        collapsed = [run for run in runs if has_collapsed(result(run))]
        healthy = [run for run in runs if run not in collapsed]
        for kind, name, end in ((healthy, recipe, None), (collapsed, f"{recipe}, collapsed", "x")):
            for number, run in enumerate(kind):
                axes.plot(
                    *_curve(run),
                    color=colour,
                    linewidth=1.2,
                    alpha=0.75,
                    marker=end,
                    markevery=[-1],
                    label=None if number else f"{name}: {_summary(kind)}",
                )
        baselines = [run for run in runs if (run / BASELINE / "result.json").exists()]
        for number, run in enumerate(baselines):
            text = f"{recipe}, supervised only: {_summary(baselines, BASELINE)}"
            label = None if number else text
            curve = _curve(run, BASELINE)
            axes.plot(*curve, "--", color=colour, linewidth=1, alpha=0.6, label=label)
    one, _ = paper.error_percent("mnist", labels, "feature_matching")
    if one is not None:
        axes.axhline(one.mean, color="black", linewidth=1.2)
        axes.axhspan(
            max(one.mean - one.spread, 0.01),
            one.mean + one.spread,
            color="black",
            alpha=0.15,
            label=f"paper, 10 splits: {one.mean:.2f} +- {one.spread:.3g} %",
        )
    axes.set_xlim(left=0)
    axes.set(xlabel="epoch", ylabel="test error (%)", yscale="log", title=f"{labels} labels")
    axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axes.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    ticks = [tick for tick in (0.5, 1, 2, 5, 10, 20, 50) if _within(tick, axes.get_ylim())]
    axes.set_yticks(ticks)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)


def _within(value, limits):
    return limits[0] <= value <= limits[1]


def _curve(run, part=""):
    tested = [
        (e["epoch"] + 1, 100 * e["test_error"])
        for e in with_test_errors(run, part)
        if e["test_error"] is not None
    ]
    return list(zip(*tested, strict=True)) or [[], []]


def _summary(runs, part=""):
    """Mean and spread of the finished runs, and how many are not finished or not the paper's."""
    contents = [result(run, part) for run in runs]
    finished = [content for content in contents if is_full_length(content)]
    texts = []
    if finished:
        errors = [error_of(content) for content in finished]
        spread = f" +- {statistics.stdev(errors):.2f}" if len(errors) > 1 else ""
        runs = f"{len(errors)} run{'s' if len(errors) > 1 else ''}"
        texts.append(f"{statistics.mean(errors):.2f}{spread} % ({runs})")
    unfinished = sum(content["status"] != "finished" for content in contents)
    if unfinished:
        texts.append(f"{unfinished} not finished")
    if len(finished) + unfinished < len(contents):
        texts.append(f"{len(contents) - len(finished) - unfinished} with other settings")
    return ", ".join(texts)


if __name__ == "__main__":
    (source,) = arguments.folders(__doc__, "FOLDER", "?") or [TABLE1]
    draw(source, RESULTS / "mnist_table1.png")

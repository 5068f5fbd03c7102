"""Thin runs and their baselines: a picture of all paired differences, and one for each new run.

    python -m tools.draw_thin              # draws results/thin_differences.png
    python -m tools.draw_thin RUNS...      # copies finished run folders first

RUNS are made with --with_baseline or, for more baselines with other seeds, --supervised_only. The
small files of each run and of its `supervised_only/` are copied into `results/thin/NAME/`, with the
numbers of test images that only one of the two gets wrong and the closeness in minibatch
discrimination. `results/thin/NAME.png` shows both learning curves and the last sample grid. More
baselines go to `results/thin_baselines/NAME/`. `python -m tools.tables` then writes the tables.
"""

import shutil
import sys
from typing import NamedTuple

import matplotlib.figure
import matplotlib.lines
import numpy as np
from PIL import Image

from improved_gan_tf.runs import rescoring
from tools import arguments, thin_runs
from tools.draw_figure3 import last_grid
from tools.run_files import RESULTS, result, runs_in, without, write
from tools.thin_runs import PARTS
from tools.thin_tables import labels, width

LEFT_OUT = ("data_dir", "run_dir")  # folders on the machine that made the run
DATA = {"mnist": "MNIST", "cifar10": "CIFAR-10 (part)", "svhn": '"SVHN" (stand-in)'}


# --- one picture of all differences --------------------------------------------------------


class Line(NamedTuple):
    """A line of the picture: runs that differ only in their seeds, compared with baselines."""

    group: str  # data set and model
    text: str
    pairs: list  # differences of a run and its own baseline, in points
    error: float | None  # standard error of a single pair, on the same test images
    means: dict  # `{kind of baselines: Difference}`


def lines():
    """All lines of the picture, grouped by data set and model."""
    found, grouped = {}, set()
    for group in thin_runs.groups_over_seeds():
        pairs = (group.errors[:, 0] - group.errors[:, 1]).tolist()
        key = _key(group.runs[0], group.iterations)
        found[key] = Line(*key[-2:], pairs, None, {"own": group.difference})
        grouped |= set(group.runs)
    for run in runs_in(thin_runs.THIN):
        if run not in grouped:
            key = _key(run, thin_runs.iterations(run))
            pair = thin_runs.pair(run)
            found[key] = Line(*key[-2:], [pair.difference], pair.standard_error, {})
    for group in thin_runs.independent_groups():
        found[_key(group.runs[0], group.iterations)].means["any seed"] = group.difference
    for group in thin_runs.groups_at_another_rate():
        key = _key(group.runs[0], group.iterations)
        found[key].means["another rate"] = group.difference
    return [found[key] for key in sorted(found)]


def _key(run, iterations):
    """A sort key for the lines, then a line's group and text."""
    config = thin_runs.config(run)
    model = config["model"].replace("_", " ")
    weight = config["unlabeled_weight"]
    text = (
        f"{labels(run):,} labels, width {width(run)}, rate {thin_runs.learning_rate(run)}"
        f"{'' if weight == 1 else f', unlabeled weight {weight:g}'}, {iterations:,} iterations"
    )
    order = list(DATA).index(config["dataset"]), model, -labels(run)
    return (*order, f"{DATA[config['dataset']]}, {model}", text)


def draw_differences(path):
    """Draws a dot for each pair, and means of several pairs with their intervals."""
    found = lines()
    heads = {line.group: None for line in found}
    height = 0.27 * (len(found) + len(heads)) + 1.7
    figure = matplotlib.figure.Figure(figsize=(11.5, height), layout="constrained")
    axes = figure.subplots()
    y, ticks = 0, []
    for group in heads:
        ticks.append((y, group, "bold"))
        for line in (line for line in found if line.group == group):
            y += 1
            ticks.append((y, line.text, "normal"))
            _draw_line(axes, y, line)
        y += 1.3
    axes.axvline(0, color="black", linewidth=1)
    axes.set_yticks([at for at, *_ in ticks], [text for _, text, _ in ticks], fontsize=8)
    for tick, (*_, weight) in zip(axes.get_yticklabels(), ticks, strict=True):
        tick.set_fontweight(weight)
    axes.tick_params(axis="y", length=0)
    axes.set(xlim=LIMITS, ylim=(y - 0.6, -1))
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel(
        "test error with unlabeled images minus test error with labels alone, in points",
        fontsize=9,
    )
    axes.text(-0.3, -0.5, "the unlabeled images helped \u2190", fontsize=8, ha="right")
    axes.text(0.3, -0.5, "\u2192 labels alone did better", fontsize=8)
    handles = [
        _handle("o", PAIR_COLOUR, "one pair: a run, its baseline (bar: 95 %, by the test images)")
    ]
    handles += [
        _handle(*style[:2], text) for style, text in zip(STYLES.values(), texts(), strict=True)
    ]
    figure.legend(handles=handles, fontsize=8, loc="outside lower center", ncols=2)
    figure.savefig(path, dpi=100)


PAIR_COLOUR = "0.45"
LIMITS = (-23, 8)
# Kind of baselines -> marker, colour, place below the line.
STYLES = {
    "own": ("D", "#c2410c", 0.0),
    "any seed": ("^", "#7a3e9d", 0.3),
    "another rate": ("s", "#2e7d32", 0.3),
}


def texts():
    """What the picture calls each of STYLES, with the numbers and rates of the baselines."""
    counts = sorted({len(group.supervised) for group in thin_runs.independent_groups()})
    rates = sorted({group.baselines_rate for group in thin_runs.groups_at_another_rate()})
    return (
        "mean of the pairs (bar: 95 % interval, from three pairs on)",
        f"against {_one_of(counts)} baselines of any seed (bar: 95 % interval)",
        f"against baselines at rate {_one_of(rates)} (bar: 95 % interval, from three pairs on)",
    )


def _one_of(values):
    return " or ".join(f"{value:g}" for value in values)


def _draw_line(axes, y, line):
    for kind, difference in line.means.items():
        marker, colour, shift = STYLES[kind]
        if difference.mean < LIMITS[0]:
            axes.annotate(
                f"{difference.mean:.1f}",
                (LIMITS[0], y + shift),
                (LIMITS[0] + 1.2, y + shift),
                arrowprops={"arrowstyle": "->", "color": colour},
                color=colour,
                fontsize=8,
                va="center",
            )
            continue
        axes.plot(difference.mean, y + shift, marker, color=colour, markersize=7, alpha=0.9)
        if difference.interval is not None:
            axes.plot(difference.interval, [y + shift] * 2, color=colour, linewidth=2)
    axes.plot(line.pairs, [y] * len(line.pairs), "o", color=PAIR_COLOUR, markersize=4)
    if line.error is not None:
        ends = [line.pairs[0] + sign * 1.96 * line.error for sign in (-1, 1)]
        axes.plot(ends, [y] * 2, color=PAIR_COLOUR, linewidth=1)


def _handle(marker, colour, label):
    return matplotlib.lines.Line2D([], [], marker=marker, color=colour, linestyle="", label=label)


# --- a new run -----------------------------------------------------------------------------


def copy_part(run, part, target):
    """Copies the small files of a run or, with `part`, of its baseline."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(run / part / "metrics.jsonl", target)
    content = result(run, part)
    content["config"] = without(content["config"], *LEFT_OUT)
    write(target / "result.json", content)


def require_whole(run, target, parts):
    """Refuses what cannot be compared, before anything is written.

    Raises:
        SystemExit: a part is absent or not finished, parts differ in length, or `target` holds
            another run.
    """
    missing = [run / part for part in parts if not (run / part / "result.json").exists()]
    if missing:
        sys.exit(f"There is no result in {missing[0]}.")
    contents = [result(run, part) for part in parts]
    if any(content["status"] != "finished" for content in contents):
        sys.exit(f"{run} is not finished, or its baseline is not.")
    if len({content["final"]["models_of_iteration"] for content in contents}) > 1:
        sys.exit(f"{run} and its baseline are not equally long.")
    if (target / "result.json").exists():
        there, new = ({**c["config"], "epochs": None} for c in (result(target), contents[0]))
        if without(there, *LEFT_OUT) != without(new, *LEFT_OUT):
            sys.exit(f"{target} holds another run: rename {run}.")


def copy(run):
    """Copies the small files of a run and of its baseline into `results/thin/`."""
    target = thin_runs.THIN / run.name
    require_whole(run, target, PARTS)
    for part in PARTS:
        copy_part(run, part, target / part)
    ours, baseline = (_wrong(run, part) for part in PARTS)
    only = {"run": int((ours & ~baseline).sum()), "supervised_only": int((baseline & ~ours).sum())}
    write(target / "only_one_wrong.json", only)
    write(target / "closeness.json", rescoring.closeness(run))


def _wrong(run, part):
    """Whether the tested parameters get each test image wrong, bool (N,)."""
    predictions = np.load(run / part / "predictions.npz", allow_pickle=False)
    logits = predictions[f"logits_{thin_runs.parameters(run)}"]
    return logits.argmax(axis=1) != predictions["labels"]


def draw_run(run, path):
    """Test errors of a run and of its baseline, and the run's last sample grid."""
    figure = matplotlib.figure.Figure(figsize=(9.6, 4.6), layout="constrained")
    curves, samples = figure.subplots(1, 2)
    for part, label in PARTS.items():
        curve = thin_runs.curve(run, part)
        curves.plot(curve.keys(), curve.values(), marker="o", markersize=3, label=label)
    curves.set(
        xlabel="iteration",
        ylabel=f"test error (%), {thin_runs.parameters(run)} parameters",
        title=result(run)["title"],
    )
    curves.title.set(fontsize=8, wrap=True)
    curves.grid(alpha=0.3)
    curves.legend()
    grid = last_grid(run)
    samples.imshow(Image.open(grid), cmap="gray")
    samples.set_title(f"samples, {grid.stem.replace('_', ' ')}", fontsize=9)
    samples.axis("off")
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    for folder in arguments.folders(__doc__, "RUNS"):
        if thin_runs.config(folder)["supervised_only"]:
            require_whole(folder, thin_runs.BASELINES / folder.name, [""])
            copy_part(folder, "", thin_runs.BASELINES / folder.name)
        else:
            copy(folder)
            draw_run(folder, thin_runs.THIN / f"{folder.name}.png")
    draw_differences(RESULTS / "thin_differences.png")

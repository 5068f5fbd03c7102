"""Thin networks beside their supervised-only baselines: tables, learning curves and samples.

    python results/draw_thin.py RUNS...      # finished run folders

RUNS are made with --with_baseline or, further baselines of other seeds, --supervised_only.

Copies what the table needs of each run and of its `supervised_only/` into `thin/NAME/`: with it the
numbers of test images that only one of the two gets wrong, and what `improved_gan_tf.rescore` says
of the closeness in minibatch discrimination. Prints the table from there, and draws
`thin/NAME.png`: test errors of both over the iterations, and the run's last sample grid. A second
table is over the seeds of runs that are otherwise alike. A third one takes runs and baselines as
two independent samples, with the further baselines, of which `thin_baselines/NAME/` has copies. A
fourth one has those of them that have another learning rate than the runs of the same labels.
The second and the third have a line for each number of iterations that runs were made for, with
all that went as far.
Without RUNS only the tables are printed.

Test errors are those of the raw parameters; of the averaged ones where the average has settled.
"""

import collections
import json
import pathlib
import shutil
import sys

import matplotlib.figure
import numpy as np
from PIL import Image
from scipy import stats
from tabulate import tabulate

from improved_gan_tf.runs import rescoring
from improved_gan_tf.settings.every_run import BOOKKEEPING, SEEDS

HERE = pathlib.Path(__file__).parent / "thin"
BASELINES = pathlib.Path(__file__).parent / "thin_baselines"
PARTS = {"": "semi-supervised", "supervised_only": "supervised only"}
# Folders of the machine that a run was made on.
LEFT_OUT = ("data_dir", "run_dir")
SETTLED = 0.95  # of its weight, which an average that starts at zero only approaches
HEADERS = (
    *("run", "labels", "iterations", "parameters", "test error", "supervised only", "difference"),
    "closeness, real and generated",
)
# In what runs that are otherwise alike may differ; of the learning rate's decay, that part counts
# which a run has seen.
APART = BOOKKEEPING | SEEDS | {"epochs", "decay_start_epoch", "decay_end_epoch", "supervised_only"}
INDEPENDENT = (
    *("runs", "labels", "parameters", "iterations", "with unlabeled images", "supervised only"),
    *("difference", "95 % interval", "by ranks, p"),
)
OTHER_RATE = (
    *("runs", "learning rate", "iterations", "of the baselines", "pairs", "test error"),
    *("supervised only", "difference", "95 % interval"),
)
OVER_SEEDS = (
    *("runs", "labels", "width", "learning rate", "parameters", "seeds", "iterations"),
    *("test error", "supervised only", "difference", "95 % interval"),
)


def result(run, part=""):
    """The content of a run's result.json."""
    return json.loads((run / part / "result.json").read_text("utf-8"))


def parameters(run):
    """Which parameters of a run and its baseline are tested: "averaged" or "raw"."""
    weight = result(run)["final"]["average_weight"]
    return "averaged" if weight is not None and weight > SETTLED else "raw"


def test_errors(run, part):
    """Iterations and test errors (%) of the epochs that were evaluated."""
    lines = (run / part / "metrics.jsonl").read_text("utf-8").splitlines()
    epochs = [json.loads(line) for line in lines]
    final = result(run, part)["final"]
    per_epoch = final["models_of_iteration"] / final["models_of_epoch"]
    errors = [(e["epoch"] + 1, e[f"test_error_{parameters(run)}"]) for e in epochs]
    evaluated = [(epoch, error) for epoch, error in errors if error is not None]
    return [per_epoch * epoch for epoch, _ in evaluated], [100 * error for _, error in evaluated]


def wrong(run, part):
    """Whether the parameters tested get each test image wrong, bool (N,)."""
    predictions = np.load(run / part / "predictions.npz")
    logits = predictions[f"logits_{parameters(run)}"]
    return logits.argmax(axis=1) != predictions["labels"]


def line(run):
    """One line of the table; +- is the standard error of a difference on the same test images."""
    ours, baseline = (result(run, part)["final"] for part in PARTS)
    count = ours["test_count"]
    errors = [final[f"test_wrong_{parameters(run)}"] / count for final in (ours, baseline)]
    only = json.loads((run / "only_one_wrong.json").read_text("utf-8"))
    difference = errors[0] - errors[1]
    spread = (sum(only.values()) / count**2 - difference**2 / count) ** 0.5
    close = json.loads((run / "closeness.json").read_text("utf-8"))
    return [
        run.name,
        10 * result(run)["config"]["labels_per_class"],
        ours["models_of_iteration"],
        parameters(run),
        *(f"{100 * p:.1f} %" for p in errors),
        f"{100 * difference:+.1f} +- {100 * spread:.1f}",
        "-" if close is None else " and ".join(f"{value:.1g}" for value in close),
    ]


def table():
    """All runs that were copied, by name."""
    lines = [line(path.parent) for path in sorted(HERE.glob("*/result.json"))]
    return tabulate(lines, headers=HEADERS, tablefmt="github", disable_numparse=True)


def learning_rate(config):
    """A run's learning rate in words."""
    rate, start, end = (
        config[f] for f in ("learning_rate", "decay_start_epoch", "decay_end_epoch")
    )
    is_constant = start is None or start >= config["epochs"]
    return f"{rate}" if is_constant else f"{rate}, to 0 in epochs {start} to {end}"


def curve(run, part=""):
    """`{iteration: test error (%)}` of the epochs that were evaluated."""
    return dict(zip(*test_errors(run, part), strict=True))


def alike(folder):
    """`{settings: runs}` of a folder: those together that differ only in seeds and length."""
    groups = collections.defaultdict(list)
    for path in sorted(folder.glob("*/result.json")):
        config = result(path.parent)["config"]
        same = sorted((name, repr(value)) for name, value in config.items() if name not in APART)
        key = (*same, learning_rate(config), parameters(path.parent))
        groups[key].append(path.parent)
    return groups


def iterations(run):
    """How many iterations a run was made for."""
    return result(run)["final"]["models_of_iteration"]


def seed(run):
    """A run's seed."""
    return result(run)["config"]["seed"]


def as_long(runs, length):
    """The runs of at least `length` iterations by seed; of several of a seed the shortest."""
    longest_first = sorted(runs, key=iterations, reverse=True)
    chosen = {seed(run): run for run in longest_first if iterations(run) >= length}
    return [chosen[number] for number in sorted(chosen)]


def of_each_length(groups):
    """`(settings, iterations, runs)` for each length of the runs in each group of `alike`."""
    for key, runs in groups.items():
        for length in sorted(set(map(iterations, runs))):
            yield key, length, as_long(runs, length)


def over_seeds():
    """A line for each set of runs that differ in their seeds, at the iteration where one ended.

    The interval is Student's, over three or more pairs of a run and its baseline.
    """
    lines = []
    for _, length, runs in of_each_length(alike(HERE)):
        if len(runs) == 1:
            continue
        config = result(runs[0])["config"]
        errors = np.array([[curve(run, part)[length] for part in PARTS] for run in runs])
        difference = errors[:, 0] - errors[:, 1]
        error = stats.sem(difference)
        interval = "-"
        if len(runs) > 2:  # of two, whatever they are, it says next to nothing
            low, high = stats.t.interval(0.95, len(runs) - 1, difference.mean(), error)
            interval = f"{low:+.1f} to {high:+.1f}"
        lines.append(
            [
                f"{config['dataset']}-{config['model']}",
                10 * config["labels_per_class"],
                f"1/{1 / config['width_multiplier']:.0f}",
                learning_rate(config),
                parameters(runs[0]),
                ", ".join(str(seed(run)) for run in runs),
                length,
                *(f"{mean:.1f} %" for mean in errors.mean(axis=0)),
                f"{difference.mean():+.1f} +- {error:.1f}",
                interval,
            ]
        )
    return tabulate(lines, headers=OVER_SEEDS, tablefmt="github", disable_numparse=True)


def independent():
    """A line for each set of runs of which there are further baselines of other seeds.

    +- is the standard error of a mean, and of the difference of two independent ones; the interval
    is Welch's, p that of Mann and Whitney's test. Where a seed has both a run and a baseline they
    are taken as independent too: the same labels make the two errors more alike, which would narrow
    the interval.
    """
    lines = []
    further = alike(BASELINES)
    for key, length, runs in of_each_length(alike(HERE)):
        baselines = as_long(further.get(key, []), length)
        if not baselines:
            continue
        with_unlabeled = [curve(run)[length] for run in runs]
        supervised = [
            *(curve(run, "supervised_only")[length] for run in runs),
            *(curve(run)[length] for run in baselines),
        ]
        test = stats.ttest_ind(with_unlabeled, supervised, equal_var=False)
        difference = np.mean(with_unlabeled) - np.mean(supervised)
        low, high = test.confidence_interval(0.95)
        ranks = stats.mannwhitneyu(with_unlabeled, supervised)
        config = result(runs[0])["config"]
        lines.append(
            [
                f"{config['dataset']}-{config['model']}",
                10 * config["labels_per_class"],
                parameters(runs[0]),
                length,
                *(
                    f"{np.mean(errors):.1f} +- {stats.sem(errors):.1f} % ({len(errors)} seeds)"
                    for errors in (with_unlabeled, supervised)
                ),
                f"{difference:+.1f} +- {difference / test.statistic:.1f}",
                f"{low:+.1f} to {high:+.1f}",
                f"{ranks.pvalue:.2f}",
            ]
        )
    return tabulate(lines, headers=INDEPENDENT, tablefmt="github", disable_numparse=True)


def but_for_the_rate(run):
    """A run's settings without what `alike` leaves out and without the learning rate, its seeds."""
    config = result(run)["config"]
    left_out = APART | {"learning_rate"}
    same = tuple(sorted((k, repr(v)) for k, v in config.items() if k not in left_out))
    return same, config["seed"], config["seed_data"]


def at_another_rate():
    """A line for runs of which there are baselines of the same seeds at another learning rate.

    Compared where the baselines end; +- and Student's interval are over the pairs.
    """
    pairs = collections.defaultdict(list)
    for path in sorted(BASELINES.glob("*/result.json")):
        for run in (found.parent for found in sorted(HERE.glob("*/result.json"))):
            rate, baselines = (result(r)["config"]["learning_rate"] for r in (run, path.parent))
            ours, length = curve(run), iterations(path.parent)
            is_pair = but_for_the_rate(run) == but_for_the_rate(path.parent)
            if is_pair and rate != baselines and length in ours:
                name = "-".join(result(run)["config"][k] for k in ("dataset", "model"))
                settings = (name, rate, length, baselines, but_for_the_rate(run)[0])
                pairs[settings].append((ours[length], curve(path.parent)[length]))
    lines = []
    for (name, rate, length, baselines, _), errors in pairs.items():
        difference = np.array([ours - theirs for ours, theirs in errors])
        mean, told, interval = difference.mean(), f"{difference.mean():+.1f}", "-"
        if len(errors) > 2:
            error = stats.sem(difference)
            low, high = stats.t.interval(0.95, len(errors) - 1, mean, error)
            told, interval = f"{told} +- {error:.1f}", f"{low:+.1f} to {high:+.1f}"
        means = (f"{value:.1f} %" for value in np.mean(errors, axis=0))
        lines.append([name, rate, length, baselines, len(errors), *means, told, interval])
    return tabulate(lines, headers=OTHER_RATE, tablefmt="github", disable_numparse=True)


def copy_part(run, part, target):
    """Copies the small files of a run or, with that as `part`, of its baseline."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(run / part / "metrics.jsonl", target)
    content = result(run, part)
    content["config"] = {k: v for k, v in content["config"].items() if k not in LEFT_OUT}
    (target / "result.json").write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def copy(run):
    """Copies the small files of a run and of its baseline into `thin/`."""
    for part in PARTS:
        copy_part(run, part, HERE / run.name / part)
    ours, baseline = (wrong(run, part) for part in PARTS)
    only = {"run": int((ours & ~baseline).sum()), "supervised_only": int((baseline & ~ours).sum())}
    (HERE / run.name / "only_one_wrong.json").write_text(json.dumps(only) + "\n", "utf-8")
    close = json.dumps(rescoring.closeness(run))
    (HERE / run.name / "closeness.json").write_text(close + "\n", "utf-8")


def draw(run, path):
    """Test errors of a run and of its baseline, and the run's last sample grid."""
    figure = matplotlib.figure.Figure(figsize=(9.6, 4.6), layout="constrained")
    curves, samples = figure.subplots(1, 2)
    for part, label in PARTS.items():
        curves.plot(*test_errors(run, part), marker="o", markersize=3, label=label)
    curves.set(
        xlabel="iteration",
        ylabel=f"test error (%), {parameters(run)} parameters",
        title=result(run)["title"],
    )
    curves.title.set(fontsize=8, wrap=True)
    curves.grid(alpha=0.3)
    curves.legend()
    grid = sorted((run / "samples").glob("epoch_*.png"))[-1]
    samples.imshow(Image.open(grid), cmap="gray")
    samples.set_title(f"samples, {grid.stem.replace('_', ' ')}", fontsize=9)
    samples.axis("off")
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    for folder in map(pathlib.Path, sys.argv[1:]):
        if result(folder)["config"]["supervised_only"]:
            copy_part(folder, "", BASELINES / folder.name)
        else:
            copy(folder)
            draw(folder, HERE / f"{folder.name}.png")
    print(table(), over_seeds(), independent(), at_another_rate(), sep="\n\n")

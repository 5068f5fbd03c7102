"""The tables of docs/results_thin.md and of the thin rows of Table 3."""

import numpy as np
from scipy import stats

from improved_gan_tf.paper import INCEPTION_SCORES
from improved_gan_tf.tables.inception_scores import PAPER_ROWS
from tools import thin_runs
from tools.run_files import RESULTS, epochs, labels_of, markdown_table, read, result, runs_in

TABLE3 = RESULTS / "table3_thin"


def every_run():
    """All thin runs by name; +- is the standard error of a difference on the same test images."""
    lines = []
    for run in runs_in(thin_runs.THIN):
        pair = thin_runs.pair(run)
        lines.append(
            [
                run.name,
                labels(run),
                thin_runs.iterations(run),
                thin_runs.parameters(run),
                f"{pair.error:.1f} %",
                f"{pair.supervised:.1f} %",
                f"{pair.difference:+.1f} +- {pair.standard_error:.1f}",
                " and ".join(f"{value:.1g}" for value in thin_runs.closeness(run) or ()) or "-",
            ]
        )
    headers = (
        *("run", "labels", "iterations", "parameters", "test error", "supervised only"),
        *("difference", "closeness, real and generated"),
    )
    return markdown_table(headers, lines)


def labels(run):
    """The number of labeled images of a run."""
    return labels_of(thin_runs.config(run))


def width(run):
    """A run's width as a fraction of the paper's."""
    return f"1/{1 / thin_runs.config(run)['width_multiplier']:.0f}"


def difference_text(difference):
    """A mean difference and its standard error; of two pairs both differences."""
    if difference.both:
        return ", ".join(f"{value:+.1f}" for value in difference.both)
    error = difference.standard_error
    return f"{difference.mean:+.1f}" + ("" if error is None else f" +- {error:.1f}")


def interval_text(difference):
    """A 95 % interval, or a dash."""
    if difference.interval is None:
        return "-"
    low, high = difference.interval
    return f"{low:+.1f} to {high:+.1f}"


def over_seeds():
    """A line for each set of runs that differ in their seeds; +- is over the pairs."""
    lines = []
    for group in thin_runs.groups_over_seeds():
        first = group.runs[0]
        lines.append(
            [
                thin_runs.name(first),
                labels(first),
                width(first),
                thin_runs.learning_rate(first),
                thin_runs.parameters(first),
                ", ".join(str(thin_runs.seed(run)) for run in group.runs),
                group.iterations,
                *(f"{mean:.1f} %" for mean in group.errors.mean(axis=0)),
                difference_text(group.difference),
                interval_text(group.difference),
            ]
        )
    headers = (
        *("runs", "labels", "width", "learning rate", "parameters", "seeds", "iterations"),
        *("test error", "supervised only", "difference", "95 % interval"),
    )
    return markdown_table(headers, lines)


def independent():
    """A line for each set of runs with further baselines; +- is a mean's standard error."""
    lines = []
    for group in thin_runs.independent_groups():
        first = group.runs[0]
        samples = (
            f"{np.mean(errors):.1f} +- {stats.sem(errors):.1f} % ({len(errors)} seeds)"
            for errors in (group.errors, group.supervised)
        )
        texts = difference_text(group.difference), interval_text(group.difference)
        settings = thin_runs.name(first), labels(first), thin_runs.parameters(first)
        lines.append([*settings, group.iterations, *samples, *texts, f"{group.rank_p:.2f}"])
    headers = (
        *("runs", "labels", "parameters", "iterations", "with unlabeled images"),
        *("supervised only", "difference", "95 % interval", "by ranks, p"),
    )
    return markdown_table(headers, lines)


def other_rate():
    """A line for each set of runs with baselines at another learning rate."""
    lines = []
    for group in thin_runs.groups_at_another_rate():
        first = group.runs[0]
        lines.append(
            [
                thin_runs.name(first),
                thin_runs.config(first)["learning_rate"],
                group.iterations,
                group.baselines_rate,
                len(group.runs),
                *(f"{value:.1f} %" for value in group.errors.mean(axis=0)),
                difference_text(group.difference),
                interval_text(group.difference),
            ]
        )
    headers = (
        *("runs", "learning rate", "iterations", "of the baselines", "pairs", "test error"),
        *("supervised only", "difference", "95 % interval"),
    )
    return markdown_table(headers, lines)


# --- where minibatch discrimination falls silent -------------------------------------------

SILENT = (
    ("CIFAR-10, 400 labels", "thin/cifar10-minibatch_discrimination"),
    (
        "CIFAR-10, 400 labels, seed 2 of two made for so long",
        "thin/cifar10-minibatch_discrimination-32-epochs-seed2",
    ),
    ("CIFAR-10, 400 labels, seed 10", "thin/cifar10-minibatch_discrimination-rate-0.0005-seed10"),
    ("CIFAR-10, 400 labels, seed 11", "thin/cifar10-minibatch_discrimination-rate-0.0005-seed11"),
    ("CIFAR-10, our methods of Table 3", "table3_thin/our_methods"),
    ("CIFAR-10, 400 labels, stopped", "thin_slow/cifar10-minibatch_discrimination"),
    ('"SVHN", 1,000 labels', "thin/svhn-minibatch_discrimination-1000-labels"),
    ('"SVHN", 500 labels', "thin/svhn-minibatch_discrimination-500-labels"),
    ('"SVHN", 1,000 labels, stopped', "thin_slow/svhn-minibatch_discrimination"),
    ("MNIST, 100 labels", "thin/mnist-minibatch_discrimination"),
    ("MNIST, 100 labels, stopped", "thin_slow/mnist-minibatch_discrimination"),
)


def silent():
    """How close the layer of minibatch discrimination finds images when a run ends."""
    lines = []
    for text, path in SILENT:
        run = RESULTS / path
        close = (f"{value:.2g}" for value in thin_runs.closeness(run))
        rate = thin_runs.config(run)["learning_rate"]
        lines.append([text, width(run), rate, f"{thin_runs.iterations(run):,}", *close])
    headers = (
        *("run", "width", "learning rate", "iterations", "closeness of real images"),
        "of generated images",
    )
    return markdown_table(headers, lines)


# --- Table 3 -------------------------------------------------------------------------------


def table3_state():
    """The paper's Table 3: each row's score there, its flag, what was run here."""
    lines = []
    for row, name in PAPER_ROWS.items():
        content = result(TABLE3 / row)
        thin = f"{content['final']['models_of_iteration']} iterations, thin"
        lines.append([name, str(INCEPTION_SCORES[name]), f"`{row}`", thin])
    headers = ("row of the paper", "paper's Inception score", "`--ablation=`", "run here")
    return markdown_table(headers, lines)


def table3_thin():
    """The thin runs of Table 3's rows, scored by our own small classifier, then real images."""
    lines = []
    for row in PAPER_ROWS:
        folder = TABLE3 / row
        tested = [e for e in epochs(folder) if e["test_error_raw"] is not None][-1]
        score = read(folder / "score.json")
        close = thin_runs.closeness(folder)
        lines.append(
            [
                row,
                f"{100 * tested['test_error_raw']:.1f} %",
                *_measures(score),
                "-" if close is None else " and ".join(f"{value:.1g}" for value in close),
            ]
        )
    lines.append(["real images", "-", *_measures({**score["real"], "frechet": None}), "-"])
    headers = (
        *("row", "test error (raw)", "mean distance of pairs (bytes)", "classes seen"),
        *("classifier score", "Frechet distance", "closeness, real and generated"),
    )
    return markdown_table(headers, lines)


def _measures(score):
    diversity, frechet = score["diversity"], score["frechet"]
    return [
        f"{diversity['mean_pairwise_distance']:.0f}",
        diversity["num_classes_seen"],
        f"{score['mean']:.2f}",
        "-" if frechet is None else f"{frechet['distance']:.1f}",
    ]

"""The tables of docs/results_mnist.md: our runs, the original's, scores of samples."""

import statistics

from scipy.stats import binomtest

from improved_gan_tf import paper
from tools.mnist_runs import (
    COUNTED_EPOCHS,
    RECIPES,
    TABLE1,
    collapse_epoch,
    has_collapsed,
    is_full_length,
    is_lost,
    original_runs,
    our_runs,
    table1_runs,
)
from tools.run_files import RESULTS, error_of, labels_of, markdown_table, read, result

LABELS = (20, 50, 100, 200)
UNDER_WAY = "under way"


def spread(values, digits=2):
    """Mean and sample standard deviation of percentages as text, and their number."""
    mean = f"{statistics.mean(values):.{digits}f}"
    sd = f" +- {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean}{sd} % ({len(values)} run{'s' if len(values) > 1 else ''})"


def baselines(runs):
    """Test errors (%) of the supervised-only baselines that runs have."""
    has = [run for run in runs if (run / "supervised_only" / "result.json").exists()]
    contents = [result(run, "supervised_only") for run in has]
    return [error_of(content) for content in contents if is_full_length(content)]


def mean_error(runs, lost=()):
    """Mean and spread of the test errors of runs; collapsed ones are counted and told apart.

    `lost` are runs that collapsed and are not finished: they have no error yet.
    """
    told = spread([error_of(result(run)) for run in runs])
    healthy = [run for run in runs if not has_collapsed(result(run))]
    if len(healthy) < len(runs):
        told += f", {len(runs) - len(healthy)} collapsed"
        if healthy:
            told += f"; the others {spread([error_of(result(run)) for run in healthy])}"
    return f"{told}, {len(lost)} more collapsed, unfinished" if lost else told


def full_length(folder=TABLE1):
    """The paper's Table 1: a line for each number of labels and recipe at 300 epochs."""
    groups, lost = table1_runs(folder), table1_runs(folder, is_lost)
    lines = []
    for labels in LABELS:
        cell = paper.paper_row("mnist", labels)
        recipes = [recipe for recipe in RECIPES if (labels, recipe) in groups]
        if not recipes:
            lines.append([labels, "-", cell, UNDER_WAY, UNDER_WAY])
        for recipe in recipes:
            runs = groups[labels, recipe]
            supervised = baselines(runs)
            shown = spread(supervised) if supervised else "-"
            error = mean_error(runs, lost.get((labels, recipe), ()))
            lines.append([labels, recipe, cell, error, shown])
    return markdown_table(("labels", "recipe", "paper", "ours", "supervised only"), lines)


def each_split(folder=TABLE1):
    """The errors behind `full_length`, a line for each labeled split."""

    def counts(content):
        return is_full_length(content) or is_lost(content)

    lines = []
    for (labels, recipe), runs in sorted(table1_runs(folder, counts).items()):
        for run in runs:
            content = result(run)
            final = content["final"]
            so_far = f", stopped in epoch {final['epochs'] + 1}" if is_lost(content) else ""
            at = final["collapsed_at_epoch"]
            (supervised,) = baselines([run]) or (None,)
            lines.append(
                [
                    *(labels, recipe, content["config"]["seed"]),
                    f"{error_of(content):.2f} %{so_far}",
                    "-" if supervised is None else f"{supervised:.2f} %",
                    "no" if at is None else at + 1,
                ]
            )
    headers = ("labels", "recipe", "seed and split", "test error", "supervised only")
    return markdown_table((*headers, "collapsed in epoch"), lines)


def with_original():
    """One line for each short run: how far it went, whether it collapsed, its last test errors."""
    lines = []
    for recipe in RECIPES:
        for seed, epochs in original_runs(recipe):
            last = f"{100 * epochs[-1]['test_error']:.2f} %"
            lines.append(["original", recipe, seed, *_health(epochs), last])
        for seed, epochs, content in our_runs(recipe):
            final = content["final"]
            wrong = [final["test_wrong_averaged"], final["test_wrong_raw"]]
            shown = " / ".join("-" if w is None else f"{w / 100:.2f} %" for w in wrong)
            lines.append(["ours", recipe, seed, *_health(epochs), shown])
    headers = (
        *("code", "recipe", "seed", "epochs", "collapsed in epoch"),
        "lowest unsupervised loss after epoch 5",
        "last test error (ours: averaged / raw)",
    )
    return markdown_table(headers, lines)


def _health(epochs):
    at = collapse_epoch(epochs)
    lowest = min((epoch["loss_unsupervised"] for epoch in epochs[5:]), default=0)
    return [len(epochs), "no" if at is None else at, f"{lowest:.4f}"]


def collapse_counts(folder=TABLE1):
    """How many runs with 100 labels collapsed; of two short ones of a seed the longer counts."""
    full, lost, lines = table1_runs(folder), table1_runs(folder, is_lost), []
    for recipe in RECIPES:
        longest = {seed: epochs for seed, epochs, _ in our_runs(recipe)}
        short = [epochs for epochs in longest.values() if len(epochs) >= COUNTED_EPOCHS]
        long = [run for runs in (full, lost) for run in runs.get((100, recipe), ())]
        finals = [result(run)["final"] for run in long]
        lengths = sorted({len(epochs) for epochs in short})
        at_full_length = "300, or until it collapsed" if (100, recipe) in lost else "300"
        kinds = {
            " or ".join(map(str, lengths)): [collapse_epoch(epochs) for epochs in short],
            at_full_length: [final["collapsed_at_epoch"] for final in finals],
        }
        for epochs, collapsed_at in kinds.items():
            if collapsed_at:
                collapsed = sum(epoch is not None for epoch in collapsed_at)
                interval = binomtest(collapsed, len(collapsed_at)).proportion_ci()
                shown = f"{100 * interval.low:.0f} to {100 * interval.high:.0f} %"
                lines.append([recipe, epochs, len(collapsed_at), collapsed, shown])
    return markdown_table(("recipe", "epochs", "runs", "collapsed", "95 % interval"), lines)


def compared(name, with_paper):
    """The MNIST rows of a `compare --format=json`, a line each, with the notes below."""
    lines, letters = [], {}
    for row in read(RESULTS / f"{name}.json")["tables"]["mnist"]:
        notes = [letters.setdefault(n, chr(ord("a") + len(letters))) for n in row["notes"]]
        ensemble = row["ensemble_percent"]
        paper_mean = row["paper_mean_percent"]
        shown = "" if paper_mean is None else f"{paper_mean} +- {row['paper_std_percent']}"
        lines.append(
            [
                row["num_labels"],
                ", ".join(filter(None, (row["method"], row["settings"]))),
                row["parameters"] + (" *" if row["papers_measure"] else ""),
                _mean(row["mean_percent"], row["std_percent"]),
                row["num_runs"],
                "" if ensemble is None else f"{ensemble:.2f} (of {row['ensemble_size']})",
                *([shown] if with_paper else []),
                " ".join(notes),
            ]
        )
    headers = (
        *("labels", "trained as", "parameters", "mean +- sd (%)", "runs", "ensemble"),
        *(["paper"] if with_paper else []),
        "notes",
    )
    notes = "\n".join(f"- {letter}: {text}" for text, letter in letters.items())
    return f"{markdown_table(headers, lines)}\n\n{notes}"


def _mean(mean, std):
    return f"{mean:.2f}" + ("" if std is None else f" +- {std:.2f}")


SCORED = {
    "released-1": "`run_mnist.py`, released, seed 1, 20 epochs",
    "released-2": "`run_mnist.py`, released, seed 2, 30 epochs",
    "released-3": "`run_mnist.py`, released, seed 3, 20 epochs",
    "first_release-2": "`run_mnist.py`, first_release, seed 2, 30 epochs",
    "mnist-minibatch_discrimination": "`run_mnist.py --model=minibatch_discrimination`, "
    "100 labels, width / 8, 4 epochs",
}
SCORE_HEADERS = ("exp(mean KL)", "Frechet distance", "distance of pairs", "entropy of classes")


def mnist_scores():
    """Scores of MNIST samples and of real images by our own classifier."""
    lines = [[text, *_score(read(_score_file(name)))] for name, text in SCORED.items()]
    real = read(_score_file("real-mnist"))
    frechet = f"{real['frechet']['distance']:.2f}, to {real['num_samples']:,} training images"
    lines.append(["real training images (the classifier's own)", *_score(real, "")])
    test = f"real test images ({real['real']['num_samples']:,})"
    lines.append([test, *_score(real["real"], frechet)])
    return markdown_table(("MNIST", *SCORE_HEADERS), lines)


def cifar10_scores():
    """The same of one thin CIFAR-10 run."""
    score = read(_score_file("cifar-fm"))
    run = result(RESULTS / "cifar10_thin")["config"]
    text = f"`run_cifar10.py`, {labels_of(run):,} labels, {run['epochs']} epochs"
    real = "real training images (15,000, the classifier's own)"
    lines = [[text, *_score(score)], [real, *_score(score["real"], "")]]
    return markdown_table(("CIFAR-10, partial", *SCORE_HEADERS), lines)


def _score_file(name):
    return RESULTS / "scores" / f"{name}.json"


def _score(score, frechet=None):
    diversity = score["diversity"]
    return [
        f"{score['mean']:.3f} +- {score['std']:.3f}",
        f"{score['frechet']['distance']:.2f}" if frechet is None else frechet,
        f"{diversity['mean_pairwise_distance']:.0f}",
        f"{diversity['class_entropy']:.3f}",
    ]

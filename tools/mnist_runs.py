"""MNIST runs below `results/` and the original's logs, read as lists of epochs."""

import re

from improved_gan_tf import collapsed_at
from tools.run_files import RESULTS, epochs, labels_of, result, runs_in

RECIPES = ("released", "first_release")
COUNTED_EPOCHS = 30
TABLE1 = RESULTS / "mnist_table1"
ORIGINAL_LINE = re.compile(
    r"loss_lab = (?P<loss_supervised>\S+), loss_unl = (?P<loss_unsupervised>\S+), "
    r"train err = \S+, test err = (?P<test_error>\S+)"
)


def original_runs(recipe):
    """`[(seed, [epoch dicts])]` of the original's logs."""
    runs = []
    for path in sorted((RESULTS / "original").glob("mnist_*.txt")):
        if ("first_release" in path.name) != (recipe == "first_release"):
            continue
        text = path.read_text("utf-8")
        seed = int(re.search(r"Namespace\(seed=(\d+)", text)[1])
        lines = [
            {name: float(value) for name, value in match.groupdict().items()}
            for match in ORIGINAL_LINE.finditer(text)
        ]
        runs.append((seed, lines))
    return sorted(runs, key=lambda run: run[0])


def our_runs(recipe):
    """`[(seed, [epoch dicts], result)]` of our short runs; for equal seeds the longer run last.

    Only runs with the recipe's settings count; the number of epochs may differ.
    """
    runs = []
    for folder in (RESULTS / "mnist_feature_matching").glob(f"{recipe}-seed*"):
        content = result(folder)
        if any(not text.startswith("epochs:") for text in content["differences_from_paper"]):
            continue
        runs.append((content["config"]["seed"], with_test_errors(folder), content))
    return sorted(runs, key=lambda run: (run[0], len(run[1])))


def with_test_errors(folder, part=""):
    """A run's epochs, each with its `test_error` as the recipe's code measures it, or None."""
    lines = epochs(folder, part)
    for epoch in lines:
        averaged = epoch["test_error_averaged"]
        epoch["test_error"] = epoch["test_error_raw"] if averaged is None else averaged
    return lines


def collapse_epoch(lines):
    """The epoch (from 1) in which a run collapsed, or None."""
    at = collapsed_at([epoch["loss_unsupervised"] for epoch in lines])
    return None if at is None else at + 1


def has_collapsed(content):
    """Whether a result is from a run that collapsed."""
    return content["final"]["collapsed_at_epoch"] is not None


def _has_papers_settings(content):
    return all("supervised-only" in text for text in content["differences_from_paper"])


def is_full_length(content):
    """Whether a result is from a finished run with all of the paper's settings, or its baseline."""
    return content["status"] == "finished" and _has_papers_settings(content)


def is_lost(content):
    """Whether a result is from such a run that has collapsed and is not finished."""
    unfinished = content["status"] != "finished" and has_collapsed(content)
    return unfinished and _has_papers_settings(content)


def table1_runs(folder=TABLE1, counts=is_full_length):
    """`{(labels, recipe): run folders}` of the runs whose result counts, by seed."""
    groups = {}
    for run in runs_in(folder):
        content = result(run)
        if counts(content):
            config = content["config"]
            key = (labels_of(config), config["recipe"])
            groups.setdefault(key, []).append(run)
    for runs in groups.values():
        runs.sort(key=lambda run: result(run)["config"]["seed"])
    return groups

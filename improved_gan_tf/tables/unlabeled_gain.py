"""Does the unlabeled data help? The answer of a run and its baseline, or of several, as a line."""

import json

import numpy as np
import scipy.stats

from improved_gan_tf.runs.finished_runs import LeftOut, read_run
from improved_gan_tf.tables.ensembles import PredictionsError, read_predictions, wrong_of
from improved_gan_tf.tables.paired_errors import paired_errors

QUESTION = "Does the unlabeled data help?"
_YES = "Yes"
LOST = 0.1  # of the training error, between a run's best epoch and its last


def answer_of_folders(run_dir, baseline_dir):
    """The answer of one pair, from its two run folders."""
    found = [read_run(folder, other_versions=True) for folder in (run_dir, baseline_dir)]
    left_out = [one for one in found if isinstance(one, LeftOut)]
    if left_out:
        return f"{QUESTION} Unknown: {left_out[0].path}: {left_out[0].reason}."
    return answer(*found)


def answer(run, baseline):
    """The answer of one pair, by its test images.

    Args:
        run: `runs.finished_runs.Run`, with unlabeled images.
        baseline: the same without.
    """
    kind = _tested_kind(run)
    try:
        (logits, labels), (others, other_labels) = (
            read_predictions(one, kind) for one in (run, baseline)
        )
    except PredictionsError as error:
        return f"{QUESTION} Unknown: {error}."
    if not np.array_equal(labels, other_labels):
        return f"{QUESTION} Unknown: the two runs were tested on different images."
    pair = paired_errors(logits, others, labels)
    low, high = (100 * x for x in pair.interval)
    unstable = [text for text in map(_instability, (run, baseline)) if text]
    verdict = _verdict(low, high)
    if verdict != _YES and _collapse_epoch(run) is not None:
        unstable.insert(0, f"the game collapsed in epoch {_collapse_epoch(run)}")
    if unstable:
        verdict = (
            f"Unclear, training was unstable ({', '.join(unstable)}; try a smaller --learning_rate)"
        )
    return (
        f"{QUESTION} {verdict}: {100 * pair.first:.1f} % of {pair.count:,} test images "
        f"wrong with it, {100 * pair.second:.1f} % without: {100 * pair.difference:+.1f} points "
        f"(95 % from {low:+.1f} to {high:+.1f}, p = {pair.p_value:.2g}, paired on the test images; "
        f"{_one_choice(run)}{_raw_text(run, baseline, kind)})."
    )


def answer_over_seeds(pairs):
    """The answer of one or several pairs with the same number of labels.

    The interval of three pairs or more is Student's over their differences.

    Args:
        pairs: list of `(run, baseline)`, each `runs.finished_runs.Run`.
    """
    if len(pairs) == 1:
        return answer(*pairs[0])
    errors = np.array([[_percent(one) for one in pair] for pair in pairs])
    differences = errors[:, 0] - errors[:, 1]
    mean = differences.mean()
    text = (
        f"{errors[:, 0].mean():.1f} % of the test images wrong with it, "
        f"{errors[:, 1].mean():.1f} % without: {mean:+.1f} points, mean of {len(pairs)} pairs"
    )
    note = ""
    shaken = sum(any(map(_instability, pair)) for pair in pairs)
    if shaken:
        note += f" Training was unstable in {shaken} of the pairs."
    collapsed = sum(_collapse_epoch(run) is not None for run, _ in pairs)
    if collapsed:
        note += f" The game collapsed in {collapsed} of the runs; try a smaller --learning_rate."
    if len(pairs) < 3:
        return f"{QUESTION} {text} (an interval needs three pairs; --num_runs=3).{note}"
    error = scipy.stats.sem(differences)
    half = scipy.stats.t.ppf(0.975, len(pairs) - 1) * error
    low, high = mean - half, mean + half
    verdict = _verdict(low, high)
    if verdict != _YES and 2 * collapsed >= len(pairs):
        verdict = "Unclear, the game collapsed too often"
    over = "seeds and choices of labels" if _chooses(pairs[0][0]) else "seeds"
    interval = f"95 % from {low:+.1f} to {high:+.1f}, over {over}"
    return f"{QUESTION} {verdict}: {text} ({interval}).{note}"


def _chooses(run):
    """Whether a run chooses the images whose labels it sees; else it sees all."""
    return run.config.labels_per_class is not None


def _one_choice(run):
    return "one seed and one choice of labels" if _chooses(run) else "one seed"


def _raw_text(run, baseline, kind):
    """The errors with raw parameters, which may tell another tale than tested averages."""
    if kind == "raw":
        return ""
    errors = [
        100 * wrong_of(one, "raw") / one.result["final"]["test_count"] for one in (run, baseline)
    ]
    return f"; with raw parameters {errors[0]:.1f} % and {errors[1]:.1f} %"


def _instability(run):
    """A text if a run ended with a training error well above its lowest one; empty otherwise.

    Such a run was caught on its way back from a jump, and says little about its kind of training.
    """
    try:
        lines = (run.path / "metrics.jsonl").read_text("utf-8").splitlines()
        errors = [json.loads(line)["train_error"] for line in lines]
    except (OSError, ValueError, KeyError):
        return ""  # nothing is known
    if not errors or errors[-1] - min(errors) <= LOST:
        return ""
    kind = "supervised only" if run.config.supervised_only else "with unlabeled images"
    last, lowest = 100 * errors[-1], 100 * min(errors)
    return f"{kind}: training error {last:.0f} % at the end, {lowest:.0f} % before"


def _collapse_epoch(run):
    """The epoch, from 1 on, in which a run's discriminator won its game for good, or None.

    From then on the unlabeled images teach it little.
    """
    final = run.result["final"]
    epoch = final.get("collapsed_at_epoch")
    went_on = final.get("recovered_at_epoch") is not None
    return None if epoch is None or went_on else epoch + 1


def _verdict(low, high):
    if high < 0:
        return _YES
    return "No, it harms" if low > 0 else "Not to be seen here"


def _tested_kind(run):
    """The parameters with which a run is tested: averaged ones where it keeps an average."""
    return "raw" if wrong_of(run, "averaged") is None else "averaged"


def _percent(run):
    return 100 * wrong_of(run, _tested_kind(run)) / run.result["final"]["test_count"]

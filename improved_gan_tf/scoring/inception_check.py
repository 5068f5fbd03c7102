"""The check that a frozen graph scores as the authors' did.

The file of 2015 carries no signature, and networks of the same shape with other weights give other
scores. A graph counts as the authors' once its score of the 50,000 real training images of CIFAR-10
agrees with theirs. The check command records this next to the graph, with the file's SHA-256;
without the record no score is shown as comparable with the paper's.

Paper: Salimans et al. (2016), Table 3, first row: real data 11.24 +- .12.
"""

import json
import os
import shlex

from improved_gan_tf import paper
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files, versions

NUM_SAMPLES = 50_000
NUM_SPLITS = 10
REAL = paper.INCEPTION_SCORES["real data"]
# What the paper prints behind +-, taken as the spread over 10 splits: their mean, in another order,
# moves by a third of it.
TOLERANCE = REAL.spread

COMMAND = "python -m improved_gan_tf.score --real=cifar10 --classifier={path}"


def record_path(path):
    """The path of the record for the graph at `path`."""
    return path.with_name(path.name + ".check.json")


def require_writable(path):
    """Raises UserError if the record of the graph at `path` could not be written."""
    if path.parent.is_dir() and not os.access(path.parent, os.W_OK):
        raise UserError(
            f"The result of the check is recorded next to the graph, and {path.parent} cannot be "
            "written. Copy the graph to a folder of your own."
        )


def record(classifier, score):
    """Records the score of CIFAR-10's real training images by a `FrozenInception`.

    `score` is that of all 50,000 over 10 splits, see `image_scores.score`.
    """
    kept = ("images", "mean", "std", "num_samples", "num_splits")
    content = {"sha256": classifier.sha256, **{name: score[name] for name in kept}}
    files.write_json(record_path(classifier.path), {**content, "versions": versions.versions()})


def why_unchecked(classifier):
    """Why scores of this classifier do not count as those of the authors' weights.

    The result is a list of one sentence without full stop; empty if the graph was checked and
    agrees, or is not a graph of 2015.

    Raises:
        UserError: the record is damaged.
    """
    if classifier.kind != "inception_2015" or not classifier.has_papers_size:
        return []
    command = COMMAND.format(path=shlex.quote(str(classifier.path)))
    file = record_path(classifier.path)
    try:
        content = json.loads(file.read_text("utf-8"))
        sha256, mean = content["sha256"], float(content["mean"])
    except FileNotFoundError:
        return [f"weights: not yet checked against real CIFAR-10 ({command})"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} is damaged ({error!r}); delete it and run {command}") from error
    if sha256 != classifier.sha256:
        return [f"weights: {file.name} is of another graph ({command})"]
    if not abs(mean - REAL.mean) <= TOLERANCE:
        return [f"weights: real CIFAR-10 scores {mean:.2f} with them, not {REAL.mean}"]
    return []

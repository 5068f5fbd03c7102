"""Inception scores that stand in run folders as score.json, beside the paper's Table 3.

Paper: Salimans et al. (2016), Sec. 4, Table 3.
"""

import json
import math
import pathlib
from typing import NamedTuple

from improved_gan_tf import paper
from improved_gan_tf.run_folders import LeftOut

TITLE = "Inception scores (the paper's Table 3: CIFAR-10, 50,000 samples)"
HEADERS = ("run", "classifier", "samples", "splits", "mean +- sd", "paper", "notes")
NAME = "score.json"
KIND = "inception_score"


class Score(NamedTuple):
    """Content of a score.json and where it stands."""

    path: pathlib.Path
    classifier: str
    mean: float
    std: float
    num_samples: int
    num_splits: int
    comparable_with_paper: bool
    why_not: tuple[str, ...]


def read_scores(runs):
    """The scores in the folders of some runs.

    Args:
        runs: list of `run_folders.Run`.

    Returns:
        `(list of Score, list of LeftOut)`; a score.json of another kind is neither.
    """
    found, left_out = [], []
    for run in runs:
        path = run.path / NAME
        if not path.exists():
            continue
        try:
            content = json.loads(path.read_text("utf-8"))
            if content["kind"] != KIND:
                continue
            score = Score(
                run.path,
                str(content["classifier"]),
                float(content["mean"]),
                float(content["std"]),
                int(content["num_samples"]),
                int(content["num_splits"]),
                bool(content["comparable_with_paper"]),
                tuple(map(str, content["why_not"])),
            )
            if not (math.isfinite(score.mean) and math.isfinite(score.std)):
                raise ValueError(f"mean {score.mean}, std {score.std}")
            found.append(score)
        except (OSError, ValueError, KeyError, TypeError) as error:
            left_out.append(LeftOut(path, f"not a score of this package ({error!r})"))
    return found, left_out


def lines(found, notes):
    """Rows under `HEADERS`: the paper's, then the measured ones.

    Args:
        found: list of `Score`.
        notes: has `letter(text)`, as `compare.Notes`.

    Returns:
        List of lists of str.
    """
    table = [
        [f"paper: {name}", "Inception, 5 Dec. 2015", "50000", "10", "", str(result), ""]
        for name, result in paper.INCEPTION_SCORES.items()
    ]
    for score in found:
        note = ""
        if not score.comparable_with_paper:
            note = notes.letter("not comparable with the paper: " + "; ".join(score.why_not))
        measured = f"{score.mean:.2f} +- {score.std:.2f}"
        numbers = [str(score.num_samples), str(score.num_splits), measured]
        table.append([str(score.path), score.classifier, *numbers, "", note])
    return table


def as_dict(score):
    """A score as plain JSON types."""
    return {**score._asdict(), "path": str(score.path), "why_not": list(score.why_not)}

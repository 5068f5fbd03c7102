"""Inception scores in run folders (score.json), next to the paper's Table 3.

Paper: Salimans et al. (2016), Sec. 4, Table 3.
"""

import json
import math
import pathlib
from typing import NamedTuple

from improved_gan_tf import paper
from improved_gan_tf.runs.finished_runs import LeftOut, generator_digest

TITLE = "Inception scores (the paper's Table 3: CIFAR-10, 50,000 samples)"
HEADERS = (
    "images of",
    "classifier",
    "ours",
    "paper",
    "samples",
    "splits",
    "Frechet distance",
    "notes",
)
# `--ablation` of run_cifar10.py -> row of the paper's table.
PAPER_ROWS = {
    "our_methods": "Our methods",
    "vbn_to_bn": "-VBN+BN",
    "labels_to_historical_averaging": "-L+HA",
    "no_label_smoothing": "-LS",
    "no_labels": "-L",
    "no_minibatch_features": "-MBF",
}
NAME = "score.json"
KIND = "inception_score"


class Score(NamedTuple):
    """The content of a score.json, its place, and its run."""

    path: pathlib.Path
    paper_row: str | None  # key of `paper.INCEPTION_SCORES`
    differences: tuple[str, ...]  # between the run's and the paper's settings
    classifier: str
    mean: float
    std: float
    num_samples: int
    num_splits: int
    frechet: float | None  # distance to the real images, on the same classifier's features
    comparable_with_paper: bool  # whether the measurement is; the run may still differ
    why_not: tuple[str, ...]


def _is_of_another_generator(run_dir, content):
    """Whether a run went on after its scoring; False if that is unknown."""
    scored, now = content.get("generator_sha256"), generator_digest(run_dir)
    return None not in (scored, now) and scored != now


def read_scores(runs):
    """The scores in the folders of some `Run`s, as `(list of Score, list of LeftOut)`.

    A score.json of another kind is in neither list.
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
                _paper_row(run),
                tuple(run.result["differences_from_paper"]),
                str(content["classifier"]),
                float(content["mean"]),
                float(content["std"]),
                int(content["num_samples"]),
                int(content["num_splits"]),
                float(content["frechet"]["distance"]) if content.get("frechet") else None,
                bool(content["comparable_with_paper"]),
                tuple(map(str, content["why_not"])),
            )
            if _is_of_another_generator(run.path, content):
                left_out.append(LeftOut(path, "of another generator than the one next to it now"))
                continue
            if not (math.isfinite(score.mean) and math.isfinite(score.std)):
                raise ValueError(f"mean {score.mean}, std {score.std}")
            found.append(score)
        except (OSError, ValueError, KeyError, TypeError) as error:
            left_out.append(LeftOut(path, f"not a score of this package ({error!r})"))
    return found, left_out


def unscored(runs, scores):
    """The `Run`s of rows of Table 3 for which there is no `Score`."""
    scored = {score.path for score in scores}
    return [run for run in runs if _paper_row(run) is not None and run.path not in scored]


def _paper_row(run):
    """The row of Table 3 whose samples a run makes, or None: a baseline makes none."""
    return None if run.config.supervised_only else PAPER_ROWS.get(run.config.ablation)


def lines(found, not_scored, notes):
    """Rows under `HEADERS`: the paper's, the measured ones (`Score`s), then runs without a score.

    `notes` has `letter(text)`, as `comparison.Notes`.
    """
    table = [
        [f"paper: {name}", "Inception, 5 Dec. 2015", "", str(result), "50000", "10", "", ""]
        for name, result in paper.INCEPTION_SCORES.items()
    ]
    for score in found:
        name = str(score.path) + (f" ({score.paper_row})" if score.paper_row else "")
        published = paper.INCEPTION_SCORES.get(score.paper_row)
        texts = []
        if not score.comparable_with_paper:
            texts.append("not the paper's measurement: " + "; ".join(score.why_not))
            published = None
        if score.differences:
            texts.append("not the paper's setting: " + "; ".join(score.differences))
        table.append(
            [
                name,
                score.classifier,
                f"{score.mean:.2f} +- {score.std:.2f}",
                "" if published is None else str(published),
                str(score.num_samples),
                str(score.num_splits),
                "" if score.frechet is None else f"{score.frechet:.2f}",
                " ".join(map(notes.letter, texts)),
            ]
        )
    for run in not_scored:
        name = PAPER_ROWS[run.config.ablation]
        note = notes.letter("`improved-gan score RUN_DIR --classifier=...` measures it")
        published = str(paper.INCEPTION_SCORES[name])
        table.append([f"{run.path} ({name})", "", "not scored", published, "", "", "", note])
    return table


def as_dict(score):
    """A score as plain JSON types."""
    return {**score._asdict(), "path": str(score.path), "why_not": list(score.why_not)}

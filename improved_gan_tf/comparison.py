"""Finished runs as the cells of the paper's tables: means, spreads, ensembles, differences.

Pure functions of runs that `run_folders` has read; nothing is printed here.

Paper: Salimans et al. (2016), Tables 1 and 2, Sec. 6.3.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
import scipy.special
import scipy.stats

from improved_gan_tf import paper
from improved_gan_tf.config import ExperimentConfig
from improved_gan_tf.run_config import BOOKKEEPING, SEEDS
from improved_gan_tf.run_folders import Run, data_of, given_to

# --- statistics ----------------------------------------------------------------------------


class Summary(NamedTuple):
    """Mean and sample standard deviation of some runs' numbers."""

    values: tuple[float, ...]
    mean: float
    std: float | None  # divides by n - 1; None for a single run


def summarize(values):
    """The `Summary` of one number or more.

    `mean = sum(x) / n`, `std = sqrt(sum((x - mean)^2) / (n - 1))`.
    """
    values = tuple(float(value) for value in values)
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Summary(values, float(np.mean(values)), std)


def standard_errors_apart(summary, published, published_runs=paper.NUM_SPLITS):
    """How far a measured mean lies above the paper's, in standard errors of the difference.

    `(mean - paper mean) / sqrt(std^2 / n + paper std^2 / 10)`, Welch's statistic. The paper does
    not say what follows its +-; it is taken for a standard deviation over its 10 splits.

    Args:
        summary: `Summary`.
        published: `paper.PaperResult` in the same unit.
        published_runs: int, runs behind `published`.

    Returns:
        float, positive where the measured error is the larger one, or None for a single run.
    """
    if summary.std is None:
        return None
    statistic = scipy.stats.ttest_ind_from_stats(
        summary.mean,
        summary.std,
        len(summary.values),
        published.mean,
        published.spread,
        published_runs,
        equal_var=False,
    ).statistic
    return float(statistic)


def ensemble_wrong(all_logits, labels):
    """Test images that the average of the members' class probabilities gets wrong.

    Args:
        all_logits: list of (N, 10) arrays, one for each member.
        labels: (N,) integers.

    Returns:
        int.
    """
    return int(np.sum(np.argmax(average_probabilities(all_logits), axis=1) != labels))


def average_probabilities(all_logits):
    """Mean over the members of `softmax(logits)`, float64 (N, 10)."""
    total = 0.0
    for logits in all_logits:
        total = total + scipy.special.softmax(np.asarray(logits, np.float64), axis=1)
    return total / len(all_logits)


# --- cells ---------------------------------------------------------------------------------


class Cell(NamedTuple):
    """Runs with the same settings on the same data, seeds apart, and their baselines."""

    config: ExperimentConfig  # of one of them; its seeds and `supervised_only` say nothing
    test_count: int
    runs: tuple[Run, ...]
    baselines: tuple[Run, ...]

    @property
    def num_labels(self):
        """Labeled training images of all classes."""
        return 10 * self.config.labels_per_class


def cells(runs):
    """Groups runs; runs that differ in anything but seeds and bookkeeping share no cell.

    Args:
        runs: list of `Run`.

    Returns:
        List of `Cell`, by number of labels.
    """
    groups = {}
    for run in runs:
        groups.setdefault(_settings(run), []).append(run)
    found = []
    for members in groups.values():
        found.append(
            Cell(
                members[0].config,
                members[0].result["final"]["test_count"],
                tuple(run for run in members if not run.config.supervised_only),
                tuple(run for run in members if run.config.supervised_only),
            )
        )
    return sorted(found, key=lambda cell: cell.num_labels)


def _settings(run):
    """Everything that runs of one cell, and their baselines, have in common."""
    config = run.config
    same = [
        repr(getattr(config, field.name))
        for field in dataclasses.fields(config)
        if field.name not in BOOKKEEPING | SEEDS | {"supervised_only"}
    ]
    labels_follow_seed = config.seed_data is None
    return (*same, labels_follow_seed, run.result["final"]["test_count"], given_to(run))


def telling_settings(some_cells):
    """For each cell the few settings that tell it from the others, as text.

    The names of whole sets of settings are taken first, then single settings in the record's
    order, and only if they part what is not yet parted: a recipe's name stands for the learning
    rate that comes with it. Last is how labels are chosen, which often goes with another setting.
    """
    left_out = BOOKKEEPING | {"seed", "supervised_only", "labels_per_class", "model"}
    every = [
        field.name for field in dataclasses.fields(ExperimentConfig) if field.name != "seed_data"
    ]
    names = []
    for name in dict.fromkeys(["ablation", "recipe", *every, "seed_data"]):
        if name in left_out:
            continue
        if _parts(some_cells, [*names, name]) > _parts(some_cells, names):
            names.append(name)
    return [
        ", ".join(f"{name}={_told(cell.config, name)}" for name in names) for cell in some_cells
    ]


def _told(config, name):
    if name == "seed_data":  # its value differs from run to run of a cell
        return "as seed" if config.seed_data is None else "its own"
    return getattr(config, name)


def _parts(some_cells, names):
    # Not the number of labels: rows of one table that another recipe trained have to say so.
    return len({tuple(repr(_told(c.config, n)) for n in ("model", *names)) for c in some_cells})


SUPERVISED_ONLY = "supervised only"

# --- rows ----------------------------------------------------------------------------------


class Ensemble(NamedTuple):
    """Test error of several runs' averaged probabilities, or why there is none."""

    size: int
    percent: float | None
    missing: str | None


class Row(NamedTuple):
    """One line of a table: one way of training and of testing, over all runs of a cell."""

    dataset: str
    num_labels: int
    method: str  # the model, or `SUPERVISED_ONLY`
    settings: str  # what tells this cell from the others of its table
    parameters: str | None  # "averaged" or "raw"
    papers_measure: bool  # whether the recipe's own code tests with these parameters
    runs: tuple[Run, ...]  # empty where nothing was measured
    error: Summary | None  # per cent
    ensemble: Ensemble | None
    paper: paper.PaperResult | None  # per cent
    paper_ensemble: paper.PaperResult | None
    gain: Summary | None  # baseline's minus its run's error, points; pairs of equal seeds
    differences: tuple[str, ...]  # from the paper's settings
    data_are_papers: bool

    @property
    def comparable(self):
        """Whether the number may stand beside the paper's without a reservation."""
        return bool(self.runs) and self.paper is not None and not self.differences

    @property
    def apart(self):
        """`standard_errors_apart` from the paper's number; None where it would mean nothing."""
        if not (self.runs and self.paper and self.data_are_papers):
            return None
        return standard_errors_apart(self.error, self.paper)

    @property
    def collapsed(self):
        """Runs whose discriminator won."""
        return [r for r in self.runs if r.result["final"].get("collapsed_at_epoch") is not None]


def rows(dataset, some_cells):
    """The rows of a data set's table: measured ones, and the paper's that nobody measured.

    Args:
        dataset: "mnist", "cifar10" or "svhn".
        some_cells: `Cell`s of that data set.

    Returns:
        List of `Row`, by number of labels.
    """
    found = []
    for cell, settings in zip(some_cells, telling_settings(some_cells), strict=True):
        found += _cell_rows(cell, settings)
    measured = {row.num_labels for row in found if row.paper is not None}
    for known_dataset, num_labels in paper.TEST_ERRORS:
        if known_dataset == dataset and num_labels not in measured:
            found.append(_row_without_runs(dataset, num_labels, "feature_matching", "", True))
    return sorted(found, key=lambda row: row.num_labels)


def _cell_rows(cell, settings):
    dataset, num_labels, model = cell.config.dataset, cell.num_labels, cell.config.model
    found = []
    for method, runs in ((model, cell.runs), (SUPERVISED_ONLY, cell.baselines)):
        kinds = [k for k in ("averaged", "raw") if runs and _wrong(runs[0], k) is not None]
        if not runs:
            measured = method == model
            found.append(_row_without_runs(dataset, num_labels, method, settings, measured))
        for kind in kinds:
            # The recipe's code tests with the averaged parameters where it keeps an average.
            row = _row_without_runs(dataset, num_labels, method, settings, kind == kinds[0])
            found.append(
                row._replace(
                    parameters=kind,
                    runs=runs,
                    error=summarize([_percent(run, kind) for run in runs]),
                    ensemble=_ensemble(runs, kind),
                    gain=_gain(cell, kind) if method == SUPERVISED_ONLY else None,
                    differences=_differences(runs),
                    data_are_papers=not data_of(runs[0]),
                )
            )
    return found


def _differences(runs):
    """What keeps runs from the paper's setting; that a baseline is one says its row's name."""
    every = [text for run in runs for text in run.result["differences_from_paper"]]
    return tuple(dict.fromkeys(text for text in every if not text.startswith("a supervised-only")))


def _gain(cell, kind):
    """What the unlabeled images bring, run by run: the same labels and initial weights."""
    with_gan = {(r.config.seed, r.config.seed_data): _percent(r, kind) for r in cell.runs}
    gains = [
        _percent(run, kind) - with_gan[run.config.seed, run.config.seed_data]
        for run in cell.baselines
        if (run.config.seed, run.config.seed_data) in with_gan
    ]
    return summarize(gains) if gains else None


def _percent(run, kind):
    return 100 * _wrong(run, kind) / run.result["final"]["test_count"]


def _row_without_runs(dataset, num_labels, method, settings, papers_measure):
    one = ensemble = None
    if papers_measure:  # beside the other measure the paper's number would mislead
        one, ensemble = paper.error_percent(dataset, num_labels, method)
    return Row(
        dataset=dataset,
        num_labels=num_labels,
        method=method,
        settings=settings,
        parameters=None,
        papers_measure=papers_measure,
        runs=(),
        error=None,
        ensemble=None,
        paper=one,
        paper_ensemble=ensemble,
        gain=None,
        differences=(),
        data_are_papers=False,
    )


def _wrong(run, kind):
    return run.result["final"][f"test_wrong_{kind}"]


def _ensemble(runs, kind):
    """The `Ensemble` of all runs of a cell."""
    size = len(runs)
    if size == 1:
        return None
    try:
        members = [read_predictions(run, kind) for run in runs]
    except PredictionsError as error:
        return Ensemble(size, None, str(error))
    labels = members[0][1]
    if any(not np.array_equal(other, labels) for _, other in members):
        return Ensemble(size, None, "the runs were tested on different images")
    wrong = ensemble_wrong([logits for logits, _ in members], labels)
    return Ensemble(size, 100 * wrong / len(labels), None)


class PredictionsError(Exception):
    """A run's predictions.npz is missing, damaged, or not that of its result.json."""


def read_predictions(run, kind):
    """Test-set logits (N, 10) and labels (N,) of a run.

    Args:
        run: `Run`.
        kind: "averaged" or "raw".

    Raises:
        PredictionsError: they cannot be read, or contradict the run's result.json.
    """
    path = run.path / "predictions.npz"
    try:
        # Opened here: of a damaged archive NumPy would leave the file open.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
            logits, labels = saved[f"logits_{kind}"], saved["labels"]
    except FileNotFoundError as error:
        raise PredictionsError(f"no {path}") from error
    except Exception as error:  # of a damaged file NumPy, zipfile and zlib each raise their own
        raise PredictionsError(f"{path} cannot be read ({type(error).__name__})") from error
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise PredictionsError(f"{path} holds logits {logits.shape}, labels {labels.shape}")
    wrong = int(np.sum(np.argmax(logits, axis=1) != labels))
    if (wrong, len(labels)) != (_wrong(run, kind), run.result["final"]["test_count"]):
        raise PredictionsError(
            f"{path} has {wrong} wrong of {len(labels)}, result.json {_wrong(run, kind)} of "
            f"{run.result['final']['test_count']}"
        )
    return logits, labels

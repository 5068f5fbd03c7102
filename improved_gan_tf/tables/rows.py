"""Finished runs as rows of the paper's tables: means, spreads, ensembles, differences.

These are pure functions of runs from `finished_runs`; nothing is printed here.

Paper: Salimans et al. (2016), Tables 1 and 2, Sec. 6.3.
"""

from typing import NamedTuple

import numpy as np

from improved_gan_tf import paper
from improved_gan_tf.runs.finished_runs import Run, data_of, images_of
from improved_gan_tf.tables.cells import telling_settings
from improved_gan_tf.tables.ensembles import (
    PredictionsError,
    ensemble_wrong,
    read_predictions,
    wrong_of,
)
from improved_gan_tf.tables.statistics import Summary, standard_errors_apart, summarize

SUPERVISED_ONLY = "supervised only"


class Ensemble(NamedTuple):
    """Test error of several runs' averaged probabilities, or why it is missing."""

    size: int
    percent: float | None
    missing: str | None


class Row(NamedTuple):
    """One line of a table: one way of training and testing, over all runs of a cell."""

    dataset: str
    num_labels: int
    method: str  # the model, or `SUPERVISED_ONLY`
    settings: str  # distinguishes this cell from the others of its table
    parameters: str | None  # "averaged" or "raw"
    papers_measure: bool  # whether the recipe's own code tests with these parameters
    runs: tuple[Run, ...]  # empty if nothing was measured
    error: Summary | None  # per cent
    ensemble: Ensemble | None
    paper: paper.PaperResult | None  # per cent
    paper_ensemble: paper.PaperResult | None
    gain: Summary | None  # baseline's minus its run's error, points; pairs of equal seeds
    differences: tuple[str, ...]  # from the paper's settings
    data_are_papers: bool

    @property
    def comparable(self):
        """Whether the number may be compared with the paper's without reservation."""
        return bool(self.runs) and self.paper is not None and not self.differences

    @property
    def without_labels(self):
        """Whether its runs were trained without labels, so that its errors mean nothing."""
        return bool(self.runs) and not _has_labels(self.runs[0].config)

    @property
    def apart(self):
        """`standard_errors_apart` from the paper's number; None if that is meaningless."""
        if not (self.runs and self.paper and self.data_are_papers):
            return None
        return standard_errors_apart(self.error, self.paper)

    @property
    def collapsed(self):
        """Runs whose discriminator won, for good or for a time."""
        return [r for r in self.runs if r.result["final"].get("collapsed_at_epoch") is not None]


def rows(dataset, some_cells):
    """The `Row`s of a data set's table by number of labels: measured rows, then the paper's others.

    `dataset` is a key of `KNOWN_SETS`, and `some_cells` are its `Cell`s.
    """
    found = []
    several_models = len({cell.config.model for cell in some_cells}) > 1
    first_runs = [(cell.runs or cell.baselines)[0] for cell in some_cells]
    # The same description can be that of several sets of images.
    sets = {(data_of(run), images_of(run)) for run in first_runs}
    several_sets = len(sets) > len({description for description, _ in sets})
    for cell, settings in zip(some_cells, telling_settings(some_cells), strict=True):
        found += _cell_rows(cell, settings, several_models, several_sets)
    measured = {row.num_labels for row in found if row.paper is not None}
    for known_dataset, num_labels in paper.TEST_ERRORS:
        if known_dataset == dataset and num_labels not in measured:
            found.append(_row_without_runs(dataset, num_labels, "feature_matching", "", True))
    return sorted(found, key=lambda row: row.num_labels)


def _cell_rows(cell, settings, several_models, several_sets):
    """The rows of a cell's runs and of its baselines.

    `several_models` says whether its table has cells of others, whose baselines are other networks,
    and `several_sets` whether a description there is that of several sets of images.
    """
    dataset, num_labels, model = cell.config.dataset, cell.num_labels, cell.config.model
    of_baselines = f"model={model}, {settings}".rstrip(", ") if several_models else settings
    methods = ((model, cell.runs, settings), (SUPERVISED_ONLY, cell.baselines, of_baselines))
    found = []
    for method, runs, told in methods:
        kinds = [k for k in ("averaged", "raw") if runs and wrong_of(runs[0], k) is not None]
        can_be_trained = method == model or _has_labels(cell.config)
        # Table 3 has no test errors.
        if not runs and cell.config.ablation is None and can_be_trained:
            measured = method == model
            found.append(_row_without_runs(dataset, num_labels, method, told, measured))
        for kind in kinds:
            # The recipe's code tests with averaged parameters if it keeps an average.
            row = _row_without_runs(dataset, num_labels, method, told, kind == kinds[0])
            found.append(
                row._replace(
                    parameters=kind,
                    runs=runs,
                    error=summarize([_percent(run, kind) for run in runs]),
                    ensemble=_ensemble(runs, kind),
                    gain=_gain(cell, kind) if method == SUPERVISED_ONLY else None,
                    differences=_differences(runs, several_sets),
                    data_are_papers=not data_of(runs[0]),
                )
            )
    return found


def _has_labels(config):
    """Whether runs with these settings learn from labels, as all baselines do."""
    return config.supervised_weight > 0


def _differences(runs, several_sets):
    """Differences from the paper's setting, without that of a baseline, which its row names."""
    every = [text for run in runs for text in run.result["differences_from_paper"]]
    if several_sets and data_of(runs[0]):
        digest = images_of(runs[0])
        every.append(f"images: {f'digest {digest}' if digest else 'no digest is known'}")
    return tuple(dict.fromkeys(text for text in every if not text.startswith("a supervised-only")))


def _gain(cell, kind):
    """The gain from unlabeled images, run by run, with the same labels and initial weights."""
    with_gan = {(r.config.seed, r.config.seed_data): _percent(r, kind) for r in cell.runs}
    gains = [
        _percent(run, kind) - with_gan[run.config.seed, run.config.seed_data]
        for run in cell.baselines
        if (run.config.seed, run.config.seed_data) in with_gan
    ]
    return summarize(gains) if gains else None


def _percent(run, kind):
    return 100 * wrong_of(run, kind) / run.result["final"]["test_count"]


def _row_without_runs(dataset, num_labels, method, settings, papers_measure):
    one = ensemble = None
    if papers_measure:  # next to the other measure the paper's number would mislead
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

"""The report's section about the runs of one cell: curves, samples, mistakes, settings."""

import json

import numpy as np

from improved_gan_tf import paper
from improved_gan_tf.data.known_sets import known_set
from improved_gan_tf.pages import figures, run_pictures
from improved_gan_tf.runs.class_names import class_names_of
from improved_gan_tf.runs.finished_runs import commits_of, data_of
from improved_gan_tf.runs.health import collapse_text
from improved_gan_tf.settings.images import IMAGES
from improved_gan_tf.tables import ensembles, rows
from improved_gan_tf.tables.cells import names_in_common

NUM_MISTAKES = 24
RUN_HEADERS = (
    "seed",
    "seed_data",
    "averaged %",
    "raw %",
    "supervised only, averaged %",
    "supervised only, raw %",
    "collapsed",
    "seconds",
    "commit",
    "folder",
)
# Axis, factor, and its curves: runs or baselines, metric, label.
PANELS = (
    (
        "test error (%)",
        100.0,
        (
            ("runs", "test_error_averaged", "averaged"),
            ("runs", "test_error_raw", "raw"),
            ("baselines", "test_error_averaged", "supervised only, averaged"),
            ("baselines", "test_error_raw", "supervised only, raw"),
        ),
    ),
    (
        "supervised loss",
        1.0,
        (
            ("runs", "loss_supervised", "with unlabeled images"),
            ("baselines", "loss_supervised", "supervised only"),
        ),
    ),
    ("unsupervised loss", 1.0, (("runs", "loss_unsupervised", "with unlabeled images"),)),
)


def section(cell, settings, test_images):
    """The section about the runs of one cell, as a dict for the template.

    `settings` distinguishes it from the other cells of its data set; `test_images` is a
    `scored_images.ScoredImages`.
    """
    runs = cell.runs or cell.baselines
    method = cell.config.model if cell.runs else rows.SUPERVISED_ONLY
    class_names = class_names_of(vars(cell.config))
    title = f"{title_of(runs[0])}, {cell.num_labels} labels, {method}"
    remarks = list(
        dict.fromkeys(text for run in runs for text in run.result["differences_from_paper"])
    )
    kind = "raw" if runs[0].result["final"]["test_wrong_averaged"] is None else "averaged"
    content = {
        "title": f"{title}, {settings}" if settings else title,
        "differences": remarks,
        "curves": curves(cell),
        "grids": run_pictures.sample_grids(runs)
        + run_pictures.real_grid(runs[0].config, test_images),
        "kind": kind,
        "classes": class_names,
        "confusion": None,
        "mistakes": [],
        "mistakes_missing": None,
        "run_headers": RUN_HEADERS,
        "run_lines": run_lines(cell),
        "settings": settings_of(cell.config),
    }
    try:
        predictions = [ensembles.read_predictions(run, kind) for run in runs]
    except ensembles.PredictionsError as error:
        return content | {"mistakes_missing": str(error)}
    labels = predictions[0][1]
    if any(not np.array_equal(labels, other) for _, other in predictions):
        return content | {"mistakes_missing": "the runs were tested on different images"}
    logits = [member for member, _ in predictions]
    content["confusion"] = confusion(logits, labels)
    content["worst_confusion"] = np.max(content["confusion"] * (1 - np.eye(logits[0].shape[1])))
    images, missing = test_images.of(runs[0].config, labels)
    if images is None:
        return content | {"mistakes_missing": missing}
    return content | {"mistakes": confident_mistakes(logits, labels, images, class_names)}


def title_of(run):
    """What people call a run's data set; images of one's own are told by their description."""
    if run.config.dataset == IMAGES:
        return data_of(run).removeprefix("data: ")
    return known_set(run.config.dataset).title


def run_lines(cell):
    """Every run of a cell: seeds, errors of averaged and raw parameters, time, commit, folder.

    Lines are sorted by seed_data and seed. A baseline shares the line of the run with the same
    seeds, and the line names that run's folder. A baseline without such a run has its own line.
    The result is a list of lists of str, under `RUN_HEADERS`.
    """
    baselines = {_seeds(baseline): baseline for baseline in cell.baselines}
    paired = [(run, baselines.pop(_seeds(run), None)) for run in cell.runs]
    alone = [(None, baseline) for baseline in baselines.values()]
    return [_run_line(*pair) for pair in sorted((*paired, *alone), key=_by_seeds)]


def _by_seeds(pair):
    run, baseline = pair
    seed, seed_data = _seeds(run or baseline)
    return (seed if seed_data is None else seed_data), seed


def _seeds(run):
    return run.config.seed, run.config.seed_data


def _run_line(run, baseline):
    """The line of a run and its baseline; either may be None."""
    shown = run or baseline
    seed, seed_data = _seeds(shown)
    return [
        str(seed),
        "-" if seed_data is None else str(seed_data),
        _percent(run, "averaged"),
        _percent(run, "raw"),
        _percent(baseline, "averaged"),
        _percent(baseline, "raw"),
        collapse_text(shown.result["final"]),
        f"{shown.result.get('wall_seconds') or 0:.0f}",
        ", ".join(commits_of(shown)) or "-",
        str(shown.path),
    ]


def _percent(run, kind):
    wrong = None if run is None else run.result["final"][f"test_wrong_{kind}"]
    return "-" if wrong is None else f"{100 * wrong / run.result['final']['test_count']:.2f}"


def settings_of(config):
    """The settings that all runs of a cell share, as (name, value) texts."""
    return [(name, str(getattr(config, name))) for name in names_in_common(config)]


def confusion(all_logits, labels):
    """How often each class is predicted as each other one, mean over the runs.

    Args:
        all_logits: list of (N, K) arrays, one for each run.
        labels: (N,) integers.

    Returns:
        float array (K, K): rows are true classes, columns predicted ones; the sum is N.
    """
    num_classes = all_logits[0].shape[1]
    counts = np.zeros((num_classes, num_classes))
    for logits in all_logits:
        np.add.at(counts, (labels, np.argmax(logits, axis=1)), 1)
    return counts / len(all_logits)


def confident_mistakes(all_logits, labels, images, classes, count=NUM_MISTAKES):
    """The test images that all runs together get wrong with the largest probability.

    Args:
        all_logits: list of (N, K) arrays, one for each run; their probabilities are averaged.
        labels: (N,) integers.
        images: uint8 (N, H, W, C).
        classes: names of the classes.
        count: int, the most images to return.

    Returns:
        List of dicts with "uri", "true", "predicted", "probability", "row"; surest first.
    """
    probabilities = ensembles.average_probabilities(all_logits)
    predicted = np.argmax(probabilities, axis=1)
    sureness = np.max(probabilities, axis=1)
    wrong = np.flatnonzero(predicted != labels)
    return [
        {
            "uri": figures.image_uri(images[row]),
            "true": classes[labels[row]],
            "predicted": classes[predicted[row]],
            "probability": f"{sureness[row]:.3f}",
            "row": int(row),
        }
        for row in wrong[np.argsort(-sureness[wrong], kind="stable")][:count]
    ]


def curves(cell):
    """Learning curves of a cell as `{"svg", "alt"}` dicts; none without metrics.jsonl."""
    histories = {
        "runs": [read_history(run) for run in cell.runs],
        "baselines": [read_history(run) for run in cell.baselines],
    }
    drawn = []
    for ylabel, scale, wanted in PANELS:
        lines = [
            (label, figures.spread_over_runs(histories[whose], metric, scale))
            for whose, metric, label in wanted
        ]
        lines = [(label, spread) for label, spread in lines if len(spread[0])]
        if lines:
            is_error = ylabel.startswith("test error")
            level = _papers_level(cell) if is_error else None
            svg = figures.curves_svg(lines, ylabel, logarithmic=is_error, level=level)
            last = "; ".join(f"{label} {spread[1][-1]:.4g}" for label, spread in lines)
            alt = f"{ylabel} over the epochs; in the last epoch: {last}"
            drawn.append({"svg": svg, "alt": alt})
    return drawn


def _papers_level(cell):
    one, _ = paper.error_percent(cell.config.dataset, cell.num_labels, cell.config.model)
    if one is None or not cell.runs or data_of(cell.runs[0]):
        return None
    return "paper", one.mean


def read_history(run):
    """The dicts of a run's metrics.jsonl up to the first damaged line."""
    history = []
    try:
        for line in (run.path / "metrics.jsonl").read_text("utf-8").splitlines():
            history.append(json.loads(line))
    except (OSError, ValueError):
        pass  # the whole lines are drawn
    return [m for m in history if isinstance(m, dict) and isinstance(m.get("epoch"), int)]

"""The tables of finished trials: how close the layer finds images, and what the game came to."""

import json
import pathlib

import numpy as np

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files
from improved_gan_tf.runs.health import SILENT_BELOW

# In the table's order; a test keeps it equal to `variants.VARIANTS`, which needs TensorFlow.
TITLES = {
    "original": "the original's form",
    "mean": '`reduction="mean"`',
    "no_weight_norm": "without weight normalization",
    "mean_no_weight_norm": '`reduction="mean"`, without weight normalization',
    "smaller_distances": "distances start 100 times smaller",
    "train_conv_scales": "the scales of the convolutions are trained",
    "no_labels": "without the supervised loss",
    "normalize_input": "`normalize_input=True`",
    "no_layer": "without the layer",
}
DATASETS = {"mnist": "MNIST", "cifar10": "CIFAR-10"}
# What a table says of the samples: title and digits after the point.
VARIETY = {
    "pair_distance": ("distance of samples (real = 1)", 2),
    "classes_seen": ("classes seen", 1),
    "class_entropy": ("entropy of classes (nats)", 2),
    "frechet_distance": ("Frechet distance", 1),
    "frechet_distance_of_real": ("of real images", 1),
}
SIZE = "data, labels a class, width, rate, iterations"
LOST = ["real lost", "silent"]
SHOWN = (0, 50, 100, 200, 500, 1000, 2000, 5000)  # iterations that have a column


def read_all(folder):
    """Returns the content of every trial's file in a folder, a list of dicts.

    "samples_file" is the path of the picture of its samples, which may be missing; "outcome" is
    None for a trial that diverged.

    Raises:
        UserError: a file is not of this example, or trials are on different data.
    """
    found = []
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        if files.is_leftover(path):
            continue
        try:
            result = json.loads(path.read_text("utf-8"))
            known = result["variant"] in TITLES and "outcome" in result
            if not (known and result["watched"]):
                raise ValueError("an unknown variant, nothing watched, or no outcome")
            # Trials from before there was a choice are of MNIST.
            result["settings"].setdefault("dataset", "mnist")
            result["samples_file"] = path.with_suffix(".png")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path} is no result of examples.silent_layer: {error!r}.") from error
        found.append(result)
    require_one_data_set(found)
    return found


def require_one_data_set(results, to_come=None):
    """Raises `UserError` where data of one name are not the same: they may be a part.

    Args:
        results: list of results.
        to_come: (dataset, description) of trials that are to join them, or None.
    """
    found = [
        (result["settings"]["dataset"], result["provenance"]["data"])
        for result in results
        if "data" in result.get("provenance", {})  # which the first trials lack
    ]
    for dataset, description in {*found, to_come} - {None}:
        others = {other for name, other in found if name == dataset} - {description}
        if others:
            raise UserError(
                "Trials on different data do not belong in one table: give each an `output` of its "
                f"own. Received: {description}; {others.pop()}"
            )


def ended(results):
    """Returns those of the trials that did not diverge, a list."""
    return [result for result in results if result["outcome"] is not None]


def _count(trials):
    """Returns how many trials a row's numbers are of, as text, and how many diverged."""
    count = len(ended(trials))
    return str(count) if count == len(trials) else f"{count} ({len(trials) - count} diverged)"


def groups(results):
    """Returns `{(settings as text, variant): [result, ...]}`, in the table's order."""
    found = {}
    for result in sorted(results, key=_place):
        found.setdefault((_size(result["settings"]), result["variant"]), []).append(result)
    return found


def _size(settings):
    """Returns the settings that trials of one row share, as text."""
    numbers = f"{settings['width_multiplier']:g}, {settings['learning_rate']:g}"
    data = f"{DATASETS[settings['dataset']]}, {settings['labels_per_class']}"
    return f"{data}, {numbers}, {settings['iterations']:,}"


def _place(result):
    s = result["settings"]
    data = list(DATASETS).index(s["dataset"])
    size = -s["width_multiplier"], -s["learning_rate"], s["iterations"], s["labels_per_class"]
    return data, *size, list(TITLES).index(result["variant"]), result["seed"]


def closeness(results):
    """Returns the Markdown table of closeness, real / generated, by iteration.

    Of several seeds it shows the geometric mean: closeness spans many powers of ten. Behind it
    stand by how much the features and the distances of real images grew, and how many layers lost
    images. Trials without the layer have no row, and those that diverged are counted alone.
    """
    results = [r for r in results if r["variant"] != "no_layer"]
    iterations = sorted({w["iteration"] for r in ended(results) for w in r["watched"]} & set(SHOWN))
    header = [SIZE, "change", "seeds", *(f"{i:,}" for i in iterations)]
    lines = [[*header, "features grew", "distances grew", *LOST]]
    for (size, variant), every in groups(results).items():
        trials = ended(every)
        cells = ["-"] * (len(lines[0]) - 3)
        if trials:
            cells = [closeness_at(trials, i) for i in iterations]
            cells += [growth_until(trials, name) for name in ("feature_size", "distance")]
            cells += lost(trials)
        lines.append([size, TITLES[variant], _count(every), *cells])
    return _markdown(lines)


def closeness_at(trials, iteration):
    """Returns the geometric means of closeness, "real / generated"; "-" where it was not watched.

    If not all trials were watched then, it says of how many the means are.

    Args:
        trials: list of results.
        iteration: int.
    """
    found = [w for t in trials for w in t["watched"] if w["iteration"] == iteration]
    if not found:
        return "-"
    kinds = ("closeness_real", "closeness_generated")
    text = " / ".join(_number(geometric_mean([w[kind] for w in found])) for kind in kinds)
    return text if len(found) == len(trials) else f"{text} ({len(found)} of {len(trials)})"


def lost(trials, iteration=None):
    """Returns in how many trials the layer had lost images, two texts.

    Its closeness was below `SILENT_BELOW` for real images; for real and generated ones.

    Args:
        trials: list of results.
        iteration: int, one that was watched; None for the last.
    """
    last = [_watched(trial, iteration) for trial in trials]
    of_real = sum(w["closeness_real"] < SILENT_BELOW for w in last)
    of_all = sum(max(w["closeness_real"], w["closeness_generated"]) < SILENT_BELOW for w in last)
    return [f"{count} of {len(trials)}" for count in (of_real, of_all)]


def growth_until(trials, name, iteration=None):
    """Returns by which factor what is watched has grown, geometric mean over trials, as text.

    Args:
        trials: list of results.
        name: "feature_size" or "distance".
        iteration: int, one that was watched; None for the last.
    """
    factors = []
    for trial in trials:
        factors.append(_watched(trial, iteration)[name] / _watched(trial, 0)[name])
    return _number(geometric_mean(factors))


def _watched(trial, iteration):
    if iteration is None:
        return trial["watched"][-1]
    return next(w for w in trial["watched"] if w["iteration"] == iteration)


def outcomes(results):
    """Returns the Markdown table of test errors and of the samples' variety, means over seeds.

    Trials that diverged are counted alone.
    """
    columns = VARIETY
    if not all("frechet_distance" in r["outcome"] for r in ended(results)):
        columns = {name: c for name, c in VARIETY.items() if not name.startswith("frechet")}
    lines = [[SIZE, "change", "seeds", "test error", *(title for title, _ in columns.values())]]
    for (size, variant), trials in groups(results).items():
        outcomes = [t["outcome"] for t in ended(trials)]
        if not outcomes:
            cells = ["-"] * (1 + len(columns))
            lines.append([size, TITLES[variant], _count(trials), *cells])
            continue
        errors = [100.0 * o["test_wrong"] / o["test_count"] for o in outcomes]
        error = "-" if variant == "no_labels" else f"{_mean_and_error(errors, 1)} %"
        cells = [
            _mean_and_error([o[name] for o in outcomes], digits)
            for name, (_, digits) in columns.items()
        ]
        lines.append([size, TITLES[variant], _count(trials), error, *cells])
    return _markdown(lines)


def _mean_and_error(values, digits):
    text = f"{np.mean(values):.{digits}f}"
    if len(values) > 1:
        text += f" +- {np.std(values, ddof=1) / np.sqrt(len(values)):.{digits}f}"
    return text


def geometric_mean(values):
    """Returns the geometric mean of a list of numbers, with 1e-45 for 0, float."""
    return float(np.exp(np.mean(np.log(np.maximum(values, 1e-45)))))


def _number(value):
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"


def _markdown(lines):
    lines = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

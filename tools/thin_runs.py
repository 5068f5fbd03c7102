"""Thin runs and their baselines below `results/`: their groups and differences.

Test errors are those of the raw parameters, or of the averaged ones once the average has settled.
"""

import collections
import json
from typing import NamedTuple

import numpy as np
from scipy import stats

from improved_gan_tf.settings.semi_supervised import ExperimentConfig
from improved_gan_tf.settings.setting import Decides, names_that_decide
from tools.run_files import RESULTS, epochs, read, result, runs_in

THIN = RESULTS / "thin"
BASELINES = RESULTS / "thin_baselines"
SLOW = RESULTS / "thin_slow"
PARTS = {"": "with unlabeled images", "supervised_only": "supervised only"}
SETTLED = 0.95  # of its weight, which an average that starts at zero approaches
# Settings in which runs of a group may differ. Of the learning rate's decay only the part inside
# the run counts.
APART = {
    *names_that_decide(ExperimentConfig, Decides.NOTHING, Decides.SEED, Decides.LENGTH),
    *("decay_start_epoch", "decay_end_epoch", "supervised_only"),
}


def config(run):
    """A run's settings."""
    return result(run)["config"]


def seed(run):
    """A run's seed."""
    return config(run)["seed"]


def iterations(run):
    """The number of iterations that a run was made for."""
    return result(run)["final"]["models_of_iteration"]


def name(run):
    """Data set and model of a run."""
    return f"{config(run)['dataset']}-{config(run)['model']}"


def parameters(run):
    """Which parameters of a run and its baseline are tested: "averaged" or "raw"."""
    weight = result(run)["final"]["average_weight"]
    return "averaged" if weight is not None and weight > SETTLED else "raw"


def learning_rate(run):
    """A run's learning rate in words."""
    values = config(run)
    rate, start, end = (
        values[n] for n in ("learning_rate", "decay_start_epoch", "decay_end_epoch")
    )
    is_constant = start is None or start >= values["epochs"]
    return f"{rate}" if is_constant else f"{rate}, to 0 in epochs {start} to {end}"


def curve(run, part=""):
    """`{iteration: test error (%)}` of the epochs that were evaluated."""
    final = result(run, part)["final"]
    per_epoch = final["models_of_iteration"] / final["models_of_epoch"]
    errors = {e["epoch"] + 1: e[f"test_error_{parameters(run)}"] for e in epochs(run, part)}
    return {per_epoch * epoch: 100 * error for epoch, error in errors.items() if error is not None}


def closeness(run):
    """`[real, generated]`, the final closeness in minibatch discrimination, or None."""
    return read(run / "closeness.json")


class Pair(NamedTuple):
    """The final test errors of a run and of its baseline, in per cent."""

    error: float
    supervised: float
    standard_error: float  # of the difference, from the test images only

    @property
    def difference(self):
        """The run's error minus its baseline's, in points."""
        return self.error - self.supervised


def pair(run):
    """A run and its baseline."""
    ours, baseline = (result(run, part)["final"] for part in PARTS)
    count = ours["test_count"]
    errors = [final[f"test_wrong_{parameters(run)}"] / count for final in (ours, baseline)]
    only = read(run / "only_one_wrong.json")
    difference = errors[0] - errors[1]
    spread = (sum(only.values()) / count**2 - difference**2 / count) ** 0.5
    return Pair(100 * errors[0], 100 * errors[1], 100 * spread)


# --- runs that differ in their seeds -------------------------------------------------------


def alike(folder):
    """`{settings: runs}` of a folder: runs of a group differ only in seeds and length."""
    groups = collections.defaultdict(list)
    for run in runs_in(folder):
        same = sorted((key, repr(value)) for key, value in config(run).items() if key not in APART)
        groups[(*same, learning_rate(run), parameters(run))].append(run)
    return groups


def as_long(runs, length):
    """The runs of at least `length` iterations by seed; for equal seeds the shortest."""
    longest_first = sorted(runs, key=iterations, reverse=True)
    chosen = {seed(run): run for run in longest_first if iterations(run) >= length}
    return [chosen[number] for number in sorted(chosen)]


def of_each_length(groups):
    """`(settings, iterations, runs)` for each length of the runs in each group of `alike`."""
    for key, runs in groups.items():
        for length in sorted(set(map(iterations, runs))):
            yield key, length, as_long(runs, length)


class Difference(NamedTuple):
    """A mean difference of test errors in points; other fields are None for too few pairs."""

    mean: float
    standard_error: float | None
    interval: tuple | None  # 95 %
    both: tuple | None = None  # of two pairs, of which a standard error would say little


def mean_difference(differences):
    """Standard error and Student's interval over three or more pairs."""
    differences = np.asarray(differences)
    mean = float(differences.mean())
    if len(differences) < 3:
        both = tuple(map(float, differences)) if len(differences) == 2 else None
        return Difference(mean, None, None, both)
    error = float(stats.sem(differences))
    interval = tuple(map(float, stats.t.interval(0.95, len(differences) - 1, mean, error)))
    return Difference(mean, error, interval)


class Group(NamedTuple):
    """Runs that differ in their seeds, compared with their own baselines at one iteration."""

    runs: list
    iterations: int
    errors: np.ndarray  # (runs, 2), %: of the run, of its baseline
    difference: Difference


def groups_over_seeds():
    """Each set of runs that differ in their seeds, at the iteration where one of them ended."""
    for _, length, runs in of_each_length(alike(THIN)):
        if len(runs) > 1:
            errors = np.array([[curve(run, part)[length] for part in PARTS] for run in runs])
            yield Group(runs, length, errors, mean_difference(errors[:, 0] - errors[:, 1]))


class Independent(NamedTuple):
    """Runs and all baselines of any seed, as two independent samples."""

    runs: list
    iterations: int
    errors: list  # of the runs, %
    supervised: list  # of the baselines, %
    difference: Difference  # with Welch's interval
    rank_p: float  # of Mann and Whitney's test


def independent_groups():
    """Each set of runs with more baselines of other seeds.

    A run and a baseline with the same seed count as independent too. The same labels make their
    errors more alike, which would narrow the interval.
    """
    further = alike(BASELINES)
    for key, length, runs in of_each_length(alike(THIN)):
        more = as_long(further.get(key, []), length)
        if more:
            errors = [curve(run)[length] for run in runs]
            supervised = [curve(run, "supervised_only")[length] for run in runs]
            supervised += [curve(run)[length] for run in more]
            test = stats.ttest_ind(errors, supervised, equal_var=False)
            mean = np.mean(errors) - np.mean(supervised)
            interval = tuple(test.confidence_interval(0.95))
            difference = Difference(mean, mean / test.statistic, interval)
            ranks = stats.mannwhitneyu(errors, supervised)
            yield Independent(runs, length, errors, supervised, difference, ranks.pvalue)


class OtherRate(NamedTuple):
    """Runs compared with baselines of the same seeds at another learning rate."""

    runs: list
    iterations: int  # at the baselines' end
    baselines_rate: float
    errors: np.ndarray  # (pairs, 2), %
    difference: Difference


def groups_at_another_rate():
    """Each set of runs that has baselines of the same seeds at another learning rate.

    Of runs that differ in their length alone the shortest counts.
    """
    pairs = collections.defaultdict(dict)
    for baseline in runs_in(BASELINES):
        rate, length = config(baseline)["learning_rate"], iterations(baseline)
        for run in sorted(runs_in(THIN), key=iterations, reverse=True):
            if _but_for_the_rate(run) != _but_for_the_rate(baseline):
                continue
            ours = curve(run)
            if config(run)["learning_rate"] != rate and length in ours:
                key = (name(run), config(run)["learning_rate"], length, rate)
                key += (_but_for_the_rate(run)[0],)
                pairs[key][seed(run)] = run, ours[length], curve(baseline)[length]
    for (_, _, length, rate, _), by_seed in pairs.items():
        found = [by_seed[number] for number in sorted(by_seed)]
        errors = np.array([both for _, *both in found])
        difference = mean_difference(errors[:, 0] - errors[:, 1])
        yield OtherRate([run for run, *_ in found], length, rate, errors, difference)


def _but_for_the_rate(run):
    values = config(run)
    left_out = APART | {"learning_rate"}
    same = json.dumps(sorted((k, repr(v)) for k, v in values.items() if k not in left_out))
    return same, values["seed"], values["seed_data"]

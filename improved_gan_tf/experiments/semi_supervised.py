"""The paper's semi-supervised experiments: a run with its baseline, or a sweep of runs."""

import itertools
import pathlib
import sys

from improved_gan_tf.data.datasets import refuse_folder_of_sample
from improved_gan_tf.data.known_sets import num_labels_of
from improved_gan_tf.experiments import one_run, several_runs
from improved_gan_tf.experiments.devices import leave_devices_to_runs, warn_of_precision
from improved_gan_tf.machine import interruption
from improved_gan_tf.runs import folder_names, resuming, sweep
from improved_gan_tf.runs.data_digest import data_circumstances
from improved_gan_tf.settings.ablations import switched_settings
from improved_gan_tf.settings.images import IMAGES


def run(command, dataset=None):
    """Trains what is not finished; returns the exit code.

    Args:
        command: `settings.flags.Command`.
        dataset: `data.datasets.Dataset` of one's own images; None for one of the paper's, which is
            loaded when it is needed.
    """
    config, published, repetitions, ablations = command
    refuse_folder_of_sample(config.data_source, config.data_dir)
    folder = folder_of(command)
    one_run.refuse_settings_not_read(config, published, folder)
    print_techniques(config, ablations)
    if repetitions.is_one_run:
        return _run_one(config, published, folder, dataset)
    return _run_sweep(config, published, repetitions, folder, dataset)


def folder_of(command):
    """The folder of a `settings.flags.Command`'s run, or that above its several runs."""
    config, one = command.config, command.repetitions.is_one_run
    name_of = folder_names.run_name if one else folder_names.sweep_name
    return pathlib.Path(config.run_dir or f"runs/{name_of(config)}")


def print_techniques(config, ablations):
    """Prints the settings of an ablation row, and a warning where the paper has one."""
    if config.supervised_only:  # whose game has none of them
        return
    if config.ablation is not None:
        settings = switched_settings(config, ablations)
        switched = ", ".join(f"{name}={value}" for name, value in settings.items())
        print(f"Table 3, {config.ablation}: {switched}")
    if config.generated_target > 0:
        print(
            f"warning: --generated_target={config.generated_target} smooths both sides. The paper "
            "(Sec. 3.4) smooths the real side only: with a generated target above 0 the best "
            "discriminator rewards samples for lying where other samples are, however far from "
            "the data.",
            file=sys.stderr,
        )


# --- one run and its baseline --------------------------------------------------------------


def _run_one(config, published, run_dir, dataset):
    parts = [(config, run_dir)]
    if config.with_baseline and not config.supervised_only:
        baseline = sweep.baseline_of(config, run_dir)
        parts.append((baseline, pathlib.Path(baseline.run_dir)))
    found = [resuming.look(*part) for part in parts]
    if all(f.status == "finished" for f in found):
        resuming.refuse_finished(found[0], run_dir)
    return one_run.on_devices(
        config, lambda: train_parts(config, published, parts, found, run_dir, dataset)
    )


def train_parts(config, published, parts, found, run_dir, dataset=None):
    """Trains a run and its baseline where they are not finished; returns the exit code.

    Args:
        config: the run's record.
        published: the record of model, recipe and ablation without other flags.
        parts: list of `(record, folder)`, the baseline last.
        found: list of `resuming.Found`, the states of their folders.
        run_dir: the run's folder.
        dataset: as for `run`.
    """
    from improved_gan_tf import distribution
    from improved_gan_tf.runs import semi_supervised

    dataset = _checked_data(config, dataset)
    for (_, folder), before in zip(parts, found, strict=True):
        if before.status == "finished" and "circumstances" in before.result:
            data = data_circumstances(dataset)
            resuming.require_same_data(before.result, folder, data)
    if config.dry_run:
        from improved_gan_tf.runs import dry_run

        dry_run.print_dry_run(config, published, dataset, run_dir)
        return 0

    results = []
    with interruption.stop_on_signals(distribution.on_any_worker) as stop_requested:
        try:
            for (part, folder), before in zip(parts, found, strict=True):
                if before.status == "finished":
                    results.append(before.result)
                elif not stop_requested():
                    results.append(
                        semi_supervised.execute(part, dataset, folder, published, stop_requested)
                    )
        finally:  # the main run's table is shown even if the baseline fails
            if results:
                print_results(results, run_dir, config)
    done = len(results) == len(parts) and all(r["status"] == "finished" for r in results)
    if done and len(parts) == 2 and config.dataset == IMAGES and distribution.is_chief():
        from improved_gan_tf.tables import unlabeled_gain

        print(unlabeled_gain.answer_of_folders(*(folder for _, folder in parts)))
    return 0 if done else stop_requested.exit_code()


def _checked_data(config, dataset):
    """The run's data set, loaded if it is None, once the networks are known to exist."""
    from improved_gan_tf.data import run_data
    from improved_gan_tf.runs import semi_supervised

    semi_supervised.spec_of(config)  # raises UserError
    return dataset or run_data.load(vars(config), download=not config.dry_run)


def print_results(results, run_dir, config):
    """Prints what the runs measured next to the paper's number, and where they are."""
    from improved_gan_tf.tables import one_run as table

    print()
    print(table.comparison_table(results))
    for line in table.remarks(results):
        print(line)
    unfinished = [result for result in results if result["status"] != "finished"]
    one_run.print_where((unfinished or results)[-1], run_dir, config)


# --- several runs --------------------------------------------------------------------------


def _run_sweep(config, published, repetitions, parent, dataset):
    warn_of_precision(config)
    leave_devices_to_runs(config)
    from improved_gan_tf.runs import semi_supervised
    from improved_gan_tf.tables import comparison, formats

    dataset = _checked_data(config, dataset)
    records = sweep.plan(config, repetitions, parent)
    for record in records[: len(repetitions.labels_per_class) * (1 + config.with_baseline)]:
        # Raises UserError if they misfit.
        semi_supervised.labeled_subset_and_streams(record, dataset)
    if config.dry_run:
        from improved_gan_tf.runs import dry_run

        dry_run.print_sweep_dry_run(records, published, dataset, parent)
        return 0

    data = data_circumstances(dataset)
    earlier = [sweep.earlier_outcome(record, data) for record in records]
    outcomes, signaled = several_runs.train(records, earlier, _train, dataset, published)
    print(f"\n{sweep.outcome_table(outcomes)}\n")
    if any(outcome.is_finished for outcome in outcomes):
        print(formats.text_of(comparison.Comparison([parent])), "\n")
    print(f"Everything is in {parent}")
    if signaled is not None:
        several_runs.print_how_to_continue(config)
        return signaled
    if config.with_baseline and config.dataset == IMAGES:
        _print_gains(outcomes)
    return sweep.exit_code(outcomes)


def _train(record, dataset, published, stop_requested):
    """Trains one run of a sweep."""
    from improved_gan_tf.runs import semi_supervised

    folder = pathlib.Path(record.run_dir)
    return semi_supervised.execute(record, dataset, folder, published, stop_requested)


def _print_gains(outcomes):
    """Prints whether the unlabeled images helped, for each number of labels in a sweep."""
    from improved_gan_tf.runs.finished_runs import read_run
    from improved_gan_tf.tables import unlabeled_gain

    pairs = {}
    for outcome, after in itertools.pairwise(outcomes):
        is_pair = after.config.supervised_only and not outcome.config.supervised_only
        if is_pair and outcome.is_finished and after.is_finished:
            pair = [read_run(o.config.run_dir, other_versions=True) for o in (outcome, after)]
            pairs.setdefault(num_labels_of(vars(outcome.config)), []).append(pair)
    for labels, some in pairs.items():
        print(f"{labels} labels. {unlabeled_gain.answer_over_seeds(some)}")

"""What every run script does with its literal of settings: flags, data, runs, table, exit code."""

import contextlib
import dataclasses
import logging as std_logging
import os
import pathlib
import sys

from absl import app, logging

from improved_gan_tf import config as config_module
from improved_gan_tf import sweep as sweep_module
from improved_gan_tf.errors import DivergedError, UserError

EXIT_FAILED = 1
EXIT_USER_ERROR = 2
EXIT_DIVERGED = 3
EXIT_INTERRUPTED = 130
_EXIT_CODES = {
    "failed": EXIT_FAILED,
    "refused": EXIT_USER_ERROR,
    "diverged": EXIT_DIVERGED,
    "interrupted": EXIT_INTERRUPTED,
    "not started": EXIT_INTERRUPTED,
}
_WORST_FIRST = ("interrupted", "failed", "refused", "diverged", "not started", "finished")


def main(experiment, variants):
    """Runs a script's experiment with the flags of the command line; exits the process.

    Args:
        experiment: `ExperimentConfig`, the script's literal.
        variants: `{model: {recipe: {setting: value}}}`, see `config.define_flags`.
    """
    config_module.define_flags(experiment, variants)
    with _exit_codes():
        app.run(lambda argv: _run(experiment, variants), flags_parser=config_module.parse_flags)


@contextlib.contextmanager
def _exit_codes():
    try:
        yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)
    except DivergedError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_DIVERGED)
    except KeyboardInterrupt:
        print("interrupted: nothing was saved since the last evaluation", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)


def _run(experiment, variants):
    logging.set_verbosity(logging.WARNING)  # TFDS tells its every step otherwise
    config, published = config_module.config_from_flags(experiment, variants)
    sweep = config_module.sweep_from_flags(config)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Imported here: `--help`, a wrong flag and a wrong folder answer without starting TensorFlow.
    from improved_gan_tf import data

    dataset = data.load(config.dataset, config.data_source, config.data_dir)
    if sweep.is_one_run:
        status = _run_one(config, dataset, published)
    else:
        status = _run_sweep(config, sweep, dataset, published)
    if status in _EXIT_CODES:
        sys.exit(_EXIT_CODES[status])


def _run_one(config, dataset, published):
    from improved_gan_tf import experiment

    run_dir = pathlib.Path(config.run_dir or f"runs/{experiment.run_name(config)}")
    if config.dry_run:
        _print_dry_run(config, dataset, run_dir)
        return "finished"
    with experiment.stop_on_interrupt() as stop_requested:
        results = [experiment.execute(config, dataset, run_dir, published, stop_requested)]
        try:
            if config.with_baseline and not config.supervised_only and not stop_requested():
                config = dataclasses.replace(config, supervised_only=True)
                folder = run_dir / "supervised_only"
                results.append(
                    experiment.execute(config, dataset, folder, published, stop_requested)
                )
        finally:  # whatever becomes of the baseline, the main run's table is shown
            _print_results(results, run_dir)
        return "interrupted" if stop_requested() else results[-1]["status"]


def _run_sweep(config, sweep, dataset, published):
    """Runs what the sweep asks for and returns the worst status of its runs."""
    from improved_gan_tf import compare, experiment

    parent = pathlib.Path(config.run_dir or f"runs/{experiment.sweep_name(config)}")
    records = sweep_module.plan(config, sweep, parent)
    # Each run compiles a step of its own, which TensorFlow takes for an accident.
    std_logging.getLogger("tensorflow").addFilter(
        lambda record: "triggered tf.function retracing" not in record.getMessage()
    )
    for record in records[: len(sweep.labels_per_class) * (1 + config.with_baseline)]:
        experiment.labeled_subset_and_streams(record, dataset)  # a UserError if they do not fit
    if config.dry_run:
        _print_sweep_dry_run(records, dataset, parent)
        return "finished"
    with experiment.stop_on_interrupt() as stop_requested:

        def execute(record):
            folder = pathlib.Path(record.run_dir)
            return experiment.execute(record, dataset, folder, published, stop_requested)

        outcomes = sweep_module.run_all(records, execute, stop_requested)
    print(f"\n{sweep_module.outcome_table(outcomes)}\n")
    statuses = [outcome.status for outcome in outcomes]
    if "finished" in statuses:
        print(compare.text_of(compare.Comparison([parent]), measured_only=True), "\n")
    print(f"Everything is in {parent}")
    return min(statuses, key=_WORST_FIRST.index)


def _print_results(results, run_dir):
    from improved_gan_tf import paper

    print()
    print(paper.comparison_table(results))
    for line in paper.remarks(results):
        print(line)
    print(f"\nEverything is in {run_dir}", end="")
    if results[-1]["status"] == "interrupted":
        print(" (interrupted: models and predictions are those of the moment it stopped)", end="")
    print()


def _print_sweep_dry_run(records, dataset, parent):
    from improved_gan_tf import experiment

    own = {"seed", "seed_data", "labels_per_class", "supervised_only", "run_dir"}
    for name, value in records[0].to_dict().items():
        if name not in own:
            print(f"{name} = {value}")
    _, streams = experiment.labeled_subset_and_streams(records[0], dataset)
    outcomes = [
        sweep_module.earlier_outcome(record) or sweep_module.Outcome(record, "would run")
        for record in records
    ]
    print(f"\n{sweep_module.outcome_table(outcomes)}\n")
    print(
        f"Would train {sum(o.status == 'would run' for o in outcomes)} of {len(records)} runs on "
        f"{dataset.description}: {records[0].epochs} epochs of {streams.iterations} iterations "
        f"each, and write {parent}/labels*-seed*. Nothing was trained or written (--dry_run)."
    )


def _print_dry_run(config, dataset, run_dir):
    from improved_gan_tf import experiment, networks

    subset, streams = experiment.labeled_subset_and_streams(config, dataset)
    networks.EXPERIMENTS[config.dataset, config.model].build(config.seed, config.width_multiplier)
    for name, value in config.to_dict().items():
        print(f"{name} = {value}")
    print(
        f"\nWould train on {dataset.description}: {config.epochs} epochs of "
        f"{streams.iterations} iterations, {len(subset.labeled)} labeled images, and write "
        f"{run_dir}. Nothing was trained or written (--dry_run)."
    )

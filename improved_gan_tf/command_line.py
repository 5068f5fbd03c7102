"""What every run script does with its literal of settings: flags, data, runs, table, exit code."""

import contextlib
import dataclasses
import os
import pathlib
import sys

from absl import app, logging

from improved_gan_tf import config as config_module
from improved_gan_tf.errors import DivergedError, UserError

EXIT_USER_ERROR = 2
EXIT_DIVERGED = 3
EXIT_INTERRUPTED = 130


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


def _run(experiment, variants):
    logging.set_verbosity(logging.WARNING)  # TFDS tells its every step otherwise
    config, published = config_module.config_from_flags(experiment, variants)
    if _run_config(config, published) == "interrupted":
        sys.exit(EXIT_INTERRUPTED)


def _run_config(config, published):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Imported here: `--help` and a wrong flag answer without starting TensorFlow.
    from improved_gan_tf import data, experiment, paper

    dataset = data.load(config.dataset, config.data_source, config.data_dir)
    run_dir = pathlib.Path(config.run_dir or f"runs/{experiment.run_name(config)}")
    if config.dry_run:
        _print_dry_run(config, dataset, run_dir)
        return "finished"
    result = experiment.execute(config, dataset, run_dir, published)
    results = [result]
    if result["status"] == "finished" and config.with_baseline and not config.supervised_only:
        baseline = dataclasses.replace(config, supervised_only=True)
        results.append(
            experiment.execute(baseline, dataset, run_dir / "supervised_only", published)
        )
    print()
    print(paper.comparison_table(results))
    for line in paper.remarks(results):
        print(line)
    print(f"\nEverything is in {run_dir}" + _how_it_ended(results[-1]["status"]))
    return results[-1]["status"]


def _how_it_ended(status):
    if status == "finished":
        return ""
    return " (interrupted: models, predictions and curves are those of the moment it stopped)"


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

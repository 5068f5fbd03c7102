"""The main program of every run script: flags, data, runs, table, exit code."""

import contextlib
import dataclasses
import itertools
import logging as std_logging
import pathlib
import sys

from absl import app, logging

from improved_gan_tf.data.known_sets import num_labels_of
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import environment, exits, half_precision, interruption
from improved_gan_tf.runs import folder_names
from improved_gan_tf.runs import sweep as sweep_module
from improved_gan_tf.settings import flags, images
from improved_gan_tf.settings.ablations import switched_settings
from improved_gan_tf.settings.biggan import BigganConfig
from improved_gan_tf.settings.dcgan import DcganConfig
from improved_gan_tf.settings.imagenet import ImagenetConfig
from improved_gan_tf.settings.images import ImagesConfig

_SWEEP_EXIT_CODES = {"finished": 0, "failed": 1, "refused": 2, "diverged": 3}
_WORST_FIRST = ("failed", "refused", "diverged", "finished")


def main(experiment, variants, ablations=None):
    """Runs a script's experiment with the flags of the command line; exits the process.

    Args:
        experiment: the script's literal, a `RunConfig`.
        variants: `{model: {recipe: {setting: value}}}`, see `settings.flags.define_flags`.
        ablations: `{name: {setting: value}}` or None, see there.
    """
    flags.define_flags(experiment, variants, ablations=ablations)
    with exits.exit_codes("nothing was saved since the last checkpoint"):
        app.run(
            lambda argv: _run(experiment, variants, ablations),
            flags_parser=flags.parse_flags,
        )


def _run(experiment, variants, ablations):
    logging.set_verbosity(logging.WARNING)  # otherwise TFDS reports every step
    config, published = flags.config_from_flags(experiment, variants, ablations=ablations)
    environment.set_defaults()
    if isinstance(config, ImagenetConfig):
        sys.exit(_run_imagenet(config, published))
    if isinstance(config, DcganConfig):
        sys.exit(_run_dcgan(config, flags.num_runs_from_flags(), published))
    _refuse_folder_of_sample(config)
    if isinstance(config, BigganConfig):
        sys.exit(_run_biggan(config, published))
    sweep = flags.sweep_from_flags(config)
    own = None
    if isinstance(config, ImagesConfig):
        config, published, own = _with_own_images(config, published, sweep)
    _print_techniques(config, ablations)
    if sweep.is_one_run:
        sys.exit(_run_one(config, published, own))
    sys.exit(_run_sweep(config, sweep, published, own))


def _with_own_images(config, published, sweep):
    """`(config, published, data set)` of a run on images of one's own, with all that follows.

    Prints what was left out of the images, and what is too small.
    """
    images.check_sources(config)
    if config.tfds is not None:
        environment.start_tensorflow()
    from improved_gan_tf.data import run_data, small_data

    loaded = run_data.load_own(vars(config), download=not config.dry_run)
    dataset = loaded.dataset
    for note in loaded.notes:
        print(f"note: {note}", file=sys.stderr)
    for labels_per_class in sweep.labels_per_class:
        for warning in small_data.warnings(dataset, labels_per_class):
            print(f"warning: {warning}", file=sys.stderr)
    found = (
        dataset.train_images.shape[1:],
        dataset.class_names,
        len(dataset.train_labels),
        int((dataset.train_labels >= 0).sum()),
    )
    return images.resolved(config, *found), images.resolved(published, *found), dataset


def _refuse_folder_of_sample(config):
    if config.data_source == "sample" and config.data_dir is not None:
        raise UserError(
            "--data_dir is where --data_source=tfds finds its data; the sample comes with a "
            f"package. Received: --data_source=sample --data_dir={config.data_dir}."
        )


def _training_devices(config):
    """The context in which a command uses TensorFlow; enter it before any other use."""
    environment.start_tensorflow()
    from improved_gan_tf import distribution

    warning = half_precision.warning(config.precision)
    if warning is not None:
        print(f"warning: {warning}", file=sys.stderr)
    if config.dry_run:  # no waiting for workers, no devices
        distribution.check_request(
            config.strategy, config.num_devices, config.batch_size, config.tpu
        )
        return contextlib.nullcontext()
    return distribution.training_on(
        config.strategy, config.num_devices, config.tpu, config.batch_size
    )


# Imports that start TensorFlow are in the functions: `--help`, a wrong flag and a wrong folder are
# answered without them.


def _run_one(config, published, dataset=None):
    """Runs the rest of one run, and of its baseline; returns the exit code.

    `dataset` is None for one of the paper's, which is loaded when it is needed.
    """
    from improved_gan_tf.runs import resuming

    run_dir = pathlib.Path(config.run_dir or f"runs/{folder_names.run_name(config)}")
    parts = [(config, run_dir)]
    if config.with_baseline and not config.supervised_only:
        baseline = sweep_module.baseline_of(config, run_dir)
        parts.append((baseline, pathlib.Path(baseline.run_dir)))
    found = [resuming.look(*part) for part in parts]
    if all(f.status == "finished" for f in found):
        resuming.refuse_finished(found[0], run_dir)
    with _training_devices(config):
        return _train_parts(config, published, parts, found, run_dir, dataset)


def _train_parts(config, published, parts, found, run_dir, dataset):
    from improved_gan_tf import distribution
    from improved_gan_tf.data import run_data
    from improved_gan_tf.runs import semi_supervised as experiment

    experiment.spec_of(config)  # raises UserError
    dataset = dataset or run_data.load(vars(config), download=not config.dry_run)
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
                        experiment.execute(part, dataset, folder, published, stop_requested)
                    )
        finally:  # the main run's table is shown even if the baseline fails
            if results:
                _print_results(results, run_dir, config)
    done = len(results) == len(parts) and all(r["status"] == "finished" for r in results)
    if done and len(parts) == 2 and config.dataset == images.IMAGES and distribution.is_chief():
        from improved_gan_tf.tables import unlabeled_gain

        print(unlabeled_gain.answer_of_folders(*(folder for _, folder in parts)))
    return 0 if done else stop_requested.exit_code()


def _run_sweep(config, sweep, published, dataset=None):
    """Runs all runs of the sweep; returns the exit code."""
    with _training_devices(config):
        return _train_sweep(config, sweep, published, dataset)


def _train_sweep(config, sweep, published, dataset):
    from improved_gan_tf import distribution
    from improved_gan_tf.data import run_data
    from improved_gan_tf.runs import resuming
    from improved_gan_tf.runs import semi_supervised as experiment
    from improved_gan_tf.tables import comparison, formats

    distribution.require_one_process("a command that trains several runs")
    experiment.spec_of(config)  # raises UserError
    dataset = dataset or run_data.load(vars(config), download=not config.dry_run)
    parent = pathlib.Path(config.run_dir or f"runs/{folder_names.sweep_name(config)}")
    records = sweep_module.plan(config, sweep, parent)
    # Each run compiles its own step, which TensorFlow would warn of.
    std_logging.getLogger("tensorflow").addFilter(
        lambda record: "triggered tf.function retracing" not in record.getMessage()
    )
    for record in records[: len(sweep.labels_per_class) * (1 + config.with_baseline)]:
        experiment.labeled_subset_and_streams(record, dataset)  # raises UserError if they misfit
    if config.dry_run:
        from improved_gan_tf.runs import dry_run

        dry_run.print_sweep_dry_run(records, published, dataset, parent)
        return 0

    with interruption.stop_on_signals() as stop_requested:

        def execute(record):
            folder = pathlib.Path(record.run_dir)
            return experiment.execute(record, dataset, folder, published, stop_requested)

        outcomes = sweep_module.run_all(records, execute, stop_requested)
    print(f"\n{sweep_module.outcome_table(outcomes)}\n")
    statuses = [outcome.status for outcome in outcomes]
    if "finished" in statuses:
        print(formats.text_of(comparison.Comparison([parent])), "\n")
    print(f"Everything is in {parent}")
    if "interrupted" in statuses or (stop_requested() and "not started" in statuses):
        print(f"Give {resuming.command_to_continue(config)}.")
        return stop_requested.exit_code()
    if config.with_baseline and config.dataset == images.IMAGES:
        _print_gains(outcomes)
    ended = [status for status in statuses if status in _WORST_FIRST]
    return _SWEEP_EXIT_CODES[min(ended, key=_WORST_FIRST.index)]


def _run_imagenet(config, published):
    """Runs the rest of one ImageNet run; returns the exit code."""
    from improved_gan_tf.data import encoded_images
    from improved_gan_tf.runs import resuming

    encoded_images.require_folder(config.image_folder)
    run_dir = pathlib.Path(config.run_dir or f"runs/{folder_names.imagenet_run_name(config)}")
    resuming.refuse_finished(resuming.look(config, run_dir), run_dir)
    with _training_devices(config):
        return _train_imagenet(config, published, run_dir)


def _train_imagenet(config, published, run_dir):
    from improved_gan_tf import distribution
    from improved_gan_tf.data import encoded_images, shuffled_batches

    source = encoded_images.find(config.image_folder, config.data_dir)
    epochs = shuffled_batches.ShuffledEpochs(source.count, config.batch_size, config.seed)
    if config.dry_run:
        from improved_gan_tf.runs import dry_run

        iterations = epochs.iterations
        dry_run.print_imagenet_dry_run(config, published, source, iterations, run_dir)
        return 0

    from improved_gan_tf.runs import imagenet

    with interruption.stop_on_signals(distribution.on_any_worker) as stop_requested:
        result = imagenet.execute(config, source, run_dir, published, stop_requested)
    for difference in result["differences_from_paper"]:
        print(f"not the paper's: {difference}")
    _print_where(result, run_dir, config)
    return 0 if result["status"] == "finished" else stop_requested.exit_code()


def _run_dcgan(config, num_runs, published):
    """Runs the rest of one or several runs of a DCGAN's game; returns the exit code."""
    from improved_gan_tf.data import encoded_images
    from improved_gan_tf.runs import resuming

    encoded_images.require_folder(config.image_folder)
    parent = config.run_dir or f"runs/{folder_names.dcgan_name(config)}"
    if config.run_dir is None and num_runs == 1:
        parent += f"-seed{config.seed}"
    seeds = [config.seed] if num_runs == 1 else range(config.seed, config.seed + num_runs)
    records = [
        dataclasses.replace(
            config, seed=seed, run_dir=parent if num_runs == 1 else f"{parent}/seed{seed}"
        )
        for seed in seeds
    ]
    found = [resuming.look(record, record.run_dir) for record in records]
    if num_runs == 1:
        resuming.refuse_finished(found[0], parent)
    with _training_devices(config):
        from improved_gan_tf.runs import dcgan_command

        return dcgan_command.train(records, found, published)


def _run_biggan(config, published):
    """Runs the rest of one run of BigGAN; returns the exit code."""
    from improved_gan_tf.runs import resuming

    run_dir = pathlib.Path(config.run_dir or f"runs/{folder_names.biggan_run_name(config)}")
    resuming.refuse_finished(resuming.look(config, run_dir), run_dir)
    with _training_devices(config):
        return _train_biggan(config, published, run_dir)


def _train_biggan(config, published, run_dir):
    from improved_gan_tf import distribution
    from improved_gan_tf.data import datasets

    where = (config.dataset, config.data_source, config.data_dir)
    dataset = datasets.load(*where, download=not config.dry_run)
    if config.dry_run:
        from improved_gan_tf.runs.dry_run import print_biggan_dry_run

        print_biggan_dry_run(config, published, dataset, run_dir)
        return 0

    from improved_gan_tf.runs import biggan

    with interruption.stop_on_signals(distribution.on_any_worker) as stop_requested:
        result = biggan.execute(config, dataset, run_dir, published, stop_requested)
    for difference in result["differences_from_paper"]:
        print(f"not the published recipe: {difference}")
    _print_where(result, run_dir, config)
    return 0 if result["status"] == "finished" else stop_requested.exit_code()


def _print_techniques(config, ablations):
    """Prints the settings of an ablation row, and a warning where the paper has one."""
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


def _print_results(results, run_dir, config):
    from improved_gan_tf.tables import one_run

    print()
    print(one_run.comparison_table(results))
    for line in one_run.remarks(results):
        print(line)
    unfinished = [result for result in results if result["status"] != "finished"]
    _print_where((unfinished or results)[-1], run_dir, config)


def _print_gains(outcomes):
    """Prints whether the unlabeled images helped, for each number of labels in a sweep."""
    from improved_gan_tf.runs.finished_runs import read_run
    from improved_gan_tf.tables import unlabeled_gain

    pairs = {}
    for outcome, after in itertools.pairwise(outcomes):
        if after.config.supervised_only and outcome.is_finished and after.is_finished:
            pair = [read_run(o.config.run_dir, other_versions=True) for o in (outcome, after)]
            pairs.setdefault(num_labels_of(vars(outcome.config)), []).append(pair)
    for labels, some in pairs.items():
        print(f"{labels} labels. {unlabeled_gain.answer_over_seeds(some)}")


def _print_where(result, run_dir, config):
    from improved_gan_tf.runs import resuming

    note = ""
    if result["status"] == "interrupted":
        note = (
            " (interrupted: the files are from the moment it stopped; give "
            f"{resuming.command_to_continue(config)})"
        )
    print(f"\nEverything is in {run_dir}{note}")

"""One or several runs of BigGAN on one of the paper's data sets."""

import pathlib

from improved_gan_tf.data.datasets import refuse_folder_of_sample
from improved_gan_tf.experiments import one_run, several_runs
from improved_gan_tf.experiments.devices import leave_devices_to_runs, warn_of_precision
from improved_gan_tf.runs import folder_names

NOT_PUBLISHED = "not the published recipe"  # before each difference, on the screen


def run(command):
    """Trains what is not finished of a `settings.flags.Command`; returns the exit code."""
    config, published, repetitions, _ = command
    refuse_folder_of_sample(config.data_source, config.data_dir)
    if not repetitions.is_one_run:
        return _run_several(config, published, repetitions.num_runs)
    run_dir = pathlib.Path(config.run_dir or f"runs/{folder_names.biggan_run_name(config)}")
    one_run.refuse_settings_not_read(config, published, run_dir)
    one_run.require_unfinished(config, run_dir)
    return one_run.on_devices(config, lambda: _run_one(config, published, run_dir))


def _run_one(config, published, run_dir):
    from improved_gan_tf.runs import biggan, dry_run

    dataset = _load(config)
    if config.dry_run:
        dry_run.print_biggan_dry_run([config], published, dataset, run_dir)
        return 0

    def execute(folder, stop_requested):
        return biggan.execute(config, dataset, folder, published, stop_requested)

    return one_run.to_exit_code(config, run_dir, execute, NOT_PUBLISHED)


def _load(config):
    from improved_gan_tf.data import datasets

    where = (config.dataset, config.data_source, config.data_dir)
    return datasets.load(*where, download=not config.dry_run)


def _run_several(config, published, num_runs):
    parent = config.run_dir or f"runs/{folder_names.biggan_name(config)}"
    one_run.refuse_settings_not_read(config, published, parent)
    records, earlier = several_runs.of_seeds(config, num_runs, parent)
    warn_of_precision(config)
    leave_devices_to_runs(config)
    dataset = _load(config)
    if config.dry_run:
        from improved_gan_tf.runs import dry_run

        left = [record for record, ended in zip(records, earlier, strict=True) if ended is None]
        dry_run.print_biggan_dry_run(left, published, dataset, parent)
        return 0
    ended = several_runs.train(records, earlier, _train, dataset, published)
    return several_runs.end_of_seeds(*ended, parent, NOT_PUBLISHED)


def _train(record, dataset, published, stop_requested):
    """Trains one of several runs."""
    from improved_gan_tf.runs import biggan

    return biggan.execute(record, dataset, pathlib.Path(record.run_dir), published, stop_requested)

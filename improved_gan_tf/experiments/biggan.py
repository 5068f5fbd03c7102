"""A run of BigGAN on one of the paper's data sets."""

import pathlib

from improved_gan_tf.experiments import one_run
from improved_gan_tf.runs import folder_names


def run(command):
    """Trains the rest of a `settings.flags.Command`'s run; returns the exit code."""
    config = command.config
    run_dir = pathlib.Path(config.run_dir or f"runs/{folder_names.biggan_run_name(config)}")
    one_run.require_unfinished(config, run_dir)
    return one_run.on_devices(config, lambda: _train(config, command.published, run_dir))


def _train(config, published, run_dir):
    from improved_gan_tf.data import datasets
    from improved_gan_tf.runs import biggan, dry_run

    where = (config.dataset, config.data_source, config.data_dir)
    dataset = datasets.load(*where, download=not config.dry_run)
    if config.dry_run:
        dry_run.print_biggan_dry_run(config, published, dataset, run_dir)
        return 0

    def execute(folder, stop_requested):
        return biggan.execute(config, dataset, folder, published, stop_requested)

    return one_run.to_exit_code(config, run_dir, execute, "not the published recipe")

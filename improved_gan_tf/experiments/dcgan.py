"""One or several runs of a DCGAN's game."""

import dataclasses
import pathlib
import sys

from improved_gan_tf.experiments import one_run, several_runs
from improved_gan_tf.experiments.devices import leave_devices_to_runs, warn_of_precision
from improved_gan_tf.runs import folder_names

NOT_PUBLISHED = "not the recipe's"  # before each difference, on the screen


def run(command):
    """Trains what is not finished of a `settings.flags.Command`; returns the exit code."""
    from improved_gan_tf.data import encoded_images

    config, published, repetitions, _ = command
    one_run.refuse_folders_not_read(config)
    encoded_images.require_folder(config.image_folder)
    parent = config.run_dir or f"runs/{folder_names.dcgan_name(config)}"
    if repetitions.is_one_run:
        run_dir = config.run_dir or f"{parent}-seed{config.seed}"
        config = dataclasses.replace(config, run_dir=run_dir)
        one_run.refuse_settings_not_read(config, published, run_dir)
        one_run.require_unfinished(config, run_dir)
        return one_run.on_devices(config, lambda: _run_one(config, published, run_dir))
    return _run_several(config, published, repetitions.num_runs, parent)


def _run_one(config, published, run_dir):
    from improved_gan_tf.runs import dcgan, dry_run

    images = _images(config)
    if config.dry_run:
        dry_run.print_dcgan_dry_run([config], published, images, run_dir)
        return 0

    def execute(folder, stop_requested):
        return dcgan.execute(config, images, folder, published, stop_requested)

    return one_run.to_exit_code(config, run_dir, execute, NOT_PUBLISHED)


def _run_several(config, published, num_runs, parent):
    one_run.refuse_settings_not_read(config, published, parent)
    records, earlier = several_runs.of_seeds(config, num_runs, parent)
    warn_of_precision(config)
    leave_devices_to_runs(config)
    from improved_gan_tf.runs import dry_run

    images = _images(config)
    if config.dry_run:
        left = [record for record, ended in zip(records, earlier, strict=True) if ended is None]
        dry_run.print_dcgan_dry_run(left, published, images, parent)
        return 0
    if config.dataset == "folder" and None in earlier:
        images.read()  # prepared here: the runs' processes hear of no signal until they train
    ended = several_runs.train(records, earlier, _train, published)
    return several_runs.end_of_seeds(*ended, parent, NOT_PUBLISHED)


def _images(config):
    """The `runs.dcgan.Images` of a command; prints what was left out."""
    from improved_gan_tf.runs import dcgan

    images = dcgan.Images(config, download=not config.dry_run)
    if images.note is not None:
        print(f"note: {images.note}", file=sys.stderr)
    return images


def _train(record, published, stop_requested):
    """Trains one of several runs."""
    from improved_gan_tf.runs import dcgan

    images, folder = dcgan.Images(record), pathlib.Path(record.run_dir)
    return dcgan.execute(record, images, folder, published, stop_requested)

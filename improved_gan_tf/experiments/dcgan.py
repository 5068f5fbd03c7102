"""One or several runs of a DCGAN's game."""

import dataclasses
import pathlib

from tabulate import tabulate

from improved_gan_tf.experiments import one_run, several_runs
from improved_gan_tf.experiments.devices import leave_devices_to_runs, warn_of_precision
from improved_gan_tf.runs import folder_names, resuming, sweep


def run(command):
    """Trains what is not finished of a `settings.flags.Command`; returns the exit code."""
    from improved_gan_tf.data import encoded_images

    config, published, repetitions, _ = command
    encoded_images.require_folder(config.image_folder)
    parent = config.run_dir or f"runs/{folder_names.dcgan_name(config)}"
    if repetitions.is_one_run:
        run_dir = config.run_dir or f"{parent}-seed{config.seed}"
        config = dataclasses.replace(config, run_dir=run_dir)
        one_run.require_unfinished(config, run_dir)
        return one_run.on_devices(config, lambda: _run_one(config, published, run_dir))
    records = [
        dataclasses.replace(config, seed=seed, run_dir=f"{parent}/seed{seed}")
        for seed in range(config.seed, config.seed + repetitions.num_runs)
    ]
    found = [resuming.look(record, record.run_dir) for record in records]
    return _run_several(records, found, published, parent)


def _run_one(config, published, run_dir):
    from improved_gan_tf.runs import dcgan

    images = dcgan.Images(config, download=not config.dry_run)
    if config.dry_run:
        _print_dry_run([config], published, images, 1, run_dir)
        return 0

    def execute(folder, stop_requested):
        return dcgan.execute(config, images, folder, published, stop_requested)

    return one_run.to_exit_code(config, run_dir, execute, "not the recipe's")


def _run_several(records, found, published, parent):
    config = records[0]
    warn_of_precision(config)
    leave_devices_to_runs(config)
    from improved_gan_tf.runs import dcgan

    images = dcgan.Images(config, download=not config.dry_run)
    if config.dry_run:
        todo = sum(f.status != "finished" for f in found)
        _print_dry_run(records, published, images, todo, parent)
        return 0
    earlier = [
        sweep.Outcome(record, "finished", "finished earlier") if f.status == "finished" else None
        for record, f in zip(records, found, strict=True)
    ]
    outcomes, signaled = several_runs.train(records, earlier, _train, published)
    rows = [(o.config.seed, o.status, o.remark, o.config.run_dir) for o in outcomes]
    headers = ("seed", "status", "remark", "folder")
    print(f"\n{tabulate(rows, headers=headers, tablefmt='github')}\n\nEverything is in {parent}")
    if signaled is not None:
        several_runs.print_how_to_continue(config)
        return signaled
    return sweep.exit_code(outcomes)


def _train(record, published, stop_requested):
    """Trains one of several runs."""
    from improved_gan_tf.runs import dcgan

    images, folder = dcgan.Images(record), pathlib.Path(record.run_dir)
    return dcgan.execute(record, images, folder, published, stop_requested)


def _print_dry_run(records, published, images, todo, where):
    from improved_gan_tf.runs import dcgan
    from improved_gan_tf.runs.dry_run import print_settings

    config = records[0]
    iterations = dcgan.epochs_of(config, images).iterations
    dcgan.players_of(config, images)  # raises UserError
    print_settings(config, published)
    print(
        f"\nWould train {todo} of {len(records)} runs on {images.description}: {config.epochs} "
        f"epochs of {iterations} iterations, and write {where}. Nothing was trained or written "
        "(--dry_run)."
    )

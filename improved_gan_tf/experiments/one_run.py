"""One run, from its folder's state to the exit code."""

import pathlib

from improved_gan_tf.data.known_sets import KNOWN_SETS
from improved_gan_tf.errors import UserError
from improved_gan_tf.experiments.devices import training_devices, warn_of_precision
from improved_gan_tf.machine import interruption
from improved_gan_tf.runs import resuming

# Imports that start TensorFlow are in the functions of this room: `--help`, a wrong flag and a
# wrong folder are answered without them.


def refuse_folders_not_read(config):
    """Raises `UserError` for a folder of data, or of prepared images, that the run would not read.

    `config` has an `image_folder`. Records of earlier runs may have both, so they do not refuse it.
    """
    if config.image_folder is not None and config.data_dir is not None:
        raise UserError(
            "--data_dir is where TFDS finds its data, and the images are those of --image_folder: "
            f"leave one of them out. Received: data_dir={config.data_dir}, "
            f"image_folder={config.image_folder}."
        )
    if config.cache_dir is not None and config.dataset in KNOWN_SETS:
        raise UserError(
            f"--cache_dir keeps the images of an --image_folder; those of {config.dataset} need "
            f"none. Received: cache_dir={config.cache_dir}."
        )


def refuse_settings_not_read(config, published, run_dir, by_data=None):
    """Raises `UserError` for a setting of the command that the run would not read.

    A run that an earlier version began with it goes on with the same command.

    Args:
        config: `settings.every_run.RunConfig` of the command.
        published: the record of model, recipe and ablation without other flags.
        run_dir: the run's folder, or that above the folders of several runs.
        by_data: `{setting: why}` of what the images leave unread; None for nothing.
    """
    for name, why in {**config.not_read(), **(by_data or {})}.items():
        value = getattr(config, name)
        if value == getattr(published, name):  # the recipe's
            continue
        if config.overwrite or not resuming.was_begun_with(run_dir, name, value):
            raise UserError(f"{why} Received: {name}={value}.")


def require_unfinished(config, run_dir):
    """Raises `UserError` if the run in the folder cannot be continued or has nothing left."""
    resuming.refuse_finished(resuming.look(config, run_dir), run_dir)


def on_devices(config, train):
    """Returns `train()`, called on the devices that the settings ask for."""
    warn_of_precision(config)
    with training_devices(config):
        return train()


def to_exit_code(config, run_dir, execute, not_published):
    """Trains a run to its end or to a stop signal, says where it is; returns the exit code.

    Args:
        config: `settings.every_run.RunConfig`.
        run_dir: its folder.
        execute: function of `(run_dir, stop_requested)` that returns the content of result.json.
        not_published: str, what a difference from the published recipe is called.
    """
    from improved_gan_tf import distribution

    with interruption.stop_on_signals(distribution.on_any_worker) as stop_requested:
        result = execute(pathlib.Path(run_dir), stop_requested)
    print_differences(result, not_published)
    print_where(result, run_dir, config)
    return 0 if result["status"] == "finished" else stop_requested.exit_code()


def print_differences(result, not_published):
    """Prints what of a run is not the published recipe's, a line each; arguments as above."""
    for difference in result["differences_from_paper"]:
        print(f"{not_published}: {difference}")


def print_where(result, run_dir, config):
    """Prints the run's folder, and how to continue if it was interrupted."""
    note = ""
    if result["status"] == "interrupted":
        note = (
            " (interrupted: the files are from the moment it stopped; give "
            f"{resuming.command_to_continue(config)})"
        )
    print(f"\nEverything is in {run_dir}{note}")

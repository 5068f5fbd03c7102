"""Several runs in sequence, each in a process of its own, so that the command does not grow."""

import dataclasses
import json
import pathlib

from tabulate import tabulate

from improved_gan_tf.experiments.devices import training_devices
from improved_gan_tf.experiments.one_run import print_differences
from improved_gan_tf.machine import interruption, own_process
from improved_gan_tf.runs import resuming, sweep


def train(records, earlier, execute, *arguments):
    """Trains what has not ended before; returns `(outcomes, exit code or None)`.

    The code is that of a signal, None if all runs were begun.

    Args:
        records: list of `settings.every_run.RunConfig`, each with its folder.
        earlier: list of `sweep.Outcome` or None, see `sweep.run_all`.
        execute: function of a module, called as `execute(record, *arguments, stop_requested)` in a
            process in which TensorFlow has started; returns the content of result.json.
        *arguments: what is pickled for it.

    Raises:
        UserError: the devices that are asked for are not there.
    """
    with interruption.stop_on_signals() as stop_requested:

        def in_own_process(record):
            try:
                return own_process.call(
                    _outcome, record, execute, arguments, stop_requested=stop_requested
                )
            except own_process.ProcessEndedError as error:
                return sweep.Outcome(record, "failed", str(error))

        outcomes = sweep.run_all(records, earlier, in_own_process, stop_requested)
    statuses = {outcome.status for outcome in outcomes}
    stopped = "interrupted" in statuses or (stop_requested() and "not started" in statuses)
    return outcomes, stop_requested.exit_code() if stopped else None


def of_seeds(config, num_runs, parent):
    """One run for each seed from `config.seed` on, as `(records, earlier)` of `train`.

    `parent` is the folder above the runs' folders. A run that diverged or collapsed earlier keeps
    no other from its turn.

    Raises:
        UserError: a folder can neither be continued nor be written, or `parent` is a run's folder.
    """
    sweep.require_no_run_in(parent)
    records = [
        dataclasses.replace(config, seed=seed, run_dir=f"{parent}/seed{seed}")
        for seed in range(config.seed, config.seed + num_runs)
    ]
    return records, [_earlier(record) for record in records]


def _earlier(record):
    """The `sweep.Outcome` of a run that an earlier command ended, or None if it must run."""
    try:
        found = resuming.look(record, record.run_dir)
    except resuming.EndedError as error:
        return sweep.Outcome(record, "diverged", f"{error.status} earlier")
    if found.status == "finished":
        return sweep.Outcome(record, "finished", "finished earlier")
    return None


def end_of_seeds(outcomes, signaled, parent, not_published):
    """Prints how the runs of `of_seeds` ended; returns the exit code.

    `outcomes` and `signaled` are from `train`, `not_published` is as in `one_run.to_exit_code`.
    """
    finished = [outcome.config.run_dir for outcome in outcomes if outcome.is_finished]
    if finished:  # all seeds share what is not published
        text = (pathlib.Path(finished[0]) / "result.json").read_text("utf-8")
        print_differences(json.loads(text), not_published)
    rows = [(o.config.seed, o.status, o.remark, o.config.run_dir) for o in outcomes]
    headers = ("seed", "status", "remark", "folder")
    print(f"\n{tabulate(rows, headers=headers, tablefmt='github')}\n\nEverything is in {parent}")
    if signaled is None:
        return sweep.exit_code(outcomes)
    print_how_to_continue(outcomes[0].config)
    return signaled


def print_how_to_continue(config):
    """Prints the rest of the command that continues what was interrupted."""
    print(f"Give {resuming.command_to_continue(config)}.")


def _outcome(record, execute, arguments, stop_requested):
    """The `Outcome` of a run that this process trains."""
    with training_devices(record):
        return sweep.outcome_of(record, lambda: execute(record, *arguments, stop_requested))

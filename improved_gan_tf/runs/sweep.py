"""Several runs of one experiment in sequence: their records, folders and outcomes.

The paper's protocol is 10 runs, each with another choice of labels and another initialisation.

Paper: Salimans et al. (2016), Sec. 6.
"""

import dataclasses
import os
import pathlib
import sys
import traceback
from typing import NamedTuple

from tabulate import tabulate

from improved_gan_tf.data.known_sets import num_labels_of
from improved_gan_tf.errors import DivergedError, StorageError, UserError, in_flags
from improved_gan_tf.runs import resuming
from improved_gan_tf.runs.finished_runs import Run, read_run
from improved_gan_tf.runs.health import collapse_text
from improved_gan_tf.settings.every_run import RunConfig, different_settings


def plan(config, repetitions, parent):
    """The records of all runs, each with its own folder below `parent`; a baseline follows its run.

    All label counts of the first seed come first, so an interrupted sweep has about as many runs
    in each cell of the table.

    Args:
        config: `ExperimentConfig` of the first run.
        repetitions: `settings.flags.Repetitions`.
        parent: folder for the runs' folders.

    Raises:
        UserError: a label count or a seed is out of its range, or `parent` is a run's folder.
    """
    require_no_run_in(parent)
    records = []
    for i in range(repetitions.num_runs):
        seed = config.seed + i
        # Runs that start at another seed must have other labels too.
        own_labels = repetitions.seed_data_given or repetitions.num_runs == 1
        first_seed_data = config.seed_data if own_labels else config.seed
        # Without one (CIFAR-10 minibatch discrimination) the run's own seed chooses the labels.
        seed_data = None if config.seed_data is None else first_seed_data + i
        for labels_per_class in repetitions.labels_per_class:
            labels = num_labels_of({**vars(config), "labels_per_class": labels_per_class})
            name = f"labels{labels}-seed{seed}"
            if seed_data not in (None, seed):
                name += f"-data{seed_data}"
            folder = pathlib.Path(parent) / name
            record = dataclasses.replace(
                config,
                seed=seed,
                seed_data=seed_data,
                labels_per_class=labels_per_class,
                run_dir=str(folder),
            )
            records.append(record)
            if config.with_baseline and not config.supervised_only:
                records.append(baseline_of(record, folder))
    return records


def require_no_run_in(parent):
    """Raises `UserError` if the folder for the folders of several runs is that of a run."""
    if os.path.exists(pathlib.Path(parent) / "config.json"):
        raise UserError(
            f"--run_dir={parent} is the folder of a single run; --num_runs or several label counts "
            "need a folder for the folders of their runs. Give another --run_dir."
        )


def baseline_of(config, run_dir):
    """The record of the supervised-only baseline of a run in `run_dir`."""
    return dataclasses.replace(
        config,
        supervised_only=True,
        run_dir=str(pathlib.Path(run_dir) / "supervised_only"),
        resume="auto" if config.resume == "must" else config.resume,  # the baseline may be new
    )


class Outcome(NamedTuple):
    """The outcome of a planned run."""

    config: RunConfig
    status: str  # "finished", "diverged", "interrupted", "refused", "failed" or "not started"
    remark: str = ""

    @property
    def is_finished(self):
        """Whether its numbers exist."""
        return self.status == "finished"


def _is_baseline_of(record, outcome):
    return pathlib.Path(record.run_dir).parent == pathlib.Path(outcome.config.run_dir)


def earlier_outcome(config, data):
    """The `Outcome` of a run that an earlier command ended, or None if it must run.

    Args:
        config: `ExperimentConfig`, with the run's folder.
        data: dict, the circumstances of this command's data, see `resuming.require_same_data`.

    Raises:
        UserError: the run's folder holds another experiment, or cannot be used.
    """
    folder = pathlib.Path(config.run_dir)
    if config.overwrite:
        return None
    is_ended = os.path.exists(folder / "result.json")
    # A run that another version finished is finished, even if the table does not count it.
    found = read_run(folder, other_versions=True) if is_ended else None
    if isinstance(found, Run):
        _require_settings_of(folder, found.config, config)
        resuming.require_same_data(found.result, folder, data)
        if found.config.epochs < config.epochs:
            return None  # it continues from its last checkpoint
        return Outcome(config, "finished", "finished earlier")
    if os.path.exists(folder / "config.json"):
        try:
            resuming.require_same_settings(config, folder)
        except OSError as error:
            raise UserError(f"{folder} cannot be read: {error.strerror or error}.") from error
    # As `outcome_of` called it when it stopped.
    stops = ("diverged", "collapsed") if config.stop_on_collapse else ("diverged",)
    if found is not None and found.reason.startswith(stops):
        return Outcome(config, "diverged", f"{found.reason}, earlier")
    if config.resume == "never" or not os.path.exists(folder / "config.json"):
        # What is missing may begin, also where others must be continued.
        resume = "auto" if config.resume == "must" else config.resume
        resuming.look(dataclasses.replace(config, resume=resume), folder)
    return None


def _require_settings_of(folder, finished, config):
    different = different_settings(
        finished, config, resuming.may_change(finished.to_dict(), config)
    )
    if finished.epochs > config.epochs:
        different.append("epochs")
    if different:
        shown = ", ".join(
            f"{name}={getattr(finished, name)} (now {getattr(config, name)})" for name in different
        )
        raise UserError(
            f"{folder} holds a finished run with other settings: {shown}. Give the same settings "
            "to go on, another --run_dir, or --overwrite to move the old folders aside."
        )


def run_all(records, earlier, execute, stop_requested):
    """Runs what has not finished yet; after a failed run it goes on with the next.

    Args:
        records: list of `settings.every_run.RunConfig`, each with its folder.
        earlier: list of `Outcome` of the runs that have ended before, None for one to run.
        execute: function that trains a record's run and returns its `Outcome`.
        stop_requested: function without arguments; no further run starts once it returns True.

    Returns:
        List of `Outcome`, one for each record.
    """
    outcomes = []
    for number, (record, outcome) in enumerate(zip(records, earlier, strict=True), 1):
        head = f"\nrun {number} of {len(records)}, {record.run_dir}"
        if outcome is not None:
            print(f"{head}: {outcome.remark}", flush=True)
        elif stop_requested():
            outcome = Outcome(record, "not started")
        elif outcomes and _is_baseline_of(record, outcomes[-1]) and not outcomes[-1].is_finished:
            outcome = Outcome(record, "not started", "a baseline, and its run did not finish")
        else:
            print(head, flush=True)
            outcome = execute(record)
        outcomes.append(outcome)
    return outcomes


def outcome_of(record, train):
    """The `Outcome` of a run that `train()` trains, which returns the content of its result.json.

    What goes wrong in one run is told at the end of all.
    """
    try:
        result = train()
    except DivergedError as error:
        return Outcome(record, "diverged", str(error))
    except UserError as error:
        return Outcome(record, "refused", in_flags(error))
    except StorageError as error:
        return Outcome(record, "failed", str(error))
    except Exception as error:  # out of memory, a full disk: reported below; the next runs start
        traceback.print_exc(file=sys.stderr)
        return Outcome(record, "failed", f"{type(error).__name__}: {error}")
    collapsed = collapse_text(result["final"])
    return Outcome(record, result["status"], f"COLLAPSED in {collapsed}" if collapsed else "")


# The exit code of a command is that of its worst outcome.
_EXIT_CODES = {"failed": 1, "refused": 2, "diverged": 3, "finished": 0}


def exit_code(outcomes):
    """The exit code of a command that nothing interrupted (int)."""
    statuses = {outcome.status for outcome in outcomes}
    return next(code for status, code in _EXIT_CODES.items() if status in statuses)


def outcome_table(outcomes):
    """A text table of every run, with the full remarks below it."""
    rows, remarks = [], []
    for outcome in outcomes:
        config = outcome.config
        kind = "supervised only" if config.supervised_only else config.model
        remark = " ".join(outcome.remark.split())
        if len(remark) > 40:
            remarks.append(f"[{len(remarks) + 1}] {config.run_dir}: {remark}")
            remark = f"[{len(remarks)}]"
        seed_data = config.seed if config.seed_data is None else config.seed_data
        labels = num_labels_of(vars(config))
        rows.append([labels, kind, config.seed, seed_data, outcome.status, remark])
    headers = ["labels", "trained as", "seed", "seed_data", "status", "remark"]
    return "\n".join([tabulate(rows, headers=headers, tablefmt="github"), *remarks])

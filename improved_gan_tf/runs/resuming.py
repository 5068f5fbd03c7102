"""Whether a run folder's run may be continued by the command that was given.

Nothing here starts TensorFlow or changes a file: a mistake is answered at once.
"""

import dataclasses
import json
import os
import pathlib
import sys
from typing import NamedTuple

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files
from improved_gan_tf.runs.checkpoints import Checkpoints
from improved_gan_tf.settings.setting import Decides, names_that_decide

# The folder's run may go on with another decay while that has not decided anything.
_DECAY = frozenset({"decay_start_epoch", "decay_end_epoch"})


class Found(NamedTuple):
    """What a command finds in its run folder."""

    status: str  # "new", "unfinished" or "finished"
    result: dict | None = None  # content of result.json of a finished run


def checkpoints_of(config, run_dir):
    """The `Checkpoints` of a run folder."""
    return Checkpoints(pathlib.Path(run_dir) / "checkpoints", config.keep_checkpoints)


def look(config, run_dir):
    """What there is to do in a run folder.

    Args:
        config: `settings.every_run.RunConfig` of the command.
        run_dir: its folder, which need not exist.

    Returns:
        `Found`. "new": start from the beginning, in an absent or empty folder or, with
        `--overwrite`, in the place of the old one. "unfinished": the folder holds a run with
        these settings; continue it. "finished": it has run all its epochs.

    Raises:
        UserError: the folder can neither be continued nor be written.
    """
    try:
        return _look(config, pathlib.Path(run_dir))
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or repr(error)
        raise UserError(f"--run_dir={run_dir} cannot be read: {reason}.") from error


def _look(config, path):
    if path.exists() and not path.is_dir():
        raise UserError(f"--run_dir must be a folder. Received: {path} (a file).")
    if not path.exists():
        above = next(p for p in path.absolute().parents if p.exists())
        if not (above.is_dir() and os.access(above, os.W_OK)):
            raise UserError(
                f"--run_dir={path} cannot be written: {above} is no folder to write in."
            )
    if not path.exists() or files.holds_nothing(path):
        if config.resume == "must":
            raise UserError(
                f"--resume=must asks to continue a run, and there is none in {path}. Check "
                "--run_dir, or leave --resume out to begin one."
            )
        return Found("new")
    if config.overwrite:
        return Found("new")
    if config.resume == "never" or not (path / "config.json").exists():
        raise UserError(
            f"--run_dir={path} exists and is not empty; nothing is overwritten unasked. Give "
            "another --run_dir, or --overwrite to move the old folder aside."
        )
    require_same_settings(config, path)
    return _what_is_left(config, path)


def require_same_settings(config, path):
    """Raises `UserError` if a run folder's settings are not the command's.

    Args:
        config: `settings.every_run.RunConfig` of the command.
        path: `pathlib.Path` of a folder that holds a config.json.
    """
    saved = _read_json(path / "config.json")
    defaults = {f.name: f.default for f in dataclasses.fields(config)}
    allowed = may_change(saved, config)
    different = [
        f"--{name}={value} (the run's is {saved.get(name)})"
        for name, value in config.to_dict().items()
        # A run of an earlier version, which had no such setting, ran with its default.
        if name not in allowed and saved.get(name, defaults[name]) != value
    ]
    if different:
        raise UserError(
            f"--run_dir={path} holds a run with other settings. Received: {', '.join(different)}. "
            "Give the run's own settings to continue it (of the settings, --epochs may grow, and "
            "the learning rate may fall in the epochs added), another --run_dir, or --overwrite to "
            "move the old folder aside."
        )


def may_change(saved, config):
    """Names of the settings in which a command may differ from the run that it continues.

    Args:
        saved: dict, the run's settings.
        config: `settings.every_run.RunConfig` of the command.

    Returns:
        Set of str. The decay is among them where the command adds epochs and the learning rate
        falls in neither of the two before those.
    """
    decays = [
        (saved.get("decay_start_epoch"), saved.get("decay_end_epoch")),
        (config.decay_start_epoch, config.decay_end_epoch),
    ]
    allowed = {*names_that_decide(config, Decides.NOTHING, Decides.LENGTH)}
    epochs = saved.get("epochs")
    # A file edited by hand may hold anything.
    grows = isinstance(epochs, int) and config.epochs > epochs
    if grows and all(_begins_after(epochs, *decay) for decay in decays):
        return allowed | _DECAY
    return allowed


def _begins_after(epochs, start, end):
    if start is None and end is None:
        return True
    return isinstance(start, int) and isinstance(end, int) and start >= epochs


def _what_is_left(config, path):
    result = _read_json(path / "result.json") if (path / "result.json").exists() else None
    status = result and result.get("status")
    if status == "finished" and result["config"]["epochs"] == config.epochs:
        return Found("finished", result)
    if status == "diverged":
        raise UserError(
            f"The run in {path} stopped because its numbers were no longer finite; continued, it "
            "would do so again. Try a smaller --learning_rate or another --seed, with another "
            "--run_dir or with --overwrite to move the old folder aside."
        )
    if not checkpoints_of(config, path).paths() and (status or config.resume == "must"):
        raise UserError(
            f"The run in {path} cannot be continued: it left no checkpoint. Give another "
            "--run_dir, or --overwrite to move the old folder aside."
        )
    return Found("unfinished")


def refuse_finished(found, run_dir):
    """Raises `UserError` if a folder's run has nothing left to do."""
    if found.status == "finished":
        epochs = found.result["config"]["epochs"]
        raise UserError(
            f"The run in {run_dir} is finished, all {epochs} epochs. Give a larger --epochs to "
            "continue it, another --run_dir, or --overwrite to move the old folder aside."
        )


# That a checkpoint of an earlier version lacks them says nothing.
_ADDED_CIRCUMSTANCES = frozenset({"digest of the images"})


def require_same_circumstances(checkpoint, now):
    """Raises `UserError` if a checkpoint's run had other data, or other local batches.

    Args:
        checkpoint: `runs.checkpoints.Checkpoint`.
        now: dict of JSON types, `Game.circumstances()` of the command.
    """
    # An earlier version did not write them, or not all.
    before = checkpoint.header.get("circumstances", now)
    unknown = _ADDED_CIRCUMSTANCES - before.keys()
    different = [
        f"{name}: {_shortened(now.get(name))} (the run's: {_shortened(before.get(name))})"
        for name in (before.keys() | now.keys()) - unknown
        if before.get(name) != now.get(name)
    ]
    if different:
        raise UserError(
            f"The run of {checkpoint.path} had other data or devices, and would become another "
            f"run. Received: {'; '.join(sorted(different))}. Continue it with its own --data_dir "
            "and, with --cross_replica=local, on as many devices; or begin a run in another "
            "--run_dir."
        )


def _shortened(value):
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def command_to_continue(config):
    """What to tell a user whose run has stopped: which command continues it (str).

    Args:
        config: `settings.every_run.RunConfig` of the command that stopped.
    """
    left_out = ["--overwrite"] if config.overwrite else []
    left_out += ["--resume=never"] if config.resume == "never" else []
    without = f" without {' and '.join(left_out)}" if left_out else ""
    return f"the same command again{without} to continue"


def warn_of_other_versions(checkpoint, versions):
    """Prints a warning if a checkpoint was not written by these versions.

    Args:
        checkpoint: `runs.checkpoints.Checkpoint`.
        versions: dict, `machine.versions.versions()`.
    """
    names = (
        *("improved_gan_tf", "git_commit", "tensorflow", "keras", "numpy"),
        *("device", "onednn", "num_threads"),
    )
    written = checkpoint.header["versions"]
    different = [
        f"{name} {written.get(name)} (now {versions.get(name)})"
        for name in names
        if written.get(name) != versions.get(name)
    ]
    if different:
        print(
            f"warning: {checkpoint.path} was written with {', '.join(different)}. It can be read "
            "and the run goes on, but its numbers may differ from those of an uninterrupted run.",
            file=sys.stderr,
        )


def _read_json(path):
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise UserError(
            f"{path} is damaged ({error}). Mend it, or give another --run_dir, or --overwrite to "
            "move the old folder aside."
        ) from error
    if not isinstance(content, dict):
        raise UserError(f"{path} is damaged: it must hold a JSON object.")
    return content

"""Whether the given command may continue the run in a folder.

Nothing here starts TensorFlow or changes a file, so mistakes are reported at once.
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
from improved_gan_tf.runs.data_digest import other_data
from improved_gan_tf.settings.setting import Decides, names_that_decide

# The run may continue with another decay as long as the decay has not affected any epoch.
_DECAY = frozenset({"decay_start_epoch", "decay_end_epoch"})


class EndedError(UserError):
    """A run stopped by itself and is not continued; `status` is "diverged" or "collapsed"."""

    def __init__(self, message, status):
        super().__init__(message, status)  # both, or it could not be pickled
        self.status = status

    def __str__(self):
        return self.args[0]


class Found(NamedTuple):
    """The state of a command's run folder."""

    status: str  # "new", "unfinished" or "finished"
    result: dict | None = None  # content of result.json of a finished run


def checkpoints_of(config, run_dir):
    """The `Checkpoints` of a run folder."""
    return Checkpoints(pathlib.Path(run_dir) / "checkpoints", config.keep_checkpoints)


def look(config, run_dir):
    """Decides what to do in a run folder, which need not exist.

    Args:
        config: `settings.every_run.RunConfig` of the command.
        run_dir: its folder.

    Returns:
        `Found`. "new": start from the beginning, in an absent or empty folder or, with
        `--overwrite`, in place of the old run. "unfinished": continue the folder's run, which has
        these settings. "finished": it has run all its epochs.

    Raises:
        EndedError: the folder's run diverged, or collapsed and was to stop then.
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


# Settings by which the same pictures become other images.
_DECIDE_IMAGES = ("image_size", "test_fraction")


def require_same_settings(config, path):
    """Raises `UserError` if the config.json in `path` forbids continuing it with `config`."""
    saved = _read_json(path / "config.json")
    # An earlier version kept the spelling of the command.
    saved = config.in_one_spelling(saved)
    defaults = {f.name: f.default for f in dataclasses.fields(config)} | config.BEFORE
    allowed = may_change(saved, config)
    different = {
        name: value
        for name, value in config.to_dict().items()
        # An earlier version without this setting ran with its default, or as `BEFORE` says.
        if name not in allowed and saved.get(name, defaults[name]) != value
    }
    found = [name for name in different if name in config.FOUND_IN_DATA]
    received = [
        f"--{name}={value} (the run's is {saved.get(name)})"
        for name, value in different.items()
        if name not in found
    ]
    if found and different.keys().isdisjoint(_DECIDE_IMAGES):
        images = [
            f"{config.FOUND_IN_DATA[name]}: {different[name]} (the run's: {saved.get(name)})"
            for name in found
        ]
        others = f" Some settings differ too: {', '.join(received)}." if received else ""
        raise UserError(
            f"--run_dir={path} holds a run on other images. Received: {'; '.join(images)}."
            f"{others} Give the run's own images to continue it, another --run_dir, or --overwrite "
            "to move the old folder aside."
        )
    if different:
        raise UserError(
            f"--run_dir={path} holds a run with other settings. Received: {', '.join(received)}. "
            "Give the run's own settings to continue it (of the settings, --epochs may grow, and "
            "the learning rate may fall in the epochs added), another --run_dir, or --overwrite to "
            "move the old folder aside."
        )


def was_begun_with(run_dir, name, value):
    """Whether the folder, or one in it, holds a run whose config.json has this value (bool)."""
    folder = pathlib.Path(run_dir)
    for path in (folder / "config.json", *folder.glob("*/config.json")):
        try:
            if json.loads(path.read_text("utf-8"))[name] == value:
                return True
        except (OSError, ValueError, KeyError, TypeError):  # `look` says what is wrong with it
            continue
    return False


def may_change(saved, config):
    """Names of the settings in which a command may differ from the run that it continues.

    The decay is among them if the command adds epochs and the learning rate falls in no epoch
    before those, neither in the run nor in the command.
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
        raise EndedError(
            f"The run in {path} stopped because its numbers were no longer finite; continued, it "
            "would do so again. Try a smaller --learning_rate or another --seed, with another "
            "--run_dir or with --overwrite to move the old folder aside.",
            status,
        )
    if status == "collapsed" and config.stop_on_collapse:
        raise EndedError(
            f"The run in {path} collapsed and stopped there. --nostop_on_collapse trains on; to "
            "begin another one give another --run_dir, or --overwrite to move the old folder "
            "aside.",
            status,
        )
    if not checkpoints_of(config, path).paths() and (status or config.resume == "must"):
        raise UserError(
            f"The run in {path} cannot be continued: it left no checkpoint. Give another "
            "--run_dir, or --overwrite to move the old folder aside."
        )
    return Found("unfinished")


def refuse_finished(found, run_dir):
    """Raises `UserError` if the folder's run has nothing left to do."""
    if found.status == "finished":
        epochs = found.result["config"]["epochs"]
        raise UserError(
            f"The run in {run_dir} is finished, all {epochs} epochs. Give a larger --epochs to "
            "continue it, another --run_dir, or --overwrite to move the old folder aside."
        )


# A checkpoint of an earlier version may lack these without a difference.
_ADDED_CIRCUMSTANCES = frozenset({"digest of the images", "digest of the labels"})


def require_same_circumstances(checkpoint, now):
    """Raises `UserError` if a checkpoint's run had other data or local batches.

    `now` is `Game.circumstances()` of the command.
    """
    # An earlier version wrote none or not all of them.
    before = checkpoint.header.get("circumstances", now)
    unknown = _ADDED_CIRCUMSTANCES - before.keys()
    different = [
        f"{name}: {_shortened(now.get(name))} (the run's: {_shortened(before.get(name))})"
        for name in (before.keys() | now.keys()) - unknown
        if before.get(name) != now.get(name)
    ]
    if different:
        raise UserError(
            f"The run of {checkpoint.path} had other data or devices, so this would be a different "
            f"run. Received: {'; '.join(sorted(different))}. Continue it with its own --data_dir "
            "and, with --cross_replica=local, on as many devices; or begin a run in another "
            "--run_dir."
        )


def require_same_data(result, run_dir, now):
    """Raises `UserError` if a finished run had other data than the command.

    A command whose other runs go on with new images would mix them with it.

    Args:
        result: content of the run's result.json.
        run_dir: its folder.
        now: dict, what of the command's `Game.circumstances()` tells its data.
    """
    different = other_data(result, now)
    if different:
        raise UserError(
            f"The finished run in {run_dir} had other data. Received: {'; '.join(different)}. Give "
            "the data that it had, another --run_dir, or --overwrite to move the old folders aside."
        )


def _shortened(value):
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def command_to_continue(config):
    """The text that says which command continues a stopped run (str)."""
    left_out = ["--overwrite"] if config.overwrite else []
    left_out += ["--resume=never"] if config.resume == "never" else []
    without = f" without {' and '.join(left_out)}" if left_out else ""
    return f"the same command again{without} to continue"


def with_defaults(versions):
    """The `versions` of a checkpoint with what earlier versions of this code did not write."""
    return {"jit_compile": False, "deterministic": True, **versions}


def warn_of_other_versions(checkpoint, versions):
    """Prints a warning if other `versions` wrote the checkpoint."""
    names = (
        *("improved_gan_tf", "git_commit", "tensorflow", "keras", "numpy"),
        *("device", "onednn", "num_threads", "jit_compile", "deterministic"),
    )
    written, versions = map(with_defaults, (checkpoint.header["versions"], versions))
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
            f"{path} is damaged ({error}). Repair it, or give another --run_dir, or --overwrite to "
            "move the old folder aside."
        ) from error
    if not isinstance(content, dict):
        raise UserError(f"{path} is damaged: it must hold a JSON object.")
    return content

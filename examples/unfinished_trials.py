"""The checkpoint of a trial under way: a stopped command goes on from it, with the same bits.

It stands beside the trial's file, as `NAME.unfinished.npz`, until that file is written.
"""

import sys
import time

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files
from improved_gan_tf.runs import checkpoints

SECONDS_BETWEEN = 60.0
BEGIN_ANEW = "remove it to begin that trial anew"


def path_of(result):
    """Returns the path of the checkpoint of the trial whose file will be `result`."""
    return result.with_suffix(".unfinished.npz")


def read(result, settings):
    """Returns the checkpoint of a trial, or None if it has not begun.

    Args:
        result: path of the trial's file.
        settings: dict of JSON types, all that decides the trial's numbers but the versions.

    Raises:
        UserError: the checkpoint is damaged, cannot be read now, or is one of a trial with other
            settings.
    """
    path = path_of(result)
    if not path.exists():
        return None
    try:
        checkpoint = checkpoints.read(path)
    except checkpoints.DamagedCheckpointError as error:
        if isinstance(error.__cause__, OSError):  # perhaps whole, and readable later
            raise UserError(f"{path} cannot be read: {error}.") from error
        raise UserError(f"{path} is damaged ({error}); {BEGIN_ANEW}.") from error
    written = checkpoint.header.get("settings", {})
    different = [name for name in settings if written.get(name) != settings[name]]
    if different:
        shown = ", ".join(f"{n}={written.get(n)} (now {settings[n]})" for n in different)
        raise UserError(f"{path} was written with {shown}. Give another `output`, or {BEGIN_ANEW}.")
    return checkpoint


def move_aside(result):
    """Gives a trial's file and checkpoint, where there are any, unused names beside their own."""
    for path in (result, path_of(result)):
        if path.exists():
            path.rename(files.unused_name_aside(path))


class UnfinishedTrial:
    """What has been done of a trial, and the file that keeps it.

    Args:
        result: path of the trial's file, in a folder that exists.
        settings: dict of JSON types, as in `read`.
        versions: dict, `machine.versions.versions()`.
        variables: `{name: variable}`, all that training changes.
        checkpoint: of `read`, or None: its values are given to the variables.

    Attributes:
        records: list of JSON types, what the trial has recorded until the checkpoint.

    Raises:
        UserError: the checkpoint has other variables; the trial's are as they were.
    """

    def __init__(self, result, settings, versions, variables, checkpoint=None):
        self.path = path_of(result)
        self.records = []
        self._settings, self._versions, self._variables = settings, versions, variables
        self._earlier_versions, self._earlier = [], {"seconds": 0.0, "cpu_seconds": 0.0}
        self._start, self._start_cpu = time.monotonic(), time.process_time()
        self._saved = time.monotonic()
        if checkpoint:
            self._go_on_from(checkpoint)

    def _go_on_from(self, checkpoint):
        try:
            checkpoints.assign(checkpoint, self._variables)
        except UserError as error:
            raise UserError(f"{self.path} was written by other code; {BEGIN_ANEW}.") from error
        header, now = checkpoint.header, self._versions
        self.records, self._earlier = header["records"], header["times"]
        written = header["versions"]
        if written == now:
            self._earlier_versions = header["earlier_versions"]
            return
        self._earlier_versions = [*header["earlier_versions"], written]
        names = ", ".join(name for name in now if written.get(name) != now[name])
        print(
            f"warning: {self.path} was written with another {names}; the numbers may differ from "
            "those of an uninterrupted trial.",
            file=sys.stderr,
        )

    def provenance(self):
        """Returns versions, "earlier_versions" if there were others, and the time taken, a dict."""
        earlier = self._earlier_versions
        times = {name: round(seconds) for name, seconds in self._times().items()}
        return {**self._versions, **({"earlier_versions": earlier} if earlier else {}), **times}

    def _times(self):
        """Returns the trial's seconds so far, without what was lost."""
        return {
            "seconds": self._earlier["seconds"] + time.monotonic() - self._start,
            "cpu_seconds": self._earlier["cpu_seconds"] + time.process_time() - self._start_cpu,
        }

    def keep(self, records):
        """Writes the variables and `records`, once in a minute at most."""
        if time.monotonic() - self._saved >= SECONDS_BETWEEN:
            self._write(records)
            self._saved = time.monotonic()

    @files.persistent(OSError)
    def _write(self, records):
        header = {
            "settings": self._settings,
            "versions": self._versions,
            "earlier_versions": self._earlier_versions,
            "times": self._times(),
            "records": records,
        }
        arrays = checkpoints.values(self._variables)
        files.write_whole(self.path, lambda path: checkpoints.write(path, header, arrays))

    def remove(self):
        """Removes the checkpoint, once the trial's file is there."""
        self.path.unlink(missing_ok=True)

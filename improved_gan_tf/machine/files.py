"""Files that are whole or absent, a folder that one process owns, and patience with full disks."""

import contextlib
import errno
import functools
import json
import os
import pathlib
import re
import sys
import time

import filelock

from improved_gan_tf.errors import StorageError, UserError

PAUSES = (1.0, 4.0)  # seconds before the second and the third try to write
LOCK = ".lock"
# What some network file systems answer who asks for a lock.
_NO_LOCKS_HERE = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


def write_whole(path, write):
    """Calls `write(temporary_path)` and renames: the file is whole or absent, also after a crash.

    Args:
        path: file to write.
        write: function of a temporary path in the same folder.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        write(temporary)
        # The bytes must be on the disk before the name is, and the name before we go on.
        synchronize(temporary)
        os.replace(temporary, path)
        synchronize(path.parent)
    finally:
        # With the folder gone there is nothing to tidy up, and the first error is the one to show.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def synchronize(path):
    """Has the operating system write a file or folder to the disk."""
    if os.name == "nt" and path.is_dir():  # folders cannot be opened there
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_leftover(path):
    """Whether a path is a temporary file of `write_whole` that a killed process left."""
    return re.match(r"\.\d+\.", path.name) is not None


def remove_leftovers(*folders):
    """Removes the temporary files that killed processes left in some folders."""
    for folder in folders:
        for path in filter(is_leftover, pathlib.Path(folder).glob(".*")):
            path.unlink(missing_ok=True)


def persistent(*errors):
    """Decorates a method that writes: it is tried again after pauses, then `StorageError`.

    A disk may be full, or a network folder gone, for a moment only. The method must be one that
    can be repeated.

    Args:
        *errors: exception classes that a failed writing raises.
    """

    def decorate(method):
        @functools.wraps(method)
        def tried(self, *args, **kwargs):
            for pause in (*PAUSES, None):
                try:
                    return method(self, *args, **kwargs)
                except errors as error:
                    reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
                    if pause is None:
                        raise StorageError(f"{self.path} cannot be written: {reason}.") from error
                    print(f"{self.path}: {reason}; trying again", file=sys.stderr, flush=True)
                    time.sleep(pause)

        return tried

    return decorate


class FolderLock:
    """Keeps a second process out of a folder until closed, or until this process ends.

    The lock is the operating system's, on a file `LOCK` in the folder, which goes when the lock
    is closed. A process that was killed leaves the file, but no lock.

    Args:
        folder: an existing folder.

    Raises:
        UserError: another process has it.
        OSError: the folder cannot be written.
    """

    def __init__(self, folder):
        self._file = pathlib.Path(folder) / LOCK
        # Whichever thread closes it.
        self._lock = filelock.FileLock(self._file, timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except filelock.Timeout as error:
            raise UserError(
                f"Another process is using --run_dir={folder}. Wait for it or stop it, or give "
                "another --run_dir."
            ) from error
        except OSError as error:
            if error.errno not in _NO_LOCKS_HERE:
                raise
            print(f"warning: {folder} cannot be locked: {error.strerror}", file=sys.stderr)

    def move_folder(self, target):
        """Renames the folder and closes the lock."""
        if os.name == "nt":  # where an open file keeps its folder from being renamed
            self.close()
        self._file.parent.rename(target)
        self._file = pathlib.Path(target) / LOCK
        self.close()

    def close(self):
        """Lets others in."""
        if self._lock is None:
            return
        # While it is still locked: nobody else's lock can be on this file.
        with contextlib.suppress(OSError):  # of a folder that is gone, or an open file on Windows
            self._file.unlink(missing_ok=True)
        self._lock.release()
        self._lock = None


def holds_nothing(folder):
    """Whether a folder holds no more than what this package's processes leave when killed."""
    return all(path.name == LOCK or is_leftover(path) for path in pathlib.Path(folder).iterdir())


def write_json(path, content):
    """Writes a JSON file, whole or not at all."""
    text = json.dumps(content, indent=2) + "\n"
    write_whole(path, lambda p: p.write_text(text, "utf-8"))

"""Files that are whole or absent, folders locked for one process, retries on a full disk."""

import contextlib
import errno
import functools
import json
import os
import pathlib
import re
import secrets
import shutil
import sys
import time

import filelock

from improved_gan_tf.errors import StorageError, UserError

PAUSES = (1.0, 4.0)  # seconds before the second and the third try to write
LOCK = ".lock"
# Errors of some network file systems that have no locks.
_NO_LOCKS_HERE = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


def user_path(text):
    """A `pathlib.Path` of the command line; a shell leaves the ~ in `--output=~/trials`."""
    return pathlib.Path(text).expanduser()


def write_whole(path, write):
    """Calls `write(temporary_path)` and renames: the file is whole or absent, also after a crash.

    Args:
        path: file to write. A link stays one: the file that it points to is written.
        write: function of a temporary path in the same folder.

    Raises:
        UserError: as `require_no_device`.
    """
    require_no_device(path)
    path = pathlib.Path(os.path.realpath(path))
    temporary = path.with_name(_temporary_name(path.name))
    try:
        write(temporary)
        # The bytes must reach the disk before the name does, and the name before we go on.
        synchronize(temporary)
        os.replace(temporary, path)
        synchronize(path.parent)
    finally:
        # If the folder is gone, nothing is left to remove; the first error is the one to show.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def require_replaceable(path, overwrite):
    """Refuses, before any work, a file that is there, unless it may be replaced.

    Args:
        path: `pathlib.Path` of --output.
        overwrite: bool, whether --overwrite is given.

    Raises:
        UserError: it is a folder, the file exists and `overwrite` is False, or as
            `require_no_device`.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder; --output must name a file to write.")
    if path.exists() and not overwrite:
        raise UserError(f"{path} exists; give another --output, or --overwrite to replace it.")
    require_no_device(path)


def require_no_device(path):
    """Refuses what is there and is neither a file nor a folder: renaming a file would replace it.

    Raises:
        UserError: a device like /dev/null, a pipe or a socket is there.
    """
    path = pathlib.Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UserError(
            "The output must be a file, since it is written whole or not at all. Received: "
            f"{path}, a device, pipe or socket."
        )


def _temporary_name(name):
    """A hidden name that `is_leftover` knows; another each time, as threads share the process."""
    return f".{os.getpid()}.{secrets.token_hex(4)}.{name}"


def write_folder_whole(path, write):
    """Calls `write(temporary_folder)` and moves what it wrote into a folder: all or nothing.

    Args:
        path: folder to write, absent or one that `holds_nothing`; leftovers in it are removed. It
            stays itself, since it may be a mounted one.
        write: function of an empty folder.
    """
    path = pathlib.Path(path)
    is_new = not path.exists()
    path.mkdir(exist_ok=True)
    remove_leftovers(path)
    temporary = path / _temporary_name("unfinished")
    moved = []
    try:
        temporary.mkdir()
        write(temporary)
        for written in sorted(temporary.iterdir()):
            moved.append(written.rename(path / written.name))
    except BaseException:
        for whole in moved:
            shutil.rmtree(whole) if whole.is_dir() else whole.unlink()
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if is_new:
            with contextlib.suppress(OSError):  # it holds what was written
                path.rmdir()


def unused_name_aside(path):
    """`NAME.old-N` beside a file or folder, N the first number that is free."""
    number = 1
    while (aside := path.with_name(f"{path.name}.old-{number}")).exists():
        number += 1
    return aside


def was_moved_aside(name):
    """Whether a file's or folder's name is one of `unused_name_aside`."""
    return re.search(r"\.old-\d+$", name) is not None


def name_of(path):
    """The name of a file or folder, also of one given as "." or "..", which a link keeps.

    >>> name_of("photos/cats/..")
    'photos'
    """
    return os.path.basename(os.path.abspath(os.path.expanduser(path)))


def synchronize(path):
    """Makes the operating system write a file or folder to the disk."""
    if os.name == "nt" and path.is_dir():  # Windows cannot open folders
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_leftover(path):
    """Whether a path is a temporary file or folder that a killed process left."""
    return re.match(r"\.\d+\.", path.name) is not None


def remove_leftovers(*folders):
    """Removes the temporary files and folders that killed processes left in folders."""
    for folder in folders:
        for path in filter(is_leftover, pathlib.Path(folder).glob(".*")):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def persistent(*errors):
    """Decorates a method that writes: it retries after pauses, then raises `StorageError`.

    The method must be safe to repeat.

    Args:
        *errors: exception classes of a failed write.
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
    """Keeps other processes out of a folder until closed, or until this process ends.

    The lock is the operating system's, on a file `LOCK` in the folder; `close` removes the file. A
    killed process leaves the file, but no lock.

    Args:
        folder: an existing folder.

    Raises:
        UserError: another process holds the lock.
        OSError: the folder cannot be written.
    """

    def __init__(self, folder):
        self._file = pathlib.Path(folder) / LOCK
        # Any thread may close it.
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
        if os.name == "nt":  # where a folder with an open file cannot be renamed
            self.close()
        self._file.parent.rename(target)
        self._file = pathlib.Path(target) / LOCK
        self.close()

    def close(self):
        """Lets other processes in."""
        if self._lock is None:
            return
        # Deleted while still locked, so it cannot be another process's lock.
        with contextlib.suppress(OSError):  # the folder is gone, or Windows has the file open
            self._file.unlink(missing_ok=True)
        self._lock.release()
        self._lock = None


def holds_nothing(folder):
    """Whether a folder is empty except for what killed processes of this package leave."""
    return all(path.name == LOCK or is_leftover(path) for path in pathlib.Path(folder).iterdir())


def write_json(path, content):
    """Writes a JSON file, whole or not at all."""
    text = json.dumps(content, indent=2) + "\n"
    write_whole(path, lambda p: p.write_text(text, "utf-8"))

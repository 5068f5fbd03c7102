"""Folders of prepared data: made once, whole or not at all, by whichever process comes first."""

import errno
import os
import pathlib
import shutil
import tempfile

import numpy as np

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import interruption

DEFAULT_CACHE = "~/.cache/improved_gan_tf"


def made_once(cache_dir, name, needed, write):
    """The folder `cache_dir`/`name` (a Path), which `write` fills if it is not there yet.

    Args:
        cache_dir: folder; `DEFAULT_CACHE` if None.
        name: str, changes when the data does.
        needed: int, bytes that the folder will take.
        write: function of an empty folder (a Path).

    Raises:
        UserError: the cache folder cannot be written or has too little space; `write` raised it.
    """
    cache = pathlib.Path(cache_dir or DEFAULT_CACHE).expanduser()
    folder = cache / _short(name)
    if folder.is_dir():
        return folder
    unfinished = None
    try:
        cache.mkdir(parents=True, exist_ok=True)
        # The name is unique among processes on all machines.
        unfinished = pathlib.Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=cache))
        inner = unfinished / "images"  # with default permissions, unlike mkdtemp's folder
        inner.mkdir()
        _require_space(cache, needed)
        with interruption.raise_on_signals():  # a run would go on until it is done, perhaps hours
            write(inner)
        _publish(inner, folder)
    except OSError as error:
        raise UserError(
            f"`cache_dir={cache}` cannot hold the prepared images: {error.strerror or error}."
        ) from error
    finally:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _short(name):
    """The name, without the middle of a long one: what changes with the data stands at its end."""
    # A folder's name has 255 bytes at most, and that of the unfinished one is longer.
    if len(os.fsencode(name)) <= 200:
        return name
    return os.fsencode(name)[:100].decode("ascii", "replace").replace("\ufffd", "_") + name[-60:]


def new_array(path, shape):
    """A new .npy file of bytes, memory-mapped, with its disk space reserved.

    Otherwise a disk that fills up meanwhile would end the process with a bus error.

    Raises:
        OSError: there is no room.
    """
    array = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    if hasattr(os, "posix_fallocate"):
        with open(path, "r+b") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
            except OSError as error:  # some file systems cannot reserve
                if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                    raise
    return array


def _publish(unfinished, folder):
    try:
        unfinished.rename(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another process published the same images first
            raise


def _require_space(cache, needed):
    free = shutil.disk_usage(cache).free
    if needed > free:
        raise UserError(
            f"The prepared images take {needed / 1e9:.1f} GB and `cache_dir={cache}` has "
            f"{free / 1e9:.1f} GB left. Name a folder with more space with `cache_dir`."
        )

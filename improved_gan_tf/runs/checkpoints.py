"""One file per checkpoint: whole or absent, verified when read, and never executed.

A checkpoint is an uncompressed `.npz` archive: one array for each variable, under its name, and
"header", JSON text as bytes. The archive's comment is the SHA-256 of everything before it, so
`numpy.load(path, allow_pickle=False)` opens it, and a single changed bit is detected.
"""

import hashlib
import json
import pathlib
import re
import sys
import zipfile
from typing import NamedTuple

import numpy as np

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files

FORMAT = 2
# Format 1 lacks the closeness of the last evaluation; it can be read all the same.
READABLE = (1, FORMAT)
_DIGEST_SIZE = 64  # characters of a SHA-256 in hexadecimal
_NAME = re.compile(r"checkpoint-(\d+)\.npz")


class Checkpoint(NamedTuple):
    """The content of a file."""

    path: pathlib.Path
    header: dict  # JSON types
    arrays: dict  # name -> array


class DamagedCheckpointError(Exception):
    """A file whose content is not what was written."""


def write(path, header, arrays):
    """Writes one checkpoint: a header of JSON types, and `{name: array}` (no name is "header")."""
    members = {"header": np.frombuffer(json.dumps(header).encode("utf-8"), np.uint8), **arrays}
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in members.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)
        archive.comment = b"0" * _DIGEST_SIZE
    with open(path, "r+b") as file:
        digest = _digest(file, path.stat().st_size - _DIGEST_SIZE)
        file.write(digest)


def read(path):
    """Reads one checkpoint and verifies it.

    Raises:
        DamagedCheckpointError: the file is absent or not what was written.
    """
    path = pathlib.Path(path)
    try:
        with open(path, "rb") as file:
            digest = _digest(file, path.stat().st_size - _DIGEST_SIZE)
            if file.read() != digest:
                raise DamagedCheckpointError("its checksum is wrong")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        header = json.loads(arrays.pop("header").tobytes())
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DamagedCheckpointError(str(error) or type(error).__name__) from error
    return Checkpoint(path, header, arrays)


def _digest(file, size):
    """SHA-256 of the first `size` bytes; leaves the file position after them."""
    if size <= 0:
        raise DamagedCheckpointError("it is too short")
    digest = hashlib.sha256()
    while size:
        part = file.read(min(size, 1 << 20))
        if not part:
            raise DamagedCheckpointError("it is too short")
        digest.update(part)
        size -= len(part)
    return digest.hexdigest().encode("ascii")


class Checkpoints:
    """The newest checkpoints of one run, at most `keep` (int >= 1), in the folder `path`."""

    def __init__(self, path, keep):
        self.path = pathlib.Path(path)
        self._keep = keep

    def paths(self):
        """Paths of all checkpoints, newest (most iterations) first."""
        found = [p for p in self.path.glob("checkpoint-*.npz") if _NAME.fullmatch(p.name)]
        return sorted(found, key=_iterations, reverse=True)

    def iterations(self):
        """Iterations after which the newest was written, by its name (int); 0 without any."""
        return _iterations(found[0]) if (found := self.paths()) else 0

    @files.persistent(OSError)
    def save(self, iterations, header, arrays):
        """Writes a checkpoint, removes the oldest beyond `keep`, and returns its path.

        Args:
            iterations: int, done since the start of the training; becomes the file's name.
            header: dict of JSON types.
            arrays: `{name: array}`.

        Raises:
            StorageError: it could not be written, even after retries; earlier checkpoints are
                unchanged.
        """
        self.path.mkdir(exist_ok=True)
        path = self.path / f"checkpoint-{iterations:09d}.npz"
        files.write_whole(path, lambda p: write(p, {"format": FORMAT, **header}, arrays))
        for file in self.paths():
            # A checkpoint ahead of the run could not be read on resuming, and no longer counts.
            if _iterations(file) > iterations:
                file.rename(file.with_name(f"{file.name}.damaged"))
        for old in self.paths()[self._keep :]:
            old.unlink(missing_ok=True)
        return path

    def newest(self):
        """The newest whole `Checkpoint`, or None without files; warns of each damaged one.

        Raises:
            UserError: there are files, but none can be used, or the disk does not give one.
        """
        found = self.paths()
        for path in found:
            try:
                checkpoint = read(path)
            except DamagedCheckpointError as error:
                if isinstance(error.__cause__, OSError):  # perhaps whole, and readable later
                    raise UserError(
                        f"{path} cannot be read: {error}. Make it readable; to go on from the "
                        "checkpoint before it, move it elsewhere."
                    ) from error
                print(f"warning: {path} is damaged ({error}); leaving it out", file=sys.stderr)
                continue
            if checkpoint.header.get("format") not in READABLE:
                known = " and ".join(map(str, READABLE))
                raise UserError(
                    f"{path} has format {checkpoint.header.get('format')}; this version of the "
                    f"code reads formats {known} only. Continue the run with the version that "
                    f"began it ({checkpoint.header.get('versions')}), or start over with another "
                    "--run_dir."
                )
            return checkpoint
        if found:
            raise UserError(
                f"None of the {len(found)} checkpoints in {self.path} can be read. Start over "
                "with another --run_dir, or with --overwrite to move the old folder aside."
            )
        return None


def _iterations(path):
    return int(_NAME.fullmatch(path.name)[1])


def values(variables):
    """`{name: array}` of `{name: variable}`."""
    return {name: np.array(variable.numpy()) for name, variable in variables.items()}


def assign(checkpoint, variables):
    """Gives every variable of `{name: variable}` its value from a `Checkpoint`.

    Raises:
        UserError: the checkpoint does not hold exactly these variables, with these shapes and
            dtypes; no variable has been changed.
    """
    held = {name: (array.shape, str(array.dtype)) for name, array in checkpoint.arrays.items()}
    wanted = {name: (tuple(v.shape), _dtype(v)) for name, v in variables.items()}
    different = sorted(n for n in held.keys() | wanted.keys() if held.get(n) != wanted.get(n))
    if different:
        shown = "; ".join(
            f"{n}: {held.get(n, 'nothing')} in the file, {wanted.get(n, 'nothing')} in the program"
            for n in different[:3]
        )
        raise UserError(
            f"{checkpoint.path} does not hold the variables of this program; {len(different)} "
            f"differ ({shown}). It was written by {checkpoint.header.get('versions')}: continue "
            "with that version, or start over with another --run_dir."
        )
    for name, variable in variables.items():
        variable.assign(checkpoint.arrays[name])


def _dtype(variable):
    return str(np.dtype(getattr(variable.dtype, "as_numpy_dtype", variable.dtype)))

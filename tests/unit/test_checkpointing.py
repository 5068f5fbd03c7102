"""The file of a checkpoint: what is written is what is read, or it is noticed."""

import errno
import json
import zipfile

import keras
import numpy as np
import pytest

from improved_gan_tf.errors import StorageError, UserError
from improved_gan_tf.machine import files
from improved_gan_tf.runs import checkpoints as checkpointing
from improved_gan_tf.runs.checkpoints import Checkpoints, DamagedCheckpointError
from improved_gan_tf.runs.progress import Progress

ARRAYS = {
    "generator.000.kernel": np.float32([[1.0, -0.0], [np.nextafter(1.0, 2.0, dtype="f4"), 3e-45]]),
    "optimizer.000.iteration": np.int64(7),
    "seed": np.uint32([1, 2**32 - 1]),
}
HEADER = {"progress": {"sums": [0.1, 1e-300, 2.0 / 3.0]}, "versions": {"tensorflow": "x"}}


@pytest.fixture
def path(tmp_path):
    checkpointing.write(tmp_path / "file.npz", HEADER, ARRAYS)
    return tmp_path / "file.npz"


def test_every_bit_comes_back(path):
    found = checkpointing.read(path)
    assert found.header == HEADER
    assert found.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].shape == array.shape
        assert found.arrays[name].tobytes() == array.tobytes()


def test_numpy_opens_it_without_pickle(path):
    with np.load(path, allow_pickle=False) as archive:
        assert set(archive.files) == {"header", *ARRAYS}
        assert json.loads(archive["header"].tobytes()) == HEADER


def test_a_changed_bit_anywhere_is_noticed(path):
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << (position % 8)
        path.write_bytes(damaged)
        with pytest.raises(DamagedCheckpointError):
            checkpointing.read(path)
    path.write_bytes(whole)
    checkpointing.read(path)


@pytest.mark.parametrize("left", [0, 1, 63, 64, 65, 500, -1])
def test_a_cut_file_is_noticed(path, left):
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(DamagedCheckpointError):
        checkpointing.read(path)


def test_an_absent_file_is_noticed(tmp_path):
    with pytest.raises(DamagedCheckpointError, match="No such file"):
        checkpointing.read(tmp_path / "absent.npz")


class Bomb:
    """Would write a file if it were unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_nothing_in_a_file_with_a_right_checksum_is_executed(path, tmp_path):
    victim = tmp_path / "executed"
    array = np.empty(1, object)
    array[0] = Bomb(victim)
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("header.npy", "w") as file:
            np.lib.format.write_array(file, array, allow_pickle=True)
        archive.comment = b"0" * 64
    with open(path, "r+b") as file:
        file.write(checkpointing._digest(file, path.stat().st_size - 64))
    with pytest.raises(DamagedCheckpointError, match="allow_pickle=False"):
        checkpointing.read(path)
    assert not victim.exists()
    with np.load(path, allow_pickle=True) as archive:  # it would have been
        archive["header"][0].close()
    assert victim.exists()


def test_an_object_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle=False"):
        checkpointing.write(tmp_path / "file.npz", {}, {"x": np.array([{}], object)})


# What an evaluation of the semi-supervised game finds.
NUMBERS = {"test_wrong": {"averaged": 5, "raw": 7}, "closeness": None}


def test_what_a_format_holds_is_pinned():
    """Change the number and this list together: old checkpoints are then refused, not misread."""
    assert (checkpointing.FORMAT, set(Progress(numbers=NUMBERS).to_dict())) == (
        2,
        {
            *("epoch", "iteration", "sums", "epoch_seconds", "seconds", "history", "test_wrong"),
            *("closeness", "saved_epochs", "saved_iterations"),
        },
    )


def test_progress_comes_back_from_what_it_wrote():
    progress = Progress(epoch=3, numbers=NUMBERS)
    assert Progress.from_dict(progress.to_dict()) == progress


def test_progress_of_format_1_is_read():
    written = Progress(epoch=3, numbers=NUMBERS).to_dict()
    del written["closeness"]
    assert 1 in checkpointing.READABLE
    read = Progress.from_dict(written)
    assert (read.epoch, read.numbers) == (3, {"test_wrong": NUMBERS["test_wrong"]})


# --- the newest ones -----------------------------------------------------------------------


@pytest.fixture
def checkpoints(tmp_path):
    checkpoints = Checkpoints(tmp_path / "checkpoints", keep=2)
    for iterations in (90, 100, 1_000_000_000):
        checkpoints.save(iterations, {"iterations": iterations}, ARRAYS)
    return checkpoints


def test_the_newest_stay_and_are_found_first(checkpoints):
    names = [p.name for p in checkpoints.paths()]
    assert names == ["checkpoint-1000000000.npz", "checkpoint-000000100.npz"]
    assert sorted(p.name for p in checkpoints.path.iterdir()) == sorted(names)
    assert checkpoints.newest().header == {"format": 2, "iterations": 1_000_000_000}


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "missing"])
def test_a_damaged_one_is_named_and_the_one_before_is_taken(checkpoints, damage, capsys):
    newest = checkpoints.paths()[0]
    whole = newest.read_bytes()
    if damage == "missing":
        newest.unlink()
    elif damage == "flipped":
        newest.write_bytes(whole[:300] + bytes([whole[300] ^ 8]) + whole[301:])
    else:
        newest.write_bytes(whole[:-9] if damage == "cut" else b"")
    assert checkpoints.newest().header["iterations"] == 100
    warning = capsys.readouterr().err
    if damage == "missing":
        assert warning == ""
    else:
        assert warning.startswith(f"warning: {newest} is damaged (")
        assert warning.count("\n") == 1


def test_one_that_the_disk_does_not_give_is_no_reason_to_go_back(checkpoints, monkeypatch):
    newest = checkpoints.paths()[0]

    def refuse(path, *mode):
        if path == newest:
            raise PermissionError(errno.EACCES, "Permission denied")
        return open(path, *mode)

    monkeypatch.setattr(checkpointing, "open", refuse, raising=False)
    with pytest.raises(UserError, match=r"1000000000\.npz cannot be read: .*Permission denied"):
        checkpoints.newest()


@pytest.mark.parametrize("keep", [1, 2])
def test_a_damaged_one_takes_no_place_of_those_that_are_written_after_it(checkpoints, keep):
    """The run goes back to iteration 100; what it writes before 1,000,000,000 has to stay."""
    damaged = checkpoints.paths()[0]
    damaged.write_bytes(b"")
    checkpoints = Checkpoints(checkpoints.path, keep)
    for iterations in (120, 140, 160):
        checkpoints.save(iterations, {"iterations": iterations}, ARRAYS)
        assert checkpoints.newest().header["iterations"] == iterations
    assert len(checkpoints.paths()) == keep
    assert damaged.with_name(f"{damaged.name}.damaged").read_bytes() == b""


def test_with_all_of_them_damaged_nothing_is_begun_anew(checkpoints):
    for path in checkpoints.paths():
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"None of the 2 checkpoints in .* can be read"):
        checkpoints.newest()


def test_a_run_that_has_none_has_none(tmp_path):
    assert Checkpoints(tmp_path / "absent", keep=2).newest() is None


def test_another_format_is_refused_with_the_version_that_wrote_it(checkpoints, monkeypatch):
    monkeypatch.setattr(checkpointing, "FORMAT", 3)
    checkpoints.save(2_000_000_000, {"versions": {"improved_gan_tf": "9.9"}}, {})
    with pytest.raises(UserError, match=r"has format 3; this .* reads formats 1 and 2 only.*9\.9"):
        checkpoints.newest()


def test_a_full_disk_leaves_those_before_whole(checkpoints, monkeypatch):
    before = {p: p.read_bytes() for p in checkpoints.paths()}
    monkeypatch.setattr(files, "PAUSES", (0.0,))

    def fail(path, header, arrays):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpointing, "write", fail)
    with pytest.raises(StorageError, match="cannot be written: No space left on device"):
        checkpoints.save(2_000_000_000, {}, ARRAYS)
    assert {p: p.read_bytes() for p in checkpoints.path.iterdir()} == before


# --- variables -----------------------------------------------------------------------------


def variables(**shapes):
    return {name: keras.Variable(np.ones(shape, "float32")) for name, shape in shapes.items()}


def checkpoint(tmp_path, arrays):
    return checkpointing.Checkpoint(tmp_path / "file.npz", {"versions": {"keras": "k"}}, arrays)


def test_values_are_assigned_by_name(tmp_path):
    targets = variables(a=(2,), b=())
    arrays = {"b": np.float32(3.0), "a": np.float32([4.0, 5.0])}
    checkpointing.assign(checkpoint(tmp_path, arrays), targets)
    assert checkpointing.values(targets).keys() == {"a", "b"}
    np.testing.assert_array_equal(checkpointing.values(targets)["a"], [4.0, 5.0])
    np.testing.assert_array_equal(checkpointing.values(targets)["b"], 3.0)


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"a": np.ones(2, "f4")}, r"1 differ \(b: nothing in the file, \(\(3,\), 'float32'\)"),
        (
            {"a": np.ones(2, "f4"), "b": np.ones(3, "f4"), "c": np.ones(1, "f4")},
            r"1 differ \(c: \(\(1,\), 'float32'\) in the file, nothing in the program",
        ),
        ({"a": np.ones(3, "f4"), "b": np.ones(3, "f4")}, r"a: \(\(3,\).*\(\(2,\)"),
        ({"a": np.ones(2, "f8"), "b": np.ones(3, "f4")}, r"'float64'\) in the file.*'float32'"),
    ],
    ids=["missing", "unexpected", "shape", "dtype"],
)
def test_other_variables_are_refused_and_none_is_changed(tmp_path, arrays, text):
    targets = variables(a=(2,), b=(3,))
    arrays = {name: 7 * array for name, array in arrays.items()}
    with pytest.raises(UserError, match=text) as caught:
        checkpointing.assign(checkpoint(tmp_path, arrays), targets)
    assert "{'keras': 'k'}" in str(caught.value)
    for array in checkpointing.values(targets).values():
        np.testing.assert_array_equal(array, np.ones_like(array))

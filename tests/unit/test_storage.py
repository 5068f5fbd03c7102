"""Whole files, owned folders, and patience with disks."""

import errno
import json
import pathlib
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest

from improved_gan_tf import classify, score
from improved_gan_tf.errors import StorageError, UserError
from improved_gan_tf.machine import files
from improved_gan_tf.runs import exporting, sample_files


def files_of(folder):
    return sorted(p.name for p in folder.iterdir())


# --- files are whole or absent -------------------------------------------------------------


def test_a_written_file_replaces_the_old_one(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    files.write_whole(path, lambda p: p.write_text("new"))
    assert path.read_text() == "new"
    assert files_of(tmp_path) == ["file"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def half(temporary):
        temporary.write_text("ne")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        files.write_whole(path, half)
    assert path.read_text() == "old"
    assert files_of(tmp_path) == ["file"]


def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_before_going_on(
    tmp_path, monkeypatch
):
    events = []
    monkeypatch.setattr(files, "_temporary_name", lambda name: f"temporary {name}")
    monkeypatch.setattr(files, "synchronize", lambda path: events.append(path.name))
    replace = files.os.replace
    monkeypatch.setattr(files.os, "replace", lambda a, b: (events.append("replace"), replace(a, b)))
    files.write_whole(tmp_path / "file", lambda p: p.write_text("new"))
    assert events == ["temporary file", "replace", tmp_path.name]


def test_two_threads_that_write_the_same_file_write_it_whole(tmp_path):
    path = tmp_path / "file"

    def slow(temporary):
        temporary.write_text("slow")
        other = threading.Thread(target=files.write_json, args=(path, "quick"))
        other.start()
        other.join()
        assert json.loads(path.read_text()) == "quick"

    files.write_whole(path, slow)
    assert path.read_text() == "slow"
    assert files_of(tmp_path) == ["file"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_one_and_what_it_points_to_is_written(tmp_path, exists):
    (tmp_path / "disk").mkdir()
    target, link = tmp_path / "disk" / "target", tmp_path / "link"
    if exists:
        target.write_text("old")
    link.symlink_to(target.relative_to(tmp_path))
    files.write_whole(link, lambda p: p.write_text("new"))
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert files_of(tmp_path / "disk") == ["target"]


@pytest.mark.parametrize("linked", [False, True])
def test_what_is_no_file_is_refused_and_left_alone(tmp_path, linked):
    place, link = tmp_path / "socket", tmp_path / "link"
    link.symlink_to(place)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(place))
    with pytest.raises(UserError, match=r"must be a file, .* Received: .*, a device, pipe or so"):
        files.write_json(link if linked else place, "text")
    assert place.is_socket()
    assert link.is_symlink()


def test_an_unfinished_file_and_folder_are_known_as_leftovers(tmp_path):
    seen = []
    files.write_whole(tmp_path / "file", lambda p: (seen.append(p), p.touch()))
    files.write_folder_whole(tmp_path / "folder", seen.append)
    assert [files.is_leftover(path) for path in seen] == [True, True]


def test_a_folder_that_cannot_be_written_whole_has_nothing_of_it(tmp_path, monkeypatch):
    rename = pathlib.Path.rename

    def full(path, target):
        if path.name == "b":
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(path, target)

    def write(folder):
        (folder / "a").mkdir()
        for name in ("a/1", "aa", "b"):
            (folder / name).touch()

    monkeypatch.setattr(pathlib.Path, "rename", full)
    (tmp_path / "mounted").mkdir()
    for name in ("mounted", "new"):
        with pytest.raises(OSError, match="No space left"):
            files.write_folder_whole(tmp_path / name, write)
    assert [path.name for path in tmp_path.rglob("*")] == ["mounted"]


def test_only_temporary_files_of_killed_processes_are_left_over(tmp_path):
    for name in (".12.file", ".345.a.tmp.keras", "file", ".12", ".hidden", "12.file"):
        (tmp_path / name).touch()
    files.remove_leftovers(tmp_path, tmp_path / "absent")
    assert files_of(tmp_path) == [".12", ".hidden", "12.file", "file"]


def test_a_folder_that_a_killed_process_began_is_written_without_what_it_left(tmp_path):
    left = tmp_path / ".345.unfinished"
    left.mkdir()
    (left / "0.png").touch()
    sample_files.check_output(tmp_path, grid=False)
    exporting.check_output(tmp_path, ())
    files.write_folder_whole(tmp_path, lambda folder: (folder / "1.png").touch())
    assert files_of(tmp_path) == ["1.png"]
    with pytest.raises(UserError, match="exists"):
        sample_files.check_output(tmp_path, grid=False)
    with pytest.raises(UserError, match="exists"):
        exporting.check_output(tmp_path, ())


def test_samples_go_to_a_folder_with_a_dot_in_its_name(tmp_path):
    images = np.zeros((2, 4, 4, 1), "uint8")
    (tmp_path / "there.png").mkdir()
    for name in ("out-0.5", "epochs.v2", "there.png"):
        sample_files.check_output(tmp_path / name, grid=False)
        sample_files.write(tmp_path / name, images)
        assert files_of(tmp_path / name) == ["0.png", "1.png"]
    for name in ("new.png", "new.npy", "new.h"):
        with pytest.raises(UserError, match=r"must be a folder, .* or a file ending in \.npz"):
            sample_files.check_output(tmp_path / name, grid=False)
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(UserError, match="exists"):
        sample_files.check_output(tmp_path / "folder.npz", grid=False)


# --- patience ------------------------------------------------------------------------------


class Disk:
    """Fails to write as often as it is told."""

    path = "the folder"

    def __init__(self, failures):
        self.failures = failures

    @files.persistent(OSError)
    def write(self, text):
        """Writes."""
        if self.failures:
            self.failures -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        return text


@pytest.fixture(autouse=True)
def waited(monkeypatch):
    pauses = []
    monkeypatch.setattr(files.time, "sleep", pauses.append)
    return pauses


@pytest.mark.parametrize(("failures", "pauses"), [(0, []), (1, [1.0]), (2, [1.0, 4.0])])
def test_writing_is_tried_again_after_pauses(failures, pauses, waited, capsys):
    assert Disk(failures).write("text") == "text"
    assert waited == pauses
    assert capsys.readouterr().err.count("No space left on device; trying again") == failures


def test_a_disk_that_stays_full_is_an_error_that_names_folder_and_reason():
    with pytest.raises(StorageError) as caught:
        Disk(3).write("text")
    assert str(caught.value) == "the folder cannot be written: No space left on device."


# --- one process a folder ------------------------------------------------------------------


def test_a_second_lock_is_refused_until_the_first_is_closed(tmp_path):
    first = files.FolderLock(tmp_path)
    with pytest.raises(UserError, match=f"Another process is using --run_dir={tmp_path}"):
        files.FolderLock(tmp_path)
    first.close()
    files.FolderLock(tmp_path).close()
    assert files_of(tmp_path) == []


def test_closing_twice_is_closing(tmp_path):
    first = files.FolderLock(tmp_path)
    first.close()
    second = files.FolderLock(tmp_path)
    first.close()
    with pytest.raises(UserError):
        files.FolderLock(tmp_path)
    second.close()


def test_a_folder_is_moved_without_its_lock(tmp_path):
    old, new = tmp_path / "run", tmp_path / "run.old-1"
    old.mkdir()
    (old / "result.json").touch()
    files.FolderLock(old).move_folder(new)
    assert files_of(tmp_path) == ["run.old-1"]
    assert files_of(new) == ["result.json"]
    files.FolderLock(new).close()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_used_with_a_warning(tmp_path, monkeypatch, capsys, number):
    def no_locks(*arguments):
        raise OSError(number, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    lock = files.FolderLock(tmp_path)
    assert capsys.readouterr().err == (
        f"warning: {tmp_path} cannot be locked: No locks available\n"
    )
    lock.close()
    assert files_of(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_no_folder_without_locks(tmp_path):
    (tmp_path / files.LOCK).mkdir()  # in the way, as missing rights would be
    with pytest.raises(OSError, match="directory"):
        files.FolderLock(tmp_path)


def test_what_killed_processes_leave_is_nothing(tmp_path):
    assert files.holds_nothing(tmp_path)
    for name in (files.LOCK, ".345.result.json"):
        (tmp_path / name).touch()
    assert files.holds_nothing(tmp_path)
    (tmp_path / "notes.txt").touch()
    assert not files.holds_nothing(tmp_path)


def test_a_killed_process_leaves_no_lock(tmp_path):
    code = (
        "import sys, time; from improved_gan_tf.machine import files; "
        f"lock = files.FolderLock({str(tmp_path)!r}); print('locked', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"locked\n"
        with pytest.raises(UserError):
            files.FolderLock(tmp_path)
        process.kill()
        process.wait()
    files.FolderLock(tmp_path).close()
    assert files_of(tmp_path) == []


@pytest.mark.parametrize(
    ("command", "arguments"), [(classify, ["run", "photo.png"]), (score, ["run", "--classifier=c"])]
)
def test_an_output_that_is_no_file_is_refused_before_any_work(
    command, arguments, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("socket")
    with pytest.raises(SystemExit) as ended:
        command.main([*arguments, "--output=socket", "--overwrite"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "error: The output must be a file, since it is written whole or not at all. Received: "
        "socket, a device, pipe or socket.\n"
    )

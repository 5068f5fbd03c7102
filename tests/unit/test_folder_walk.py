"""Files below a folder: also behind links, each folder once, and no endless walk."""

import errno
import os
import pathlib

import pytest
from PIL import Image

from improved_gan_tf.data import own_folders, picture_files
from improved_gan_tf.machine.folder_walk import files_below
from improved_gan_tf.runs.finished_runs import find_run_folders
from tests.support.image_folders import write_image_folder
from tests.support.written_runs import write_run


def write(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def found(folder, **options):
    return sorted(path.relative_to(folder).as_posix() for path in files_below(folder, **options))


@pytest.fixture
def root(tmp_path):
    """A folder with a folder `z`, next to a folder `elsewhere`."""
    write(tmp_path / "root" / "z" / "1.png")
    write(tmp_path / "elsewhere" / "2.png")
    write(tmp_path / "elsewhere" / "deep" / "3.png")
    return tmp_path / "root"


def test_a_link_to_a_folder_elsewhere_is_followed(root):
    (root / "link").symlink_to(root.parent / "elsewhere")
    assert found(root) == ["link/2.png", "link/deep/3.png", "z/1.png"]


def test_the_folder_itself_may_be_a_link(root):
    (root.parent / "link").symlink_to("root")
    assert list(files_below(root.parent / "link")) == [root.parent / "link" / "z" / "1.png"]


def test_a_folder_is_entered_by_its_own_path_rather_than_by_a_link(root):
    (root / "a").symlink_to("z")
    assert found(root) == ["z/1.png"]


def test_of_two_links_the_first_is_followed(root):
    for name in ("d", "c"):
        (root / name).symlink_to(root.parent / "elsewhere")
    assert found(root) == ["c/2.png", "c/deep/3.png", "z/1.png"]


def test_links_in_a_circle_and_to_a_folder_around_are_not_followed(root):
    (root / "self").symlink_to(".")
    (root / "z" / "up").symlink_to(root.parent)
    (root / "link").symlink_to(root.parent / "elsewhere")
    (root.parent / "elsewhere" / "back").symlink_to(root)
    assert found(root) == ["link/2.png", "link/deep/3.png", "z/1.png"]


def test_a_link_may_lead_to_another(root):
    (root / "link").symlink_to(root.parent / "elsewhere")
    write(root.parent / "farther" / "4.png")
    (root.parent / "elsewhere" / "next").symlink_to(root.parent / "farther")
    assert "link/next/4.png" in found(root)


def test_hidden_links_are_not_followed_and_hidden_files_may_be_left_out(root):
    (root / ".link").symlink_to(root.parent / "elsewhere")
    write(root / ".store" / "5.png")
    write(root / ".6.png")
    assert found(root) == [".6.png", ".store/5.png", "z/1.png"]
    assert found(root, hidden=False) == ["z/1.png"]
    (root / "shown").symlink_to(".store")
    assert found(root, hidden=False) == ["shown/5.png", "z/1.png"]


def test_links_to_files_and_to_nothing_are_told(root):
    (root / "file").symlink_to(root / "z" / "1.png")
    (root / "nothing").symlink_to("absent")
    assert found(root) == ["file", "nothing", "z/1.png"]


def test_without_links_it_finds_what_rglob_does(tmp_path):
    write_image_folder(tmp_path / "photos" / "deep")
    write(tmp_path / "photos" / ".hidden" / "1.png")
    photos = tmp_path / "photos"
    assert sorted(files_below(photos)) == sorted(p for p in photos.rglob("*") if p.is_file())


def test_a_folder_that_may_not_be_read_is_not_taken_for_an_empty_one(root, monkeypatch):
    scan = os.scandir

    def refusing(path, error):
        def scandir(folder):
            if os.fspath(folder) == os.fspath(path):
                raise error(errno.EACCES, "no", os.fspath(folder))
            return scan(folder)

        return scandir

    monkeypatch.setattr(os, "scandir", refusing(root / "z", PermissionError))
    with pytest.raises(PermissionError):
        found(root)
    monkeypatch.setattr(os, "scandir", refusing(root / "z", FileNotFoundError))
    assert found(root) == []  # it went away meanwhile


# --- who walks -----------------------------------------------------------------------------


def test_pictures_behind_a_link_are_found(root):
    (root / "link").symlink_to(root.parent / "elsewhere")
    names = [path.name for path in picture_files.below([root])]
    assert names == ["2.png", "3.png", "1.png"]


def test_runs_behind_a_link_are_found(tmp_path):
    write_run(tmp_path / "other disk" / "seed1")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link").symlink_to(tmp_path / "other disk")
    assert find_run_folders([tmp_path / "runs"]) == [tmp_path / "runs" / "link" / "seed1"]


def test_own_pictures_behind_a_link_are_found_or_told(tmp_path):
    photos = write_image_folder(tmp_path / "photos", per_class=2)
    more = write_image_folder(tmp_path / "more", classes=("2020",), per_class=1)
    (photos / "dark" / "more").symlink_to(more)
    (more / "notes.txt").touch()
    run = write_run(tmp_path / "old" / "run")
    Image.new("RGB", (8, 8)).save(run / "grid.png")
    (photos / "light" / "old").symlink_to(run.parent)
    images = own_folders.find(photos)
    assert pathlib.PurePath("dark/more/2020/000.png") in map(pathlib.PurePath, images.names)
    assert len(images.names) == 5
    assert len(images.notes) == 1
    assert "dark/more/notes.txt" in images.notes[0]

"""Finds a person's own pictures in folders of classes, and says what does not fit.

FOLDER/train/CLASS/*.jpg    FOLDER/unlabeled/*    FOLDER/test/CLASS/*
FOLDER/CLASS/*.jpg          FOLDER/unlabeled/*                             without a test set
"""

import pathlib
import unicodedata

import numpy as np

from improved_gan_tf.data import pictures
from improved_gan_tf.data.earlier_runs import outside, run_folders_below
from improved_gan_tf.data.encoded_images import OTHER_PARTS, require_folder
from improved_gan_tf.data.own_images import NO_LABEL, Found, digest_of
from improved_gan_tf.data.picture_files import (
    EXTENSIONS,
    leads_nowhere,
    pictures_below,
    state_of,
)
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine.folder_walk import files_below

UNLABELED, TRAIN, TEST = "unlabeled", "train", "test"
_BRITISH = "unlabelled"


def find(image_folder):
    """Finds the pictures of a folder without reading them; returns `own_images.Found`.

    Class folders are matched by their names in Unicode's composed form, which macOS does not use.
    The folders of runs, which are written below the current folder, are none of them.
    In `train`, `test` and `unlabeled` capitals do not matter, and `unlabelled` is the same; it may
    stand in `train` too.

    Args:
        image_folder: folder in one of the layouts above.

    Raises:
        UserError: there is no such folder, there are fewer than two classes, a training class is
            empty, or a test class is none of the training classes.
    """
    require_folder(image_folder)
    root = pathlib.Path(image_folder).expanduser()
    parts = _parts(root)
    train = parts[TRAIN] or [root]
    unlabeled = parts[UNLABELED] + [path for p in parts[TRAIN] for path in _parts(p)[UNLABELED]]
    runs = run_folders_below(root)
    classes = _class_folders(train, but=[*unlabeled, *parts[TEST]], runs=runs)
    test = _class_folders(parts[TEST])
    _check(root, train, classes, parts[TEST], test)

    names = tuple(classes)
    paths, labels, is_test = [], [], []
    for by_name, tested in ((classes, False), (test, True)):
        for name, folders in by_name.items():
            some = outside(_pictures_in(folders), runs)
            paths += some
            labels += [names.index(name)] * len(some)
            is_test += [tested] * len(some)
    some = outside(_pictures_in(unlabeled), runs)
    paths += some
    labels += [NO_LABEL] * len(some)
    is_test += [False] * len(some)
    title = root.resolve().name
    shown = [path.relative_to(root).as_posix() for path in paths]
    return Found(
        title=title,
        names=tuple(shown),
        header=lambda number: pictures.read_header(shown[number], paths[number]),
        square=lambda number, *size: pictures.read_square(shown[number], paths[number], *size),
        labels=np.array(labels, np.int32),
        is_test=np.array(is_test, bool),
        class_names=names,
        key=f"{title}-{digest_of(*(state_of(root, path) for path in paths))}",
        notes=tuple(_notes(root, parts, names, paths, runs)),
    )


def _folders(folder):
    """The folders in a folder, sorted; hidden ones are left out."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _parts(root):
    """`{UNLABELED, TRAIN or TEST: folders in root}`, usually one or none of each."""
    found = {UNLABELED: [], TRAIN: [], TEST: []}
    for path in _folders(root):
        part = path.name.casefold().replace(_BRITISH, UNLABELED)
        # "Train" may be a class, of vehicles, where it holds pictures and no classes.
        if part in found and (part in (path.name, UNLABELED) or _folders(path)):
            found[part].append(path)
    return found


def _class_folders(parents, but=(), runs=()):
    """`{class name: folders}`, sorted by name: one folder, or the same name spelled differently.

    A folder of `runs`, and one that holds some and no other picture, is no class.
    """
    found = {}
    for path in (path for parent in parents for path in _folders(parent) if path not in but):
        holds_runs = any(path in (run, *run.parents) for run in runs)
        if holds_runs and not outside(pictures_below(path), runs):
            continue
        found.setdefault(unicodedata.normalize("NFC", path.name), []).append(path)
    return dict(sorted(found.items()))


def _pictures_in(folders):
    return [path for folder in folders for path in pictures_below(folder)]


def _check(root, train, classes, test_folders, test):
    if len(classes) < 2:
        raise UserError(
            f"`image_folder={root}` must hold a folder of pictures for each of two or more "
            "classes, in FOLDER/train/CLASS or FOLDER/CLASS (pictures without a label: "
            f"FOLDER/unlabeled). Received: {len(classes)} class folders in {train[0]}."
        )
    empty = [folders[0] for folders in classes.values() if not _pictures_in(folders)]
    if empty:
        raise UserError(
            f"Each class needs at least one picture ({', '.join(EXTENSIONS)}) to learn from: add "
            f"some, or remove the folder. Received: no picture in {empty[0]}"
            f"{f' and {len(empty) - 1} more' if empty[1:] else ''}."
        )
    unknown = [name for name in test if name not in classes]
    if unknown:
        raise UserError(
            f"The folders in {test_folders[0]} must have the names of training classes: "
            f"{', '.join(classes)}. Received: {unknown[0]!r}."
        )


def _notes(root, parts, class_names, paths, runs):
    taken = set(paths)
    others = [
        path.relative_to(root).as_posix()
        for path in outside(sorted(files_below(root, hidden=False)), runs)
        if (path.is_file() or leads_nowhere(path)) and path not in taken
    ]
    if others:
        count = "1 file is" if len(others) == 1 else f"{len(others):,} files are"
        yield (
            f"{count} left out, neither a picture of a class nor one without a label: "
            f"{', '.join(others[:3])}{', ...' if others[3:] else ''}."
        )
    for name in class_names if not parts[TRAIN] else ():
        if name.casefold() in OTHER_PARTS:
            yield (
                f"The folder {name} counts as a class: training pictures are in train/, test "
                "pictures in test/."
            )

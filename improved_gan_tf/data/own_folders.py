"""Finds a person's own pictures in folders of classes, and says what does not fit.

FOLDER/train/CLASS/*.jpg    FOLDER/unlabeled/*    FOLDER/test/CLASS/*
FOLDER/CLASS/*.jpg          FOLDER/unlabeled/*                             without a test set
"""

import pathlib
import unicodedata

import numpy as np

from improved_gan_tf.data import pictures
from improved_gan_tf.data.encoded_images import require_folder
from improved_gan_tf.data.own_images import NO_LABEL, Found, digest_of
from improved_gan_tf.data.picture_files import EXTENSIONS, pictures_below
from improved_gan_tf.errors import UserError

UNLABELED, TRAIN, TEST = "unlabeled", "train", "test"


def find(image_folder):
    """Finds the pictures of a folder without reading them; returns `own_images.Found`.

    Class folders are matched by their names in Unicode's composed form, which macOS does not use.

    Args:
        image_folder: folder in one of the layouts above.

    Raises:
        UserError: there is no such folder, there are fewer than two classes, a training class is
            empty, or a test class is none of the training classes.
    """
    require_folder(image_folder)
    root = pathlib.Path(image_folder).expanduser()
    train = root / TRAIN if (root / TRAIN).is_dir() else root
    classes = _class_folders(train, but=(UNLABELED, TEST) if train == root else ())
    test = _class_folders(root / TEST) if (root / TEST).is_dir() else {}
    _check(root, train, classes, test)

    names = tuple(classes)
    paths, labels, is_test = [], [], []
    for folders, tested in ((classes, False), (test, True)):
        for name, folder in folders.items():
            some = pictures_below(folder)
            paths += some
            labels += [names.index(name)] * len(some)
            is_test += [tested] * len(some)
    if (root / UNLABELED).is_dir():
        some = pictures_below(root / UNLABELED)
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
        key=f"{title}-{digest_of(*(_state(root, path) for path in paths))}",
        notes=tuple(_notes(root, train, paths)),
    )


def _class_folders(folder, but=()):
    """`{class name: its folder}`, sorted by name; hidden folders are left out."""
    found = {}
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith(".") and path.name not in but:
            found[unicodedata.normalize("NFC", path.name)] = path
    return dict(sorted(found.items()))


def _check(root, train, classes, test):
    if len(classes) < 2:
        raise UserError(
            f"`image_folder={root}` must hold a folder of pictures for each of two or more "
            "classes, in FOLDER/train/CLASS or FOLDER/CLASS (pictures without a label: "
            f"FOLDER/unlabeled). Received: {len(classes)} class folders in {train}."
        )
    empty = [name for name, folder in classes.items() if not pictures_below(folder)]
    if empty:
        raise UserError(
            f"Each class needs at least one picture ({', '.join(EXTENSIONS)}) to learn from: add "
            f"some, or remove the folder. Received: no picture in {train / empty[0]}"
            f"{f' and {len(empty) - 1} more' if empty[1:] else ''}."
        )
    unknown = [name for name in test if name not in classes]
    if unknown:
        raise UserError(
            f"The folders in {root / TEST} must have the names of training classes: "
            f"{', '.join(classes)}. Received: {unknown[0]!r}."
        )


def _state(root, path):
    stat = path.stat()
    return f"{path.relative_to(root)}|{stat.st_size}|{stat.st_mtime_ns}\n"


def _notes(root, train, paths):
    taken = set(paths)
    others = [
        path.relative_to(root).as_posix()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and path not in taken
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]
    if others:
        count = "1 file is" if len(others) == 1 else f"{len(others):,} files are"
        yield (
            f"{count} left out, no picture of a class or without a label: "
            f"{', '.join(others[:3])}{', ...' if others[3:] else ''}."
        )
    if train == root and any((root / name).is_dir() for name in ("val", "validation")):
        yield "A folder named val or validation counts as a class: test pictures are in test/."

"""Files below a folder, also behind links to folders elsewhere, where large data often are."""

import os
import pathlib


def files_below(folder, hidden=True):
    """Yields the paths of what is in a folder and below it, but for the folders themselves.

    Links to folders are followed, so each folder is entered once: by its own path if it is below
    `folder`, otherwise by the first link to it, in order of names. Not followed are hidden links,
    which programs make, and links to a folder around this one, which would lead out of it.

    Args:
        folder: path. The paths begin with it, as `pathlib.Path.rglob`'s do.
        hidden: bool; False leaves out what is hidden, or in a hidden folder below `folder`.

    Raises:
        PermissionError: a folder cannot be read. What is in it would be missed without a word.
    """
    root = pathlib.Path(os.path.realpath(folder))
    entered = {str(parent) for parent in root.parents}
    tops = [os.fspath(folder)]
    while tops:
        links = []
        for top in tops:
            yield from _files_without_links(top, hidden, entered, links)
        tops = sorted(links)


def _files_without_links(top, hidden, entered, links):
    """Yields paths as `files_below`; adds to `entered`, and to `links` those it did not follow."""
    if os.path.realpath(top) in entered:
        return
    for here, folders, names in os.walk(top, onerror=_not_readable):
        entered.add(os.path.realpath(here))
        for name in names:
            if hidden or not name.startswith("."):
                yield pathlib.Path(here, name)
        inside = []
        for name in folders:
            path = os.path.join(here, name)
            if os.path.islink(path):
                if not name.startswith("."):
                    links.append(path)
            elif (hidden or not name.startswith(".")) and os.path.realpath(path) not in entered:
                inside.append(name)
        folders[:] = inside  # which `os.walk` enters


def _not_readable(error):
    if isinstance(error, PermissionError):  # and not a folder that went away meanwhile
        raise error

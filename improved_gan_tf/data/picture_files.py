"""Picture files among paths and below folders."""

import pathlib

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine.folder_walk import files_below

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def pictures_below(folder, endings=EXTENSIONS):
    """Picture files in a folder (a Path) and below it, sorted; hidden ones are left out.

    Links that lead nowhere are among them: pictures that cannot be read.
    """
    return sorted(
        path
        for path in files_below(folder, hidden=False)
        if path.suffix.lower() in endings and (path.is_file() or leads_nowhere(path))
    )


def leads_nowhere(path):
    """Whether a path is a link to something that does not exist."""
    return path.is_symlink() and not path.exists()


def state_of(root, path):
    """A line that changes when a file below `root` does."""
    stat = path.lstat() if leads_nowhere(path) else path.stat()
    # Archives and copies keep times of modification: other files can have the same.
    own = f"{stat.st_ino}|{stat.st_ctime_ns}"
    return f"{path.relative_to(root)}|{stat.st_size}|{stat.st_mtime_ns}|{own}\n"


def below(paths):
    """Picture files among `paths` and below the folders in it, in the order given.

    Raises:
        UserError: there is no such file or folder, or no picture in all of them.
    """
    found = []
    for path in map(pathlib.Path, paths):
        if path.is_dir():
            found += pictures_below(path)
        elif path.is_file():
            found.append(path)
        else:
            raise UserError(
                "Pictures or folders of them are expected. Received: "
                f"{path} (no such file or folder)."
            )
    if not found:
        raise UserError(
            f"There is no picture ({', '.join(EXTENSIONS)}) in {', '.join(map(str, paths))}."
        )
    return found


def require_text_names(*names):
    """Raises `UserError` for a name that no result could show: not UTF-8, or of several lines."""
    for name in names:
        if len(name.splitlines()) > 1:
            raise UserError(f"Names of data and classes must be one line. Received: {name!r}.")
        try:
            name.encode("utf-8")
        except UnicodeEncodeError as error:
            raise UserError(
                f"Names of data and classes must be texts in UTF-8: rename it. Received: {name!r}."
            ) from error

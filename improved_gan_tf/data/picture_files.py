"""Picture files among paths and below folders."""

import pathlib

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine.folder_walk import files_below

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def pictures_below(folder, endings=EXTENSIONS):
    """Picture files in a folder (a Path) and below it, sorted; hidden ones are left out."""
    return sorted(
        path
        for path in files_below(folder, hidden=False)
        if path.suffix.lower() in endings and path.is_file()
    )


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
    """Raises `UserError` for a folder's name that is not UTF-8, which no result could show."""
    for name in names:
        try:
            name.encode("utf-8")
        except UnicodeEncodeError as error:
            raise UserError(
                f"Names of data and classes must be texts in UTF-8: rename it. Received: {name!r}."
            ) from error

"""Run folders among a person's pictures: their grids and curves are nothing to learn from."""

import json

from improved_gan_tf.machine.folder_walk import files_below


def run_folders_below(root):
    """The folders below a folder (a Path), not itself, that runs of this package wrote (Paths).

    Hidden ones are left out, as hidden pictures are.
    """
    return [
        file.parent
        for file in files_below(root, hidden=False)
        if file.name == "config.json" and file.parent != root and _is_of_a_run(file)
    ]


def outside(paths, folders):
    """Those of some paths that are in none of some folders (Paths)."""
    return [path for path in paths if not any(folder in path.parents for folder in folders)]


def _is_of_a_run(file):
    try:
        settings = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and {"dataset", "pixels", "seed"} <= settings.keys()

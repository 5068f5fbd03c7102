"""Finds run folders and reads them; says which cannot be used, and why.

Nothing here starts TensorFlow: only a folder's JSON files are read.
"""

import hashlib
import json
import pathlib
import re
from typing import NamedTuple

import improved_gan_tf
from improved_gan_tf import paper
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine.files import was_moved_aside
from improved_gan_tf.machine.folder_walk import files_below
from improved_gan_tf.settings.every_run import different_settings
from improved_gan_tf.settings.images import IMAGES, ImagesConfig
from improved_gan_tf.settings.semi_supervised import ExperimentConfig

_RUN_FILES = ("config.json", "result.json")
GENERATOR = "generator.keras"
_WITH_TEST_ERRORS = frozenset({IMAGES, *(dataset for dataset, _ in paper.TEST_ERRORS)})


class Run(NamedTuple):
    """A finished run."""

    path: pathlib.Path
    config: ExperimentConfig
    result: dict  # content of result.json


class LeftOut(NamedTuple):
    """A folder whose numbers are not used."""

    path: pathlib.Path
    reason: str


def find_run_folders(paths):
    """Run folders among `paths` and below them, each once; natural order of names below a path.

    Raises:
        UserError: a path is no folder, or there is no run folder in it.
    """
    found = {}
    for path in map(pathlib.Path, paths):
        if not path.is_dir():
            raise UserError(f"Run folders are expected. Received: {path} (no such folder).")
        files = [file for file in files_below(path) if file.name in _RUN_FILES]
        if not files:
            raise UserError(
                f"{path} holds no run folder: no {' or '.join(_RUN_FILES)} in it or below it."
            )
        for folder in sorted({file.parent for file in files}, key=_natural_order):
            found.setdefault(folder.resolve(), folder)
    return list(found.values())


def _natural_order(path):
    """Sorts seed2 before seed10, and a folder's content right after it."""
    return [
        # Every second part of the split is a number.
        [int(part) if i % 2 else part for i, part in enumerate(re.split(r"(\d+)", name))]
        for name in path.parts
    ]


def read_run(path, other_versions=False):
    """The `Run` in a finished run's folder, or `LeftOut`.

    With `other_versions`, runs of other versions of this package count as well.
    """
    path = pathlib.Path(path)
    if not (path / "result.json").exists():
        return LeftOut(path, _why_without_result(path))
    try:
        result = json.loads((path / "result.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        return LeftOut(path, f"result.json cannot be read: {error}")
    try:
        status, version = result["status"], result["versions"]["improved_gan_tf"]
        config, final = dict(result["config"]), result["final"]
        texts = [result["title"], *result["differences_from_paper"]]
        dict(result.get("circumstances", {}))
        if "objective" in config:  # DCGAN's games, whose networks classify nothing
            scores = "; score.json has scores" if (path / "score.json").exists() else ""
            return LeftOut(path, f"the paper has no table of DCGAN's games{scores}")
        if config["dataset"] not in _WITH_TEST_ERRORS:  # ImageNet; such runs test nothing
            return LeftOut(path, f"the paper has no table of test errors on {config['dataset']}")
        if config.get("model") == "biggan":
            return LeftOut(path, "the paper has no table for biggan")
        count = final["test_count"]
        wrong = [final[f"test_wrong_{kind}"] for kind in ("averaged", "raw")]
    except (KeyError, TypeError, ValueError) as error:
        return LeftOut(path, f"foreign: result.json is not one of this package ({error!r})")
    if version != improved_gan_tf.__version__ and not other_versions:
        return LeftOut(
            path,
            f"made by version {version} of this package; this is {improved_gan_tf.__version__} "
            "(--other_versions counts it)",
        )
    try:
        config = record_class(config["dataset"]).from_dict(config)
    except (KeyError, TypeError, UserError) as error:
        reason = re.sub(r"^\w+Config\.__init__\(\) ", "", str(error))
        return LeftOut(path, f"its settings are not those of this version: {reason}")
    if status != "finished":
        return LeftOut(path, f"{status} after {final.get('epochs')} epochs")
    whole = [number for number in [count, *wrong] if number is not None]
    if (
        not all(isinstance(number, int) and number >= 0 for number in whole)
        or not all(isinstance(text, str) for text in texts)
        or not 0 < count >= max(whole)
        or wrong == [None, None]
    ):
        return LeftOut(path, f"result.json has impossible numbers: {wrong} wrong of {count}")
    return Run(path, config, result)


def record_class(dataset):
    """The class of a semi-supervised run's settings."""
    return ImagesConfig if dataset == IMAGES else ExperimentConfig


def _why_without_result(path):
    try:
        settings = json.loads((path / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        return f"no result.json, and config.json cannot be read: {error}"
    if not isinstance(settings, dict) or not {"dataset", "recipe", "seed"} <= set(settings):
        return "foreign: config.json is not one of this package"
    return "unfinished: it has no result.json"


def read_runs(paths, other_versions=False):
    """`(list of Run, list of LeftOut)` for every folder below `paths`.

    Among folders with the same settings and seeds the first counts. Raises `UserError` as
    `find_run_folders` does.
    """
    runs, left_out, paths = [], [], list(paths)
    for path in find_run_folders(paths):
        if _was_moved_aside(path, paths):
            found = LeftOut(path, "moved aside when another run took its place")
        else:
            found = read_run(path, other_versions)
        if isinstance(found, Run):
            twin = next((run for run in runs if _same_run(run, found)), None)
            if twin is not None:
                differs = "" if _wrong(twin) == _wrong(found) else "; ITS RESULT IS ANOTHER"
                reason = f"same settings and seeds as {twin.path}, which counts{differs}"
                found = LeftOut(path, reason)
        (runs if isinstance(found, Run) else left_out).append(found)
    return runs, left_out


def _was_moved_aside(folder, paths):
    """Whether a name from one of `paths` down to a run's folder says so; a path given does not.

    Names are those by which the folder was found: behind a link lie others.
    """
    below = []
    for path in map(pathlib.Path, paths):
        for one, start in ((folder, path), (folder.resolve(), path.resolve())):
            if one.is_relative_to(start):
                below.append(one.relative_to(start).parts)
                break
    return all(any(map(was_moved_aside, parts)) for parts in below)


def _same_run(one, other):
    return not different_settings(one.config, other.config) and given_to(one) == given_to(other)


def commits_of(run):
    """Short names of the commits that trained a run, in order, with "+changes" if uncommitted.

    The list is empty if none is known.
    """
    versions = [*run.result.get("earlier_versions", []), run.result["versions"]]
    commits = dict.fromkeys(str(v["git_commit"]) for v in versions if v.get("git_commit"))
    return [re.sub(r"^(\w{8})\w*", r"\1", commit) for commit in commits]


def _wrong(run):
    return [run.result["final"][f"test_wrong_{kind}"] for kind in ("averaged", "raw")]


def data_of(run):
    """How the run's data differs from the paper's, as text; empty if it does not."""
    return _differences(run, "data: ")


def images_of(run):
    """Digest of a run's images where they are not the paper's; None if it is not known."""
    return run.result.get("circumstances", {}).get("digest of the images") if data_of(run) else None


def given_to(run):
    """What else than settings decides a run's numbers: data, number of local batches."""
    return data_of(run), images_of(run), _differences(run, "cross_replica: ")


def _differences(run, kind):
    return "; ".join(d for d in run.result["differences_from_paper"] if d.startswith(kind))


def generator_digest(source):
    """SHA-256 of the generator in a run folder, or of a generator.keras itself; None without one.

    `source` is a Path.
    """
    path = source if source.name == GENERATOR else source / GENERATOR
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None

"""The file of each trial: whole or absent, and never written over unasked."""

import json
import math
import pathlib
from typing import NamedTuple

from examples.mode_collapse import techniques
from examples.mode_collapse.problems import Measures
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files

SAMPLES_KEPT = 500  # for pictures; all samples are measured
# What has to be one in a folder, or its rows could not be compared.
SHARED = ("generator_units", "discriminator_units", "epochs")


class Result(NamedTuple):
    """A finished trial.

    Attributes:
        settings: `techniques.Settings`; what the technique does not use has its default.
        seed: int.
        measures: `Measures` of all samples after the last epoch.
        samples: list of [x, y], the first samples.
        epochs: `{name: list}`, the fields of `training.Epoch`, a number for each epoch.
    """

    settings: techniques.Settings
    seed: int
    measures: Measures
    samples: list
    epochs: dict


def path_of(folder, settings, seed):
    """Returns the file of a trial."""
    name = f"{settings.problem}-{techniques.row_name(settings)}-seed{seed}.json"
    return pathlib.Path(folder) / name


def write(folder, settings, seed, epochs, samples, provenance):
    """Writes a finished trial.

    Args:
        folder: existing folder.
        settings: `techniques.Settings`.
        seed: int.
        epochs: list of `training.Epoch`.
        samples: (n, 2), n >= SAMPLES_KEPT.
        provenance: dict, what else the numbers depend on.

    Raises:
        UserError: the file is there.
    """
    path = path_of(folder, settings, seed)
    if path.exists():
        raise UserError(f"{path} appeared while its trial was trained again; it is left as it is.")
    # Closeness is None without minibatch discrimination.
    names = [name for name in epochs[0]._fields if getattr(epochs[0], name) is not None]
    columns = {name: [_number(getattr(e, name)) for e in epochs] for name in names}
    content = {
        "settings": techniques.that_count(settings),
        "seed": seed,
        "measures": {name: columns[name][-1] for name in Measures._fields},
        "provenance": provenance,
        "epochs": columns,
        "samples": [[round(float(x), 4) for x in sample] for sample in samples[:SAMPLES_KEPT]],
    }
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in content.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    files.write_whole(path, lambda p: p.write_text(text, "utf-8"))


def _number(value):
    """Returns a number with six digits, NaN as None: JSON has no NaN."""
    if isinstance(value, int):
        return value
    return None if math.isnan(value) else float(f"{value:.6g}")


def read(path):
    """Returns the `Result` of a file.

    Raises:
        UserError: the file is none of a trial.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        measures = dict(content["measures"])
        if measures["reverse_kl"] is None:
            measures["reverse_kl"] = math.nan
        return Result(
            techniques.Settings(**content["settings"]),
            content["seed"],
            Measures(**measures),
            content["samples"],
            content["epochs"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no result of examples.mode_collapse: {error!r}.") from error


def read_all(folder):
    """Returns the results in a folder, by file name; an empty list if there is no folder.

    Raises:
        UserError: as in `read`.
    """
    paths = sorted(pathlib.Path(folder).glob("*-seed*.json"))
    return [read(path) for path in paths if not files.is_leftover(path)]


def check_comparable(results, settings, folder):
    """Refuses to show or add trials that do not belong in one table with the results.

    Args:
        results: list of `Result`, those of the folder.
        settings: `techniques.Settings` of the trials.
        folder: path, for the message.

    Raises:
        UserError: another network size or number of epochs, or another form under the same name.
    """
    for result in results:
        theirs, ours = (techniques.that_count(s) for s in (result.settings, settings))
        is_same_row = techniques.row_name(result.settings) == techniques.row_name(settings)
        names = ours if is_same_row and theirs["problem"] == ours["problem"] else SHARED
        differing = [name for name in names if theirs[name] != ours[name]]
        if differing:
            raise UserError(
                f"The trials of one folder must have the same {', '.join(differing)}; give another "
                f"`output`. Received: `output={folder}` with "
                + ", ".join(f"{name}={theirs[name]}" for name in differing)
                + " and "
                + ", ".join(f"{name}={ours[name]}" for name in differing)
            )

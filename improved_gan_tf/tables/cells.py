"""Finished runs grouped by their settings into table cells, and what distinguishes the cells."""

from typing import NamedTuple

from improved_gan_tf.data.known_sets import num_labels_of
from improved_gan_tf.runs.finished_runs import Run, given_to
from improved_gan_tf.settings.semi_supervised import ExperimentConfig
from improved_gan_tf.settings.setting import Decides, names_that_decide


class Cell(NamedTuple):
    """Runs with the same settings and data but different seeds, and their baselines."""

    config: ExperimentConfig  # from one of them; ignore its seeds and `supervised_only`
    test_count: int
    runs: tuple[Run, ...]
    baselines: tuple[Run, ...]

    @property
    def num_labels(self):
        """Labeled training images of all classes."""
        return num_labels_of(vars(self.config))


def cells(runs):
    """Groups `Run`s into `Cell`s; runs in one cell differ in seeds and bookkeeping only.

    Cells are sorted by number of labels, by technique, and by their distinguishing settings
    (`telling_settings`), smallest first.
    """
    groups = {}
    for run in runs:
        groups.setdefault(_settings(run), []).append(run)
    found = []
    for members in groups.values():
        found.append(
            Cell(
                members[0].config,
                members[0].result["final"]["test_count"],
                tuple(run for run in members if not run.config.supervised_only),
                tuple(run for run in members if run.config.supervised_only),
            )
        )
    names = _telling_names(found)

    def place(cell):
        told = [_told(cell.config, name) for name in names]
        return cell.num_labels, cell.config.model, [_order(value) for value in told]

    return sorted(found, key=place)


def _order(value):
    """A sort key for a setting's value: numbers by size, then other values by their text."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (0, value, "") if is_number else (1, 0, str(value))


def names_in_common(config):
    """Names of the settings that runs of one cell, and their baselines, have in common."""
    names = names_that_decide(config, *set(Decides) - {Decides.NOTHING, Decides.SEED})
    return [name for name in names if name != "supervised_only"]


def _settings(run):
    """Everything that runs of one cell, and their baselines, have in common."""
    config = run.config
    same = [repr(getattr(config, name)) for name in names_in_common(config)]
    labels_follow_seed = config.seed_data is None
    return (*same, labels_follow_seed, run.result["final"]["test_count"], given_to(run))


def telling_settings(some_cells):
    """For each cell the few settings that distinguish it from the others, as text.

    The names of sets of settings come first, then single settings in the record's order, each only
    if it distinguishes cells that are still alike: a recipe's name replaces its learning rate. The
    choice of labels comes last, because it often varies with another setting.
    """
    names = _telling_names(some_cells)
    return [
        ", ".join(f"{name}={_told(cell.config, name)}" for name in names) for cell in some_cells
    ]


def _telling_names(some_cells):
    told_elsewhere = {Decides.NOTHING, Decides.SEED, Decides.ROW}
    record = some_cells[0].config if some_cells else ExperimentConfig
    every = names_that_decide(record, *set(Decides) - told_elsewhere)
    sets = [name for name in ("ablation", "recipe", "network") if hasattr(record, name)]
    names = []
    for name in dict.fromkeys([*sets, *every, "seed_data"]):
        if _parts(some_cells, [*names, name]) > _parts(some_cells, names):
            names.append(name)
    return names


def _told(config, name):
    if name == "seed_data":  # its value differs between the runs of a cell
        return "as seed" if config.seed_data is None else "its own"
    return getattr(config, name)


def _parts(some_cells, names):
    # Without the number of labels: rows that another recipe trained must say so.
    return len({tuple(repr(_told(c.config, n)) for n in ("model", *names)) for c in some_cells})

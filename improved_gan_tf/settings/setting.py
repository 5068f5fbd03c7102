"""One setting of a record: its help, the source of its default, its range, and its role.

The role (`Decides`) is the only place that says which settings distinguish two runs.
"""

import dataclasses
import enum
import pathlib

from improved_gan_tf.errors import UserError

LARGEST = 10**18  # for whole numbers; larger ones fit no float, index or file name

# Sources of defaults.
AUTHORS = "the authors' code"
PAPER = "the paper"
OURS = "this project"


class Decides(enum.Enum):
    """What a setting decides, and so the consequence of another value for a run."""

    # The default for new settings: with another value the run leaves the paper's column, shares no
    # table cell with the others, and is not continued.
    NUMBERS = "the numbers of every run"
    # The same, except for a supervised-only baseline, which plays no game.
    GAME = "the numbers of the game between generator and discriminator"
    # The same, but a run may be continued with another value.
    LENGTH = "how long a run goes on"
    # Such runs are kept apart too. Each recipe or ablation has its own published value, and
    # `differences_from_paper` has its own words for data and devices.
    SOURCE = "which recipe, data or devices a run has"
    # Such runs have their own table rows, which name the value.
    ROW = "the row of a table in which a run stands"
    # The paper varies it between the runs of one experiment: they share a table cell.
    SEED = "which run of an experiment it is"
    # Where a run reads and writes, how often it checks, how many devices share its work.
    NOTHING = "no number"


def setting(
    help,
    *,
    source,
    default=dataclasses.MISSING,
    check=None,
    expected=None,
    choices=None,
    optional=False,
    several=False,
    plain=None,
    decides=Decides.NUMBERS,
):
    """A field of the record, with its data for `--help`, checks and comparisons.

    Only a setting that belongs to no experiment has a default here; the run script's literal
    gives every other value. With `several` the command line takes a list; the record of one run
    holds one value. With `plain`, a function of the value, it holds
    what that returns: one spelling of a path or of several numbers.
    """
    return dataclasses.field(
        default=default,
        metadata={
            "help": help,
            "source": source,
            "check": check,
            "expected": expected,
            "choices": choices,
            "optional": optional,
            "several": several,
            "plain": plain,
            "decides": decides,
        },
    )


def plain_path(path):
    """One spelling of a path: no `~`, which a shell leaves in `--x=~/y`, and no slash at the end.

    >>> plain_path("photos/") == plain_path("./photos") == "photos"
    True
    """
    return str(pathlib.Path(path).expanduser()) if path else path


def names_that_decide(record, *roles):
    """Names of the settings with one of the roles (`Decides`), in the record's order.

    `record` is a dataclass of settings or an instance; a field not made by `setting` decides
    `Decides.NUMBERS`.
    """
    return [
        field.name
        for field in dataclasses.fields(record)
        if field.metadata.get("decides", Decides.NUMBERS) in roles
    ]


def check_setting(field, value):
    """Checks a value against the `dataclasses.Field` that `setting` made.

    Raises:
        UserError: the value is not one of the choices, or outside the range.
    """
    meta = field.metadata
    if value is None and meta["optional"]:
        return
    if isinstance(value, int) and abs(value) > LARGEST:
        raise UserError(f"--{field.name} must be at most 10^18. Received: {str(value)[:30]}...")
    if meta["choices"] and value not in meta["choices"]:
        choices = ", ".join(meta["choices"])
        raise UserError(f"--{field.name} must be one of: {choices}. Received: {value!r}.")
    if meta["check"] and not meta["check"](value):
        raise UserError(f"--{field.name} must be {meta['expected']}. Received: {value}.")


def positive(value):
    """Whether a number is larger than 0."""
    return value > 0


def not_negative(value):
    """Whether a number is 0 or more."""
    return value >= 0

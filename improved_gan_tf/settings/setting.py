"""One setting of a record: what `--help` says of it, where its default is from, what it may be.

And what it decides: the one place that says which settings tell two runs apart.
"""

import dataclasses
import enum

from improved_gan_tf.errors import UserError

LARGEST = 10**18  # of whole numbers: beyond it they are no float, no index, no file name

# Where a default is from.
AUTHORS = "the authors' code"
PAPER = "the paper"
OURS = "ours"


class Decides(enum.Enum):
    """What a setting decides, and so what becomes of a run that has another value of it."""

    # The default, so that nobody can forget a new setting: the run leaves the paper's column,
    # shares no cell of a table with the others, and is not continued with another value.
    NUMBERS = "the numbers of every run"
    # The same; but a supervised-only baseline, which plays no game, stays.
    GAME = "the numbers of the game between generator and discriminator"
    # The same; but a run may be continued with another value.
    LENGTH = "how long a run goes on"
    # Such runs are kept apart too. What is published is that of their recipe or ablation, and
    # `differences_from_paper` has words of its own for their data and devices.
    SOURCE = "which recipe, data or devices a run has"
    # Such runs stand in rows of their own, which say it.
    ROW = "the row of a table in which a run stands"
    # What the paper varies between the runs of one experiment: they share a cell of a table.
    SEED = "which run of an experiment it is"
    # Where a run reads and writes, how often it looks, how many devices share its work.
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
    decides=Decides.NUMBERS,
):
    """A field of the record, with what `--help`, the checks and the comparisons need.

    Only a setting that is no part of any experiment has a default here; every other one stands
    in the run script's literal. Of a setting with `several` the command line takes a list; the
    record of one run holds one value.
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
            "decides": decides,
        },
    )


def names_that_decide(record, *roles):
    """Names of the settings with one of the roles, in the record's order.

    Args:
        record: dataclass of settings, or an instance of one; a field that `setting` did not make
            decides `Decides.NUMBERS`.
        roles: `Decides`.

    Returns:
        List of str.
    """
    return [
        field.name
        for field in dataclasses.fields(record)
        if field.metadata.get("decides", Decides.NUMBERS) in roles
    ]


def check_setting(field, value):
    """Checks a value against what its field says.

    Args:
        field: `dataclasses.Field` that `setting` made.
        value: its value in a record.

    Raises:
        UserError: the value is none of the choices or outside the range.
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

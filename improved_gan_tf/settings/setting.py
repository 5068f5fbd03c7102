"""One setting of a record: what `--help` says of it, where its default is from, what it may be."""

import dataclasses

from improved_gan_tf.errors import UserError

LARGEST = 10**18  # of whole numbers: beyond it they are no float, no index, no file name

# Where a default is from.
AUTHORS = "the authors' code"
PAPER = "the paper"
OURS = "ours"


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
):
    """A field of the record, with what `--help` and the checks need.

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
        },
    )


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

"""The errors that a command prints as one paragraph, without a traceback."""

import re


def first_line(error):
    """The first line of another library's error, or its type's name if it is empty."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def reason(error):
    """The line of a long TensorFlow error that says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "ollective" in line and "aborted" in line]
    line = (telling or lines or [type(error).__name__])[0]
    return re.sub(r"^\{\{.*?\}\}\s*", "", line)[:300].rstrip(" :.") + "."


def in_flags(error):
    """An error's text for the command line, with flags in place of argument names.

    >>> in_flags("`tpu` goes with `strategy=tpu`.")
    '--tpu goes with --strategy=tpu.'
    """
    return re.sub(r"`(\w+)(=[^`]*)?`", r"--\1\2", str(error))


class UserError(Exception):
    """Something about the command, its data or its folders is wrong.

    The message says what is wrong, what is expected, and what was received. It names arguments as
    in "`batch_size`" or "`data_dir=sets`"; commands print it with `in_flags` and exit with code 2.
    It is raised before anything is trained or overwritten.
    """


class DivergedError(Exception):
    """A loss or a parameter became NaN or infinite; the run stopped there."""


class CollapsedError(DivergedError):
    """The game collapsed by its own criterion, and the run was told to stop there."""


class StorageError(Exception):
    """The run folder could not be written after several tries; the run stopped."""


class WorkerLostError(Exception):
    """Another worker of the run has ended or does not answer."""

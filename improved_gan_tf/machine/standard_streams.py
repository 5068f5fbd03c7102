"""Standard output and standard error that are there and take any text."""

import os
import select
import sys


def prepare():
    r"""Makes both streams ones that `print` does not fail on.

    The null device stands in for one that the process was started without: Python has None then,
    as after `command >&-`. What the encoding of standard output lacks, like a Chinese name in
    Windows' cp1252, is printed as \u escapes, as Python does on standard error. Another answer
    than the default one, an error, stays: PYTHONIOENCODING or the locale may have asked for it.
    """
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(_null_descriptor(number), "w", encoding="utf-8"))
    if getattr(sys.stdout, "errors", None) == "strict" and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def drop_unread():
    """Sends a stream whose reader has gone to the null device, with what is left in it.

    Python flushes both at its end, and would complain.
    """
    for stream in (sys.stdout, sys.stderr):
        if _is_unread(stream):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _is_unread(stream):
    """Whether a stream goes into a pipe from which nobody reads any more."""
    try:
        stream.flush()
    except BrokenPipeError:
        return True
    if not hasattr(select, "poll"):  # Windows
        return False
    # A flush of nothing tells nothing.
    poll = select.poll()
    poll.register(stream.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _null_descriptor(number):
    """A file descriptor of the null device: `number` if it is free.

    TensorFlow and child processes write to the number, whichever file has it.
    """
    opened = os.open(os.devnull, os.O_WRONLY)
    try:
        is_taken = opened != number and os.fstat(number)
    except OSError:  # nothing has it
        is_taken = False
    if is_taken:
        return opened
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    os.set_inheritable(number, True)
    return number

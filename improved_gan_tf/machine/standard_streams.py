"""Standard output and standard error that are there."""

import os
import sys


def provide():
    """Opens the null device for each of the two that the process was started without.

    Python has None then, as after `command >&-`, and most code that prints counts on a stream.
    """
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(_null_descriptor(number), "w", encoding="utf-8"))


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

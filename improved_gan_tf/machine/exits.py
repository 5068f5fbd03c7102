"""A command whose output nobody reads any more, as in `run_svhn.py --help | head`, ends quietly."""

import contextlib
import os
import sys

EXIT_CODE = 128 + 13  # what a shell reports of a program that SIGPIPE has ended


@contextlib.contextmanager
def quiet_exit():
    """Exits with `EXIT_CODE`, without a traceback, when standard output has been closed."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()  # here, where it can be caught, and not on the way out
    except BrokenPipeError:
        # Python flushes once more when it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_CODE)

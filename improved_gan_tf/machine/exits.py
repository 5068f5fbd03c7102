"""What a command ends with: one exit code for each kind of end, and one line that says why."""

import contextlib
import os
import signal
import sys

from improved_gan_tf.errors import (
    DivergedError,
    StorageError,
    UserError,
    WorkerLostError,
    in_flags,
)
from improved_gan_tf.machine import interruption

EXIT_CODES = {UserError: 2, DivergedError: 3, StorageError: 4, WorkerLostError: 5}
# A run that a signal stopped, and that has saved, exits with a code of `interruption.EXIT_CODES`.
EXIT_INTERRUPTED = interruption.EXIT_CODES[signal.SIGINT]
EXIT_CLOSED_OUTPUT = 128 + 13  # what a shell reports of a program that SIGPIPE has ended


@contextlib.contextmanager
def exit_codes(interrupted="nothing was written"):
    """Exits with the code of the way in which the `with` block ends; 0 where it simply ends.

    Of the errors in `EXIT_CODES` the message is printed, with flags for the arguments that it names
    and without a traceback; other errors pass. A command whose output nobody reads any more, as in
    `run_svhn.py --help | head`, ends quietly.

    Args:
        interrupted: what Ctrl-C has kept the command from, to be said after "interrupted: ".
    """
    with _quiet_where_nobody_reads():
        try:
            yield
        except tuple(EXIT_CODES) as error:
            print(f"error: {in_flags(error)}", file=sys.stderr, flush=True)
            code = next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
            if isinstance(error, WorkerLostError):
                # At once: TensorFlow's own way out waits for the worker that is gone.
                os._exit(code)
            sys.exit(code)
        except KeyboardInterrupt:
            print(f"interrupted: {interrupted}", file=sys.stderr)
            sys.exit(EXIT_INTERRUPTED)


@contextlib.contextmanager
def _quiet_where_nobody_reads():
    """Exits with `EXIT_CLOSED_OUTPUT` when standard output has been closed."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()  # here, where it can be caught, and not on the way out
    except BrokenPipeError:
        # Python flushes once more when it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_CLOSED_OUTPUT)

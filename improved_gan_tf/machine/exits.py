"""How a command ends: one exit code for each kind of end, and one line that says why."""

import contextlib
import errno
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
from improved_gan_tf.machine import interruption, standard_streams

EXIT_CODES = {UserError: 2, DivergedError: 3, StorageError: 4, WorkerLostError: 5}
# A run that saved after a stop signal exits with a code of `interruption.EXIT_CODES` too.
EXIT_INTERRUPTED = interruption.EXIT_CODES[signal.SIGINT]
EXIT_TERMINATED = interruption.EXIT_CODES[signal.SIGTERM]
EXIT_CLOSED_OUTPUT = 128 + 13  # what a shell reports for a program that SIGPIPE ended


@contextlib.contextmanager
def exit_codes(interrupted="nothing was written", catches_sigterm=True):
    """Exits with the code for the way the `with` block ends; 0 for a normal end.

    For the errors in `EXIT_CODES` it prints the message without a traceback, with flags in place of
    the argument names; other errors pass. A full disk is a `StorageError`, also where standard
    output is a file on it; a file or folder without permission, or with a name that is too long, is
    a `UserError`. If nobody reads the output any more, as in `run_svhn.py --help | head`, it exits
    quietly.

    Args:
        interrupted: str, the consequence of Ctrl-C or SIGTERM, printed after "interrupted: ".
        catches_sigterm: bool; False leaves SIGTERM to a command that handles it itself.
    """
    standard_streams.prepare()
    with _output_written():
        try:
            with interruption.raise_on_sigterm() if catches_sigterm else contextlib.nullcontext():
                yield
        except tuple(EXIT_CODES) as error:
            print(f"error: {in_flags(error)}", file=sys.stderr, flush=True)
            code = next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
            if isinstance(error, WorkerLostError):
                # At once: TensorFlow's own shutdown waits for the lost worker.
                os._exit(code)
            sys.exit(code)
        except KeyboardInterrupt as error:
            print(f"interrupted: {interrupted}", file=sys.stderr)
            is_sigterm = isinstance(error, interruption.Terminated)
            sys.exit(EXIT_TERMINATED if is_sigterm else EXIT_INTERRUPTED)


@contextlib.contextmanager
def _output_written():
    """Exits if standard output is closed, or a file is not to be had."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()  # here, where the error can be caught
    except BrokenPipeError:
        _drop_output()
        sys.exit(EXIT_CLOSED_OUTPUT)
    except OSError as error:
        if isinstance(error, PermissionError) and error.filename:
            what, code = f"{error.filename} cannot be read or written", EXIT_CODES[UserError]
        elif error.errno == errno.ENAMETOOLONG and error.filename:
            what, code = f"{str(error.filename)[:60]}... is no path", EXIT_CODES[UserError]
        elif error.errno == errno.ENOSPC:
            _drop_output()
            what = f"{error.filename or 'The output'} cannot be written"
            code = EXIT_CODES[StorageError]
        else:
            raise
        print(f"error: {what}: {error.strerror}.", file=sys.stderr, flush=True)
        sys.exit(code)


def _drop_output():
    """Sends what is left of standard output nowhere: Python flushes at exit, and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

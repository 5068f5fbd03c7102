"""Calls a function in a process of its own: all memory that it took is free when it has ended.

TensorFlow keeps a part of every graph that a process has traced, so a process that trains one
network after another grows.
"""

import contextlib
import multiprocessing
import signal
from multiprocessing import resource_tracker

from improved_gan_tf.machine import standard_streams

_SECONDS_BETWEEN_LOOKS = 0.2


class ProcessEndedError(Exception):
    """The process ended without an answer: a signal, or no memory left."""


def call(function, *arguments, stop_requested):
    """Returns `function(*arguments, stop_requested)`, called in a new process, or raises its error.

    Args:
        function: of a module; it is pickled, and so is what it returns and raises.
        *arguments: what can be pickled.
        stop_requested: function without arguments. Once it returns True, so does the one that the
            called function receives; that one also does so when this process has gone.

    Raises:
        ProcessEndedError: the process ended without an answer.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,))
    with _stop_signals_blocked():
        process.start()
    theirs.close()  # else the end of the process would not be seen
    told = False
    try:
        ours.send((function, arguments))
        while not ours.poll(_SECONDS_BETWEEN_LOOKS):
            if not told and stop_requested():
                ours.send("stop")
                told = True
        answer, error = ours.recv()
        process.join()
    except (EOFError, OSError) as gone:
        process.join()
        raise ProcessEndedError(_how_it_ended(process.exitcode)) from gone
    finally:  # after an error here, like a second Ctrl-C
        process.kill()
        process.join()
        ours.close()
    if error is not None:
        raise error
    return answer


@contextlib.contextmanager
def _stop_signals_blocked():
    """Blocks the signals that ask to stop, here for the moment and in a child process for good.

    Ctrl-C in a terminal is sent to both; only this process decides what follows from it.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # its own start would unblock them again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection):
    """Calls a function in the new process and sends `(what it returned, its error)`."""
    standard_streams.prepare()  # a new process has new ones
    try:
        function, arguments = connection.recv()
        # A message means "stop", and so does the end of the connection.
        found = function(*arguments, connection.poll), None
    except Exception as error:
        found = None, error
    with contextlib.suppress(BrokenPipeError):  # nobody waits any more
        connection.send(found)


def _how_it_ended(code):
    if code >= 0:
        return f"The run's process ended with exit code {code} and no result."
    name = signal.Signals(-code).name
    memory = " The memory may not have been enough." if name == "SIGKILL" else ""
    return f"The run's process was ended by {name}.{memory}"

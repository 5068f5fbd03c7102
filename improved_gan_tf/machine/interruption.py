"""SIGINT and SIGTERM: a run finishes its call and saves, any other command ends in good order."""

import contextlib
import signal
import sys
import threading

# What a shell reports for a process that a signal ended: 128 + its number.
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class StopRequest:
    """Whether, and by which signal, the run was asked to stop. Call it to find out.

    Args:
        on_any: function of this process's answer (bool) that returns whether any worker of the
            run was asked.
    """

    def __init__(self, on_any=lambda asked: asked):
        self.signal = None
        self._on_any = on_any

    def __call__(self):
        """Whether the run was asked to stop, here or at another worker."""
        if self._on_any(self.signal is not None) and self.signal is None:
            self.signal = signal.SIGINT
        return self.signal is not None

    def exit_code(self):
        """The exit code for the signal."""
        return EXIT_CODES[self.signal]

    def handle(self, number, frame):
        """Handles a signal, which Python delivers after the current call.

        A later second Ctrl-C interrupts at once; one during the same call has no further effect.
        """
        if self.signal is not None:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            return
        self.signal = signal.Signals(number)
        asked = "Ctrl-C" if number == signal.SIGINT else self.signal.name
        with contextlib.suppress(OSError):  # Ctrl-C has ended the reader of a pipe as well
            print(
                f"\n{asked}: stopping and saving. Ctrl-C again does not wait for that.",
                file=sys.stderr,
                flush=True,
            )


@contextlib.contextmanager
def stop_on_signals(on_any=lambda asked: asked):
    """Gives a `StopRequest` that receives SIGINT and SIGTERM inside the `with` block.

    A signal that is ignored stays so, as SIGINT for a command that a script runs in the background.

    Args:
        on_any: as in `StopRequest`.
    """
    request = StopRequest(on_any)
    heard = [n for n in EXIT_CODES if signal.getsignal(n) not in (signal.SIG_IGN, None)]
    previous = {number: signal.signal(number, request.handle) for number in heard}
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class Terminated(KeyboardInterrupt):
    """SIGTERM, by which `raise_on_sigterm` ends a command as Ctrl-C does."""


@contextlib.contextmanager
def raise_on_sigterm():
    """Makes the first SIGTERM inside the `with` block raise `Terminated`; the second ends at once.

    The operating system's own answer would leave unfinished files. Another handler of SIGTERM than
    that stays, as does everything in a thread, where Python takes no handlers.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextlib.contextmanager
def raise_on_signals():
    """Makes SIGINT and SIGTERM inside the `with` block raise at once, whoever waits for them.

    For long work before a run, of which nothing could be saved. A signal that is ignored stays so,
    as does everything in a thread.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    raising = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: _raise_terminated}
    previous = {}
    try:
        for number, handler in raising.items() if in_main_thread else ():
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                previous[number] = signal.signal(number, handler)
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _raise_terminated(number, frame):
    signal.signal(number, signal.SIG_DFL)
    raise Terminated

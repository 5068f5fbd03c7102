"""Progress of a long task: a bar on a terminal, an occasional plain line in a log."""

import contextlib
import sys
import time

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 30.0
_LINE = "{desc}: {percentage:3.0f}% {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}]"


@contextlib.contextmanager
def progress_bar(total, unit, description, initial=0, shown=True):
    """Shows progress on stderr while the `with` block lasts.

    On a terminal this is tqdm's bar. In a file or a pipe it is a line every 30 seconds and one at
    the end, without carriage returns. Both show the time left.

    Args:
        total: int, steps of the whole task.
        unit: str, the name of a step, like "image".
        description: str, the task's name; more than 50 characters are shortened.
        initial: int, steps done before.
        shown: bool; False shows no progress, and `write` still prints.

    Yields:
        Object with two methods: `update(steps)` counts steps done, `write(line)` prints a line to
        stdout, above the bar.
    """
    shown = shown and sys.stderr is not None  # as in a process without a terminal
    kind = _Bar if shown and sys.stderr.isatty() else _Lines
    if len(description) > 50:
        description = description[:47].rstrip() + "..."
    bar = kind(total, unit, description, initial, shown)
    try:
        yield bar
    finally:
        with contextlib.suppress(BrokenPipeError):  # what the block did is not lost for a last line
            bar.close()


class _Bar:
    """A bar, redrawn in the last line of a terminal."""

    def __init__(self, total, unit, description, initial, shown):
        self._bar = tqdm(
            total=total,
            unit=unit,
            desc=description,
            initial=initial,
            mininterval=0.5,
            dynamic_ncols=True,
        )
        self.update, self.close = self._bar.update, self._bar.close

    def write(self, line):
        self._bar.write(line)
        sys.stdout.flush()


class _Lines:
    """Whole lines in a log."""

    def __init__(self, total, unit, description, initial, shown):
        self._total, self._unit, self._description = total, unit, description
        self._initial = self._done = initial
        self._shown = shown
        self._begin = self._last = time.monotonic()
        self._told = None

    def update(self, steps):
        self._done += steps
        if time.monotonic() - self._last >= SECONDS_BETWEEN_LINES:
            self._tell()

    def write(self, line):
        print(line, flush=True)

    def close(self):
        if self._done != self._told:
            self._tell()

    def _tell(self):
        self._told, self._last = self._done, time.monotonic()
        if self._shown:
            line = tqdm.format_meter(
                self._done,
                self._total,
                self._last - self._begin,
                initial=self._initial,
                unit=self._unit,
                prefix=self._description,
                bar_format=_LINE,
            )
            print(line, file=sys.stderr, flush=True)

"""The table of a run's epochs, printed line by line as they end."""

from typing import NamedTuple

WIDTH = 100  # characters; the most in a line
LINES_PER_HEADER = 20


class Column(NamedTuple):
    """One number from an epoch's metrics."""

    group: str  # heading above it and its neighbours in the same group
    header: str
    metric: str  # its key in the metrics; a value that is None or absent is left blank
    is_error: bool = False  # a fraction from 0 to 1, shown in per cent
    with_best: bool = False  # the lowest value so far stands next to it


class EpochTable:
    """Turns metrics of epochs into lines; prints nothing.

    Args:
        columns: list of `Column`, without the epoch's number and time.
        history: list of dicts of metrics from earlier processes, used only for the best values.
    """

    def __init__(self, columns, history=()):
        self._columns = columns
        self._best = {}
        for metrics in history:
            self._take_note(metrics)
        self._lines = 0
        self._header = _header(columns)
        self._widths = [len(text) for text in self._header[1]]

    def lines(self, metrics, remarks=()):
        """The line of one epoch, after an empty line and the header where they are due (str).

        Args:
            metrics: dict with "epoch", "seconds" and the columns' metrics.
            remarks: texts after the line, on a line of their own if they do not fit.
        """
        self._take_note(metrics)
        texts = [str(metrics["epoch"] + 1)]
        for column in self._columns:
            texts.append(_text(column, metrics.get(column.metric)))
            if column.with_best:
                texts.append(_text(column, self._best.get(column.metric)))
        seconds = metrics["seconds"]
        texts.append(f"{seconds:.1f} s" if seconds < 99.95 else f"{seconds:.0f} s")
        cells = (text.rjust(width) for text, width in zip(texts, self._widths, strict=True))
        line = "  ".join(cells)
        remark = "".join(f" | {text}" for text in remarks)
        separator = "" if len(line + remark) <= WIDTH else "\n" + " " * self._widths[0]
        header = []
        if self._lines % LINES_PER_HEADER == 0:
            header = ["", *("  ".join(texts).rstrip() for texts in self._header)]
        self._lines += 1
        return "\n".join([*header, line + separator + remark])

    def _take_note(self, metrics):
        """Updates the lowest value of each column that shows it."""
        for column in self._columns:
            value = metrics.get(column.metric)
            if column.with_best and value is not None:
                self._best[column.metric] = min(value, self._best.get(column.metric, value))


def _text(column, value):
    if value is None:
        return ""
    return f"{100 * value:.2f}%" if column.is_error else f"{value:.4f}"


def _header(columns):
    """Two lines, each a list of texts as wide as the columns: groups, and the columns' names."""
    above, below = ["     "], ["epoch"]
    for group in dict.fromkeys(column.group for column in columns):
        texts = []
        for column in columns:
            if column.group == group:
                texts += [column.header, *(["best"] if column.with_best else [])]
        texts = [text.rjust(6) for text in texts]
        # A group's name may be wider than its columns.
        texts[0] = texts[0].rjust(len(texts[0]) + len(group) - len("  ".join(texts)))
        above.append(group.center(len("  ".join(texts))))
        below += texts
    return [above, [*below, "  time"]]

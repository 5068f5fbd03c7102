"""What a long task shows of its progress: on a terminal, in a log."""

import io
import sys

import pytest

from improved_gan_tf.machine import progress_bar as module
from improved_gan_tf.machine.progress_bar import progress_bar


class Clock:
    """Seconds that pass when told to."""

    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def put_on_a_terminal(monkeypatch):
    """Makes stderr a terminal; returns what is written to it."""
    stream = io.StringIO()
    stream.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_a_log_gets_a_line_every_30_seconds_with_the_time_left(clock, capsys):
    with progress_bar(100, "image", "preparing") as bar:
        for _ in range(50):  # 50 of 100 images in 100 seconds
            clock.now += 2.0
            bar.update(1)
        halfway = capsys.readouterr()
        assert halfway.out == ""
        assert halfway.err.splitlines() == [
            "preparing:  15% 15/100 [00:30<02:50,  2.00s/image]",
            "preparing:  30% 30/100 [01:00<02:20,  2.00s/image]",
            "preparing:  45% 45/100 [01:30<01:50,  2.00s/image]",
        ]
    assert capsys.readouterr().err == "preparing:  50% 50/100 [01:40<01:40,  2.00s/image]\n"


def test_a_log_has_no_carriage_return_and_no_line_twice(clock, capsys):
    with progress_bar(2, "it", "run") as bar:
        bar.update(1)
        bar.write("epoch 1")
        clock.now += 31.0
        bar.update(1)
    said = capsys.readouterr()
    assert said.out == "epoch 1\n"
    assert said.err == "run: 100% 2/2 [00:31<00:00, 15.50s/it]\n"


def test_what_was_done_before_counts_for_the_position_and_not_for_the_speed(clock, capsys):
    with progress_bar(100, "it", "run", initial=90) as bar:
        clock.now += 10.0
        bar.update(5)
    assert capsys.readouterr().err == "run:  95% 95/100 [00:10<00:10,  2.00s/it]\n"


def test_a_task_that_fails_says_how_far_it_was(clock, capsys):
    def fail():
        with progress_bar(4, "image", "x" * 60) as bar:
            clock.now += 2.0
            bar.update(1)
            raise ValueError("black")

    with pytest.raises(ValueError, match="black"):
        fail()
    assert capsys.readouterr().err == f"{'x' * 47}...:  25% 1/4 [00:02<00:06,  2.00s/image]\n"


def test_a_terminal_gets_one_bar_that_lines_are_printed_above(monkeypatch, capsys):
    terminal = put_on_a_terminal(monkeypatch)
    with progress_bar(20, "image", "preparing") as bar:
        bar.update(5)
        bar.write("epoch 1")
        bar.update(15)
    drawn = terminal.getvalue()
    assert drawn.startswith("\rpreparing:   0%|")
    assert "| 20/20 [" in drawn.split("\r")[-1]
    assert drawn.endswith("image/s]\n")
    assert capsys.readouterr().out == "epoch 1\n"


def test_progress_that_is_not_shown_leaves_only_the_lines(monkeypatch, capsys):
    terminal = put_on_a_terminal(monkeypatch)
    with progress_bar(20, "image", "preparing", shown=False) as bar:
        bar.update(20)
        bar.write("epoch 1")
    assert terminal.getvalue() == ""
    assert capsys.readouterr().out == "epoch 1\n"


def test_without_standard_error_no_progress_is_shown(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    with progress_bar(2, "image", "preparing") as bar:
        bar.update(2)
        bar.write("two images")
    assert capsys.readouterr().out == "two images\n"

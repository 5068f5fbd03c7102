"""When the next checkpoint is due."""

import pytest

from improved_gan_tf.settings.intervals import Due, Interval, parse_interval


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("10 minutes", Interval(10.0, "minute")),
        ("0.5minutes", Interval(0.5, "minute")),
        ("1 epoch", Interval(1.0, "epoch")),
        ("25epochs", Interval(25.0, "epoch")),
        ("3 iterations", Interval(3.0, "iteration")),
    ],
)
def test_a_number_and_a_unit_are_an_interval(text, interval):
    assert parse_interval(text) == interval


@pytest.mark.parametrize(
    "text",
    [
        *("", "10", "minutes", "0 epochs", "-1 epochs", "1.5 epochs", "1e9 epochs", "nan minutes"),
        *("10 hours", "ten epochs", "10  minutes", "10 minutes ", "9999999999 epochs", "٣ epochs"),
    ],
)
def test_anything_else_is_not(text):
    assert parse_interval(text) is None


def test_epochs_are_counted_from_the_start_and_only_whole_ones():
    due = Due(parse_interval("2 epochs"))
    cases = [(1, 0), (1, 5), (2, 0), (2, 5), (3, 0), (4, 0)]
    assert [due.now(*case, 10) for case in cases] == [False, False, True, False, False, True]
    assert due.iterations_left(1, 5, 10) == float("inf")


def test_iterations_are_counted_from_the_start_over_epochs():
    due = Due(parse_interval("4 iterations"))
    cases = [(0, 3), (0, 4), (1, 0), (1, 2), (2, 0)]  # epochs of 10
    assert [due.now(*case, 10) for case in cases] == [False, True, False, True, True]
    assert [due.iterations_left(*case, 10) for case in cases] == [1, 4, 2, 4, 4]


def test_minutes_are_counted_from_the_last_event():
    times = iter([0.0, 59.0, 60.0, 70.0, 129.0, 130.0])
    due = Due(parse_interval("1 minute"), clock=lambda: next(times))
    assert [due.now(0, 1, 10), due.now(0, 2, 10)] == [False, True]
    due.happened()
    assert [due.now(0, 3, 10), due.now(0, 4, 10)] == [False, True]

"""How many iterations a call of the loop gets, from what calls have taken."""

import pytest

from improved_gan_tf.runs.call_length import CallLength


def after(calls, most=50, seconds=4.0):
    """The length after calls that took `(iterations, seconds)`."""
    length = CallLength(most, seconds)
    for call in calls:
        length.measured(*call)
    return length.iterations


def test_the_first_call_is_one_iteration():
    assert after([]) == 1


def test_a_call_that_compiles_says_nothing():
    assert after([(1, 100.0)]) == 1
    assert after([(1, 100.0), (1, 0.4), (10, 90.0)]) == 10


@pytest.mark.parametrize(("seconds", "expected"), [(0.001, 50), (0.4, 10), (1.9, 2), (9.0, 1)])
def test_the_second_call_decides(seconds, expected):
    assert after([(1, 30.0), (1, seconds)]) == expected


def test_a_length_is_kept_while_it_is_about_right():
    assert after([(1, 9.0), (1, 0.4), (10, 4.0), (10, 7.0), (10, 2.1)]) == 10


def test_the_rest_of_an_epoch_is_measured_as_a_part():
    assert after([(1, 9.0), (1, 0.4), (10, 4.0), (3, 1.2), (3, 1.2)]) == 10


def test_a_length_that_has_become_wrong_is_changed():
    assert after([(1, 9.0), (1, 0.4), (10, 4.0), (10, 20.0)]) == 2
    assert after([(1, 9.0), (1, 0.4), (10, 4.0), (10, 1.0)]) == 40


def test_a_call_of_no_iterations_or_no_time_is_no_error():
    assert after([(0, 0.0), (0, 0.0)]) == 50

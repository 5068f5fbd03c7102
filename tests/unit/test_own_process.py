"""A function in a process of its own: its answer, its error, its end, and who stops whom."""

import multiprocessing.spawn
import os
import signal
import subprocess
import sys
import time

import pytest

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import own_process
from tests.support.places import ROOT

# What the new processes call is found by its name in this module.


def add(a, b, stop_requested):
    return a + b, os.getpid(), stop_requested()


def refuse(text, stop_requested):
    raise UserError(text)


class Unreadable:
    """Can be pickled, and not be read again."""

    def __reduce__(self):
        return refuse, ("unreadable", never)


def end_by(number, stop_requested):
    os.kill(os.getpid(), number)
    time.sleep(60)


def leave(code, stop_requested):
    os._exit(code)


def wait_until_asked(stop_requested):
    begin = time.monotonic()
    while not stop_requested() and time.monotonic() - begin < 60:
        time.sleep(0.01)
    return stop_requested(), stop_requested()


def ask_terminal(stop_requested):
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(os.getpid(), number)
    return signal.sigpending()


def print_name(stop_requested):
    print("\u732b")


def never():
    return False


def test_the_answer_comes_from_another_process():
    total, process, asked = own_process.call(add, 1, 2, stop_requested=never)
    assert (total, asked) == (3, False)
    assert process != os.getpid()


def test_it_prints_what_the_encoding_of_the_output_lacks(monkeypatch, capfd):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii:strict")
    own_process.call(print_name, stop_requested=never)
    assert capfd.readouterr().out == "\\u732b\n"


def test_its_error_is_raised_here():
    with pytest.raises(UserError, match="no such folder"):
        own_process.call(refuse, "no such folder", stop_requested=never)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (signal.SIGKILL, "was ended by SIGKILL. The memory may not have been enough."),
        (signal.SIGABRT, "was ended by SIGABRT."),
    ],
)
def test_a_process_that_a_signal_ended_is_told(number, text):
    with pytest.raises(own_process.ProcessEndedError) as caught:
        own_process.call(end_by, number, stop_requested=never)
    assert str(caught.value) == f"The run's process {text}"


def test_a_process_that_left_without_an_answer_is_told():
    with pytest.raises(own_process.ProcessEndedError, match="exit code 7 and no result"):
        own_process.call(leave, 7, stop_requested=never)


def test_a_process_that_ends_before_it_has_read_its_arguments_is_told(monkeypatch):
    big = bytes(1_000_000)  # more than a pipe holds
    monkeypatch.setattr(multiprocessing.spawn, "get_executable", lambda: b"/bin/false")
    with pytest.raises(own_process.ProcessEndedError, match="exit code 1 and no result"):
        own_process.call(add, big, big, stop_requested=never)


def test_arguments_that_cannot_be_read_there_are_an_error_here():
    with pytest.raises(UserError, match="unreadable"):
        own_process.call(add, Unreadable(), 1, stop_requested=never)


def test_a_request_to_stop_is_passed_on_and_stays():
    assert own_process.call(wait_until_asked, stop_requested=lambda: True) == (True, True)


FIRST_CALL = """
import signal
from improved_gan_tf.machine import own_process
from tests.unit import test_own_process

if __name__ == "__main__":
    pending = own_process.call(test_own_process.ask_terminal, stop_requested=lambda: False)
    print(sorted(pending) == [signal.SIGINT, signal.SIGTERM])
    print(signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set())  # here they are not blocked
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def test_stop_signals_do_not_reach_the_process(tmp_path):
    script = tmp_path / "calls.py"  # the first call of a process also starts what goes with it
    script.write_text(FIRST_CALL)
    command = [sys.executable, script]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True\nTrue\n", "")


CALLS = """
import sys
from improved_gan_tf.machine import own_process
from tests.unit import test_own_process

if __name__ == "__main__":
    own_process.call(test_own_process.tell_and_wait, sys.argv[1], stop_requested=lambda: False)
"""


def tell_and_wait(file, stop_requested):
    with open(file, "w") as opened:
        opened.write(str(os.getpid()))
    wait_until_asked(stop_requested)
    with open(file, "a") as opened:
        opened.write(" stopped")


def test_when_the_caller_is_killed_the_process_is_asked_to_stop(tmp_path):
    script, file = tmp_path / "calls.py", tmp_path / "told"
    script.write_text(CALLS)
    caller = subprocess.Popen([sys.executable, script, file], env=ENVIRONMENT)

    def read():
        return file.read_text() if file.exists() else ""

    def wait_for(found):
        begin = time.monotonic()
        while not found() and time.monotonic() - begin < 60:
            time.sleep(0.05)

    wait_for(read)
    assert read().isdecimal()
    caller.kill()
    caller.wait()
    wait_for(lambda: "stopped" in read())
    assert read().endswith(" stopped")

"""A run script whose reader has gone ends quietly, but still says what was wrong."""

import os
import pathlib
import subprocess
import sys

import pytest

from improved_gan_tf import closed_output

ROOT = pathlib.Path(__file__).parent.parent.parent


def run_unread(*arguments):
    """Runs run_svhn.py with a standard output that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [sys.executable, ROOT / "run_svhn.py", *arguments],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    finally:
        os.close(writing)


def test_help_that_nobody_reads_ends_quietly():
    done = run_unread("--help")
    assert (done.returncode, done.stderr) == (closed_output.EXIT_CODE, "")


def test_a_mistake_is_still_told():
    done = run_unread("--model=wrong")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --model must be one of: ")


def test_what_is_read_is_left_alone(capsys):
    with closed_output.quiet_exit():
        print("read")
    assert capsys.readouterr().out == "read\n"


def test_other_errors_pass():
    with pytest.raises(KeyError), closed_output.quiet_exit():
        raise KeyError

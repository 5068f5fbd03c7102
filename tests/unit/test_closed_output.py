"""A run script whose reader has gone ends quietly, but still says what was wrong."""

import os
import subprocess
import sys

import pytest

from improved_gan_tf.machine import exits
from tests.support.places import ROOT
from tests.support.written_runs import write_run


def run_unread(*arguments, program=(str(ROOT / "run_svhn.py"),)):
    """Runs run_svhn.py, or another program, with a standard output that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [sys.executable, *program, *map(str, arguments)],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            cwd=ROOT,
        )
    finally:
        os.close(writing)


def test_help_that_nobody_reads_ends_quietly():
    done = run_unread("--help")
    assert (done.returncode, done.stderr) == (exits.EXIT_CODE, "")


def test_a_table_that_nobody_reads_ends_quietly(tmp_path):
    write_run(tmp_path / "run")
    done = run_unread(tmp_path, program=("-m", "improved_gan_tf.compare"))
    assert (done.returncode, done.stderr) == (exits.EXIT_CODE, "")


def test_a_mistake_is_still_told():
    done = run_unread("--model=wrong")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --model must be one of: ")


def test_what_is_read_is_left_alone(capsys):
    with exits.quiet_exit():
        print("read")
    assert capsys.readouterr().out == "read\n"


def test_other_errors_pass():
    with pytest.raises(KeyError), exits.quiet_exit():
        raise KeyError

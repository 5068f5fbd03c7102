"""Commands as a user gives them: in a process of their own, or their `main` in this one."""

import os
import subprocess
import sys

from tests.support.places import ROOT

ENVIRONMENT = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONPATH": str(ROOT)}
TIMEOUT = 900  # seconds, for a machine with other work; a command takes twenty


def run_python(*arguments, cwd, env=ENVIRONMENT):
    """Runs Python with some arguments in a new process and returns what it did."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )


def call_main(main, capsys, *arguments):
    """Runs a command's `main` in this process; returns its exit code, stdout and stderr."""
    code = 0
    try:
        main([str(a) for a in arguments])
    except SystemExit as stopped:
        code = stopped.code
    return code, *capsys.readouterr()

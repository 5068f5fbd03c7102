"""Commands ask TensorFlow for oneDNN's kernels before it is imported, and only commands."""

import os
import subprocess
import sys

import pytest

from improved_gan_tf.machine import environment

KERNELS = """
import tensorflow
from tensorflow.python.util import _pywrap_util_port
print(_pywrap_util_port.IsMklEnabled())
"""


def without(*names):
    return {name: value for name, value in os.environ.items() if name not in names}


def kernels(code, **variables):
    """Whether a fresh process that runs `code` has TensorFlow with oneDNN's kernels."""
    done = subprocess.run(
        [sys.executable, "-c", code + KERNELS],
        env={**without(environment.ONEDNN), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.strip() == "True"


SET = "from improved_gan_tf.machine import environment; environment.set_defaults()"


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.uname().machine != "x86_64",
    reason="TensorFlow is built with oneDNN's kernels for this platform only",
)
def test_tensorflow_takes_onednns_kernels_unless_the_user_says_otherwise():
    assert kernels(SET)
    assert not kernels(SET, TF_ENABLE_ONEDNN_OPTS="0")


def test_other_processors_are_left_alone(monkeypatch):
    monkeypatch.delenv(environment.ONEDNN, raising=False)
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    environment.set_defaults()
    assert environment.onednn() is None
    monkeypatch.setattr("platform.machine", lambda: "AMD64")
    environment.set_defaults()
    assert environment.onednn() == "1"


@pytest.mark.parametrize(("asked", "threads"), [("3", 3), ("0", None), ("", None), ("x", None)])
def test_threads_are_those_asked_for_or_the_processors_of_the_process(monkeypatch, asked, threads):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 2, 5, 7}, raising=False)
    monkeypatch.setenv(environment.THREADS, asked)
    assert environment.num_threads() == (threads or 4)


def test_importing_the_layers_changes_nothing():
    code = (
        "import os, improved_gan_tf.layers, improved_gan_tf.training.semi_supervised\n"
        f"assert {environment.ONEDNN!r} not in os.environ\n"
    )
    # Of the log level nothing can be said: JAX, where it is installed, sets one too.
    variables = without(environment.ONEDNN)
    subprocess.run([sys.executable, "-c", code], env=variables, timeout=120, check=True)

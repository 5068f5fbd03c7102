"""TensorFlow's start-up notes are left out; whatever else it writes comes through, at once."""

import contextlib
import os
import subprocess
import sys

import pytest

from improved_gan_tf.machine import environment, start_up_notes
from tests.support.places import ROOT
from tests.support.written_runs import write_run

# As TensorFlow 2.18 and 2.21 have written them.
NOTES = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n",
    b"I0000 00:00:1795887610.169579   28193 port.cc:153] oneDNN custom operations are on. You may "
    b"see slightly different numerical results due to floating-point round-off errors from "
    b"different computation orders.\n",
    b"I0000 00:00:1795887610.182943   28193 cudart_stub.cc:31] Could not find cuda drivers on your "
    b"machine, GPU will not be used.\n",
    b"2026-11-28 17:46:35.025793: E external/local_xla/xla/stream_executor/cuda/cuda_fft.cc:477] "
    b"Unable to register cuFFT factory: Attempting to register factory for plugin cuFFT when one "
    b"has already been registered\n",
    b"E0000 00:00:1795887995.098705    3174 cuda_dnn.cc:8310] Unable to register cuDNN factory: "
    b"Attempting to register factory for plugin cuDNN when one has already been registered\n",
    b"E0000 00:00:1795887995.111146    3174 cuda_blas.cc:1418] Unable to register cuBLAS factory: "
    b"Attempting to register factory for plugin cuBLAS when one has already been registered\n",
    b"E0000 00:00:1795887623.377297   28193 cuda_platform.cc:52] failed call to cuInit: INTERNAL: "
    b"CUDA error: Failed call to cuInit: UNKNOWN ERROR (303)\n",
    b"E cuda_driver.cc:152] failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device\n",
)
ERRORS = (
    b"E0000 cuda_platform.cc:52] failed call to cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH: system "
    b"has unsupported display driver / cuda driver combination\n",
    b"E0000 cuda_platform.cc:52] failed call to cuInit: CUDA_ERROR_UNKNOWN: unknown error\n",
    b"F0000 cpu_feature_guard.cc:47] The TensorFlow library was compiled to use AVX instructions, "
    b"but these aren't available on your machine.\n",
    b"RuntimeError: module compiled against ABI version 0x1000009\n",
    b"\n",
)


def copied(lines):
    written = []
    start_up_notes.copy(lines, written.append)
    return b"".join(written)


def test_notes_are_left_out_and_errors_are_not():
    lines = [line for pair in zip(NOTES[: len(ERRORS)], ERRORS, strict=True) for line in pair]
    assert copied([*lines, *NOTES, start_up_notes._STARTED]) == b"".join(ERRORS)


def test_of_a_start_that_failed_the_notes_are_told_too():
    lines = [NOTES[0], NOTES[1], ERRORS[0], b"Segmentation"]
    assert copied(lines) == ERRORS[0] + b"Segmentation" + NOTES[0] + NOTES[1]


def test_a_last_line_without_an_end_is_no_part_of_the_signal():
    assert copied([NOTES[0], b"half" + start_up_notes._STARTED, ERRORS[0]]) == b"half" + ERRORS[0]


def process(code, **variables):
    names = (environment.LOG_LEVEL, environment.ONEDNN)
    env = {name: value for name, value in os.environ.items() if name not in names}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**env, **variables},
        capture_output=True,
        timeout=120,
    )


WRITES = f"""
import os, sys
from improved_gan_tf.machine import start_up_notes
with start_up_notes.left_out():
    os.write(2, {NOTES[0]!r})
    print("of Python", file=sys.stderr)
    os.write(2, b"of C++, without an end")
    %s
os.write(2, {NOTES[1]!r})
"""


def test_everything_else_comes_through_in_order_and_notes_are_left_alone_later():
    done = process(WRITES % "pass")
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr == b"of Python\nof C++, without an end" + NOTES[1]


@pytest.mark.parametrize("end", ["os.abort()", "os.kill(os.getpid(), 9)"])
def test_nothing_is_lost_when_the_process_dies(end):
    done = process(WRITES % end)
    assert done.returncode < 0
    assert done.stderr == b"of Python\nof C++, without an end" + NOTES[0]


def test_an_import_that_fails_shows_all():
    done = process(WRITES % "raise ImportError('libcudart.so')")
    assert done.stderr.startswith(b"of Python\nof C++, without an end" + NOTES[0] + b"Traceback")
    assert done.stderr.endswith(b"ImportError: libcudart.so\n")


def test_without_a_standard_error_nothing_is_done():
    code = """
import os
from improved_gan_tf.machine import start_up_notes
os.close(2)
with start_up_notes.left_out():
    print("inside")
"""
    done = process(code)
    assert (done.returncode, done.stdout) == (0, b"inside\n")


START = """
import sys
from improved_gan_tf.machine import environment
environment.start_tensorflow()
import tensorflow as tf
tf.config.list_physical_devices()  # what asks for the GPU's driver
tf.zeros(3) + 1
print("started", file=sys.stderr)
"""


def test_a_command_starts_tensorflow_without_a_line_on_a_machine_without_a_gpu():
    done = process(START, CUDA_VISIBLE_DEVICES="")
    assert (done.returncode, done.stderr) == (0, b"started\n")


STARTS = """
import sys
from improved_gan_tf import command_line
from improved_gan_tf import __main__ as program
from improved_gan_tf.machine import environment

def start():
    sys.exit(78 if {"tensorflow", "keras"} & set(sys.modules) else 77)

environment.start_tensorflow = start
code = None
try:
    program.main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
print(code)
"""


@pytest.mark.parametrize(
    "command",
    [
        "run mnist --data_source=sample --run_dir={0}/new",
        "run mnist --data_source=sample --run_dir={0}/new --dry_run",
        "run mnist --data_source=sample --run_dir={0}/new --num_runs=2",
        "run imagenet --image_folder={0}/images --run_dir={0}/new",
        "run dcgan --data_source=sample --run_dir={0}/new",
        "report {0}/run --output={0}/report.html",
        "rescore {0}/run",
        "score {0}/run --classifier={0}/classifier.keras",
        "train-classifier --dataset=mnist --output={0}/new.keras",
        "turing-test {0}/run --num_images=2 --output={0}/page",
        "toy-game --output={0}/new.png",
    ],
)
def test_a_command_has_not_imported_tensorflow_when_it_starts_it(command, tmp_path):
    write_run(tmp_path / "run")
    (tmp_path / "classifier.keras").touch()
    (tmp_path / "images").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", STARTS, *command.format(tmp_path).split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "77\n", done.stderr


def test_a_program_without_standard_error_starts_too(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with start_up_notes.left_out():
        pass


@pytest.mark.parametrize(("level", "left_out"), [("0", 0), ("1", 0), ("2", 1), ("3", 1), (None, 1)])
def test_who_asks_for_the_notes_gets_them(level, left_out, monkeypatch):
    class LeftOutError(Exception):
        pass

    def leave_out():
        raise LeftOutError

    monkeypatch.setattr(start_up_notes, "left_out", leave_out)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.delenv(environment.LOG_LEVEL, raising=False)
    if level is not None:
        monkeypatch.setenv(environment.LOG_LEVEL, level)
    with pytest.raises(LeftOutError) if left_out else contextlib.nullcontext():
        environment.start_tensorflow()

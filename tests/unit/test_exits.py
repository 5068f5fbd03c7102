"""What a command ends with: its exit code, and one line about the reason."""

import errno
import io
import os
import signal
import subprocess
import sys
import threading

import pytest

from improved_gan_tf.errors import DivergedError, StorageError, UserError, WorkerLostError
from improved_gan_tf.machine import exits, interruption
from tests.support.places import ROOT
from tests.support.written_runs import write_run


class MissingFile(UserError):
    """A user's error with more to it."""


# --- errors --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"), [(UserError, 2), (DivergedError, 3), (StorageError, 4), (MissingFile, 2)]
)
def test_an_error_is_one_line_and_a_code(error, code, capsys):
    with pytest.raises(SystemExit) as ended, exits.exit_codes():
        raise error("What is wrong.")
    assert ended.value.code == code
    assert capsys.readouterr() == ("", "error: What is wrong.\n")


def test_a_lost_worker_ends_the_process_at_once(capsys, monkeypatch):
    class Ended(BaseException):
        pass

    def end(code):
        raise Ended(code)

    monkeypatch.setattr(os, "_exit", end)
    with pytest.raises(Ended, match="5"), exits.exit_codes():
        raise WorkerLostError("Gone.")
    assert capsys.readouterr().err == "error: Gone.\n"


def test_ctrl_c_says_what_it_has_kept_from_happening(capsys):
    with pytest.raises(SystemExit) as ended, exits.exit_codes("nothing was drawn"):
        raise KeyboardInterrupt
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted: nothing was drawn\n"


def test_a_command_that_sigterm_ends_leaves_nothing_unfinished(tmp_path):
    code = f"""
import os, signal
from improved_gan_tf.machine import exits, files

def ended(folder):
    (folder / "0.png").touch()
    os.kill(os.getpid(), signal.SIGTERM)

with exits.exit_codes(), exits.exit_codes("nothing was drawn"):
    files.write_folder_whole({str(tmp_path / "samples")!r}, ended)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (143, "interrupted: nothing was drawn\n")
    assert list(tmp_path.iterdir()) == []


def test_sigterm_is_caught_inside_the_block_and_only_where_nobody_else_does():
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    with exits.exit_codes():
        assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    with exits.exit_codes(catches_sigterm=False):
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    with interruption.stop_on_signals() as request, exits.exit_codes():
        assert signal.getsignal(signal.SIGTERM) == request.handle


def test_a_signal_that_is_ignored_stays_so_and_a_lost_reader_hides_none(monkeypatch):
    """Scripts start what runs in the background with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruption.stop_on_signals() as request:
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) == request.handle
            signal.raise_signal(signal.SIGINT)
            assert not request()
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)

    class Unread:
        def write(self, text):
            raise BrokenPipeError

        flush = write

    monkeypatch.setattr("sys.stderr", Unread())
    with interruption.stop_on_signals() as request:
        signal.raise_signal(signal.SIGINT)
        assert request()


def test_a_second_sigterm_ends_at_once():
    code = """
import os, signal
from improved_gan_tf.machine import exits

with exits.exit_codes():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60)
    assert done.returncode == -signal.SIGTERM


def test_a_thread_may_end_with_a_code_too():
    ended = []

    def work():
        try:
            with exits.exit_codes():
                raise StorageError("What is wrong.")
        except SystemExit as end:
            ended.append(end.code)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended == [4]


def test_the_codes_of_signals_are_a_shells():
    assert interruption.EXIT_CODES == {signal.SIGINT: 130, signal.SIGTERM: 143}


def test_other_errors_and_codes_pass():
    with pytest.raises(KeyError), exits.exit_codes():
        raise KeyError
    with pytest.raises(SystemExit) as ended, exits.exit_codes():
        sys.exit(1)
    assert ended.value.code == 1


def test_what_is_read_is_left_alone(capsys):
    with exits.exit_codes():
        print("read")
    assert capsys.readouterr() == ("read\n", "")


# --- an output that nobody reads -----------------------------------------------------------


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
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("module", ["improved_gan_tf.compare", "improved_gan_tf"])
def test_a_table_that_nobody_reads_ends_quietly(tmp_path, module):
    write_run(tmp_path / "run")
    command = ["compare"] if module == "improved_gan_tf" else []
    done = run_unread(*command, tmp_path, program=("-m", module))
    assert (done.returncode, done.stderr) == (141, "")


def test_a_mistake_is_still_told():
    done = run_unread("--model=wrong")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --model must be one of: ")


# --- an output that is not there -----------------------------------------------------------

LEFT_OUT = """
import os
from improved_gan_tf.machine import exits, progress_bar, start_up_notes

with exits.exit_codes():
    with start_up_notes.left_out(), progress_bar.progress_bar(1, "step", "work") as bar:
        os.write(2, b"of TensorFlow")
        os.system("echo of a child process >&2")
        bar.update(1)
        bar.write("done")
    {end}
"""


def run_without(closing, *arguments):
    """Runs Python after a shell has closed standard output or error, or both."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {closing}', "sh", sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )


needs_sh = pytest.mark.skipif(os.name == "nt", reason="a POSIX shell closes the streams")


@needs_sh
@pytest.mark.parametrize("closing", [">&-", "2>&-", ">&- 2>&-"])
def test_a_command_without_an_output_has_its_exit_code(tmp_path, closing):
    write_run(tmp_path / "run")
    compare = ("-m", "improved_gan_tf", "compare")
    assert run_without(closing, *compare, tmp_path).returncode == 0
    done = run_without(closing, *compare, tmp_path / "absent")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("" if "2>" in closing else "error: Run folders are expected.")


@needs_sh
@pytest.mark.parametrize("closing", [">&-", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize(("end", "code"), [("pass", 0), ("raise exits.UserError", 2)])
def test_what_writes_to_standard_error_does_without_it(closing, end, code):
    assert run_without(closing, "-c", LEFT_OUT.format(end=end)).returncode == code


@needs_sh
def test_a_file_opened_later_does_not_take_the_place_of_standard_error(tmp_path):
    code = f"""
import os
from improved_gan_tf.machine import exits

with exits.exit_codes(), open({str(tmp_path / "file")!r}, "w") as file:
    os.write(2, b"of TensorFlow")
"""
    assert run_without("2>&-", "-c", code).returncode == 0
    assert (tmp_path / "file").read_text() == ""


# --- an output that does not take everything -----------------------------------------------


def test_what_the_encoding_of_the_output_lacks_is_escaped(tmp_path):
    write_run(tmp_path / "run")
    write_run(tmp_path / "\u732b")  # a second run of the same settings, which is left out by name
    done = subprocess.run(
        [sys.executable, "-m", "improved_gan_tf", "compare", tmp_path],
        capture_output=True,
        timeout=60,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u732b" in done.stdout


@pytest.mark.parametrize("errors", ["replace", "surrogateescape"])
def test_what_the_user_asked_for_instead_of_an_error_stays(errors, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), "ascii", errors)
    monkeypatch.setattr(sys, "stdout", stream)
    with exits.exit_codes():
        assert stream.errors == errors


def test_a_stream_of_another_program_is_taken_as_it_is(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with exits.exit_codes():
        print("text")
    assert stream.getvalue() == "text\n"


needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has /dev/full")


@needs_full
@pytest.mark.parametrize("size", [10, 100_000])
def test_an_output_on_a_full_disk_is_one_line_and_a_code(size):
    code = f"""
from improved_gan_tf.machine import exits

with exits.exit_codes():
    print("x" * {size})
"""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            cwd=ROOT,
        )
    assert done.returncode == 4
    assert done.stderr == "error: The output cannot be written: No space left on device.\n"


def test_another_file_on_a_full_disk_is_named_and_what_was_printed_stays():
    code = """
import errno
from improved_gan_tf.machine import exits

with exits.exit_codes():
    print("so far")
    raise OSError(errno.ENOSPC, "No space left on device", "score.json")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (4, "so far\n")
    assert done.stderr == "error: score.json cannot be written: No space left on device.\n"


def test_a_file_without_permission_is_named_in_one_line(capsys):
    with pytest.raises(SystemExit) as caught, exits.exit_codes():
        raise PermissionError(errno.EACCES, "Permission denied", "photos/train")
    assert caught.value.code == 2
    assert capsys.readouterr().err == (
        "error: photos/train cannot be read or written: Permission denied.\n"
    )


def test_a_name_that_is_too_long_is_told_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught, exits.exit_codes():
        (tmp_path / ("x" * 300)).stat()
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith("... is no path: File name too long.\n")

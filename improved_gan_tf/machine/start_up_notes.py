"""Standard error without TensorFlow's start-up notes.

TensorFlow's C++ code writes them while it is imported and while it looks for devices: before it
reads `TF_CPP_MIN_LOG_LEVEL`, or as errors though nothing is wrong on a machine without a GPU.

A second process reads what the first writes to file descriptor 2. It passes every line on at once,
and no line is lost if the first process dies. Run as a program, this file is that reader.
"""

import contextlib
import os
import re
import subprocess
import sys

# Seen in TensorFlow 2.18 to 2.21. All other lines pass: a GPU with a broken driver gives other
# cuInit errors than these two.
NOTES = re.compile(
    rb"^WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR"
    rb"|\boneDNN custom operations are on\."
    rb"|\bCould not find cuda drivers on your machine, GPU will not be used\."
    rb"|\bUnable to register cu(FFT|DNN|BLAS) factory: .* when one has already been registered"
    rb"|\bfailed call to cuInit: .*(UNKNOWN ERROR \(303\)|CUDA_ERROR_NO_DEVICE)"
)
# Tells the reader that TensorFlow has started, so the notes can be dropped.
_STARTED = b"\0started\n"
_PATIENCE = 10.0  # seconds for the reader to pass on what it has read


@contextlib.contextmanager
def left_out():
    """Keeps `NOTES` off standard error inside the `with` block; everything else passes.

    If the block raises an exception, or the process dies in it, the notes appear as well.
    """
    try:
        own = os.dup(2) if sys.stderr is not None else None
    except OSError:
        own = None
    if own is None:  # there is no standard error
        yield
        return
    sys.stderr.flush()
    try:
        reader = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the first process
        )
    except OSError:  # no second process is possible: show the notes
        os.close(own)
        yield
        return
    os.dup2(reader.stdin.fileno(), 2)
    reader.stdin.close()
    try:
        yield
        sys.stderr.flush()
        os.write(2, _STARTED)
    finally:
        sys.stderr.flush()
        os.dup2(own, 2)  # the reader's input ends
        os.close(own)
        with contextlib.suppress(subprocess.TimeoutExpired):
            reader.wait(_PATIENCE)


def copy(lines, write):
    """Copies all lines but `NOTES`; the notes follow at the end unless start-up succeeded.

    Args:
        lines: iterable of bytes.
        write: function of bytes.
    """
    notes = []
    for line in lines:
        text = line.removesuffix(_STARTED)
        if NOTES.search(text):
            notes.append(text)
        else:
            write(text)
        if line.endswith(_STARTED):
            notes.clear()
    write(b"".join(notes))


if __name__ == "__main__":
    copy(sys.stdin.buffer, lambda text: os.write(2, text))

"""How commands start TensorFlow: defaults for its environment variables, no start-up notes.

What the user has set stays. Only commands call this; importing the package changes nothing.
"""

import os
import platform
import sys

from improved_gan_tf.machine import start_up_notes

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
THREADS = "TF_NUM_INTRAOP_THREADS"


def set_defaults():
    """Asks for oneDNN's kernels on x86 processors and silences TensorFlow's notes.

    By default TensorFlow uses oneDNN's convolutions and matrix products only on processors with
    AVX512-VNNI or newer; one seed would then round differently on different processors.
    `TF_ENABLE_ONEDNN_OPTS=0` selects TensorFlow's own kernels everywhere.
    """
    os.environ.setdefault(LOG_LEVEL, "2")
    if platform.machine().lower() in ("x86_64", "amd64"):
        os.environ.setdefault(ONEDNN, "1")


def start_tensorflow():
    """Sets the defaults, imports TensorFlow and makes it look for devices, without its notes.

    A command calls it after all checks that need no TensorFlow, and before any import of
    TensorFlow. `TF_CPP_MIN_LOG_LEVEL=0` or 1 shows the notes that `start_up_notes` leaves out.
    """
    if "tensorflow" in sys.modules:
        return
    set_defaults()
    if os.environ[LOG_LEVEL] in ("0", "1"):
        return
    with start_up_notes.left_out():
        import tensorflow as tf

        tf.config.list_physical_devices()


def onednn():
    """The value of TensorFlow's oneDNN option: "1", "0", or None if it is not set."""
    return os.environ.get(ONEDNN)


def num_threads():
    """Number of threads that share one operation's sums (int); it decides rounding.

    It is `TF_NUM_INTRAOP_THREADS`, or the number of processors for this process (fewer under
    `taskset`, in a container or in a queue's allocation).
    """
    asked = os.environ.get(THREADS, "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()  # macOS and Windows have no affinity

"""How commands start TensorFlow: with what it reads from the environment, and without its notes.

Whatever the user has set stays. Importing the layers or anything else of this package changes
nothing: only commands call this.
"""

import os
import platform
import sys

from improved_gan_tf.machine import start_up_notes

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
THREADS = "TF_NUM_INTRAOP_THREADS"


def set_defaults():
    """Asks for oneDNN's kernels on x86 processors and keeps TensorFlow's notes off the screen.

    By itself TensorFlow takes oneDNN's convolutions and matrix products only where the processor
    has AVX512-VNNI or a newer extension, and slower ones elsewhere: a choice by processor
    that would also give one seed other rounding on the two. `TF_ENABLE_ONEDNN_OPTS=0` takes
    TensorFlow's own kernels everywhere. What both cost: `benchmarks/training_step.py`.
    """
    os.environ.setdefault(LOG_LEVEL, "2")
    if platform.machine().lower() in ("x86_64", "amd64"):
        os.environ.setdefault(ONEDNN, "1")


def start_tensorflow():
    """Sets the defaults, imports TensorFlow and has it look for devices, without greetings.

    A command calls it when it has checked what it can check without TensorFlow, and before it
    imports anything that imports TensorFlow. The notes that TensorFlow writes meanwhile are left
    out (`start_up_notes`), except where the user asks for them with `TF_CPP_MIN_LOG_LEVEL=0` or 1.
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
    """What was asked of TensorFlow about oneDNN: "1", "0", or None where nothing was."""
    return os.environ.get(ONEDNN)


def num_threads():
    """How many threads TensorFlow shares one operation's sums among, int; it decides rounding.

    That is as many as there are processors for this process (fewer under `taskset`, in a container
    or in a queue's allocation), or `TF_NUM_INTRAOP_THREADS`.
    """
    asked = os.environ.get(THREADS, "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()  # where there is no affinity: macOS, Windows

"""What a number depends on, besides the settings: versions, git commit, devices, threads."""

import pathlib
import platform
import subprocess

import keras
import numpy as np
import tensorflow as tf

import improved_gan_tf
from improved_gan_tf.machine import environment


def versions():
    """Versions, git commit if any, devices, kernels and threads: a number depends on them."""
    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    return {
        "improved_gan_tf": improved_gan_tf.__version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "git_commit": _git_commit(),
        "device": device,
        "onednn": environment.onednn(),
        # On CPUs only: a GPU has its own order of sums.
        "num_threads": environment.num_threads() if device == "CPU" else None,
    }


def _git_commit():
    root = pathlib.Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        commit, changed = (
            subprocess.run(
                ["git", *args], cwd=root, capture_output=True, text=True, timeout=10, check=True
            ).stdout.strip()
            for args in (("rev-parse", "HEAD"), ("status", "--porcelain", "-uno"))
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+changes" if changed else "")

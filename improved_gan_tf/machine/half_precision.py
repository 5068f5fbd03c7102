"""Whether this machine has instructions for half precision: without them it is slower, not faster.

A processor says so itself, on Linux in /proc/cpuinfo, on macOS by sysctl. A GPU's kernels use its
tensor cores for float16 from compute capability 7.0 on, for bfloat16 from 8.0 on.
"""

import pathlib
import platform
import re
import subprocess

CPU_INFO = pathlib.Path("/proc/cpuinfo")
# x86 calls them flags, ARM features; oneDNN takes each of these where it finds it.
_INSTRUCTIONS = {
    "bfloat16": {"avx512_bf16", "amx_bf16", "bf16"},
    "float16": {"avx512_fp16", "amx_fp16", "asimdhp"},
}
_CAPABILITY = {"bfloat16": (8, 0), "float16": (7, 0)}
_SYSCTL = {"bfloat16": "hw.optional.arm.FEAT_BF16", "float16": "hw.optional.arm.FEAT_FP16"}


def processor_has(dtype):
    """Whether the processor has instructions for `dtype`: bool, or None where that is not known.

    Args:
        dtype: "bfloat16" or "float16".
    """
    if platform.system() == "Darwin":
        return _sysctl(_SYSCTL[dtype])
    try:
        text = CPU_INFO.read_text("utf-8", "replace")
    except OSError:
        return None
    lines = re.findall(r"^(?:flags|Features)\s*:(.*)$", text, re.M)
    if not lines:
        return None
    return all(_INSTRUCTIONS[dtype] & set(line.split()) for line in lines)


def _sysctl(name):
    try:
        done = subprocess.run(["sysctl", "-n", name], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return {"1": True, "0": False}.get(done.stdout.strip())


def gpu_has(dtype, compute_capability):
    """Whether a GPU has tensor cores for `dtype`: bool, or None where that is not known.

    Args:
        dtype: "bfloat16" or "float16".
        compute_capability: `(major, minor)`, or None (not one of NVIDIA's).
    """
    return None if compute_capability is None else compute_capability >= _CAPABILITY[dtype]


def compute_capabilities():
    """`(major, minor)` of every GPU that TensorFlow sees, None for one that does not say it."""
    import tensorflow as tf

    details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    return [each.get("compute_capability") for each in details]


def warning(precision):
    """What to say before a run in `precision` on this machine (str), or None.

    It looks for GPUs if the precision is a half one, so it starts TensorFlow.
    """
    if not precision.startswith("mixed_"):
        return None
    dtype = precision.removeprefix("mixed_")
    capabilities = compute_capabilities()
    if capabilities:
        found, where = min(gpu_has(dtype, c) is not False for c in capabilities), "GPU"
    else:
        found, where = processor_has(dtype), "processor"
    if found is None:
        return (
            f"whether this {where} has instructions for {dtype} is unknown; without them "
            f"--precision={precision} is slower than float32"
        )
    if found:
        return None
    return (
        f"this {where} has no instructions for {dtype}: --precision={precision} will be slower "
        "than float32"
    )

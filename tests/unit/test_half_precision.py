"""What a machine says about its half precision, and when a run warns."""

import pytest

from improved_gan_tf.machine import half_precision

X86 = "processor\t: 0\nflags\t\t: fpu avx512f {}\n\nprocessor\t: 1\nflags\t\t: fpu avx512f {}\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd {}\n"


@pytest.fixture
def cpu_info(tmp_path, monkeypatch):
    """Writes what /proc/cpuinfo says, on a machine without GPUs."""
    monkeypatch.setattr(half_precision.platform, "system", lambda: "Linux")
    monkeypatch.setattr(half_precision, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(half_precision, "compute_capabilities", list)
    return (tmp_path / "cpuinfo").write_text


@pytest.mark.parametrize(
    ("text", "bfloat16", "float16"),
    [
        (X86.format("avx512_bf16", "avx512_bf16"), True, False),
        (X86.format("amx_bf16 amx_fp16", "amx_bf16 amx_fp16"), True, True),
        (X86.format("avx512_bf16", "sse"), False, False),  # not on every core
        (X86.format("avx512_vbmi", "avx512_vbmi"), False, False),
        (ARM.format("asimdhp bf16"), True, True),
        (ARM.format("asimdhp"), False, True),
        ("processor\t: 0\n", None, None),
    ],
)
def test_the_processor_is_asked_for_its_instructions(cpu_info, text, bfloat16, float16):
    cpu_info(text)
    assert half_precision.processor_has("bfloat16") is bfloat16
    assert half_precision.processor_has("float16") is float16


def test_without_the_file_it_is_unknown(cpu_info):
    assert half_precision.processor_has("bfloat16") is None
    assert "has instructions for bfloat16 is unknown" in half_precision.warning("mixed_bfloat16")


def test_a_run_warns_where_half_precision_is_slower(cpu_info):
    cpu_info(X86.format("avx2", "avx2"))
    for precision in ("mixed_bfloat16", "mixed_float16"):
        assert "will be slower than float32" in half_precision.warning(precision)
    cpu_info(X86.format("avx512_bf16", "avx512_bf16"))
    assert half_precision.warning("mixed_bfloat16") is None
    assert half_precision.warning("float32") is None
    assert half_precision.warning("float64") is None


def test_a_gpu_is_asked_instead_of_the_processor(cpu_info, monkeypatch):
    cpu_info(X86.format("avx2", "avx2"))
    for capability, slower in (((9, 0), False), ((8, 0), False), ((7, 5), True), (None, False)):
        monkeypatch.setattr(
            half_precision, "compute_capabilities", lambda c=capability: [c, (9, 0)]
        )
        assert (half_precision.warning("mixed_bfloat16") is not None) is slower
    monkeypatch.setattr(half_precision, "compute_capabilities", lambda: [(7, 0)])
    assert half_precision.warning("mixed_float16") is None

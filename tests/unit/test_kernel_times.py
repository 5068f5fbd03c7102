"""Every kernel can be timed in every way."""

import pytest

from improved_gan_tf.machine import kernel_times


@pytest.mark.parametrize("way", kernel_times.WAYS)
def test_a_kernel_takes_time(way, monkeypatch):
    monkeypatch.setattr(kernel_times, "_SECONDS", 0.0)
    assert 0.0 < kernel_times.milliseconds("noise", way) < 60_000.0

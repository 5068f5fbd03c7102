"""`improved-gan devices`: one screen about this machine, and the original's numbers."""

import numpy as np
import pytest

from improved_gan_tf import devices
from improved_gan_tf.machine import kernel_times
from improved_gan_tf.training import self_test
from tools import make_self_test


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    """One model, and no time is taken."""
    monkeypatch.setattr(self_test, "models", lambda: ["mnist-feature_matching"])
    times = {"float32": 4.0, "bfloat16": 2.0, "XLA": 8.0}
    monkeypatch.setattr(kernel_times, "milliseconds", lambda kernel, way: times[way])


def test_one_screen_says_what_is_here_what_pays_and_that_all_is_right(capsys):
    devices.main([])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    text = "\n".join(lines)
    assert "--strategy=auto with 100 images in a batch: --strategy=one_device" in text
    assert "--precision=mixed_bfloat16 may pay here: 2 to 2 times as fast" in text
    assert "--jit_compile=true does not pay here: 0.5 to 0.5 times as fast" in text
    assert "mnist-feature_matching" in lines[-1]
    assert "right" in lines[-1]


def test_a_wrong_kernel_is_found(capsys, monkeypatch):
    from improved_gan_tf.layers.weight_norm import dense

    matmul = dense.ops.matmul
    monkeypatch.setattr(dense.ops, "matmul", lambda a, b: 1.01 * matmul(a, b))
    with pytest.raises(SystemExit) as end:
        devices.main([])
    assert end.value.code == 1
    out = capsys.readouterr().out
    assert "WRONG" in out
    assert "do not trust a run" in out


def test_one_wrong_model_among_right_ones_is_told(capsys, monkeypatch):
    monkeypatch.setattr(self_test, "models", lambda: ["first", "second"])
    differences = {"first": 1.0, "second": 0.0}
    monkeypatch.setattr(
        self_test, "compare", lambda model: self_test.Compared(model, {}, differences[model], 0.0)
    )
    with pytest.raises(SystemExit) as end:
        devices.main([])
    assert end.value.code == 1
    assert "do not trust a run" in capsys.readouterr().out


def test_a_batch_of_one_is_refused(capsys):
    with pytest.raises(SystemExit) as end:
        devices.main(["--batch_size=1"])
    assert end.value.code == 2
    assert "--batch_size must be 2 or more. Received: 1" in capsys.readouterr().err


@pytest.mark.parametrize("model", make_self_test.GOLDENS)
def test_the_stored_numbers_are_those_of_the_goldens(model):
    made = make_self_test.stored_numbers(model)
    with np.load(self_test.FOLDER / f"{model}.npz", allow_pickle=False) as stored:
        assert set(stored.files) == set(made)
        # The norms are computed anew: processors add in different orders.
        np.testing.assert_allclose(stored["norms"], made["norms"], rtol=1e-14)
        for name in set(stored.files) - {"norms"}:
            np.testing.assert_array_equal(stored[name], made[name], err_msg=name)

"""The page about one's own images: its example runs as it stands, with fewer images and epochs."""

import re

import numpy as np
import pytest

from improved_gan_tf import load_model
from tests.support.commands import run_python
from tests.support.places import ROOT

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "own_models.md"
SHORTER = {"unlabeled=images[:4000]": "unlabeled=images[:200]", "epochs=60": "epochs=1"}


def test_the_example_of_the_page_trains_evaluates_and_saves(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    for long, short in SHORTER.items():
        assert code.count(long) == 1
        code = code.replace(long, short)
    script = tmp_path / "example.py"
    script.write_text(code + "\nnp.savez('samples.npz', samples)\n", "utf-8")
    done = run_python(script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Data-dependent initialisation from 200 images, once" in done.stdout
    last = done.stdout.splitlines()[-1]
    loss, accuracy = re.fullmatch(r"\{'loss': ([\d.]+), 'accuracy': ([\d.]+)\}", last).groups()
    assert float(loss) > 0.0
    assert 0.0 < float(accuracy) <= 1.0
    gan, classifier = (load_model(tmp_path / f"{name}.keras") for name in ("gan", "classifier"))
    images = np.random.RandomState(0).uniform(0, 1, (4, 28, 28, 1)).astype("float32")
    np.testing.assert_allclose(
        gan.predict(images, verbose=0), classifier.predict(images, verbose=0), rtol=1e-5, atol=1e-6
    )
    assert int(gan.steps.numpy()) == 2
    with np.load(tmp_path / "samples.npz") as samples:
        assert samples["arr_0"].shape == (16, 28, 28, 1)

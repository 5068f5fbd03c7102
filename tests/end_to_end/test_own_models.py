"""The page about one's own images: its code runs as it stands, with fewer images and epochs."""

import re

import numpy as np
import pytest

from improved_gan_tf import load_model
from tests.support.commands import run_python
from tests.support.places import ROOT

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "own_models.md"
SHORTER = {"unlabeled=images[:4000]": "unlabeled=images[:200]", "epochs=60": "epochs=1"}
SCORES = r"^\{'loss': ([\d.]+), 'accuracy': ([\d.]+)\}$"


def shortened(code):
    for long, short in SHORTER.items():
        assert code.count(long) == 1
        code = code.replace(long, short)
    return code


def test_the_game_and_the_baseline_of_the_page_train_evaluate_and_save(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    game, baseline = (shortened(block) for block in blocks)
    script = tmp_path / "example.py"
    script.write_text(game + "\nnp.savez('samples.npz', samples)\n" + baseline, "utf-8")
    done = run_python(script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Data-dependent initialisation from 200 images, once" in done.stdout
    scores = re.findall(SCORES, done.stdout, re.M)
    assert len(scores) == len(blocks)
    for loss, accuracy in scores:
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

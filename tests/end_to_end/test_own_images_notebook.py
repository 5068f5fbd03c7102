"""The notebook on one's own images: it is its script, and its cells run from first to last."""

import ast
import json

import numpy as np
import pytest
from PIL import Image

from tools import make_notebook

pytestmark = pytest.mark.slow

pytest.importorskip("sklearn")  # comes with mlxtend


def code_cells():
    content = json.loads(make_notebook.NOTEBOOK.read_text("utf-8"))
    return [cell for cell in content["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_is_made_from_its_script():
    assert make_notebook.NOTEBOOK.read_text("utf-8") == make_notebook.notebook()
    assert 8 <= len(code_cells()) <= 12


def test_every_cell_runs_and_the_digits_are_classified_and_drawn(tmp_path):
    shown = []
    space = {}
    for cell in code_cells():
        tree = ast.parse("".join(cell["source"]))
        # As a notebook does: the value of a last expression is shown.
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), space)
        if "parameters" in cell["metadata"].get("tags", []):
            small = ["--width_multiplier=0.03", "--epochs=1", "--batch_size=20"]
            space |= {"place": tmp_path, "num_test": 1600, "settings": small}
        if last is not None:
            shown.append(eval(compile(ast.Expression(last.value), "cell", "eval"), space))
    counts = next(x for x in shown if isinstance(x, dict))
    assert counts == {"test": 1600, "train": 50, "unlabeled": 147}
    assert any(str(x).startswith("Does the unlabeled data help?") for x in shown)
    run = space["run"]
    assert run.class_names == tuple("0123456789")
    accuracy = next(x for x in shown if isinstance(x, float))
    result = json.loads((tmp_path / "run" / "result.json").read_text("utf-8"))
    # Resized by another filter than the run's: about the same.
    assert accuracy == pytest.approx(1 - result["final"]["test_wrong_averaged"] / 1600, abs=0.05)
    with Image.open(tmp_path / "samples.png") as picture:
        assert picture.size == (12 * 28, 5 * 28)
        assert np.asarray(picture).std() > 1.0
    assert shown[-1] == ["classes.txt", "classifier"]

"""The examples as a user runs them: the table they print, the picture they write."""

import numpy as np
import pytest
from PIL import Image

from examples import mode_coverage
from tests.support.commands import run_python
from tests.support.places import ROOT

pytestmark = pytest.mark.slow


def command(*arguments, cwd):
    """Runs examples/mode_coverage.py in a new process and returns what it did."""
    return run_python(ROOT / "examples/mode_coverage.py", *arguments, cwd=cwd)


def table_rows(text):
    """`{first cell: the other cells}` of a table in GitHub's form, without head and rule."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first: rest for first, *rest in cells[2:]}


def test_a_tiny_run_prints_a_row_for_each_variant_and_writes_the_picture(tmp_path):
    done = command("--num_seeds=1", "--iterations=2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "digits: 1 seeds, 2 iterations each" in done.stdout
    assert "\r" not in done.stdout + done.stderr  # its output is not a terminal
    rows = table_rows(done.stdout)
    assert list(rows) == [*mode_coverage.VARIANTS, "real data"]
    measures = len(mode_coverage.Digits.measures)
    for title in mode_coverage.VARIANTS:
        means_and_spreads = [list(map(float, cell.split(" +- "))) for cell in rows[title]]
        assert np.shape(means_and_spreads) == (measures, 2)
        assert np.isfinite(means_and_spreads).all()
        assert [spread for _, spread in means_and_spreads] == [0.0] * measures  # one seed
    classes, entropy, confident, spread = (float(cell) for cell in rows["real data"])
    assert classes == 10.0
    assert entropy == pytest.approx(np.log(10.0), abs=0.02)
    assert confident > 80.0
    assert spread == pytest.approx(1.0, abs=0.03)

    assert [path.name for path in tmp_path.iterdir()] == ["mode_coverage_digits.png"]
    with Image.open(tmp_path / "mode_coverage_digits.png") as picture:
        width, height = picture.size
        assert 300 <= width <= 3000
        assert 300 <= height <= 3000
        assert np.asarray(picture.convert("L")).std() > 10.0  # something is drawn


class NamesByValue:
    """A classifier that is sure of the class that each image's first pixel gives."""

    def predict(self, samples, batch_size, verbose):
        return np.eye(10)[samples[:, 0, 0, 0].astype(int)]


def test_a_class_is_covered_from_one_percent_of_the_samples():
    digits = mode_coverage.Digits.__new__(mode_coverage.Digits)  # without training a classifier
    digits.classifier, digits.real_distance = NamesByValue(), 1.0
    samples = np.zeros((2500, 28, 28, 1), "float32")
    samples[:25] = 1.0  # 1 %
    samples[25:49] = 2.0  # one too few
    covered, entropy, confident, _ = digits.measure(samples)
    assert covered == 2  # 0 and 1
    shares = np.array([2451, 25, 24]) / 2500
    assert entropy == pytest.approx(-np.sum(shares * np.log(shares)))
    assert confident == 100.0


def test_help_lists_every_flag(tmp_path):
    done = command("--help", cwd=tmp_path)
    # TensorFlow, which the script imports first, has lines of its own for stderr.
    assert (done.returncode, list(tmp_path.iterdir())) == (0, []), done.stderr
    for flag in ("--num_seeds", "--iterations", "--output"):
        assert flag in done.stdout


@pytest.mark.parametrize("flag", ["--num_seeds=0", "--iterations=-1"])
def test_a_number_below_one_is_refused(flag, tmp_path):
    done = command(flag, cwd=tmp_path)
    assert done.returncode == 2
    assert f"{flag.split('=')[0]} must be 1 or more." in done.stderr


def test_a_picture_that_could_not_be_written_is_refused_before_training(tmp_path):
    done = command("--output=nowhere/x.png", cwd=tmp_path)
    assert done.returncode != 0
    assert "--output must be the name of a .png file in a folder that" in done.stderr + done.stdout
    assert "step" not in done.stderr


def test_an_argument_that_is_no_flag_is_refused(tmp_path):
    done = command("digits", cwd=tmp_path)
    assert done.returncode == 2
    assert "unrecognized arguments: digits" in done.stderr

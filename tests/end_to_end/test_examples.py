"""The examples as a user runs them: the table they print, the picture they write."""

import numpy as np
import pytest
from PIL import Image

from examples import mode_coverage
from tests.support.commands import run_python
from tests.support.places import ROOT


def command(*arguments, cwd):
    """Runs examples/mode_coverage.py in a new process and returns what it did."""
    return run_python(ROOT / "examples/mode_coverage.py", *arguments, cwd=cwd)


def table_rows(text):
    """`{first cell: the other cells}` of a table in GitHub's form, without head and rule."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first: rest for first, *rest in cells[2:]}


@pytest.mark.parametrize("problem", list(mode_coverage.PROBLEMS))
def test_a_tiny_run_prints_a_row_for_each_variant_and_writes_the_picture(problem, tmp_path):
    done = command(f"--problem={problem}", "--num_seeds=1", "--iterations=2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{problem}: 1 seeds, 2 iterations each" in done.stdout
    rows = table_rows(done.stdout)
    assert list(rows) == [*mode_coverage.VARIANTS, "real data"]
    measures = len(mode_coverage.PROBLEMS[problem].measures)
    for title in mode_coverage.VARIANTS:
        means_and_spreads = [list(map(float, cell.split(" +- "))) for cell in rows[title]]
        assert np.shape(means_and_spreads) == (measures, 2)
        assert np.isfinite(means_and_spreads).all()
        assert [spread for _, spread in means_and_spreads] == [0.0] * measures  # one seed
    real = [float(cell) for cell in rows["real data"]]
    if problem == "ring":  # all modes; 1 - exp(-9/2) of a Gaussian lies within 3 deviations
        assert real == [8.0, pytest.approx(100.0 * (1.0 - np.exp(-4.5)), abs=1.0)]
    else:
        classes, entropy, confident, spread = real
        assert classes == 10.0
        assert entropy == pytest.approx(np.log(10.0), abs=0.02)
        assert confident > 80.0
        assert spread == pytest.approx(1.0, abs=0.03)

    assert [path.name for path in tmp_path.iterdir()] == [f"mode_coverage_{problem}.png"]
    with Image.open(tmp_path / f"mode_coverage_{problem}.png") as picture:
        width, height = picture.size
        assert 300 <= width <= 3000
        assert 300 <= height <= 3000
        assert np.asarray(picture.convert("L")).std() > 10.0  # something is drawn


def test_a_mode_of_the_ring_is_covered_from_one_percent_within_three_deviations():
    ring = mode_coverage.Ring()
    samples = np.zeros((2500, 2), "float32")  # the ring's middle is in no mode
    samples[:25] = ring.centres[0]  # 1 %
    samples[25:49] = ring.centres[1]  # one too few
    samples[49:99] = ring.centres[2] + [2.9 * ring.stddev, 0.0]
    samples[99:149] = ring.centres[3] + [3.1 * ring.stddev, 0.0]
    covered, share = ring.measure(samples)
    assert covered == 2
    assert share == pytest.approx(100.0 * 99 / 2500)


def test_help_lists_every_flag(tmp_path):
    done = command("--help", cwd=tmp_path)
    for flag in ("--problem", "--num_seeds", "--iterations", "--output"):
        assert flag in done.stdout


def test_a_picture_that_could_not_be_written_is_refused_before_training(tmp_path):
    done = command("--output=nowhere/x.png", cwd=tmp_path)
    assert done.returncode != 0
    assert "--output must be the name of a .png file in a folder that" in done.stderr + done.stdout
    assert "step" not in done.stderr


def test_an_argument_that_is_no_flag_is_refused(tmp_path):
    done = command("digits", cwd=tmp_path)
    assert done.returncode != 0
    assert "No arguments but flags. Received: ['digits']" in done.stderr + done.stdout

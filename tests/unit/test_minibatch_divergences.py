"""The example of minibatch divergences: its table, its picture, the page, refusals."""

import numpy as np
import pytest
from PIL import Image

from examples import minibatch_divergences as example
from tests.support.places import ROOT
from tests.support.systems import load

PAGE = ROOT / "docs/minibatch_divergences.md"


def rows(text):
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_tables_numbers_are_the_references():
    golden = load("minibatch_divergences")
    _, _, *body = rows(example.table(float(golden["p"])))
    columns = [int(np.argmin(np.abs(golden["q"] - q))) for q in (0.0, 0.05, 0.8, 1.0)]
    for row, size, js in zip(body, golden["N"], golden["js_bits"], strict=True):
        assert row[0] == str(size)
        assert row[1:5] == [f"{value:.4f}" for value in js[columns]]
        assert row[5:] == [f"{js[1] / js[16]:.3f}", f"{js[1] / size:.4f}"]


def test_the_pages_table_is_the_commands():
    assert example.table(0.2) in PAGE.read_text("utf-8")


def test_the_page_quotes_the_ratios_that_decide_between_the_posts_sentences():
    body = rows(example.table(0.2))[2:]
    first, last = body[0][5], body[-1][5]
    assert float(first) < float(last)
    assert f"costs {first} of the second" in PAGE.read_text("utf-8")
    assert f"examples and {last} when it sees eight" in PAGE.read_text("utf-8")


def test_the_scaled_curves_end_at_one_and_the_branch_of_low_entropy_rises_with_the_size():
    plain, scaled = example.picture(0.2).axes
    curves = {axes: [line.get_ydata() for line in axes.lines[:4]] for axes in (plain, scaled)}
    assert [float(curve.max()) for curve in curves[scaled]] == [1.0] * 4
    at_low_entropy = [curve[25] for curve in curves[scaled]]  # q = 0.05
    assert at_low_entropy == sorted(at_low_entropy)
    assert curves[plain][0].max() == pytest.approx(0.6100, abs=5e-5)


def test_the_command_prints_the_table_and_writes_the_picture(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    picture = tmp_path / "js.png"
    example.main(["--output=~/js.png", "--p=0.3"])
    assert example.table(0.3) in capsys.readouterr().out
    with Image.open(picture) as image:
        assert np.asarray(image.convert("L")).std() > 10.0  # something is drawn


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--p=0.5", "--p must be larger than 0 and below 0.5. Received: 0.5"),
        ("--p=nan", "--p must be larger than 0"),
        ("--output=absent/a.png", "that exists. Received: absent/a.png"),
        ("--output=a.pdf", "the name of a .png file"),
    ],
)
def test_an_argument_out_of_range_is_refused(argument, message, capsys):
    with pytest.raises(SystemExit):
        example.main([argument])
    assert message in capsys.readouterr().err

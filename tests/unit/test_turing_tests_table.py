"""Tallies beside the paper's votes, alone and in the comparison of many runs."""

import csv
import io
import json

import numpy as np
import pytest

from improved_gan_tf.pages import report
from improved_gan_tf.runs.finished_runs import generator_digest
from improved_gan_tf.scoring import human_evaluation, votes
from improved_gan_tf.tables import comparison, formats, one_turing_test, turing_tests
from tests.support.html_pages import Reader
from tests.support.written_runs import record, write_run
from tests.support.written_votes import content_of, write_page, write_votes


def cells(text, first):
    """The cells of the one line that starts with `first`, of the text format."""
    (line,) = [x for x in text.splitlines() if x.startswith(first)]
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


@pytest.fixture(autouse=True)
def _nothing_is_wrapped(monkeypatch):
    """Temporary folders have long names."""
    monkeypatch.setattr(formats, "WIDTH", 1000)


@pytest.fixture
def counted(tmp_path):
    page = write_page(tmp_path)
    write_votes(tmp_path, page, "a", wrong=(1, 2), person="Ana")
    write_votes(tmp_path, page, "b", wrong=(1, 3, 4, 20))
    return votes.tally(sorted(tmp_path.glob(votes.VOTES_PATTERN)))


def test_a_p_value_too_small_for_a_float_is_no_zero():
    assert turing_tests.p_text(human_evaluation.p_against_chance(1900, 2000)) == "<1e-300"
    assert turing_tests.p_text(0.0341) == "0.034"


# --- one page ------------------------------------------------------------------------------


def test_the_paper_stands_in_the_next_column_with_its_own_interval(counted):
    text = one_turing_test.text_of(counted)
    assert "paper, MNIST" in text
    # 34 of 40: Wilson.
    assert cells(text, "right %") == ["right %", "85.0 (70.9 to 92.9)", "52.4 (50.2 to 54.6)"]
    assert cells(text, "p, if guessed  ") == ["p, if guessed", "8.4e-06", "0.034"]
    assert cells(text, "real taken")[1:] == ["15.0 (5.2 to 36.0)"]
    assert cells(text, "wrong, over persons")[1:] == ["15.0 (10.0 to 20.0)"]
    assert cells(text, "votes") == ["votes", "40", "2,000"]
    assert cells(text, "persons") == ["persons", "2", "not said"]


def test_each_person_has_a_line(counted):
    text = one_turing_test.text_of(counted)
    assert cells(text, "Ana") == [
        *("Ana", "20", "90.0 (69.9 to 97.2)", "0.0004"),
        *("0.0 (0.0 to 27.8)", "20.0 (5.7 to 51.0)", "1.0"),
    ]
    assert cells(text, "(b)")[:3] == ["(b)", "20", "80.0 (58.4 to 91.9)"]


def test_a_slow_answer_does_not_move_the_median(tmp_path):
    page = write_page(tmp_path)
    answered = [
        vote | {"milliseconds": 21_000 if vote["image"] == 20 else 1000}
        for vote in content_of(page)["votes"]
    ]
    counted = votes.tally([write_votes(tmp_path, page, "a", person="Ana", votes=answered)])
    assert cells(one_turing_test.text_of(counted), "Ana")[-1] == "1.0"
    assert turing_tests.as_dict(counted)["persons"][0]["median_milliseconds"] == 1000.0


def test_the_interval_over_persons_is_drawn_by_the_seed_of_the_page(tmp_path):
    page = write_page(tmp_path, seed=5)
    files = [
        write_votes(tmp_path, page, name, wrong=range(1, 1 + wrong))
        for name, wrong in zip("abc", (7, 2, 4), strict=True)
    ]
    expected = human_evaluation.over_persons(np.array([0.1, 0.2, 0.35]), np.random.RandomState(5))
    assert votes.tally(files).over_persons == pytest.approx(expected)


def test_how_it_was_asked_is_said(tmp_path):
    best = {"share": 0.01, "num_candidates": 1000, "classifier": "cifar10.keras"}
    page = write_page(tmp_path, feedback=False, images_at_once=9, dataset="cifar10", best=best)
    text = one_turing_test.text_of(votes.tally([write_votes(tmp_path, page, "a")]))
    assert (
        "a: shown 9 at a time, told at the end only; how the paper asked its voters is not said"
        in text
    )
    assert "b: the best 1 % of 1,000 samples by cifar10.keras" in text
    assert "paper, CIFAR-10, best 1 %" in text
    assert cells(text, "right %")[2] == "71.4"
    assert cells(text, "votes")[2] == "not said"
    assert cells(text, "wrong, over persons")[1:] == ["one person"]


def test_other_samples_than_the_papers_are_said(tmp_path):
    page = write_page(tmp_path, model="feature_matching", differences=["epochs: 3 instead of 300"])
    text = one_turing_test.text_of(votes.tally([write_votes(tmp_path, page, "a")]))
    assert "b: not the paper's setting: epochs: 3 instead of 300" in text
    assert "c: samples of feature_matching; the paper's are of minibatch_discrimination" in text


def test_samples_of_no_model_are_named_by_where_they_are_from(tmp_path):
    page = write_page(tmp_path, model=None, generated="10 pictures in some folder")
    text = one_turing_test.text_of(votes.tally([write_votes(tmp_path, page, "a")]))
    assert "samples of 10 pictures in some folder; the paper's are of minibatch" in text


def test_where_the_paper_has_no_votes_its_column_is_empty(tmp_path):
    page = write_page(tmp_path, dataset="svhn")
    counted = votes.tally([write_votes(tmp_path, page, "a")])
    assert cells(one_turing_test.text_of(counted), "right %") == [
        "right %",
        "100.0 (83.9 to 100.0)",
    ]
    assert "paper:" not in one_turing_test.text_of(counted, "csv")


def test_markdown_is_a_heading_and_pipe_tables(counted):
    text = one_turing_test.text_of(counted, "markdown")
    assert text.startswith("### Visual Turing test of runs/some (page ")
    assert "### Each person" in text
    assert "| right %  " in text


def test_a_name_does_not_break_a_markdown_table(tmp_path):
    page = write_page(tmp_path)
    path = write_votes(tmp_path, page, "a", person="A | B\tC")
    text = one_turing_test.text_of(votes.tally([path]), "markdown")
    assert "| A \\| B C |" in text


def test_csv_has_a_line_for_each_person_one_for_all_and_one_for_the_paper(counted):
    rows = list(csv.DictReader(io.StringIO(one_turing_test.text_of(counted, "csv"))))
    lines = [("person", "Ana"), ("person", "(b)"), ("all", ""), ("paper", "MNIST")]
    assert [(row["of"], row["who"]) for row in rows] == lines
    assert [row["votes"] for row in rows] == ["20", "20", "40", "2000"]
    assert float(rows[2]["right_percent"]) == 85
    assert float(rows[3]["right_low"]) == pytest.approx(50.2087, abs=1e-4)
    assert float(rows[3]["p_value"]) == pytest.approx(0.0336, abs=1e-4)
    assert float(rows[2]["wrong_over_persons_percent"]) == pytest.approx(15)


def test_json_has_everything(counted):
    content = json.loads(one_turing_test.text_of(counted, "json"))
    assert content["pooled"]["right"]["count"] == 34
    assert content["over_persons"]["num_persons"] == 2
    assert [p["person"] for p in content["persons"]] == ["Ana", ""]
    assert content["persons"][0]["median_milliseconds"] == 1010.5
    assert content["page"] == counted.page.digest
    assert content["paper"]["MNIST"]["right"] == 1048
    assert content["paper"]["CIFAR-10"] == {"percent_right": 78.7, "votes": None, "right": None}


# --- many runs -----------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path):
    """A run with a page, on which one person voted, and a file of votes that is not right."""
    folder = write_run(tmp_path / "run", record(model="minibatch_discrimination"))
    (folder / "generator.keras").write_bytes(b"voted on")
    page = write_page(folder / "turing_test", generator_sha256=generator_digest(folder))
    write_votes(folder / "turing_test", page, "a", wrong=(1, 2))
    (folder / "turing_test" / "votes-bad.json").write_text("{")
    return folder


def test_compare_prints_tallies_in_a_table_of_their_own(run):
    text = formats.text_of(comparison.Comparison([run]))
    assert turing_tests.TITLE in text
    assert cells(text, f"{run}/turing_test  ")[1:6] == [
        *("20", "1", "90.0 (69.9 to 97.2)", "0.0004", "0.0 (0.0 to 27.8)"),
    ]
    assert cells(text, f"{run}/turing_test  ")[7:] == ["52.4 (50.2 to 54.6)", "a"]
    assert cells(text, "paper: MNIST") == [
        *("paper: MNIST", "2000", "not said", "52.4 (50.2 to 54.6)", "0.034")
    ]
    assert cells(text, "paper: CIFAR-10, best 1 %")[1:] == ["not said", "not said", "71.4"]
    assert f"{run}/turing_test/votes-bad.json: not votes of this package" in text


def test_the_table_is_left_out_of_measured_tables_where_nobody_voted(tmp_path):
    write_run(tmp_path / "run")
    found = comparison.Comparison([tmp_path])
    assert turing_tests.TITLE not in formats.text_of(found)


def test_json_of_compare_has_the_tallies(run):
    content = json.loads(formats.text_of(comparison.Comparison([run]), "json"))
    (found,) = content["turing_tests"]
    assert found["pooled"]["right"]["count"] == 18
    assert content["paper_turing_tests"]["MNIST"]["votes"] == 2000


def test_votes_on_samples_of_a_generator_that_was_replaced_do_not_count(run):
    (run / "generator.keras").write_bytes(b"trained on")
    text = formats.text_of(comparison.Comparison([run]))
    assert f"{run}/turing_test: of another generator than the one in the run folder now" in text
    assert "90.0" not in text


def test_a_page_whose_key_was_changed_is_named(run):
    key = run / "turing_test" / votes.KEY_NAME
    key.write_text(key.read_text().replace('"seed": 1', '"seed": 2'))
    text = formats.text_of(comparison.Comparison([run]))
    assert f"{run}/turing_test: the key was changed" in text


# --- the report ----------------------------------------------------------------------------


def test_the_report_links_to_the_page_of_a_run_from_where_it_stands(run, tmp_path):
    folder = tmp_path / "a folder"
    folder.mkdir()
    text = report.page(comparison.Comparison([run]), ledger=tmp_path / "none", folder=folder)
    reader = Reader(text)
    links = [v for tag, k, v in reader.attributes if (tag, k) == ("a", "href") and v[0] != "#"]
    assert links == ["../run/turing_test/turing_test.html"]
    assert (folder / links[0]).resolve().is_file()
    assert turing_tests.TITLE in reader.words


def test_a_report_about_runs_without_a_page_has_no_such_link(tmp_path):
    write_run(tmp_path / "run")
    text = report.page(comparison.Comparison([tmp_path]), ledger=tmp_path / "none")
    assert "Visual Turing test" not in text

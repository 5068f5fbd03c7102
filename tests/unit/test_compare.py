"""What `python -m improved_gan_tf.compare` prints, in its four formats."""

import csv
import io
import json
import sys

import numpy as np
import pytest

import run_cifar10
from improved_gan_tf import compare, paper
from improved_gan_tf.runs import finished_runs
from improved_gan_tf.tables import comparison, formats, inception_scores
from tests.support.written_runs import record, result_of, write_imagenet_run, write_run


def columns(line):
    """The cells of a line of the text format, by the positions of the ruler above it."""
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def printed(paths, **options):
    return formats.text_of(comparison.Comparison(paths), **options)


def table_line(text, *starts):
    (line,) = [x for x in text.splitlines() if columns(x)[: len(starts)] == list(starts)]
    return columns(line)


@pytest.fixture(autouse=True)
def _nothing_is_wrapped(monkeypatch):
    """Temporary folders have long names."""
    monkeypatch.setattr(formats, "WIDTH", 1000)


@pytest.fixture
def two_runs(tmp_path):
    """Two full runs of 100 labels with predictions, one baseline, and a folder left out."""
    labels = np.arange(10_000) % 10
    for seed, wrong in ((1, 90), (2, 110)):
        answers = labels.copy()
        answers[:wrong] = (answers[:wrong] + 1) % 10
        logits = np.eye(10, dtype="float32")[answers]
        write_run(
            tmp_path / f"seed{seed}",
            record(seed=seed, seed_data=10 + seed),
            predictions={"logits_averaged": logits, "logits_raw": logits, "labels": labels},
            averaged=wrong,
            raw=wrong,
        )
    write_run(
        tmp_path / "seed1" / "supervised_only",
        record(supervised_only=True, seed_data=11),
        averaged=1590,
        differences_from_paper=["a supervised-only baseline, which the paper does not report"],
    )
    write_run(tmp_path / "seed3", record(seed=3), status="diverged")
    return tmp_path


# --- text ----------------------------------------------------------------------------------


def test_a_row_sets_the_measured_number_beside_the_papers(two_runs):
    line = table_line(printed([two_runs]), "100", "feature_matching", "averaged *")
    # 90 and 110 of 10,000: mean 1.00, sd sqrt(2) / 10 (per cent).
    # Together 90 wrong, and 2 of 20 ties that go to the wrong class.
    # (1 - 0.93) / sqrt(0.02 / 2 + 0.065^2 / 10) = 0.69
    assert line[3:] == [
        *("1.00 +- 0.14", "0.93 +- 0.065", "2", "0.92 (of 2)", "0.86 +- 0.056", "+0.7")
    ]


def test_the_raw_parameters_stand_without_the_papers_number(two_runs):
    line = table_line(printed([two_runs]), "100", "feature_matching", "raw")
    assert line[3:] == ["1.00 +- 0.14", "2", "0.92 (of 2)"]


def test_the_baseline_has_a_row_and_a_paired_difference(two_runs):
    text = printed([two_runs])
    assert table_line(text, "100", "supervised only", "averaged *")[3:] == ["15.90", "1", "a"]
    assert (
        "a: its error minus that of the runs with unlabeled images: 15.00 points, over 1 pair of "
        "the same labels and initial weights"
    ) in text


def test_every_number_of_the_paper_is_in_the_tables(two_runs):
    text = printed([two_runs], everything=True)
    for dataset, num_labels in paper.TEST_ERRORS:
        for result in paper.error_percent(dataset, num_labels, "feature_matching"):
            assert result is None or comparison.mean_and_spread(*result) in text
    for name, result in paper.INCEPTION_SCORES.items():
        assert str(result) in " ".join(table_line(text, f"paper: {name}"))
    assert table_line(text, "500")[2:5] == ["not measured", "18.44 +- 4.80", "0"]


def test_tables_without_runs_are_left_out(two_runs):
    text = printed([two_runs])
    assert "MNIST" in text
    assert "SVHN" not in text
    assert "Inception" not in text


def test_what_the_numbers_mean_is_said(two_runs):
    text = printed([two_runs])
    assert "divides by n - 1" in text
    assert "class probabilities averaged" in text
    assert "the paper does not say how" in text


def test_folders_that_do_not_count_are_named(two_runs):
    assert printed([two_runs]).splitlines()[-2:] == [
        "",
        f"{two_runs}/seed3: diverged after 300 epochs",
    ]


def test_a_run_on_data_that_no_table_is_about_is_named(tmp_path):
    write_imagenet_run(tmp_path / "run")
    text = printed([tmp_path])
    assert f"{tmp_path}/run: the paper has no table of test errors on imagenet" in text
    assert "made with: no runs" in text


def test_settings_that_are_not_the_papers_are_said_and_the_distance_is_in_parentheses(tmp_path):
    for seed in (1, 2):
        write_run(
            tmp_path / f"seed{seed}",
            record(seed=seed, seed_data=seed, epochs=30),
            averaged=100 + seed,
            differences_from_paper=["epochs: 30 instead of 300"],
        )
    text = printed([tmp_path])
    line = table_line(text, "100", "feature_matching", "averaged *")
    assert line[-2].startswith("(+")
    assert f"{line[-1]}: not the paper's setting: epochs: 30 instead of 300" in text


def test_collapsed_runs_are_told_with_their_seeds(tmp_path):
    for seed, epoch, recovered in ((4, 10, None), (5, None, None), (6, 10, 20)):
        folder = write_run(tmp_path / f"seed{seed}", record(seed=seed, seed_data=seed))
        result = json.loads((folder / "result.json").read_text())
        result["final"] |= {"collapsed_at_epoch": epoch, "recovered_at_epoch": recovered}
        (folder / "result.json").write_text(json.dumps(result))
    text = printed([tmp_path])
    letter = table_line(text, "100", "feature_matching", "raw")[-1]
    assert f"{letter}: 2 of 3 runs collapsed (seed 4, 6), but seed 6 recovered" in text


def test_runs_on_the_same_choice_of_labels_are_told(tmp_path):
    for seed in (1, 2):
        write_run(tmp_path / f"seed{seed}", record(seed=seed, seed_data=1))
    assert "2 runs on the same labeled images" in printed([tmp_path])


def test_seeds_choose_the_labels_where_nothing_else_does(tmp_path):
    for seed in (1, 2):
        write_run(tmp_path / str(seed), record(seed=seed, seed_data=None))
    assert "same labeled images" not in printed([tmp_path])


def test_runs_with_different_settings_have_rows_of_their_own(tmp_path):
    write_run(tmp_path / "a", record(epochs=20))
    write_run(tmp_path / "b", record(epochs=30))
    text = printed([tmp_path])
    assert table_line(text, "100", "feature_matching, epochs=20", "averaged *")[5] == "1"
    assert table_line(text, "100", "feature_matching, epochs=30", "averaged *")[5] == "1"


def test_libraries_and_commits_are_named(two_runs):
    assert "git_commit 00000000" in printed([two_runs])


def test_every_commit_that_trained_a_run_is_named_and_whether_it_had_changes(tmp_path):
    earlier = [{"improved_gan_tf": "0", "git_commit": "1" * 40}]
    versions = result_of(record())["versions"] | {"git_commit": "2" * 40 + "+changes"}
    write_run(tmp_path / "a", versions=versions, earlier_versions=earlier)
    write_run(tmp_path / "b", record(seed=2))
    assert "git_commit 11111111, 22222222+changes, 00000000" in printed([tmp_path])


@pytest.mark.parametrize(
    ("mean", "spread", "text"),
    [(16.77, 4.52, "16.77 +- 4.52"), (0.93, 0.065, "0.93 +- 0.065"), (1.5, None, "1.50")],
)
def test_spreads_below_a_tenth_keep_two_digits(mean, spread, text):
    assert comparison.mean_and_spread(mean, spread) == text


# --- Markdown, CSV, JSON -------------------------------------------------------------------


def test_markdown_has_a_heading_and_a_pipe_table(two_runs):
    text = printed([two_runs], table_format="markdown")
    assert "### MNIST (the paper's Table 1)" in text
    rows = [x for x in text.splitlines() if x.startswith("| 100 ")]
    assert [c.strip() for c in rows[0].split("|")][1:7] == [
        "100",
        "feature_matching",
        "averaged *",
        "1.00 +- 0.14",
        "0.93 +- 0.065",
        "2",
    ]
    assert "\n- a: its error minus" in text


def test_csv_has_numbers_in_columns_of_their_own(two_runs):
    rows = list(csv.DictReader(io.StringIO(printed([two_runs], table_format="csv"))))
    (row,) = [r for r in rows if (r["num_labels"], r["parameters"]) == ("100", "averaged")][:1]
    assert (float(row["mean_percent"]), float(row["paper_mean_percent"])) == (1.0, 0.93)
    assert float(row["std_percent"]) == pytest.approx(np.std([0.9, 1.1], ddof=1))
    assert float(row["paper_std_percent"]) == 0.065
    ensemble = (float(row[f"paper_ensemble_{name}_percent"]) for name in ("mean", "std"))
    assert tuple(ensemble) == (0.86, 0.056)
    assert row["comparable_with_paper"] == "True"
    assert {r["dataset"] for r in rows} == {"mnist"}
    everything = printed([two_runs], table_format="csv", everything=True)
    rows = list(csv.DictReader(io.StringIO(everything)))
    assert {r["dataset"] for r in rows} == {"mnist", "cifar10", "svhn"}


def test_json_names_the_runs_behind_each_number(two_runs):
    content = json.loads(printed([two_runs], table_format="json"))
    row = next(r for r in content["tables"]["mnist"] if r["num_runs"] == 2)
    assert row["percent"] == [0.9, 1.1]
    assert [run["seed"] for run in row["runs"]] == [1, 2]
    assert [run["seed_data"] for run in row["runs"]] == [11, 12]
    assert row["ensemble_percent"] == 0.92
    assert content["left_out"][0]["reason"] == "diverged after 300 epochs"
    assert content["paper_inception_scores"]["Our methods"] == {"mean": 8.09, "spread": 0.07}


# --- Inception scores ----------------------------------------------------------------------

SCORE = {
    "kind": "inception_score",
    "classifier": "mnist_classifier.keras",
    "mean": 8.125,
    "std": 0.25,
    "num_samples": 50_000,
    "num_splits": 10,
    "comparable_with_paper": False,
    "why_not": ["another classifier"],
}


def test_a_score_in_a_run_folder_has_a_row_with_what_keeps_it_from_the_paper(two_runs):
    (two_runs / "seed1" / "score.json").write_text(json.dumps(SCORE))
    text = printed([two_runs])
    line = table_line(text, f"{two_runs}/seed1", "mnist_classifier.keras")
    assert line[2:] == ["8.12 +- 0.25", "50000", "10", "a"]
    assert "a: not the paper's measurement: another classifier" in text


def test_the_papers_measurement_of_a_row_of_its_table_stands_beside_its_number(tmp_path):
    run = write_run(tmp_path / "run", record(ablation="no_labels"))
    comparable = {"comparable_with_paper": True, "why_not": [], "frechet": {"distance": 31.26}}
    (run / "score.json").write_text(json.dumps(SCORE | comparable))
    line = table_line(printed([tmp_path]), f"{run} (-L)")
    assert line[2:] == ["8.12 +- 0.25", "4.36 +- 0.04", "50000", "10", "31.26"]
    # Measured otherwise, it does not stand beside the paper's.
    (run / "score.json").write_text(json.dumps(SCORE))
    line = table_line(printed([tmp_path]), f"{run} (-L)")
    assert line[2:6] == ["8.12 +- 0.25", "50000", "10", "a"]


def test_a_row_of_table_3_stands_beside_its_inception_score_until_it_is_scored_too(tmp_path):
    run = write_run(tmp_path / "run", record(ablation="our_methods"))
    text = printed([tmp_path])
    assert table_line(text, f"{run} (Our methods)")[1:] == ["not scored", "8.09 +- 0.07", "a"]
    assert "a: `improved-gan score RUN_DIR --classifier=...` measures it" in text
    assert "no baseline" not in text  # Table 3 has no test errors to compare with


def test_the_baseline_of_a_row_of_table_3_has_no_samples_to_score(tmp_path):
    write_run(tmp_path / "run", record(ablation="our_methods"))
    config = record(ablation="our_methods", supervised_only=True)
    base = write_run(tmp_path / "run" / "supervised_only", config)
    text = printed([tmp_path])
    assert "not scored" in text
    assert f"{base} (" not in text
    (base / "score.json").write_text(json.dumps(SCORE))
    assert f"{base} (Our methods)" not in printed([tmp_path])


def test_every_row_of_the_scripts_ablations_is_one_of_the_papers():
    assert list(inception_scores.PAPER_ROWS) == list(run_cifar10.ABLATIONS)
    assert ["real data", *inception_scores.PAPER_ROWS.values()] == list(paper.INCEPTION_SCORES)


def test_a_damaged_score_is_named(two_runs):
    (two_runs / "seed1" / "score.json").write_text('{"kind": "inception_score"}')
    assert f"{two_runs}/seed1/score.json: not a score of this package" in printed([two_runs])


def test_a_score_of_a_generator_that_was_replaced_is_left_out(two_runs):
    run = two_runs / "seed1"
    (run / "generator.keras").write_bytes(b"scored")
    scored = {"generator_sha256": finished_runs.generator_digest(run)}
    (run / "score.json").write_text(json.dumps(SCORE | scored))
    assert table_line(printed([two_runs]), f"{run}", "mnist_classifier.keras")
    (run / "generator.keras").write_bytes(b"trained on")
    text = printed([two_runs])
    assert f"{run}/score.json: of another generator than the one next to it now" in text
    assert "8.12" not in text


# --- the width of text ---------------------------------------------------------------------


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(formats, "WIDTH", 120)


def test_text_fits_120_columns(tmp_path, terminal):
    long = "a-folder-whose-name-is-longer-than-a-line-of-most-terminals-" * 3
    runs = [
        write_run(
            tmp_path / long / str(number),
            record(epochs=number, learning_rate=0.01 * number, ablation="our_methods"),
            differences_from_paper=["data: " + "many words " * 30],
        )
        for number in (10, 20)
    ]
    (runs[0] / "score.json").write_text(json.dumps(SCORE))
    text = printed([tmp_path], everything=True)
    table, *_ = text.split("Inception scores")
    assert max(map(len, table.splitlines())) <= 120
    lines = [line for line in text.splitlines() if str(tmp_path)[:20] not in line]
    assert max(map(len, lines)) <= 120


def test_a_long_cell_is_broken_where_a_word_ends(monkeypatch):
    monkeypatch.setattr(formats, "WIDTH", 28)
    cell = "ablation=labels_to_historical_averaging, learning_rate=0.01, 50,000 images"
    lines = formats.text_table(("a long header",), [(cell,)]).splitlines()
    assert [line.rstrip() for line in lines] == [
        "a long header",
        "-" * 28,
        "ablation=labels_to_",
        "historical_averaging,",
        "learning_rate=0.01, 50,000",
        "images",
    ]


# --- the command ---------------------------------------------------------------------------


def test_the_command_prints_the_tables(two_runs, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["compare", str(two_runs), "--format=csv"])
    compare.main()
    printed_text = capsys.readouterr()
    assert printed_text.out.startswith("dataset,num_labels,")
    seed3 = two_runs / "seed3"
    assert printed_text.err == f"left out: {seed3}: diverged after 300 epochs\n"


def test_what_csv_leaves_out_is_told(two_runs, capsys):
    (two_runs / "seed1" / "score.json").write_text(json.dumps(SCORE))
    compare.main([str(two_runs), "--format=csv"])
    told = "not in CSV: 1 Inception scores and 0 visual Turing tests; --format=json has them\n"
    assert told in capsys.readouterr().err


def test_in_markdown_a_bar_in_a_cell_parts_none():
    _, table = formats.table_blocks("", ["a", "b"], [["x|y", "z"]], comparison.Notes(), True)
    assert "x\\|y" in table
    _, table = formats.table_blocks("", ["a", "b"], [["x|y", "z"]], comparison.Notes(), False)
    assert "x|y" in table


def test_all_prints_every_table(two_runs, capsys):
    for arguments, tables in (([], 1), (["--all"], 4)):
        compare.main([str(two_runs), *arguments])
        assert capsys.readouterr().out.count("(the paper's ") == tables


def test_a_folder_without_runs_is_a_users_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["compare", str(tmp_path)])
    with pytest.raises(SystemExit) as caught:
        compare.main()
    assert caught.value.code == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path} holds no run folder: no config.json or result.json in it or below it.\n"
    )

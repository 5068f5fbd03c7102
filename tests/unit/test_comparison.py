"""Statistics against scipy and hand-computed cases; which runs share a cell; ensembles."""

import dataclasses
import math
import tokenize
import zlib

import numpy as np
import pytest
import scipy.stats

from improved_gan_tf import paper
from improved_gan_tf.runs.finished_runs import read_run, read_runs
from improved_gan_tf.settings import images
from improved_gan_tf.tables import cells as table_cells
from improved_gan_tf.tables import ensembles, statistics
from improved_gan_tf.tables import rows as comparison
from improved_gan_tf.tables.comparison import note_texts
from run_images import EXPERIMENT
from tests.support.written_runs import record, write_run

# --- statistics ----------------------------------------------------------------------------


def test_mean_and_sample_standard_deviation_of_a_hand_computed_case():
    # Deviations -3, -1, 4: squares 9 + 1 + 16 = 26, over n - 1 = 2.
    summary = statistics.summarize([2, 4, 9])
    assert (summary.values, summary.mean) == ((2.0, 4.0, 9.0), 5.0)
    assert summary.std == pytest.approx(math.sqrt(13.0), rel=1e-15)


def test_one_run_has_no_standard_deviation():
    assert statistics.summarize([7]) == ((7.0,), 7.0, None)


def test_mean_and_standard_deviation_are_scipys():
    values = np.random.RandomState(0).normal(5, 2, 10)
    described = scipy.stats.describe(values, ddof=1)
    summary = statistics.summarize(values)
    assert summary.mean == pytest.approx(described.mean, rel=1e-13)
    assert summary.std == pytest.approx(math.sqrt(described.variance), rel=1e-13)


def test_equal_results_have_no_spread_and_still_a_distance_from_the_paper():
    assert statistics.summarize([0.93] * 7).std == 0.0  # whose mean is rounded
    summary = statistics.summarize([2.0, 2.0])
    assert summary.std == 0.0
    apart = statistics.standard_errors_apart(summary, paper.PaperResult(1.0, 0.1))
    assert apart == pytest.approx(1.0 / math.sqrt(0.01 / 10))


def test_the_difference_in_standard_errors_is_the_docstrings_formula():
    summary, published = statistics.summarize([1.0, 2.0, 3.0]), paper.PaperResult(0.5, 0.3)
    # sd = 1, n = 3: 1.5 / sqrt(1/3 + 0.09/10).
    expected = 1.5 / math.sqrt(1.0 / 3.0 + 0.009)
    assert statistics.standard_errors_apart(summary, published) == pytest.approx(expected)


def test_the_difference_is_welchs_statistic_of_two_samples():
    random = np.random.RandomState(1)
    ours, theirs = random.normal(1, 1, 6), random.normal(0, 3, 10)
    published = paper.PaperResult(np.mean(theirs), np.std(theirs, ddof=1))
    apart = statistics.standard_errors_apart(statistics.summarize(ours), published)
    expected = scipy.stats.ttest_ind(ours, theirs, equal_var=False).statistic
    assert apart == pytest.approx(expected, rel=1e-12)


def test_a_better_result_lies_below_the_papers():
    summary = statistics.summarize([0.1, 0.2])
    assert statistics.standard_errors_apart(summary, paper.PaperResult(0.9, 0.1)) < 0


def test_one_run_is_no_distance_from_the_paper():
    one = statistics.summarize([1.0])
    assert statistics.standard_errors_apart(one, paper.PaperResult(0.9, 0.1)) is None


def test_an_ensemble_averages_probabilities_not_logits():
    confident = np.log([[0.999, 0.001]])
    unsure = np.log([[0.4, 0.6]])
    mean = ensembles.average_probabilities([confident, unsure])
    np.testing.assert_allclose(mean, [[0.6995, 0.3005]], rtol=1e-12)
    huge = np.array([[0.0, 30.0]])  # mean logits: class 1; mean probabilities: class 0
    sure = [np.log([[0.9, 0.1]])] * 2
    assert ensembles.ensemble_wrong([huge, *sure], np.array([0])) == 0
    assert np.argmax(np.mean([huge, *sure], axis=0)) == 1


def test_probabilities_of_large_logits_are_finite():
    mean = ensembles.average_probabilities([np.array([[1e4, -1e4]], "float32")])
    np.testing.assert_array_equal(mean, [[1.0, 0.0]])


# --- cells ---------------------------------------------------------------------------------


def runs_of(tmp_path, *configs, **result):
    for number, config in enumerate(configs):
        write_run(tmp_path / f"run{number}", config, **result)
    return read_runs([tmp_path])[0]


def test_seeds_and_bookkeeping_do_not_part_a_cell(tmp_path):
    runs = runs_of(
        tmp_path,
        record(seed=1, seed_data=1, run_dir="a", data_dir="x"),
        record(seed=2, seed_data=5, run_dir="b", evaluate_every=10, with_baseline=True),
        record(seed=3, seed_data=3, supervised_only=True),
    )
    (cell,) = table_cells.cells(runs)
    assert [run.config.seed for run in cell.runs] == [1, 2]
    assert [run.config.seed for run in cell.baselines] == [3]


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 299},
        {"learning_rate": 0.001},
        {"labels_per_class": 5},
        {"width_multiplier": 0.5},
        {"seed_data": None},
        {"data_source": "sample"},
        {"recipe": "first_release"},
    ],
)
def test_another_setting_parts_a_cell(tmp_path, change):
    runs = runs_of(tmp_path, record(), record(seed=2, **change))
    assert [len(cell.runs) for cell in table_cells.cells(runs)] == [1, 1]


def test_cells_stand_in_the_order_of_labels_technique_and_settings(tmp_path):
    minibatch = {"model": "minibatch_discrimination", "recipe": "removed_script"}
    records = (
        record(labels_per_class=20),
        record(**minibatch),
        record(epochs=100),
        record(epochs=30),
        record(epochs=4),
        record(labels_per_class=2),
    )
    found = [cell.config for cell in table_cells.cells(runs_of(tmp_path, *records))]
    assert [(c.labels_per_class, c.model, c.epochs) for c in found] == [
        (2, "feature_matching", 300),
        *((10, "feature_matching", epochs) for epochs in (4, 30, 100)),
        (10, "minibatch_discrimination", 300),
        (20, "feature_matching", 300),
    ]


def test_other_data_part_a_cell(tmp_path):
    write_run(tmp_path / "a")
    write_run(tmp_path / "b", record(seed=2), differences_from_paper=["data: PARTIAL"])
    write_run(tmp_path / "c", record(seed=3), count=1000)
    assert len(table_cells.cells(read_runs([tmp_path])[0])) == 3


def test_other_images_of_one_description_part_a_cell_and_the_rows_say_which(tmp_path):
    photos = ["data: photos (60 training images)"]
    for seed, digest in ((1, "aa"), (2, "aa"), (3, "bb"), (4, None)):
        known = {"circumstances": {"digest of the images": digest}} if digest else {}
        write_run(tmp_path / str(seed), record(seed=seed), differences_from_paper=photos, **known)
    averaged = [row for row in rows_of(tmp_path) if row.parameters == "averaged"]
    assert [(len(row.runs), row.differences) for row in averaged] == [
        (2, (*photos, "images: digest aa")),
        (1, (*photos, "images: digest bb")),
        (1, (*photos, "images: no digest is known")),
    ]
    same = table_cells.cells(read_runs([tmp_path / "1", tmp_path / "2"])[0])
    told = [row.differences for row in comparison.rows("mnist", same) if row.runs]
    assert told == [tuple(photos)] * 2


def test_the_papers_data_are_the_same_with_a_digest_and_without(tmp_path):
    write_run(tmp_path / "a", circumstances={"digest of the images": "aa"})
    write_run(tmp_path / "b", record(seed=2))
    assert len(table_cells.cells(read_runs([tmp_path])[0])) == 1


def test_another_number_of_local_batches_parts_a_cell(tmp_path):
    for replicas, strategy in ((2, "mirrored"), (4, "mirrored"), (2, "multi_worker")):
        text = f"cross_replica: local, {replicas} replicas with a batch each"
        write_run(
            tmp_path / f"{strategy}{replicas}",
            record(
                cross_replica="local",
                strategy=strategy,
                num_devices=replicas if strategy == "mirrored" else None,
            ),
            differences_from_paper=[text],
        )
    runs, left_out = read_runs([tmp_path])
    # How the two replicas were made decides nothing: one of those runs is the other again.
    assert [len(cell.runs) for cell in table_cells.cells(runs)] == [1, 1]
    assert [folder.path.name for folder in left_out] == ["multi_worker2"]


def test_cells_are_told_apart_by_as_few_settings_as_do_it(tmp_path):
    first = {"recipe": "first_release", "learning_rate": 0.001, "averaging_rate": 0.0}
    runs = runs_of(tmp_path, record(), record(**first), record(**first, epochs=30))
    assert table_cells.telling_settings(table_cells.cells(runs)) == [
        "recipe=first_release, epochs=30",
        "recipe=first_release, epochs=300",
        "recipe=released, epochs=300",
    ]


def test_cells_of_other_label_counts_say_it_too_if_another_recipe_trained_them(tmp_path):
    runs = runs_of(tmp_path, record(), record(labels_per_class=20, recipe="first_release"))
    told = table_cells.telling_settings(table_cells.cells(runs))
    assert told == ["recipe=released", "recipe=first_release"]


def test_cells_that_differ_in_their_label_counts_alone_need_no_telling(tmp_path):
    runs = runs_of(tmp_path, record(), record(labels_per_class=20))
    assert table_cells.telling_settings(table_cells.cells(runs)) == ["", ""]


def test_a_network_stands_for_all_that_comes_with_it():
    configs = [
        images.resolved(dataclasses.replace(EXPERIMENT, network=n), (28, 28, 1), ("a", "b"), 90, 9)
        for n in images.NETWORKS
    ]
    told = table_cells.telling_settings([table_cells.Cell(c, 10, (), ()) for c in configs])
    assert told == ["network=dense", "network=convolutional"]


def test_cells_that_differ_in_how_labels_are_chosen_say_so(tmp_path):
    runs = runs_of(tmp_path, record(seed_data=None), record(seed=2))
    told = table_cells.telling_settings(table_cells.cells(runs))
    assert sorted(told) == ["seed_data=as seed", "seed_data=its own"]


def test_a_single_cell_needs_no_telling(tmp_path):
    assert table_cells.telling_settings(table_cells.cells(runs_of(tmp_path, record()))) == [""]


# --- rows ----------------------------------------------------------------------------------


def rows_of(tmp_path, **given):
    cells = table_cells.cells(read_runs([tmp_path])[0])
    rows = comparison.rows("mnist", cells)
    return [row for row in rows if all(getattr(row, k) == v for k, v in given.items())]


def three_seeds(tmp_path, **result):
    for seed, wrong in ((1, 100), (2, 120), (3, 140)):
        config = record(seed=seed, seed_data=seed)
        write_run(tmp_path / f"seed{seed}", config, averaged=wrong, raw=wrong + 7, **result)


def test_a_row_has_the_runs_mean_beside_the_papers(tmp_path):
    three_seeds(tmp_path)
    (row,) = rows_of(tmp_path, num_labels=100, parameters="averaged")
    assert row.error == ((1.0, 1.2, 1.4), pytest.approx(1.2), pytest.approx(0.2))
    assert row.paper == (0.93, 0.065)
    assert row.paper_ensemble == (0.86, 0.056)
    assert row.comparable
    assert row.apart == pytest.approx(0.27 / math.sqrt(0.04 / 3 + 0.065**2 / 10))


def test_the_papers_number_keeps_its_row_where_only_another_game_ran(tmp_path):
    write_run(tmp_path / "run", record(model="minibatch_discrimination"))
    found = comparison.rows("mnist", table_cells.cells(read_runs([tmp_path])[0]))
    (papers,) = [r for r in found if r.num_labels == 100 and r.paper is not None]
    assert (papers.method, papers.paper.mean, papers.runs) == ("feature_matching", 0.93, ())


def test_baselines_of_several_models_name_theirs(tmp_path):
    for model in ("feature_matching", "minibatch_discrimination"):
        place = tmp_path / model
        write_run(place, record(model=model))
        write_run(place / "supervised_only", record(model=model, supervised_only=True))
    told = {
        row.settings for row in rows_of(tmp_path, method=comparison.SUPERVISED_ONLY) if row.runs
    }
    assert told == {"model=feature_matching", "model=minibatch_discrimination"}
    assert {row.settings for row in rows_of(tmp_path, method="feature_matching")} == {""}


def test_errors_of_runs_without_labels_say_that_they_mean_nothing(tmp_path):
    write_run(tmp_path / "run", record(supervised_weight=0.0))
    for row in rows_of(tmp_path, method="feature_matching", num_labels=100):
        assert "trained without labels: its test errors mean nothing" in note_texts(row)
    assert rows_of(tmp_path, method=comparison.SUPERVISED_ONLY) == []  # none can be trained


def test_the_raw_parameters_do_not_stand_beside_the_paper_where_an_average_is_tested(tmp_path):
    three_seeds(tmp_path)
    (row,) = rows_of(tmp_path, num_labels=100, parameters="raw")
    assert (row.papers_measure, row.paper, row.apart, row.comparable) == (False, None, None, False)
    assert row.error.mean == pytest.approx(1.27)


def test_without_an_average_the_raw_parameters_are_the_papers_measure(tmp_path):
    write_run(tmp_path, averaged=None)
    (row,) = rows_of(tmp_path, num_labels=100, method="feature_matching")
    assert (row.parameters, row.papers_measure, row.comparable) == ("raw", True, True)


def test_other_settings_are_not_comparable_but_their_distance_is_known(tmp_path):
    three_seeds(tmp_path, differences_from_paper=["epochs: 30 instead of 300"])
    (row,) = rows_of(tmp_path, num_labels=100, parameters="averaged")
    assert not row.comparable
    assert row.differences == ("epochs: 30 instead of 300",)
    assert row.apart > 0


def test_other_data_have_no_distance_from_the_paper(tmp_path):
    three_seeds(tmp_path, differences_from_paper=["data: MNIST sample"])
    (row,) = rows_of(tmp_path, num_labels=100, parameters="averaged")
    assert row.apart is None


def test_every_number_of_the_paper_has_a_row(tmp_path):
    write_run(tmp_path)
    unmeasured = rows_of(tmp_path, runs=(), method="feature_matching")
    assert [(row.num_labels, row.paper.mean) for row in unmeasured] == [
        (20, 16.77),
        (50, 2.21),
        (200, 0.90),
    ]
    assert not any(row.comparable for row in unmeasured)


def test_a_cell_without_baseline_has_a_row_that_says_so(tmp_path):
    write_run(tmp_path)
    (row,) = rows_of(tmp_path, method="supervised only")
    assert (row.num_labels, row.runs, row.error, row.paper) == (100, (), None, None)


def test_the_gain_pairs_runs_of_equal_seeds(tmp_path):
    three_seeds(tmp_path)
    for seed, wrong in ((3, 1140), (2, 1320), (9, 5000)):
        config = record(seed=seed, seed_data=seed, supervised_only=True)
        write_run(tmp_path / f"baseline{seed}", config, averaged=wrong)
    (row,) = rows_of(tmp_path, method="supervised only", parameters="averaged")
    # Seed 2: 13.2 - 1.2 = 12; seed 3: 11.4 - 1.4 = 10; seed 9 has no run with unlabeled images.
    assert row.gain.values == (pytest.approx(12.0), pytest.approx(10.0))
    assert row.gain.mean == pytest.approx(11.0)
    assert len(row.error.values) == 3


def test_minibatch_discrimination_has_no_number_in_the_paper(tmp_path):
    write_run(tmp_path, record(model="minibatch_discrimination"))
    row = rows_of(tmp_path, method="minibatch_discrimination", parameters="averaged")[0]
    assert (row.paper, row.comparable, row.apart) == (None, False, None)


def test_collapsed_runs_count_and_are_known(tmp_path):
    folder = write_run(tmp_path)
    text = (folder / "result.json").read_text()
    (folder / "result.json").write_text(
        text.replace('"collapsed_at_epoch": null', '"collapsed_at_epoch": 11')
    )
    (row,) = rows_of(tmp_path, num_labels=100, parameters="averaged")
    assert len(row.collapsed) == 1


# --- ensembles -----------------------------------------------------------------------------

LABELS = np.array([0, 1, 2, 3])
# Two members, each wrong on another image by little: together both are right.
FIRST = np.array([[0, 1, 0, 0], [0, 9, 0, 0], [0, 0, 9, 0], [0, 0, 0, 9]], "float32")
SECOND = np.array([[9, 0, 0, 0], [0, 0, 1, 0], [0, 0, 9, 0], [0, 0, 0, 9]], "float32")


def two_members(tmp_path, labels=LABELS):
    for seed, logits, truth in ((1, FIRST, LABELS), (2, SECOND, labels)):
        write_run(
            tmp_path / f"seed{seed}",
            record(seed=seed, seed_data=seed),
            predictions={"logits_raw": logits, "labels": truth},
            raw=int(np.sum(np.argmax(logits, 1) != truth)),
            averaged=None,
            count=4,
        )


def ensemble_of(tmp_path):
    (row,) = rows_of(tmp_path, num_labels=100, parameters="raw")
    return row.ensemble


def test_an_ensemble_can_be_better_than_each_member(tmp_path):
    two_members(tmp_path)
    (row,) = rows_of(tmp_path, num_labels=100, parameters="raw")
    assert row.error.values == (25.0, 25.0)
    assert row.ensemble == (2, 0.0, None)


def test_one_run_is_no_ensemble(tmp_path):
    write_run(tmp_path)
    assert rows_of(tmp_path, num_labels=100, parameters="raw")[0].ensemble is None


def test_a_member_without_predictions_makes_no_ensemble(tmp_path):
    two_members(tmp_path)
    path = tmp_path / "seed2" / "predictions.npz"
    path.unlink()
    assert ensemble_of(tmp_path) == (2, None, f"no {path}")


def test_damaged_predictions_make_no_ensemble(tmp_path):
    two_members(tmp_path)
    path = tmp_path / "seed2" / "predictions.npz"
    path.write_bytes(path.read_bytes()[:60])
    assert ensemble_of(tmp_path).missing.startswith(f"{path} cannot be read")


@pytest.mark.parametrize("error", [zlib.error, tokenize.TokenError])
def test_what_numpy_lets_through_from_damaged_files_makes_no_ensemble(tmp_path, monkeypatch, error):
    two_members(tmp_path)

    def load(*args, **kwargs):
        raise error("flipped bits")

    monkeypatch.setattr(np, "load", load)
    assert ensemble_of(tmp_path).missing.endswith(f"cannot be read ({error.__name__})")


def test_pickled_predictions_are_not_opened(tmp_path):
    two_members(tmp_path)
    path = tmp_path / "seed2" / "predictions.npz"
    np.savez(path, logits_raw=np.array([{}], object), labels=LABELS)
    assert ensemble_of(tmp_path).missing == f"{path} cannot be read (ValueError)"


def test_predictions_that_contradict_the_result_make_no_ensemble(tmp_path):
    two_members(tmp_path)
    path = tmp_path / "seed2" / "predictions.npz"
    np.savez_compressed(path, logits_raw=FIRST[::-1], labels=LABELS)
    assert ensemble_of(tmp_path).missing == f"{path} has 4 wrong of 4, result.json 1 of 4"


def test_members_that_were_tested_on_other_images_make_no_ensemble(tmp_path):
    two_members(tmp_path, labels=np.array([0, 2, 2, 1]))
    assert ensemble_of(tmp_path).missing == "the runs were tested on different images"


def test_predictions_are_those_of_the_run(tmp_path):
    two_members(tmp_path)
    logits, labels = ensembles.read_predictions(read_run(tmp_path / "seed1"), "raw")
    np.testing.assert_array_equal(logits, FIRST)
    np.testing.assert_array_equal(labels, LABELS)

"""The paper's numbers, and which column a measured number may stand in."""

import pytest

from improved_gan_tf import paper
from improved_gan_tf.tables import one_run


def result(**changes):
    """Content of a result.json of a full run in the paper's setting."""
    content = {
        "status": "finished",
        "differences_from_paper": changes.pop("differences", []),
        "config": {
            "dataset": "mnist",
            "model": "feature_matching",
            "labels_per_class": changes.pop("labels_per_class", 10),
            "supervised_only": changes.pop("supervised_only", False),
        },
        "final": {
            "test_count": 10_000,
            "test_wrong_averaged": 96,
            "test_wrong_raw": 131,
            "average_weight": 1.0,
            "collapsed_at_epoch": None,
        },
    }
    content["status"] = changes.pop("status", "finished")
    content["config"]["model"] = changes.pop("model", "feature_matching")
    content["final"] |= changes
    return content


def rows(results):
    """The table as `{first column: (as in the paper, measured otherwise)}`."""
    lines = one_run.comparison_table(results).splitlines()
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["test error", "as in the paper", "measured otherwise"]
    return {row[0]: (row[1], row[2]) for row in cells[2:]}


def test_a_row_of_table_3_is_set_beside_its_inception_score():
    found = result(model="minibatch_discrimination", labels_per_class=400)
    found["config"] |= {"dataset": "cifar10", "ablation": "vbn_to_bn"}
    assert rows([found]) == {
        "minibatch_discrimination, averaged parameters": ("", "0.96 % (96 of 10,000)"),
        "minibatch_discrimination, raw parameters": ("", "1.31 % (131 of 10,000)"),
        "paper, Table 3: -VBN+BN": ("Inception score 7.54 +- 0.07, no test error", ""),
    }
    assert any("`improved-gan score RUN_DIR" in line for line in one_run.remarks([found]))


# --- the paper's numbers -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "labels", "text"),
    [
        ("mnist", 20, "16.77 % +- 4.52 (1677 +- 452 of 10,000)"),
        ("mnist", 50, "2.21 % +- 1.36 (221 +- 136 of 10,000)"),
        ("mnist", 100, "0.93 % +- 0.065 (93 +- 6.5 of 10,000)"),
        ("mnist", 200, "0.90 % +- 0.042 (90 +- 4.2 of 10,000)"),
        ("cifar10", 1000, "21.83 % +- 2.01"),
        ("cifar10", 2000, "19.61 % +- 2.09"),
        ("cifar10", 4000, "18.63 % +- 2.32"),
        ("cifar10", 8000, "17.72 % +- 1.82"),
        ("svhn", 500, "18.44 % +- 4.8"),
        ("svhn", 1000, "8.11 % +- 1.3"),
        ("svhn", 2000, "6.16 % +- 0.58"),
        ("mnist", 30, "-"),
        ("svhn", 100, "-"),
    ],
)
def test_the_papers_row_is_the_papers_number(dataset, labels, text):
    assert paper.paper_row(dataset, labels) == text


def test_the_papers_ensembles_are_the_papers_numbers():
    ensembles = {key: None if e is None else str(e) for key, (_, e) in paper.TEST_ERRORS.items()}
    assert ensembles == {
        ("mnist", 20): "1134 +- 445",
        ("mnist", 50): "142 +- 96",
        ("mnist", 100): "86 +- 5.6",
        ("mnist", 200): "81 +- 4.3",
        ("cifar10", 1000): "19.22 +- 0.54",
        ("cifar10", 2000): "17.25 +- 0.66",
        ("cifar10", 4000): "15.59 +- 0.47",
        ("cifar10", 8000): "14.87 +- 0.89",
        ("svhn", 500): None,
        ("svhn", 1000): "5.88 +- 1",
        ("svhn", 2000): None,
    }


# --- the table -----------------------------------------------------------------------------


def test_a_run_in_the_papers_setting_stands_in_the_papers_column():
    table = rows([result()])
    assert table["feature_matching, averaged parameters"] == ("0.96 % (96 of 10,000)", "")


def test_the_papers_own_row_comes_last():
    table = rows([result()])
    assert list(table)[-1] == "paper, 100 labels, full data, 10 splits"
    assert table["paper, 100 labels, full data, 10 splits"] == (
        "0.93 % +- 0.065 (93 +- 6.5 of 10,000)",
        "",
    )


def test_raw_parameters_are_not_the_papers_measure_where_an_average_is_kept():
    assert rows([result()])["feature_matching, raw parameters"] == ("", "1.31 % (131 of 10,000)")
    table = rows([result(test_wrong_averaged=None)])
    assert table["feature_matching, raw parameters"] == ("1.31 % (131 of 10,000)", "")


def test_minibatch_discrimination_is_not_compared_with_feature_matching():
    table = rows([result(model="minibatch_discrimination")])
    assert table["minibatch_discrimination, averaged parameters"][0] == ""
    assert table["paper, 100 labels, full data, 10 splits"] == ("-", "")


def test_a_number_of_labels_without_a_paper_result_stands_in_the_other_column():
    table = rows([result(labels_per_class=3)])
    assert table["feature_matching, averaged parameters"] == ("", "0.96 % (96 of 10,000)")


def test_a_run_that_differs_stands_in_the_other_column():
    table = rows([result(differences=["epochs: 2 instead of 300"])])
    assert table["feature_matching, averaged parameters"] == ("", "0.96 % (96 of 10,000)")
    assert table["feature_matching, raw parameters"] == ("", "1.31 % (131 of 10,000)")


def test_an_interrupted_run_stands_in_the_other_column():
    table = rows([result(status="interrupted")])
    assert table["feature_matching, averaged parameters"] == ("", "0.96 % (96 of 10,000)")


def test_the_baseline_stands_beside_the_run():
    baseline = result(
        supervised_only=True, differences=["a supervised-only baseline"], test_wrong_averaged=2000
    )
    table = rows([result(), baseline])
    assert table["supervised only, averaged parameters"] == ("", "20.00 % (2000 of 10,000)")
    assert table["feature_matching, averaged parameters"][0] == "0.96 % (96 of 10,000)"


def test_a_run_without_average_has_one_row():
    table = rows([result(test_wrong_averaged=None)])
    assert next(iter(table)) == "feature_matching, raw parameters"
    assert len(table) == 2


def test_errors_are_fractions_of_the_images_that_were_scored():
    table = rows([result(test_count=1000, differences=["data: sample"])])
    assert table["feature_matching, raw parameters"] == ("", "13.10 % (131 of 1,000)")


def test_a_number_of_labels_that_the_paper_has_no_result_for_gets_a_dash():
    table = rows([result(labels_per_class=3)])
    assert table["paper, 30 labels, full data, 10 splits"] == ("-", "")


def test_a_baseline_makes_no_samples_for_table_3():
    found = result()
    found["config"] |= {"dataset": "cifar10", "ablation": "vbn_to_bn", "supervised_only": True}
    assert not any("Table 3" in name for name in rows([found]))
    assert not any("Table 3" in remark for remark in one_run.remarks([found]))


# --- the remarks ---------------------------------------------------------------------------


def test_the_papers_setting_and_a_settled_average_need_one_remark():
    (remark,) = one_run.remarks([result(average_weight=0.99)])
    assert "holds 99 % of its weight." in remark


def test_every_difference_is_named():
    remarks = one_run.remarks([result(differences=["data: sample", "epochs: 2 instead of 300"])])
    assert remarks[0] == "Not the paper's setting: data: sample; epochs: 2 instead of 300."


def test_an_unsettled_average_is_explained():
    (remark,) = one_run.remarks([result(average_weight=0.2)])
    assert "starts at zero" in remark
    assert "holds 20 % of its weight, far from settled" in remark
    (remark,) = one_run.remarks([result(average_weight=0.94)])
    assert "holds 94 % of its weight, far from settled" in remark


def test_without_an_average_there_is_no_word_about_it():
    assert one_run.remarks([result(average_weight=None)]) == []


def test_a_baseline_that_was_stopped_is_not_to_be_compared():
    main, baseline = result(average_weight=None), result(status="interrupted", epochs=3)
    baseline["config"]["epochs"] = 6
    (remark,) = one_run.remarks([main, baseline])
    assert remark.startswith("The supervised-only run was interrupted after 3 of 6 epochs: do not")
    baseline["status"] = "finished"
    assert one_run.remarks([main, baseline]) == []


def test_a_collapse_is_named_with_its_epoch_counted_from_one():
    remark = one_run.remarks([result(average_weight=None, collapsed_at_epoch=9)])[0]
    assert remark.startswith("COLLAPSED in epoch 10:")
    assert "docs/results_mnist.md has the counts" in remark


def test_a_game_that_went_on_after_its_collapse_is_told_from_when():
    lost = result(average_weight=None, collapsed_at_epoch=2, recovered_at_epoch=7)
    (remark,) = one_run.remarks([lost])
    assert remark.endswith("fell to nearly 0. The game went on from epoch 8.")


def test_a_collapse_on_ones_own_images_does_not_point_to_mnists_counts():
    lost = result(average_weight=None, collapsed_at_epoch=2)
    lost["config"]["dataset"] = "images"
    (remark,) = one_run.remarks([lost])
    assert remark.endswith("More --epochs may bring it back, or another --seed avoid it.")

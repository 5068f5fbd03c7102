"""Does the unlabeled data help? The paired difference, its interval, and the sentence."""

import dataclasses
import json
import math

import numpy as np
import pytest

import run_images
from improved_gan_tf.experiments import semi_supervised
from improved_gan_tf.runs import sweep
from improved_gan_tf.runs.finished_runs import read_run
from improved_gan_tf.settings.images import resolved
from improved_gan_tf.tables import unlabeled_gain
from improved_gan_tf.tables.paired_errors import paired_errors
from tests.support.written_runs import write_run

LABELS = np.arange(100) % 4


def logits(wrong):
    """Logits of a classifier that is wrong about some images."""
    predicted = LABELS.copy()
    predicted[list(wrong)] = (predicted[list(wrong)] + 1) % 4
    return np.eye(4)[predicted]


def test_the_difference_and_interval_are_bonett_and_prices():
    pair = paired_errors(logits(range(10)), logits(range(5, 30)), LABELS)  # 5 and 20 alone
    assert (pair.first, pair.second, pair.count) == (0.1, 0.25, 100)
    assert pair.difference == pytest.approx(-0.15)
    p01, p10 = 6 / 102, 21 / 102
    half = 1.959964 * np.sqrt((p01 + p10 - (p01 - p10) ** 2) / 102)
    np.testing.assert_allclose(pair.interval, [p01 - p10 - half, p01 - p10 + half], rtol=1e-6)
    # 2 P(X <= 5), X of 25 fair coins
    coins = sum(math.comb(25, k) for k in range(6))
    assert pair.p_value == pytest.approx(2 * coins / 2**25)


def test_equal_classifiers_do_not_differ():
    pair = paired_errors(logits(range(10)), logits(range(10)), LABELS)
    assert (pair.difference, pair.p_value) == (0.0, 1.0)
    assert pair.interval[0] == -pair.interval[1] < 0.0


def test_the_interval_covers_the_true_difference_as_often_as_it_says():
    random, covered = np.random.RandomState(0), 0
    for _ in range(400):
        kinds = random.choice(3, size=100, p=[0.8, 0.05, 0.15])  # difference -0.1
        pair = paired_errors(
            logits(np.flatnonzero(kinds == 1)), logits(np.flatnonzero(kinds == 2)), LABELS
        )
        covered += pair.interval[0] <= -0.1 <= pair.interval[1]
    assert 0.92 <= covered / 400 <= 0.98


def written(folder, wrong, raw=0, **changes):
    config = dataclasses.replace(run_images.EXPERIMENT, image_folder="photos", **changes)
    config = resolved(config, (28, 28, 1), tuple("abcd"), 200, 40)
    predictions = {"logits_averaged": logits(wrong), "logits_raw": logits(()), "labels": LABELS}
    result = {"raw": raw, "averaged": len(wrong), "count": 100}
    data = ["data: photos (200 training images)"]
    write_run(folder, config, predictions, differences_from_paper=data, **result)
    return read_run(folder)


@pytest.mark.parametrize(
    ("with_it", "without", "says"),
    [
        (range(10), range(40), "Yes: 10.0 % of 100 test images wrong with it, 40.0 % without"),
        (range(40), range(10), "No, it harms: 40.0 %"),
        (range(10), range(12), "Not to be seen here: 10.0 %"),
    ],
)
def test_a_pair_gets_an_answer_with_its_uncertainty(tmp_path, with_it, without, says):
    run = written(tmp_path / "run", with_it, raw=7)
    baseline = written(tmp_path / "run" / "supervised_only", without, raw=8, supervised_only=True)
    text = unlabeled_gain.answer(run, baseline)
    assert text == unlabeled_gain.answer_of_folders(run.path, baseline.path)
    assert text.startswith(f"Does the unlabeled data help? {says}")
    pair = paired_errors(logits(with_it), logits(without), LABELS)
    low, high = (f"{100 * x:+.1f}" for x in pair.interval)
    assert f"(95 % from {low} to {high}, p = {pair.p_value:.2g}, paired" in text
    assert text.endswith("one seed; with raw parameters 7.0 % and 8.0 %).")


def test_where_all_labels_are_used_there_is_no_choice_of_them(tmp_path):
    pairs, texts = [], []
    for labels_per_class in (None, 5):
        pairs = [
            (
                written(tmp_path / f"{labels_per_class}-{seed}", range(10 + seed), seed=seed),
                written(tmp_path / f"{labels_per_class}-{seed}b", range(40), seed=seed),
            )
            for seed in (1, 2, 3)
        ]
        changes = {"labels_per_class": labels_per_class}
        pairs = [
            tuple(one._replace(config=dataclasses.replace(one.config, **changes)) for one in pair)
            for pair in pairs
        ]
        texts += [unlabeled_gain.answer(*pairs[0]), unlabeled_gain.answer_over_seeds(pairs)]
    assert "paired on the test images; one seed; with raw parameters" in texts[0]
    assert texts[1].endswith(", over seeds).")
    assert "one seed and one choice of labels;" in texts[2]
    assert texts[3].endswith(", over seeds and choices of labels).")


def test_a_run_that_ended_far_above_its_best_training_error_makes_the_answer_unclear(tmp_path):
    run = written(tmp_path / "run", range(10))
    baseline = written(tmp_path / "base", range(40), supervised_only=True)
    for folder, errors in ((run.path, (0.9, 0.01, 0.1)), (baseline.path, (0.9, 0.01, 0.44))):
        lines = [json.dumps({"epoch": i, "train_error": e}) + "\n" for i, e in enumerate(errors)]
        (folder / "metrics.jsonl").write_text("".join(lines))
    text = unlabeled_gain.answer(run, baseline)
    assert (
        "Unclear, training was unstable (supervised only: training error 44 % at the end, 1 % "
        "before; try a smaller --learning_rate): 10.0 % of 100"
    ) in text
    pairs = [(run, run), (run, baseline), (run, run)]
    assert unlabeled_gain.answer_over_seeds(pairs).endswith(
        "Training was unstable in 1 of the pairs."
    )


@pytest.mark.parametrize(("last", "is_unstable"), [(0.11, False), (0.13, True)])
def test_a_training_error_may_rise_by_a_tenth(last, is_unstable, tmp_path):
    run = written(tmp_path / "run", range(10))
    baseline = written(tmp_path / "base", range(40), supervised_only=True)
    for folder, errors in ((run.path, (0.9, 0.01)), (baseline.path, (0.9, 0.01, last))):
        lines = [json.dumps({"epoch": i, "train_error": e}) + "\n" for i, e in enumerate(errors)]
        (folder / "metrics.jsonl").write_text("".join(lines))
    assert ("unstable" in unlabeled_gain.answer(run, baseline)) == is_unstable


def collapsed(run, recovered=None):
    epochs = {"collapsed_at_epoch": 3, "recovered_at_epoch": recovered}
    return run._replace(result={**run.result, "final": {**run.result["final"], **epochs}})


def test_a_game_that_went_on_after_its_collapse_makes_no_answer_unclear(tmp_path):
    run = written(tmp_path / "run", range(20))
    behind = written(tmp_path / "behind", range(10), supervised_only=True)
    assert "collapsed" in unlabeled_gain.answer(collapsed(run), behind)
    assert "collapsed" not in unlabeled_gain.answer(collapsed(run, recovered=6), behind)


def test_a_collapsed_game_makes_an_answer_unclear_that_is_not_yes(tmp_path):
    run = written(tmp_path / "run", range(20))
    ahead, behind = (
        written(tmp_path / name, range(wrong), supervised_only=True)
        for name, wrong in (("ahead", 10), ("behind", 60))
    )
    told = "Unclear, training was unstable (the game collapsed in epoch 4; try a smaller --learn"
    assert told in unlabeled_gain.answer(collapsed(run), ahead)
    assert "Yes: 20.0 %" in unlabeled_gain.answer(collapsed(run), behind)

    pairs = [(collapsed(run), ahead), (collapsed(run), ahead), (run, ahead)]
    text = unlabeled_gain.answer_over_seeds(pairs)
    assert "help? Unclear, the game collapsed too often: 20.0 %" in text
    assert text.endswith("The game collapsed in 2 of the runs; try a smaller --learning_rate.")
    half = unlabeled_gain.answer_over_seeds([*pairs[:2], (run, ahead), (run, ahead)])
    assert "help? Unclear, the game collapsed too often: 20.0 %" in half
    text = unlabeled_gain.answer_over_seeds([(run, ahead), (run, ahead), pairs[0]])
    assert "help? No, it harms: 20.0 %" in text
    assert text.endswith("The game collapsed in 1 of the runs; try a smaller --learning_rate.")
    two = unlabeled_gain.answer_over_seeds(pairs[:2])
    assert "an interval needs three pairs; --num_runs=3). The game collapsed in 2 of the" in two


def test_a_sweep_of_baselines_alone_has_no_answer(tmp_path, capsys):
    runs = [written(tmp_path / str(i), range(10 * i + 1), supervised_only=True) for i in (0, 1)]
    configs = [dataclasses.replace(run.config, run_dir=str(run.path)) for run in runs]
    semi_supervised._print_gains([sweep.Outcome(config, "finished") for config in configs])
    assert capsys.readouterr().out == ""


def test_missing_predictions_are_told(tmp_path):
    run = written(tmp_path / "run", range(3))
    baseline = written(tmp_path / "base", range(3), supervised_only=True)
    (tmp_path / "base" / "predictions.npz").unlink()
    assert "Unknown: no " in unlabeled_gain.answer(run, baseline)
    (tmp_path / "base" / "result.json").unlink()
    text = unlabeled_gain.answer_of_folders(tmp_path / "run", tmp_path / "base")
    assert f"Unknown: {tmp_path / 'base'}: unfinished: it has no result.json." in text


def test_several_seeds_get_students_interval(tmp_path):
    pairs = [
        (
            written(tmp_path / f"run{seed}", range(10 + seed)),
            written(tmp_path / f"base{seed}", range(30 + 3 * seed), supervised_only=True),
        )
        for seed in range(3)
    ]
    text = unlabeled_gain.answer_over_seeds(pairs)
    # -20, -22, -24: mean -22, standard error 2 / sqrt(3), t(0.975, 2) = 4.302653
    half = 4.302653 * 2 / 3**0.5
    assert (
        f"-22.0 points, mean of 3 pairs (95 % from {-22 - half:+.1f} to {-22 + half:+.1f}" in text
    )
    assert text.startswith("Does the unlabeled data help? Yes: 11.0 % of the test images")
    assert unlabeled_gain.answer_over_seeds(pairs[:1]) == unlabeled_gain.answer(*pairs[0])
    assert "an interval needs three pairs" in unlabeled_gain.answer_over_seeds(pairs[:2])

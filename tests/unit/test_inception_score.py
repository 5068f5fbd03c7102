"""The Inception score against closed forms, a plain loop and the original's own lines."""

import math
import subprocess
import sys

import numpy as np
import pytest

import improved_gan_tf
from improved_gan_tf.scoring.inception_score import inception_score, mean_divergence


def softmax_rows(count, classes, seed=0):
    logits = 3 * np.random.RandomState(seed).normal(size=(count, classes))
    weights = np.exp(logits)
    return weights / weights.sum(axis=1, keepdims=True)


# --- closed forms --------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [1, 2, 10, 1008])
def test_a_classifier_that_is_never_sure_gives_one(classes):
    score = inception_score(np.full((40, classes), 1 / classes))
    np.testing.assert_allclose(score, (1, 0), atol=1e-12)


@pytest.mark.parametrize("classes", [2, 7, 10])
def test_sure_and_balanced_gives_the_number_of_classes(classes):
    score = inception_score(np.tile(np.eye(classes), (30, 1)), num_splits=10)
    assert score.mean == pytest.approx(classes, rel=1e-12)
    assert score.std == pytest.approx(0, abs=1e-12)


def test_sure_of_always_the_same_class_gives_one():
    assert inception_score(np.tile([0.0, 1.0, 0.0], (20, 1))) == (1, 0)


def test_sure_and_unbalanced_gives_the_exponential_of_the_entropy():
    # Three quarters of one class, one quarter of another.
    rows = np.tile(np.eye(2)[[0, 0, 0, 1]], (10, 1))
    entropy = 0.75 * math.log(4 / 3) + 0.25 * math.log(4)
    assert inception_score(rows, num_splits=5).mean == pytest.approx(math.exp(entropy), rel=1e-12)


def test_two_rows_by_hand():
    # Marginal (0.5, 0.5); each row diverges by 0.9 ln 1.8 + 0.1 ln 0.2.
    score = inception_score([[0.9, 0.1], [0.1, 0.9]], num_splits=1)
    assert score.mean == pytest.approx(math.exp(0.9 * math.log(1.8) + 0.1 * math.log(0.2)))
    assert score.std == 0


@pytest.mark.parametrize("seed", range(20))
def test_rows_in_any_random_order_get_no_warning(seed):
    inception_score(softmax_rows(60, 10, seed))  # warnings are errors here
    rows = np.repeat(np.eye(10), 50, axis=0)[np.random.RandomState(seed).permutation(500)]
    inception_score(rows)


def test_one_split_has_no_order():
    inception_score(np.repeat(np.eye(10), 50, axis=0), num_splits=1)


def test_one_row_a_split_says_nothing_and_gives_one():
    np.testing.assert_allclose(inception_score(softmax_rows(10, 4), 10), (1, 0), atol=1e-12)


def test_the_mean_divergence_is_that_of_a_plain_loop():
    rows = softmax_rows(7, 5)
    marginal = [sum(row[c] for row in rows) / 7 for c in range(5)]
    total = sum(row[c] * math.log(row[c] / marginal[c]) for row in rows for c in range(5))
    assert mean_divergence(rows) == pytest.approx(total / 7, rel=1e-12)


# --- the splits ----------------------------------------------------------------------------


def written_down_rows():
    """23 rows of 5 probabilities that a reader can compute again."""
    row, column = np.meshgrid(np.arange(23), np.arange(5), indexing="ij")
    weights = 1.0 + (7 * row * (column + 1) + 3 * column**2) % 11
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("num_splits", "mean", "std"),
    [  # What the original's lines give for these rows, run in float64.
        (1, 1.1443197831825305, 0.0),
        (2, 1.144091576170894, 0.00033294957429907956),
        (4, 1.1362570644134213, 0.017273978458252296),
        (10, 1.0905495735394302, 0.04190660903262382),
    ],
)
def test_mean_and_spread_are_the_originals_where_rows_do_not_divide_by_splits(
    num_splits, mean, std
):
    np.testing.assert_allclose(
        inception_score(written_down_rows(), num_splits), (mean, std), rtol=1e-12, atol=1e-13
    )


def test_the_spread_is_that_of_the_population():
    # Splits of 2 rows: one gives 1, the other 2. Divided by S - 1 the spread would be 0.707.
    rows = np.eye(2)[[0, 0, 0, 1]]
    np.testing.assert_allclose(inception_score(rows, num_splits=2), (1.5, 0.5))


def test_rows_sorted_by_class_score_as_if_every_split_knew_one_class():
    rows = np.repeat(np.eye(10), 100, axis=0)
    with pytest.warns(UserWarning, match=r"look sorted by class: over 10 .*1\.00, and 9\.61 once"):
        assert inception_score(rows) == (1, 0)
    shuffled = rows[np.random.RandomState(0).permutation(1000)]
    assert 9 < inception_score(shuffled).mean < 10


def test_the_score_grows_with_the_number_of_rows():
    rows = np.eye(10)[np.random.RandomState(0).randint(0, 10, 5000)]
    scores = [inception_score(rows[:count]).mean for count in (100, 500, 5000)]
    assert scores[0] < scores[1] < scores[2] < 10


# --- numbers at the edge -------------------------------------------------------------------


def test_zeros_and_tiny_probabilities_are_their_limit():
    limit = inception_score([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], 1).mean
    assert limit == pytest.approx(2, rel=1e-12)
    for tiny in (1e-30, 1e-300, 5e-324):
        score = inception_score([[1.0, tiny, 0.0], [0.0, 1.0, tiny]], 1).mean
        assert score == pytest.approx(limit, rel=1e-12)


def test_float32_rows_are_computed_in_float64():
    rows = softmax_rows(1000, 50).astype("float32")
    assert inception_score(rows) == inception_score(rows.astype("float64"))


# --- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("probabilities", "num_splits", "message"),
    [
        (np.ones(4), 1, r"shape \(N, C\).* Received: shape \(4,\)\."),
        (np.ones((0, 4)), 1, r"Received: shape \(0, 4\)\."),
        ([[0.5, 0.5]] * 3, 4, r"from 1 to the number of rows, 3\. Received: 4\."),
        ([[0.5, 0.5]] * 3, 0, r"from 1 to the number of rows, 3\. Received: 0\."),
        ([[0.5, np.nan]], 1, r"finite"),
        ([[0.5, np.inf]], 1, r"finite"),
        ([[1.5, -0.5]], 1, r"not be negative\. Received: -0\.5\."),
        ([[1.0, 0.0], [0.5, 0.75]], 1, r"logits\?.* Received: row 1 sums to 1\.25\."),
    ],
)
def test_what_is_no_array_of_probabilities_is_refused(probabilities, num_splits, message):
    with pytest.raises(ValueError, match=message):
        inception_score(probabilities, num_splits)


@pytest.mark.parametrize(
    "first", ["import improved_gan_tf.scoring.inception_score", "import improved_gan_tf", "pass"]
)
def test_the_public_name_is_the_function_whatever_was_imported_first(first):
    code = (
        f"{first}\nimport improved_gan_tf\nprint(improved_gan_tf.inception_score([[1.0]], 1).mean)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("1.0\n", "")
    assert improved_gan_tf.inception_score is inception_score

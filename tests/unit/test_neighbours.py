"""Precision, recall, density and coverage: against their authors' code, and where known."""

import numpy as np
import pytest

from improved_gan_tf.scoring import neighbours as module
from improved_gan_tf.scoring.neighbours import Neighbours, neighbours
from tests.support.systems import load


@pytest.mark.parametrize("nearest", [3, 5])
@pytest.mark.parametrize("rows_at_once", [7, 60, 1000])
def test_all_four_are_those_of_the_authors_code(nearest, rows_at_once, monkeypatch):
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", rows_at_once)
    golden = load("kid_prdc")
    found = neighbours(golden["real"], golden["fake"], nearest)
    for name, value in found._asdict().items():
        np.testing.assert_allclose(value, golden[f"k{nearest}__{name}"], rtol=1e-12, err_msg=name)


def test_a_far_away_set_covers_nothing_and_one_example_repeated_covers_little():
    real = np.random.RandomState(0).normal(size=(50, 3))
    assert neighbours(real, real + 100.0) == Neighbours(0.0, 0.0, 0.0, 0.0)
    collapsed = np.repeat(real[:1], 50, axis=0)
    found = neighbours(real, collapsed)
    assert found.precision == 1.0  # every image is good
    assert found.recall == 0.0  # and all are the same
    assert found.coverage < 0.5


def test_equal_examples_lie_in_no_ball_of_one_another():
    random = np.random.RandomState(0)
    for _ in range(5):  # without the care rounding decided, for three of these five
        real = (100 + 10 * random.random_sample((1003, 257))).astype("float32")
        assert neighbours(real, np.repeat(real[:1], 1003, axis=0)).recall == 0.0


def test_a_large_offset_of_all_features_changes_nothing():
    random = np.random.RandomState(0)
    real, generated = random.normal(size=(40, 3)), random.normal(0.5, 1.0, (30, 3))
    assert neighbours(real + 1e5, generated + 1e5) == neighbours(real, generated)


def test_too_few_examples_are_refused():
    with pytest.raises(ValueError, match=r"Received: nearest=5, 5 and 9 examples\."):
        neighbours(np.ones((5, 2)), np.ones((9, 2)))
    with pytest.raises(ValueError, match="nearest=0"):
        neighbours(np.ones((5, 2)), np.ones((9, 2)), nearest=0)

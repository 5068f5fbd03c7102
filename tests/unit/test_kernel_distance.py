"""The kernel distance: against torch-fidelity's number, and where it is known."""

import numpy as np
import pytest

from improved_gan_tf.scoring import kernel_distance as kernel_distance_module
from improved_gan_tf.scoring.kernel_distance import KernelDistance, kernel_distance, squared_mmd
from tests.support.systems import load


def features(count, shift=0.0, seed=0):
    return np.random.RandomState(seed).normal(shift, 1.0, (count, 6))


def test_the_squared_mmd_is_torch_fidelitys():
    golden = load("kid_prdc")
    found = squared_mmd(golden["real"], golden["fake"])
    np.testing.assert_allclose(found, golden["kid_mmd2_unbiased"], rtol=1e-10)


def test_it_is_the_mean_over_pairs_of_the_cubic_kernel():
    a, b = features(3), features(4, seed=1)

    def mean(x, y, same):
        pairs = [(p, q) for i, p in enumerate(x) for j, q in enumerate(y) if not (same and i == j)]
        return np.mean([(p @ q / 6 + 1) ** 3 for p, q in pairs])

    expected = mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False)
    np.testing.assert_allclose(squared_mmd(a, b), expected, rtol=1e-12)


def test_equal_distributions_are_at_zero_on_average_and_others_are_not():
    same = [squared_mmd(features(50, seed=i), features(50, seed=1000 + i)) for i in range(200)]
    assert abs(np.mean(same)) < 4 * np.std(same) / np.sqrt(200)
    assert min(same) < 0  # it is unbiased
    assert squared_mmd(features(50), features(50, shift=1.0, seed=1)) > 10 * max(same)


def test_subsets_have_a_thousand_examples_or_all_of_the_smaller_set():
    found = kernel_distance(features(40), features(1500, seed=1))
    assert found[2:] == (100, 40)
    assert kernel_distance(features(1001), features(1001, seed=1)).subset_size == 1000
    assert found == kernel_distance(features(40), features(1500, seed=1))
    assert found != kernel_distance(features(40), features(1500, seed=1), seed=2)
    assert isinstance(found, KernelDistance)


def test_subsets_have_no_example_twice_and_the_spread_is_that_of_all_of_them(monkeypatch):
    shown = []

    def recorded(a, b):
        shown.append([len(np.unique(x, axis=0)) for x in (a, b)])
        return float(len(shown))  # 1 to 100

    monkeypatch.setattr(kernel_distance_module, "squared_mmd", recorded)
    found = kernel_distance(features(40), features(60, seed=1))
    assert shown == [[40, 40]] * 100
    assert found == (50.5, pytest.approx(np.sqrt((100**2 - 1) / 12)), 100, 40)


def test_two_sets_that_are_their_own_only_subset_have_one_distance_and_no_spread():
    a, b = features(40), features(40, seed=1)
    assert kernel_distance(a, b) == (squared_mmd(a, b), None, 1, 40)
    assert kernel_distance(features(1000), features(1000, seed=1)).num_subsets == 1


def test_sets_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match=r"same number of features\. Received: shapes \(5, 6\)"):
        kernel_distance(features(5), np.ones((5, 2)))
    with pytest.raises(ValueError, match="must be finite"):
        squared_mmd(np.full((3, 2), np.nan), np.ones((3, 2)))

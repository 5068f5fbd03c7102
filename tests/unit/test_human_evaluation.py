"""Statistics of votes, against numbers that SciPy and NumPy gave elsewhere (`human_evaluation`)."""

import numpy as np
import pytest

from improved_gan_tf import paper
from improved_gan_tf.scoring import human_evaluation
from tests.support.places import GOLDENS


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDENS / "systems/human_evaluation.npz", allow_pickle=False) as file:
        return dict(file)


def test_intervals_of_shares_are_wilsons(golden):
    pairs = zip(golden["correct"].tolist(), golden["votes"].tolist(), strict=True)
    found = [human_evaluation.wilson(*pair) for pair in pairs]
    np.testing.assert_allclose([(s.low, s.high) for s in found], golden["wilson95"], rtol=1e-12)
    assert [s.share for s in found] == (golden["correct"] / golden["votes"]).tolist()


def test_the_interval_solves_its_equation():
    share = human_evaluation.wilson(33, 50)
    for q in (share.low, share.high):
        assert (0.66 - q) ** 2 == pytest.approx(1.959963985**2 * q * (1 - q) / 50)


def test_p_values_are_exact_and_two_sided(golden):
    pairs = zip(golden["correct"].tolist(), golden["votes"].tolist(), strict=True)
    found = [human_evaluation.p_against_chance(*pair) for pair in pairs]
    np.testing.assert_allclose(found, golden["p_two_sided"], rtol=1e-12)
    # Of 10 coins, 0, 1, 9 or 10 heads: (1 + 10 + 10 + 1) / 1024.
    assert human_evaluation.p_against_chance(9, 10) == pytest.approx(22 / 1024)


def test_both_error_rates_are_counted_of_their_own_images(golden):
    found = human_evaluation.tally(golden["is_generated"], golden["said_generated"])
    assert found.wrong_on_generated.share == pytest.approx(float(golden["fakes_error"]))
    assert found.wrong_on_real.share == pytest.approx(float(golden["reals_error"]))
    assert 1 - found.right.share == pytest.approx(float(golden["hype_score"]))
    assert found.right.votes == 3000


def test_error_rates_do_not_change_places():
    found = human_evaluation.tally([True, True, True, False], [False, False, True, False])
    assert (found.wrong_on_generated.count, found.wrong_on_generated.votes) == (2, 3)
    assert (found.wrong_on_real.count, found.wrong_on_real.votes) == (0, 1)
    assert (found.right.count, found.right.votes) == (2, 4)


def test_the_bootstrap_over_persons_is_hypes(golden):
    class Given(np.random.RandomState):
        """Draws the persons that the golden numbers were computed from."""

        def randint(self, *args, **kwargs):
            return golden["resamples"].astype(int)

    shares = np.mean(golden["is_generated"] != golden["said_generated"], axis=1)
    np.testing.assert_array_equal(shares, golden["per_evaluator"])
    found = human_evaluation.over_persons(shares, Given(0), len(golden["resamples"]))
    assert found.wrong == pytest.approx(float(golden["hype_score"]))
    assert found.std == pytest.approx(float(golden["bootstrap_std"]), rel=1e-12)
    assert (found.low, found.high) == pytest.approx(tuple(golden["bootstrap_ci95"]), rel=1e-12)
    assert found.num_persons == 30


def test_a_seed_decides_the_bootstrap():
    shares = np.linspace(0.1, 0.6, 11)
    one, same, other = (
        human_evaluation.over_persons(shares, np.random.RandomState(seed)) for seed in (1, 1, 2)
    )
    assert one == same
    assert one.low < 0.35 < one.high
    assert one.std != other.std


# --- the paper's votes ----------------------------------------------------------------------


def test_the_papers_mnist_votes_are_not_those_of_guessing():
    votes = paper.HUMAN_EVALUATIONS["MNIST"]
    assert (votes.right, votes.votes) == (1048, 2000)
    assert 100 * votes.right / votes.votes == votes.percent_right == 52.4
    share = human_evaluation.wilson(votes.right, votes.votes)
    assert (round(share.low, 3), round(share.high, 3)) == (0.502, 0.546)
    assert round(human_evaluation.p_against_chance(votes.right, votes.votes), 3) == 0.034


def test_of_cifar10_the_paper_gives_shares_without_their_number_of_votes():
    cifar10 = [v for name, v in paper.HUMAN_EVALUATIONS.items() if name.startswith("CIFAR-10")]
    assert [v.percent_right for v in cifar10] == [78.7, 71.4]
    assert [(v.votes, v.right) for v in cifar10] == [(None, None)] * 2

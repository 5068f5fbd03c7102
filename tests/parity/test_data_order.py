"""Which rows the original's own NumPy lines pick (tests/goldens/units.md)."""

import pathlib

import numpy as np
import pytest

from improved_gan_tf import data

GOLDENS = pathlib.Path(__file__).parent.parent / "goldens"


@pytest.fixture
def golden():
    return np.load(GOLDENS / "datarng_mnist_fm.npz", allow_pickle=False)


@pytest.fixture
def subset(golden):
    return data.choose_labeled_subset(
        golden["y"],
        int(golden["count"]),
        seed=int(golden["seed"]),
        seed_data=int(golden["seed_data"]),
    )


def test_the_labeled_subset_is_the_originals(golden, subset):
    np.testing.assert_array_equal(subset.labeled, golden["labelled_idx"])


def test_the_initialization_batch_is_the_originals(golden, subset):
    np.testing.assert_array_equal(subset.order[:500], golden["init_idx"])


@pytest.mark.parametrize("epoch", [0, 1])
def test_the_streams_of_an_epoch_are_the_originals(golden, subset, epoch):
    streams = data.EpochStreams(
        len(golden["y"]), subset.labeled, batch_size=100, seed=int(golden["seed"])
    )
    rows = streams(epoch)
    assert rows.labeled.shape == (25, 100)
    np.testing.assert_array_equal(rows.labeled.ravel(), golden[f"ep{epoch}_lab_idx"])
    np.testing.assert_array_equal(rows.unlabeled.ravel(), golden[f"ep{epoch}_unl_idx"])
    np.testing.assert_array_equal(
        rows.unlabeled_for_generator.ravel(), golden[f"ep{epoch}_unl2_idx"]
    )

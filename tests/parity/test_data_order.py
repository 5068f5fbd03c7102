"""Which rows the original's own NumPy lines pick (tests/goldens/units.md).

Each script's settings are those of the run script here, with the golden's seeds and counts.
"""

import dataclasses
import types

import numpy as np
import pytest

import run_cifar10
import run_mnist
import run_svhn
from improved_gan_tf.runs import semi_supervised
from tests.support.places import GOLDENS

SCRIPTS = {
    "mnist_fm": (run_mnist, "feature_matching"),
    "cifar_fm": (run_cifar10, "feature_matching"),
    "cifar_md": (run_cifar10, "minibatch_discrimination"),
    "svhn_fm": (run_svhn, "feature_matching"),
    "svhn_md": (run_svhn, "minibatch_discrimination"),
}


@pytest.fixture(params=SCRIPTS)
def name(request):
    return request.param


@pytest.fixture
def golden(name):
    return np.load(GOLDENS / f"datarng_{name}.npz", allow_pickle=False)


@pytest.fixture
def config(name, golden):
    script, model = SCRIPTS[name]
    changes = script.VARIANTS[model]["released"]
    record = dataclasses.replace(script.EXPERIMENT, **{**changes, "model": model})
    record = dataclasses.replace(
        record, seed=int(golden["seed"]), labels_per_class=int(golden["count"])
    )
    if record.seed_data is None:  # the run's own generator selects the labels
        return record
    return dataclasses.replace(record, seed_data=int(golden["seed_data"]))


@pytest.fixture
def chosen(config, golden):
    dataset = types.SimpleNamespace(train_labels=golden["y"], class_names=tuple("0123456789"))
    return semi_supervised.labeled_subset_and_streams(config, dataset)


def test_the_labeled_subset_is_the_originals(golden, chosen):
    subset, _ = chosen
    np.testing.assert_array_equal(subset.labeled, golden["labelled_idx"])


def test_the_initialization_batch_is_the_originals(name, config, golden, chosen):
    rows = semi_supervised.initialization_rows(config, *chosen)
    expected = "init_idx" if name == "mnist_fm" else "init_batch_idx"
    np.testing.assert_array_equal(rows, golden[expected])


@pytest.mark.parametrize("epoch", [0, 1])
def test_the_streams_of_an_epoch_are_the_originals(golden, chosen, epoch):
    _, streams = chosen
    rows = streams(epoch)
    used = rows.labeled.size
    assert rows.labeled.shape == (25, 100)
    np.testing.assert_array_equal(rows.labeled.ravel(), golden[f"ep{epoch}_lab_idx"][:used])
    np.testing.assert_array_equal(rows.unlabeled.ravel(), golden[f"ep{epoch}_unl_idx"])
    if f"ep{epoch}_unl2_idx" in golden:  # with minibatch discrimination there is no third stream
        np.testing.assert_array_equal(
            rows.unlabeled_for_generator.ravel(), golden[f"ep{epoch}_unl2_idx"]
        )

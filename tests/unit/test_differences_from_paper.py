"""What a result says keeps its number out of the paper's column."""

import dataclasses
from types import SimpleNamespace

import run_cifar10
from improved_gan_tf.runs.semi_supervised import differences_from_paper

PAPERS_DATA = SimpleNamespace(is_papers=True, description="all of it")
BASELINE = "a supervised-only baseline, which the paper does not report"


def differences(dataset=PAPERS_DATA, **changes):
    published = run_cifar10.EXPERIMENT
    return differences_from_paper(dataclasses.replace(published, **changes), dataset, published)


def test_the_papers_settings_on_the_papers_data_have_none():
    assert differences() == []


def test_data_and_settings_are_named_with_both_values():
    sample = SimpleNamespace(is_papers=False, description="a sample")
    found = differences(sample, epochs=3, unlabeled_weight=0.5)
    assert found[0] == "data: a sample"
    assert found[1].startswith("epochs: 3 instead of ")
    assert found[2] == "unlabeled_weight: 0.5 instead of 1.0"


def test_a_baseline_has_none_of_the_game_that_it_does_not_play():
    game = {
        "unlabeled_weight": 0.5,
        "real_target": 0.9,
        "generated_target": 0.1,
        "generator_normalization": "virtual_batch",
        "reference_batch_size": 64,
    }
    assert len(differences(**game)) == len(game)
    assert differences(supervised_only=True, **game) == [BASELINE]


def test_what_changes_a_baselines_training_is_told_of_it_too():
    found = differences(supervised_only=True, learning_rate=0.5, historical_averaging_weight=0.1)
    assert [text.split(":")[0] for text in found] == [
        "learning_rate",
        "historical_averaging_weight",
        BASELINE,
    ]

"""What a result says keeps its number out of the paper's column."""

import dataclasses
import json
from types import SimpleNamespace

import pytest

import run_cifar10
import run_imagenet
from improved_gan_tf.errors import UserError
from improved_gan_tf.runs import imagenet, resuming
from improved_gan_tf.runs.finished_runs import Run
from improved_gan_tf.runs.semi_supervised import differences_from_paper
from improved_gan_tf.settings.semi_supervised import ExperimentConfig
from improved_gan_tf.settings.setting import OURS, setting
from improved_gan_tf.tables.cells import cells

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


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "plain"},
        {"labels_per_class": 100},
        {"recipe": "first_release"},
        {"data_source": "sample"},
        {"seed": 7, "seed_data": 8},
        {"data_dir": "x", "run_dir": "y", "overwrite": True, "evaluate_every": 9},
        {"strategy": "mirrored", "num_devices": 2, "cross_replica": "local"},  # here on one device
    ],
)
def test_what_the_row_says_or_what_decides_nothing_is_no_difference(changes):
    assert differences(**changes) == []


def test_a_run_of_the_imagenet_game_names_its_settings_but_not_its_epochs():
    published = run_imagenet.EXPERIMENT
    photos = SimpleNamespace(is_papers=False, description="photos")
    changes = {"epochs": 3, "image_size": 64, "width_multiplier": 0.5, "batch_size": 32}
    config = dataclasses.replace(published, image_folder="photos", cache_dir="x", **changes)
    assert imagenet.differences_from_paper(config, photos, published) == [
        "data: photos",
        "width_multiplier: 0.5 instead of 1.0",
        "batch_size: 32 instead of 64",
        "image_size: 64 instead of 128",
    ]


# --- a setting that was added without a word about what it decides --------------------------


@dataclasses.dataclass(frozen=True, kw_only=True)
class GrownConfig(ExperimentConfig):
    """A record with one setting more."""

    sharpness: float = setting("a new idea", source=OURS, default=0.0)


def grown(**changes):
    return GrownConfig(**{**dataclasses.asdict(run_cifar10.EXPERIMENT), **changes})


def test_a_new_setting_is_a_difference_from_the_paper():
    found = differences_from_paper(grown(sharpness=0.5), PAPERS_DATA, grown())
    assert found == ["sharpness: 0.5 instead of 0.0"]


def test_a_run_with_another_value_of_a_new_setting_is_not_continued(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(grown(sharpness=0.5).to_dict()))
    with pytest.raises(UserError, match=r"--sharpness=0\.0 \(the run's is 0\.5\)"):
        resuming.look(grown(), tmp_path)
    assert resuming.look(grown(sharpness=0.5), tmp_path).status == "unfinished"


def test_runs_with_other_values_of_a_new_setting_share_no_cell(tmp_path):
    result = {"final": {"test_count": 10}, "differences_from_paper": []}
    runs = [Run(tmp_path, grown(sharpness=value), result) for value in (0.0, 0.5, 0.0)]
    assert sorted(len(cell.runs) for cell in cells(runs)) == [1, 2]

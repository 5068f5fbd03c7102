"""Every script's every model, from its own literal to a run folder, on a handful of images."""

import dataclasses
import json

import keras
import numpy as np
import pytest

import run_cifar10
import run_mnist
import run_svhn
from improved_gan_tf.runs import semi_supervised
from tests.support.noise_runs import images

pytestmark = pytest.mark.slow

CASES = [
    (script, model, recipe)
    for script in (run_mnist, run_cifar10, run_svhn)
    for model, recipes in script.VARIANTS.items()
    for recipe in recipes
]


@pytest.mark.parametrize(
    ("script", "model", "recipe"), CASES, ids=[f"{s.__name__}-{m}-{r}" for s, m, r in CASES]
)
def test_an_epoch_runs_and_scores_every_test_image(script, model, recipe, tmp_path):
    published = dataclasses.replace(
        script.EXPERIMENT, **script.VARIANTS[model][recipe], model=model, recipe=recipe
    )
    config = dataclasses.replace(
        published, labels_per_class=2, batch_size=20, epochs=1, width_multiplier=0.05
    )
    dataset = images(config.dataset, 40, 30)
    result = semi_supervised.execute(config, dataset, tmp_path / "run", published, lambda: False)

    assert result["status"] == "finished"
    assert result["final"]["test_count"] == 30
    assert result["final"]["models_of_iteration"] == 2
    assert "width_multiplier: 0.05 instead of 1.0" in result["differences_from_paper"]
    with np.load(tmp_path / "run" / "predictions.npz", allow_pickle=False) as predictions:
        # The second batch of 20 is filled up with images before it, which are not counted again.
        assert predictions["logits_raw"].shape == (30, 10)
        assert ("logits_averaged" in predictions) == (config.averaging_rate > 0)
    (line,) = (tmp_path / "run" / "metrics.jsonl").read_text("utf-8").splitlines()
    metrics = json.loads(line)
    assert np.isfinite([v for k, v in metrics.items() if k.startswith("loss_")]).all()
    # Without feature matching the generator plays the discriminator's game: its loss is negative.
    assert (metrics["loss_generator"] < 0) == (model != "feature_matching")
    assert (tmp_path / "run" / "samples" / "epoch_0001.png").exists()


@pytest.mark.parametrize("row", run_cifar10.ABLATIONS)
def test_every_row_of_table_3_trains(row, tmp_path):
    settings = {**run_cifar10.ABLATIONS["our_methods"], **run_cifar10.ABLATIONS[row]}
    (recipe,) = run_cifar10.VARIANTS[settings["model"]].values()
    small = {"labels_per_class": 2, "batch_size": 20, "epochs": 1, "width_multiplier": 0.02}
    config = dataclasses.replace(
        run_cifar10.EXPERIMENT, **{**recipe, **settings, **small, "ablation": row}
    )
    run_dir = tmp_path / "run"
    result = semi_supervised.execute(
        config, images("cifar10", 40, 30), run_dir, config, lambda: False
    )

    assert result["status"] == "finished"
    assert json.loads((run_dir / "config.json").read_text("utf-8"))["ablation"] == row
    assert row in result["title"]
    assert ("20 labels" in result["title"]) == (config.supervised_weight > 0)
    assert np.isfinite(list(result["final"]["metrics"].values())[2:6]).all()
    layers = [type(layer).__name__ for layer in _load(run_dir / "generator.keras").layers]
    assert ("VirtualBatchNorm" in layers) == (row != "vbn_to_bn")


def _load(path):
    return keras.saving.load_model(path, compile=False)

"""Runs in every precision: what stays in float32, what is recorded, and that they continue."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import run_cifar10
from benchmarks.kill_campaign import remains
from improved_gan_tf.data import datasets
from improved_gan_tf.layers.weight_norm.dense import WeightNormDense
from improved_gan_tf.runs import rescoring
from improved_gan_tf.runs import semi_supervised as experiment
from improved_gan_tf.runs import training_run as run_module
from improved_gan_tf.runs.checkpoints import Checkpoints
from improved_gan_tf.training import loss_scale
from tests.support.noise_runs import images, run, settings

pytestmark = pytest.mark.slow

HALF = ("mixed_bfloat16", "mixed_float16")


@pytest.fixture(autouse=True)
def _short_calls(monkeypatch):
    monkeypatch.setattr(run_module, "ITERATIONS_PER_CALL", 3)
    monkeypatch.setattr(run_module, "SECONDS_PER_CALL", 1e6)


@pytest.fixture(autouse=True, scope="module")
def _eager():
    """Without tracing: it takes longer than the iterations."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def minibatch_discrimination(**changes):
    model = "minibatch_discrimination"
    recipe = run_cifar10.VARIANTS[model]["released"]
    small = {"width_multiplier": 0.02, "epochs": 1, "evaluate_every": 1}
    return settings(run_cifar10, model=model, **{**recipe, **small, **changes})


CONFIGS = {
    "mnist": settings(epochs=1, evaluate_every=1, historical_averaging_weight=1.0),
    "cifar10": minibatch_discrimination(),
}


@pytest.mark.parametrize("precision", [*HALF, "float64"])
@pytest.mark.parametrize("name", CONFIGS)
def test_a_run_that_is_continued_ends_with_the_same_bits(name, precision, tmp_path, monkeypatch):
    # The first steps do not fit: the run is stopped while the scale still falls.
    monkeypatch.setattr(loss_scale, "INITIAL_SCALE", 2.0**60)
    config = dataclasses.replace(CONFIGS[name], precision=precision)
    assert run(config, tmp_path / "straight")["status"] == "finished"
    run(config, tmp_path / "run", stop_after_calls=2)
    stopped = Checkpoints(tmp_path / "run" / "checkpoints", 2).newest().arrays
    scales = [a for key, a in stopped.items() if "loss_scale.000" in key]
    if precision == "mixed_float16":
        assert len(scales) == 2
        assert all(2.0**40 < scale < 2.0**60 for scale in scales)
    else:
        assert scales == []
    run(config, tmp_path / "run")
    assert remains(tmp_path / "run") == remains(tmp_path / "straight")


@pytest.mark.parametrize("precision", [*HALF, "float64"])
def test_a_run_says_what_it_computed_in_and_is_scored_again(precision, tmp_path, monkeypatch):
    config = dataclasses.replace(CONFIGS["mnist"], precision=precision)
    dataset = images("mnist")
    result = experiment.execute(config, dataset, tmp_path / "run", CONFIGS["mnist"], lambda: False)
    assert f"precision: {precision} instead of float32" in result["differences_from_paper"]
    assert json.loads((tmp_path / "run" / "config.json").read_text())["precision"] == precision
    assert keras.config.floatx() == "float32"
    assert keras.config.dtype_policy().name == "float32"

    # Parameters, moments, averages and histories; then logits; then what the layers compute in.
    wide = "float64" if precision == "float64" else "float32"
    arrays = Checkpoints(tmp_path / "run" / "checkpoints", 2).newest().arrays
    floating = {key: str(a.dtype) for key, a in arrays.items() if a.dtype.kind not in "iu"}
    assert {key for key, dtype in floating.items() if dtype != wide} <= {
        key for key in floating if "learning_rate" in key
    }
    with np.load(tmp_path / "run" / "predictions.npz", allow_pickle=False) as predictions:
        assert {str(predictions[f"logits_{kind}"].dtype) for kind in ("raw", "averaged")} == {wide}
    model = keras.saving.load_model(tmp_path / "run" / "discriminator.keras", safe_mode=True)
    kinds = {layer.compute_dtype for layer in model.layers if isinstance(layer, WeightNormDense)}
    assert kinds == {precision.removeprefix("mixed_")}

    monkeypatch.setattr(datasets, "load", lambda *arguments, **options: dataset)
    for recorded, now in rescoring.rescore(tmp_path / "run").values():
        assert recorded == now


def test_a_folder_of_an_earlier_version_is_continued_in_float32(tmp_path):
    run(CONFIGS["mnist"], tmp_path / "run", stop_after_calls=2)
    path = tmp_path / "run" / "config.json"
    saved = json.loads(path.read_text())
    del saved["precision"]
    path.write_text(json.dumps(saved))
    assert run(CONFIGS["mnist"], tmp_path / "run")["status"] == "finished"

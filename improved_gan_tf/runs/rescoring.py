"""Repeats the measurement of a run's saved networks in a new process."""

import json
import pathlib
from typing import NamedTuple

import numpy as np

from improved_gan_tf.data.known_sets import KNOWN_SETS
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import environment
from improved_gan_tf.runs.data_digest import require_images_of_run
from improved_gan_tf.runs.folder_names import require_no_sweep
from improved_gan_tf.settings.images import IMAGES

MODELS = {"averaged": "discriminator", "raw": "discriminator_raw"}  # kind -> file name


def rescore(run_dir, data_dir=None):
    """Scores the saved networks of a run folder.

    Args:
        run_dir: folder that a run script wrote.
        data_dir: folder of prepared TFDS data; the run's own if None.

    Returns:
        `{kind: (recorded, now)}`, misclassified test images for "averaged" and "raw".

    Raises:
        UserError: the folder is incomplete or not a run's, holds a damaged file, its run has no
            test set or has tested nothing yet, or its test data is missing or another.
    """
    run = _read(run_dir)
    from improved_gan_tf.training import evaluation

    images, labels = _test_set(run, data_dir)
    scores = {}
    for kind, name in MODELS.items():
        if run.recorded[kind] is None:
            continue
        predictor = evaluation.Predictor(_model(run_dir, name), images, run.coupled_batch)
        scores[kind] = (run.recorded[kind], evaluation.wrong_count(predictor.logits(), labels))
    return scores


def closeness(run_dir, data_dir=None):
    """How close minibatch discrimination finds images to each other in a run's raw networks.

    Args, Raises: as for `rescore`.

    Returns:
        `runs.health.Closeness` of 100 test images and the 100 images of the run's sample grid, or
        None for a run without the layer or without a generator.
    """
    run = _read(run_dir)
    if run.coupled_batch is None or not (pathlib.Path(run_dir) / "generator.keras").exists():
        return None
    from improved_gan_tf.runs import semi_supervised

    images, _ = _test_set(run, data_dir)
    noise = semi_supervised.sample_noise(run.config["seed"])
    generated = _model(run_dir, "generator")(noise, training=False)
    return semi_supervised.measure_closeness(_model(run_dir, MODELS["raw"]), images, generated)


class _Recorded(NamedTuple):
    """What a run folder says about its run."""

    config: dict
    test_labels: np.ndarray | None  # None where they were not saved
    test_count: int
    coupled_batch: int | None
    recorded: dict  # kind -> misclassified test images
    path: pathlib.Path


def _read(run_dir):
    run_dir = pathlib.Path(run_dir)
    if not run_dir.is_dir():  # before TensorFlow starts
        raise UserError(f"A run folder is expected. Received: {run_dir} (no such folder).")
    environment.start_tensorflow()

    try:
        result = json.loads((run_dir / "result.json").read_text("utf-8"))
        config, final = result["config"], result["final"]
        if "objective" in config:
            raise UserError(
                f"{run_dir} cannot be scored again: a run of one of DCGAN's games has no test "
                "errors. `improved-gan score` scores its images."
            )
        if config["dataset"] not in (*KNOWN_SETS, IMAGES):
            raise UserError(
                f"{run_dir} cannot be scored again: a run on {config['dataset']} has no test set."
            )
        if not any(f"test_wrong_{kind}" in final for kind in MODELS):  # BigGAN
            raise UserError(f"{run_dir} cannot be scored again: its run tested nothing.")
        missing = {"data_source", "data_dir", "pixels", "seed"} - config.keys()
        if missing:
            raise KeyError(", ".join(sorted(missing)))
        coupled_batch = None
        if config["model"] == "minibatch_discrimination":
            coupled_batch = config["batch_size"]
        coupled_batch = final.get("test_batch", coupled_batch)  # earlier versions left it out
        recorded = {kind: final[f"test_wrong_{kind}"] for kind in MODELS}
        test_count = final["test_count"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        require_no_sweep(run_dir)
        raise UserError(
            f"{run_dir} is not a run folder with a readable result.json: {error}"
        ) from error
    if set(recorded.values()) == {None}:
        raise UserError(
            f"{run_dir} cannot be scored again: its run ended before its first evaluation."
        )
    saved = _saved_predictions(run_dir)
    _require_own_result(run_dir, result.get("status"), recorded, saved)
    return _Recorded(config, saved.get("labels"), test_count, coupled_batch, recorded, run_dir)


def _require_own_result(run_dir, status, recorded, saved):
    """Raises `UserError` for a result that is older than the predictions and networks beside it."""
    for kind, count in recorded.items():
        logits = saved.get(f"logits_{kind}")
        if logits is not None and int(np.sum(np.argmax(logits, 1) != saved["labels"])) != count:
            raise UserError(
                f"{run_dir} cannot be scored again: it went on after its result.json ({status}) "
                "was written, and did not end. Give the run's command again to end it."
            )


def _saved_predictions(run_dir):
    """The arrays of predictions.npz, `{}` where there are none."""
    try:
        # Opened here, because NumPy would leave a damaged archive open.
        with (
            open(run_dir / "predictions.npz", "rb") as file,
            np.load(file, allow_pickle=False) as saved,
        ):
            return {name: saved[name] for name in ("labels", *saved.files)}
    except Exception:  # absent or damaged, of which each library has its own error
        return {}


def _test_set(run, data_dir):
    """Returns a run's test images, on the device, and their labels (N,)."""
    from improved_gan_tf.data import run_data
    from improved_gan_tf.data.device_images import DeviceImages

    config = run.config
    dataset = run_data.load(config, data_dir, download=False)
    found, before = dataset.test_labels, run.test_labels
    if len(found) != run.test_count or not (before is None or np.array_equal(found, before)):
        raise UserError(
            "The test images found now are not those that the run was tested on. Received: "
            f"{len(found):,} (the run's: {run.test_count:,}) of {dataset.description}."
        )
    if config["dataset"] == IMAGES:
        require_images_of_run(run.path, dataset)
    images = DeviceImages(dataset.test_images, dataset.test_labels, config["pixels"])
    return images, dataset.test_labels


def _model(run_dir, name):
    from improved_gan_tf import layers
    from improved_gan_tf.machine.keras_files import load_keras_model

    del layers  # the import registers the layers, so the models load
    return load_keras_model(pathlib.Path(run_dir) / f"{name}.keras")

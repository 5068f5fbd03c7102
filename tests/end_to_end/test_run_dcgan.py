"""The command of DCGAN's games: what it trains, writes, continues and refuses."""

import dataclasses
import itertools
import json
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import run_dcgan
from improved_gan_tf.errors import UserError
from improved_gan_tf.runs import checkpoints, dcgan
from improved_gan_tf.runs import training_run as run_module
from improved_gan_tf.scoring.image_sources import open_source
from tests.support.commands import run_python
from tests.support.dcgan_games import settings as small_settings
from tests.support.image_folders import write_image_folder
from tests.support.places import ROOT

pytestmark = [
    pytest.mark.slow,
    # Raised by tf.data where the other functions run eagerly.
    pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions"),
]

SMALL = ("--width_multiplier=0.015625", "--batch_size=4", "--latent_dim=5", "--cache_dir=cache")
PHOTOS = ("--dataset=folder", "--image_folder=photos", "--image_size=28")


def command(*arguments, cwd):
    return run_python(ROOT / "run_dcgan.py", *SMALL, *arguments, cwd=cwd)


def test_two_seeds_are_trained_on_a_folder_of_images_and_finished_ones_not_again(tmp_path):
    write_image_folder(tmp_path / "photos")
    given = (*PHOTOS, "--conditional=acgan", "--epochs=1", "--run_dir=runs")
    done = command(*given, "--num_runs=2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "photos (12 images of 2 classes), 28 x 28, DCGAN, non_saturating, acgan" in done.stdout
    assert done.stdout.count("not the recipe's: batch_size: 4 instead of 128") == 1
    for seed in (1, 2):
        run = tmp_path / "runs" / f"seed{seed}"
        (metrics,) = [json.loads(x) for x in (run / "metrics.jsonl").read_text().splitlines()]
        for name in ("loss_discriminator", "loss_told", "gradient_norm_generator", "output_real"):
            assert np.isfinite(metrics[name]), name
        result = json.loads((run / "result.json").read_text())
        assert result["status"] == "finished"
        assert result["final"]["generator_steps"] == 3
        assert "batch_size: 4 instead of 128" in result["differences_from_paper"]
        for grid in ("samples", "interpolations"):
            with Image.open(run / grid / "epoch_0001.png") as picture:
                assert picture.size == (10 * 30 + 2, 10 * 30 + 2)
        assert (run / "curves.png").exists()
        assert list((run / "tensorboard").iterdir())
        generator = keras.models.load_model(run / "generator.keras")
        assert {x.name for x in generator.inputs} == {"z", "classes"}
        images = next(open_source(run, seed=1).batches(4, 4))
        assert images.shape == (4, 28, 28, 3)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    done = command(*given, "--num_runs=2", cwd=tmp_path)
    assert (done.returncode, done.stdout.count("finished earlier")) == (0, 4)  # told twice
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_what_does_not_fit_is_refused_in_one_sentence_and_nothing_is_written(tmp_path):
    write_image_folder(tmp_path / "photos", classes=("only",))
    for arguments, text in (
        ((*PHOTOS, "--conditional=cgan"), "needs images of two or more classes"),
        (("--objective=dragan", "--discriminator_normalization=batch"), "at single examples"),
    ):
        done = command(*arguments, "--run_dir=run", cwd=tmp_path)
        assert done.returncode == 2
        (line,) = [x for x in done.stderr.splitlines() if x.startswith("error: ")]
        assert text in line
        assert "Traceback" not in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos"]


# --- in this process, without tracing ------------------------------------------------------


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder of pictures; calls are of two iterations."""
    monkeypatch.setattr(run_module, "ITERATIONS_PER_CALL", 2)
    monkeypatch.setattr(run_module, "SECONDS_PER_CALL", 1e6)  # however slow the machine is
    tf.config.run_functions_eagerly(True)
    yield write_image_folder(tmp_path / "photos")
    tf.config.run_functions_eagerly(False)


def record(photos, objective="non_saturating", **changes):
    folder = {"dataset": "folder", "image_folder": str(photos), "image_size": 28}
    folder |= {"cache_dir": str(photos.parent / "cache"), "checkpoint_every": "1000 epochs"}
    return small_settings(objective, **{**folder, **changes})


def run(config, run_dir, stop_after_calls=None):
    calls = itertools.count(1)
    images = dcgan.Images(config)
    return dcgan.execute(config, images, run_dir, config, lambda: next(calls) == stop_after_calls)


TRICKS = {
    "instance_noise": "0.3:0.1@1",
    "replay": 5,
    "real_targets": "0.7,1.2",
    "flip_rate": 0.2,
    "historical_averaging_weight": 0.1,
    "generator_normalization": "virtual_batch",
    "minibatch_discrimination": 3,
}


@pytest.mark.parametrize(
    ("objective", "changes"),
    [
        ("non_saturating", TRICKS),
        ("began", {"diversity_ratio": 1.0}),
        (
            "wasserstein",
            {"conditional": "infogan", "discriminator_steps": 2, "epoch_iterations": 3},
        ),
    ],
)
def test_a_stopped_run_continues_with_the_same_bits(photos, tmp_path, objective, changes):
    config = record(photos, objective, **changes)
    assert run(config, tmp_path / "straight")["status"] == "finished"
    assert run(config, tmp_path / "run", stop_after_calls=1)["status"] == "interrupted"
    assert (tmp_path / "run" / "interpolations" / "epoch_0000_interrupted.png").exists()
    assert run(config, tmp_path / "run")["status"] == "finished"
    assert not list((tmp_path / "run").glob("*/*_interrupted.png"))
    straight, continued = (
        checkpoints.Checkpoints(tmp_path / name / "checkpoints", 2).newest()
        for name in ("straight", "run")
    )
    assert straight.arrays.keys() == continued.arrays.keys()
    for name, array in straight.arrays.items():
        np.testing.assert_array_equal(continued.arrays[name], array, err_msg=name)
    histories = [c.header["progress"]["history"] for c in (straight, continued)]
    for history in histories:
        for metrics in history:
            del metrics["seconds"]
    assert histories[0] == histories[1]


def test_a_run_is_not_continued_with_another_objective(photos, tmp_path):
    config = record(photos)
    run(config, tmp_path / "run", stop_after_calls=1)
    with pytest.raises(UserError, match=r"other settings\. Received: --objective=hinge"):
        run(dataclasses.replace(config, objective="hinge"), tmp_path / "run")


def test_pictures_of_a_folder_keep_their_contrast(photos):
    images = dcgan.Images(record(photos)).read()
    assert images.images.shape == (12, 28, 28, 3)
    means = [images.images[images.labels == label].mean() for label in (0, 1)]
    assert means[0] < 80 < 170 < means[1]


def test_an_iteration_may_be_as_short_or_as_long_as_asked(photos):
    config = record(photos, discriminator_steps=2)
    epochs = dcgan.epochs_of(config, dcgan.Images(config))
    assert epochs.iterations == 1
    (rows,) = epochs(0)
    assert rows.shape == (1, 8)
    assert len(set(rows.ravel())) == 8
    longer = dataclasses.replace(config, epoch_iterations=4)
    (rows,) = dcgan.epochs_of(longer, dcgan.Images(longer))(3)
    assert rows.shape == (4, 8)
    counts = np.bincount(rows.ravel(), minlength=12)
    assert set(counts) == {2, 3}  # every image twice before any a third time
    assert not np.array_equal(rows, dcgan.epochs_of(longer, dcgan.Images(longer))(4)[0])


def test_the_recipe_is_what_differs_in_no_setting():
    whole, part = (
        types.SimpleNamespace(is_whole=is_whole, description="PARTIAL")
        for is_whole in (True, False)
    )
    config = run_dcgan.EXPERIMENT
    other = dataclasses.replace(config, replay=9)
    assert dcgan.differences(config, whole, config) == []
    assert dcgan.differences(other, whole, config) == ["replay: 9 instead of 0"]
    assert dcgan.differences(config, part, config) == ["data: PARTIAL"]

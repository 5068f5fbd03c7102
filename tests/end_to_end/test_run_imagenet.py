"""The ImageNet command on a folder of images: what it trains, writes, continues and refuses."""

import dataclasses
import itertools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import run_imagenet
from improved_gan_tf.data import encoded_images
from improved_gan_tf.errors import UserError
from improved_gan_tf.runs import checkpoints, imagenet
from improved_gan_tf.runs import training_run as run_module
from improved_gan_tf.scoring.image_sources import open_source
from tests.support.commands import run_python
from tests.support.image_folders import write_image_folder
from tests.support.places import ROOT

pytestmark = [
    pytest.mark.slow,
    # Raised by tf.data where the other functions run eagerly.
    pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions"),
]

SMALL = ["--image_size=32", "--width_multiplier=0.03125", "--batch_size=4", "--num_towers=2"]


def command(*arguments, cwd):
    script = ROOT / "run_imagenet.py"
    return run_python(script, *SMALL, "--cache_dir=cache", *arguments, cwd=cwd)


def test_a_folder_of_images_is_trained_on(tmp_path):
    write_image_folder(tmp_path / "photos")
    done = command("--image_folder=photos", "--epochs=2", "--run_dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for text in (
        "photos (12 images of 2 classes), 32 x 32, joint minibatches -> run",
        "not the paper's: data: photos (12 images of 2 classes)",
        "not the paper's: width_multiplier: 0.03125 instead of 1.0",
        "not the paper's: image_size: 32 instead of 128",
        "Everything is in run",
    ):
        assert text in done.stdout
    lines = [line.split() for line in done.stdout.splitlines()]
    columns = ["epoch", "real", "generated", "classification", "generator", "error", "time"]
    header = lines.index(columns)
    assert [row[0] for row in lines[header + 1 : header + 3]] == ["1", "2"]
    assert all(len(row) == 8 for row in lines[header + 1 : header + 3])  # "s" stands by itself
    run = tmp_path / "run"
    metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [m["epoch"] for m in metrics] == [0, 1]
    losses = ("real", "generated", "classification", "generator")
    for m in metrics:
        assert all(np.isfinite(m[f"loss_{name}"]) for name in losses)
        assert 0.0 <= m["train_error"] <= 1.0
    result = json.loads((run / "result.json").read_text())
    assert result["status"] == "finished"
    assert result["final"]["models_of_iteration"] == 6
    assert result["config"]["image_folder"] == "photos"
    for name in ("epoch_0001.png", "epoch_0002.png"):
        with Image.open(run / "samples" / name) as grid:
            assert grid.size == (10 * 34 + 2, 10 * 34 + 2)
    assert (run / "curves.png").exists()
    generator = keras.models.load_model(run / "generator.keras")
    noise = {name: np.zeros((1, *x.shape[1:]), "float32") for name, x in generator.input.items()}
    assert generator(noise).shape == (1, 32, 32, 3)
    images = next(open_source(run, seed=1).batches(4, 4))
    assert images.shape == (4, 32, 32, 3)
    assert len(np.unique(images, axis=0)) == 4


def test_one_class_is_one_paragraph_and_nothing_is_written(tmp_path):
    write_image_folder(tmp_path / "photos", classes=("only",))
    done = command("--image_folder=photos", "--run_dir=run", cwd=tmp_path)
    assert done.returncode == 2
    (line,) = [x for x in done.stderr.splitlines() if "image_folder" in x]
    assert line.startswith("error: --image_folder=photos must hold one folder of images for each")
    assert "Traceback" not in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos"]


# --- in this process, without tracing ------------------------------------------------------


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A small run's record; its calls are of two iterations."""
    monkeypatch.setattr(run_module, "ITERATIONS_PER_CALL", 2)
    monkeypatch.setattr(run_module, "SECONDS_PER_CALL", 1e6)  # however slow the machine is
    tf.config.run_functions_eagerly(True)
    yield dataclasses.replace(
        run_imagenet.EXPERIMENT,
        image_folder=str(write_image_folder(tmp_path / "photos")),
        cache_dir=str(tmp_path / "cache"),
        image_size=32,
        width_multiplier=1 / 32,
        batch_size=4,
        num_towers=2,
        epochs=2,
        checkpoint_every="1000 epochs",
    )
    tf.config.run_functions_eagerly(False)


def run(config, run_dir, stop_after_calls=None):
    calls = itertools.count(1)
    source = encoded_images.find(config.image_folder, None)
    return imagenet.execute(
        config, source, run_dir, run_imagenet.EXPERIMENT, lambda: next(calls) == stop_after_calls
    )


def test_a_stopped_run_continues_with_the_same_bits(settings, tmp_path):
    assert run(settings, tmp_path / "straight")["status"] == "finished"
    assert run(settings, tmp_path / "run", stop_after_calls=1)["status"] == "interrupted"
    assert (tmp_path / "run" / "samples" / "epoch_0000_interrupted.png").exists()
    assert run(settings, tmp_path / "run")["status"] == "finished"
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


def test_a_stopped_run_is_not_continued_on_other_pictures_of_the_same_names(settings, tmp_path):
    run(settings, tmp_path / "run", stop_after_calls=1)
    Image.new("RGB", (64, 64), (0, 128, 255)).save(tmp_path / "photos" / "dark" / "000.png")
    with pytest.raises(UserError, match="digest of the images"):
        run(settings, tmp_path / "run")


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ("unreadable", r"The picture .*light/003\.png cannot be read"),
        ("too few", r"`batch_size` must not exceed the 12 images: .*\. Received: 64\."),
        ("too small", r"half of the 12 images are smaller than `image_size=64`"),
        ("too thin", r"`width_multiplier` must leave 2 of the 64 channels"),
    ],
)
def test_mistakes_are_found_before_a_folder_is_made(settings, tmp_path, mistake, message):
    changes = {
        "too few": {"batch_size": 64},
        "too small": {"image_size": 64},
        "too thin": {"width_multiplier": 0.01},
    }
    if mistake == "unreadable":
        (tmp_path / "photos" / "light" / "003.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=message):
        run(dataclasses.replace(settings, **changes.get(mistake, {})), tmp_path / "run")
    assert not (tmp_path / "run").exists()

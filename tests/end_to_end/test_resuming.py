"""A run that is stopped and continued equals the run that was not, bit for bit."""

import dataclasses
import itertools
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

import run_cifar10
import run_mnist
from improved_gan_tf import checkpointing, data, experiment, storage

TRAIN, BATCH = 70, 10  # 7 iterations an epoch


def images(name):
    """70 training and 15 test images of noise, in the shape of a data set."""
    random = np.random.RandomState(0)
    shape = data.DATASETS[name].image_shape

    def part(count):
        pixels = random.randint(0, 256, (count, *shape)).astype("uint8")
        return pixels, np.arange(count, dtype="int32") % 10

    return data.Dataset(*part(TRAIN), *part(15), description="noise", is_papers=False)


def settings(script=run_mnist, **changes):
    small = {"labels_per_class": 2, "batch_size": BATCH, "epochs": 3, "width_multiplier": 0.05}
    small |= {"evaluate_every": 2, "checkpoint_every": "1000 epochs", "seed_data": 1}
    return dataclasses.replace(script.EXPERIMENT, **{**small, **changes})


def minibatch_discrimination(**changes):
    model = "minibatch_discrimination"
    recipe = run_cifar10.VARIANTS[model]["released"]
    return settings(run_cifar10, model=model, **{**recipe, "width_multiplier": 0.02, **changes})


def run(config, run_dir, stop_after_calls=None):
    """Runs to the end, or until it was asked to stop after some calls of the loop."""
    calls = itertools.count(1)
    dataset = images(config.dataset)
    return experiment.execute(
        config, dataset, run_dir, config, lambda: next(calls) == stop_after_calls
    )


def remains(run_dir):
    """All that a run leaves, but for times: what has to be the same."""
    run_dir = pathlib.Path(run_dir)
    found = {}
    for path in sorted(p for p in run_dir.rglob("*") if p.is_file()):
        name = str(path.relative_to(run_dir))
        if name.endswith(".npz"):
            if name.startswith("checkpoints"):
                if path != sorted(path.parent.iterdir())[-1]:
                    continue  # where earlier ones lie depends on where the run was stopped
                checkpoint = checkpointing.read(path)
                found[f"{name} progress"] = timeless(checkpoint.header["progress"])
                arrays = checkpoint.arrays
            else:
                with np.load(path, allow_pickle=False) as saved:
                    arrays = dict(saved)
            found |= {f"{name} {key}": array.tobytes() for key, array in arrays.items()}
        elif name == "metrics.jsonl":
            found[name] = [timeless(json.loads(line)) for line in path.read_text().splitlines()]
        elif name.endswith(".json"):
            found[name] = timeless(json.loads(path.read_text()))
        elif name.endswith(".keras"):
            found[name] = None
        elif not name.startswith("tensorboard"):
            found[name] = path.read_bytes()
    return found


def timeless(content):
    """JSON content without seconds and without the name of the folder."""
    left_out = ("seconds", "epoch_seconds", "wall_seconds", "run_dir")
    if isinstance(content, dict):
        return {k: timeless(v) for k, v in content.items() if k not in left_out}
    return [timeless(v) for v in content] if isinstance(content, list) else content


@pytest.fixture(autouse=True)
def _short_calls(monkeypatch):
    monkeypatch.setattr(experiment, "ITERATIONS_PER_CALL", 3)
    monkeypatch.setattr(storage, "PAUSES", (0.0,))


@pytest.fixture(autouse=True, scope="module")
def _eager():
    """Without tracing: it takes longer than the iterations. The kills below run graphs."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """An uninterrupted MNIST run, in one call an epoch."""
    folder = tmp_path_factory.mktemp("straight") / "run"
    assert run(settings(), folder)["status"] == "finished"
    return folder


# --- the same bits -------------------------------------------------------------------------


def test_a_run_stopped_inside_epochs_and_between_them_ends_with_the_same_bits(straight, tmp_path):
    # Calls end at iterations 3, 6, 7 of each epoch.
    for calls in (2, 1, 3, 1):
        assert run(settings(), tmp_path / "run", stop_after_calls=calls)["status"] == "interrupted"
    assert run(settings(), tmp_path / "run")["status"] == "finished"
    assert remains(tmp_path / "run") == remains(straight)

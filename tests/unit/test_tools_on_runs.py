"""Tools that measure finished runs: which images they take, and what they compute of them."""

import argparse
import types

import numpy as np
import pytest

from improved_gan_tf.data import datasets
from improved_gan_tf.errors import DivergedError
from improved_gan_tf.runs import dcgan, finished_runs, resuming
from improved_gan_tf.scoring import classifiers, image_scores, image_sources
from tests.unit.test_tools import write_run
from tools import dcgan_study, draw_dcgan, measure_frozen
from tools.run_files import read, write


class ShiftedByItsBatch:
    """A generator of one pixel a sample; the mean of its batch is subtracted on the way."""

    def __init__(self, of_batch):
        self.of_batch = of_batch

    def predict_on_batch(self, z):
        """Images (N, 1, 1, 1)."""
        first = z[:, :1, None, None]
        return first - first.mean(axis=0) if self.of_batch else first


def test_frozen_statistics_are_compared_with_one_batch_of_a_hundred():
    run = types.SimpleNamespace(
        config={"seed": 3},
        pixels=(100.0, 100.0),
        batch_generator=ShiftedByItsBatch(True),
        generator=ShiftedByItsBatch(False),
    )
    found = measure_frozen.measured(run)
    assert list(found) == [*measure_frozen.WAYS, "frozen"]
    assert found["batch of 100"][0] == 0.0
    # The smaller the batch, the further its mean is from that of all; alone, nothing is left.
    differences = [found[way][0] for way in measure_frozen.WAYS]
    assert differences == sorted(differences)
    assert found["one at a time"][1] == 0.0
    from improved_gan_tf.runs.semi_supervised import sample_noise

    z = sample_noise(3)[:, 0].astype(float)
    expected = [abs(100 * z.mean()), 100 * z.std()]
    np.testing.assert_allclose(found["frozen"], expected, atol=0.5)  # of a rounded byte


def test_a_study_is_scored_against_training_images_and_its_test_images_too(tmp_path, monkeypatch):
    images = [np.full((2, 28, 28, 1), level, "uint8") for level in (50, 200)]
    labels = np.zeros(2, "int32")
    data = datasets.Dataset(images[0], labels, images[1], labels, "two levels", True, ("0",))
    monkeypatch.setattr(datasets, "load", lambda *_, **__: data)
    monkeypatch.setattr(classifiers, "load", lambda *_: "classifier")
    monkeypatch.setattr(finished_runs, "generator_digest", lambda run: f"digest of {run.name}")

    def open_source(run, seed):
        return image_sources.ArrayImages(images[0] + 1, seed, run.name, "mnist", True)

    def classify_all(source, classifier, count, batch_size):
        (level,) = np.unique(np.concatenate(list(source.batches(2, batch_size))))
        return int(level), count

    def score(source, classifier, classified, real, num_splits):
        return {"of": source.description, "classified": classified, "real": real}

    monkeypatch.setattr(image_sources, "open_source", open_source)
    monkeypatch.setattr(image_scores, "classify_all", classify_all)
    monkeypatch.setattr(image_scores, "score", score)
    study = dcgan_study.MNIST
    name = next(iter(study.rows))
    whole, stopped, scored = (tmp_path / f"{name}-seed{seed}" for seed in study.seeds)
    for seed, run in enumerate((whole, stopped, scored), 1):
        write_run(run, seed=seed, wrong=1)
        content = read(run / "result.json")
        content["final"]["epochs"] = study.budget["epochs"] - (run == stopped)
        write(run / "result.json", content)
    write(scored / "score.json", {"from": "before"})
    given = {"dataset": "mnist", "data_dir": None, "classifier": "file", "part": (1, 1)}
    dcgan_study.score(argparse.Namespace(runs=tmp_path, **given))
    real = [50, dcgan_study.NUM_REAL]  # the training images
    assert read(tmp_path / "real.json") == {
        "of": "test images of two levels",
        "classified": [200, study.num_samples],
        "real": real,
    }
    assert read(whole / "score.json") == {
        "of": whole.name,
        "classified": [51, study.num_samples],
        "real": real,
        "generator_sha256": f"digest of {whole.name}",
    }
    assert not (stopped / "score.json").exists()
    assert read(scored / "score.json") == {"from": "before"}


def test_a_run_of_a_study_that_diverges_is_told_and_the_others_are_trained(tmp_path, monkeypatch):
    trained = []

    def execute(config, images, folder, published, stop_requested):
        trained.append(folder.name)
        if len(trained) == 2:
            raise DivergedError("a loss is not finite")

    def look(config, folder):
        if folder.name == f"{first}-seed1":
            raise resuming.EndedError("it diverged", "diverged")
        return resuming.Found("new")

    study = dcgan_study.MNIST
    first, _, third, *_ = study.rows
    monkeypatch.setattr(dcgan, "Images", lambda config: "images")
    monkeypatch.setattr(dcgan, "execute", execute)
    monkeypatch.setattr(resuming, "look", look)
    given = argparse.Namespace(runs=tmp_path, dataset="mnist", data_dir=None, part=(1, 1))
    with pytest.raises(SystemExit) as end:
        dcgan_study.train(given)
    assert len(trained) == len(study.rows) * len(study.seeds) - 1
    for told in (f"{first}-seed1: it diverged", f"{third}-seed1: a loss is not finite"):
        assert told in end.value.code


def test_what_a_study_lacks_is_named_before_anything_is_copied(tmp_path):
    with pytest.raises(SystemExit, match=r"`python -m tools.dcgan_study measure` writes it"):
        draw_dcgan.copy(dcgan_study.MNIST, tmp_path, tmp_path)
    write(tmp_path / "milliseconds.json", {})
    with pytest.raises(SystemExit, match=r"`python -m tools.dcgan_study score` writes it"):
        draw_dcgan.copy(dcgan_study.MNIST, tmp_path, tmp_path)

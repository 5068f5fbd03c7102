"""run_biggan.py and `improved-gan truncation`: what they train, write, continue and refuse."""

import dataclasses
import itertools
import json
import os
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import run_biggan
from improved_gan_tf import sample, truncation
from improved_gan_tf.data import datasets
from improved_gan_tf.errors import CollapsedError, UserError
from improved_gan_tf.machine import files, keras_files
from improved_gan_tf.runs import biggan, checkpoints, finished_runs, loaded_run, rescoring
from improved_gan_tf.runs import training_run as run_module
from improved_gan_tf.scoring import image_sources, small_classifier
from improved_gan_tf.scoring import truncation as scoring_truncation
from tests.support.commands import call_main, run_python
from tests.support.places import ROOT
from tests.support.prepared_data import write_prepared_mnist

pytestmark = [
    pytest.mark.slow,
    # Raised by tf.data where the other functions run eagerly.
    pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions"),
]

TINY = {"dataset": "mnist", "channels": 1, "z_dim": 8, "batch_size": 4, "discriminator_steps": 2}
TINY |= {"epochs": 2, "standing_batches": 1}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """16 digits of noise to train on, two iterations an epoch, prepared as TFDS does."""
    folder = tmp_path_factory.mktemp("data")
    write_prepared_mnist(folder, num_train=16)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _eager():
    """Without tracing: it takes longer than the iterations. One command below runs graphs."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def run(data_dir):
    """A function that runs a record; its calls are of two iterations."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "ITERATIONS_PER_CALL", 2)
        patch.setattr(run_module, "SECONDS_PER_CALL", 1e6)  # however slow the machine is
        patch.setattr(files, "PAUSES", ())

        def run(run_dir, stop_after_calls=None, **changes):
            config = dataclasses.replace(
                run_biggan.EXPERIMENT,
                **{**TINY, "data_dir": str(data_dir), "checkpoint_every": "9 epochs", **changes},
            )
            dataset = datasets.load("mnist", "tfds", str(data_dir))
            calls = itertools.count(1)
            return biggan.execute(
                config,
                dataset,
                run_dir,
                run_biggan.EXPERIMENT,
                lambda: next(calls) == stop_after_calls,
            )

        yield run


@pytest.fixture(scope="module")
def straight(run, tmp_path_factory):
    """An uninterrupted run."""
    folder = tmp_path_factory.mktemp("straight") / "run"
    assert run(folder)["status"] == "finished"
    return folder


def metrics_of(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


# --- what a run writes ---------------------------------------------------------------------


def test_the_command_trains_and_says_what_is_not_the_recipes(tmp_path, data_dir):
    flags = [f"--{name}={value}" for name, value in {**TINY, "epochs": 1}.items()]
    script = ROOT / "run_biggan.py"
    done = run_python(script, *flags, f"--data_dir={data_dir}", "--run_dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for text in (
        "BigGAN of 1 channels -> run",
        "not the published recipe: dataset: mnist instead of cifar10",
        "not the published recipe: channels: 1 instead of 64",
        "Everything is in run",
    ):
        assert text in done.stdout
    header = ["epoch", "discr.", "gener.", "spread", "discr.", "gener.", "time"]
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines[lines.index(header) + 1]) == len(header) + 1  # "s" stands by itself
    dry = run_python(script, *flags, f"--data_dir={data_dir}", "--dry_run", cwd=tmp_path)
    assert "Would train on PARTIAL mnist" in dry.stdout
    assert "1 epoch of 2 iterations" in dry.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run"]


def test_two_seeds_are_trained_and_finished_ones_not_again(tmp_path, data_dir):
    flags = [f"--{name}={value}" for name, value in {**TINY, "epochs": 1}.items()]
    given = [ROOT / "run_biggan.py", *flags, f"--data_dir={data_dir}", "--num_runs=2"]
    done = run_python(*given, "--run_dir=runs", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["seed1", "seed2"]
    assert "\nnot the published recipe: epochs: 1 instead of" in done.stdout
    dry = run_python(*given, "--run_dir=runs", "--dry_run", cwd=tmp_path)
    assert "All runs in runs have ended." in dry.stdout
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    again = run_python(*given, "--run_dir=runs", cwd=tmp_path)
    assert (again.returncode, again.stdout.count("| finished | finished earlier")) == (0, 2)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()} == before
    dry = run_python(*given, "--dry_run", cwd=tmp_path)
    assert "Would train 2 runs on PARTIAL mnist" in dry.stdout
    assert "2 runs in sequence take about" in dry.stdout


def test_a_run_records_the_spectrum_of_every_layer_of_both_players(straight):
    metrics = metrics_of(straight)
    assert [m["epoch"] for m in metrics] == [0, 1]
    for player, layers in (("generator", 23), ("discriminator", 12)):
        model = keras.models.load_model(
            straight / ("generator_raw.keras" if player == "generator" else "discriminator.keras")
        )
        names = [n for n in metrics[-1] if n.startswith(f"sigma0/{player}/")]
        assert len(names) == layers
        for name in names:
            *path, last = name.split("/")[2:]
            kernel = next(
                w for w in model.trainable_weights if w.path.split("/")[:-1] == [*path, last]
            )
            largest = np.linalg.norm(np.array(kernel).reshape(-1, kernel.shape[-1]), 2)
            assert metrics[-1][name] == pytest.approx(largest, rel=1e-5)
        assert metrics[-1][f"sigma0_{player}"] == max(metrics[-1][n] for n in names)
    assert (straight / "curves.png").exists()


def test_samples_have_a_row_for_each_class_and_a_column_for_each_z(straight):
    with Image.open(straight / "samples" / "epoch_0002.png") as grid:
        assert grid.size == (10 * 34 + 2, 10 * 34 + 2)
        pixels = np.asarray(grid)[2:, 2:]
    tiles = pixels.reshape(10, 34, 10, 34, 3)[:, :32, :, :32].transpose(0, 2, 1, 3, 4)
    generator = keras.models.load_model(straight / "generator.keras")
    z = np.random.RandomState(1).normal(size=(10, 8)).astype("float32")  # `shown_noise(1)`
    images = generator({"z": z, "labels": np.full(10, 3, "int32")}, training=False)
    expected = np.clip(np.round(np.array(images) * 127.5 + 127.5), 0, 255)
    np.testing.assert_array_equal(tiles[3], expected)


def test_the_saved_generator_holds_the_average_and_standing_statistics(straight):
    averaged, raw = (
        keras.models.load_model(straight / f"{name}.keras")
        for name in ("generator", "generator_raw")
    )
    # The average has not started after 4 iterations: it follows the weights.
    for one, other in zip(averaged.trainable_weights, raw.trainable_weights, strict=True):
        np.testing.assert_array_equal(one, other)
    moving = [w.path for w in averaged.weights if w.name == "moving_mean"]
    assert len(moving) == 7
    before, after = (
        next(np.array(w) for w in model.weights if w.path == moving[-1])
        for model in (raw, averaged)
    )
    assert not np.allclose(before, after)


# --- continuing, collapsing ----------------------------------------------------------------


def test_a_stopped_run_continues_with_the_same_bits(run, straight, tmp_path):
    assert run(tmp_path / "run", stop_after_calls=1)["status"] == "interrupted"
    assert run(tmp_path / "run")["status"] == "finished"
    found = [
        checkpoints.Checkpoints(folder / "checkpoints", 2).newest()
        for folder in (straight, tmp_path / "run")
    ]
    assert found[0].arrays.keys() == found[1].arrays.keys()
    for name, array in found[0].arrays.items():
        np.testing.assert_array_equal(found[1].arrays[name], array, err_msg=name)
    histories = [metrics_of(folder) for folder in (straight, tmp_path / "run")]
    for metrics in itertools.chain(*histories):
        del metrics["seconds"]
    assert histories[0] == histories[1]


def test_samples_that_are_alike_stop_the_run(run, tmp_path, monkeypatch):
    # 100 samples, 16 real images.
    monkeypatch.setattr(
        biggan, "within_class_distance", lambda images, labels: 1.0 if len(labels) == 100 else 11.0
    )
    with pytest.raises(CollapsedError):
        run(tmp_path / "run", epochs=3)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (result["status"], result["final"]["epochs"]) == ("collapsed", 2)
    assert result["final"]["collapsed_at_epoch"] == 0
    assert result["final"]["spread"] == pytest.approx(1 / 11)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": "cifar10", "data_source": "sample"}, "--data_source=sample has digits"),
        ({"hierarchical": True}, "--hierarchical needs the class embedding of --shared_dim"),
        ({"width_multiplier": 0.1}, "--width_multiplier must leave at least one of the channels"),
        ({"hierarchical": True, "shared_dim": 2, "z_dim": 7}, "a `z_dim` that 4 divides"),
        ({"batch_size": 32}, r"must not exceed the 16 images: .* Received: 32 times"),
    ],
)
def test_mistakes_are_found_before_a_folder_is_made(run, tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        run(tmp_path / "run", **changes)
    assert not (tmp_path / "run").exists()


# --- scoring -------------------------------------------------------------------------------


def test_a_run_is_scored_on_all_classes_in_turn_as_digits_of_its_data_set(straight):
    source = image_sources.open_source(straight, seed=1)
    assert (source.image_shape, source.dataset) == ((28, 28, 1), "mnist")
    images = np.concatenate(list(source.batches(20, 8)))
    assert (images.shape, images.dtype) == ((20, 28, 28, 1), np.uint8)
    assert len(np.unique(images, axis=0)) == 20
    with pytest.raises(UserError, match="--noise and --output_range go with generators"):
        image_sources.open_source(straight, seed=1, noise="uniform")


def test_no_table_of_the_paper_has_a_place_for_it(straight):
    left_out = finished_runs.read_run(straight)
    assert left_out.reason == "the paper has no table for biggan"
    with pytest.raises(UserError, match="cannot be scored again: its run tested nothing"):
        rescoring.rescore(straight)
    with pytest.raises(UserError, match="is a run of BigGAN, whose discriminator is no classifier"):
        loaded_run.load_run(straight)


def test_a_run_draws_samples_of_each_class_in_turn(straight, tmp_path, capsys):
    code, out, _ = call_main(sample.main, capsys, straight, f"--output={tmp_path / 'new.npz'}")
    assert (code, out.split(" bytes")[0]) == (0, "100 images of 28 x 28 x 1")
    with np.load(tmp_path / "new.npz", allow_pickle=False) as saved:
        expected = image_sources.open_source(straight, 1).batches(100, 4)
        np.testing.assert_array_equal(saved["images"], np.concatenate(list(expected)))


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A classifier of digits, not trained."""
    path = tmp_path_factory.mktemp("classifier") / "mnist.keras"
    keras.utils.set_random_seed(1)
    keras_files.write_model(path, small_classifier.build_classifier((28, 28, 1), 10))
    files.write_json(path.with_suffix(".json"), {"kind": "classifier", "data": "nothing"})
    return path


def curve(run_dir, classifier, capsys, *more):
    few = ("--num_samples=30", "--num_real=25", "--batch_size=20", "--standing_batches=2")
    return call_main(truncation.main, capsys, run_dir, f"--classifier={classifier}", *few, *more)


def test_the_truncation_curve_has_a_point_for_every_threshold(
    straight, classifier, capsys, monkeypatch
):
    asked, real_images = [], scoring_truncation.real_images

    def noted(dataset, classifier, *numbers):
        asked.append(numbers)
        return real_images(dataset, classifier, *numbers)

    monkeypatch.setattr(scoring_truncation, "real_images", noted)
    settings = ("--thresholds=none,0.01", "--fixed_statistics")
    code, output, _ = curve(straight, classifier, capsys, *settings)
    assert code == 0
    assert "mnist.keras, trained on nothing" in output
    content = json.loads((straight / "truncation_fixed_statistics.json").read_text())
    assert content["generator_sha256"] == finished_runs.generator_digest(straight)
    assert asked == [(25, 20)]  # --num_real, --batch_size
    free, tight = content["points"]
    assert (free["threshold"], tight["threshold"]) == (None, 0.01)
    assert tight["spread"] < 0.2 * free["spread"]  # nearly one z is left
    for point in content["points"]:
        assert point["num_samples"] == 30
        assert len(point["right_by_class"]) == 10
        assert point["right"] == pytest.approx(np.mean(point["right_by_class"]))
        assert 1.0 <= point["score_mean"] <= 10.0
        assert point["frechet_distance"] > 0
    assert (straight / "truncation_fixed_statistics.png").read_bytes()[:4] == b"\x89PNG"
    found = [content["points"]]
    for seed in ("--seed=1", "--seed=2"):
        assert curve(straight, classifier, capsys, *settings, "--overwrite", seed)[0] == 0
        written = json.loads((straight / "truncation_fixed_statistics.json").read_text())
        found.append(written["points"])
    assert found[0] == found[1] != found[2]


def test_a_classifier_without_a_description_is_given_its_range(straight, tmp_path, capsys):
    images = keras.Input((28, 28, 1))
    features = keras.layers.Flatten()(images)
    outputs = {"logits": keras.layers.Dense(10)(features), "features": features}
    keras.Model(images, outputs).save(tmp_path / "own.keras")
    folder = shutil.copytree(straight, tmp_path / "run", ignore=lambda *_: {"truncation.json"})
    own = tmp_path / "own.keras"
    code, _, err = curve(folder, own, capsys)
    assert code == 2
    assert "--classifier_range 0 255, or 0 1" in err
    for numbers in (("1", "0"), ("0", "inf")):
        code, _, err = curve(folder, own, capsys, "--classifier_range", *numbers)
        assert (code, err.startswith("error: --classifier_range must be two finite")) == (2, True)
    code, _, err = curve(folder, own, capsys, "--classifier_range", "0", "1")
    assert code == 0, err


def test_statistics_measured_anew_undo_the_truncation_of_an_untrained_generator(
    straight, classifier, capsys
):
    curve(straight, classifier, capsys, "--thresholds=none,0.01", "--overwrite")
    free, tight = json.loads((straight / "truncation.json").read_text())["points"]
    assert tight["spread"] > 0.5 * free["spread"]


def test_a_curve_names_the_generator_that_it_drew_from_where_the_run_goes_on(
    straight, classifier, capsys, tmp_path, monkeypatch
):
    folder, measured = shutil.copytree(straight, tmp_path / "run"), scoring_truncation.curve

    def replaced(*arguments, **options):
        (folder / "generator.keras").write_bytes(b"of a later epoch")
        return measured(*arguments, **options)

    monkeypatch.setattr(scoring_truncation, "curve", replaced)
    code, _, errors = curve(folder, classifier, capsys, "--thresholds=1", "--overwrite")
    assert code == 0, errors
    content = json.loads((folder / "truncation.json").read_text())
    assert content["generator_sha256"] == finished_runs.generator_digest(straight)


def test_a_folder_that_cannot_be_written_is_told_before_a_curve_is_measured(
    straight, classifier, capsys, monkeypatch
):
    monkeypatch.setattr(os, "access", lambda path, mode: path != straight)
    code, _, errors = curve(straight, classifier, capsys, "--overwrite")
    assert (code, errors.count("cannot be written: its folder is not writable")) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--thresholds=1,x"], "--thresholds must be different numbers larger than 0, or none"),
        (["--thresholds=1,-1"], "--thresholds must be different numbers"),
        (["--thresholds=1,1"], "--thresholds must be different numbers"),
        (["--num_samples=1"], "--num_samples must be 20 or more. Received: 1."),
        (["--seed=-1"], "--seed must be from 0 to 4294967295. Received: -1."),
        (["--classifier=absent.keras"], "--classifier must be a file that exists."),
    ],
)
def test_a_mistake_in_the_truncation_command_is_one_line(
    straight, classifier, capsys, arguments, message
):
    code, _, errors = curve(straight, classifier, capsys, *arguments, "--overwrite")
    assert code == 2
    assert errors.startswith(f"error: {message}")


def test_a_curve_is_not_overwritten_unasked_and_needs_a_biggan_run(
    straight, classifier, capsys, tmp_path
):
    (straight / "truncation.json").touch()
    code, _, errors = curve(straight, classifier, capsys)
    assert (code, errors.count("exists; --overwrite replaces it")) == (2, 1)
    code, _, errors = curve(tmp_path, classifier, capsys)
    assert (code, errors.count("A folder of run_biggan.py is expected")) == (2, 1)

"""Scoring a run's saved networks again: what is compared, and which folders are refused."""

import json

import numpy as np
import pytest

from improved_gan_tf import networks, rescore
from improved_gan_tf.data import datasets, tfds_folders
from improved_gan_tf.runs import rescoring
from tests.support import noise_runs
from tests.support.commands import call_main
from tests.support.written_runs import record, write_dcgan_run, write_imagenet_run, write_run

KINDS = ("averaged", "raw")


def command(capsys, *arguments):
    """Runs the command in this process; returns its exit code, stdout and stderr."""
    return call_main(rescore.main, capsys, *arguments)


def test_recorded_and_new_counts_stand_side_by_side(tmp_path, monkeypatch, capsys):
    model = networks.mnist_discriminator(1, 0.02)
    images = np.random.RandomState(0).randint(0, 256, (20, 28, 28, 1)).astype("uint8")
    labels = np.arange(20, dtype="int32") % 10
    dataset = datasets.Dataset(images, labels, images, labels, "noise", False, tuple("0123456789"))
    monkeypatch.setattr(datasets, "load", lambda *arguments, **options: dataset)
    logits = np.array(model(images / 255.0, training=False)["logits"])
    wrong = int(np.sum(np.argmax(logits, axis=1) != labels))
    for recorded, expected_code in ((wrong, 0), (wrong + 1, rescore.DIFFERENT)):
        write_run(tmp_path, averaged=None, raw=recorded, count=20)
        model.save(tmp_path / "discriminator_raw.keras")
        code, out, _ = command(capsys, tmp_path)
        assert out == f"raw parameters: recorded {recorded} wrong, now {wrong} wrong\n"
        assert code == expected_code


def test_everything_is_scored_on_the_data_that_are_given(monkeypatch, capsys):
    asked = []
    for name, result in (("rescore", {}), ("closeness", None)):
        monkeypatch.setattr(
            rescoring, name, lambda *a, name=name, result=result: asked.append((name, a)) or result
        )
    assert command(capsys, "run", "--data_dir=data")[0] == 0
    assert asked == [("rescore", ("run", "data")), ("closeness", ("run", "data"))]


@pytest.mark.parametrize("count", [19, 20], ids=["fewer", "others"])
def test_other_test_images_than_the_runs_are_refused(tmp_path, monkeypatch, capsys, count):
    images, labels = np.zeros((20, 28, 28, 1), "uint8"), np.arange(20, dtype="int32") % 10
    found = datasets.Dataset(images, labels, images, labels, "noise", False, tuple("0123456789"))
    monkeypatch.setattr(datasets, "load", lambda *arguments, **options: found)
    saved = {"labels": (np.arange(count) + 1) % 10, "logits_raw": np.zeros((count, 10))}
    wrong = int(np.count_nonzero(saved["labels"]))
    write_run(tmp_path, averaged=None, raw=wrong, count=count, predictions=saved)
    networks.mnist_discriminator(1, 0.02).save(tmp_path / "discriminator_raw.keras")
    code, out, err = command(capsys, tmp_path)
    assert (code, out) == (2, "")
    assert f"not those that the run was tested on. Received: 20 (the run's: {count})" in err


def test_a_result_older_than_the_networks_is_refused(tmp_path, capsys):
    """As a run leaves it that was interrupted, went on and was killed."""
    noise_runs.run(noise_runs.settings(evaluate_every=1), tmp_path, stop_after_calls=2)
    interrupted = (tmp_path / "result.json").read_text("utf-8")
    noise_runs.run(noise_runs.settings(evaluate_every=1), tmp_path)
    (tmp_path / "result.json").write_text(interrupted, "utf-8")
    result = json.loads(interrupted)
    with np.load(tmp_path / "predictions.npz", allow_pickle=False) as saved:
        wrong = [int(np.sum(saved[f"logits_{k}"].argmax(1) != saved["labels"])) for k in KINDS]
    assert wrong != [result["final"][f"test_wrong_{kind}"] for kind in KINDS]
    capsys.readouterr()  # what training printed
    code, out, err = command(capsys, tmp_path)
    assert (code, out) == (2, "")
    assert "it went on after its result.json (interrupted) was written, and did not end" in err


def test_a_run_that_was_not_evaluated_is_refused(tmp_path, capsys):
    write_run(tmp_path, averaged=None, raw=None, status="diverged")
    code, out, err = command(capsys, tmp_path)
    assert (code, out) == (2, "")
    assert err.endswith("cannot be scored again: its run ended before its first evaluation.\n")


def test_a_run_without_a_test_set_is_refused(tmp_path, capsys):
    folder = write_imagenet_run(tmp_path / "run")
    code, out, err = command(capsys, folder)
    assert (code, out) == (2, "")
    assert err == (f"error: {folder} cannot be scored again: a run on imagenet has no test set.\n")
    folder = write_dcgan_run(tmp_path / "dcgan")
    code, out, err = command(capsys, folder)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {folder} cannot be scored again: a run of one of DCGAN's games")


def test_a_folder_of_runs_is_refused_with_the_name_of_one(tmp_path, capsys):
    (tmp_path / "seed1").mkdir()
    (tmp_path / "seed1" / "config.json").write_text("{}")
    code, out, err = command(capsys, tmp_path)
    assert (code, out) == (2, "")
    assert (
        err
        == f"error: {tmp_path} is a folder of runs. Give one of them, such as {tmp_path}/seed1.\n"
    )


@pytest.mark.parametrize(
    "content", [[], 3, None, {"config": {}}, {"config": [], "final": {}}, {"config": 1, "final": 1}]
)
def test_a_result_of_something_else_is_refused(tmp_path, content, capsys):
    (tmp_path / "result.json").write_text(json.dumps(content))
    code, _, err = command(capsys, tmp_path)
    assert code == 2
    assert err.startswith(f"error: {tmp_path} is not a run folder with a readable result.json: ")
    assert err.count("\n") == 1


def test_a_result_without_a_count_is_refused(tmp_path, capsys):
    path = write_run(tmp_path, record(data_source="sample")) / "result.json"
    result = json.loads(path.read_text())
    del result["final"]["test_wrong_raw"]
    path.write_text(json.dumps(result))
    code, _, err = command(capsys, tmp_path)
    assert code == 2
    assert "result.json: 'test_wrong_raw'" in err


def test_missing_data_are_not_downloaded(tmp_path, monkeypatch, capsys):
    def connected():
        raise AssertionError("the network was asked")

    monkeypatch.setattr(tfds_folders, "network_error", connected)
    write_run(tmp_path / "run")
    (tmp_path / "data").mkdir()
    code, _, err = command(capsys, tmp_path / "run", f"--data_dir={tmp_path}/data")
    assert code == 2
    assert err.startswith(f"error: No prepared 'mnist' data in {tmp_path}/data, and this command")
    assert list((tmp_path / "data").iterdir()) == []

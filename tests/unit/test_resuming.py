"""What a command may do with the folder it finds."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest

import run_dcgan
import run_imagenet
import run_images
import run_mnist
from improved_gan_tf.errors import UserError
from improved_gan_tf.runs import resuming
from improved_gan_tf.runs.checkpoints import Checkpoint
from improved_gan_tf.runs.data_digest import data_digest
from improved_gan_tf.settings import every_run, images

MAY_CHANGE = {
    *("data_dir", "run_dir", "overwrite", "with_baseline", "evaluate_every", "checkpoint_every"),
    *("keep_checkpoints", "resume", "dry_run", "strategy", "num_devices", "tpu", "epochs"),
    *("stop_on_collapse", "jit_compile", "deterministic"),
}
FOLDER_OF_DCGAN = dataclasses.replace(run_dcgan.EXPERIMENT, dataset="folder", image_folder="photos")
VERSIONS = {
    **{"improved_gan_tf": "1", "tensorflow": "2", "keras": "3", "numpy": "4", "device": "CPU"},
    "num_threads": 2,
}


def record(**changes):
    return dataclasses.replace(run_mnist.EXPERIMENT, **changes)


@pytest.fixture
def folder(tmp_path):
    """A folder of a run that began with the script's settings."""
    path = tmp_path / "run"
    path.mkdir()
    (path / "config.json").write_text(json.dumps(record().to_dict()))
    return path


def add_checkpoint(folder):
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "checkpoint-000000007.npz").write_bytes(b"unread here")


def add_result(folder, status, epochs=300):
    result = {"status": status, "config": record(epochs=epochs).to_dict()}
    (folder / "result.json").write_text(json.dumps(result))


def refusal(folder, **changes):
    """The sentence that refuses a folder inside of `tmp_path`, where nothing has changed."""
    before = {p: p.is_dir() or p.read_bytes() for p in folder.parent.rglob("*")}
    with pytest.raises(UserError) as caught:
        resuming.look(record(**changes), folder)
    assert {p: p.is_dir() or p.read_bytes() for p in folder.parent.rglob("*")} == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- new -----------------------------------------------------------------------------------


def test_an_absent_or_empty_folder_is_for_a_new_run(tmp_path):
    assert resuming.look(record(), tmp_path / "absent").status == "new"
    (tmp_path / "empty").mkdir()
    assert resuming.look(record(), tmp_path / "empty").status == "new"
    # Killed while the first file was being written.
    (tmp_path / "empty" / ".123.config.json").touch()
    assert resuming.look(record(), tmp_path / "empty").status == "new"


def test_a_folder_that_cannot_be_made_is_refused_before_anything_else(tmp_path):
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file" / "runs" / "run") == (
        f"--run_dir={tmp_path}/file/runs/run cannot be written: {tmp_path}/file is no folder to "
        "write in."
    )


def test_resume_must_refuses_to_begin(tmp_path):
    text = refusal(tmp_path / "absent", resume="must")
    assert text.startswith(f"--resume=must asks to continue a run, and there is none in {tmp_path}")


def test_resume_must_and_overwrite_contradict_each_other():
    with pytest.raises(UserError, match="give one of them"):
        record(resume="must", overwrite=True)


def test_a_file_and_a_path_below_a_file_are_refused(tmp_path):
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file") == (
        f"--run_dir must be a folder. Received: {tmp_path}/file (a file)."
    )
    name = "x" * 300
    assert refusal(tmp_path / name) == f"--run_dir={tmp_path}/{name} cannot be read: " + (
        "File name too long."
    )


def test_a_folder_that_is_no_runs_is_refused(tmp_path):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    assert refusal(folder) == (
        f"--run_dir={folder} exists and is not empty; nothing is overwritten unasked. Give "
        "another --run_dir, or --overwrite to move the old folder aside."
    )
    assert resuming.look(record(overwrite=True), folder).status == "new"


# --- unfinished ----------------------------------------------------------------------------


@pytest.mark.parametrize("resume", ["auto", "must"])
def test_an_unfinished_run_is_continued(folder, resume):
    add_checkpoint(folder)
    assert resuming.look(record(resume=resume), folder).status == "unfinished"


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_again(folder):
    assert resuming.look(record(), folder).status == "unfinished"
    assert "left no checkpoint" in refusal(folder, resume="must")


def test_resume_never_refuses_an_unfinished_run(folder):
    add_checkpoint(folder)
    assert "exists and is not empty" in refusal(folder, resume="never")


def test_results_without_a_checkpoint_are_not_begun_again(folder):
    add_result(folder, "interrupted")
    assert "cannot be continued: it left no checkpoint" in refusal(folder)


def test_other_settings_are_listed_with_both_values(folder):
    text = refusal(folder, seed=2, learning_rate=0.5, epochs=9)
    assert text.startswith(
        f"--run_dir={folder} holds a run with other settings. Received: --seed=2 (the run's is "
        "1), --learning_rate=0.5 (the run's is 0.003). "
    )


def test_other_images_are_told_by_what_was_found_in_them(tmp_path):
    found = (28, 28, 1), ("ant", "bee"), 300
    before = images.resolved(run_images.EXPERIMENT, *found, num_labeled_images=20)
    now = images.resolved(run_images.EXPERIMENT, *found[:2], 305, num_labeled_images=24)
    (tmp_path / "config.json").write_text(json.dumps(before.to_dict()))
    with pytest.raises(UserError) as caught:
        resuming.look(now, tmp_path)
    assert str(caught.value).startswith(
        f"--run_dir={tmp_path} holds a run on other images. Received: labeled training images: 24 "
        "(the run's: 20). "
    )
    other = dataclasses.replace(now, test_fraction=0.3, seed=9)
    with pytest.raises(
        UserError, match=r"other settings. Received: --seed=9 .*--test_fraction=0.3"
    ):
        resuming.look(other, tmp_path)
    with pytest.raises(UserError, match=r"20\). Some settings differ too: --seed=9 \(the"):
        resuming.look(dataclasses.replace(now, seed=9), tmp_path)
    larger = dataclasses.replace(now, image_size=32, image_shape=(32, 32, 1))
    with pytest.raises(UserError, match=r"other settings. Received: --image_size=32 \(the run's"):
        resuming.look(larger, tmp_path)


@pytest.mark.parametrize("name", sorted(f.name for f in dataclasses.fields(record())))
def test_every_setting_either_has_to_agree_or_may_change(folder, name):
    saved = record().to_dict()
    saved[name] = "other"
    (folder / "config.json").write_text(json.dumps(saved))
    if name in MAY_CHANGE:
        assert resuming.look(record(), folder).status == "unfinished"
    else:
        assert f"--{name}=" in refusal(folder)


@pytest.mark.parametrize(
    ("of_the_run", "given", "accepted"),
    [
        ((None, None), (300, 400), True),
        ((None, None), (299, 400), False),
        ((None, None), (310, 400), True),
        ((300, 500), (None, None), True),
        ((300, 500), (350, 400), True),
        ((299, 500), (None, None), False),
        ((299, 500), (300, 500), False),
    ],
)
def test_the_decay_may_change_where_it_begins_after_the_runs_epochs(
    folder, of_the_run, given, accepted
):
    names = ("decay_start_epoch", "decay_end_epoch")
    saved = record(epochs=300, **dict(zip(names, of_the_run, strict=True))).to_dict()
    (folder / "config.json").write_text(json.dumps(saved))
    changes = {"epochs": 310, **dict(zip(names, given, strict=True))}
    if accepted:
        assert resuming.look(record(**changes), folder).status == "unfinished"
    else:
        assert "--decay_start_epoch=" in refusal(folder, **changes)


def test_the_decay_may_not_change_where_no_epochs_are_added(folder):
    assert "--decay_start_epoch=" in refusal(folder, decay_start_epoch=300, decay_end_epoch=310)


def test_the_decay_may_not_change_with_another_learning_rate(folder):
    changes = {"epochs": 310, "decay_start_epoch": 300, "decay_end_epoch": 310}
    text = refusal(folder, learning_rate=0.001, **changes)
    assert "--learning_rate=0.001 (the run's is 0.003). Give" in text


def test_a_run_of_a_version_without_a_setting_had_its_default(folder):
    saved = record().to_dict()
    del saved["width_multiplier"]
    (folder / "config.json").write_text(json.dumps(saved))
    assert resuming.look(record(), folder).status == "unfinished"
    assert "--width_multiplier=0.5 (the run's is None)" in refusal(folder, width_multiplier=0.5)


@pytest.mark.parametrize("name", ["config.json", "result.json"])
@pytest.mark.parametrize("content", ["", '{"epochs": 3', "[]", "\udcff"])
def test_damaged_json_is_explained(folder, name, content):
    (folder / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    assert f"{folder / name} is damaged" in refusal(folder)


def test_a_result_of_something_else_is_explained(folder):
    (folder / "result.json").write_text('{"status": "finished", "config": 3}')
    assert "cannot be read: TypeError" in refusal(folder)


@pytest.mark.parametrize(
    ("experiment", "name"),
    [
        (run_imagenet.EXPERIMENT, "image_folder"),
        (run_images.EXPERIMENT, "image_folder"),
        (run_images.EXPERIMENT, "arrays"),
        (FOLDER_OF_DCGAN, "image_folder"),
    ],
    ids=["imagenet", "images", "arrays", "dcgan"],
)
def test_a_path_that_is_spelled_otherwise_is_no_other_setting(
    tmp_path, monkeypatch, experiment, name
):
    monkeypatch.setenv("HOME", "/home/someone")
    spellings = ("~/photos", "/home/someone/photos", "/home/someone/photos/", "~//./photos")
    records = [dataclasses.replace(experiment, **{name: text}) for text in spellings]
    assert not any(every_run.different_settings(records[0], one) for one in records[1:])
    for text in spellings:  # as an earlier version wrote it
        config = {**records[0].to_dict(), name: text}
        (tmp_path / "config.json").write_text(json.dumps(config))
        resuming.require_same_settings(records[1], tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**config, name: "/home/someone/others"}))
    with pytest.raises(UserError, match=f"--{name}=/home/someone/photos .* is /home/someone/oth"):
        resuming.require_same_settings(records[1], tmp_path)


# --- finished, diverged --------------------------------------------------------------------


def test_a_finished_run_is_told_from_one_that_has_epochs_left(folder):
    add_checkpoint(folder)
    add_result(folder, "finished")
    found = resuming.look(record(), folder)
    assert found.status == "finished"
    with pytest.raises(UserError, match=f"The run in {folder} is finished, all 300 epochs. Give a"):
        resuming.refuse_finished(found, folder)
    found = resuming.look(record(epochs=301), folder)
    assert found.status == "unfinished"
    resuming.refuse_finished(found, folder)


def test_a_diverged_run_would_diverge_again(folder):
    add_checkpoint(folder)
    add_result(folder, "diverged")
    assert "no longer finite; continued, it would do so again" in refusal(folder)


@pytest.mark.parametrize(
    ("changes", "command"),
    [
        ({}, "the same command again to continue"),
        ({"overwrite": True}, "the same command again without --overwrite to continue"),
        ({"resume": "never"}, "the same command again without --resume=never to continue"),
    ],
)
def test_the_command_that_continues_is_none_that_begins_anew(changes, command):
    assert resuming.command_to_continue(record(**changes)) == command


# --- circumstances -------------------------------------------------------------------------


def test_the_digest_of_data_stays_what_checkpoints_hold():
    images, labels = np.arange(6, dtype="uint8").reshape(2, 3), np.array([1, 0], "int32")
    digest = hashlib.sha256(bytes(range(6)) + b"\x01\0\0\0\0\0\0\0").hexdigest()
    assert data_digest(images, labels) == digest[:16]
    assert data_digest(images[:, ::-1], labels) != digest[:16]


def test_other_circumstances_are_named_with_both_values(tmp_path):
    header = {"circumstances": {"training images": 15_000, "local batches": 1}}
    checkpoint = Checkpoint(tmp_path / "file.npz", header, {})
    resuming.require_same_circumstances(checkpoint, header["circumstances"])
    now = {"training images": 50_000, "local batches": 1}
    with pytest.raises(UserError, match=r"training images: 50000 \(the run's: 15000\)\. "):
        resuming.require_same_circumstances(checkpoint, now)


def test_a_checkpoint_of_a_version_that_did_not_write_them_is_continued(tmp_path):
    checkpoint = Checkpoint(tmp_path / "file.npz", {}, {})
    resuming.require_same_circumstances(checkpoint, {"training images": 50_000})


def test_a_checkpoint_of_a_version_without_digests_is_continued(tmp_path):
    before = {"training images": 50_000}
    checkpoint = Checkpoint(tmp_path / "file.npz", {"circumstances": before}, {})
    digests = {"digest of the images": "12", "digest of the labels": "34"}
    resuming.require_same_circumstances(checkpoint, {**before, **digests})
    with pytest.raises(UserError, match=r"something else: 12 \(the run's: None\)"):
        resuming.require_same_circumstances(checkpoint, {**before, "something else": "12"})


# --- versions ------------------------------------------------------------------------------


def test_another_version_can_be_read_and_that_is_said(tmp_path, capsys):
    written = {**VERSIONS, "tensorflow": "1.15", "device": "GPU", "git_commit": "abc"}
    written["num_threads"] = None
    checkpoint = Checkpoint(tmp_path / "file.npz", {"versions": written}, {})
    resuming.warn_of_other_versions(checkpoint, VERSIONS)
    assert capsys.readouterr().err == (
        f"warning: {tmp_path}/file.npz was written with git_commit abc (now None), tensorflow 1.15 "
        "(now 2), device GPU (now CPU), num_threads None (now 2). It can be read and the run goes "
        "on, but its numbers may differ from those of an uninterrupted run.\n"
    )
    checkpoint = Checkpoint(tmp_path / "file.npz", {"versions": dict(VERSIONS)}, {})
    resuming.warn_of_other_versions(checkpoint, VERSIONS)
    assert capsys.readouterr().err == ""

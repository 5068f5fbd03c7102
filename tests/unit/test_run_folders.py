"""Which folders count as finished runs, and what is said about every other one."""

import dataclasses
import json

import pytest

from improved_gan_tf.errors import UserError
from improved_gan_tf.runs.finished_runs import LeftOut, Run, find_run_folders, read_run, read_runs
from improved_gan_tf.settings import images
from run_images import EXPERIMENT
from tests.support.written_runs import (
    record,
    result_of,
    write_dcgan_run,
    write_imagenet_run,
    write_run,
)

# --- finding -------------------------------------------------------------------------------


def test_a_run_folder_and_its_baseline_are_found(tmp_path):
    write_run(tmp_path / "run")
    write_run(tmp_path / "run" / "supervised_only")
    found = find_run_folders([tmp_path / "run"])
    assert found == [tmp_path / "run", tmp_path / "run" / "supervised_only"]


def test_folders_below_a_parent_are_found_in_the_order_of_their_numbers(tmp_path):
    for name in ("labels100-seed10", "labels20-seed1", "labels100-seed2"):
        write_run(tmp_path / "deep" / name)
    names = [path.name for path in find_run_folders([tmp_path])]
    assert names == ["labels20-seed1", "labels100-seed2", "labels100-seed10"]


def test_a_folder_given_twice_counts_once(tmp_path):
    write_run(tmp_path / "a")
    link = tmp_path / "b"
    link.symlink_to(tmp_path / "a")
    assert find_run_folders([tmp_path / "a", tmp_path, link]) == [tmp_path / "a"]


def test_a_path_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"Received: .*missing \(no such folder\)"):
        find_run_folders([tmp_path / "missing"])


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"holds no run folder: no config\.json or result\.json"):
        find_run_folders([tmp_path])


# --- judging -------------------------------------------------------------------------------


def reason_of(folder, **options):
    found = read_run(folder, **options)
    assert isinstance(found, LeftOut)
    assert found.path == folder
    return found.reason


def test_a_finished_run_is_read(tmp_path):
    config = record(seed=7, epochs=20)
    found = read_run(write_run(tmp_path / "run", config, raw=11))
    assert isinstance(found, Run)
    assert found.config == config
    assert found.result["final"]["test_wrong_raw"] == 11


def test_a_run_without_result_is_unfinished(tmp_path):
    (write_run(tmp_path / "run") / "result.json").unlink()
    assert reason_of(tmp_path / "run") == "unfinished: it has no result.json"


@pytest.mark.parametrize("content", ['{"hidden_size": 768}', "[]"])
def test_another_programs_settings_are_foreign(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    assert reason_of(tmp_path) == "foreign: config.json is not one of this package"


def test_damaged_settings_without_a_result_are_told(tmp_path):
    (tmp_path / "config.json").write_text("{")
    assert reason_of(tmp_path).startswith("no result.json, and config.json cannot be read: ")


@pytest.mark.parametrize("status", ["interrupted", "diverged"])
def test_a_run_that_did_not_finish_is_left_out(tmp_path, status):
    write_run(tmp_path / "run", record(epochs=3), status=status)
    assert reason_of(tmp_path / "run") == f"{status} after 3 epochs"


def test_a_damaged_result_is_left_out(tmp_path):
    path = write_run(tmp_path / "run") / "result.json"
    path.write_text(path.read_text()[:100])
    assert reason_of(tmp_path / "run").startswith("result.json cannot be read: ")


@pytest.mark.parametrize("content", [[], 3, {"status": "finished"}, {"score": 0.9}, None])
def test_another_programs_result_is_foreign(tmp_path, content):
    (tmp_path / "result.json").write_text(json.dumps(content))
    assert reason_of(tmp_path).startswith("foreign: result.json is not one of this package")


def test_a_run_on_imagenet_has_no_test_error(tmp_path):
    folder = write_imagenet_run(tmp_path / "run")
    assert reason_of(folder) == "the paper has no table of test errors on imagenet"


def test_a_run_of_a_dcgans_game_is_named_and_left_out(tmp_path):
    folder = write_dcgan_run(tmp_path / "run")
    reason = "the paper has no table of DCGAN's games"
    assert reason_of(folder) == reason
    (folder / "score.json").touch()
    assert reason_of(folder) == f"{reason}; score.json has scores"


def test_another_versions_run_is_left_out_unless_asked_for(tmp_path):
    write_run(tmp_path, versions={"improved_gan_tf": "0.0.1"})
    assert reason_of(tmp_path).startswith("made by version 0.0.1 of this package; this is ")
    assert isinstance(read_run(tmp_path, other_versions=True), Run)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda c: c.pop("generator_steps"), "missing 1 required keyword-only argument"),
        (lambda c: c.update(momentum=0.9), "unexpected keyword argument 'momentum'"),
        (lambda c: c.update(epochs=0), "--epochs must be a whole number of 1 or more"),
        (lambda c: c.update(epochs="many"), "not supported between instances"),
    ],
)
def test_settings_of_another_version_are_left_out(tmp_path, change, text):
    result = result_of(record())
    change(result["config"])
    (tmp_path / "result.json").write_text(json.dumps(result))
    reason = reason_of(tmp_path)
    assert reason.startswith("its settings are not those of this version: ")
    assert text in reason


def test_settings_that_came_in_later_have_their_default(tmp_path):
    result = result_of(record())
    del result["config"]["overwrite"]
    (tmp_path / "result.json").write_text(json.dumps(result))
    assert read_run(tmp_path).config.overwrite is False


@pytest.mark.parametrize(
    "numbers",
    [{"raw": 11_000}, {"raw": -1}, {"count": 0}, {"raw": "12"}, {"raw": None, "averaged": None}],
)
def test_impossible_numbers_are_left_out(tmp_path, numbers):
    write_run(tmp_path, **numbers)
    assert reason_of(tmp_path).startswith("result.json has impossible numbers: ")


def test_a_folder_that_was_moved_aside_is_left_out_with_its_baseline(tmp_path):
    folder = write_run(tmp_path / "run.old-1" / "supervised_only")
    reason = "moved aside when another run took its place"
    assert read_runs([tmp_path]) == ([], [LeftOut(folder, reason)])
    # What is asked for by its name counts.
    (tmp_path / "link").symlink_to(tmp_path / "run.old-1")
    for path in (folder, folder.parent, str(tmp_path / "link")):
        assert [run.path.resolve() for run in read_runs([path])[0]] == [folder]


def test_a_run_behind_a_link_to_elsewhere_counts(tmp_path):
    run = write_run(tmp_path / "elsewhere" / "b")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link").symlink_to(run)
    (found,), left_out = read_runs([tmp_path / "runs"])
    assert (found.path.resolve(), left_out) == (run, [])


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_runs_on_ones_own_images_and_of_the_paper_lie_in_one_folder(names, tmp_path):
    own = images.resolved(
        dataclasses.replace(EXPERIMENT, arrays="x.npz"), (28, 28, 1), ("a", "b"), 90, 9
    )
    for name, config in zip(names, (own, record()), strict=True):
        write_run(tmp_path / name, config)
    runs, left_out = read_runs([tmp_path])
    assert ({run.config.dataset for run in runs}, left_out) == ({"images", "mnist"}, [])


# --- duplicates ----------------------------------------------------------------------------


def test_of_equal_settings_and_seeds_the_first_counts(tmp_path):
    one = write_run(tmp_path / "a", record(run_dir="a"))
    other = write_run(tmp_path / "b", record(run_dir="b", evaluate_every=5))
    runs, left_out = read_runs([tmp_path])
    assert [run.path for run in runs] == [one]
    assert left_out == [LeftOut(other, f"same settings and seeds as {one}, which counts")]


def test_of_a_copied_folder_neither_run_nor_baseline_counts(tmp_path):
    for name in ("a", "a-copy"):
        write_run(tmp_path / name, record())
        write_run(tmp_path / name / "supervised_only", record(supervised_only=True))
    runs, left_out = read_runs([tmp_path])
    assert [run.path for run in runs] == [tmp_path / "a", tmp_path / "a" / "supervised_only"]
    assert len(left_out) == 2


def test_a_duplicate_with_another_result_says_so(tmp_path):
    write_run(tmp_path / "a", raw=100)
    write_run(tmp_path / "b", raw=101)
    assert read_runs([tmp_path])[1][0].reason.endswith("; ITS RESULT IS ANOTHER")


@pytest.mark.parametrize("change", [{"seed": 2}, {"seed_data": 2}, {"epochs": 299}])
def test_another_seed_or_setting_is_no_duplicate(tmp_path, change):
    write_run(tmp_path / "a")
    write_run(tmp_path / "b", record(**change))
    runs, left_out = read_runs([tmp_path])
    assert (len(runs), left_out) == (2, [])


def test_the_same_settings_on_other_data_are_no_duplicate(tmp_path):
    write_run(tmp_path / "a")
    write_run(tmp_path / "b", differences_from_paper=["data: PARTIAL mnist"])
    assert len(read_runs([tmp_path])[0]) == 2

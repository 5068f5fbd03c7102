"""Several runs: their records and folders, what is skipped, and that failures are told."""

import json
import pathlib
import signal

import pytest

from improved_gan_tf.errors import DivergedError, UserError
from improved_gan_tf.experiments import several_runs
from improved_gan_tf.runs import sweep
from improved_gan_tf.settings.flags import Repetitions
from tests.support.written_runs import record, result_of, write_run


def planned(num_runs=2, labels=(2, 5), seed_data_given=False, **settings):
    return sweep.plan(
        record(**settings), Repetitions(num_runs, labels, seed_data_given), "runs/all"
    )


def seeds(records):
    return [(r.labels_per_class, r.seed, r.seed_data) for r in records]


# --- the plan ------------------------------------------------------------------------------


def test_every_label_count_of_a_seed_runs_before_the_next_seed():
    assert seeds(planned()) == [(2, 1, 1), (5, 1, 1), (2, 2, 2), (5, 2, 2)]


def test_the_choice_of_labels_follows_the_seed_if_it_is_not_given():
    assert seeds(planned(2, (10,), seed=11)) == [(10, 11, 11), (10, 12, 12)]


def test_a_list_of_label_counts_labels_the_images_of_each_run_alone():
    records = planned(1, (2, 5), seed=3)
    assert seeds(records) == [(2, 3, 1), (5, 3, 1)]
    assert records[0].seed_data == record(seed=3).seed_data


def test_a_given_seed_data_counts_up_by_itself():
    records = planned(2, (10,), seed=11, seed_data=5, seed_data_given=True)
    assert seeds(records) == [(10, 11, 5), (10, 12, 6)]
    assert [r.run_dir for r in records] == [
        "runs/all/labels100-seed11-data5",
        "runs/all/labels100-seed12-data6",
    ]


def test_where_the_runs_own_seed_selects_the_labels_it_goes_on_to():
    assert seeds(planned(2, (10,), seed_data=None)) == [(10, 1, None), (10, 2, None)]


def test_each_run_has_a_folder_named_by_labels_and_seed():
    assert [r.run_dir for r in planned()] == [
        "runs/all/labels20-seed1",
        "runs/all/labels50-seed1",
        "runs/all/labels20-seed2",
        "runs/all/labels50-seed2",
    ]


def test_a_baseline_follows_its_run_with_the_same_seeds():
    records = planned(2, (5,), with_baseline=True)
    assert [(r.seed, r.seed_data, r.supervised_only) for r in records] == [
        (1, 1, False),
        (1, 1, True),
        (2, 2, False),
        (2, 2, True),
    ]
    assert records[1].run_dir == "runs/all/labels50-seed1/supervised_only"


def test_a_baseline_that_has_not_begun_may_begin_where_its_run_must_be_continued():
    records = planned(1, (5,), with_baseline=True, resume="must")
    assert [r.resume for r in records] == ["must", "auto"]


def test_baselines_alone_have_no_baselines():
    assert len(planned(2, (5,), with_baseline=True, supervised_only=True)) == 2


def test_a_label_count_out_of_range_is_refused():
    with pytest.raises(UserError, match=r"--labels_per_class .* Received: 0"):
        planned(1, (5, 0))


def test_a_seed_that_counts_out_of_range_is_refused():
    with pytest.raises(UserError, match="--seed must be"):
        planned(2, (5,), seed=2**32 - 1)


def test_several_runs_are_refused_in_the_folder_of_a_single_run(tmp_path):
    write_run(tmp_path)
    with pytest.raises(UserError, match="is the folder of a single run"):
        sweep.plan(record(), Repetitions(2, (5,), False), tmp_path)
    with pytest.raises(UserError, match="is the folder of a single run"):
        several_runs.of_seeds(record(), 2, str(tmp_path))


# --- running -------------------------------------------------------------------------------


def never():
    return False


def in_folder(folder, **settings):
    return sweep.plan(record(**settings), Repetitions(3, (10,), False), folder)


DATA = {"training images": 60, "digest of the images": "aa"}


def run_all(records, train, stop_requested=never):
    """All runs that have not ended, in this process; `train` returns a result or raises."""
    earlier = [sweep.earlier_outcome(record, DATA) for record in records]
    return sweep.run_all(
        records,
        earlier,
        lambda record: sweep.outcome_of(record, lambda: train(record)),
        stop_requested,
    )


def statuses(outcomes):
    return [outcome.status for outcome in outcomes]


def test_every_run_is_executed_in_order(tmp_path):
    executed = []

    def execute(config):
        executed.append(config)
        return result_of(config)

    records = in_folder(tmp_path)
    outcomes = run_all(records, execute)
    assert executed == records
    assert outcomes == [sweep.Outcome(r, "finished") for r in records]


def test_a_finished_run_is_not_repeated_and_that_is_said(tmp_path, capsys):
    records = in_folder(tmp_path)
    write_run(pathlib.Path(records[1].run_dir), records[1])
    executed = []
    outcomes = run_all(records, lambda c: executed.append(c) or result_of(c))
    assert executed == [records[0], records[2]]
    assert outcomes[1] == sweep.Outcome(records[1], "finished", "finished earlier")
    assert f"run 2 of 3, {records[1].run_dir}: finished earlier" in capsys.readouterr().out


def test_a_run_that_another_version_finished_is_not_repeated(tmp_path):
    records = in_folder(tmp_path)
    folder = write_run(pathlib.Path(records[0].run_dir), records[0])
    result = json.loads((folder / "result.json").read_text())
    result["versions"]["improved_gan_tf"] = "0.0.1"
    (folder / "result.json").write_text(json.dumps(result))
    executed = []
    run_all(records, lambda c: executed.append(c) or result_of(c))
    assert executed == records[1:]


def test_a_run_that_finished_on_other_images_is_refused_before_anything_runs(tmp_path):
    records = in_folder(tmp_path)
    others = {"training images": 60, "digest of the images": "bb", "local batches": 1}
    write_run(pathlib.Path(records[1].run_dir), records[1], circumstances=others)
    message = r"labels100-seed2 had other data.*digest of the images: aa \(the run's: bb\)"
    with pytest.raises(UserError, match=message):
        run_all(records, lambda c: pytest.fail("a run started"))


def test_on_how_many_devices_a_run_finished_does_not_matter(tmp_path):
    records = in_folder(tmp_path)
    same = {**DATA, "local batches": 4}
    write_run(pathlib.Path(records[1].run_dir), records[1], circumstances=same)
    assert run_all(records, result_of)[1].remark == "finished earlier"


def test_a_run_that_diverged_earlier_is_not_repeated_and_stays_diverged(tmp_path):
    records = in_folder(tmp_path)
    write_run(pathlib.Path(records[0].run_dir), records[0], status="diverged")
    assert statuses(run_all(records, result_of)) == ["diverged", *["finished"] * 2]


def test_a_run_that_stopped_at_a_collapse_earlier_is_not_repeated(tmp_path):
    records = in_folder(tmp_path, stop_on_collapse=True)
    write_run(pathlib.Path(records[0].run_dir), records[0], status="collapsed")
    outcomes = run_all(records, result_of)
    assert statuses(outcomes) == ["diverged", *["finished"] * 2]
    assert outcomes[0].remark == f"collapsed after {records[0].epochs} epochs, earlier"
    trains_on = in_folder(tmp_path, stop_on_collapse=False)
    assert sweep.earlier_outcome(trains_on[0], DATA) is None


@pytest.mark.parametrize("status", ["diverged", "collapsed"])
def test_a_seed_that_stopped_earlier_keeps_no_other_from_its_turn(tmp_path, status):
    config = record(stop_on_collapse=True)
    write_run(tmp_path / "seed1", config, status=status)
    records, earlier = several_runs.of_seeds(config, 3, str(tmp_path))
    assert [r.seed for r in records] == [1, 2, 3]
    stopped = sweep.Outcome(records[0], "diverged", f"{status} earlier")
    assert earlier == [stopped, None, None]


def test_a_run_that_diverged_with_other_settings_is_not_taken_for_this_one(tmp_path):
    records = in_folder(tmp_path)
    folder = pathlib.Path(records[0].run_dir)
    write_run(folder, record(learning_rate=1.0), status="diverged")
    with pytest.raises(UserError, match=r"--learning_rate=0.003 \(the run's is 1.0\)"):
        run_all(records, lambda c: pytest.fail("a run started"))


@pytest.mark.parametrize("status", ["interrupted", None])
def test_an_unfinished_run_with_other_settings_is_refused_before_anything_runs(tmp_path, status):
    records = in_folder(tmp_path)
    folder = write_run(pathlib.Path(records[1].run_dir), record(learning_rate=1.0), status=status)
    if status is None:
        (folder / "result.json").unlink()
    with pytest.raises(UserError, match=r"--learning_rate=0.003 \(the run's is 1.0\)"):
        run_all(records, lambda c: pytest.fail("a run started"))


def test_a_folder_that_no_run_can_use_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("notes")
    (tmp_path / "theses" / "labels100-seed2").mkdir(parents=True)
    (tmp_path / "theses" / "labels100-seed2" / "thesis.txt").write_text("mine")
    for place, message in (
        (tmp_path / "file", "no folder to write in"),
        (tmp_path / "theses", "exists and is not empty"),
        (tmp_path / ("x" * 300), "File name too long"),
    ):
        with pytest.raises(UserError, match=message):
            run_all(in_folder(place), lambda c: pytest.fail("a run started"))


def test_where_all_must_be_continued_what_is_missing_may_begin(tmp_path):
    assert [sweep.earlier_outcome(r, DATA) for r in in_folder(tmp_path, resume="must")] == [
        None
    ] * 3


@pytest.mark.parametrize("status", ["interrupted", None])
def test_an_unfinished_run_is_executed(tmp_path, status):
    records = in_folder(tmp_path)
    folder = write_run(pathlib.Path(records[0].run_dir), records[0], status=status)
    if status is None:
        (folder / "result.json").unlink()
    executed = []
    run_all(records, lambda c: executed.append(c) or result_of(c))
    assert executed == records


def test_a_finished_run_goes_on_with_more_epochs(tmp_path):
    records = in_folder(tmp_path)
    write_run(pathlib.Path(records[0].run_dir), record(epochs=299))
    executed = []
    run_all(records, lambda c: executed.append(c) or result_of(c))
    assert executed == records


def test_a_finished_run_goes_on_with_a_learning_rate_that_falls_from_there(tmp_path):
    records = in_folder(tmp_path, epochs=310, decay_start_epoch=300, decay_end_epoch=310)
    write_run(pathlib.Path(records[0].run_dir), record(epochs=300))
    executed = []
    run_all(records, lambda c: executed.append(c) or result_of(c))
    assert executed == records


def test_overwriting_repeats_finished_runs(tmp_path):
    records = in_folder(tmp_path, overwrite=True)
    write_run(pathlib.Path(records[0].run_dir), records[0])
    executed = []
    run_all(records, lambda c: executed.append(c) or result_of(c))
    assert executed == records


def test_a_folder_of_another_experiment_is_refused_before_anything_runs(tmp_path):
    records = in_folder(tmp_path)
    write_run(pathlib.Path(records[2].run_dir), record(seed=3, seed_data=3, epochs=301))
    with pytest.raises(UserError) as caught:
        run_all(records, lambda c: pytest.fail("a run started"))
    assert str(caught.value) == (
        f"{records[2].run_dir} holds a finished run with other settings: epochs=301 (now 300). "
        "Give the same settings to go on, another --run_dir, or --overwrite to move the old "
        "folders aside."
    )


@pytest.mark.parametrize(
    ("error", "status", "remark"),
    [
        (DivergedError("the generator loss became NaN"), "diverged", "the generator loss"),
        (UserError("--run_dir=x exists"), "refused", "--run_dir=x exists"),
        (MemoryError("4 GB"), "failed", "MemoryError: 4 GB"),
    ],
)
def test_a_run_that_fails_is_told_and_the_others_run(tmp_path, error, status, remark, capsys):
    def execute(config):
        if config.seed == 2:
            raise error
        return result_of(config)

    outcomes = run_all(in_folder(tmp_path), execute)
    assert statuses(outcomes) == ["finished", status, "finished"]
    assert outcomes[1].remark.startswith(remark)
    assert remark in sweep.outcome_table(outcomes)
    # Only what nobody foresaw has a traceback.
    assert ("Traceback" in capsys.readouterr().err) == (status == "failed")


def test_no_baseline_is_trained_for_a_run_that_did_not_finish(tmp_path):
    def execute(config):
        if config.seed == 2:
            raise DivergedError("NaN")
        return result_of(config)

    records = in_folder(tmp_path, with_baseline=True)
    outcomes = run_all(records, execute)
    expected = ["finished", "finished", "diverged", "not started", "finished", "finished"]
    assert statuses(outcomes) == expected


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (("finished", "finished"), 0),
        (("finished", "diverged"), 3),
        (("diverged", "refused", "finished"), 2),
        (("refused", "finished", "failed", "diverged"), 1),
    ],
)
def test_the_exit_code_is_that_of_the_worst_run(ended, code):
    assert sweep.exit_code([sweep.Outcome(record(), status) for status in ended]) == code


def test_the_seeds_count_up_from_the_one_given(tmp_path):
    records, _ = several_runs.of_seeds(record(seed=5), 2, str(tmp_path))
    assert [(r.seed, r.run_dir) for r in records] == [
        (5, f"{tmp_path}/seed5"),
        (6, f"{tmp_path}/seed6"),
    ]


@pytest.mark.parametrize(
    ("status", "code"), [("interrupted", 130), ("finished", 130), (None, None)]
)
def test_after_ctrl_c_during_a_run_or_between_two_the_code_is_the_signals(
    tmp_path, monkeypatch, status, code
):
    def in_this_process(outcome_of, one, execute, arguments, stop_requested):
        if one.seed == 1 and status:
            stop_requested.handle(signal.SIGINT, None)
        return sweep.Outcome(one, status or "finished")

    monkeypatch.setattr(several_runs.own_process, "call", in_this_process)
    records = in_folder(tmp_path)
    outcomes, signaled = several_runs.train(records, [None] * 3, None)
    after = "not started" if status else "finished"
    assert statuses(outcomes) == [status or "finished", after, after]
    assert signaled == code


def test_after_ctrl_c_no_further_run_starts(tmp_path):
    stopped = []

    def execute(config):
        stopped.append(True)
        return result_of(config, status="interrupted")

    outcomes = run_all(in_folder(tmp_path), execute, lambda: bool(stopped))
    assert statuses(outcomes) == ["interrupted", "not started", "not started"]


def test_a_collapse_is_told(tmp_path):
    def execute(config):
        result = result_of(config)
        result["final"] |= {"collapsed_at_epoch": 10, "recovered_at_epoch": 20}
        return result

    outcomes = run_all(in_folder(tmp_path)[:1], execute)
    assert outcomes[0].remark == "COLLAPSED in epoch 11, recovered in epoch 21"


def test_long_remarks_stand_in_full_below_the_table():
    text = " ".join(["a long reason"] * 10)
    table = sweep.outcome_table([sweep.Outcome(record(run_dir="here"), "failed", text)])
    lines = table.splitlines()
    assert lines[-1] == f"[1] here: {text}"
    assert "| failed   | [1]" in lines[2]

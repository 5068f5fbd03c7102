"""A run of a fake game: epochs, checkpoints, interruption, divergence, full disks, result."""

import functools
import json

import numpy as np
import pytest
from PIL import Image

from improved_gan_tf import distribution
from improved_gan_tf.errors import (
    CollapsedError,
    DivergedError,
    StorageError,
    UserError,
    WorkerLostError,
)
from improved_gan_tf.machine import files
from improved_gan_tf.runs import checkpoints, execution, record, training_run
from improved_gan_tf.runs.run_folder import RunFolder
from improved_gan_tf.runs.training_run import TrainingRun
from tests.support.fake_game import ITERATIONS, FakeGame, after, settings, started


@pytest.fixture(autouse=True)
def _fast_and_regular(monkeypatch):
    """Calls of two iterations after the first two of one; nothing that takes time by itself."""
    monkeypatch.setattr(training_run, "ITERATIONS_PER_CALL", 2)
    monkeypatch.setattr(training_run, "SECONDS_PER_CALL", 1e6)
    monkeypatch.setattr(files, "PAUSES", ())
    monkeypatch.setattr(files, "synchronize", lambda path: None)
    monkeypatch.setattr(execution.keras.utils, "clear_session", lambda: None)
    monkeypatch.setattr(RunFolder, "write_curves", lambda self, history, title: None)


def run(run_dir, game=None, stop_after_calls=None, **changes):
    """Runs a fake game to its end, or until it is asked to stop; returns result.json."""
    config = settings(**changes)
    return execution.run_to_the_end(
        config,
        lambda: TrainingRun(config, game or FakeGame(), run_dir, ["it is a fake"]),
        after(stop_after_calls),
    )


def metrics_of(run_dir):
    lines = (run_dir / "metrics.jsonl").read_text("utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def checkpoints_in(run_dir):
    """Iterations at which a run left checkpoints."""
    return sorted(int(p.stem.split("-")[1]) for p in (run_dir / "checkpoints").glob("*.npz"))


def newest(run_dir):
    return checkpoints.Checkpoints(run_dir / "checkpoints", 2).newest()


def content(folder):
    return {p: p.is_dir() or p.read_bytes() for p in folder.rglob("*")}


# --- epochs --------------------------------------------------------------------------------


def test_every_iteration_of_every_epoch_runs_once_and_in_order(tmp_path):
    game = FakeGame()
    run(tmp_path / "run", game)
    calls = [rows for rows, _ in game.trainer.calls]
    ran = [row for rows in calls for row in rows]
    assert ran == [10 * epoch + i for epoch in range(3) for i in range(ITERATIONS)]
    assert [len(rows) for rows in calls] == [1, 1, 2, 1, 2, 2, 1, 2, 2, 1]


def test_the_learning_rate_is_that_of_the_epoch(tmp_path):
    game = FakeGame()
    run(tmp_path / "run", game, decay_start_epoch=1, decay_end_epoch=3)
    rates = {rows[0] // 10: rate for rows, rate in game.trainer.calls}
    assert rates == {0: 1.0, 1: 1.0, 2: 0.5}
    assert [m["learning_rate"] for m in metrics_of(tmp_path / "run")] == [1.0, 1.0, 0.5]


def test_metrics_are_means_over_the_epoch_and_what_the_game_measured(tmp_path):
    run(tmp_path / "run")
    first, second, third = metrics_of(tmp_path / "run")
    # The number goes through 0 1 3 6 10, then 20 31 43 56 70.
    assert first == {
        "epoch": 0,
        "learning_rate": 1.0,
        "loss_first": 4.0,
        "train_error": 0.5,
        "test_error": None,
        "past": 1,
    }
    assert (second["loss_first"], second["test_error"], second["past"]) == (44.0, 70.0, 2)
    assert (third["test_error"], third["past"]) == (180.0, 3)


def test_evaluation_comes_every_so_many_epochs_and_after_the_last(tmp_path):
    game = FakeGame()
    run(tmp_path / "run", game, epochs=5, evaluate_every=2)
    assert game.evaluated_at == [10, 20, 25]
    samples = sorted(p.name for p in (tmp_path / "run" / "samples").iterdir())
    assert samples == ["epoch_0002.png", "epoch_0004.png", "epoch_0005.png"]
    with np.load(tmp_path / "run" / "predictions.npz") as saved:
        np.testing.assert_array_equal(saved["predicted"], [550.0])


def test_a_run_that_fewer_epochs_end_at_its_checkpoint_is_evaluated_there(tmp_path):
    often = {"evaluate_every": 9, "checkpoint_every": "1 epochs"}
    run(tmp_path / "run", stop_after_calls=7, epochs=9, **often)
    assert newest(tmp_path / "run").header["progress"]["epoch"] == 2
    game = FakeGame()
    result = run(tmp_path / "run", game, epochs=2, **often)
    assert (result["status"], game.evaluated_at) == ("finished", [10])
    assert (result["final"]["found"], result["final"]["models_of_epoch"]) == (70.0, 2)
    assert newest(tmp_path / "run").header["progress"]["found"] == 70.0


def test_fewer_epochs_write_their_files_over_those_of_later_ones(tmp_path):
    run(tmp_path / "run", epochs=2)
    last = content(tmp_path / "run")

    class Killed(FakeGame):
        def measured(self, history, numbers):
            if len(history) == 5:  # after an evaluation, before another checkpoint
                raise SystemExit
            return super().measured(history, numbers)

    with pytest.raises(SystemExit):
        run(tmp_path / "run", Killed(), epochs=6)
    assert newest(tmp_path / "run").header["progress"]["epoch"] == 2
    assert content(tmp_path / "run")[tmp_path / "run" / "samples" / "epoch_0004.png"]
    result = run(tmp_path / "run", epochs=2)
    assert (result["status"], result["final"]["found"]) == ("finished", 70.0)
    with np.load(tmp_path / "run" / "predictions.npz") as saved:
        np.testing.assert_array_equal(saved["predicted"], [70.0])
    assert (tmp_path / "run" / "samples" / "epoch_0002.png").read_bytes() == last[
        tmp_path / "run" / "samples" / "epoch_0002.png"
    ]


def test_each_epoch_is_a_line_of_the_games_table(tmp_path, capsys):
    run(tmp_path / "run")
    said = capsys.readouterr()
    title, _, group, header, *lines = said.out.splitlines()
    assert title == f"a fake -> {tmp_path}/run"
    assert (group.strip(), header.split()) == ("test", ["epoch", "error", "best", "time"])
    times = [line.split("0.0 s") for line in lines]
    assert [before.split() for before, _ in times] == [
        ["1"],
        ["2", "70.0000", "70.0000"],
        ["3", "180.0000", "70.0000"],
    ]
    assert [remark for _, remark in times] == [" | ODD", "", " | ODD"]
    assert said.err.startswith("run: 100% 15/15 [")


# --- start ---------------------------------------------------------------------------------


def test_a_run_that_was_not_started_has_written_nothing(tmp_path):
    TrainingRun(settings(), FakeGame(), tmp_path / "run", [])
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_locked_from_start_to_close(tmp_path):
    with started(tmp_path / "run"), pytest.raises(UserError, match="Another process is using"):
        TrainingRun(settings(), FakeGame(), tmp_path / "run", []).start()
    with started(tmp_path / "run"):
        pass


def test_a_start_that_fails_lets_others_use_the_folder(tmp_path):
    game = FakeGame()
    game.prepare = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        TrainingRun(settings(), game, tmp_path / "run", []).start()
    assert content(tmp_path / "run") == {}
    run(tmp_path / "run")


def test_a_finished_run_is_refused_before_anything_is_prepared(tmp_path):
    run(tmp_path / "run")
    before = content(tmp_path)
    with pytest.raises(UserError, match="is finished, all 3 epochs"):
        TrainingRun(settings(), FakeGame(), tmp_path / "run", [])
    assert content(tmp_path) == before


def test_a_run_that_another_process_finished_meanwhile_is_refused(tmp_path):
    late = TrainingRun(settings(), FakeGame(), tmp_path / "run", [])
    run(tmp_path / "run")
    before = content(tmp_path)
    with pytest.raises(UserError, match="is finished, all 3 epochs"):
        late.start()
    assert content(tmp_path) == before
    files.FolderLock(tmp_path / "run").close()


def test_with_overwrite_the_old_folder_moves_aside_at_the_start(tmp_path):
    run(tmp_path / "run")
    old = (tmp_path / "run" / "result.json").read_bytes()
    again = TrainingRun(settings(overwrite=True), FakeGame(), tmp_path / "run", [])
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    again.start()
    again.close()
    assert (tmp_path / "run.old-1" / "result.json").read_bytes() == old
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["config.json"]


# --- checkpoints and continuing ------------------------------------------------------------


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("1000 epochs", [15]),
        ("1 epoch", [5, 10, 15]),
        ("2 epochs", [10, 15]),
        ("4 iterations", [4, 8, 12, 15]),
        ("7 iterations", [7, 14, 15]),
        ("0.000000001 minutes", [1, 2, 4, 5, 7, 9, 10, 12, 14, 15]),
    ],
)
def test_checkpoints_are_written_when_they_are_due_and_at_the_end(tmp_path, every, expected):
    run(tmp_path / "run", checkpoint_every=every)
    assert checkpoints_in(tmp_path / "run") == expected


def test_a_checkpoint_says_where_the_run_stands(tmp_path):
    run(tmp_path / "run", checkpoint_every="12 iterations", stop_after_calls=8)
    header = newest(tmp_path / "run").header
    progress = header["progress"]
    assert (progress["epoch"], progress["iteration"]) == (2, 2)
    assert progress["sums"] == [90.0 + 111.0, 1.0]
    assert [m["epoch"] for m in progress["history"]] == [0, 1]
    # What the folder has, and the evaluation found, where the run was stopped.
    assert (progress["saved_epochs"], progress["saved_iterations"]) == (2, 12)
    assert progress["found"] == 111.0
    assert header["circumstances"] == {"data": "the data"}
    assert header["config"]["checkpoint_every"] == "12 iterations"


@pytest.mark.parametrize("calls", range(1, 10))
def test_a_run_stopped_anywhere_and_continued_is_the_run_that_was_not(tmp_path, calls):
    straight, game = FakeGame(), FakeGame()
    expected = run(tmp_path / "straight", straight)
    stopped = run(tmp_path / "run", stop_after_calls=calls)
    result = run(tmp_path / "run", game)
    assert (stopped["status"], result["status"]) == ("interrupted", "finished")
    assert metrics_of(tmp_path / "run") == metrics_of(tmp_path / "straight")
    assert result["final"]["found"] == expected["final"]["found"] == 180.0
    assert game.trainer.number.value == straight.trainer.number.value
    assert newest(tmp_path / "run").arrays == newest(tmp_path / "straight").arrays


def test_a_continued_run_says_where_it_goes_on_and_shows_the_best_of_before(tmp_path, capsys):
    run(tmp_path / "run", epochs=2)
    capsys.readouterr()
    run(tmp_path / "run")
    said = capsys.readouterr()
    going_on, _, _, _, _, line = said.out.splitlines()
    path = tmp_path / "run" / "checkpoints" / "checkpoint-000000010.npz"
    assert going_on == f"continuing after epoch 2, iteration 0 of the next ({path})"
    assert line.split()[:3] == ["3", "180.0000", "70.0000"]
    assert said.err.startswith("run: 100% 15/15 [")


def test_a_run_with_other_data_is_not_continued_and_stays_as_it_is(tmp_path):
    run(tmp_path / "run", stop_after_calls=2)
    before = content(tmp_path)
    game = FakeGame()
    game.data = "other data"
    with pytest.raises(UserError, match=r"data: other data \(the run's: the data\)"):
        run(tmp_path / "run", game)
    assert content(tmp_path) == before


def test_workers_compare_the_iterations_that_their_checkpoints_have_done(tmp_path, monkeypatch):
    compared = []
    monkeypatch.setattr(distribution, "require_same", lambda done, _: compared.append(done))
    for calls in (2, 4, 3):
        run(tmp_path / "run", stop_after_calls=calls)
    run(tmp_path / "run")
    assert compared == [0, 2, 7, 10]


def test_every_version_that_took_part_is_in_the_result(tmp_path, monkeypatch):
    whole = record.versions.versions()
    for commit, calls in (("first", 2), ("second", 2), ("third", None)):
        versions = {**whole, "git_commit": commit}
        monkeypatch.setattr(record.versions, "versions", lambda versions=versions: versions)
        result = run(tmp_path / "run", stop_after_calls=calls)
    assert result["versions"]["git_commit"] == "third"
    assert [v["git_commit"] for v in result["earlier_versions"]] == ["first", "second"]


def test_fewer_epochs_than_were_begun_are_refused(tmp_path):
    run(tmp_path / "run", stop_after_calls=6)  # in the second epoch
    with pytest.raises(UserError, match=r"--epochs=1 is less than the run in .* in epoch 2"):
        run(tmp_path / "run", epochs=1)


# --- interruption --------------------------------------------------------------------------


def test_a_run_that_is_asked_to_stop_evaluates_and_saves_where_it_is(tmp_path, capsys):
    game = FakeGame()
    result = run(tmp_path / "run", game, stop_after_calls=3)  # after 4 iterations
    assert result["status"] == "interrupted"
    assert game.evaluated_at == [4]
    assert checkpoints_in(tmp_path / "run") == [4]
    assert result["final"] == {
        "epochs": 0,
        "models_of_epoch": 0,
        "models_of_iteration": 4,
        "found": 6.0,
        "past": 0,
        "metrics": None,
    }
    with Image.open(tmp_path / "run" / "samples" / "epoch_0000_interrupted.png") as grid:
        assert np.array(grid)[2, 2] == 4
    assert "stopping in epoch 1, as asked\n" in capsys.readouterr().out


def test_a_run_stopped_at_an_epochs_end_has_not_begun_the_next(tmp_path, capsys):
    game = FakeGame()
    result = run(tmp_path / "run", game, stop_after_calls=7)  # after ten iterations
    assert (result["status"], result["final"]["epochs"]) == ("interrupted", 2)
    assert game.evaluated_at == [10]
    assert [p.name for p in (tmp_path / "run" / "samples").iterdir()] == ["epoch_0002.png"]
    assert "stopping after epoch 2, as asked\n" in capsys.readouterr().out


def test_a_request_during_the_last_call_changes_nothing(tmp_path):
    assert run(tmp_path / "run", stop_after_calls=10)["status"] == "finished"
    assert not list((tmp_path / "run" / "samples").glob("*interrupted*"))


# --- divergence ----------------------------------------------------------------------------


def diverging(tmp_path, **breaks):
    """A run whose losses or variables break; the message."""
    game = FakeGame()
    prepare = game.prepare

    def prepare_to_break():
        prepare()
        for name, value in breaks.items():
            setattr(game.trainer, name, value)

    game.prepare = prepare_to_break
    with pytest.raises(DivergedError) as caught:
        run(tmp_path / "run", game, checkpoint_every="1 epoch")
    return str(caught.value)


def test_a_loss_that_is_not_finite_stops_the_run_at_its_iteration(tmp_path):
    message = diverging(tmp_path, losses_broken_after=13)
    assert message == (
        "The first loss became NaN or infinite in epoch 3, iteration 3. Training stopped there; "
        f"{tmp_path}/run keeps the models of epoch 2 and the checkpoint checkpoint-000000010.npz. "
        "Try a smaller --learning_rate (received 1.0) or another --seed."
    )
    result = json.loads((tmp_path / "run" / "result.json").read_text("utf-8"))
    assert (result["status"], result["final"]["found"]) == ("diverged", 70.0)
    files.FolderLock(tmp_path / "run").close()
    with pytest.raises(UserError, match="continued, it would do so again"):
        run(tmp_path / "run", checkpoint_every="1 epoch")


def test_variables_that_are_not_finite_are_named_with_the_iterations_of_the_call(tmp_path):
    message = diverging(tmp_path, broken_after=3)
    assert message.startswith(
        "The number, bias, scale and 1 more became NaN or infinite in epoch 1, iteration 3 to 4. "
        f"Training stopped there; {tmp_path}/run keeps no model yet and no checkpoint. "
    )


# --- what else may go wrong ----------------------------------------------------------------


def test_a_full_disk_names_what_the_folder_keeps_and_how_to_go_on(tmp_path, monkeypatch):
    def full(self, metrics):
        if metrics["epoch"] == 2:
            raise StorageError(f"{self.path} cannot be written: No space left on device.")
        append(self, metrics)

    append = RunFolder.append_metrics
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "append_metrics", full)
        with pytest.raises(StorageError) as caught:
            run(tmp_path / "run", checkpoint_every="1 epoch")
    assert str(caught.value) == (
        f"{tmp_path}/run cannot be written: No space left on device. Training stopped in epoch 3; "
        f"{tmp_path}/run keeps the models of epoch 2 and the checkpoint checkpoint-000000010.npz. "
        "Make room or make the folder writable, then give the same command again to continue."
    )
    assert not (tmp_path / "run" / "result.json").exists()
    assert run(tmp_path / "run", checkpoint_every="1 epoch")["status"] == "finished"
    assert [m["epoch"] for m in metrics_of(tmp_path / "run")] == [0, 1, 2]


def test_a_lost_worker_is_told_with_what_is_left(tmp_path):
    game = FakeGame()

    def evaluate():
        raise WorkerLostError("Another worker has ended.")

    game.evaluate = evaluate
    with pytest.raises(WorkerLostError, match=r"has ended\. Training stopped in epoch 3; .* keeps"):
        run(tmp_path / "run", game)
    files.FolderLock(tmp_path / "run").close()


# --- result.json ---------------------------------------------------------------------------


def test_the_result_says_what_ran_and_how_it_ended(tmp_path):
    result = run(tmp_path / "run")
    assert json.loads((tmp_path / "run" / "result.json").read_text("utf-8")) == result
    assert (result["status"], result["title"]) == ("finished", "a fake")
    assert result["differences_from_paper"] == ["it is a fake"]
    assert result["config"] == settings().to_dict() | {"pixels": [255.0, 0.0]}
    final = dict(result["final"])
    metrics = final.pop("metrics")
    assert (metrics["epoch"], metrics["test_error"]) == (2, 180.0)
    assert final == {
        "epochs": 3,
        "models_of_epoch": 3,
        "models_of_iteration": 15,
        "found": 180.0,
        "past": 3,
    }
    assert result["earlier_versions"] == []


def test_the_time_is_that_of_all_processes_together(tmp_path, monkeypatch):
    seconds = iter(range(0, 10**6, 10))

    class Clock:
        def monotonic(self):
            return float(next(seconds))

    monkeypatch.setattr(record, "time", Clock())
    # Asked at the start, at a checkpoint (two where the run is stopped) and at the result.
    assert run(tmp_path / "run", stop_after_calls=2)["wall_seconds"] == 30.0
    assert run(tmp_path / "run")["wall_seconds"] == 20.0 + 20.0


class Ticks:
    """A clock that is ten seconds later whenever it is asked."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        self.now += 10.0
        return self.now


def test_the_time_of_an_epoch_is_that_of_all_its_calls(tmp_path, monkeypatch):
    monkeypatch.setattr(training_run, "time", Ticks())
    games = FakeGame(), FakeGame()
    run(tmp_path / "run", games[0], stop_after_calls=2)
    run(tmp_path / "run", games[1])
    calls = [rows[0] // 10 for game in games for rows, _ in game.trainer.calls]
    assert calls.count(0) > calls.count(1) > 1
    lines = (tmp_path / "run" / "metrics.jsonl").read_text("utf-8").splitlines()
    seconds = [json.loads(line)["seconds"] for line in lines]
    assert seconds == [10.0 * calls.count(epoch) for epoch in range(3)]


def test_a_checkpoint_that_was_due_is_not_due_at_once_again(tmp_path, monkeypatch):
    due = functools.partial(training_run.Due, clock=Ticks().monotonic)
    monkeypatch.setattr(training_run, "Due", due)
    run(tmp_path / "run", checkpoint_every="1 minutes")
    assert checkpoints_in(tmp_path / "run") == [9, 15]  # after six of ten calls


# --- collapse ------------------------------------------------------------------------------


class Collapsing(FakeGame):
    """Collapses in an epoch, from 1."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def measured(self, history, numbers):
        return {**super().measured(history, numbers), "collapsed": len(history) >= self.epoch}


@pytest.mark.parametrize("epoch", [1, 2])  # the first is not evaluated by itself
def test_a_collapsed_run_stops_if_told_to_and_says_so(tmp_path, epoch):
    game = Collapsing(epoch)
    with pytest.raises(CollapsedError, match=f"has collapsed .* after epoch {epoch}; .*run keeps"):
        run(tmp_path / "run", game, stop_on_collapse=True)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (result["status"], result["final"]["epochs"]) == ("collapsed", epoch)
    assert result["final"]["models_of_epoch"] == epoch
    assert checkpoints_in(tmp_path / "run") == [epoch * ITERATIONS]
    assert (tmp_path / "run" / "samples" / f"epoch_{epoch:04d}.png").exists()
    assert len(metrics_of(tmp_path / "run")) == epoch


def test_a_collapsed_run_trains_on_unless_told_to_stop_and_ends_the_same(tmp_path):
    assert run(tmp_path / "straight", Collapsing(2))["status"] == "finished"
    with pytest.raises(CollapsedError):
        run(tmp_path / "run", Collapsing(2), stop_on_collapse=True)
    with pytest.raises(UserError, match=r"collapsed and stopped there\. --nostop_on_collapse"):
        run(tmp_path / "run", Collapsing(2), stop_on_collapse=True)
    assert run(tmp_path / "run", Collapsing(2))["status"] == "finished"
    assert metrics_of(tmp_path / "run") == metrics_of(tmp_path / "straight")


def test_a_collapse_whose_result_could_not_be_written_is_told_again(tmp_path, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(TrainingRun, "write_result", lambda self, status: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(tmp_path / "run", Collapsing(2), stop_on_collapse=True)
    game = Collapsing(2)
    with pytest.raises(CollapsedError, match="after epoch 2"):
        run(tmp_path / "run", game, stop_on_collapse=True)
    assert (game.trainer.calls, len(metrics_of(tmp_path / "run"))) == ([], 2)
    assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "collapsed"


def test_a_run_that_collapses_in_its_last_epoch_is_finished(tmp_path):
    assert run(tmp_path / "run", Collapsing(3), stop_on_collapse=True)["status"] == "finished"


# --- output that nobody reads --------------------------------------------------------------


class Unread:
    """A stream whose reader goes after some writes."""

    def __init__(self, file, writes):
        self._file, self._left = file, writes

    def write(self, text):
        self._left -= 1
        if self._left < 0 and text.strip():
            raise BrokenPipeError(32, "Broken pipe")
        return len(text)

    def flush(self):
        if self._left < 0:
            raise BrokenPipeError(32, "Broken pipe")

    def fileno(self):
        return self._file.fileno()

    def isatty(self):
        return False


@pytest.mark.parametrize("asked_to_stop", [False, True])
def test_a_run_whose_reader_has_gone_saves_before_it_ends(tmp_path, monkeypatch, asked_to_stop):
    """As with `| tee log`, whose tee Ctrl-C ends too, and with `| head`."""
    with open(tmp_path / "out", "w") as file, monkeypatch.context() as unread:
        unread.setattr("sys.stdout", Unread(file, 2 if asked_to_stop else 4))
        unread.setattr("sys.stderr", Unread(file, 0))  # the progress, which ends with a line
        game, config = FakeGame(), settings(epochs=50)

        def make_run():
            return TrainingRun(config, game, tmp_path / "run", [])

        def stop_requested():
            return asked_to_stop

        if asked_to_stop:
            execution.run_to_the_end(config, make_run, stop_requested)
        else:
            with pytest.raises(BrokenPipeError):
                execution.run_to_the_end(config, make_run, stop_requested)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["status"] == "interrupted"
    assert 0 < result["final"]["models_of_iteration"] == checkpoints_in(tmp_path / "run")[-1] < 250
    again = run(tmp_path / "run", epochs=50)
    straight = run(tmp_path / "straight", epochs=50)
    assert again["final"]["metrics"]["loss_first"] == straight["final"]["metrics"]["loss_first"]


def test_a_run_that_goes_on_and_diverges_tells_the_models_that_the_folder_has(tmp_path):
    first = run(tmp_path, stop_after_calls=6, epochs=9)
    assert first["final"]["models_of_iteration"] % ITERATIONS  # within an epoch

    class Breaking(FakeGame):
        def prepare(self):
            super().prepare()
            self.trainer.broken_after = first["final"]["models_of_iteration"] + 1

    with pytest.raises(DivergedError, match="keeps the models of epoch"):
        run(tmp_path, Breaking(), epochs=9)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["status"] == "diverged"
    for name in ("models_of_iteration", "models_of_epoch"):
        assert result["final"][name] == first["final"][name]


def test_a_run_that_fewer_epochs_end_has_the_numbers_of_the_straight_one(tmp_path):
    run(tmp_path / "run", stop_after_calls=4, epochs=3, evaluate_every=2)
    ended = run(tmp_path / "run", epochs=1, evaluate_every=2)
    run(tmp_path / "straight", epochs=1, evaluate_every=2)
    assert metrics_of(tmp_path / "run") == metrics_of(tmp_path / "straight")
    last = {k: v for k, v in ended["final"]["metrics"].items() if k != "seconds"}
    assert last == metrics_of(tmp_path / "straight")[-1]


def test_checkpoints_count_iterations_where_half_precision_undid_steps(tmp_path):
    class Undoing(FakeGame):
        def prepare(self):
            super().prepare()
            self.trainer.iterations = lambda: 0

    result = run(tmp_path, Undoing(), epochs=2, checkpoint_every="1 epochs", keep_checkpoints=3)
    assert checkpoints_in(tmp_path) == [ITERATIONS, 2 * ITERATIONS]
    assert result["final"]["models_of_iteration"] == 2 * ITERATIONS


def test_overwriting_behind_a_link_stays_behind_it(tmp_path):
    big = tmp_path / "big"
    big.mkdir()
    (tmp_path / "run").symlink_to(big)
    run(tmp_path / "run", epochs=1)
    run(tmp_path / "run", epochs=2, overwrite=True)
    assert (tmp_path / "run").is_symlink()
    assert json.loads((big / "result.json").read_text())["config"]["epochs"] == 2
    assert json.loads((tmp_path / "big.old-1" / "result.json").read_text())["config"]["epochs"] == 1


def test_grids_of_later_epochs_go_where_a_run_falls_back(tmp_path):
    often = {"epochs": 9, "evaluate_every": 1, "checkpoint_every": "1 epochs"}
    run(tmp_path, stop_after_calls=12, **often)

    def grids():
        return sorted(p.name for p in (tmp_path / "samples").glob("*.png"))

    assert len(grids()) > 2
    for newer in sorted((tmp_path / "checkpoints").glob("*.npz"))[1:]:
        newer.unlink()
    with started(tmp_path, **often):
        assert grids() == ["epoch_0001.png"]

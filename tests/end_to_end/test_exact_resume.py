"""A run that is stopped and continued equals the run that was not, bit for bit."""

import gc
import itertools
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import run_cifar10
from benchmarks.kill_campaign import remains
from improved_gan_tf.errors import DivergedError, StorageError, UserError
from improved_gan_tf.machine import files, versions
from improved_gan_tf.runs import checkpoints
from improved_gan_tf.runs import semi_supervised as experiment
from improved_gan_tf.runs import training_run as run_module
from improved_gan_tf.runs.training_run import TrainingRun
from improved_gan_tf.training import semi_supervised
from tests.support.noise_runs import images, run, settings

pytestmark = pytest.mark.slow


def minibatch_discrimination(**changes):
    model = "minibatch_discrimination"
    recipe = run_cifar10.VARIANTS[model]["released"]
    return settings(run_cifar10, model=model, **{**recipe, "width_multiplier": 0.02, **changes})


@pytest.fixture(autouse=True)
def _short_calls(monkeypatch):
    monkeypatch.setattr(run_module, "ITERATIONS_PER_CALL", 3)
    monkeypatch.setattr(run_module, "SECONDS_PER_CALL", 1e6)  # however slow the machine is
    monkeypatch.setattr(files, "PAUSES", (0.0,))


@pytest.fixture(autouse=True, scope="module")
def _eager():
    """Without tracing: it takes longer than the iterations. The kills below run graphs."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """An uninterrupted MNIST run, in longer calls."""
    folder = tmp_path_factory.mktemp("straight") / "run"
    assert run(settings(), folder)["status"] == "finished"
    return folder


# --- the same bits -------------------------------------------------------------------------


def test_a_run_stopped_inside_epochs_and_between_them_ends_with_the_same_bits(straight, tmp_path):
    # The first two calls of a process run one iteration each, the others 3 or to the epoch's end.
    for calls, left_in_epoch in ((3, 2), (2, 0), (3, 2), (1, 1)):
        result = run(settings(), tmp_path / "run", stop_after_calls=calls)
        assert result["status"] == "interrupted"
        newest = checkpoints.Checkpoints(tmp_path / "run" / "checkpoints", 2).newest()
        assert -newest.header["progress"]["iteration"] % 7 == left_in_epoch
    assert run(settings(), tmp_path / "run")["status"] == "finished"
    assert remains(tmp_path / "run") == remains(straight)


def test_minibatch_discrimination_continues_with_the_same_bits(tmp_path):
    config = minibatch_discrimination(epochs=1, evaluate_every=1)
    run(config, tmp_path / "straight")
    run(config, tmp_path / "run", stop_after_calls=2)
    run(config, tmp_path / "run")
    assert remains(tmp_path / "run") == remains(tmp_path / "straight")
    # As after a kill between the last checkpoint and the result.
    (tmp_path / "run" / "result.json").unlink()
    assert run(config, tmp_path / "run")["final"]["closeness"] is not None
    assert remains(tmp_path / "run") == remains(tmp_path / "straight")


def test_a_finished_run_goes_on_with_more_epochs_as_if_it_had_had_them_before(straight, tmp_path):
    run(settings(epochs=2), tmp_path / "run")
    assert run(settings(), tmp_path / "run")["final"]["epochs"] == 3
    (tmp_path / "run" / "result.epochs2.json").unlink()  # what the first command left
    assert remains(tmp_path / "run") == remains(straight)


def test_a_finished_run_whose_learning_rate_then_falls_is_the_run_that_was_told_so_at_once(
    straight, tmp_path
):
    falling = settings(decay_start_epoch=2, decay_end_epoch=4)
    run(falling, tmp_path / "straight")
    assert remains(tmp_path / "straight") != remains(straight)
    run(settings(epochs=2), tmp_path / "run")
    run(falling, tmp_path / "run")
    (tmp_path / "run" / "result.epochs2.json").unlink()
    assert remains(tmp_path / "run") == remains(tmp_path / "straight")


def test_a_run_that_goes_on_with_other_code_says_so_and_names_both(tmp_path, monkeypatch, capsys):
    for commit in ("1" * 40, "2" * 40, "2" * 40):
        monkeypatch.setattr(versions, "_git_commit", lambda commit=commit: commit)
        run(settings(), tmp_path / "run", stop_after_calls=1)
    assert capsys.readouterr().err.count(f"git_commit {'1' * 40} (now {'2' * 40})") == 1
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["versions"]["git_commit"] == "2" * 40
    assert [v["git_commit"] for v in result["earlier_versions"]] == ["1" * 40]


def test_a_run_asked_to_stop_while_it_evaluates_ends_with_the_same_bits(
    straight, tmp_path, monkeypatch
):
    asked = []
    evaluate = experiment.SemiSupervisedGame.evaluate
    monkeypatch.setattr(
        experiment.SemiSupervisedGame, "evaluate", lambda self: asked.append(1) or evaluate(self)
    )
    config = settings()
    dataset = images(config.dataset)
    result = experiment.execute(config, dataset, tmp_path / "run", config, lambda: bool(asked))
    assert (result["status"], result["final"]["epochs"]) == ("interrupted", 2)
    assert run(config, tmp_path / "run")["status"] == "finished"
    assert remains(tmp_path / "run") == remains(straight)


def test_with_the_newest_checkpoint_damaged_the_run_goes_on_from_the_one_before(
    straight, tmp_path, capsys
):
    for calls in (2, 1):
        run(settings(), tmp_path / "run", stop_after_calls=calls)
    newest = max((tmp_path / "run" / "checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:1000])
    run(settings(), tmp_path / "run")
    assert f"warning: {newest} is damaged" in capsys.readouterr().err
    assert remains(tmp_path / "run") == remains(straight)


@pytest.mark.parametrize("failing", [files.os.replace, files.os.fsync])
def test_a_disk_that_fills_up_stops_the_run_and_loses_nothing(
    straight, tmp_path, monkeypatch, failing
):
    """Every third file of the run is the first that does not fit."""
    config = settings(checkpoint_every="2 iterations")
    name, fits = failing.__name__, itertools.count(3)
    for _ in range(10):
        left = iter(range(next(fits) * 3))

        def full(*args, left=left):
            if next(left, None) is None:
                raise OSError(28, "No space left on device")
            return failing(*args)

        monkeypatch.setattr(files.os, name, full)
        try:
            run(config, tmp_path / "run")
        except (StorageError, UserError) as error:
            assert "No space left on device" in str(error)  # noqa: PT017
            if isinstance(error, StorageError):
                assert "give the same command again to continue" in str(error)  # noqa: PT017
        else:
            break
        monkeypatch.undo()
        monkeypatch.setattr(files, "PAUSES", (0.0,))
    else:
        pytest.fail("never finished")
    assert fits.__reduce__()[1][0] > 4, "the disk was never full"
    ours, theirs = remains(tmp_path / "run"), remains(straight)
    for found in (ours, theirs):
        found["config.json"].pop("checkpoint_every")
        found["result.json"]["config"].pop("checkpoint_every")
    assert ours == theirs


# --- what the state is ---------------------------------------------------------------------


def make_game(config):
    game = experiment.SemiSupervisedGame(config, images(config.dataset))
    game.prepare()
    return game


def snapshot(variables):
    return {key: np.array(variable).copy() for key, variable in variables.items()}


def underlying(variable):
    return variable if isinstance(variable, tf.Variable) else variable.value


@pytest.mark.parametrize("config", [settings(), minibatch_discrimination()], ids=["fm", "md"])
def test_every_variable_that_training_changes_is_in_the_checkpoint(config):
    game = make_game(config)
    rows = [r[:2] for r in game.epochs(0)]
    game.trainer.train(rows, 0.001)
    state = {id(underlying(v)) for v in game.trainer.state().values()}
    alive = {id(v): v for v in gc.get_objects() if isinstance(v, tf.Variable)}
    assert state <= alive.keys()
    before = snapshot(alive)
    game.trainer.train(rows, 0.002)
    game.evaluate()
    changed = {i for i, v in alive.items() if not np.array_equal(before[i], np.array(v))}
    averaged = {id(underlying(v)) for v in game.averaged_discriminator.variables}  # for testing
    assert changed - averaged <= state
    assert len(changed & state) > 0.5 * len(state)


def test_evaluating_sampling_and_saving_change_nothing_that_training_uses(tmp_path):
    game = experiment.SemiSupervisedGame(settings(), images("mnist"))
    run = TrainingRun(settings(), game, tmp_path / "run", [])
    run.start()
    game.trainer.train([r[:2] for r in game.epochs(0)], 0.001)
    before = snapshot(game.trainer.state())
    run.save_interrupted()
    after = snapshot(game.trainer.state())
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name], err_msg=name)
    run.close()
    written = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"samples", "predictions.npz", "generator.keras", "discriminator.keras"} <= written


def test_a_checkpoint_of_another_network_is_refused_and_the_folder_stays(tmp_path):
    run(settings(), tmp_path / "run", stop_after_calls=1)
    (path,) = (tmp_path / "run" / "checkpoints").iterdir()
    checkpoint = checkpoints.read(path)
    del checkpoint.arrays["noise.000.seed_generator_state"]
    checkpoints.write(path, checkpoint.header, checkpoint.arrays)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(UserError, match=r"noise.000.seed_generator_state: nothing in the file"):
        run(settings(), tmp_path / "run")
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


# --- refusals ------------------------------------------------------------------------------


def test_fewer_epochs_than_were_done_are_refused(straight):
    before = {p: p.read_bytes() for p in straight.rglob("*") if p.is_file()}
    with pytest.raises(UserError, match=r"--epochs=2 is less than the run in .* it is in epoch 3"):
        run(settings(epochs=2), straight)
    assert {p: p.read_bytes() for p in straight.rglob("*") if p.is_file()} == before


def test_other_data_are_refused_and_the_folder_stays(tmp_path):
    run(settings(), tmp_path / "run", stop_after_calls=1)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    config = settings()
    labels = np.roll(images("mnist").test_labels, 1)
    pixels = 255 - images("mnist").train_images
    for other, named in (
        (images("mnist", train=60), r"training images: 60 \(the run's: 70\)"),
        (images("mnist", test=14), r"test images: 14 \(the run's: 15\)"),
        (images("mnist")._replace(test_labels=labels), "digest of the labels: "),
        (images("mnist")._replace(train_images=pixels), "digest of the images: "),
    ):
        with pytest.raises(UserError, match=f"had other data or devices.*{named}"):
            experiment.execute(config, other, tmp_path / "run", config, lambda: False)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_folder_in_use_is_refused_and_untouched(straight):
    lock = files.FolderLock(straight)
    before = {p: p.read_bytes() for p in straight.rglob("*") if p.is_file()}
    for changes in ({"epochs": 4}, {"overwrite": True}):
        with pytest.raises(UserError, match="Another process is using --run_dir="):
            run(settings(**changes), straight)
    assert {p: p.read_bytes() for p in straight.rglob("*") if p.is_file()} == before
    lock.close()


# --- numbers that are not finite -------------------------------------------------------------


def test_a_parameter_that_is_not_finite_stops_the_run_and_the_last_checkpoint_is_good(
    tmp_path, monkeypatch
):
    train = semi_supervised.Trainer.train
    calls = itertools.count(1)

    def poisoned(self, *args):
        result = train(self, *args)
        if next(calls) == 5:
            self.generator.trainable_variables[0].assign_add(
                np.full(self.generator.trainable_variables[0].shape, np.inf, "float32")
            )
        return result

    monkeypatch.setattr(semi_supervised.Trainer, "train", poisoned)
    config = settings(checkpoint_every="3 iterations")
    with pytest.raises(DivergedError) as caught:
        run(config, tmp_path / "run")
    text = str(caught.value)
    assert text.startswith(
        "The generator.000.kernel became NaN or infinite in epoch 1, iteration 7 to 7. "
    )
    assert "the checkpoint checkpoint-000000006.npz" in text
    assert "Try a smaller --learning_rate (received 0.003) or another --seed." in text
    arrays = checkpoints.read(max((tmp_path / "run" / "checkpoints").iterdir())).arrays
    assert all(np.all(np.isfinite(array)) for array in arrays.values())
    with pytest.raises(UserError, match="continued, it would do so again"):
        run(config, tmp_path / "run")


# --- kills -----------------------------------------------------------------------------------


def test_killed_runs_continue_with_the_same_bits(tmp_path):
    """One kill of each kind; `benchmarks/kill_campaign.py` by itself makes many."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.kill_campaign", "--kills=4", f"--folder={tmp_path}"],
        cwd=pathlib.Path(__file__).parent.parent.parent,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    together = done.stdout.splitlines()[-1].split("|")
    assert [cell.strip() for cell in together[1:-1]] == ["together", "", "4", "4", "0"]

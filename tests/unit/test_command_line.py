"""What a command says about the techniques it switches, and what it ends with."""

import contextlib
import dataclasses
import signal

import pytest

import run_cifar10
from improved_gan_tf.errors import UserError
from improved_gan_tf.experiments import one_run
from improved_gan_tf.experiments import semi_supervised as experiment
from improved_gan_tf.machine import interruption
from improved_gan_tf.runs import semi_supervised
from improved_gan_tf.runs.resuming import Found
from improved_gan_tf.settings.flags import Command, Repetitions


def changed(**settings):
    return dataclasses.replace(run_cifar10.EXPERIMENT, **settings)


def printed(config, capsys):
    experiment.print_techniques(config, run_cifar10.ABLATIONS)
    return capsys.readouterr()


def test_a_row_of_table_3_says_what_it_switches(capsys):
    row = {**run_cifar10.ABLATIONS["our_methods"], **run_cifar10.ABLATIONS["no_labels"]}
    out, err = printed(changed(**row, ablation="no_labels"), capsys)
    assert out == (
        "Table 3, no_labels: model=minibatch_discrimination, "
        "generator_normalization=virtual_batch, real_target=0.9, "
        "supervised_weight=0.0, historical_averaging_weight=0.0\n"
    )
    assert err == ""


def test_two_sided_smoothing_gets_the_papers_warning(capsys):
    out, err = printed(changed(real_target=0.9, generated_target=0.1), capsys)
    assert out == ""
    assert err.startswith("warning: --generated_target=0.1 smooths both sides. The paper ")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"real_target": 0.9},
        # A baseline has no game.
        {"supervised_only": True, "generated_target": 0.1, "ablation": "our_methods"},
    ],
)
def test_other_commands_say_nothing(settings, capsys):
    assert printed(changed(**settings), capsys) == ("", "")


@pytest.mark.parametrize(("name", "value"), [("real_target", 0.8), ("generated_target", 0.2)])
@pytest.mark.parametrize("num_runs", [1, 2])
def test_a_setting_that_nothing_reads_is_refused(name, value, num_runs, tmp_path):
    settings = {"unlabeled_weight": 0.0, name: value}
    config = changed(**settings, run_dir=str(tmp_path / "run"))
    command = Command(config, changed(), Repetitions(num_runs, (400,)), None)
    with pytest.raises(UserError, match=f"^--{name} .* trains nothing. Received: {name}={value}"):
        experiment.run(command, "digits")
    assert not (tmp_path / "run").exists()


def test_a_row_of_the_recipe_may_have_what_nothing_reads(tmp_path):
    row = changed(**run_cifar10.ABLATIONS["our_methods"])
    config = dataclasses.replace(row, unlabeled_weight=0.0)
    one_run.refuse_settings_not_read(config, row, tmp_path)


@pytest.mark.parametrize("status", ["interrupted", "finished"])
def test_after_ctrl_c_in_the_run_no_baseline_begins(monkeypatch, status):
    request, trained = interruption.StopRequest(), []

    def execute(config, dataset, folder, published, stop_requested):
        trained.append(folder)
        request.signal = signal.SIGINT
        return {"status": status}

    monkeypatch.setattr(interruption, "stop_on_signals", lambda _: contextlib.nullcontext(request))
    monkeypatch.setattr(semi_supervised, "execute", execute)
    monkeypatch.setattr(experiment, "print_results", lambda *_: None)
    parts = [(changed(), "run"), (changed(), "run/supervised_only")]
    found = [Found("unfinished"), Found("new")]
    assert experiment.train_parts(changed(), changed(), parts, found, "run", "digits") == 130
    assert trained == ["run"]


@pytest.mark.parametrize(("status", "code"), [("finished", 0), ("interrupted", 143)])
def test_one_run_ends_with_zero_or_the_code_of_its_signal(monkeypatch, capsys, status, code):
    def execute(folder, stop_requested):
        if status == "interrupted":
            stop_requested.handle(signal.SIGTERM, None)
        return {"status": status, "differences_from_paper": ["it is small"]}

    assert one_run.to_exit_code(changed(), "run", execute, "not the paper's") == code
    out = capsys.readouterr().out
    assert "not the paper's: it is small\n\nEverything is in run" in out
    assert ("to continue" in out) == (status == "interrupted")


@pytest.mark.parametrize(("status", "code"), [("finished", 0), ("interrupted", 143)])
def test_a_run_whose_baseline_was_finished_before_ends_with_its_own_code(monkeypatch, status, code):
    request = interruption.StopRequest()
    request.signal = signal.SIGTERM if status == "interrupted" else None
    shown = []
    monkeypatch.setattr(interruption, "stop_on_signals", lambda _: contextlib.nullcontext(request))
    monkeypatch.setattr(interruption.StopRequest, "__call__", lambda self: False)
    monkeypatch.setattr(semi_supervised, "execute", lambda *_: {"status": status})
    monkeypatch.setattr(experiment, "print_results", lambda results, *_: shown.extend(results))
    found = [Found("unfinished"), Found("finished", {"status": "finished"})]
    parts = [(changed(), "run"), (changed(), "run/supervised_only")]
    assert experiment.train_parts(changed(), changed(), parts, found, "run", "digits") == code
    assert [result["status"] for result in shown] == [status, "finished"]

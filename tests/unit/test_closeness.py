"""When minibatch discrimination counts as silent, and where a run says so."""

import json
import re

import pytest

import run_cifar10
from improved_gan_tf import rescore
from improved_gan_tf.data import datasets
from improved_gan_tf.runs import rescoring
from improved_gan_tf.runs.health import Closeness
from improved_gan_tf.tables import one_run
from improved_gan_tf.training import evaluation
from tests.support.noise_runs import images, run, settings
from tests.unit.test_paper import result

pytestmark = pytest.mark.slow


def minibatch_discrimination(**changes):
    (recipe,) = run_cifar10.VARIANTS["minibatch_discrimination"].values()
    changes = {"width_multiplier": 0.02, "evaluate_every": 1, "epochs": 2, **recipe, **changes}
    changes["model"] = "minibatch_discrimination"
    return settings(run_cifar10, **changes)


@pytest.mark.parametrize(
    ("real", "generated", "silent"),
    [
        (1.0, 1.0, False),
        (0.0, 0.0, True),
        (0.00099, 0.00099, True),
        (0.0, 0.001, False),  # one of the two batches is enough
        (0.001, 0.0, False),
        (float("nan"), float("nan"), False),
    ],
)
def test_a_layer_is_silent_when_neither_batch_has_neighbours(real, generated, silent):
    assert Closeness(real, generated).silent == silent


def test_a_run_records_the_closeness_of_real_and_generated_images(tmp_path, capsys, monkeypatch):
    """An epoch that is not evaluated has none; the second evaluation finds the layer silent."""
    found = iter([0.5, 0.25, 1e-5, 1e-6])
    monkeypatch.setattr(evaluation, "mean_closeness", lambda discriminator, images: next(found))
    config = minibatch_discrimination(epochs=4, evaluate_every=2)
    final = run(config, tmp_path / "run")["final"]
    lines = (tmp_path / "run" / "metrics.jsonl").read_text("utf-8").splitlines()
    names = ("closeness_real", "closeness_generated")
    assert [tuple(json.loads(line)[name] for name in names) for line in lines] == [
        (None, None),
        (0.5, 0.25),
        (None, None),
        (1e-5, 1e-6),
    ]
    assert final["closeness"] == {"real": 1e-5, "generated": 1e-6}
    told = re.findall(r"^ +(\d+)  .* s(.*\n(?: +\|.*\n)?)", capsys.readouterr().out, re.MULTILINE)
    assert [number for number, _ in told] == ["1", "2", "3", "4"]
    assert ["SILENT" in remark for _, remark in told] == [False, False, False, True]


def test_a_layer_just_initialised_is_not_silent(tmp_path):
    final = run(minibatch_discrimination(epochs=1, learning_rate=1e-9), tmp_path / "run")["final"]
    assert 0.05 < final["closeness"]["real"] < 14  # of the 14 neighbours that 15 images have
    assert 0.05 < final["closeness"]["generated"] < 99


@pytest.mark.parametrize(
    "config",
    [settings(epochs=1), minibatch_discrimination(epochs=1, supervised_only=True)],
    ids=["feature matching", "supervised only"],
)
def test_a_run_without_the_game_of_the_layer_records_none(config, tmp_path):
    assert run(config, tmp_path / "run")["final"]["closeness"] is None
    assert "closeness" not in (tmp_path / "run" / "metrics.jsonl").read_text("utf-8")


def test_the_saved_networks_have_the_closeness_that_the_run_recorded(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(datasets, "load", lambda *arguments, **options: images("cifar10"))
    recorded = run(minibatch_discrimination(), tmp_path / "run")["final"]["closeness"]
    assert rescoring.closeness(tmp_path / "run") == pytest.approx(
        tuple(recorded.values()), rel=1e-6
    )
    rescore.main([str(tmp_path / "run")])
    told = capsys.readouterr().out.splitlines()[-1]
    assert told.startswith(
        f"closeness in minibatch discrimination: real {recorded['real']:.2g}, generated "
    )
    run(settings(), tmp_path / "other")
    monkeypatch.setattr(datasets, "load", lambda *arguments, **options: images("mnist"))
    assert rescoring.closeness(tmp_path / "other") is None


def test_the_table_is_followed_by_a_word_about_a_silent_layer():
    heard = result(average_weight=None, closeness={"real": 0.2, "generated": 0.0})
    silent = result(average_weight=None, closeness={"real": 2e-15, "generated": 0.0})
    assert one_run.remarks([heard]) == one_run.remarks([result(average_weight=None)]) == []
    (remark,) = one_run.remarks([silent])
    assert remark.startswith("MINIBATCH DISCRIMINATION SILENT")
    assert "real (2e-15)" in remark
    assert "--learning_rate" in remark

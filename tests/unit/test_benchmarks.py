"""The numbers in benchmarks/measured.json, their tables, and the peer in PyTorch."""

import importlib
import json
import re

import numpy as np
import pytest

from benchmarks import against_pytorch, kill_campaign, measured
from benchmarks.pytorch_peer import EXPERIMENTS, PRECISIONS
from improved_gan_tf import networks
from tools import benchmark_tables

WIDTH = 0.1


def test_writing_a_section_leaves_the_others_as_they_are():
    text = measured.PATH.read_text("utf-8")
    content = json.loads(text)
    assert measured.text_of(content) == text
    section = {"command": 'a "b"', "rows": [{"n": 1}, {"n": None}]}
    for name in ("against_pytorch", "new"):
        found = json.loads(measured.with_section(name, section))
        assert found == {**content, name: section}
    assert list(found)[-1] == "new"


def test_the_aims_are_ratios_of_the_rows_and_the_peers_shorter_time(tmp_path, monkeypatch):
    times = {"mnist-feature_matching": ((40.0, 20.0), (25.0, None))}
    rows = [
        {
            "experiment": experiment,
            "precision": precision,
            "here": here,
            "floor": floor,
            "pytorch_before": 60.0,
            "pytorch_after": 50.0,
        }
        for experiment, of_precisions in times.items()
        for precision, (here, floor) in zip(PRECISIONS, of_precisions, strict=True)
    ]
    path = tmp_path / "measured.json"
    path.write_text(measured.text_of({"against_pytorch": {"rows": rows}}))
    monkeypatch.setattr(benchmark_tables, "MEASURED", path)
    lines = benchmark_tables.aims().splitlines()[2:]
    assert [line.split(" | ")[-1] for line in lines] == [
        *("2.00 |", "1.25 |", "2.00 |", "2.00 |"),
        *("- |", "- |"),  # CIFAR-10 was not measured
    ]
    assert "| MNIST, feature matching | `mixed_bfloat16` | 25.0 ms | - | 60.0 ms | 50.0 ms |" in (
        benchmark_tables.against_pytorch()
    )


def test_a_python_without_pytorch_is_refused_before_anything_is_measured(tmp_path):
    with pytest.raises(SystemExit, match="`pip install torch`"):
        against_pytorch.require_pytorch(str(tmp_path / "python"))


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_peer_has_the_shapes_and_parameters_of_our_players(experiment):
    torch = pytest.importorskip("torch", reason="the peer of the benchmark needs PyTorch")
    from benchmarks.pytorch_models import NOISE_DIM, make_players

    peers = make_players(experiment, WIDTH)
    ours = networks.EXPERIMENTS[tuple(experiment.split("-"))].build(1, WIDTH)
    for peer, our in zip(peers, (ours.generator, ours.discriminator), strict=True):
        counts = {True: 0, False: 0}
        for parameter in peer.parameters():
            counts[parameter.requires_grad] += parameter.numel()
        assert counts[True] == sum(int(np.prod(w.shape)) for w in our.trainable_weights)
        assert counts[False] == sum(int(np.prod(w.shape)) for w in our.non_trainable_weights)
    generator, discriminator = peers
    images = generator(torch.rand(4, NOISE_DIM))
    height, width, channels = ours.generator.output_shape[1:]
    assert tuple(images.shape) == (4, channels, height, width)
    logits, features = discriminator(images)
    for output, name in ((logits, "logits"), (features, "features")):
        assert tuple(output.shape) == (4, *ours.discriminator.output[name].shape[1:])


@pytest.mark.parametrize("experiment", EXPERIMENTS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_peers_iteration_moves_every_trained_parameter(experiment, precision):
    torch = pytest.importorskip("torch", reason="the peer of the benchmark needs PyTorch")
    from benchmarks.pytorch_training import Training

    torch.manual_seed(0)
    training = Training(experiment, precision, WIDTH)
    parameters = [*training.trained, *training.generator.parameters()]
    before = [p.detach().clone() for p in parameters]
    training.iterate()
    for old, new in zip(before, parameters, strict=True):
        trained = new.requires_grad
        assert trained != torch.equal(old, new), new.shape


@pytest.mark.parametrize(
    ("module", "argument"),
    [
        ("against_pytorch", "--iterations=0"),
        ("cross_replica", "--rounds=0"),
        ("kill_campaign", "--kills=0"),
        ("minibatch_discrimination", "--repeats=-1"),
        ("minibatch_discrimination", "--shapes=100,100"),
        ("pytorch_peer", "--rounds=1.5"),
        ("sweep_memory", "--runs=2,2"),
        ("sweep_memory", "--runs=1,,2"),
        ("training_step", "--iterations=0"),
    ],
)
def test_numbers_that_measure_nothing_are_refused(module, argument, monkeypatch, capsys):
    benchmark = importlib.import_module(f"benchmarks.{module}")
    monkeypatch.setattr("sys.argv", [module, argument])
    with pytest.raises(SystemExit) as end:
        benchmark.main()
    assert end.value.code == 2
    name = argument.split("=")[0]
    error = capsys.readouterr().err.splitlines()[-1]
    assert re.search(rf"{name}\b.* must .*Received: ", error)


@pytest.mark.parametrize(
    "other",
    ["--experiments=mnist-feature_matching", "--width_multiplier=0.125", "--iterations=1"],
)
def test_a_part_of_the_comparison_does_not_replace_the_whole(other, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["against_pytorch", other, "--write"])
    with pytest.raises(SystemExit):
        against_pytorch.main()
    assert "--write replaces the whole section" in capsys.readouterr().err


def test_a_campaign_in_a_folder_of_another_is_refused(tmp_path, monkeypatch, capsys):
    (tmp_path / "MNIST_sample-feature_matching").mkdir()
    monkeypatch.setattr("sys.argv", ["kill_campaign", f"--folder={tmp_path}"])
    with pytest.raises(SystemExit):
        kill_campaign.main()
    assert "--folder must be empty or absent. Received: " in capsys.readouterr().err


@pytest.mark.parametrize("survived", [True, False])
def test_a_campaign_that_lost_a_run_keeps_it(survived, tmp_path, monkeypatch, capsys):
    place = tmp_path / "campaign"
    monkeypatch.setattr(kill_campaign.tempfile, "mkdtemp", lambda: place)
    monkeypatch.setattr(kill_campaign, "experiments", lambda data_dir: {"one": None})
    monkeypatch.setattr(kill_campaign, "load", lambda config, parent: None)
    outcome = ("one", kill_campaign.FAULTS[0], survived)
    monkeypatch.setattr(kill_campaign, "campaign", lambda *_: [outcome])
    monkeypatch.setattr("sys.argv", ["kill_campaign"])
    with pytest.raises(SystemExit) as end:
        kill_campaign.main()
    assert end.value.code == (0 if survived else 1)
    assert place.exists() != survived
    assert (f"are in {place}." in capsys.readouterr().out) != survived


@pytest.mark.parametrize("argument", ["--jit_compile", "--only=package"])
def test_ways_refuses_what_it_does_not_read(argument, monkeypatch, capsys):
    from benchmarks import minibatch_discrimination

    monkeypatch.setattr(minibatch_discrimination, "print_ways", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["benchmark", "--ways", argument])
    with pytest.raises(SystemExit) as refused:
        minibatch_discrimination.main()
    assert refused.value.code == 2
    assert "error: --ways measures both ways without and with XLA" in capsys.readouterr().err


def test_a_run_that_fails_unkilled_ends_the_campaign(tmp_path, monkeypatch):
    codes = iter([0, 1])  # the straight run ends, the first to be killed fails by itself
    monkeypatch.setattr(kill_campaign, "run", lambda *_: next(codes))
    with pytest.raises(SystemExit, match=r"that nobody had killed failed, see .*killed-1.log"):
        kill_campaign.campaign("thin", None, None, 4, tmp_path / "runs")

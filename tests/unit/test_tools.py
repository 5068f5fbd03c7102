"""What the tables of the pages are computed from: which runs count, and their statistics."""

import argparse
import dataclasses
import json
import shutil

import numpy as np
import pytest

from tests.support.commands import run_python
from tests.support.places import ROOT
from tools import (
    arguments,
    dcgan_study,
    dcgan_tables,
    draw_own_images,
    draw_table1,
    draw_thin,
    mnist_runs,
    mnist_tables,
    own_images_runs,
    paper_tables,
    thin_runs,
    thin_tables,
)
from tools.run_files import read, runs_in, write

BASELINE = "a supervised-only baseline, which the paper does not report"


def write_run(
    folder, *, seed, wrong, labels=100, recipe="released", status="finished", differences=()
):
    """A run of two epochs, the second one tested."""
    folder.mkdir(parents=True)
    config = {"dataset": "mnist", "seed": seed, "recipe": recipe, "epochs": 300}
    config["labels_per_class"] = labels // 10
    averaged = wrong if recipe == "released" else None
    final = {"test_wrong_averaged": averaged, "test_wrong_raw": wrong, "test_count": 10_000}
    final["collapsed_at_epoch"] = 10 if wrong > 1000 else None
    final["epochs"] = 300 if status == "finished" else 170
    content = {
        "status": status,
        "config": config,
        "final": final,
        "differences_from_paper": list(differences),
    }
    (folder / "result.json").write_text(json.dumps(content))
    errors = (None, wrong / 10_000)
    lines = [
        {
            "epoch": epoch,
            "loss_unsupervised": 0.5,
            "test_error_averaged": error if recipe == "released" else None,
            "test_error_raw": error,
        }
        for epoch, error in enumerate(errors)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_table1(folder):
    """Two seeds of one recipe with baselines, another recipe, and three runs that do not count.

    A fourth is neither of full length nor finished, and has collapsed.
    """
    for seed, wrong in ((2, 110), (1, 90)):
        run = folder / f"released-seed{seed}"
        write_run(run, seed=seed, wrong=wrong)
        write_run(run / "supervised_only", seed=seed, wrong=2000 + seed, differences=[BASELINE])
    write_run(folder / "first_release-seed1", seed=1, wrong=95, recipe="first_release")
    write_run(folder / "released-count2-seed1", seed=1, wrong=1677, labels=20)
    write_run(folder / "released-seed3", seed=3, wrong=5000, status="interrupted")
    few = ["epochs: 100 instead of 300"]
    write_run(folder / "released-seed4", seed=4, wrong=5000, differences=few)
    cut = {"differences": few, "status": "interrupted"}
    write_run(folder / "first_release-seed5", seed=5, wrong=5000, recipe="first_release", **cut)


def test_full_length_runs_that_are_finished_count_and_no_others(tmp_path):
    write_table1(tmp_path)
    groups = mnist_runs.table1_runs(tmp_path)
    names = {key: [run.name for run in runs] for key, runs in groups.items()}
    assert names == {
        (100, "released"): ["released-seed1", "released-seed2"],
        (100, "first_release"): ["first_release-seed1"],
        (20, "released"): ["released-count2-seed1"],
    }


def test_table_1_has_means_over_seeds_and_says_what_is_under_way(tmp_path):
    write_table1(tmp_path)
    lines = mnist_tables.full_length(tmp_path).splitlines()[2:]
    assert [line.split(" | ")[0] for line in lines] == ["| 20", "| 50", "| 100", "| 100", "| 200"]
    assert "| 16.77 % (1 run), 1 collapsed |" in lines[0]
    assert lines[1].count(mnist_tables.UNDER_WAY) == 2
    lost = "1 more collapsed, unfinished"
    assert f"| 1.00 +- 0.14 % (2 runs), {lost} | 20.02 +- 0.01 % (2 runs) |" in lines[2]
    assert "| first_release |" in lines[3]
    assert "| 0.95 % (1 run) | - |" in lines[3]

    write_run(tmp_path / "released-seed5", seed=5, wrong=1600)
    shown = "6.00 +- 8.66 % (3 runs), 1 collapsed; the others 1.00 +- 0.14 % (2 runs)"
    assert shown in mnist_tables.full_length(tmp_path)
    assert shown in paper_tables.results(tmp_path)


def write_own_images(folder, group, wrong, seed=1, baseline="finished"):
    """A pair with 5 labels a class and the status of its baseline; 200 test images."""
    for part, count in zip(("", "supervised_only"), wrong, strict=True):
        run = folder / group / f"labels50-seed{seed}" / part
        run.mkdir(parents=True)
        final = {"test_wrong_averaged": count, "test_wrong_raw": count + 2, "test_count": 200}
        config = {"labels_per_class": 5, "width_multiplier": 0.125, "learning_rate": 0.001}
        content = {"config": config, "final": {**final, "collapsed_at_epoch": None}}
        content["status"] = baseline if part else "finished"
        (run / "result.json").write_text(json.dumps(content))


def test_runs_on_ones_own_images_have_a_table(tmp_path, monkeypatch):
    write_own_images(tmp_path, "digits-dense", (10, 40))
    write_own_images(tmp_path, "digits-0.001", (30, 28))
    monkeypatch.setattr(own_images_runs, "KEPT", tmp_path)
    dense, thin = own_images_runs.table().splitlines()[2:]
    assert "| 5 | 0 of 1 | 5.0 % / 6.0 % | 20.0 % / 21.0 % | -15.0 |" in dense
    assert "| convolutional x 0.125, 0.001 | 5 |" in thin  # no network said: from before the choice


def test_runs_on_ones_own_images_are_drawn_with_their_means(tmp_path):
    write_own_images(tmp_path, "digits-dense", (10, 40))
    write_own_images(tmp_path, "digits-dense", (20, 44), seed=2)
    panels = draw_own_images.picture(tmp_path).axes
    panel = panels[draw_own_images.BY_DEFAULT.index("digits-dense")]
    each = [[5.0, 10.0], [7.5], [20.0, 22.0], [21.0]]
    assert [list(line.get_ydata()) for line in panel.lines] == each


def test_a_group_that_fails_is_named_after_the_table_of_the_others(tmp_path, monkeypatch, capsys):
    called = []

    def train(group, seeds, data_dir):
        called.append(group)
        return 1 if group == "digits-dense" else 0

    monkeypatch.setattr(own_images_runs, "ROOT", tmp_path)
    monkeypatch.setattr(own_images_runs, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(own_images_runs, "train", train)
    monkeypatch.setattr("sys.argv", ["own_images_runs", "digits-dense", "digits-0.001"])
    with pytest.raises(SystemExit, match=r"these groups failed: digits-dense$"):
        own_images_runs.main()
    assert called == ["digits-dense", "digits-0.001"]
    assert "| images |" in capsys.readouterr().out


def test_the_exit_code_of_the_runs_is_that_of_their_command(tmp_path, monkeypatch):
    monkeypatch.setattr(own_images_runs, "ROOT", tmp_path)
    monkeypatch.setattr(own_images_runs, "source", lambda *_: [])
    (tmp_path / "run_images.py").write_text("import sys; sys.exit(3)")
    assert own_images_runs.train("digits-dense", 1, None) == 3


def test_finished_pairs_of_own_images_are_collected_without_the_machines_folders(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(own_images_runs, "ROOT", tmp_path)
    monkeypatch.setattr(own_images_runs, "KEPT", tmp_path / "kept")
    runs = tmp_path / own_images_runs.RUNS
    for group in own_images_runs.GROUPS:
        (runs / group).mkdir(parents=True)
    write_own_images(runs, "digits-dense", (10, 40))
    write_own_images(runs, "digits-0.001", (30, 28))
    alone = runs / "digits-0.001" / "labels50-seed1"
    (alone / "supervised_only" / "result.json").unlink()
    write_own_images(runs, "svhn_stand_in-0.0003", (20, 50), baseline="interrupted")
    own_images_runs.collect()
    kept = sorted((tmp_path / "kept").rglob("result.json"))
    wrong = [json.loads(path.read_text())["final"]["test_wrong_averaged"] for path in kept]
    assert [path.parent.name for path in kept] == ["labels50-seed1", "supervised_only"]
    assert wrong == [10, 40]


def test_the_digits_written_have_their_own_labels(tmp_path, monkeypatch):
    from sklearn.datasets import load_digits

    monkeypatch.setattr(own_images_runs, "ROOT", tmp_path)
    (flag,) = own_images_runs.source("digits", None)
    digits, found = load_digits(), {}
    for image, label in zip(digits.images, digits.target, strict=True):
        found.setdefault(np.round(image * 255 / 16).astype("uint8").tobytes(), set()).add(label)
    with np.load(tmp_path / flag.removeprefix("--arrays=")) as saved:
        assert len(saved["x_train"]) + len(saved["x_test"]) == len(digits.target)
        for part in ("train", "test"):
            for image, label in zip(saved[f"x_{part}"], saved[f"y_{part}"], strict=True):
                assert label in found[image.tobytes()]


def test_a_run_that_collapsed_counts_before_it_has_finished(tmp_path):
    write_table1(tmp_path)
    lines = mnist_tables.collapse_counts(tmp_path).splitlines()
    assert "| released | 300, or until it collapsed | 3 | 1 | 1 to 91 % |" in lines
    assert "| first_release | 300 | 1 | 0 | 0 to 98 % |" in lines


def test_every_split_has_its_line_with_its_baseline_and_its_collapse(tmp_path):
    write_table1(tmp_path)
    assert mnist_tables.each_split(tmp_path).splitlines()[2:] == [
        "| 20 | released | 1 | 16.77 % | - | 11 |",
        "| 100 | first_release | 1 | 0.95 % | - | no |",
        "| 100 | released | 1 | 0.90 % | 20.01 % | no |",
        "| 100 | released | 2 | 1.10 % | 20.02 % | no |",
        "| 100 | released | 3 | 50.00 %, stopped in epoch 171 | - | 11 |",
    ]


def test_the_readme_has_the_full_length_runs_as_soon_as_they_are_there(tmp_path):
    empty = paper_tables.results(tmp_path)
    assert empty.count(mnist_tables.UNDER_WAY) == 4
    write_table1(tmp_path)
    text = paper_tables.results(tmp_path)
    assert text.count(mnist_tables.UNDER_WAY) == 2
    assert (
        "released: 1.00 +- 0.14 % (2 runs), 1 more collapsed, unfinished; "
        "supervised only 20.02 +- 0.01 % (2 runs)"
        "<br>first_release: 0.95 % (1 run)"
    ) in text


def test_the_curves_of_table_1_are_drawn_from_whatever_runs_are_there(tmp_path, monkeypatch):
    runs = tmp_path / "runs"
    write_table1(runs)
    assert {n: sorted(found) for n, found in draw_table1.panels(runs).items()} == {
        20: ["released"],
        100: ["first_release", "released"],
    }
    of_released = [runs / f"released-seed{seed}" for seed in (1, 2, 3)]
    expected = "1.00 +- 0.14 % (2 runs), 1 not finished"
    assert draw_table1._summary(of_released) == expected
    write_run(tmp_path / "short", seed=4, wrong=200, differences=["epochs: 30 instead of 300"])
    with_short = [*of_released, tmp_path / "short"]
    assert draw_table1._summary(with_short) == f"{expected}, 1 with other settings"
    monkeypatch.setattr("sys.argv", ["draw_table1", str(runs)])
    assert arguments.folders("what it does", "FOLDER", "?") == [runs]
    monkeypatch.setattr("sys.argv", ["draw_table1"])
    assert arguments.folders("what it does", "FOLDER", "?") == []
    draw_table1.draw(runs, tmp_path / "table1.png")
    assert (tmp_path / "table1.png").read_bytes()[:4] == b"\x89PNG"
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="no run"):
        draw_table1.draw(tmp_path / "empty", tmp_path / "none.png")


def test_a_mean_difference_has_students_interval_from_three_pairs_on():
    found = thin_runs.mean_difference([-1.0, -2.0, -3.0])
    assert found.mean == -2.0
    np.testing.assert_allclose(found.standard_error, 1 / 3**0.5)
    # t(0.975, 2) = 4.30265273
    np.testing.assert_allclose(found.interval, [-2 - 4.30265273 / 3**0.5, -2 + 4.30265273 / 3**0.5])
    two = thin_runs.mean_difference([1.0, 2.0])
    assert (two.mean, two.standard_error, two.interval) == (1.5, None, None)
    assert thin_tables.difference_text(two) == "+1.0, +2.0"
    assert thin_runs.mean_difference([1.0]) == (1.0, None, None, None)


def test_a_pair_on_the_same_test_images_has_the_spread_of_the_images_that_differ():
    run = thin_runs.THIN / "mnist-minibatch_discrimination"
    ours, baseline = (thin_runs.result(run, part)["final"] for part in thin_runs.PARTS)
    only = json.loads((run / "only_one_wrong.json").read_text())
    # The images that only one of the two gets wrong are all that their errors differ by.
    gap = ours["test_wrong_raw"] - baseline["test_wrong_raw"]
    assert only["run"] - only["supervised_only"] == gap
    count = ours["test_count"]
    scores = np.zeros(count)
    scores[: only["run"]] = 1
    scores[only["run"] : only["run"] + only["supervised_only"]] = -1
    pair = thin_runs.pair(run)
    np.testing.assert_allclose(pair.difference, 100 * scores.mean())
    np.testing.assert_allclose(pair.standard_error, 100 * scores.std() / count**0.5)


def test_runs_of_a_group_differ_in_seeds_and_length_only():
    groups = list(thin_runs.groups_over_seeds())
    assert len(groups) == 9
    for group in groups:
        seeds = [thin_runs.seed(run) for run in group.runs]
        assert len(set(seeds)) == len(seeds) > 1
        kinds = {(thin_runs.name(r), thin_runs.learning_rate(r)) for r in group.runs}
        assert len(kinds) == 1


def test_the_picture_of_the_thin_runs_counts_their_baselines():
    _, of_any_seed, at_another_rate = draw_thin.texts()
    (count,) = {len(group.supervised) for group in thin_runs.independent_groups()}
    assert f"against {count} baselines" in of_any_seed
    assert len(list(thin_runs.BASELINES.iterdir())) < count  # with the runs' own baselines
    assert "at rate 0.0005 " in at_another_rate


def test_of_two_runs_of_one_seed_the_shorter_counts_against_another_rate(tmp_path, monkeypatch):
    (before, *_) = thin_runs.groups_at_another_rate()
    shutil.copytree(thin_runs.THIN, tmp_path / "thin")
    longer = tmp_path / "thin" / f"{before.runs[0].name}-longer"
    shutil.copytree(before.runs[0], longer)
    content = read(longer / "result.json")
    final = content["final"]
    for name in ("models_of_epoch", "models_of_iteration"):
        final[name] *= 2
    write(longer / "result.json", content)
    monkeypatch.setattr(thin_runs, "THIN", tmp_path / "thin")
    (after, *_) = thin_runs.groups_at_another_rate()
    assert [run.name for run in after.runs] == [run.name for run in before.runs]
    assert after.difference == before.difference


def test_a_folder_moved_aside_is_no_run(tmp_path):
    for name in ("a", "a.old-1", "b.old-12"):
        write_run(tmp_path / name, seed=1, wrong=90)
    assert [run.name for run in runs_in(tmp_path)] == ["a"]


def test_runs_that_cannot_be_compared_are_refused_before_anything_is_copied(tmp_path):
    run, target = tmp_path / "run", tmp_path / "results" / "run"
    write_run(run, seed=1, wrong=90)

    def refused(message):
        with pytest.raises(SystemExit, match=message):
            draw_thin.require_whole(run, target, thin_runs.PARTS)

    def change(folder, **changes):
        content = read(folder / "result.json")
        content["final"] |= {"models_of_iteration": changes.pop("iterations", 100)}
        write(folder / "result.json", {**content, **changes})

    refused("There is no result in .*supervised_only")
    write_run(run / "supervised_only", seed=1, wrong=2000)
    change(run)
    change(run / "supervised_only", status="interrupted")
    refused("is not finished")
    change(run / "supervised_only", status="finished", iterations=99)
    refused("are not equally long")
    change(run / "supervised_only")
    draw_thin.require_whole(run, target, thin_runs.PARTS)
    write_run(target, seed=1, wrong=80)
    draw_thin.require_whole(run, target, thin_runs.PARTS)
    shutil.rmtree(target)
    write_run(target, seed=2, wrong=80)
    refused("holds another run")


# --- DCGAN's short runs ---------------------------------------------------------------------


@pytest.mark.parametrize("study", dcgan_study.STUDIES.values(), ids=lambda study: study.dataset)
def test_every_row_of_a_study_has_its_data_set_and_budget(study, tmp_path):
    for name in study.rows:
        config, published = dcgan_study.record(study, name, 5, tmp_path)
        given = {key: getattr(config, key) for key in study.budget}
        assert given == study.budget
        assert (config.dataset, config.seed) == (study.dataset, 5)
        assert config.objective == published.objective
        faster = config.learning_rate / published.learning_rate
        np.testing.assert_allclose(faster, 5 if published.learning_rate < 0.001 else 1)


def test_the_runs_in_results_have_the_settings_of_their_study():
    for study in dcgan_study.STUDIES.values():
        for name in study.rows:
            for run in dcgan_tables.runs_of(study, name):
                settings = thin_runs.result(run)["config"]
                config, _ = dcgan_study.record(study, name, settings["seed"], "runs")
                expected = json.loads(json.dumps(dataclasses.asdict(config)))
                assert settings == {key: expected[key] for key in settings}, run
                assert study.is_whole(run)


# --- command lines -------------------------------------------------------------------------

PROGRAMS = [
    *(f"tools.{path.stem}" for path in sorted((ROOT / "tools").glob("draw_*.py"))),
    "tools.dcgan_study",
    "tools.make_notebook",
    "tools.measure_frozen",
    "tools.own_images_runs",
    "tools.ship_pretrained",
    "tools.tables",
    "examples.minibatch_divergences",
    "examples.mode_collapse",
    "examples.mode_coverage",
    *(
        f"benchmarks/{path.name}"
        for path in sorted((ROOT / "benchmarks").glob("*.py"))
        if "__main__" in path.read_text()
    ),
]


def test_help_of_every_program_is_help_and_nothing_else(tmp_path):
    # In one process, or each program would start TensorFlow again. Nothing may be written, so
    # a program that draws in answer to --help fails where it opens its file.
    code = f"""
import builtins, pathlib, runpy, sys
sys.path[:0] = [{str(ROOT)!r}]
def refuse(*arguments, **settings):
    raise AssertionError(f"wrote {{arguments}}")
for name in {PROGRAMS}:
    sys.argv = [name, "--help"]
    import matplotlib.figure
    pathlib.Path.write_text = matplotlib.figure.Figure.savefig = refuse
    try:
        if name.endswith(".py"):
            runpy.run_path({str(ROOT)!r} + "/" + name, run_name="__main__")
        else:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        assert not ended.code, (name, ended.code)
    else:
        raise AssertionError(f"{{name}} did not end after its help")
"""
    done = run_python("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("usage: ") == len(PROGRAMS)


@pytest.mark.parametrize("text", ["x", "1/0", "0/2", "3/2", "1/2/3", "-1/2", ""])
def test_a_part_of_a_study_that_there_is_not_is_refused(text):
    assert dcgan_study.part_of("2/3") == (2, 3)
    with pytest.raises(argparse.ArgumentTypeError, match=r"1 <= I <= N\. Received: "):
        dcgan_study.part_of(text)


def test_a_set_of_images_whose_preparation_was_stopped_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(own_images_runs, "ROOT", tmp_path)

    def stopped(folder):
        (folder / "train").mkdir()
        raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr(own_images_runs, "_write_mnist_sample", stopped)
        with pytest.raises(KeyboardInterrupt):
            own_images_runs.source("mnist_sample", None)
    (flag,) = own_images_runs.source("mnist_sample", None)
    folder = tmp_path / flag.removeprefix("--image_folder=")
    assert len(list(folder.glob("*/*/*.png"))) == 5000

"""The example of the silent layer: variants, what is watched, files, tables."""

import json

import numpy as np
import pytest

import run_cifar10
from examples import unfinished_trials
from examples.silent_layer import __main__ as command
from examples.silent_layer import pictures, tables, training, variants
from improved_gan_tf.data import datasets
from improved_gan_tf.errors import DivergedError, UserError
from improved_gan_tf.layers import WeightNormConv2D
from improved_gan_tf.scoring import small_classifier
from improved_gan_tf.scoring.frechet import frechet_distance
from tests.support.commands import run_python
from tests.support.places import ROOT

pytestmark = pytest.mark.slow

WIDTH = 0.03  # a few channels


@pytest.fixture(scope="module")
def digits():
    return datasets.load("mnist", data_source="sample")


def trial_of(name, digits, seed=1):
    variant = variants.VARIANTS[name]
    config = training.config_of("mnist", variant, seed, WIDTH, 0.001, 10)
    return training.Trial(variant, digits, config)


def conv_layers(players):
    return [x for x in players.discriminator.layers if isinstance(x, WeightNormConv2D)]


def test_every_variant_has_a_title():
    assert list(variants.VARIANTS) == list(tables.TITLES)


def test_variants_differ_from_the_original_in_what_they_name_alone():
    built = {name: variants.build("mnist", v, 1, WIDTH) for name, v in variants.VARIANTS.items()}
    original = built["original"].discriminator
    kernels = [layer.kernel for layer in conv_layers(built["original"])]
    for name, players in built.items():
        for one, other in zip(kernels, conv_layers(players), strict=True):
            np.testing.assert_array_equal(one, other.kernel)
            assert other.train_scale == (name == "train_conv_scales")
        if name == "no_layer":
            assert variants.minibatch_layer(players.discriminator) is None
            assert not players.couples_examples
            continue
        layer, plain = map(variants.minibatch_layer, (players.discriminator, original))
        np.testing.assert_array_equal(layer.theta, plain.theta)
        config, plain_config = layer.get_config(), plain.get_config()
        changed = {k: v for k, v in config.items() if k != "name" and v != plain_config[k]}
        assert changed == dict(variants.VARIANTS[name].layer)


def test_a_trial_trains_watches_and_comes_out(digits):
    trial = trial_of("original", digits)
    before = trial.watch()
    trial.train_to(2)
    after = trial.watch()
    assert (before.iteration, after.iteration) == (0, 2)
    assert 0.0 < before.closeness_real < 99.0
    assert before != after._replace(iteration=0)
    outcome = trial.outcome(FakeClassifier())
    assert outcome.test_count == 1000
    assert 0 <= outcome.test_wrong <= 1000
    assert outcome.classes_seen == 1
    assert outcome.class_entropy == 0.0
    assert outcome.pair_distance > 0.0
    # Of 1,000 draws each from one N(0, 1) in four dimensions.
    expected = frechet_distance(FEATURES[0], FEATURES[1]), frechet_distance(*FEATURES[2:0:-1])
    assert (outcome.frechet_distance, outcome.frechet_distance_of_real) == pytest.approx(expected)


def test_a_trial_without_the_layer_has_features_and_no_closeness(digits):
    trial = trial_of("no_layer", digits)
    trial.train_to(1)
    watched = trial.watch()
    assert watched.feature_size > 0.0
    assert watched.closeness_real is watched.closeness_generated is watched.distance is None


def test_a_game_on_cifar10_has_that_scripts_settings():
    config = training.config_of("cifar10", variants.VARIANTS["no_layer"], 3, WIDTH, 0.001, 400)
    theirs = run_cifar10.VARIANTS["minibatch_discrimination"]["released"]
    assert (config.dataset, config.model, config.recipe) == ("cifar10", "plain", "released")
    assert {k: getattr(config, k) for k in theirs} == theirs


# Of samples, test images and training images.
FEATURES = np.random.RandomState(1).normal(size=(3, training.NUM_SAMPLES, 4))


class FakeClassifier:
    """Sees a three in everything; wants pixels from 0 to 255."""

    def __init__(self):
        self._features = iter(FEATURES)

    def predict(self, images, batch_size, verbose):
        assert images.min() >= -0.01
        assert 100.0 < images.max() < 255.01
        logits = np.tile(np.eye(10)[3], (len(images), 1))
        return {"logits": logits, "features": next(self._features)}


def test_smaller_distances_are_a_hundredth_after_the_initialisation(digits):
    distances = [trial_of(n, digits).watch().distance for n in ("original", "smaller_distances")]
    assert distances[1] == pytest.approx(distances[0] / 100, rel=1e-4)


def watched(iteration, closeness, distance=1.0):
    return training.Watched(iteration, 0.5, closeness, 2 * closeness, distance)._asdict()


def result(variant="original", seed=1, wrong=100, closeness=(4.0, 1e-6), width=0.125):
    return {
        "variant": variant,
        "seed": seed,
        "settings": {
            "dataset": "mnist",
            "width_multiplier": width,
            "learning_rate": 0.001,
            "labels_per_class": 10,
            "iterations": 50,
        },
        "watched": [watched(0, closeness[0]), watched(50, closeness[1], distance=8.0)],
        "outcome": training.Outcome(wrong, 1000, 0.5, 9, 2.0, 30.0, 5.0)._asdict(),
    }


def test_the_table_of_closeness_has_geometric_means_over_seeds():
    found = [result(seed=1), result(seed=2, closeness=(9.0, 1e-10))]
    header, _, row = tables.closeness(found).splitlines()
    assert header.split(" | ")[3:5] == ["0", "50"]
    assert row.startswith("| MNIST, 10, 0.125, 0.001, 50 | the original's form | 2 |")
    assert row.endswith("| 2 | 6 / 12 | 1e-08 / 2e-08 | 1 | 8 | 2 of 2 | 2 of 2 |")


def test_trials_with_other_numbers_of_labels_have_a_row_of_their_own():
    found = [result(), result(wrong=300)]
    found[1]["settings"] = {**found[0]["settings"], "labels_per_class": 1}
    few, many = tables.outcomes(found).splitlines()[2:]
    assert few.startswith("| MNIST, 1, 0.125, 0.001, 50 | the original's form | 1 | 30.0 % |")
    assert many.startswith("| MNIST, 10, 0.125, 0.001, 50 | the original's form | 1 | 10.0 % |")


def test_a_folder_may_begin_with_a_tilde(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    flags = ["--output=~/trials", "--picture=~/a.png", "--samples_picture=~/b.png"]
    parsed = command.parser().parse_args(flags)
    found = [str(p) for p in (parsed.output, parsed.picture, parsed.samples_picture)]
    assert found == [f"/home/someone/{name}" for name in ("trials", "a.png", "b.png")]


def test_the_table_of_outcomes_has_standard_errors_and_no_error_without_labels():
    found = [result(seed=1), result(seed=2, wrong=140), result("no_labels", wrong=900)]
    header, _, original, no_labels = tables.outcomes(found).splitlines()
    variety = "0.50 +- 0.00 | 9.0 +- 0.0 | 2.00 +- 0.00 | 30.0 +- 0.0 | 5.0 +- 0.0 |"
    assert header.endswith("| Frechet distance | of real images |")
    assert original.endswith(f"| 2 | 12.0 +- 2.0 % | {variety}")
    assert no_labels.endswith("| 1 | - | 0.50 | 9.0 | 2.00 | 30.0 | 5.0 |")


def test_older_trials_are_of_mnist_and_have_no_frechet_distance(tmp_path):
    old = result()
    del old["settings"]["dataset"], old["outcome"]["frechet_distance"]
    (tmp_path / "old.json").write_text(json.dumps(old))
    found = tables.read_all(tmp_path)
    assert "| MNIST, 10, 0.125, 0.001, 50 |" in tables.closeness(found)
    assert "Frechet" not in tables.outcomes(found)


def test_trials_without_the_layer_have_no_row_of_closeness_and_no_curve():
    bare = result("no_layer")
    bare["watched"] = [training.Watched(i, 0.5)._asdict() for i in (0, 50)]
    found = [result(), bare]
    assert len(tables.closeness(found).splitlines()) == 3
    assert "| without the layer | 1 | 10.0 % |" in tables.outcomes(found)
    assert len(pictures.figure(found).axes[0].get_legend().get_texts()) == 1


def test_the_sheet_has_a_row_for_each_variant_and_a_column_for_each_seed(tmp_path):
    found = []
    for variant, seed in (("original", 1), ("original", 2), ("no_layer", 2)):
        file = tmp_path / f"{variant}{seed}.png"
        pictures.write_samples(np.full((62, 302, 1), 60 * seed, np.uint8), file)
        found.append({**result(variant, seed), "samples_file": file})
    found.append({**result("mean"), "samples_file": tmp_path / "none.png"})
    axes = pictures.sheet(found).axes
    assert len(axes) == 4
    shown = [a.images[0].get_array()[0, 0, 0] if a.images else None for a in axes]
    assert shown == [60, 120, None, 120]
    with pytest.raises(UserError, match="No finished trial has a picture"):
        pictures.sheet(found[-1:])


def test_the_picture_has_a_curve_for_each_variant_and_a_point_for_each_seed(tmp_path):
    found = [result(seed=1), result(seed=2), result("no_labels", closeness=(4.0, 0.0))]
    for number, content in enumerate(found):
        (tmp_path / f"{number}.json").write_text(json.dumps(content))
    curves, outcomes = pictures.figure(found).axes
    titles = [line.get_label() for line in curves.lines if line.get_label()[0] != "_"]
    assert titles == ["the original's form", "without the supervised loss"]
    assert len(curves.lines) == 2 + len(found)  # each trial has a thin line
    # The mean is the table's; only where it is drawn ends.
    (mean,) = (line for line in curves.lines if line.get_label() == "the original's form")
    np.testing.assert_allclose(mean.get_ydata(), [4.0, 1e-6])
    one_is_zero = [result(seed=1, closeness=(4.0, 1e-6)), result(seed=2, closeness=(4.0, 1e-30))]
    lines = pictures.figure(one_is_zero).axes[0].lines
    (mean,) = (line for line in lines if line.get_label() == "the original's form")
    np.testing.assert_allclose(mean.get_ydata(), [4.0, pictures.LOWEST])
    points = [line.get_xydata() for line in outcomes.lines if line.get_marker() != "None"]
    assert [len(p) for p in points] == [2, 1]
    assert points[1][0, 0] == pictures.LOWEST  # zero has no place on the axis
    command.main(["--trials=0", f"--output={tmp_path}", f"--picture={tmp_path / 'a.png'}"])
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_a_picture_of_trials_of_two_widths_is_refused():
    with pytest.raises(UserError, match=r"Received: MNIST, 10, 0.125, 0.001, 50; MNIST, 10, 0.25"):
        pictures.figure([result(), result(width=0.25)])


def test_a_picture_that_cannot_be_written_is_refused_before_training(capsys):
    for flag in ("--picture=a.jpg", "--picture=nowhere/a.png", "--samples_picture=a.gif"):
        with pytest.raises(SystemExit):
            command.main([flag])
        told = f"{flag.split('=')[0]} must be a .png file in a folder that exists"
        assert told in capsys.readouterr().err


def test_a_folder_of_data_is_for_cifar10(capsys):
    with pytest.raises(SystemExit):
        command.main(["--data_dir=somewhere"])
    assert "--data_dir is for --dataset=cifar10" in capsys.readouterr().err


def test_a_file_of_something_else_is_named(tmp_path):
    (tmp_path / "other.json").write_text('{"variant": "unknown"}')
    with pytest.raises(UserError, match=r"other\.json is no result of examples\.silent_layer"):
        tables.read_all(tmp_path)


def test_what_a_killed_process_leaves_is_no_trial(tmp_path):
    (tmp_path / "1.json").write_text(json.dumps(result()))
    (tmp_path / ".4242.beef.1.json").write_text("{")
    assert len(tables.read_all(tmp_path)) == 1


def test_a_checkpoint_that_cannot_be_read_is_not_called_damaged(tmp_path):
    unfinished_trials.path_of(tmp_path / "1.json").mkdir()  # reading it is an OSError
    with pytest.raises(UserError, match=r"unfinished\.npz cannot be read: ") as told:
        unfinished_trials.read(tmp_path / "1.json", {})
    assert "remove it" not in str(told.value)


def test_a_picture_of_trials_without_the_layer_is_refused():
    with pytest.raises(UserError, match="needs a finished trial with the layer"):
        pictures.figure([result(variant="no_layer")])


def test_trials_on_other_data_of_the_same_name_are_refused(tmp_path):
    for seed, data in ((1, "a part"), (2, "all of it")):
        content = {**result(seed=seed), "provenance": {"data": data}}
        (tmp_path / f"{seed}.json").write_text(json.dumps(content))
        if seed == 1:
            finished = tables.read_all(tmp_path)
            tables.require_one_data_set(finished, ("cifar10", "all of it"))
            with pytest.raises(UserError, match=r"on different data .*Received: "):
                tables.require_one_data_set(finished, ("mnist", "all of it"))
    with pytest.raises(UserError, match=r"a part; all of it|all of it; a part"):
        tables.read_all(tmp_path)


def test_a_folder_without_trials_is_told(tmp_path):
    with pytest.raises(UserError, match="no finished trial to show"):
        command.main(["--trials=0", f"--output={tmp_path}/none"])


def test_finished_trials_are_not_trained_again(tmp_path, capsys):
    arguments = ["--variants", "original", "--trials=1", "--iterations=50", f"--output={tmp_path}"]
    parsed = command.parser().parse_args(arguments)
    command.check(parsed, pytest.fail)
    path = command.path_of(parsed, "original", 1)
    path.write_text(json.dumps(result()))
    command.main(arguments)
    printed = capsys.readouterr().out
    assert "1 trials are finished, 0 to be trained" in printed
    assert "the original's form" in printed


def test_a_stopped_trial_goes_on_with_the_same_bits(digits, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(small_classifier, "train", lambda *arguments: (None, None))
    monkeypatch.setattr(training.Trial, "outcome", lambda trial, classifier: Outcome(trial))
    monkeypatch.setattr(training, "WATCHED", (0, 20, 60))
    monkeypatch.setattr(unfinished_trials, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(tables, "outcomes", lambda results: "")
    argv = ["--variants=original", "--trials=1", "--iterations=90", f"--width_multiplier={WIDTH}"]
    command.main([*argv, f"--output={tmp_path / 'straight'}"])

    with monkeypatch.context() as stopped:
        keep = unfinished_trials.UnfinishedTrial.keep

        def keep_and_stop(unfinished, records):
            keep(unfinished, records)
            if records[0] == 80:  # the end of the second epoch, after 0, 20 and 60 were watched
                raise KeyboardInterrupt

        stopped.setattr(unfinished_trials.UnfinishedTrial, "keep", keep_and_stop)
        with pytest.raises(KeyboardInterrupt):
            command.main([*argv, f"--output={tmp_path / 'stopped'}"])
    (left,) = (tmp_path / "stopped").iterdir()
    assert left.name == "original-width0.03-rate0.001-labels10-90-seed1.unfinished.npz"
    capsys.readouterr()
    command.main([*argv, f"--output={tmp_path / 'stopped'}"])
    assert "80 iterations are done" in capsys.readouterr().out
    assert not left.exists()
    for straight in (tmp_path / "straight").iterdir():
        again = tmp_path / "stopped" / straight.name
        if straight.suffix == ".png":
            assert again.read_bytes() == straight.read_bytes()
            continue
        expected, found = (json.loads(path.read_text()) for path in (straight, again))
        assert [w["iteration"] for w in found["watched"]] == [0, 20, 60, 90]
        assert found["watched"] == expected["watched"]
        assert found["outcome"] == expected["outcome"]


class Outcome:
    """Sums of all that a trial has trained, in place of errors and variety."""

    def __init__(self, trial):
        self._sums = {name: float(np.sum(v.numpy())) for name, v in trial.variables().items()}

    def _asdict(self):
        return self._sums


def test_a_trial_that_diverges_is_told_and_counted_and_the_others_go_on(
    digits, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(small_classifier, "train", lambda *arguments: (None, None))
    outcome = training.Outcome(100, 1000, 0.5, 9, 2.0, 30.0, 5.0)
    monkeypatch.setattr(training.Trial, "outcome", lambda trial, classifier: outcome)

    def train_to(trial, iteration, after_some):
        if iteration and trial.layer.reduction == "sum":
            raise DivergedError("A loss became NaN or infinite in iteration 7.")
        trial.iteration = iteration

    monkeypatch.setattr(training.Trial, "train_to", train_to)
    argv = ["--variants", "original", "mean", "--trials=1", "--iterations=9"]
    argv += [f"--width_multiplier={WIDTH}", f"--output={tmp_path}"]
    command.main(argv)
    captured = capsys.readouterr()
    assert "original, seed 1, diverged: A loss became NaN" in captured.err
    for table in captured.out.split("\n\n")[-2:]:
        original, mean = table.splitlines()[-2:]
        assert "| the original's form | 0 (1 diverged) | - |" in original
        assert '| `reduction="mean"` | 1 | ' in mean
    diverged = json.loads(next(tmp_path.glob("original*.json")).read_text())
    assert [w["iteration"] for w in diverged["watched"]] == [0]
    command.main(argv)
    assert "2 trials are finished, 0 to be trained" in capsys.readouterr().out


def test_a_mean_is_that_of_the_trials_that_did_not_diverge():
    diverged = {**result(seed=2), "watched": [watched(0, 9.0)], "outcome": None}
    found = [result(seed=1), diverged]
    for table in (tables.closeness, tables.outcomes):
        alone = table([result(seed=1)])
        assert table(found) == alone.replace("form | 1 |", "form | 1 (1 diverged) |")
    assert len(pictures.figure(found).axes[0].get_legend().get_texts()) == 1
    with pytest.raises(UserError, match="of no_layer, or that diverged, alone"):
        pictures.figure([diverged])


def test_a_loss_that_is_not_finite_is_a_divergence(digits):
    trial = trial_of("original", digits)
    trial.game.trainer.train = lambda *arguments: (None, 3)
    with pytest.raises(DivergedError, match="in iteration 3"):
        trial.train_to(5)
    # In the last iteration the sums alone say so.
    trial.game.trainer.train = lambda *arguments: ((0.1, float("nan")), 5)
    with pytest.raises(DivergedError, match="in iteration 5"):
        trial.train_to(5)


@pytest.mark.parametrize("dataset", command.LABELS_PER_CLASS)
def test_the_default_number_of_labels_is_within_the_range(dataset):
    parsed = command.parser().parse_args([f"--dataset={dataset}"])
    command.check(parsed, pytest.fail)
    assert parsed.labels_per_class == command.LABELS_PER_CLASS[dataset]


@pytest.mark.parametrize(
    "flag", ["--trials=-1", "--iterations=0", "--learning_rate=0", "--width_multiplier=9"]
)
def test_numbers_out_of_range_are_refused(flag, capsys):
    with pytest.raises(SystemExit):
        command.main([flag])
    assert f"{flag.split('=')[0]} must be from" in capsys.readouterr().err


def test_help_answers_without_tensorflow():
    script = (
        "import sys; from examples.silent_layer import __main__ as m\n"
        "assert 'tensorflow' not in sys.modules\nm.parser().print_help()"
    )
    done = run_python("-c", script, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "--variants" in done.stdout


def test_growth_is_the_geometric_mean_until_an_iteration_or_the_last():
    two = [result(), result()]
    two[1]["watched"] = [watched(0, 1.0, 2.0), watched(50, 1.0, 4.0), watched(100, 1.0, 64.0)]
    assert tables.growth_until(two, "distance", 50) == "4"  # of 8 and 2
    assert tables.growth_until(two, "distance") == "16"  # of 8 and 32
    assert tables.closeness_at(two, 7) == "-"
    assert tables.closeness_at(two, 100) == "1 / 2 (1 of 2)"


def test_layers_that_lost_real_images_are_told_from_silent_ones():
    trials = [result(closeness=(4.0, end)) for end in (4e-4, 6e-4, 2e-3)]  # generated: twice that
    assert tables.lost(trials) == ["2 of 3", "1 of 3"]
    assert tables.lost(trials, 0) == ["0 of 3", "0 of 3"]

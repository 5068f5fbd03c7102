"""The example of the silent layer: variants, what is watched, files, tables."""

import json

import numpy as np
import pytest

from examples.silent_layer import __main__ as command
from examples.silent_layer import pictures, tables, training, variants
from improved_gan_tf.data import datasets
from improved_gan_tf.errors import UserError
from improved_gan_tf.layers import WeightNormConv2D
from tests.support.commands import run_python
from tests.support.places import ROOT

pytestmark = pytest.mark.slow

WIDTH = 0.03  # a few channels


@pytest.fixture(scope="module")
def digits():
    return datasets.load("mnist", data_source="sample")


def trial_of(name, digits, seed=1):
    variant = variants.VARIANTS[name]
    return training.Trial(variant, digits, training.config_of(variant, seed, WIDTH, 0.001, 10))


def conv_layers(players):
    return [x for x in players.discriminator.layers if isinstance(x, WeightNormConv2D)]


def test_every_variant_has_a_title():
    assert list(variants.VARIANTS) == list(tables.TITLES)


def test_variants_differ_from_the_original_in_what_they_name_alone():
    built = {name: variants.build(v, 1, WIDTH) for name, v in variants.VARIANTS.items()}
    original = built["original"].discriminator
    kernels = [layer.kernel for layer in conv_layers(built["original"])]
    for name, players in built.items():
        for one, other in zip(kernels, conv_layers(players), strict=True):
            np.testing.assert_array_equal(one, other.kernel)
            assert other.train_scale == (name == "train_conv_scales")
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


class FakeClassifier:
    """Sees a three in everything; wants pixels from 0 to 255."""

    def predict(self, images, batch_size, verbose):
        assert images.min() >= -0.01
        assert 100.0 < images.max() < 255.01
        return {"logits": np.tile(np.eye(10)[3], (len(images), 1))}


def test_smaller_distances_are_a_hundredth_after_the_initialisation(digits):
    distances = [trial_of(n, digits).watch().distance for n in ("original", "smaller_distances")]
    assert distances[1] == pytest.approx(distances[0] / 100, rel=1e-4)


def watched(iteration, closeness, distance=1.0):
    return training.Watched(iteration, closeness, 2 * closeness, 0.5, distance)._asdict()


def result(variant="original", seed=1, wrong=100, closeness=(4.0, 1e-6), width=0.125):
    return {
        "variant": variant,
        "seed": seed,
        "settings": {
            "width_multiplier": width,
            "learning_rate": 0.001,
            "labels_per_class": 10,
            "iterations": 50,
        },
        "watched": [watched(0, closeness[0]), watched(50, closeness[1], distance=8.0)],
        "outcome": training.Outcome(wrong, 1000, 0.5, 9, 2.0)._asdict(),
    }


def test_the_table_of_closeness_has_geometric_means_over_seeds():
    found = [result(seed=1), result(seed=2, closeness=(9.0, 1e-10))]
    header, _, row = tables.closeness(found).splitlines()
    assert header.split(" | ")[3:5] == ["0", "50"]
    assert row == "| 0.125, 0.001, 50 | the original's form | 2 | 6 / 12 | 1e-08 / 2e-08 | 1 | 8 |"


def test_the_table_of_outcomes_has_standard_errors_and_no_error_without_labels():
    found = [result(seed=1), result(seed=2, wrong=140), result("no_labels", wrong=900)]
    _, _, original, no_labels = tables.outcomes(found).splitlines()
    assert "| 2 | 12.0 +- 2.0 % | 0.50 +- 0.00 | 9.0 +- 0.0 | 2.00 +- 0.00 |" in original
    assert "| 1 | - | 0.50 | 9.0 | 2.00 |" in no_labels


def test_the_picture_has_a_curve_for_each_variant_and_a_point_for_each_seed(tmp_path):
    found = [result(seed=1), result(seed=2), result("no_labels", closeness=(4.0, 0.0))]
    for number, content in enumerate(found):
        (tmp_path / f"{number}.json").write_text(json.dumps(content))
    curves, outcomes = pictures.figure(found).axes
    titles = {line.get_label() for line in curves.lines}
    assert titles == {"the original's form", "without the supervised loss"}
    points = [line.get_xydata() for line in outcomes.lines if line.get_marker() != "None"]
    assert [len(p) for p in points] == [2, 1]
    assert points[1][0, 0] == pictures.LOWEST  # zero has no place on the axis
    command.main(["--trials=0", f"--output={tmp_path}", f"--picture={tmp_path / 'a.png'}"])
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_a_picture_of_trials_of_two_widths_is_refused():
    with pytest.raises(UserError, match=r"Received: 0.125, 0.001, 50; 0.25, 0.001, 50\."):
        pictures.figure([result(), result(width=0.25)])


def test_a_picture_that_cannot_be_written_is_refused_before_training(capsys):
    for name in ("a.jpg", "nowhere/a.png"):
        with pytest.raises(SystemExit):
            command.main([f"--picture={name}"])
        assert "--picture must be a .png file in a folder that exists" in capsys.readouterr().err


def test_a_file_of_something_else_is_named(tmp_path):
    (tmp_path / "other.json").write_text('{"variant": "unknown"}')
    with pytest.raises(UserError, match=r"other\.json is no result of examples\.silent_layer"):
        tables.read_all(tmp_path)


def test_a_folder_without_trials_is_told(tmp_path):
    with pytest.raises(UserError, match="no finished trial to show"):
        command.main(["--trials=0", f"--output={tmp_path}/none"])


def test_finished_trials_are_not_trained_again(tmp_path, capsys):
    arguments = ["--variants", "original", "--trials=1", "--iterations=50", f"--output={tmp_path}"]
    parsed = command.parser().parse_args(arguments)
    path = command.path_of(parsed, "original", 1)
    path.write_text(json.dumps(result()))
    command.main(arguments)
    printed = capsys.readouterr().out
    assert "1 trials are finished, 0 to be trained" in printed
    assert "the original's form" in printed


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

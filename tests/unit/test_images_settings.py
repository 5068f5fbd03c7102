"""The settings of a run on images of one's own: their rule, their checks, their record."""

import dataclasses
import json

import pytest
from absl import flags

import run_cifar10
import run_images
import run_mnist
from improved_gan_tf.data.known_sets import num_labels_of
from improved_gan_tf.errors import UserError
from improved_gan_tf.runs import folder_names, resuming, sweep
from improved_gan_tf.settings import flags as setting_flags
from improved_gan_tf.settings.images import ImagesConfig, check_sources, resolved

LITERAL = run_images.EXPERIMENT


def of(num_train, num_labeled=50, shape=(32, 32, 3), names=("a", "b"), **given):
    return resolved(dataclasses.replace(LITERAL, **given), shape, names, num_train, num_labeled)


def parsed(*arguments):
    values = flags.FlagValues()
    setting_flags.define_flags(LITERAL, run_images.VARIANTS, values)
    setting_flags.parse_flags(["run_images.py", *arguments], values)
    config, _ = setting_flags.config_from_flags(LITERAL, run_images.VARIANTS, values)
    return config, setting_flags.repetitions_from_flags(config, values)


@pytest.mark.parametrize(
    ("num_train", "batch_size", "epochs", "rate", "evaluate_every"),
    [
        (20_000, 100, 50, 0.001, 3),  # 200 iterations an epoch
        (1_437, 100, 715, 10 / (715 * 14), 36),
        (237, 23, 1000, 0.001, 50),
        (12, 2, 1667, 10 / (1667 * 6), 84),
        (2_000_000, 100, 1, 0.0005, 1),
    ],
)
def test_the_rule_follows_the_number_of_images(num_train, batch_size, epochs, rate, evaluate_every):
    config = of(num_train)
    assert (config.batch_size, config.epochs) == (batch_size, epochs)
    assert config.averaging_rate == pytest.approx(rate)
    assert config.evaluate_every == evaluate_every
    assert config.image_size == 32


def test_grey_images_of_28_pixels_get_the_papers_mnist_experiment():
    """Its network, and what its script has where CIFAR-10's has another."""
    config, mnist = of(20_000, shape=(28, 28, 1)), run_mnist.EXPERIMENT
    assert config.network == "dense"
    for name in ("pixels", "generator_objective", "initialization_images", "learning_rate"):
        assert getattr(config, name) == getattr(mnist, name), name
    other, cifar10 = of(20_000, shape=(28, 28, 1), network="convolutional"), run_cifar10.EXPERIMENT
    for config in (of(20_000, shape=(28, 28, 3)), of(20_000, shape=(32, 32, 1)), other):
        assert (config.network, config.pixels) == ("convolutional", (127.5, 127.5))
        for name in ("generator_objective", "initialization_images", "learning_rate"):
            assert getattr(config, name) == getattr(cifar10, name), name
    coupled = of(20_000, shape=(28, 28, 1), model="minibatch_discrimination")
    assert coupled.network == "convolutional"


@pytest.mark.parametrize(
    ("shape", "model"),
    [((28, 28, 3), "feature_matching"), ((28, 28, 1), "minibatch_discrimination")],
)
def test_a_dense_network_that_cannot_be_is_refused(shape, model):
    received = f"Received: images of {' x '.join(map(str, shape))}, --model={model}"
    with pytest.raises(UserError, match=received):
        of(200, shape=shape, model=model, network="dense")


def test_a_record_from_before_there_was_a_choice_is_of_the_convolutional_network(tmp_path):
    config = of(200, shape=(28, 28, 1), network="convolutional")
    values = config.to_dict()
    del values["network"]
    assert ImagesConfig.from_dict(values).network == "convolutional"
    (tmp_path / "config.json").write_text(json.dumps(values))
    resuming.require_same_settings(config, tmp_path)  # and can be continued
    with pytest.raises(UserError, match="--network=dense"):
        resuming.require_same_settings(of(200, shape=(28, 28, 1)), tmp_path)


def test_what_is_given_stays():
    config = of(20_000, batch_size=50, epochs=7, averaging_rate=0.0, evaluate_every=2)
    assert (config.batch_size, config.epochs, config.averaging_rate) == (50, 7, 0.0)
    assert config.evaluate_every == 2
    assert of(20_000, shape=(28, 28, 1), learning_rate=0.02).learning_rate == 0.02
    assert of(20_000, epochs=1).averaging_rate == 0.05  # the largest by rule


def test_a_decay_that_does_not_fit_is_refused_once_the_epochs_are_known():
    late = dataclasses.replace(LITERAL, decay_start_epoch=5, decay_end_epoch=10)
    with pytest.raises(UserError, match="--epochs=50 goes past --decay_end_epoch=10"):
        resolved(late, (32, 32, 3), ("a", "b"), 20_000, 50)


@pytest.mark.parametrize(
    ("given", "received"),
    [
        ({}, "Received: none"),
        ({"image_folder": "a", "tfds": "b"}, "--image_folder=a, --tfds=b"),
        ({"image_folder": "a", "data_dir": "b"}, "--data_dir=b without --tfds"),
    ],
)
def test_one_source_is_needed(given, received):
    with pytest.raises(UserError, match=received):
        check_sources(dataclasses.replace(LITERAL, **given))
    check_sources(dataclasses.replace(LITERAL, tfds="mnist", data_dir="b"))


@pytest.mark.parametrize(
    ("name", "value"), [("image_size", 33), ("test_fraction", 1.0), ("labels_per_class", 0)]
)
def test_a_value_out_of_range_is_refused(name, value):
    with pytest.raises(UserError, match=f"--{name} must be"):
        dataclasses.replace(LITERAL, **{name: value})


def test_the_record_survives_json():
    config = of(200, image_folder="photos")
    assert ImagesConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_a_run_goes_on_with_the_same_settings_and_no_others(tmp_path):
    config = of(200, image_folder="photos")
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
    resuming.require_same_settings(config, tmp_path)
    with pytest.raises(UserError, match=r"classes: \['a', 'c'\] \(the run's: "):
        resuming.require_same_settings(of(200, image_folder="photos", names=("a", "c")), tmp_path)


def test_labels_are_counted_from_the_images_unless_a_number_is_given():
    assert num_labels_of(vars(of(200, num_labeled=37))) == 37
    assert num_labels_of(vars(of(200, num_labeled=37, labels_per_class=5))) == 10


def test_the_baseline_is_on_and_paper_flags_are_not_there():
    config, found = parsed("--image_folder=photos")
    assert config.with_baseline
    assert (config.labels_per_class, found.is_one_run) == (None, True)
    assert not parsed("--nowith_baseline")[0].with_baseline
    for argument in ("--recipe=released", "--data_source=sample", "--ablation=our_methods"):
        with pytest.raises(UserError, match="Unknown command line flag"):
            parsed(argument)
    assert parsed("--model=minibatch_discrimination")[0].generator_steps == 3


def test_runs_have_folders_named_after_their_images_and_labels():
    config = of(200, image_folder="somewhere/my photos/")
    assert folder_names.run_name(config) == (
        "images-my photos-32px-feature_matching-labels50-seed1-data1"
    )
    assert folder_names.sweep_name(of(200, tfds="a/b")) == "images-a-b-32px-feature_matching"
    for source, name in (("image_folder", "photos.v2"), ("arrays", "photos.v2.npz")):
        config = of(200, **{source: name})
        assert folder_names.sweep_name(config) == "images-photos.v2-32px-feature_matching"
    _, found = parsed("--labels_per_class=5,10", "--num_runs=2")
    records = sweep.plan(config, found, "runs")
    assert [r.run_dir for r in records[:4]] == [
        "runs/labels10-seed1",
        "runs/labels10-seed1/supervised_only",
        "runs/labels20-seed1",
        "runs/labels20-seed1/supervised_only",
    ]

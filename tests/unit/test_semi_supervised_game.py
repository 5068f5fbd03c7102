"""What the semi-supervised game measures, saves and shows."""

import numpy as np
import pytest

import run_cifar10
from improved_gan_tf.data.mixed_order import mixed_order
from improved_gan_tf.errors import UserError
from improved_gan_tf.runs import semi_supervised
from improved_gan_tf.runs.semi_supervised import SemiSupervisedGame
from improved_gan_tf.training import evaluation
from tests.support.noise_runs import images, settings


def minibatch_discrimination(**changes):
    recipe = run_cifar10.VARIANTS["minibatch_discrimination"]["released"]
    small = {"model": "minibatch_discrimination", "width_multiplier": 0.02}
    return settings(run_cifar10, **{**recipe, **small, **changes})


def of(config):
    """The game of a record, on noise; nothing is prepared."""
    return SemiSupervisedGame(config, images(config.dataset))


def evaluated(config, monkeypatch, wrong=3):
    """The game of a record, prepared, whose discriminators are wrong about as many test images."""
    labels = images(config.dataset).test_labels
    logits = np.eye(10, dtype="float32")[(labels + (np.arange(len(labels)) < wrong)) % 10]
    monkeypatch.setattr(evaluation.Predictor, "logits", lambda self: logits)
    game = of(config)
    game.prepare()
    return game, game.evaluate()


def history(*losses):
    return [{"loss_unsupervised": loss} for loss in losses]


# --- what is prepared ----------------------------------------------------------------------


def test_every_setting_of_the_game_reaches_its_trainer(monkeypatch):
    other_than_default = {
        "generator_objective": "feature_matching_l1",
        "generator_steps": 2,
        "unlabeled_weight": 0.25,
        "supervised_weight": 0.5,
        "real_target": 0.9,
        "generated_target": 0.1,
        "historical_averaging_weight": 0.01,
        "historical_averaging_players": "generator",
        "averaging_rate": 0.001,
        "cross_replica": "local",
        "seed": 7,
    }
    given, make = {}, semi_supervised.Trainer

    def making(*args, **kwargs):
        given.update(kwargs)
        return make(*args, **kwargs)

    monkeypatch.setattr(semi_supervised, "Trainer", making)
    of(settings(**other_than_default)).prepare()
    assert {name: given.pop(name) for name in other_than_default} == other_than_default
    assert given == {"supervised_only": False}


def test_the_images_shown_are_of_the_noise_that_the_generator_is_trained_with():
    uniform = np.random.RandomState(7).uniform(size=(100, 100)).astype("float32")
    np.testing.assert_array_equal(semi_supervised.sample_noise(7), uniform)


@pytest.mark.parametrize(
    ("config", "players"),
    [
        (settings(), ["mnist_discriminator"]),
        (settings(run_cifar10, width_multiplier=0.02), ["discriminator", "generator"]),
    ],
)
def test_the_players_are_initialised_that_the_original_initialises(config, players, monkeypatch):
    initialised = []
    monkeypatch.setattr(
        semi_supervised, "initialize_from_data", lambda *arguments: initialised.append(arguments)
    )
    game = of(config)
    game.prepare()
    own = [game.players.discriminator, game.players.generator]
    assert [id(model) for model, _ in initialised] == [id(model) for model in own[: len(players)]]
    # From 500 images or all there are, and from one batch of z.
    assert [len(x) for _, x in initialised] == [70, 10][: len(players)]


# --- what is measured ----------------------------------------------------------------------


def test_an_evaluation_counts_the_wrong_test_images_of_either_kind(monkeypatch):
    game, found = evaluated(settings(), monkeypatch)
    assert found.numbers == {"test_wrong": {"averaged": 3, "raw": 3}, "closeness": None}
    assert set(found.predictions) == {"logits_raw", "logits_averaged", "labels"}
    assert game.measured(history(0.3), found.numbers) == {
        "test_error_averaged": 3 / 15,
        "test_error_raw": 3 / 15,
        "collapsed": False,
    }
    final = game.final(history(0.3), found.numbers)
    assert (final["test_wrong_averaged"], final["test_wrong_raw"]) == (3, 3)
    assert (final["test_count"], final["test_batch"], final["average_weight"]) == (15, None, 0.0)


def test_without_an_average_there_are_raw_numbers_only(monkeypatch):
    game, found = evaluated(settings(averaging_rate=0.0), monkeypatch)
    assert found.numbers["test_wrong"] == {"averaged": None, "raw": 3}
    assert set(found.predictions) == {"logits_raw", "labels"}
    assert game.measured(history(0.3), found.numbers)["test_error_averaged"] is None
    assert game.final(history(0.3), found.numbers)["average_weight"] is None
    assert game.models()["discriminator"] is game.models()["discriminator_raw"]


def test_minibatch_discrimination_also_measures_how_close_images_are(monkeypatch):
    monkeypatch.setattr(evaluation, "mean_closeness", lambda discriminator, x: float(len(x)))
    game, found = evaluated(minibatch_discrimination(), monkeypatch)
    # Of as many images: 15 are all there are to test on.
    assert found.numbers["closeness"] == [15.0, 15.0]
    metrics = game.measured(history(0.3), {**found.numbers, "closeness": [1.0, 2.0]})
    assert (metrics["closeness_real"], metrics["closeness_generated"]) == (1.0, 2.0)
    final = game.final(history(0.3), {**found.numbers, "closeness": [1.0, 2.0]})
    assert final["closeness"] == {"real": 1.0, "generated": 2.0}
    assert final["test_batch"] == 10


def test_closeness_is_that_of_mixed_classes(monkeypatch):
    seen = []
    monkeypatch.setattr(semi_supervised, "SAMPLE_COUNT", 4)
    monkeypatch.setattr(evaluation, "mean_closeness", lambda _, x: seen.append(np.array(x)) or 1.0)
    data = images("cifar10")
    data = data._replace(test_labels=np.sort(data.test_labels))
    game = SemiSupervisedGame(minibatch_discrimination(), data)
    game.prepare()
    semi_supervised.measure_closeness(None, game.test, np.zeros(0))
    rows = mixed_order(data.test_labels)[:4]
    assert not np.array_equal(rows, np.arange(4))
    np.testing.assert_array_equal(seen[0], game.test.images(rows))


def test_an_epoch_that_is_not_evaluated_has_no_test_error():
    assert of(settings()).measured(history(0.3), None) == {
        "test_error_averaged": None,
        "test_error_raw": None,
        "collapsed": False,
    }
    assert of(minibatch_discrimination()).measured(history(0.3), None) == {
        "test_error_averaged": None,
        "test_error_raw": None,
        "closeness_real": None,
        "closeness_generated": None,
        "collapsed": False,
    }


def test_a_run_that_ended_before_its_first_evaluation_has_no_numbers():
    game = of(settings())
    game.prepare()
    final = game.final([], {})
    names = ("test_wrong_averaged", "test_wrong_raw", "closeness", "collapsed_at_epoch")
    assert [final[name] for name in names] == [None] * 4


def test_a_lost_game_is_told_from_its_second_low_epoch_on():
    game = of(settings())
    assert game.measured(history(0.3, 0.01), None)["collapsed"] is False
    assert game.measured(history(0.3, 0.01, 0.01), None)["collapsed"] is True


# --- what decides the numbers --------------------------------------------------------------


def test_a_changed_pixel_label_or_count_is_another_circumstance():
    data = images("mnist")
    pixels, test_pixels = data.train_images.copy(), data.test_images.copy()
    for changed in (pixels, test_pixels):
        changed[0, 0, 0, 0] ^= 1
    seen = [
        SemiSupervisedGame(settings(), dataset).circumstances()
        for dataset in (
            data,
            data._replace(train_images=pixels),
            data._replace(test_images=test_pixels),
            data._replace(test_labels=np.roll(data.test_labels, 1)),
            images("mnist", test=14),
        )
    ]
    assert all(one != other for i, one in enumerate(seen) for other in seen[:i])
    assert seen[0] == SemiSupervisedGame(settings(), images("mnist")).circumstances()


def test_minibatch_discrimination_needs_a_batch_of_test_images():
    message = r"a batch of test images. Received: 15 test images, batches of 16\."
    with pytest.raises(UserError, match=message):
        of(minibatch_discrimination(batch_size=16))
    of(minibatch_discrimination(batch_size=15))
    of(settings(batch_size=16))


def test_settings_that_do_not_fit_the_data_are_refused():
    with pytest.raises(UserError, match="`batch_size` must not exceed the 70 training images"):
        of(settings(batch_size=71))


# --- what is saved -------------------------------------------------------------------------


def test_a_baseline_saves_no_generator_and_no_samples():
    game, baseline = of(settings()), of(settings(supervised_only=True))
    for one in (game, baseline):
        one.prepare()
    players = {"discriminator", "discriminator_raw", "generator"}
    assert set(game.models()) == players | {"generator_frozen"}
    assert set(baseline.models()) == {"discriminator", "discriminator_raw"}
    assert baseline.sample_images() is None
    samples = game.sample_images()
    assert (samples.shape, samples.dtype) == ((100, 28, 28, 1), np.uint8)
    np.testing.assert_array_equal(samples, game.sample_images())


# --- what is shown -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {},
            "loss_supervised loss_unsupervised loss_generator train_error test_error_averaged "
            "test_error_raw",
        ),
        (
            {"averaging_rate": 0.0},
            "loss_supervised loss_unsupervised loss_generator train_error test_error_raw",
        ),
        (
            {"supervised_only": True},
            "loss_supervised train_error test_error_averaged test_error_raw",
        ),
    ],
    ids=["all", "no average", "baseline"],
)
def test_the_table_shows_what_is_measured_and_nothing_else(changes, expected):
    columns = of(settings(**changes)).columns()
    assert [column.metric for column in columns] == expected.split()
    assert [c.metric for c in columns if c.with_best] == [
        name for name in expected.split() if name.startswith("test")
    ]


def test_remarks_tell_of_a_lost_game_and_of_a_silent_layer():
    game = of(settings())
    silent = {"closeness_real": 1e-5, "closeness_generated": 1e-6}
    heard = {"closeness_real": 0.5, "closeness_generated": 1e-6}
    unknown = {"closeness_real": None, "closeness_generated": None}
    for metrics, remarks in (
        ({"collapsed": False}, []),
        ({"collapsed": False, **heard}, []),
        ({"collapsed": False, **unknown}, []),
        ({"collapsed": True}, ["COLLAPSED"]),
        ({"collapsed": False, **silent}, ["MINIBATCH DISCRIMINATION SILENT"]),
        ({"collapsed": True, **silent}, ["COLLAPSED", "MINIBATCH DISCRIMINATION SILENT"]),
    ):
        assert game.remarks(metrics) == remarks

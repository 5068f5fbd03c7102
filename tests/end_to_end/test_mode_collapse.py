"""The example of mode collapse as a user runs it: trials, files, table, picture, going on."""

import json
import re

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from examples import unfinished_trials
from examples.mode_collapse import __main__ as command
from examples.mode_collapse import losses, networks, techniques, training
from improved_gan_tf.errors import UserError
from improved_gan_tf.layers import MinibatchDiscrimination, MinibatchStdDev, VirtualBatchNorm
from tests.support.commands import run_python
from tests.support.places import ROOT

pytestmark = pytest.mark.slow

THIN = techniques.Settings(
    "grid", "none", generator_units=8, discriminator_units=6, num_kernels=3, epochs=1
)
PREFERENCE = THIN._replace(technique="preference")
BLENDED = PREFERENCE._replace(preference_loss="blended")
TINY = ["--generator_units=8", "--discriminator_units=6", "--epochs=2", "--no-jit_compile"]
STEPS = 3


def trained(settings=THIN, seed=1, jit_compile=False):
    """A trial after a few steps, and its epoch."""
    trial = training.Trial(settings, seed, jit_compile)
    return trial, trial.train_epoch(STEPS)


@pytest.fixture(scope="module")
def trials():
    """`{technique: (trial, epoch)}` after a few steps of each."""
    of_techniques = {name: trained(THIN._replace(technique=name)) for name in techniques.TECHNIQUES}
    return of_techniques | {"preference, blended": trained(BLENDED)}


# --- one trial -----------------------------------------------------------------------------


def test_every_technique_changes_the_training(trials):
    samples = [trial.samples() for trial, _ in trials.values()]
    for i, row in enumerate(samples):
        assert row.shape == (training.NUM_SAMPLES, 2)
        assert np.isfinite(row).all()
        for other in samples[:i]:
            assert np.abs(row - other).max() > 0.0


@pytest.mark.parametrize("technique", techniques.TECHNIQUES)
def test_one_seed_decides_everything(trials, technique):
    tf.random.set_seed(99)
    again, epoch = trained(THIN._replace(technique=technique))
    np.testing.assert_array_equal(again.samples(), trials[technique][0].samples())
    assert epoch == trials[technique][1]


def test_another_seed_draws_other_data_weights_and_noise():
    one, two = (training.Trial(THIN, seed, jit_compile=False) for seed in (1, 2))
    assert np.abs(one.data - two.data).max() > 0.0
    for name in ("generator", "discriminator"):
        kernels = [getattr(trial, name).get_weights()[0] for trial in (one, two)]
        assert np.abs(kernels[0] - kernels[1]).max() > 0.0
    assert one._noise_key != two._noise_key


def softplus_mean(logits):
    return tf.reduce_mean(tf.nn.softplus(logits))


def first_losses(settings, discriminator, real, generated):
    """The losses of the first step as the formulas have them, (discriminator's, generator's)."""
    if settings.technique != "preference":
        of_real, real_features = discriminator(real)
        of_generated, features = discriminator(generated)
        share = 0.9 if settings.technique == "label_smoothing" else 1.0
        of_discriminator = share * softplus_mean(-of_real) + softplus_mean(of_generated)
        of_discriminator += (1.0 - share) * softplus_mean(of_real)
        if settings.technique == "feature_matching":
            apart = tf.reduce_mean(real_features, axis=0) - tf.reduce_mean(features, axis=0)
            return of_discriminator, tf.reduce_mean(tf.square(apart))
        return of_discriminator, softplus_mean(-of_generated)
    real_first, _ = discriminator(tf.concat([real, generated], axis=1))
    generated_first, _ = discriminator(tf.concat([generated, real], axis=1))
    of_discriminator = softplus_mean(-real_first) + softplus_mean(generated_first)
    if settings.preference_loss == "blended":
        return of_discriminator, 0.5 * tf.reduce_mean(real_first - generated_first)
    return of_discriminator, softplus_mean(real_first) + softplus_mean(-generated_first)


SMOOTHED = THIN._replace(technique="label_smoothing")
MATCHING = THIN._replace(technique="feature_matching")


@pytest.mark.parametrize(
    "settings", [THIN, SMOOTHED, MATCHING, PREFERENCE, BLENDED], ids=techniques.row_name
)
def test_the_losses_are_those_of_the_formulas(settings):
    random = np.random.RandomState(0)
    real, generated = random.normal(size=(2, 50, 2)).astype("float32")
    discriminator = networks.build_discriminator(settings, [1])
    for variable in discriminator.trainable_variables:
        variable.assign(20.0 * variable)  # logits away from 0
    found = losses.losses(settings, discriminator, real, generated)
    np.testing.assert_allclose(
        found, first_losses(settings, discriminator, real, generated), rtol=1e-5
    )


def test_adam_is_the_protocols():
    trial = training.Trial(THIN, 1, jit_compile=False)
    for player in trial._players:
        assert (player.optimizer.beta_1, player.optimizer.beta_2) == (0.8, 0.999)
        assert float(player.optimizer.learning_rate) == pytest.approx(1e-4)


def test_every_epoch_has_an_order_and_noise_of_its_own():
    trial, calls = training.Trial(THIN, 1, jit_compile=False), []
    steps = trial._steps
    trial._steps = lambda rows, first: (
        calls.append((rows.numpy(), int(first))) or steps(rows, first)
    )
    for _ in range(2):
        trial.train_epoch(STEPS)
    (rows, first), (other_rows, second) = calls
    assert (first, second) == (0, 1000)
    assert not np.array_equal(rows, other_rows)


@pytest.mark.parametrize("settings", [THIN, PREFERENCE, BLENDED], ids=techniques.row_name)
def test_both_players_move_at_once(settings):
    """Each goes down its own loss alone, at the weights of both before the step."""
    trial = training.Trial(settings, 1, jit_compile=False)
    players = (trial.discriminator, trial.generator)
    for variable in (v for player in players for v in player.trainable_variables):
        variable.assign(20.0 * variable)  # fewer gradients whose sign is a matter of rounding
    noise = tf.random.stateless_normal((1, 100, 2), [trial._noise_key, 0])[0]
    order = np.random.default_rng([1, training.ORDER, 0]).permutation(training.NUM_EXAMPLES)
    real = tf.gather(trial.data, order[:100])
    with tf.GradientTape(persistent=True) as tape:
        generated = trial.generator(noise, training=True)
        of_players = first_losses(settings, trial.discriminator, real, generated)
    gradients = [
        tape.gradient(loss, player.trainable_variables)
        for loss, player in zip(of_players, players, strict=True)
    ]
    before = [[v.numpy() for v in player.trainable_variables] for player in players]
    trial.train_epoch(steps=1)
    for player, values, of_player in zip(players, before, gradients, strict=True):
        num_compared = 0
        for value, gradient, variable in zip(
            values, of_player, player.trainable_variables, strict=True
        ):
            # Adam's first step is the learning rate times the sign, nearly.
            is_clear = np.abs(gradient) > 1e-5
            moved = (variable.numpy() - value)[is_clear]
            expected = -1e-4 * np.sign(gradient.numpy()[is_clear])
            np.testing.assert_allclose(moved, expected, atol=2e-6)
            num_compared += is_clear.sum()
        assert num_compared > 250


def test_the_networks_are_the_protocols():
    settings = techniques.Settings("grid", "none")
    generator = networks.build_generator(settings, [1, 2])
    kernels = [w for w in generator.trainable_variables if len(w.shape) == 2]
    shapes = [tuple(w.shape) for w in kernels]
    assert shapes == [(2, 400), (400, 400), (400, 400), (400, 400), (400, 2)]
    assert generator.layers[-1].use_bias
    assert not any(layer.use_bias for layer in generator.layers[:-1] if hasattr(layer, "units"))
    discriminator = networks.build_discriminator(settings, [1, 3])
    of_discriminator = [w for w in discriminator.trainable_variables if len(w.shape) == 2]
    shapes = [tuple(w.shape) for w in of_discriminator]
    assert shapes == [(2, 1000), (200, 1000), (200, 1000), (200, 1)]
    deviations = [np.std(w) for w in (kernels[1], kernels[2], of_discriminator[1])]
    np.testing.assert_allclose(deviations, 0.02, rtol=0.05)
    assert np.abs(kernels[1] - kernels[2]).max() > 0.02  # each weight has a seed of its own


def test_maxout_takes_each_units_largest_piece():
    pieces = np.array([[1.0, 7.0, 3.0, 2.0, -1.0, 4.0]])  # three pieces of two units
    np.testing.assert_array_equal(networks.Maxout(3)(pieces), [[3.0, 7.0]])


def test_packed_examples_stand_side_by_side(trials):
    trial, _ = trials["packing"]
    data = trial.data.numpy()
    assert data.shape == (training.NUM_EXAMPLES, 4)
    halves = [{tuple(row) for row in half[:1000]} for half in (data[:, :2], data[:, 2:])]
    examples = {tuple(row) for row in trials["none"][0].data.numpy()}
    assert halves[0] <= examples
    assert halves[1] <= examples
    assert np.abs(data[:, :2] - data[:, 2:]).max() > 1.0
    assert trial.discriminator.input_shape == (None, 4)


def test_a_pair_has_one_real_and_one_generated_example(trials):
    trial, epoch = trials["preference"]
    assert trial.data.shape == (training.NUM_EXAMPLES, 2)
    assert trial.discriminator.input_shape == (None, 4)
    # Nothing is known yet of either order.
    assert epoch.discriminator_loss == pytest.approx(2 * np.log(2), abs=1e-3)


def test_the_statistics_of_a_packed_step_decay_like_those_of_one():
    momenta = [
        networks.build_generator(THIN._replace(technique=t, packing=3), [1]).layers[1].momentum
        for t in ("none", "preference", "packing")
    ]
    # A step of "preference" calls the generator once.
    assert momenta == [0.95, 0.95, pytest.approx(0.95 ** (1 / 3))]


def test_closeness_is_of_real_and_of_generated_examples(trials, monkeypatch):
    rows = []
    monkeypatch.setattr(training, "initialize_from_data", lambda model, x: rows.append(len(x)))
    settings = THIN._replace(technique="minibatch_discrimination")
    trial = training.Trial(settings, 1, jit_compile=False)
    assert rows == [500]
    epoch = trial.train_epoch(STEPS)
    real, generated = (
        float(tf.reduce_mean(trial._closeness(x[:100]))) for x in (trial.data, trial.samples())
    )
    assert (epoch.closeness_real, epoch.closeness_generated) == pytest.approx((real, generated))
    assert abs(real - generated) > 1e-5


def test_closeness_is_recorded_with_minibatch_discrimination_only(trials):
    for name, (_, epoch) in trials.items():
        recorded = (epoch.closeness_real, epoch.closeness_generated)
        if name == "minibatch_discrimination":
            assert all(0.0 < closeness <= 1.0 for closeness in recorded)
        else:
            assert recorded == (None, None)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weight_normalization", [True, False])
def test_the_forms_of_minibatch_discrimination_reach_the_layer(reduction, weight_normalization):
    settings = THIN._replace(
        technique="minibatch_discrimination",
        reduction=reduction,
        weight_normalization=weight_normalization,
        kernel_dim=2,
    )
    discriminator = networks.build_discriminator(settings, [1])
    (layer,) = (x for x in discriminator.layers if isinstance(x, MinibatchDiscrimination))
    assert (layer.num_kernels, layer.kernel_dim) == (3, 2)
    assert (layer.reduction, layer.weight_normalization) == (reduction, weight_normalization)


def test_minibatch_standard_deviation_adds_one_feature_before_the_last_layer(trials):
    *_, layer, last = trials["minibatch_standard_deviation"][0].discriminator.layers
    assert isinstance(layer, MinibatchStdDev)
    assert layer.group_size is None  # the whole batch, as in the paper
    assert last.kernel.shape == (THIN.discriminator_units + 1, 1)


def test_virtual_batch_norm_takes_the_place_of_batch_norm(trials):
    layers = trials["virtual_batch_norm"][0].generator.layers
    assert sum(isinstance(layer, VirtualBatchNorm) for layer in layers) == 4
    assert not any(type(layer).__name__ == "BatchNormalization" for layer in layers)


def test_label_smoothing_is_one_sided(trials):
    # At the first steps both logits are near 0, where smoothing changes nothing but the gradient:
    # with s = 0 the loss is 2 log 2 for any target.
    for name in ("none", "label_smoothing"):
        assert trials[name][1].discriminator_loss == pytest.approx(2 * np.log(2), abs=1e-3)
    weights = [trials[n][0].discriminator.get_weights()[-1] for n in ("none", "label_smoothing")]
    assert not np.array_equal(*weights)


def test_historical_averaging_pulls_towards_the_past():
    weight = tf.Variable([0.0, 0.0])
    player = training.Player([weight], averaging_weight=5.0)
    player.move([tf.zeros(2)])  # takes the first value into the mean
    weight.assign([1.0, 1.0])
    player.move([tf.zeros(2)])
    np.testing.assert_allclose(player.history.means[0], [0.5, 0.5], atol=1e-6)
    assert (weight.numpy() < 1.0).all()


# --- the command ---------------------------------------------------------------------------


def shorter_epochs(monkeypatch):
    monkeypatch.setattr(training.Trial.train_epoch, "__defaults__", (STEPS,))


@pytest.mark.parametrize(
    ("technique", "row", "title"),
    [
        ("none", "none", "plain GAN"),
        ("preference", "preference-non_saturating", "preference loss (non-saturating)"),
    ],
)
def test_the_command_trains_lists_prints_and_draws(
    technique, row, title, monkeypatch, tmp_path, capsys
):
    shorter_epochs(monkeypatch)
    paths = [tmp_path / f"grid-{row}-seed{seed}.json" for seed in (5, 6)]
    argv = [*TINY, f"--technique={technique}", "--trials=2", "--seed=5", f"--output={tmp_path}"]
    command.main(argv)
    printed, shown = capsys.readouterr()
    assert f"seed 5: to be trained: {paths[0]}\nseed 6: to be" in printed
    assert re.search(r"\nseed 5: \d+ of 25 modes\nseed 6: \d+ of 25 modes\n", printed)
    assert f"{title}: 100% 4/4" in shown  # epochs, in a log too
    assert f"| {title} | 2 |" in printed
    assert "Not the published protocol: generator_units 8 instead of 400" in printed
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [*(path.name for path in paths), "grid.png"]
    content = json.loads(paths[0].read_text())
    assert len(content["epochs"]["modes"]) == 2
    assert content["provenance"]["jit_compile"] is False
    with Image.open(tmp_path / "grid.png") as picture:
        assert np.asarray(picture.convert("L")).std() > 10.0  # something is drawn

    # A trial that was cut short has no file; the same command trains it alone.
    paths[1].rename(tmp_path / "kept")
    before = paths[0].stat()
    command.main(argv)
    assert "seed 5: finished" in capsys.readouterr().out
    assert paths[0].stat() == before
    again, first = (json.loads(path.read_text()) for path in (paths[1], tmp_path / "kept"))
    for name in ("measures", "epochs", "samples"):
        assert again[name] == first[name]


@pytest.mark.parametrize("technique", techniques.TECHNIQUES)
def test_a_stopped_trial_goes_on_with_the_same_bits(technique, monkeypatch, tmp_path, capsys):
    shorter_epochs(monkeypatch)
    monkeypatch.setattr(unfinished_trials, "SECONDS_BETWEEN", 0.0)
    argv = [*TINY, "--epochs=3", f"--technique={technique}", "--trials=1", "--num_kernels=3"]
    command.main([*argv, f"--output={tmp_path / 'straight'}"])
    argv += [f"--output={tmp_path / 'stopped'}"]
    stop_after_epochs(2, argv, monkeypatch)
    (left,) = (tmp_path / "stopped").iterdir()
    assert left.name.endswith("-seed1.unfinished.npz")
    capsys.readouterr()
    command.main(argv)
    shown = capsys.readouterr()
    assert "seed 1: to be trained, 2 epochs are done: " in shown.out
    assert "100% 3/3" in shown.err
    assert not left.exists()
    expected, found = (
        json.loads(next((tmp_path / name).glob("*.json")).read_text())
        for name in ("straight", "stopped")
    )
    for name in ("measures", "epochs", "samples"):
        assert found[name] == expected[name]
    assert "earlier_versions" not in found["provenance"]


def stop_after_epochs(epochs, argv, monkeypatch):
    """Runs the command until Ctrl-C comes after so many epochs."""
    keep = unfinished_trials.UnfinishedTrial.keep

    def keep_and_stop(unfinished, records):
        keep(unfinished, records)
        if len(records) == epochs:
            raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(unfinished_trials.UnfinishedTrial, "keep", keep_and_stop)
        with pytest.raises(KeyboardInterrupt):
            command.main(argv)


def test_overwrite_begins_an_unfinished_trial_anew(monkeypatch, tmp_path, capsys):
    shorter_epochs(monkeypatch)
    monkeypatch.setattr(unfinished_trials, "SECONDS_BETWEEN", 0.0)
    argv = [*TINY, "--trials=1", f"--output={tmp_path}"]
    stop_after_epochs(1, argv, monkeypatch)
    with pytest.raises(UserError, match=r"was written with generator_units=8 \(now 9\)\. Give"):
        command.main([*argv, "--generator_units=9"])
    command.main([*argv, "--generator_units=9", "--overwrite"])
    assert "seed 1: to be trained: " in capsys.readouterr().out


def test_a_stopped_overwrite_goes_on_and_the_earlier_file_stays(monkeypatch, tmp_path, capsys):
    shorter_epochs(monkeypatch)
    monkeypatch.setattr(unfinished_trials, "SECONDS_BETWEEN", 0.0)
    argv = [*TINY, "--trials=2", f"--output={tmp_path}"]
    command.main(argv)
    first, second = sorted(tmp_path.glob("*.json"))
    for number, names in ((1, [".old-1"]), (2, [".old-1", ".old-2"])):
        before = first.read_text()
        stop_after_epochs(1, [*argv, "--overwrite"], monkeypatch)
        assert not any(path.exists() for path in (first, second))
        aside = sorted(tmp_path.glob(f"{first.name}.old-*"))
        assert [path.suffix for path in aside] == names
        assert aside[number - 1].read_text() == before
        capsys.readouterr()
        command.main(argv)
        assert "seed 1: to be trained, 1 epochs are done" in capsys.readouterr().out
        assert first.exists()
        assert second.exists()


def test_xla_computes_the_same_game(trials):
    compiled, epoch = trained(THIN._replace(technique="minibatch_discrimination"), jit_compile=True)
    plain = trials["minibatch_discrimination"][0]
    # Random numbers are the same; sums are rounded otherwise.
    np.testing.assert_allclose(compiled.samples(), plain.samples(), atol=1e-3)
    assert np.isfinite(epoch[:2]).all()


def test_help_answers_without_tensorflow_and_lists_every_flag(tmp_path):
    script = (
        "import sys; from examples.mode_collapse import __main__ as m\n"
        "assert 'tensorflow' not in sys.modules\nm.parser().print_help()"
    )
    done = run_python("-c", script, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    for flag in (
        "--problem",
        "--technique",
        "--preference_loss",
        "--trials",
        "--width",
        "--reduction",
        "--output",
    ):
        assert flag in done.stdout

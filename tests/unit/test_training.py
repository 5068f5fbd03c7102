"""The step and many steps in one call, on small MNIST players."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import losses, networks, precision
from improved_gan_tf.data.device_images import DeviceImages
from improved_gan_tf.layers import noise
from improved_gan_tf.training import semi_supervised

IMAGES, BATCH = 40, 4
SPEC = networks.EXPERIMENTS["mnist", "feature_matching"]


@pytest.fixture
def graph():
    """Asked for by tests of the compiled loop; the others run it eagerly, without tracing."""


@pytest.fixture(autouse=True)
def _eager(request):
    tf.config.run_functions_eagerly("graph" not in request.fixturenames)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def no_noise(monkeypatch):
    monkeypatch.setattr(noise, "standard_normal", lambda shape, dtype, seed: tf.zeros(shape, dtype))


def device_images():
    random = np.random.RandomState(0)
    pixels = random.randint(0, 256, (IMAGES, 28, 28, 1)).astype("uint8")
    return DeviceImages(pixels, np.arange(IMAGES) % 10, (255.0, 0.0))


def make_trainer(seed=1, **settings):
    settings = {"generator_objective": "feature_matching_l2", **settings}
    return semi_supervised.Trainer(SPEC.build(seed, 0.03), device_images(), seed=seed, **settings)


def rows(iterations, seed=0):
    random = np.random.RandomState(seed)
    return [random.randint(0, IMAGES, (iterations, BATCH)) for _ in range(3)]


def batch_of(trainer, rows):
    return trainer._data.batch(*(tf.constant(r[0], tf.int32) for r in rows))


def values(variables):
    return [np.array(v) for v in variables]


def moved(before, variables):
    return [not np.array_equal(a, b) for a, b in zip(before, values(variables), strict=True)]


def fix_z(trainer, monkeypatch):
    """Gives the generator the same input in every draw; returns it."""
    z = tf.constant(np.random.RandomState(5).uniform(size=(BATCH, 100)), tf.float32)
    monkeypatch.setattr(trainer, "draw_z", lambda count: z)
    return z


# --- what a step changes -------------------------------------------------------------------


def test_the_discriminator_step_moves_all_its_parameters_and_no_other(monkeypatch):
    trainer = make_trainer()
    before = values(trainer.discriminator.trainable_variables)
    fixed = values(trainer.discriminator.non_trainable_weights)
    generator = values(trainer.generator.variables)
    trainer.discriminator_optimizer.learning_rate.assign(0.01)
    trainer._discriminator_step(batch_of(trainer, rows(1)))
    assert all(moved(before, trainer.discriminator.trainable_variables))
    assert not any(moved(fixed, trainer.discriminator.non_trainable_weights))
    assert not any(moved(generator, trainer.generator.variables))


def test_the_generator_step_moves_all_its_parameters_and_no_other():
    trainer = make_trainer()
    before = values(trainer.generator.trainable_variables)
    discriminator = values(trainer.discriminator.weights)
    trainer.generator_optimizer.learning_rate.assign(0.01)
    trainer._generator_step(batch_of(trainer, rows(1)).unlabeled_for_generator)
    assert all(moved(before, trainer.generator.trainable_variables))
    assert not any(moved(discriminator, trainer.discriminator.weights))


def test_supervised_only_leaves_the_generator_alone_and_reports_no_game():
    trainer = make_trainer(supervised_only=True)
    before = values(trainer.generator.variables)
    discriminator = values(trainer.discriminator.trainable_variables)
    sums, done = trainer.train(rows(3), 0.01)
    assert done == 3
    assert (sums.unsupervised, sums.generator) == (0.0, 0.0)
    assert sums.supervised > 0.0
    assert not any(moved(before, trainer.generator.variables))
    assert all(moved(discriminator, trainer.discriminator.trainable_variables))


def test_an_unlabeled_weight_of_zero_trains_the_discriminator_as_without_a_game(no_noise):
    """Adam divides by the gradient's size, so equal parameters mean equal gradients."""
    games = [make_trainer(unlabeled_weight=0.0), make_trainer(supervised_only=True)]
    for game in games:
        game.train(rows(3), 0.01)
    for a, b in zip(*(g.discriminator.trainable_variables for g in games), strict=True):
        np.testing.assert_allclose(np.array(a), np.array(b), atol=1e-4)


def test_the_unlabeled_weight_changes_the_discriminators_step(no_noise):
    games = [make_trainer(unlabeled_weight=w) for w in (1.0, 3.0)]
    for game in games:
        game.train(rows(1), 0.01)
    kernels = [np.array(g.discriminator.trainable_variables[0]) for g in games]
    assert np.abs(kernels[0] - kernels[1]).max() > 1e-3


def test_a_supervised_weight_of_zero_trains_as_if_every_label_were_another(no_noise, monkeypatch):
    games = [make_trainer(supervised_weight=0.0) for _ in range(2)]
    batch = batch_of(games[0], rows(1))
    for game, shift in zip(games, (0, 1), strict=True):
        fix_z(game, monkeypatch)
        game.discriminator_optimizer.learning_rate.assign(0.01)
        game._discriminator_step(batch._replace(labels=(batch.labels + shift) % 10))
    for a, b in zip(*(g.discriminator.trainable_variables for g in games), strict=True):
        np.testing.assert_array_equal(np.array(a), np.array(b))


def test_the_supervised_weight_changes_the_discriminators_step(no_noise):
    games = [make_trainer(supervised_weight=w) for w in (1.0, 3.0)]
    for game in games:
        game.train(rows(1), 0.01)
    kernels = [np.array(g.discriminator.trainable_variables[0]) for g in games]
    assert np.abs(kernels[0] - kernels[1]).max() > 1e-3


# --- historical averaging ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "players"),
    [
        ({}, (False, False)),
        ({"historical_averaging_weight": 0.1}, (True, True)),
        (
            {
                "historical_averaging_weight": 0.1,
                "historical_averaging_players": "discriminator",
            },
            (True, False),
        ),
        (
            {"historical_averaging_weight": 0.1, "historical_averaging_players": "generator"},
            (False, True),
        ),
    ],
)
def test_the_players_asked_for_have_a_history(settings, players):
    trainer = make_trainer(**settings)
    histories = (trainer.discriminator_history, trainer.generator_history)
    assert tuple(h is not None for h in histories) == players


def test_histories_follow_the_players_through_every_step_of_theirs():
    trainer = make_trainer(
        historical_averaging_weight=0.1, generator_objective="saturating", generator_steps=3
    )
    before = values(trainer.discriminator.trainable_variables)
    trainer.train(rows(1), 0.01)
    after = values(trainer.discriminator.trainable_variables)
    trainer.train(rows(1), 0.01)
    assert trainer.discriminator_history.count.numpy() == 2
    assert trainer.generator_history.count.numpy() == 6
    means = trainer.discriminator_history.means
    for a, b, mean in zip(before, after, means, strict=True):
        np.testing.assert_allclose(mean.numpy(), 0.5 * (a + b), rtol=1e-5, atol=1e-6)


def test_the_state_of_training_holds_the_histories():
    trainer = make_trainer(historical_averaging_weight=0.1)
    held = {id(variable) for variable in trainer.state().values()}
    for history in (trainer.discriminator_history, trainer.generator_history):
        assert {id(v) for v in (history.count, *history.means, *history.remainders)} <= held
    assert len(held) == len(trainer.state())


def test_a_supervised_only_discriminator_pays_for_its_history_too():
    weights = []
    for w in (0.0, 50.0):
        trainer = make_trainer(historical_averaging_weight=w, supervised_only=True)
        trainer.train(rows(3), 0.01)
        weights.append(values(trainer.discriminator.trainable_variables))
    assert trainer.discriminator_history.count.numpy() == 3
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(*weights, strict=True))


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_historical_averaging_adds_its_gradients_to_the_players_and_not_to_the_reported_loss(
    player, no_noise, monkeypatch
):
    """In the second step by `2 w (theta_2 - mean)`, mean = (theta_1 + theta_2) / 2."""
    weight = 50.0
    seen = []
    for w in (0.0, weight):
        trainer = make_trainer(historical_averaging_weight=w, historical_averaging_players=player)
        fix_z(trainer, monkeypatch)
        variables = getattr(trainer, player).trainable_variables
        first = values(variables)
        trainer.train(rows(1), 0.01)  # the first step's penalty is 0
        second = values(variables)
        optimizer = getattr(trainer, f"{player}_optimizer")
        monkeypatch.setattr(
            optimizer, "apply", lambda gradients, _: seen.append([g.numpy() for g in gradients])
        )
        step = getattr(trainer, f"_{player}_step")
        batch = batch_of(trainer, rows(1, seed=1))
        reported = step(batch if player == "discriminator" else batch.unlabeled)
        seen.append((first, second, np.array(reported)))
    plain, (_, _, loss), averaged, (first, second, same_loss) = seen
    np.testing.assert_array_equal(loss, same_loss)
    for g, h, a, b in zip(plain, averaged, first, second, strict=True):
        np.testing.assert_allclose(h - g, 2 * weight * 0.5 * (b - a), rtol=1e-3, atol=1e-4)


# --- the losses of a step ------------------------------------------------------------------


def test_losses_are_those_before_the_update(no_noise, monkeypatch):
    trainer = make_trainer()
    z = fix_z(trainer, monkeypatch)
    batch = batch_of(trainer, rows(1))
    logits = {
        name: trainer.discriminator(x)["logits"]
        for name, x in (
            ("labeled", batch.labeled),
            ("unlabeled", batch.unlabeled),
            ("generated", trainer.generator(z)),
        )
    }
    sums, _ = trainer.train(rows(1), 0.01)
    expected = losses.supervised_loss(logits["labeled"], batch.labels)
    assert sums.supervised == pytest.approx(float(expected), rel=1e-4)
    expected = losses.unsupervised_loss(logits["unlabeled"], logits["generated"])
    assert sums.unsupervised == pytest.approx(float(expected), rel=1e-4)
    expected = losses.error_rate(logits["labeled"], batch.labels)
    assert sums.train_error == pytest.approx(float(expected))


def test_the_targets_smooth_the_discriminators_loss(no_noise, monkeypatch):
    trainer = make_trainer(real_target=0.9, generated_target=0.1)
    z = fix_z(trainer, monkeypatch)
    batch = batch_of(trainer, rows(1))
    unlabeled, generated = (
        trainer.discriminator(x)["logits"] for x in (batch.unlabeled, trainer.generator(z))
    )
    means, _ = trainer.train(rows(1), 0.01)
    expected = losses.unsupervised_loss(unlabeled, generated, 0.9, 0.1)
    assert means.unsupervised == pytest.approx(float(expected), rel=1e-4)


def test_a_generator_with_virtual_batch_norm_trains_all_its_parameters_and_keeps_its_reference():
    players = SPEC.build(1, 0.03, reference_size=3)
    trainer = semi_supervised.Trainer(
        players, device_images(), seed=1, generator_objective="feature_matching_l2"
    )
    before = values(players.generator.trainable_variables)
    reference = values(players.generator.non_trainable_variables)
    means, _ = trainer.train(rows(2), 0.01)
    assert np.all(np.isfinite(means))
    assert all(moved(before, players.generator.trainable_variables))
    assert not any(moved(reference, players.generator.non_trainable_variables))


@pytest.mark.parametrize(
    ("objective", "loss"),
    [
        ("feature_matching_l2", losses.feature_matching_l2),
        ("feature_matching_l1", losses.feature_matching_l1),
    ],
)
def test_the_generator_meets_the_discriminator_just_updated_and_the_other_batch(
    objective, loss, no_noise, monkeypatch
):
    trainer = make_trainer(generator_objective=objective)
    z = fix_z(trainer, monkeypatch)
    generated = trainer.generator(z)
    before = trainer.discriminator(generated)["features"]
    real = batch_of(trainer, rows(1)).unlabeled_for_generator
    sums, _ = trainer.train(rows(1), 0.1)
    after = [trainer.discriminator(x)["features"] for x in (real, generated)]
    assert np.abs(after[1].numpy() - before.numpy()).max() > 0.01
    assert sums.generator == pytest.approx(float(loss(*after)), rel=1e-3)


def test_feature_matching_means_the_batch_that_cross_replica_says(monkeypatch):
    name, scopes = "feature_matching_l2", []
    loss = semi_supervised.GENERATOR_OBJECTIVES[name]

    def recording(real, generated, cross_replica="global"):
        scopes.append(cross_replica)
        return loss(real, generated, cross_replica)

    monkeypatch.setitem(semi_supervised.GENERATOR_OBJECTIVES, name, recording)
    for scope in ("global", "local"):
        make_trainer(cross_replica=scope).train(rows(1), 0.01)
    assert scopes == ["global", "local"]


class Recording:
    """A model that notes in which mode it is called."""

    def __init__(self, model):
        self.model, self.modes = model, []

    def __call__(self, x, training=None):
        self.modes.append(training)
        return self.model(x, training=training)

    def __getattr__(self, name):
        return getattr(self.model, name)


def test_both_players_see_images_of_a_generator_in_training():
    trainer = make_trainer()
    trainer.generator = Recording(trainer.generator)
    trainer._discriminator_step(batch_of(trainer, rows(1)))
    trainer._generator_step(batch_of(trainer, rows(1)).unlabeled_for_generator)
    assert trainer.generator.modes == [True, True]


def test_several_generator_steps_are_taken_and_averaged(no_noise, monkeypatch):
    trainer = make_trainer(generator_objective="saturating", generator_steps=3)
    fix_z(trainer, monkeypatch)
    trainer.generator_optimizer.learning_rate.assign(0.01)
    recorded, generator_step = [], trainer._generator_step

    def record(real):
        recorded.append(float(generator_step(real)))
        return recorded[-1]

    monkeypatch.setattr(trainer, "_generator_step", record)
    result = trainer.step(batch_of(trainer, rows(1)))
    assert int(trainer.generator_optimizer.iterations.numpy()) == 3
    assert int(trainer.discriminator_optimizer.iterations.numpy()) == 1
    assert len(set(recorded)) == 3
    assert float(result.generator) == pytest.approx(np.mean(recorded), rel=1e-6)


def counted(trainer, monkeypatch):
    """A list that grows with every call of `trainer._generator_step`."""
    calls, generator_step = [], trainer._generator_step

    def count(real):
        calls.append(None)
        return generator_step(real)

    monkeypatch.setattr(trainer, "_generator_step", count)
    return calls


def step_by_step(trainer):
    return lambda batch, in_loop: trainer.step(batch, in_loop=False)


@pytest.mark.parametrize("precision_name", ["float32", "mixed_float16"])
def test_generator_steps_in_a_loop_are_traced_once_and_have_the_bits_of_steps_one_by_one(
    precision_name, graph, monkeypatch
):
    states = []
    for looped in (True, False):
        with precision.computing_in(precision_name):
            trainer = make_trainer(generator_objective="saturating", generator_steps=3)
            calls = counted(trainer, monkeypatch)
            if not looped:
                monkeypatch.setattr(trainer, "one_iteration", step_by_step(trainer))
            sums, _ = trainer.train(rows(3), 0.01)
        assert len(calls) == (1 if looped else 3)
        assert int(trainer.generator_optimizer.iterations.numpy()) == 9
        states.append([*values(trainer.state().values()), np.array(sums)])
    for in_loop, one_by_one in zip(*states, strict=True):
        np.testing.assert_array_equal(in_loop, one_by_one)


def test_a_step_that_xla_compiles_has_every_generator_step(graph, monkeypatch):
    trainer = make_trainer(generator_objective="saturating", generator_steps=3)
    trainer.jit_compile = True
    calls = counted(trainer, monkeypatch)
    sums = trainer.Losses(*4 * [tf.constant(0.0, tf.float64)])
    trainer._graph_for(trainer.feed(rows(1)), tf.constant(1), sums).get_concrete_function()
    assert len(calls) == 3


def test_the_generators_input_is_uniform_and_fresh_in_every_draw():
    trainer = make_trainer()
    first, second = trainer.draw_z(500).numpy(), trainer.draw_z(500).numpy()
    assert first.shape == (500, networks.NOISE_DIM)
    assert 0.0 <= first.min() < 0.001
    assert 0.999 < first.max() < 1.0
    assert abs(first.mean() - 0.5) < 0.01
    assert not np.any(first == second)


# --- the parameter average -----------------------------------------------------------------


def test_the_average_takes_the_parameters_from_before_the_step():
    trainer = make_trainer(averaging_rate=0.25)
    before = values(trainer.discriminator.trainable_variables)
    trainer.train(rows(1), 0.1)
    for average, parameter in zip(trainer.average.averages, before, strict=True):
        np.testing.assert_allclose(average.numpy(), 0.25 * parameter, rtol=1e-5, atol=1e-7)


def test_the_averages_weight_grows_with_the_iterations():
    trainer = make_trainer(averaging_rate=0.5)
    assert trainer.average_weight() == 0.0
    trainer.train(rows(3), 0.01)
    assert trainer.average_weight() == 0.875


def test_an_averaging_rate_of_zero_keeps_no_average():
    trainer = make_trainer(averaging_rate=0.0)
    assert trainer.average is None
    assert trainer.average_weight() is None
    trainer.train(rows(1), 0.01)


def test_the_second_discriminator_gets_averages_and_fixed_scales():
    trainer = make_trainer(averaging_rate=0.25)
    for variable in trainer.discriminator.non_trainable_weights:
        variable.assign(np.full(variable.shape, 7.0))
    trainer.train(rows(2), 0.01)
    other = SPEC.discriminator(9, 0.03)
    trainer.copy_average_to(other)
    for variable, average in zip(other.trainable_variables, trainer.average.averages, strict=True):
        np.testing.assert_array_equal(np.array(variable), average.numpy())
    for variable in other.non_trainable_weights:
        np.testing.assert_array_equal(np.array(variable), np.full(variable.shape, 7.0))


# --- many steps in one call ----------------------------------------------------------------


def test_one_call_of_many_iterations_equals_many_calls(graph):
    one, many = make_trainer(), make_trainer()
    all_rows = rows(4)
    sums, done = one.train(all_rows, 0.01)
    assert done == 4
    cut = None
    for i in range(4):
        cut, done = many.train([r[i : i + 1] for r in all_rows], 0.01, cut)
        assert done == 1
    assert sums == cut
    for name, variable in one.state().items():
        np.testing.assert_array_equal(variable.numpy(), many.state()[name].numpy())


def test_the_step_is_traced_once_whatever_the_number_of_iterations(graph):
    trainer = make_trainer()
    for iterations in (1, 1, 2, 5):
        trainer.train(rows(iterations), 0.01)
    (run,) = trainer._graphs.values()
    assert run.experimental_get_tracing_count() == 1


def test_a_learning_rate_holds_for_its_call_and_both_players():
    trainer = make_trainer()
    trainer.train(rows(1), 0.01)
    trainer.train(rows(1), 0.25)
    for optimizer in (trainer.discriminator_optimizer, trainer.generator_optimizer):
        assert float(optimizer.learning_rate.numpy()) == 0.25


def test_a_seed_decides_the_run():
    one, same, other = (np.array(make_trainer(seed).train(rows(1), 0.01)[0]) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.all(one[:3] != other[:3])  # the losses; training errors may agree


def test_training_stops_at_the_first_loss_that_is_not_finite(graph):
    trainer = make_trainer()
    sums, done = trainer.train(rows(50), 1e30)
    assert done < 50
    assert not np.all(np.isfinite(sums))


def test_training_lowers_the_supervised_loss(graph):
    trainer = make_trainer(supervised_only=True)
    fixed = [np.repeat(r, 60, axis=0) for r in rows(1)]
    first, _ = trainer.train([r[:1] for r in fixed], 0.003)
    trainer.train(fixed, 0.003)
    last, _ = trainer.train([r[:1] for r in fixed], 0.003)
    assert last.supervised < 0.5 * first.supervised


def test_unknown_objectives_are_refused():
    with pytest.raises(KeyError, match="wasserstein"):
        make_trainer(generator_objective="wasserstein")


def test_keras_models_are_the_ones_given():
    players = SPEC.build(1, 0.03)
    trainer = semi_supervised.Trainer(
        players, device_images(), seed=1, generator_objective="feature_matching_l2"
    )
    assert trainer.generator is players.generator
    assert trainer.discriminator is players.discriminator
    assert isinstance(trainer.generator, keras.Model)

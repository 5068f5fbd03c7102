"""The step of DCGAN's games: each objective's losses and updates, written out once more."""

import dataclasses
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

import run_dcgan
from improved_gan_tf import losses, precision
from improved_gan_tf.data.square_images import ImageSet
from improved_gan_tf.losses import adversarial
from improved_gan_tf.runs import dcgan as runs
from improved_gan_tf.runs import dcgan_pace
from improved_gan_tf.training.adversarial import AdversarialTrainer
from tests.support import noise_runs
from tests.support.dcgan_games import BATCH, images, players, rows, settings, trainer_of, values

pytestmark = [
    pytest.mark.usefixtures("without_tracing"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run"),
]


def changed(before, model):
    return [not np.array_equal(b, a) for b, a in zip(before, values(model), strict=True)]


GAMES = [
    *((objective, "none") for objective in run_dcgan.VARIANTS),
    *(("hinge", conditional) for conditional in ("cgan", "acgan", "infogan")),
    ("wasserstein_gp", "cgan"),
]


@pytest.mark.parametrize(("objective", "conditional"), GAMES)
def test_every_objective_moves_every_parameter_of_both_players(objective, conditional):
    config = settings(objective, conditional=conditional)
    trainer = trainer_of(config)
    before = values(trainer.discriminator), values(trainer.generator)
    sums, done = trainer.train(rows(config, 2), config.learning_rate)
    assert done == trainer.iterations() == 2
    assert np.all(np.isfinite(sums))
    moved = changed(before[0], trainer.discriminator)
    if objective == "wasserstein_gp":  # the difference of two scores has no use for a bias
        variables = trainer.discriminator.trainable_variables
        moved.pop([v.path for v in variables].index("scores/bias"))
    assert all(moved)
    assert all(changed(before[1], trainer.generator))
    assert (sums.told != 0.0) == (conditional in ("acgan", "infogan"))
    assert (sums.penalty != 0.0) == (config.penalty_weight is not None)
    assert trainer.not_finite() == []


# --- one iteration, written out ------------------------------------------------------------


def uniform(shape, seed, low=0.0):
    return keras.random.uniform(shape, low, 1.0, dtype=keras.config.floatx(), seed=seed)


def scores(discriminator, x):
    return discriminator(x, training=True)["scores"]


def discriminator_loss(objective, discriminator, real, generated, seed):
    """The loss of one discriminator step with the draws that come after z."""
    s = scores(discriminator, real), scores(discriminator, generated)
    if objective in ("wasserstein", "wasserstein_gp"):
        loss = tf.reduce_mean(s[1]) - tf.reduce_mean(s[0])
    elif objective == "hinge":
        loss = tf.reduce_mean(tf.nn.relu(1 - s[0])) + tf.reduce_mean(tf.nn.relu(1 + s[1]))
    elif objective == "least_squares":
        loss = (tf.reduce_mean((s[0] - 1) ** 2) + tf.reduce_mean(s[1] ** 2)) / 2
    else:
        loss = tf.reduce_mean(tf.nn.softplus(-s[0])) + tf.reduce_mean(tf.nn.softplus(s[1]))
    if objective not in ("wasserstein_gp", "dragan"):
        return loss
    alpha = tf.reshape(uniform((BATCH,), seed), (BATCH, 1, 1, 1))
    if objective == "wasserstein_gp":
        points = alpha * real + (1 - alpha) * generated
    else:
        points = real + alpha * 0.5 * tf.math.reduce_std(real) * uniform(real.shape, seed)
    with tf.GradientTape() as tape:
        tape.watch(points)
        total = tf.reduce_sum(scores(discriminator, points))
    norms = tf.sqrt(tf.reduce_sum(tape.gradient(total, points) ** 2, axis=(1, 2, 3)))
    return loss + 10.0 * tf.reduce_mean((norms - 1) ** 2)


GENERATOR_LOSSES = {
    "non_saturating": lambda s: tf.reduce_mean(tf.nn.softplus(-s)),
    "minimax": lambda s: -tf.reduce_mean(tf.nn.softplus(s)),
    "blended": lambda s: -tf.reduce_mean(s),
    "least_squares": lambda s: tf.reduce_mean((s - 1) ** 2) / 2,
    "hinge": lambda s: -tf.reduce_mean(s),
    "wasserstein": lambda s: -tf.reduce_mean(s),
    "wasserstein_gp": lambda s: -tf.reduce_mean(s),
    "dragan": lambda s: tf.reduce_mean(tf.nn.softplus(-s)),
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("objective", GENERATOR_LOSSES)
def test_an_iteration_is_discriminator_steps_and_one_generator_step_as_written_here(objective):
    rate, decay = 0.01, 0.1
    config = settings(
        objective,
        generator_optimizer="sgd",
        discriminator_optimizer="sgd",
        learning_rate=rate,
        discriminator_learning_rate=2 * rate,
        discriminator_steps=2,
        l2_weight=decay,
        latent="uniform",
    )
    trainer, (generator, discriminator) = trainer_of(config), players(config)
    data = (images().images[: 2 * BATCH] - 127.5) / 127.5
    seed = keras.random.SeedGenerator(config.seed)
    found = []

    def step(player, loss_of, step_size):
        variables = [v.value for v in player.trainable_variables]
        with tf.GradientTape() as tape:
            loss = loss_of()
        gradients = [
            g + decay * v for g, v in zip(tape.gradient(loss, variables), variables, strict=True)
        ]
        for variable, gradient in zip(player.trainable_variables, gradients, strict=True):
            variable.assign_sub(step_size * gradient)
        found.append(float(loss))

    for real in (data[:BATCH], data[BATCH:]):
        if config.weight_clip is not None:
            for variable in discriminator.trainable_variables:
                variable.assign(np.clip(np.array(variable), -0.01, 0.01))
        generated = generator(uniform((BATCH, 5), seed, -1.0), training=True)
        step(
            discriminator,
            lambda real=real, generated=generated: discriminator_loss(
                objective, discriminator, tf.constant(real), generated, seed
            ),
            2 * rate,
        )
    z = uniform((BATCH, 5), seed, -1.0)
    of_scores = GENERATOR_LOSSES[objective]
    step(generator, lambda: of_scores(scores(discriminator, generator(z, training=True))), rate)

    sums, _ = trainer.train(rows(config), rate)
    np.testing.assert_allclose(sums.discriminator, (found[0] + found[1]) / 2, rtol=1e-9)
    np.testing.assert_allclose(sums.generator, found[2], rtol=1e-9)
    for ours, written in ((trainer.generator, generator), (trainer.discriminator, discriminator)):
        for a, b in zip(values(ours), values(written), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-11)


def first_losses(config):
    """The trainer and the losses of one iteration from the start."""
    trainer = trainer_of(config)
    return trainer, trainer.train(rows(config), config.learning_rate)[0]


@pytest.mark.usefixtures("float64")
def test_began_moves_k_by_the_errors_of_its_step():
    config = settings("began", diversity_ratio=1.0)
    trainer, found = first_losses(config)
    generated = found.generator  # of the generator's step, with z drawn anew
    expected = adversarial.began_next_k(0.0, found.output_real, generated, gamma=1.0)
    np.testing.assert_allclose(float(trainer.state()["objective.000.k:0"]), expected, rtol=1e-6)
    np.testing.assert_allclose(found.discriminator, found.output_real)  # k was 0
    assert expected > 0.0


def test_ebgan_pays_for_encodings_that_point_the_same_way():
    alike = settings("ebgan", pull_away_weight=10.0)
    _, with_term = first_losses(alike)
    _, without = first_losses(dataclasses.replace(alike, pull_away_weight=0.0))
    assert with_term.output_generated == without.output_generated
    assert without.generator < with_term.generator <= without.generator + 10.0


# --- tricks and techniques -----------------------------------------------------------------


def test_soft_targets_change_the_loss_by_the_targets_alone():
    _, plain = first_losses(settings())
    _, smooth = first_losses(settings(real_targets="0.9"))
    # d/dt of softplus(s) - t s is -s.
    expected = plain.discriminator + 0.1 * plain.output_real
    np.testing.assert_allclose(smooth.discriminator, expected, rtol=1e-5)


def test_flips_exchange_targets_of_both_kinds():
    _, plain = first_losses(settings())
    _, flipped = first_losses(settings(flip_rate=0.49, seed=1))
    assert flipped.discriminator != plain.discriminator
    assert flipped.output_real == plain.output_real


def test_instance_noise_falls_to_its_end_over_its_epochs():
    trainer = trainer_of(settings(instance_noise="0.5:0.1@2"))
    assert float(trainer._noise.stddev()) == 0.5
    trainer.train(rows(trainer._config, 10), 1e-4)  # an epoch
    np.testing.assert_allclose(float(trainer._noise.stddev()), 0.3, rtol=1e-5)
    trainer.train(rows(trainer._config, 20), 1e-4)
    np.testing.assert_allclose(float(trainer._noise.stddev()), 0.1, rtol=1e-5)


def test_replay_shows_images_of_an_earlier_generator():
    trainer = trainer_of(settings(replay=6))
    before = trainer.state()["replay.000.replay_entries:0"].numpy()
    trainer.train(rows(trainer._config), 1e-4)
    after = trainer.state()["replay.000.replay_entries:0"].numpy()
    exchanged = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert sum(exchanged) == BATCH // 2


def test_the_first_images_of_replay_come_in_batches_of_the_training():
    config = settings(replay=2 * BATCH + 1)
    generator, discriminator = players(config)
    seen, call = [], generator.call
    generator.call = lambda x, **kwargs: seen.append(len(x)) or call(x, **kwargs)
    trainer = AdversarialTrainer(
        generator, discriminator, images(), config, num_classes=3, epoch_iterations=10
    )
    assert seen == [BATCH] * 3
    assert trainer.state()["replay.000.replay_entries:0"].shape[0] == 2 * BATCH + 1


def test_a_step_that_float16_undoes_does_not_end_the_training():
    with precision.computing_in("mixed_float16"):
        config = settings()
        trainer = trainer_of(config)
        trainer.discriminator_loss_scale.scale.assign(2.0**40)  # no gradient fits
        trainer.generator_loss_scale.scale.assign(1.0)  # all do
        before = values(trainer.discriminator)
        sums, done = trainer.train(rows(config, 2), config.learning_rate)
    assert done == 2
    assert np.isfinite(sums).all()
    assert sums.gradient_norm_discriminator == 0.0 < sums.gradient_norm_generator
    assert not any(changed(before, trainer.discriminator))
    assert float(trainer.discriminator_loss_scale.scale) == 2.0**38
    game = types.SimpleNamespace(trainer=trainer)
    assert runs.DcganGame.final(game, [], {}) == {"generator_steps": 2, "discriminator_steps": 0}


@pytest.mark.parametrize("name", ["mixed_float16", "mixed_bfloat16"])
def test_replay_exchanges_images_of_a_generator_in_half_precision(name):
    with precision.computing_in(name):
        config = settings(replay=3)
        trainer = trainer_of(config)
        sums, done = trainer.train(rows(config), 1e-4)
    assert (done, np.isfinite(sums).all()) == (1, True)
    assert trainer.state()["replay.000.replay_entries:0"].dtype == "float32"


def test_a_gradient_that_is_not_finite_ends_the_training_in_float32():
    config = settings()
    trainer = trainer_of(config)
    kernel = trainer.discriminator.trainable_variables[0]
    kernel.assign(np.full(kernel.shape, np.inf))
    sums, done = trainer.train(rows(config, 2), config.learning_rate)
    assert done == 1
    assert not np.isfinite(sums.gradient_norm_discriminator)


def test_one_joint_batch_gives_batch_norm_other_statistics():
    _, separate = first_losses(settings())
    _, joint = first_losses(settings(separate_batches=False))
    assert joint.output_real != separate.output_real
    with_none = settings(discriminator_normalization="none", l2_weight=0.0)
    _, separate = first_losses(with_none)
    _, joint = first_losses(dataclasses.replace(with_none, separate_batches=False))
    np.testing.assert_allclose(joint, separate, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("float64")
def test_feature_matching_is_the_distance_of_the_mean_features():
    config = settings(feature_matching=True, learning_rate=1e-12)  # the players stand still
    _, found = first_losses(config)
    seed = keras.random.SeedGenerator(config.seed)
    uniform((BATCH, 5), seed, -1.0)
    generator, discriminator = players(config)
    generated = generator(uniform((BATCH, 5), seed, -1.0), training=True)
    real = (images().images[:BATCH] - 127.5) / 127.5
    features = [discriminator(x, training=True)["features"] for x in (tf.constant(real), generated)]
    expected = losses.feature_matching_l2(*features)
    np.testing.assert_allclose(found.generator, expected, rtol=1e-6)


def test_historical_averaging_pulls_both_players_back_but_is_no_part_of_the_losses():
    weight = settings(historical_averaging_weight=100.0, learning_rate=0.01)
    trainer, plain = trainer_of(weight), trainer_of(settings(learning_rate=0.01))
    (one, _), (other, _) = (t.train(rows(weight, 1), 0.01) for t in (trainer, plain))
    assert one == other  # at the first step the parameters are their own mean
    for t in (trainer, plain):
        t.train(rows(weight, 3), 0.01)
    assert not np.array_equal(values(trainer.generator)[0], values(plain.generator)[0])
    names = {name.split(".")[0] for name in trainer.state()}
    assert {"dcgan_generator_history", "dcgan_discriminator_history"} <= names


def test_the_players_rates_keep_their_ratio_while_they_fall():
    trainer = trainer_of(settings(discriminator_learning_rate=0.004, learning_rate=0.002))
    trainer.set_learning_rate(0.001)
    np.testing.assert_allclose(float(trainer.generator_optimizer.learning_rate), 0.001)
    np.testing.assert_allclose(float(trainer.discriminator_optimizer.learning_rate), 0.002)


@pytest.mark.parametrize("conditional", ["none", "cgan"])
def test_minibatch_discrimination_is_scaled_by_real_images_before_training(conditional):
    config = settings(minibatch_discrimination=4, conditional=conditional)
    game = runs.DcganGame(config, FoundImages())
    kernels = [x for x in game.players[1].layers if type(x).__name__ == "MinibatchDiscrimination"]
    before = np.array(kernels[0].log_weight_scale)
    game.prepare()
    assert not np.array_equal(before, np.array(kernels[0].log_weight_scale))


@pytest.mark.parametrize("count", [24, 8])
def test_minibatch_discrimination_is_scaled_by_different_images(count, monkeypatch):
    found = FoundImages()
    found.count = count
    given = []
    monkeypatch.setattr(runs, "initialize_from_data", lambda model, batch: given.append(batch))
    config = settings(minibatch_discrimination=4, batch_size=4, epoch_iterations=40)
    runs.DcganGame(config, found).prepare()
    assert len({image.tobytes() for image in given[0]}) == len(given[0]) == count


def test_the_pattern_that_is_timed_has_no_image_twice():
    pattern = dcgan_pace._Pattern(300, 3, 1, 28).read().images
    assert len({image.tobytes() for image in pattern}) == 300


class FoundImages:
    """What `runs.dcgan.Images` finds."""

    count, num_classes, channels, description = 24, 3, 1, "noise"

    def read(self):
        return images()._replace(digest="0")


def test_other_images_or_labels_have_another_digest(monkeypatch):
    data = noise_runs.images("mnist")
    changed = data._replace(train_images=data.train_images[::-1].copy())
    relabeled = data._replace(train_labels=np.roll(data.train_labels, 1))
    digests = []
    for found in (data, changed, relabeled, noise_runs.images("mnist")):
        monkeypatch.setattr(runs.datasets, "load", lambda *_, found=found, **__: found)
        digests.append(runs.Images(settings(dataset="mnist")).read().digest)
    assert digests[0] == digests[3]
    assert len(set(digests)) == 3


@pytest.mark.parametrize("conditional", ["none", "cgan", "infogan"])
@pytest.mark.parametrize("latent", ["uniform", "normal"])
def test_interpolations_begin_and_end_at_latents_and_rows_have_one_class(conditional, latent):
    config = settings(conditional=conditional, latent=latent)
    generator, _ = players(config)
    samples, ways = runs.shown_inputs(config, generator)
    if conditional != "none":
        assert set(ways) == {i.name for i in generator.inputs}
        of_rows = ways["classes"].reshape(10, 10, -1)
        np.testing.assert_array_equal(of_rows, np.repeat(of_rows[:, :1], 10, axis=1))
        samples, ways = samples["z"], ways["z"]
    assert samples.shape == ways.shape == (100, 5)
    assert isinstance(images(), ImageSet)
    if latent == "uniform":
        assert np.abs(samples).max() < 1.0
    middle = ways.reshape(10, 10, 5)[:, 4:6].mean(axis=1)
    ends = ways.reshape(10, 10, 5)[:, [0, -1]].mean(axis=1)
    # The way is bent outwards: it does not go through the straight line's middle.
    lengths = [np.linalg.norm(x, axis=1) for x in (middle, ends)]
    assert np.all(lengths[0] > lengths[1])

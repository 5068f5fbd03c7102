"""Every setting of DCGAN's games does in an iteration what its help says, in numbers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf.runs import dcgan as runs
from tests.support.dcgan_games import BATCH, CLASSES, images, rows, settings, trainer_of, values

pytestmark = [
    pytest.mark.usefixtures("without_tracing"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run"),
]


def sums_of_one_iteration(config, trainer=None, rate=1e-4):
    sums, _ = (trainer or trainer_of(config)).train(rows(config), rate)
    return sums


def watched(trainer):
    """What the discriminator is shown in one iteration, batch by batch."""
    seen, call = [], trainer.discriminator.call

    def watching(images, **kwargs):
        seen.append(np.array(images))
        return call(images, **kwargs)

    trainer.discriminator.call = watching
    sums_of_one_iteration(trainer._config, trainer)
    return seen


# --- classes and codes -----------------------------------------------------------------------


def cross_entropy(logits, classes):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits))


@pytest.mark.usefixtures("float64")
def test_acgan_tells_real_and_generated_classes_to_the_discriminator_and_its_own_to_the_generator():
    rate = 0.01
    config = settings(
        "hinge",
        conditional="acgan",
        generator_optimizer="sgd",
        discriminator_optimizer="sgd",
        learning_rate=rate,
        discriminator_learning_rate=rate,
        l2_weight=0.0,
    )
    trainer, written = trainer_of(config), trainer_of(config)
    generator, discriminator = written.generator, written.discriminator
    real = (images().images[:BATCH] - 127.5) / 127.5
    labels = images().labels[:BATCH]

    def step(player, loss_of):
        with tf.GradientTape() as tape:
            loss, told = loss_of()
        gradients = tape.gradient(loss, [v.value for v in player.trainable_variables])
        for variable, gradient in zip(player.trainable_variables, gradients, strict=True):
            variable.assign_sub(rate * gradient)
        return float(loss), float(told)

    drawn = written._inputs.draw(tf.constant(labels))
    generated = generator(drawn.inputs, training=True)

    def of_discriminator():
        of_real = discriminator(tf.constant(real), training=True)
        of_generated = discriminator(generated, training=True)
        told = cross_entropy(of_real["class_logits"], labels)
        told += cross_entropy(of_generated["class_logits"], drawn.classes)
        hinge = tf.reduce_mean(tf.nn.relu(1.0 - of_real["scores"]))
        hinge += tf.reduce_mean(tf.nn.relu(1.0 + of_generated["scores"]))
        return hinge + told, told

    expected_discriminator, _ = step(discriminator, of_discriminator)
    second = written._inputs.draw(tf.constant(labels))

    def of_generator():
        outputs = discriminator(generator(second.inputs, training=True), training=True)
        told = cross_entropy(outputs["class_logits"], second.classes)
        return told - tf.reduce_mean(outputs["scores"]), told

    expected_generator, expected_told = step(generator, of_generator)
    sums = sums_of_one_iteration(config, trainer, rate)
    expected = [expected_discriminator, expected_generator, expected_told]
    np.testing.assert_allclose([sums.discriminator, sums.generator, sums.told], expected, rtol=1e-9)
    for ours, theirs in ((trainer.generator, generator), (trainer.discriminator, discriminator)):
        for found, wanted in zip(values(ours), values(theirs), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize(("conditional", "num_classes"), [("acgan", CLASSES), ("infogan", 10)])
def test_all_classes_and_codes_from_minus_one_to_one_are_drawn(conditional, num_classes):
    trainer = trainer_of(settings("hinge", conditional=conditional))
    drawn = trainer._inputs.draw(tf.zeros(2000, "int32"))
    assert set(np.array(drawn.classes)) == set(range(num_classes))
    if conditional == "infogan":
        codes = np.array(drawn.codes)
        assert codes.min() < -0.99
        assert codes.max() > 0.99
        assert abs(codes.mean()) < 0.05


@pytest.mark.parametrize("latent", ["uniform", "normal"])
def test_the_shown_ways_lead_from_one_drawn_latent_to_another_and_rows_have_the_classes(latent):
    config = settings(conditional="acgan", latent=latent)
    samples, ways = runs.shown_inputs(config, trainer_of(config).generator)
    random = np.random.RandomState(config.seed)

    def latents(count):
        normal = random.normal(size=(count, 5))  # drawn in any case
        return random.uniform(-1.0, 1.0, (count, 5)) if latent == "uniform" else normal

    z, start, end = latents(100), latents(10), latents(10)
    np.testing.assert_allclose(samples["z"], z, rtol=1e-6)
    way = ways["z"].reshape(10, 10, 5)
    np.testing.assert_allclose(way[:, 0], start, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(way[:, -1], end, rtol=1e-4, atol=1e-6)
    for given in (samples, ways):
        classes = given["classes"].argmax(axis=1).reshape(10, 10)
        np.testing.assert_array_equal(classes, np.arange(10)[:, None] % CLASSES + np.zeros((1, 10)))


# --- objectives ------------------------------------------------------------------------------


def test_ebgan_wants_energies_of_generated_images_up_to_the_margin():
    sums = sums_of_one_iteration(settings("ebgan", margin=100.0))
    expected = sums.output_real + 100.0 - sums.output_generated
    np.testing.assert_allclose(sums.discriminator, expected, rtol=1e-5)


def test_began_weighs_generated_images_by_k():
    config = settings("began")
    trainer = trainer_of(config)
    trainer._judge.k.assign(0.5)
    sums = sums_of_one_iteration(config, trainer)
    expected = sums.output_real - 0.5 * sums.output_generated
    np.testing.assert_allclose(sums.discriminator, expected, rtol=1e-6)


def test_began_moves_k_by_the_last_of_several_steps():
    config = settings("began", discriminator_steps=2)
    trainer = trainer_of(config)
    judged, finished = [], []
    of_discriminator, finish = trainer._judge.of_discriminator, trainer._judge.finish

    def judging(*arguments):
        judged.append(of_discriminator(*arguments))
        return judged[-1]

    def finishing(real, generated):
        finished.append(float(real))
        finish(real, generated)

    trainer._judge.of_discriminator, trainer._judge.finish = judging, finishing
    sums_of_one_iteration(config, trainer, 1e-3)
    first, last = (float(j.real) for j in judged)
    assert finished == [last]
    assert first != last


def test_pearsons_targets_are_minus_one_and_one():
    zero_one = sums_of_one_iteration(settings("least_squares"))
    pearson = sums_of_one_iteration(settings("least_squares", least_squares_targets="pearson"))
    # ((s + 1)^2 - s^2) / 2 = s + 1/2 for generated images.
    expected = zero_one.discriminator + zero_one.output_generated + 0.5
    np.testing.assert_allclose(pearson.discriminator, expected, rtol=1e-4)


def test_the_penalty_is_shown_without_its_weight_and_outputs_are_means_over_all_steps():
    config = settings("wasserstein_gp", discriminator_steps=2, discriminator_learning_rate=1e-3)
    trainer, judged = trainer_of(config), []
    of_discriminator = trainer._judge.of_discriminator
    trainer._judge.of_discriminator = lambda *a: judged.append(of_discriminator(*a)) or judged[-1]
    sums = sums_of_one_iteration(config, trainer)
    expected = sums.output_generated - sums.output_real + 10.0 * sums.penalty
    np.testing.assert_allclose(sums.discriminator, expected, rtol=1e-5)
    first, last = (float(j.real) for j in judged)
    assert first != last
    np.testing.assert_allclose(sums.output_real, (first + last) / 2.0, rtol=1e-5)


# --- techniques ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_historical_averaging_pays_for_the_distance_from_the_past(name):
    trainer = trainer_of(settings(historical_averaging_weight=3.0))
    player = getattr(trainer, name)
    assert float(trainer._historical_penalty(player)) == 0.0
    for variable in player.trainable_variables:
        variable.assign_add(tf.fill(variable.shape, 2.0))
    # The mean of the two moments is 1 away from the present.
    expected = 3.0 * player.count_params()
    expected -= 3.0 * sum(int(np.prod(v.shape)) for v in player.non_trainable_variables)
    np.testing.assert_allclose(float(trainer._historical_penalty(player)), expected, rtol=1e-4)


def test_historical_averaging_is_in_the_update_of_both_players():
    rate = 0.01
    sgd = {"generator_optimizer": "sgd", "discriminator_optimizer": "sgd"}
    moved = {}
    for weight in (0.0, 0.5):
        config = settings(
            historical_averaging_weight=weight,
            learning_rate=rate,
            discriminator_learning_rate=rate,
            **sgd,
        )
        trainer = trainer_of(config)
        sums_of_one_iteration(config, trainer, rate)  # the past
        for player in (trainer.generator, trainer.discriminator):
            for variable in player.trainable_variables:
                variable.assign_add(tf.fill(variable.shape, 0.5))
        before = values(trainer.generator), values(trainer.discriminator)
        sums_of_one_iteration(config, trainer, rate)
        after = values(trainer.generator), values(trainer.discriminator)
        moved[weight] = [
            np.concatenate([(y - x).ravel() for x, y in zip(*pair, strict=True)])
            for pair in zip(before, after, strict=True)
        ]
    for without, with_history in zip(*moved.values(), strict=True):
        assert np.mean(with_history < without) > 0.9  # back to where they came from


def test_flips_exchange_so_many_targets_as_the_rate_says():
    trainer = trainer_of(settings(flip_rate=0.2, real_targets="0.9"))
    real, generated = (np.array(x) for x in trainer._draw_targets(10_000))
    assert abs((real == 0.0).mean() - 0.2) < 0.02
    np.testing.assert_allclose(real + generated, 0.9, rtol=1e-6)


def test_soft_targets_fill_the_intervals_of_both_kinds():
    trainer = trainer_of(settings(real_targets="0.7,1.2", generated_targets="0,0.3"))
    intervals = ((0.7, 1.2), (0.0, 0.3))
    for drawn, (low, high) in zip(trainer._draw_targets(10_000), intervals, strict=True):
        drawn = np.array(drawn)
        assert low <= drawn.min() < low + 0.01
        assert high - 0.01 < drawn.max() <= high


def test_half_of_the_generated_images_shown_are_earlier_ones():
    trainer = trainer_of(settings(replay=6))
    trainer._replay.entries.assign(tf.fill(trainer._replay.entries.shape, 0.5))
    _, generated, in_generator_step = watched(trainer)
    is_earlier = np.all(generated == 0.5, axis=(1, 2, 3))
    assert is_earlier.sum() == BATCH // 2
    assert not np.any(in_generator_step == 0.5)


def test_noise_lies_on_all_that_the_discriminator_sees():
    clean, noisy = (
        watched(trainer_of(settings(instance_noise=noise, feature_matching=True)))
        for noise in (None, "0.5:0.5@1")
    )
    # Real and generated ones, then real ones for the mean features, and generated ones. The last
    # are of another generator by then.
    for without, with_noise in zip(clean[:3], noisy[:3], strict=True):
        assert abs((with_noise - without).std() - 0.5) < 0.02
    assert len(noisy) == len(clean) == 4
    assert noisy[3].std() > clean[3].std() + 0.2


# --- optimizers, initial scales --------------------------------------------------------------


@pytest.mark.usefixtures("float64")
def test_the_norms_are_those_of_the_gradients():
    rate = 0.01
    config = settings(
        generator_optimizer="sgd",
        discriminator_optimizer="sgd",
        learning_rate=rate,
        discriminator_learning_rate=rate,
    )
    trainer = trainer_of(config)
    players = trainer.discriminator, trainer.generator
    before = [values(player) for player in players]
    sums = sums_of_one_iteration(config, trainer, rate)
    norms = sums.gradient_norm_discriminator, sums.gradient_norm_generator
    for player, old, norm in zip(players, before, norms, strict=True):
        squares = [np.sum((x - y) ** 2) for x, y in zip(old, values(player), strict=True)]
        np.testing.assert_allclose(norm, np.sqrt(sum(squares)) / rate, rtol=1e-6)


def test_each_player_has_the_optimizer_and_the_betas_of_the_settings():
    trainer = trainer_of(settings(beta_1=0.3, beta_2=0.9))
    for optimizer in (trainer.generator_optimizer, trainer.discriminator_optimizer):
        assert (optimizer.beta_1, optimizer.beta_2) == (0.3, 0.9)
    trainer = trainer_of(settings(discriminator_optimizer="sgd", discriminator_learning_rate=1e-4))
    assert isinstance(trainer.discriminator_optimizer, keras.optimizers.SGD)
    assert isinstance(trainer.generator_optimizer, keras.optimizers.Adam)


class FoundImages:
    """`Images` of noise."""

    num_classes, channels, count, description = CLASSES, 1, 24, "noise"

    def read(self):
        return images()


def test_minibatch_discrimination_is_scaled_by_images_from_minus_one_to_one(monkeypatch):
    game, seen = runs.DcganGame(settings(minibatch_discrimination=4), FoundImages()), []
    monkeypatch.setattr(runs, "initialize_from_data", lambda model, x: seen.append(x))
    game.prepare()
    (shown,) = seen
    np.testing.assert_allclose(shown, (images().images - 127.5) / 127.5, atol=1e-6)

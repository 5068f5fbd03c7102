"""The joint-batch step against gradients written out by hand; towers, noise, Adam, stopping."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf.data import shuffled_batches, square_images
from improved_gan_tf.networks import imagenet
from improved_gan_tf.runs import imagenet as runs
from improved_gan_tf.training import joint_minibatches
from improved_gan_tf.training.joint_minibatches import JointLosses, JointTrainer

WIDTH, SIZE, CLASSES = 1 / 32, 32, 3


def image_set(count=32, seed=0):
    """Images of three grey levels, dark to light, with noise."""
    random = np.random.RandomState(seed)
    labels = np.arange(count, dtype="int32") % CLASSES
    pixels = 64.0 * (labels[:, None, None, None] + 1) + random.normal(
        0.0, 20.0, (count, SIZE, SIZE, 3)
    )
    return square_images.ImageSet(np.clip(pixels, 0, 255).astype("uint8"), labels)


def make_trainer(num_towers=1, seed=1, images=None):
    return JointTrainer(
        imagenet.imagenet_generator(1, WIDTH, SIZE),
        imagenet.imagenet_discriminator(1, WIDTH, SIZE, CLASSES),
        images or image_set(),
        seed=seed,
        pixels=(127.5, 127.5),
        num_towers=num_towers,
    )


def batch_of(images, count):
    return shuffled_batches.LabeledBatch(
        tf.constant(images.images[:count]), tf.constant(images.labels[:count])
    )


def fix_noise(trainer, count):
    """Gives the trainer one draw of the generator's noise for good; returns it."""
    noise = trainer.draw_noise(count)
    trainer.draw_noise = lambda rows: noise
    return noise


def with_plain_descent(trainer):
    """Replaces Adam by `w -= gradient`, so that a step shows its gradients."""
    for name in ("generator", "discriminator"):
        optimizer = keras.optimizers.SGD(1.0)
        optimizer.build(getattr(trainer, name).trainable_variables)
        setattr(trainer, f"{name}_optimizer", optimizer)
    return trainer


def values(model):
    return [v.numpy() for v in model.trainable_variables]


def by_hand(trainer, noise, batch):
    """Losses and both players' gradients of one tower, from the definitions, by separate passes."""
    real = tf.cast(batch.images, "float64") / 127.5 - 1.0

    def one(player, loss_of):
        with tf.GradientTape() as tape:
            joint = tf.concat([real, trainer.generator(noise)], axis=0)
            logits = trainer.discriminator(joint)["logits"]
            count = len(batch.labels)
            odds = tf.reduce_logsumexp(logits[:, :-1], axis=1) - logits[:, -1]
            on_real, on_generated = (
                tf.clip_by_value(tf.sigmoid(x), 1e-300, 1) for x in (odds[:count], odds[count:])
            )
            losses = JointLosses(
                real=tf.reduce_mean(divergence(0.75, on_real)),
                generated=-tf.reduce_mean(tf.math.log(1 - on_generated)),
                classification=-tf.reduce_mean(
                    tf.gather(tf.nn.log_softmax(logits[:count]), batch.labels, batch_dims=1)
                ),
                generator=tf.reduce_mean(divergence(0.375, on_generated)),
                train_error=tf.reduce_mean(
                    tf.cast(tf.argmax(logits[:count], 1, tf.int32) != batch.labels, "float64")
                ),
            )
            loss = loss_of(losses)
        return losses, tape.gradient(loss, [v.value for v in player.trainable_variables])

    losses, discriminator = one(
        trainer.discriminator, lambda x: x.real + x.generated + x.classification
    )
    _, generator = one(trainer.generator, lambda x: x.generator)
    return losses, discriminator, generator


def divergence(target, belief):
    return target * tf.math.log(target / belief) + (1 - target) * tf.math.log(
        (1 - target) / (1 - belief)
    )


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("num_towers", [1, 2])
def test_a_step_descends_the_mean_gradients_of_its_towers(num_towers, monkeypatch):
    monkeypatch.setattr(joint_minibatches, "INPUT_NOISE", 0.0)
    images = image_set()
    trainer = with_plain_descent(make_trainer(num_towers, images=images))
    noise, batch = fix_noise(trainer, 8), batch_of(images, 8)
    size = 8 // num_towers
    towers = [slice(i, i + size) for i in range(0, 8, size)]
    parts = [
        by_hand(
            trainer,
            {name: x[rows] for name, x in noise.items()},
            shuffled_batches.LabeledBatch(batch.images[rows], batch.labels[rows]),
        )
        for rows in towers
    ]
    before = values(trainer.discriminator), values(trainer.generator)

    step_losses = trainer.step(batch)

    expected = np.mean([[float(x) for x in losses] for losses, _, _ in parts], axis=0)
    np.testing.assert_allclose([float(x) for x in step_losses], expected, rtol=1e-9)
    players = (trainer.discriminator, trainer.generator)
    gradients_of_player = list(zip(*parts, strict=True))[1:]
    for player, old, gradients in zip(players, before, gradients_of_player, strict=True):
        for new, value, *of_towers in zip(values(player), old, *gradients, strict=True):
            np.testing.assert_allclose(
                value - new, np.mean(of_towers, axis=0), rtol=1e-7, atol=1e-12
            )


def test_towers_see_only_themselves():
    images = image_set()
    one, two = (make_trainer(towers, images=images) for towers in (1, 2))
    difference = float(one.step(batch_of(images, 8)).real) - float(
        two.step(batch_of(images, 8)).real
    )
    assert abs(difference) > 1e-5


def test_the_discriminators_input_is_noisy_and_the_noise_independent(monkeypatch):
    trainer, seen = make_trainer(), []
    tower_losses = trainer._tower_losses

    def record(real, generated, labels):
        seen.append((real.numpy(), generated.numpy()))
        return tower_losses(real, generated, labels)

    monkeypatch.setattr(trainer, "_tower_losses", record)
    images = image_set()
    noise = fix_noise(trainer, 16)
    generated = trainer.generator(noise).numpy()
    trainer.step(batch_of(images, 16))
    ((on_real, on_generated),) = seen
    of_real = on_real - (images.images[:16] / 127.5 - 1.0)
    of_generated = on_generated - generated
    for x in (of_real, of_generated):
        assert x.std() == pytest.approx(0.1, rel=0.02)
        assert x.mean() == pytest.approx(0.0, abs=0.002)
    assert abs(np.corrcoef(of_real.ravel(), of_generated.ravel())[0, 1]) < 0.02


def test_noise_is_uniform_between_minus_one_and_one_and_fresh():
    trainer = make_trainer()
    first, second = trainer.draw_noise(50), trainer.draw_noise(50)
    assert {name: x.shape for name, x in first.items()} == {
        name: (50, *x.shape[1:]) for name, x in trainer.generator.input.items()
    }
    everything = np.concatenate([x.numpy().ravel() for x in first.values()])
    assert -1.0 <= everything.min() < -0.999
    assert 0.999 < everything.max() < 1.0
    assert everything.var() == pytest.approx(1 / 3, rel=0.02)
    assert not np.array_equal(first["z"], second["z"])


def test_the_images_shown_are_of_the_noise_that_the_generator_is_trained_with():
    game = runs.ImagenetGame.__new__(runs.ImagenetGame)  # without a folder of images
    game.config, game.trainer = types.SimpleNamespace(seed=1), make_trainer()
    game.prepare()
    assert set(game.sample_noise) == set(game.trainer.generator.input)
    everything = np.concatenate([x.ravel() for x in game.sample_noise.values()])
    assert -1.0 <= everything.min() < -0.99
    assert 0.99 < everything.max() < 1.0


def test_both_players_use_tensorflows_adam_with_the_originals_settings():
    trainer = make_trainer()
    for optimizer in (trainer.discriminator_optimizer, trainer.generator_optimizer):
        assert type(optimizer) is keras.optimizers.Adam
        assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) == (0.5, 0.999, 1e-8)


def test_a_seed_decides_the_run():
    batch = batch_of(image_set(), 4)
    one, same, other = ([float(x) for x in make_trainer(seed=s).step(batch)] for s in (1, 1, 2))
    assert one == same
    assert one != other


def test_it_learns_to_tell_three_grey_levels_apart():
    trainer = make_trainer()
    errors = []
    for epoch in range(16):
        sums, done = trainer.train(shuffled_batches.ShuffledEpochs(32, 8, 1)(epoch), 2e-3)
        assert done == 4
        errors.append(sums.train_error / done)
    assert trainer.iterations() == 64
    # Over several epochs: the errors of single ones, on 32 images, go up and down.
    assert np.mean(errors[8:]) < 0.2 < errors[0]
    (run,) = trainer._graphs.values()
    assert run.experimental_get_tracing_count() == 1


def test_training_stops_at_a_loss_that_is_not_finite():
    trainer = make_trainer()
    trainer.generator.trainable_variables[0].assign(
        np.full(trainer.generator.trainable_variables[0].shape, np.nan)
    )
    sums, done = trainer.train(shuffled_batches.ShuffledEpochs(32, 8, 1)(0), 4e-4)
    assert done == 1
    assert np.isnan(sums.generator)
    assert any(name.startswith("generator.") for name in trainer.not_finite())

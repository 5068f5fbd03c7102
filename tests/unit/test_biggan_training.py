"""BigGAN's training step: the numbers of a plain loop, its schedule, its learning rates."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

import run_biggan
from improved_gan_tf import streams
from improved_gan_tf.data.device_images import DeviceImages
from improved_gan_tf.losses.orthogonal import orthogonal_regularization
from improved_gan_tf.networks import biggan_discriminator, biggan_generator, latents
from improved_gan_tf.runs import biggan as runs
from improved_gan_tf.training.biggan import BigganTrainer
from tests.support import noise_runs

BATCH, CLASSES, RATE, GENERATOR_RATE = 4, 3, 1e-3, 0.25
SHARED = {"shared_dim": 3, "hierarchical": True, "z_dim": 8}
IMAGES = np.random.RandomState(0).randint(0, 256, (16, 32, 32, 3)).astype("uint8")
LABELS = (np.arange(16) % CLASSES).astype("int32")


def players(**options):
    common = {"channels": 1, "num_classes": CLASSES}
    generator = biggan_generator(1, **common, **{"z_dim": 8, **options})
    return generator, biggan_discriminator(1, **common)


def trainer(options=None, **settings):
    return BigganTrainer(
        *players(**(options or {})),
        DeviceImages(IMAGES, LABELS, (127.5, 127.5)),
        num_classes=CLASSES,
        seed=1,
        generator_rate=GENERATOR_RATE,
        **settings,
    )


def rows(minibatches):
    """Row numbers of one iteration, an array for each minibatch."""
    return tuple(np.arange(i, i + BATCH)[None] for i in range(minibatches))


def by_hand(steps, accumulation, orthogonal_weight, options):
    """One iteration as in the original's code, without the trainer.

    Returns:
        `(generator, discriminator, mean discriminator loss, generator loss)`.
    """
    generator, discriminator = players(**options)
    seed = streams.step_noise(1)
    optimizers = [keras.optimizers.Adam(r, 0.0, 0.999, epsilon=1e-8) for r in (RATE, RATE / 4)]
    starts = iter(range(steps * accumulation))

    def draw():
        z = latents.normal((BATCH, 8), seed, keras.config.floatx())
        return {"z": z, "labels": keras.random.randint((BATCH,), 0, CLASSES, "int32", seed)}

    def discriminator_loss():
        taken = np.arange(BATCH) + next(starts)
        real = tf.constant((IMAGES[taken] - 127.5) / 127.5, keras.config.floatx())
        noise = draw()
        images = tf.concat([generator(noise, training=True), real], 0)
        labels = tf.concat([noise["labels"], LABELS[taken]], 0)
        scores = discriminator({"images": images, "labels": labels}, training=True)
        of_generated, of_real = scores[:BATCH], scores[BATCH:]
        return tf.reduce_mean(tf.nn.relu(1 - of_real)) + tf.reduce_mean(
            tf.nn.relu(1 + of_generated)
        )

    def generator_loss():
        noise = draw()
        images = generator(noise, training=True)
        batch = {"images": images, "labels": noise["labels"]}
        return -tf.reduce_mean(discriminator(batch, training=True))

    def update(player, optimizer, loss_of, penalty=lambda: 0.0):
        with tf.GradientTape() as tape:
            loss = sum(loss_of() for _ in range(accumulation)) / accumulation
            whole = loss + penalty()
        values = [v.value for v in player.trainable_variables]
        gradients = tape.gradient(whole, values, unconnected_gradients="zero")
        gradients = [tf.convert_to_tensor(g) for g in gradients]
        optimizer.apply(gradients, player.trainable_variables)
        return float(loss)

    def penalty():
        if not orthogonal_weight:
            return 0.0
        shared = [x for x in generator.layers if x.name == "shared"]
        return orthogonal_regularization(generator, orthogonal_weight, exclude=shared)

    losses = [update(discriminator, optimizers[0], discriminator_loss) for _ in range(steps)]
    last = update(generator, optimizers[1], generator_loss, penalty)
    return generator, discriminator, np.mean(losses), last


@pytest.mark.parametrize(
    ("steps", "accumulation", "orthogonal_weight", "options"),
    [(1, 1, 0.0, {}), (2, 1, 0.1, SHARED), (1, 2, 0.1, {}), (2, 2, 0.0, SHARED)],
)
@pytest.mark.usefixtures("float64")
def test_an_iteration_is_that_of_a_plain_loop(steps, accumulation, orthogonal_weight, options):
    generator, discriminator, *losses = by_hand(steps, accumulation, orthogonal_weight, options)
    trained = trainer(options, accumulation_steps=accumulation, orthogonal_weight=orthogonal_weight)
    tf.config.run_functions_eagerly(True)
    found, done = trained.train(rows(steps * accumulation), RATE)
    tf.config.run_functions_eagerly(False)
    assert done == trained.iterations() == 1
    assert int(trained.discriminator_optimizer.iterations) == steps
    np.testing.assert_allclose(found, losses, rtol=1e-10)
    for expected, player in (
        (generator, trained.generator),
        (discriminator, trained.discriminator),
    ):
        for one, other in zip(expected.weights, player.weights, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-12, err_msg=one.path)


def test_each_player_has_its_own_learning_rate():
    trained = trainer()
    trained.set_learning_rate(RATE)
    assert float(trained.discriminator_optimizer.learning_rate) == pytest.approx(RATE)
    assert float(trained.generator_optimizer.learning_rate) == pytest.approx(RATE / 4)


def test_the_average_follows_the_generator_and_starts_when_told():
    trained = trainer(averaging_decay=0.5, averaging_start=2)
    tf.config.run_functions_eagerly(True)
    weights = []
    for _ in range(2):
        trained.train(rows(1), RATE)
        weights.append([np.array(w) for w in trained.generator.weights])
    tf.config.run_functions_eagerly(False)
    for average, first, second in zip(trained.average.averages, *weights, strict=True):
        np.testing.assert_allclose(average, (first + second) / 2, rtol=1e-5, atol=1e-7)


def test_the_average_is_part_of_what_a_checkpoint_holds():
    names = trainer().state()
    assert sum(name.startswith("average.") for name in names) == len(players()[0].weights) + 1


def test_every_setting_of_a_run_reaches_its_trainer_and_samples_are_of_all_classes(monkeypatch):
    config = dataclasses.replace(
        run_biggan.EXPERIMENT,
        **{"dataset": "mnist", "channels": 1, "z_dim": 8, "batch_size": 20, "standing_batches": 2},
        **{"discriminator_steps": 1, "accumulation_steps": 2, "learning_rate": 0.001},
        **{"generator_learning_rate": 0.0002, "orthogonal_weight": 0.5},
        **{"averaging_decay": 0.75, "averaging_start": 3, "seed": 7},
    )
    given, make = {}, runs.BigganTrainer

    def making(*args, **kwargs):
        given.update(kwargs)
        return make(*args, **kwargs)

    monkeypatch.setattr(runs, "BigganTrainer", making)
    game = runs.BigganGame(config, noise_runs.images("mnist"))
    game.prepare()
    assert given.pop("generator_rate") == pytest.approx(0.2)
    assert given == {
        **{"num_classes": 10, "seed": 7, "accumulation_steps": 2, "orthogonal_weight": 0.5},
        **{"averaging_decay": 0.75, "averaging_start": 3},
    }
    assert len(game.standing_inputs) == 2
    drawn = np.concatenate([batch["labels"] for batch in game.standing_inputs])
    assert len(np.unique(drawn)) > 5


SMALL = dataclasses.replace(
    run_biggan.EXPERIMENT,
    **{"dataset": "mnist", "channels": 1, "z_dim": 8, "batch_size": 20, "standing_batches": 1},
    **{"discriminator_steps": 1, "accumulation_steps": 1, "learning_rate": 0.01},
    **{"averaging_decay": 0.5, "averaging_start": 0},
)


def test_other_images_labels_or_counts_are_other_circumstances():
    data = noise_runs.images("mnist")
    seen = [
        runs.BigganGame(SMALL, dataset).circumstances()
        for dataset in (
            data,
            data._replace(train_images=data.train_images[::-1].copy()),
            data._replace(train_labels=data.train_labels[::-1].copy()),
            noise_runs.images("mnist", train=60),
        )
    ]
    assert all(one != other for i, one in enumerate(seen) for other in seen[:i])
    assert seen[0] == runs.BigganGame(SMALL, noise_runs.images("mnist")).circumstances()


def test_the_generator_that_is_saved_has_the_averages():
    game = runs.BigganGame(SMALL, noise_runs.images("mnist"))
    game.prepare()
    game.trainer.train(game.epochs(0), 0.01)
    game.evaluate()
    saved, raw = game.models()["generator"], game.models()["generator_raw"]
    by_path = {w.path: np.array(w) for w in raw.trainable_weights}
    averages = [np.array(a) for a in game.trainer.average.averages]
    kernels = [w for w in saved.trainable_weights if w.path.endswith("kernel")]
    assert len(kernels) > 5
    for weight in kernels:
        found = np.array(weight)
        assert not np.array_equal(found, by_path[weight.path]), weight.path
        assert any(a.shape == found.shape and np.array_equal(a, found) for a in averages)

"""The training step of the ImageNet game: real and generated images in one joint batch.

Both players' gradients come from one forward pass with the same draws; then both are updated. The
batch is split into towers, the original's GPUs. Cross batch norm and minibatch discrimination see
the rows of one tower, and gradients are averaged over towers. The numbers do not depend on how many
devices share the towers.

Paper:    Salimans et al. (2016), Sec. 3.2, 3.4, 3.5, 6.4.
Original: openai/improved-gan@4f5d1ec, imagenet/build_model.py, `build_model`; imagenet/train.py.
"""

from typing import NamedTuple

import keras
import tensorflow as tf

from improved_gan_tf import distribution, losses
from improved_gan_tf.data import shuffled_batches
from improved_gan_tf.errors import UserError
from improved_gan_tf.layers.noise import standard_normal
from improved_gan_tf.losses.joint_minibatches import gan_logits, sigmoid_kl
from improved_gan_tf.networks.imagenet import INPUT_NOISE
from improved_gan_tf.precision import in_float32
from improved_gan_tf.training.trainer import GameTrainer

REAL_TARGET = 0.75  # one-sided label smoothing
GENERATOR_TARGET = 0.375  # D at the equilibrium under this smoothing


class JointLosses(NamedTuple):
    """Scalars of one iteration, or their sums or means over several iterations."""

    real: tf.Tensor
    generated: tf.Tensor
    classification: tf.Tensor
    generator: tf.Tensor
    train_error: tf.Tensor


class JointTrainer(GameTrainer):
    """The joint-minibatch game: a `GameTrainer` with towers.

    `train` takes one array of rows, numbers of images.

    Args:
        generator: model from a dict of noise in [-1, 1) to images.
        discriminator: model from a joint batch, real images first, to logits (2N, K + 1).
        image_set: `data.square_images.ImageSet`.
        seed: int, decides all noise.
        pixels: `(divisor, offset)`; pixels become `(byte - offset) / divisor`.
        num_towers: int >= 1, equal parts of the batch; images see only those of their own part.

    Raises:
        UserError: the devices cannot share the towers equally.
    """

    Losses = JointLosses

    def __init__(self, generator, discriminator, image_set, *, seed, pixels, num_towers):
        # TensorFlow's Adam, as in the original's ImageNet code: epsilon outside the root.
        super().__init__(
            generator,
            discriminator,
            generator_optimizer=keras.optimizers.Adam(0.0, beta_1=0.5, epsilon=1e-8),
            discriminator_optimizer=keras.optimizers.Adam(0.0, beta_1=0.5, epsilon=1e-8),
            seed=seed,
        )
        self._image_set = image_set
        self._pixels = pixels
        replicas = distribution.num_replicas()
        if num_towers % replicas:
            raise UserError(
                "`num_towers` must be a multiple of the number of devices, so that each device "
                f"has equally many. Received: num_towers={num_towers}, {replicas} devices."
            )
        self._towers_here = num_towers // replicas

    def feed(self, rows):
        """A prefetching iterator of the images."""
        (rows,) = rows
        return iter(shuffled_batches.batches(self._image_set, rows))

    def minibatch(self, feed, i):
        """The next images and their labels: bytes (N, size, size, 3), int32 (N,)."""
        return next(feed)

    def step_on(self, images, labels):
        """One iteration on this replica's share of the images."""
        return self.step(shuffled_batches.LabeledBatch(images, labels))

    def step(self, batch):
        """One iteration; returns its `JointLosses`, computed before the updates.

        Args:
            batch: `data.shuffled_batches.LabeledBatch`, this replica's share.
        """
        with self.discriminator_step(), self.generator_step():
            return self._both_players_step(batch)

    def _both_players_step(self, batch):
        divisor, offset = self._pixels
        real = (tf.cast(batch.images, keras.config.floatx()) - offset) / divisor
        noise = self.draw_noise(real.shape[0])
        noise_on_real, noise_on_generated = (
            INPUT_NOISE * self._draw(standard_normal, real.shape) for _ in range(2)
        )
        # D15: both players' gradients from one forward pass, before either is updated.
        with tf.GradientTape(persistent=True) as tape:
            # Rows are independent under virtual batch norm: one call serves all towers.
            generated = in_float32(self.generator(noise, training=True))
            whole = (real + noise_on_real, generated + noise_on_generated, batch.labels)
            towers = zip(*(tf.split(x, self._towers_here) for x in whole), strict=True)
            tower_losses = [self._tower_losses(*tower) for tower in towers]
            mean = JointLosses(*(tf.add_n(x) / len(x) for x in zip(*tower_losses, strict=True)))
            discriminator_loss = mean.real + mean.generated + mean.classification
            discriminator_loss, generator_loss = (
                scale.scaled(distribution.share_of_loss(loss))
                for scale, loss in (
                    (self.discriminator_loss_scale, discriminator_loss),
                    (self.generator_loss_scale, mean.generator),
                )
            )
        discriminator_gradients, generator_gradients = (
            scale.unscaled(tape.gradient(loss, [v.value for v in player.trainable_variables]))
            for scale, loss, player in (
                (self.discriminator_loss_scale, discriminator_loss, self.discriminator),
                (self.generator_loss_scale, generator_loss, self.generator),
            )
        )
        self.discriminator_optimizer.apply(
            discriminator_gradients, self.discriminator.trainable_variables
        )
        self.generator_optimizer.apply(generator_gradients, self.generator.trainable_variables)
        return mean

    def _tower_losses(self, real, generated, labels):
        """`JointLosses` of one tower: noisy images (n, H, W, 3) of either kind, labels (n,)."""
        outputs = self.discriminator(tf.concat([real, generated], axis=0), training=True)
        real_logits, generated_logits = tf.split(outputs["logits"], 2)
        odds_of_generated = gan_logits(generated_logits)
        return JointLosses(
            real=sigmoid_kl(gan_logits(real_logits), REAL_TARGET),
            generated=sigmoid_kl(odds_of_generated, 0.0),
            classification=losses.supervised_loss(real_logits, labels),
            generator=sigmoid_kl(odds_of_generated, GENERATOR_TARGET),
            train_error=losses.error_rate(real_logits, labels),
        )

    def draw_noise(self, count):
        """Draws the generator's inputs, U[-1, 1): a dict of (count, ...)."""

        def uniform(shape, dtype, seed):
            return keras.random.uniform(shape, -1.0, 1.0, dtype, seed)

        return {
            name: self._draw(uniform, (count, *x.shape[1:]))
            for name, x in self.generator.input.items()
        }

    def _draw(self, draw, shape):
        """Draws for the whole batch and returns this replica's rows."""
        return distribution.draw_for_batch(
            lambda shape, seed: draw(shape, keras.config.floatx(), seed), shape, self.noise_seed
        )

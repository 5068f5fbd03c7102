"""The training step of BigGAN: some steps of the discriminator, then one of the generator.

Every step draws new z and new labels. A discriminator step takes real and generated images as one
batch. The average of the generator's weights follows its step.

Paper:    Brock et al. (2019), Sec. 3 and App. C.
Original: ajbrock/BigGAN-PyTorch@9845943, train_fns.py, `GAN_training_function`.
"""

from typing import NamedTuple

import keras
import tensorflow as tf

from improved_gan_tf import distribution
from improved_gan_tf.losses.adversarial import hinge_discriminator_loss, hinge_generator_loss
from improved_gan_tf.losses.orthogonal import orthogonal_regularization
from improved_gan_tf.networks import latents
from improved_gan_tf.precision import in_float32
from improved_gan_tf.training.trainer import GameTrainer
from improved_gan_tf.training.weight_average import WeightAverage


class BigganLosses(NamedTuple):
    """Scalars of one iteration, each the mean over its steps, before the respective update."""

    discriminator: tf.Tensor
    generator: tf.Tensor  # without orthogonal regularisation


class BigganTrainer(GameTrainer):
    """BigGAN's game: a `GameTrainer` with class-conditional players.

    `train` takes an array of row numbers for each minibatch of an iteration: those of the first
    discriminator step, then those of the second, ...

    Args:
        generator: model of `{"z", "labels"}`, see `networks.biggan`.
        discriminator: model of `{"images", "labels"}`.
        images: `data.device_images.DeviceImages`, the training set.
        num_classes: int.
        seed: int, decides z and labels.
        generator_rate: float > 0, the generator's learning rate in units of the discriminator's.
        accumulation_steps: int >= 1, minibatches whose gradients are averaged for one step.
        orthogonal_weight: float >= 0, strength of orthogonal regularisation of the generator; its
            shared embedding is left out.
        averaging_decay: float in [0, 1), of the average of the generator's weights.
        averaging_start: int >= 0, first update that averages.

    Attributes:
        average: `WeightAverage` of the generator.
    """

    Losses = BigganLosses

    def __init__(
        self,
        generator,
        discriminator,
        images,
        *,
        num_classes,
        seed,
        generator_rate=1.0,
        accumulation_steps=1,
        orthogonal_weight=0.0,
        averaging_decay=0.9999,
        averaging_start=0,
    ):
        # Keras adds epsilon to the root of the uncorrected second moment, PyTorch to that of the
        # corrected one.
        super().__init__(
            generator,
            discriminator,
            generator_optimizer=keras.optimizers.Adam(0.0, 0.0, 0.999, epsilon=1e-8),
            discriminator_optimizer=keras.optimizers.Adam(0.0, 0.0, 0.999, epsilon=1e-8),
            seed=seed,
        )
        self._data = images
        self._num_classes = num_classes
        self._generator_rate = generator_rate
        self._accumulation_steps = accumulation_steps
        self._orthogonal_weight = orthogonal_weight
        self._not_regularized = [x for x in generator.layers if x.name == "shared"]
        self.average = WeightAverage(generator.weights, averaging_decay, averaging_start)

    def set_learning_rate(self, rate):
        """Gives the discriminator this learning rate (float), the generator its share of it."""
        self.discriminator_optimizer.learning_rate.assign(rate)
        self.generator_optimizer.learning_rate.assign(self._generator_rate * rate)

    def own_state(self):
        """The average of the generator's weights."""
        return {"average": [*self.average.averages, self.average.updates]}

    def iterations(self):
        """Number of iterations run so far (int): the steps of the generator."""
        return int(self.generator_optimizer.iterations.numpy())

    def step_on(self, *rows):
        """One iteration on this replica's share of the rows of every minibatch."""
        count = self._accumulation_steps
        steps = [rows[i : i + count] for i in range(0, len(rows), count)]
        discriminator = []
        for step in steps:
            with self.discriminator_step():
                discriminator.append(self._discriminator_step(step))
        with self.generator_step():
            generator = self._generator_step(rows[0].shape[0])
            self.average.update()
        return BigganLosses(tf.add_n(discriminator) / len(steps), generator)

    def _discriminator_step(self, minibatches):
        """One update of the discriminator; `minibatches` are arrays of row numbers (n,)."""
        variables = self.discriminator.trainable_variables

        def loss_of(rows):
            real = self._data.images(rows)
            real_labels = tf.cast(self._data.labels(rows), tf.int32)
            z, labels = self.draw(rows.shape[0])
            generated = in_float32(self.generator({"z": z, "labels": labels}, training=True))
            batch = {
                "images": tf.concat([tf.stop_gradient(generated), real], axis=0),
                "labels": tf.concat([labels, real_labels], axis=0),
            }
            scores = in_float32(self.discriminator(batch, training=True))
            generated_scores, real_scores = tf.split(scores, 2)
            return hinge_discriminator_loss(real_scores, generated_scores)

        loss, gradients = self._accumulated(
            loss_of, minibatches, variables, self.discriminator_loss_scale
        )
        self.discriminator_optimizer.apply(gradients, variables)
        return loss

    def _generator_step(self, count):
        """One update of the generator, on minibatches of `count` images."""
        variables = self.generator.trainable_variables

        def loss_of(count):
            z, labels = self.draw(count)
            images = in_float32(self.generator({"z": z, "labels": labels}, training=True))
            batch = {"images": images, "labels": labels}
            return hinge_generator_loss(in_float32(self.discriminator(batch, training=True)))

        minibatches = self._accumulation_steps * [count]
        loss, gradients = self._accumulated(
            loss_of, minibatches, variables, self.generator_loss_scale
        )
        if self._orthogonal_weight:
            with tf.GradientTape() as tape:
                penalty = distribution.share_of_loss(
                    orthogonal_regularization(
                        self.generator, self._orthogonal_weight, exclude=self._not_regularized
                    )
                )
            values = [v.value for v in variables]
            more = tape.gradient(penalty, values, unconnected_gradients="zero")
            gradients = [g + tf.convert_to_tensor(m) for g, m in zip(gradients, more, strict=True)]
        self.generator_optimizer.apply(gradients, variables)
        return loss

    def _accumulated(self, loss_of, minibatches, variables, loss_scale):
        """The mean loss of some minibatches, and the gradients of this replica's share of it."""
        losses, sums = [], None
        values = [v.value for v in variables]
        for minibatch in minibatches:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(values)
                loss = loss_of(minibatch)
                share = distribution.share_of_loss(loss) / len(minibatches)
                share = loss_scale.scaled(share)
            # Dense, as in the original: an embedding's gradient names only the rows that were used.
            gradients = [tf.convert_to_tensor(g) for g in tape.gradient(share, values)]
            if sums is not None:
                gradients = [s + g for s, g in zip(sums, gradients, strict=True)]
            sums = gradients
            losses.append(loss)
        return tf.add_n(losses) / len(losses), loss_scale.unscaled(sums)

    def draw(self, count):
        """Draws the generator's inputs: z of N(0, 1), (count, z_dim), and int32 labels (count,)."""
        z_dim = self.generator.input["z"].shape[1]

        def normal(shape, seed):
            return latents.normal(shape, seed, keras.config.floatx())

        def classes(shape, seed):
            return keras.random.randint(shape, 0, self._num_classes, "int32", seed)

        return (
            distribution.draw_for_batch(normal, (count, z_dim), self.noise_seed),
            distribution.draw_for_batch(classes, (count,), self.noise_seed),
        )

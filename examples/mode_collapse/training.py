"""One trial: both players move at once, a thousand steps in one call, an epoch.

Protocol: fjxmlzn/PacGAN, 2DGrid_GAN&PacGAN/pacgan_task.py, `create_main_loop`.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from examples.mode_collapse import networks, problems, techniques
from examples.mode_collapse.losses import losses
from improved_gan_tf import HistoricalAverage, initialize_from_data
from improved_gan_tf.training.adam import Adam
from improved_gan_tf.training.trainer import named_variables

NUM_EXAMPLES = 100_000
BATCH_SIZE = 100
STEPS_PER_EPOCH = NUM_EXAMPLES // BATCH_SIZE
NUM_SAMPLES = 2500
INITIALIZATION_SIZE = 500  # real examples for data-dependent initialisation, as in the paper's code
LEARNING_RATE, BETA_1 = 1e-4, 0.8
# Inside the root, where the published code's 1e-8 is outside it: the square.
ADAM_EPSILON = 1e-16

# What the seed of a trial is drawn for.
DATA, ORDER, REFERENCE, GENERATOR, DISCRIMINATOR, NOISE, SAMPLES = range(7)


class Epoch(NamedTuple):
    """What is recorded of an epoch.

    Attributes:
        discriminator_loss: float, nats, mean over the steps, without historical averaging.
        generator_loss: float, the same.
        modes: int, of the samples after the epoch.
        high_quality: float in [0, 1], the same.
        reverse_kl: float, nats, the same; NaN where no sample is of high quality.
        closeness_real: float or None, mean `o` of minibatch discrimination for a real batch.
        closeness_generated: float or None, the same for a generated batch.
    """

    discriminator_loss: float
    generator_loss: float
    modes: int
    high_quality: float
    reverse_kl: float
    closeness_real: float | None = None
    closeness_generated: float | None = None


class Trial:
    """A GAN in training.

    Args:
        settings: `techniques.Settings`.
        seed: int >= 0; it decides data, weights, order and noise.
        jit_compile: bool, whether XLA compiles the steps. It changes rounding.

    Attributes:
        generator: model, (N, 2) -> (N, 2).
        discriminator: model, (N, 2 * examples at once) -> logits (N, 1) and features (N, A).
        epochs: int, done so far; with it and `variables` a trial goes on elsewhere.
    """

    def __init__(self, settings, seed, jit_compile=True):
        self.settings = settings
        self.seed = seed
        self.problem = problems.PROBLEMS[settings.problem]
        self.epochs = 0
        self.data = tf.constant(self._packed_data())
        self._noise_key = int(self._random(NOISE).integers(2**31))
        reference = None
        if settings.technique == "virtual_batch_norm":
            shape = (techniques.REFERENCE_SIZE, networks.LATENT_SIZE)
            reference = self._random(REFERENCE).normal(size=shape).astype("float32")
        self.generator = networks.build_generator(settings, [seed, GENERATOR], reference)
        self.discriminator = networks.build_discriminator(settings, [seed, DISCRIMINATOR])
        if settings.technique == "minibatch_discrimination":
            initialize_from_data(self.discriminator, self.data[:INITIALIZATION_SIZE])
        # The part of the discriminator in front of minibatch discrimination, to watch the layer.
        self._closeness = networks.closeness_function(self.discriminator)

        self._players = [
            Player(model.trainable_variables, self._averaging_weight)
            for model in (self.discriminator, self.generator)
        ]
        self._steps = tf.function(self._several_steps, jit_compile=jit_compile)
        self._sample = tf.function(lambda z: self.generator(z, training=False))

    def variables(self):
        """Returns `{name: variable}` of all that training changes."""
        discriminator, generator = self._players
        return named_variables(
            {
                "discriminator": self.discriminator.variables,
                "generator": self.generator.variables,
                "discriminator_player": discriminator.state(),
                "generator_player": generator.state(),
            }
        )

    @property
    def _averaging_weight(self):
        is_on = self.settings.technique == "historical_averaging"
        return self.settings.historical_averaging_weight if is_on else 0.0

    def _random(self, purpose, *more):
        return np.random.default_rng([self.seed, purpose, *more])

    def _packed_data(self):
        """Returns the examples, packed ones side by side, (NUM_EXAMPLES, 2 * packed)."""
        random = self._random(DATA)
        examples = problems.real_examples(self.problem, NUM_EXAMPLES, random)
        packed = self.settings.packed
        if packed == 1:
            return examples
        rows = random.integers(NUM_EXAMPLES, size=(packed, NUM_EXAMPLES))
        return np.concatenate([examples[r] for r in rows], axis=1)

    def train_epoch(self, steps=STEPS_PER_EPOCH):
        """Trains once through the data in a new order and returns the `Epoch`.

        Args:
            steps: int > 0, fewer for a shorter epoch.
        """
        order = self._random(ORDER, self.epochs).permutation(NUM_EXAMPLES)
        rows = order[: steps * BATCH_SIZE].reshape(steps, BATCH_SIZE).astype("int32")
        first_step = tf.constant(self.epochs * STEPS_PER_EPOCH, tf.int32)
        losses = self._steps(tf.constant(rows), first_step).numpy() / steps
        self.epochs += 1
        samples = self.samples()
        closeness = [None, None]
        if self._closeness is not None:
            batches = (self.data[:BATCH_SIZE], samples[:BATCH_SIZE])
            closeness = [float(tf.reduce_mean(self._closeness(batch))) for batch in batches]
        measures = problems.measure(self.problem, samples)
        return Epoch(*map(float, losses), *measures, *closeness)

    def samples(self):
        """Returns NUM_SAMPLES samples (NUM_SAMPLES, 2), always of the same noise.

        Batch normalization uses its moving averages, as in the published code.
        """
        noise = self._random(SAMPLES).normal(size=(NUM_SAMPLES, networks.LATENT_SIZE))
        return self._sample(tf.constant(noise, tf.float32)).numpy()

    def _several_steps(self, rows, first_step):
        """Makes a step for each row (steps, BATCH_SIZE); returns the sums of both losses, (2,)."""
        totals = tf.zeros(2)
        for i in tf.range(tf.shape(rows)[0]):
            totals += self._step(tf.gather(self.data, rows[i]), first_step + i)
        return totals

    def _step(self, real, step):
        """Moves both players at once, down the gradients of one pair of batches."""
        packed = self.settings.packed
        noise = tf.random.stateless_normal(
            (packed, BATCH_SIZE, networks.LATENT_SIZE), tf.stack([self._noise_key, step])
        )
        with tf.GradientTape(persistent=True) as tape:
            generated = [self.generator(noise[i], training=True) for i in range(packed)]
            of_players = losses(
                self.settings, self.discriminator, real, tf.concat(generated, axis=1)
            )
        gradients = [
            tape.gradient(loss, player.variables)
            for player, loss in zip(self._players, of_players, strict=True)
        ]
        for player, gradient in zip(self._players, gradients, strict=True):
            player.move(gradient)
        return tf.stack(of_players)


class Player:
    """A network's variables, their optimizer and, with historical averaging, their past.

    Args:
        variables: list of variables.
        averaging_weight: float >= 0, of historical averaging; 0 for none.
    """

    def __init__(self, variables, averaging_weight):
        self.variables = variables
        self.optimizer = Adam(LEARNING_RATE, beta_1=BETA_1, epsilon=ADAM_EPSILON)
        self.optimizer.build(variables)
        self.averaging_weight = averaging_weight
        self.history = HistoricalAverage(variables) if averaging_weight else None

    def state(self):
        """Returns the variables of the optimizer and of historical averaging, a list."""
        return [*self.optimizer.variables, *(self.history.variables if self.history else ())]

    def move(self, gradients):
        """Makes one step; to the gradients comes that of historical averaging."""
        if self.history:
            self.history.update()
            pulls = self.history.gradients(self.averaging_weight)
            gradients = [g + pull for g, pull in zip(gradients, pulls, strict=True)]
        self.optimizer.apply(gradients, self.variables)

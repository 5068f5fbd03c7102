"""The training step of DCGAN's games: discriminator steps, then one generator step.

The objective and the tricks are parts made in the constructor; the step calls them in this order:

    clip the critic -> draw and generate -> replay -> instance noise -> judge -> penalty -> update

Sources: docs/value_functions.md for the objectives; Radford et al. (2016) for the game.
"""

from typing import NamedTuple

import keras
import tensorflow as tf

from improved_gan_tf import distribution, losses, streams
from improved_gan_tf.data import shuffled_batches
from improved_gan_tf.losses import adversarial
from improved_gan_tf.precision import in_float32
from improved_gan_tf.training.historical_averaging import HistoricalAverage
from improved_gan_tf.training.instance_noise import InstanceNoise
from improved_gan_tf.training.player_inputs import PlayerInputs
from improved_gan_tf.training.player_optimizers import player_optimizer
from improved_gan_tf.training.replay_buffer import ReplayBuffer
from improved_gan_tf.training.trainer import GameTrainer
from improved_gan_tf.training.value_functions import Balance, Energies, Scores


class AdversarialLosses(NamedTuple):
    """Scalars of one iteration, or their sums or means over several iterations.

    The discriminator's are means over its steps.
    """

    discriminator: tf.Tensor  # objective, penalty and what is told, without historical averaging
    generator: tf.Tensor
    penalty: tf.Tensor  # without its weight; 0 without one
    told: tf.Tensor  # the generator's part of ACGAN or InfoGAN; 0 without one
    output_real: tf.Tensor  # mean score, energy or reconstruction error
    output_generated: tf.Tensor
    gradient_norm_discriminator: tf.Tensor  # 0 for a step that float16 undid
    gradient_norm_generator: tf.Tensor


class AdversarialTrainer(GameTrainer):
    """DCGAN's game with any objective: a `GameTrainer`.

    `train` takes one array of rows, `discriminator_steps` batches for each iteration.

    Args:
        generator, discriminator: models of `networks.dcgan`, as the settings want them.
        image_set: `data.square_images.ImageSet`.
        config: `settings.dcgan.DcganConfig`.
        num_classes: int, of the images.
        epoch_iterations: int, iterations of an epoch.
    """

    Losses = AdversarialLosses
    measures = (
        *("output_real", "output_generated"),
        *("gradient_norm_discriminator", "gradient_norm_generator"),
    )

    def __init__(
        self, generator, discriminator, image_set, config, *, num_classes, epoch_iterations
    ):
        betas = config.beta_1, config.beta_2
        super().__init__(
            generator,
            discriminator,
            generator_optimizer=player_optimizer(config.generator_optimizer, *betas),
            discriminator_optimizer=player_optimizer(config.discriminator_optimizer, *betas),
            seed=config.seed,
        )
        self._image_set, self._config = image_set, config
        self._rate_of_discriminator = 1.0
        if config.discriminator_learning_rate is not None:
            self._rate_of_discriminator = config.discriminator_learning_rate / config.learning_rate
        self._inputs = PlayerInputs(
            config.conditional, num_classes, config.latent, config.latent_dim, self.noise_seed
        )
        self._judge = self._make_judge()
        self._histories = {
            player.name: HistoricalAverage(player.trainable_variables)
            for player in (generator, discriminator)
            if config.historical_averaging_weight
        }
        seeds = streams.adversarial_tricks(config.seed)
        noise_seed, replay_seed = seeds.next(), seeds.next()
        self._noise = self._replay = None
        if config.instance_noise is not None:
            start, end, epochs = config.noise_decay
            self._noise = InstanceNoise(start, end, epochs * epoch_iterations, noise_seed)
        if config.replay:
            self._replay = ReplayBuffer(self._first_images(config.replay), replay_seed)

    def _make_judge(self):
        config = self._config
        if config.objective == "ebgan":
            return Energies(config.margin, config.pull_away_weight)
        if config.objective == "began":
            return Balance(config.diversity_ratio)
        draws_targets = (config.targets, config.flip_rate) != (((1.0, 1.0), (0.0, 0.0)), 0.0)
        draw_targets = self._draw_targets if draws_targets else None
        return Scores(config.objective, config.least_squares_targets, draw_targets)

    def _first_images(self, count):
        """Images of the untrained generator, made in batches of the size of training."""
        size = self._config.batch_size
        inputs = (self._inputs.draw(tf.zeros(size, tf.int32)).inputs for _ in range(0, count, size))
        images = [in_float32(self.generator(x, training=True)) for x in inputs]
        return tf.concat(images, axis=0)[:count]

    def own_state(self):
        """BEGAN's k, histories, the noise's decay and the replay buffer, as far as they exist."""
        parts = {"objective": self._judge.state.values()}
        for player, history in self._histories.items():
            parts[f"{player}_history"] = history.state.values()
        for name, part in (("instance_noise", self._noise), ("replay", self._replay)):
            if part is not None:
                parts[name] = part.state.values()
        return parts

    def set_learning_rate(self, rate):
        """Sets both rates; the discriminator's keeps its ratio to the generator's."""
        self.generator_optimizer.learning_rate.assign(rate)
        self.discriminator_optimizer.learning_rate.assign(rate * self._rate_of_discriminator)

    def iterations(self):
        """Number of iterations run so far (int): the steps of the generator."""
        return int(self.generator_optimizer.iterations.numpy())

    # --- data ------------------------------------------------------------------------------

    def feed(self, rows):
        """A prefetching iterator of the images of whole iterations."""
        (rows,) = rows
        return iter(shuffled_batches.batches(self._image_set, rows))

    def minibatch(self, feed, i):
        """One batch for each discriminator step: bytes (N, H, W, C) of each, then labels (N,)."""
        images, labels = next(feed)
        steps = self._config.discriminator_steps
        return [*tf.split(images, steps), *tf.split(labels, steps)]

    def _draw(self, draw, *shape):
        """Draws for the whole batch and returns this replica's rows."""
        return distribution.draw_for_batch(
            lambda shape, seed: draw(shape, dtype=keras.config.floatx(), seed=seed),
            shape,
            self.noise_seed,
        )

    # --- one iteration ---------------------------------------------------------------------

    def step_on(self, *shares):
        """One iteration on this replica's share: images of each step, then their labels."""
        steps, (divisor, offset) = self._config.discriminator_steps, self._config.pixels
        judged = []
        for images, labels in zip(shares[:steps], shares[steps:], strict=True):
            real = (tf.cast(images, keras.config.floatx()) - offset) / divisor
            judged.append(self._discriminator_step(real, labels))
        means = [tf.add_n(values) / steps for values in zip(*judged, strict=True)]
        loss, penalty, output_real, output_generated, norm = means
        of_generator, told, judged_last, norm_of_generator = self._generator_step(real, labels)
        self._judge.finish(judged[-1][2], judged_last)
        if self._noise is not None:
            self._noise.advance()
        return AdversarialLosses(
            discriminator=loss,
            generator=of_generator,
            penalty=penalty,
            told=told,
            output_real=output_real,
            output_generated=output_generated,
            gradient_norm_discriminator=norm,
            gradient_norm_generator=norm_of_generator,
        )

    def _discriminator_step(self, real, labels):
        with self.discriminator_step():
            return self._discriminator_losses(real, labels)

    def _discriminator_losses(self, real, labels):
        self._clip()
        drawn = self._inputs.draw(labels)
        generated = in_float32(self.generator(drawn.inputs, training=True))
        if self._replay is not None:
            generated = self._replay.replay(generated)
        real, generated = self._noisy(real), self._noisy(generated)
        classes = labels if drawn.classes is None else drawn.classes
        with tf.GradientTape() as tape:
            outputs = self._outputs_of_both(real, generated, labels, classes)
            judged = self._judge.of_discriminator(real, generated, *outputs)
            loss, penalty = judged.loss, tf.zeros_like(judged.loss)
            told = self._inputs.told_by_discriminator(*outputs, labels, drawn)
            if told is not None:
                loss += told
            if self._config.penalty_weight is not None:
                penalty = self._penalty(real, generated, labels)
                loss += self._config.penalty_weight * penalty
            objective = loss + self._historical_penalty(self.discriminator)
            objective = self.discriminator_loss_scale.scaled(distribution.share_of_loss(objective))
        norm = self._update(
            tape,
            objective,
            self.discriminator,
            self.discriminator_optimizer,
            self.discriminator_loss_scale,
        )
        return loss, penalty, judged.real, judged.generated, norm

    def _generator_step(self, real, labels):
        with self.generator_step():
            return self._generator_losses(real, labels)

    def _generator_losses(self, real, labels):
        drawn = self._inputs.draw(labels)
        classes = labels if drawn.classes is None else drawn.classes
        if self._config.feature_matching:
            target = self._outputs(self._noisy(real), labels)["features"]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in self.generator.trainable_variables])
            generated = in_float32(self.generator(drawn.inputs, training=True))
            generated = self._noisy(generated)
            outputs = self._outputs(generated, classes)
            judged = self._judge.of_generator(generated, outputs)
            loss, told = judged.loss, self._inputs.told_of_generated(outputs, drawn)
            if self._config.feature_matching:
                loss = losses.feature_matching_l2(target, outputs["features"])
            if told is not None:
                loss += told
            objective = loss + self._historical_penalty(self.generator)
            objective = self.generator_loss_scale.scaled(distribution.share_of_loss(objective))
        norm = self._update(
            tape, objective, self.generator, self.generator_optimizer, self.generator_loss_scale
        )
        return loss, tf.zeros_like(loss) if told is None else told, judged.generated, norm

    # --- its parts -------------------------------------------------------------------------

    def _clip(self):
        """WGAN: every parameter of the critic back into [-c, c], before its step."""
        limit = self._config.weight_clip
        if limit is not None:
            for variable in self.discriminator.trainable_variables:
                variable.assign(tf.clip_by_value(variable.value, -limit, limit))

    def _noisy(self, images):
        return images if self._noise is None else self._noise(images)

    def _outputs(self, images, classes):
        given = self._inputs.of_discriminator(images, classes)
        outputs = self.discriminator(given, training=True)
        return {name: in_float32(output) for name, output in outputs.items()}

    def _outputs_of_both(self, real, generated, labels, classes):
        """The discriminator's outputs of either kind, in two calls or in one."""
        if self._config.separate_batches:
            return self._outputs(real, labels), self._outputs(generated, classes)
        with distribution.joint_minibatches(2):
            both = self._outputs(
                tf.concat([real, generated], axis=0), tf.concat([labels, classes], axis=0)
            )
        halves = {name: tf.split(output, 2) for name, output in both.items()}
        return tuple({name: half[i] for name, half in halves.items()} for i in range(2))

    def _penalty(self, real, generated, labels):
        """The gradient penalty of WGAN-GP, or that of DRAGAN as its authors' code has it."""
        alpha = self._draw(keras.random.uniform, real.shape[0])
        if self._config.objective == "wasserstein_gp":
            points = adversarial.interpolated_points(real, generated, alpha)
        else:
            noise = self._draw(keras.random.uniform, *real.shape)
            points = adversarial.dragan_points(real, alpha, noise)

        def critic(x):
            return self._outputs(x, labels)["scores"]

        return adversarial.gradient_penalty(adversarial.input_gradients(critic, points))

    def _draw_targets(self, count):
        """Targets for real and generated images, soft and flipped as the settings say."""
        real, generated = (
            adversarial.soft_targets(self._draw(keras.random.uniform, count), *interval)
            for interval in self._config.targets
        )
        if self._config.flip_rate:
            flips = self._draw(keras.random.uniform, count) < self._config.flip_rate
            real, generated = adversarial.flipped_targets(real, generated, flips)
        return real, generated

    def _historical_penalty(self, player):
        """Historical averaging's term in a player's loss; 0 without it."""
        history = self._histories.get(player.name)
        if history is None:
            return 0.0
        history.update()
        return self._config.historical_averaging_weight * history.penalty()

    def _update(self, tape, objective, player, optimizer, loss_scale):
        """Updates a player; returns the norm of the whole batch's gradient, 0 if it is undone."""
        variables = player.trainable_variables
        gradients = loss_scale.unscaled(tape.gradient(objective, [v.value for v in variables]))
        # A parameter that its own gradient does not need, like a critic's last kernel, could be
        # updated before it is read: TensorFlow's dependency optimizer loses their order.
        with tf.control_dependencies([objective]):
            gradients = [tf.identity(g) for g in gradients]
        decay = self._config.l2_weight
        if decay:
            gradients = [
                g + distribution.share_of_loss(decay * v.value)
                for g, v in zip(gradients, variables, strict=True)
            ]
        norm = tf.linalg.global_norm([distribution.sum_over_replicas(g) for g in gradients])
        optimizer.apply(gradients, variables)
        return loss_scale.zero_if_undone(norm)

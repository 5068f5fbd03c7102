"""The training step of the semi-supervised game.

One iteration is a discriminator step, then generator steps against the updated discriminator: one
with feature matching, three with minibatch discrimination.

Paper:    Salimans et al. (2016), Sec. 3.1, 3.2, 5.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*.py, `train_batch_disc`,
          `train_batch_gen` and the loop over `t`.
"""

from typing import NamedTuple

import keras
import tensorflow as tf

from improved_gan_tf import distribution, losses
from improved_gan_tf.layers.weight_norm import shared_norms
from improved_gan_tf.precision import in_float32, input_dtype
from improved_gan_tf.training.adam import Adam
from improved_gan_tf.training.historical_averaging import HistoricalAverage
from improved_gan_tf.training.parameter_average import ParameterAverage
from improved_gan_tf.training.trainer import GameTrainer

# The generator's loss: a distance of feature means, or None for the discriminator's own objective,
# negated.
GENERATOR_OBJECTIVES = {
    "feature_matching_l2": losses.feature_matching_l2,
    "feature_matching_l1": losses.feature_matching_l1,
    "saturating": None,
}


class StepLosses(NamedTuple):
    """Scalars of one iteration, or their sums or means over several iterations."""

    supervised: tf.Tensor
    unsupervised: tf.Tensor
    generator: tf.Tensor
    train_error: tf.Tensor


class Trainer(GameTrainer):
    """The semi-supervised game: a `GameTrainer` with parameter average and histories.

    `train` takes three arrays of rows: labeled, unlabeled, and unlabeled for the generator.

    Args:
        networks: `networks.Networks`.
        images: `data.device_images.DeviceImages`; None where batches are given to `one_iteration`.
        seed: int, decides the generator's input noise.
        generator_objective: key of `GENERATOR_OBJECTIVES`.
        generator_steps: int >= 1, generator steps per iteration, each with fresh noise.
        unlabeled_weight: float >= 0, factor of the unsupervised loss.
        supervised_weight: float >= 0, factor of the supervised loss.
        real_target: float in (0.5, 1], the discriminator's target for real images.
        generated_target: float in [0, 0.5), its target for generated images.
        historical_averaging_weight: float >= 0, factor of historical averaging in a player's loss.
        historical_averaging_players: "both", "discriminator" or "generator".
        averaging_rate: float in [0, 1], rate of the parameter average; 0 keeps none.
        supervised_only: bool, whether only the discriminator trains, on the supervised loss alone.
        cross_replica: "global" or "local", the scope of a batch on several devices for feature
            matching; layers of `networks` have their own setting.
    """

    Losses = StepLosses

    def __init__(
        self,
        networks,
        images,
        *,
        seed,
        generator_objective,
        generator_steps=1,
        unlabeled_weight=1.0,
        supervised_weight=1.0,
        real_target=1.0,
        generated_target=0.0,
        historical_averaging_weight=0.0,
        historical_averaging_players="both",
        averaging_rate=1e-4,
        supervised_only=False,
        cross_replica="global",
    ):
        generator, discriminator, self._couples_examples = networks
        super().__init__(
            generator,
            discriminator,
            generator_optimizer=Adam(learning_rate=0.0),
            discriminator_optimizer=Adam(learning_rate=0.0),
            seed=seed,
        )
        self._cross_replica = cross_replica
        self._data = images
        self._unlabeled_weight = unlabeled_weight
        self._supervised_weight = supervised_weight
        self._targets = (real_target, generated_target)
        self._feature_matching = GENERATOR_OBJECTIVES[generator_objective]
        self._generator_steps = generator_steps
        self._supervised_only = supervised_only
        self.average = None
        if averaging_rate:
            self.average = ParameterAverage(_parameters(self.discriminator), averaging_rate)
        self._historical_weight = historical_averaging_weight
        self.discriminator_history, self.generator_history = (
            HistoricalAverage(_parameters(player))
            if historical_averaging_weight and historical_averaging_players in ("both", name)
            else None
            for name, player in (
                ("discriminator", self.discriminator),
                ("generator", self.generator),
            )
        )

    def own_state(self):
        """The parameter average and the players' histories, if they are kept."""
        parts = {}
        if self.average is not None:
            parts["average"] = self.average.averages
        for player, history in (
            ("generator", self.generator_history),
            ("discriminator", self.discriminator_history),
        ):
            if history is not None:
                parts[f"{player}_history"] = history.state.values()
        return parts

    def copy_average_to(self, discriminator):
        """Gives a second discriminator the averaged parameters and the untrained scales."""
        self.average.copy_to(discriminator.trainable_variables)
        for target, source in zip(
            _fixed_weights(discriminator), _fixed_weights(self.discriminator), strict=True
        ):
            target.assign(source)

    def average_weight(self):
        """The share of its final weight that the zero-started average has, in [0, 1]; or None."""
        if self.average is None:
            return None
        return 1.0 - (1.0 - self.average.rate) ** self.iterations()

    def step_on(self, labeled_rows, unlabeled_rows, generator_rows):
        """One iteration on this replica's share of the rows."""
        batch = self._data.batch(labeled_rows, unlabeled_rows, generator_rows)
        return self.one_iteration(batch, in_loop=not self.jit_compile)

    def one_iteration(self, batch, in_loop=False):
        """One iteration, `step` or its baseline's with `supervised_only`; the same arguments."""
        return self._supervised_step(batch) if self._supervised_only else self.step(batch, in_loop)

    def step(self, batch, in_loop=False):
        """One iteration of the semi-supervised game; returns its `StepLosses`.

        As in the original, losses are computed before the respective update. They do not include
        historical averaging.

        Args:
            batch: `Batch`.
            in_loop: bool, whether a graph has one generator step in a loop, which is traced once.
                For XLA it should not: on a CPU its loop ran several times slower.
        """
        supervised, unsupervised, train_error = self._discriminator_step(batch)
        generator = distribution.mean_over_steps(
            lambda: self._generator_step(batch.unlabeled_for_generator),
            self._generator_steps,
            in_loop,
        )
        return StepLosses(supervised, unsupervised, generator, train_error)

    def _discriminator_step(self, batch):
        with self.discriminator_step():
            return self._discriminator_losses(batch)

    def _discriminator_losses(self, batch):
        generated = self.generator(self.draw_z(batch.unlabeled.shape[0]), training=True)
        with tf.GradientTape() as tape:
            labeled, unlabeled, fake = self._logits(batch.labeled, batch.unlabeled, generated)
            # The data set's labels were checked when it was loaded.
            supervised = losses.supervised_loss(labeled, batch.labels, check_labels=False)
            unsupervised = losses.unsupervised_loss(unlabeled, fake, *self._targets)
            loss = self._unlabeled_weight * unsupervised
            if self._supervised_weight:
                loss += self._supervised_weight * supervised
            loss += self._historical_penalty(self.discriminator_history)
            loss = self.discriminator_loss_scale.scaled(distribution.share_of_loss(loss))
        self._update_discriminator(tape, loss)
        return supervised, unsupervised, losses.error_rate(labeled, batch.labels)

    def _logits(self, *minibatches):
        """Logits of each minibatch in training mode."""
        if self._couples_examples:  # minibatch discrimination: each minibatch separately
            return [self.discriminator(images, training=True)["logits"] for images in minibatches]
        # D6: as one batch; equal up to rounding, with larger matrix products.
        with distribution.joint_minibatches(len(minibatches)):
            images = tf.concat([in_float32(x) for x in minibatches], axis=0)
            logits = self.discriminator(images, training=True)["logits"]
        return tf.split(logits, [images.shape[0] for images in minibatches])

    @shared_norms.shared_norms()  # the discriminator does not change here
    def _generator_step(self, real):
        with self.generator_step():
            return self._generator_loss(real)

    def _generator_loss(self, real):
        if self._feature_matching:
            target = self.discriminator(real, training=True)["features"]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            variables = self.generator.trainable_variables
            tape.watch([v.value for v in variables])
            generated = self.generator(self.draw_z(real.shape[0]), training=True)
            outputs = self.discriminator(generated, training=True)
            if self._feature_matching:
                loss = self._feature_matching(target, outputs["features"], self._cross_replica)
            else:
                loss = losses.saturating_generator_loss(outputs["logits"])
            objective = loss + self._historical_penalty(self.generator_history)
            objective = self.generator_loss_scale.scaled(distribution.share_of_loss(objective))
        gradients = tape.gradient(objective, [v.value for v in variables])
        self.generator_optimizer.apply(self.generator_loss_scale.unscaled(gradients), variables)
        return loss

    def _historical_penalty(self, history):
        """Historical averaging's term in a player's loss; 0 without it."""
        if history is None:
            return 0.0
        history.update()
        return self._historical_weight * history.penalty()

    def _supervised_step(self, batch):
        with self.discriminator_step():
            return self._supervised_losses(batch)

    def _supervised_losses(self, batch):
        with tf.GradientTape() as tape:
            logits = self.discriminator(batch.labeled, training=True)["logits"]
            supervised = losses.supervised_loss(logits, batch.labels, check_labels=False)
            loss = supervised + self._historical_penalty(self.discriminator_history)
            loss = self.discriminator_loss_scale.scaled(distribution.share_of_loss(loss))
        self._update_discriminator(tape, loss)
        nothing = tf.zeros_like(supervised)
        error = losses.error_rate(logits, batch.labels)
        return StepLosses(supervised, nothing, nothing, error)

    def _update_discriminator(self, tape, loss):
        variables = self.discriminator.trainable_variables
        gradients = tape.gradient(loss, [v.value for v in variables])
        gradients = self.discriminator_loss_scale.unscaled(gradients)
        if self.average is not None:
            # D4: before the optimizer: the average takes the old parameters.
            self.average.update()
        self.discriminator_optimizer.apply(gradients, variables)

    def draw_z(self, count):
        """Draws the generator's input, U[0, 1), (count, Z); Z is 100 in the paper's networks."""
        dtype = input_dtype(self.generator)
        return distribution.draw_for_batch(
            lambda shape, seed: keras.random.uniform(shape, dtype=dtype, seed=seed),
            (count, *self.generator.inputs[0].shape[1:]),
            self.noise_seed,
        )


def _parameters(model):
    """A model's parameters, those of frozen layers too: a layer may be frozen, or no longer, later.

    Where none is frozen they are the `trainable_variables`, in their order.
    """
    own = {id(v) for layer in model._flatten_layers() for v in layer._trainable_variables}
    return [v for v in model.variables if id(v) in own]


def _fixed_weights(model):
    return [w for w in model.weights if not w.trainable]

"""The base of every game's trainer: many iterations per call, named state, finiteness checks."""

import abc
import re

import tensorflow as tf

from improved_gan_tf import distribution, streams
from improved_gan_tf.training.loss_scale import loss_scale_for


class GameTrainer(abc.ABC):
    """Two players, their optimizers and their noise; runs iterations. Each game is a subclass.

    A new game must define

    - `Losses`, the NamedTuple of one iteration's losses, scalars;
    - `step_on(*shares)`, one iteration on this replica's rows of a minibatch, which returns its
      `Losses`; their mean over replicas is the batch's. Each player's step is inside
      `discriminator_step()` or `generator_step()` and passes its loss and its gradients through
      `discriminator_loss_scale` or `generator_loss_scale`;

    and may override

    - `feed(rows)` and `minibatch(feed, i)`, which bring an iteration's data into the graph;
    - `own_state()`, the game's variables in addition to those of every game;
    - `set_learning_rate(rate)`, if the players' rates differ;
    - `iterations()`, if the discriminator makes more than one step per iteration.

    Make trainer, players and data in the scope of one strategy; each replica then takes its share
    of every batch.

    Args:
        generator: model from noise to images.
        discriminator: model of images.
        generator_optimizer: Keras optimizer of the generator; `train` sets its learning rate.
        discriminator_optimizer: Keras optimizer of the discriminator.
        seed: int, decides the noise that the game draws with `noise_seed`.

    Attributes:
        jit_compile: bool, whether XLA compiles the iteration, on one device. Set it before the
            first call of `train`. XLA draws other random numbers from the same seeds.
    """

    Losses: type
    # Fields of `Losses` that are no losses; metrics name them without `loss_`.
    measures = ("train_error",)

    def __init__(
        self, generator, discriminator, *, generator_optimizer, discriminator_optimizer, seed
    ):
        self.generator, self.discriminator = generator, discriminator
        self.use_optimizers(generator_optimizer, discriminator_optimizer)
        self.noise_seed = streams.step_noise(seed)
        # Each loss passes through both players, or may.
        self.generator_loss_scale, self.discriminator_loss_scale = (
            loss_scale_for((generator, discriminator), f"{player}_loss_scale")
            for player in ("generator", "discriminator")
        )
        self.jit_compile = False
        self._strategy = distribution.current_strategy()
        self._graphs = {}  # input specs except their length -> `_run` as a graph

    # --- defined by each game --------------------------------------------------------------

    @abc.abstractmethod
    def step_on(self, *shares):
        """One iteration on this replica's rows from `minibatch`; returns its `Losses`."""

    def feed(self, rows):
        """The input of one call's iterations, for `minibatch`: here the row numbers themselves.

        Args:
            rows: integer arrays (iterations, batch_size).

        Returns:
            Tuple of tensors whose first axis is the iteration, or of `tf.data` iterators.
        """
        return tuple(tf.constant(r, tf.int32) for r in rows)

    def minibatch(self, feed, i):
        """The data of the call's iteration `i`, in the graph: tensors of batch_size rows each."""
        return [r[i] for r in feed]

    def own_state(self):
        """`{part: variables}` of this game in addition to players, optimizers and noise.

        Checkpoints contain these names, so they must not change.
        """
        return {}

    # --- common to all games ---------------------------------------------------------------

    def discriminator_step(self):
        """The context of a discriminator's step, which undoes it if its gradients do not fit."""
        return self._step_of(
            self.discriminator, self.discriminator_optimizer, self.discriminator_loss_scale
        )

    def generator_step(self):
        """The context of a generator's step, which undoes it if its gradients do not fit."""
        return self._step_of(self.generator, self.generator_optimizer, self.generator_loss_scale)

    def _step_of(self, player, optimizer, loss_scale):
        own = [variable for variables in self.own_state().values() for variable in variables]
        return loss_scale.step([*player.trainable_variables, *optimizer.variables, *own])

    def train(self, rows, learning_rate, sums=None):
        """Runs one iteration for each row and stops early when a loss is not finite.

        Args:
            rows: integer arrays (iterations, batch_size), as the game's epochs give them.
            learning_rate: float, for both players (or as `set_learning_rate` has it).
            sums: `Losses` of floats, sums over earlier iterations to add to; zeros if None.

        Returns:
            `(Losses, int)`: sums of floats, and the number of iterations run. Losses are added one
            by one in float64; an epoch's sums are the same bits however it is split into calls.
            If fewer iterations ran than asked, or sums are not finite, the last iteration's losses
            were not finite.
        """
        self.set_learning_rate(learning_rate)
        if sums is None:
            sums = [0.0] * len(self.Losses._fields)
        feed, total = self.feed(rows), tf.constant(len(rows[0]))
        sums = self.Losses(*(tf.constant(s, tf.float64) for s in sums))
        sums, iterations = self._graph_for(feed, total, sums)(feed, total, sums)
        return self.Losses(*map(float, sums)), int(iterations)

    def set_learning_rate(self, rate):
        """Gives both optimizers this learning rate (float)."""
        for optimizer in (self.discriminator_optimizer, self.generator_optimizer):
            optimizer.learning_rate.assign(rate)

    def state(self):
        """Every variable that training reads and changes, for a checkpoint.

        Returns:
            `{name: variable}`, with the same names in every process.
        """
        return named_variables(
            {
                # `variables`, not `weights`: they include the states of noise and dropout.
                "generator": self.generator.variables,
                "discriminator": self.discriminator.variables,
                "generator_optimizer": self.generator_optimizer.variables,
                "discriminator_optimizer": self.discriminator_optimizer.variables,
                "noise": [self.noise_seed.state],
                "generator_loss_scale": self.generator_loss_scale.state,
                "discriminator_loss_scale": self.discriminator_loss_scale.state,
                **self.own_state(),
            }
        )

    def use_optimizers(self, generator, discriminator):
        """Takes these Keras optimizers from now on, and makes their variables."""
        self.generator_optimizer, self.discriminator_optimizer = generator, discriminator
        generator.build(self.generator.trainable_variables)
        discriminator.build(self.discriminator.trainable_variables)

    def not_finite(self):
        """Names of the variables in `state` that hold a NaN or an infinite number."""
        return names_of_not_finite(self.state())

    def iterations(self):
        """Number of iterations run so far (int): the steps of the discriminator."""
        return int(self.discriminator_optimizer.iterations.numpy())

    def _graph_for(self, *inputs):
        """`_run` as one graph for any number of iterations, because tracing is slow."""
        signature = tf.nest.map_structure(_spec_of_any_length, inputs)
        key = tuple(tf.nest.flatten(signature))
        if key not in self._graphs:
            # Without AutoGraph: rewriting Python took a third of the tracing, and nothing needs it.
            self._graphs[key] = tf.function(self._run, input_signature=signature, autograph=False)
        return self._graphs[key]

    def _run(self, feed, total, sums):
        step = self._replica_step
        if self.jit_compile:  # the iteration, not the loop, whose length would be compiled in
            step = tf.function(step, jit_compile=True, autograph=False)

        def losses_of(i):
            minibatch = self.minibatch(feed, i)
            return distribution.run_step(self._strategy, step, *minibatch)

        return add_while_finite(losses_of, total, sums)

    def _replica_step(self, *minibatch):
        """One iteration on this replica's share; returns the batch's losses."""
        shares = [distribution.own_rows(x) for x in minibatch]
        return distribution.mean_over_replicas(self.step_on(*shares))


def _spec_of_any_length(x):
    """The `tf.TypeSpec` of an input with rows for any number of iterations."""
    if not tf.is_tensor(x):
        return tf.type_spec_from_value(x)
    return tf.TensorSpec((None, *x.shape[1:]) if x.shape.rank else (), x.dtype)


def add_while_finite(losses_of, total, sums):
    """Runs iterations one after the other in a graph; stops when a loss is not finite.

    Args:
        losses_of: function that runs the iteration with a given number, a scalar tensor, and
            returns a NamedTuple of losses.
        total: scalar tensor, number of iterations.
        sums: the same NamedTuple of scalar tensors, to which the losses are added.

    Returns:
        `(sums, iterations run)`.
    """

    def finite(i, sums):
        return tf.logical_and(i < total, tf.reduce_all(tf.math.is_finite(tf.stack(sums))))

    def iterate(i, sums):
        added = (s + tf.cast(x, s.dtype) for s, x in zip(sums, losses_of(i), strict=True))
        return i + 1, type(sums)(*added)

    i, sums = tf.while_loop(finite, iterate, (0, sums), parallel_iterations=1)
    return sums, i


def named_variables(parts):
    """`{name: variable}` of `{part: variables}`, with the same names in every process."""
    return {
        f"{part}.{index:03d}.{_without_count(variable.name)}": variable
        for part, variables in parts.items()
        for index, variable in enumerate(variables)
    }


def names_of_not_finite(variables):
    """Names of the variables of `{name: variable}` that hold a NaN or an infinite number."""
    return [
        name
        for name, variable in variables.items()
        if tf.as_dtype(variable.dtype).is_floating
        and not tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(variable)))
    ]


def _without_count(name):
    """A name without its scope and the numbers that Keras adds to several objects of a kind."""
    return re.sub(r"_\d+(?=_|$)", "", name.split("/")[-1])

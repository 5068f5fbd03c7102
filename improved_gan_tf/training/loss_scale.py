"""Loss scaling, by which gradients fit float16; a step whose gradients do not is left out.

float16 has no numbers below 6e-8 and none above 65,504. A player's loss is multiplied by a scale,
and its gradients are divided by it in float32. The scale doubles after 2,000 steps that fit and
halves after one that does not, as in Keras's `LossScaleOptimizer`. That class asks one replica
whether the gradients fit, and knows nothing of a parameter average: hence this one.

Source: Micikevicius et al. (2018), Mixed Precision Training, Sec. 3.2.
"""

import contextlib
import threading

import keras
import tensorflow as tf

from improved_gan_tf import distribution
from improved_gan_tf.training.layer_state import add_state, state_variable

INITIAL_SCALE = 2.0**15
STEPS_TO_DOUBLE = 2000
SMALLEST_SCALE = 2.0**-24


class LossScale(keras.layers.Layer):
    """Scales one player's loss, and undoes its step unless every gradient is finite.

    In a player's step, on every replica:

        with loss_scale.step(variables):
            ...
            loss = loss_scale.scaled(loss)                       # in the tape
            gradients = loss_scale.unscaled(tape.gradient(loss, ...))
            optimizer.apply(gradients, ...)

    Attributes:
        scale: float32 scalar variable. It is NaN, which stops a run, once it would have to fall
            below 2^-24: then no scale helps.
        fitting_steps: int32 scalar variable, steps that fitted since it last changed.
    """

    def __init__(self, name=None):
        super().__init__(name=name, dtype="float32")
        initial = keras.initializers.Constant(INITIAL_SCALE)
        add_state(self, "loss_scale", (), "float32", initial)
        add_state(self, "loss_scale_fitting_steps", (), "int32")
        self.built = True
        # Of the step under way, from `unscaled` to the end of `step`. Replicas are threads.
        self._under_way = threading.local()

    @property
    def scale(self):
        """The factor of the loss."""
        return state_variable(self, "loss_scale")

    @property
    def fitting_steps(self):
        """The number of steps that fitted since the scale changed."""
        return state_variable(self, "loss_scale_fitting_steps")

    @property
    def state(self):
        """The variables that a checkpoint has to hold."""
        return [self.scale, self.fitting_steps]

    def value(self):
        """The factor of the loss as it is now, a scalar; a step that does not fit halves it."""
        return self.scale + 0.0

    def scaled(self, loss):
        """The loss times the scale, a scalar."""
        return loss * tf.cast(self.scale, loss.dtype)

    def unscaled(self, gradients):
        """The gradients divided by the scale; those of all replicas decide whether they fit."""
        gradients = [None if g is None else g / tf.cast(self.scale, g.dtype) for g in gradients]
        not_finite = [
            tf.reduce_any(tf.logical_not(tf.math.is_finite(g))) for g in gradients if g is not None
        ]
        # A player that is frozen whole has no gradient.
        count = tf.add_n([tf.zeros(()), *(tf.cast(n, tf.float32) for n in not_finite)])
        self._under_way.finite = tf.equal(distribution.sum_over_replicas(count), 0.0)
        return gradients

    def zero_if_undone(self, measure):
        """A scalar measure of a step's gradients, after `unscaled`; 0 where the step is undone.

        Gradients that do not fit have no finite norm, and would look like a game that diverged.
        """
        return tf.where(self._under_way.finite, measure, tf.zeros_like(measure))

    @contextlib.contextmanager
    def step(self, variables):
        """Undoes what the block does to `variables` unless the gradients of all replicas fit.

        The block calls `unscaled` once.
        """
        before = [(_handle(v), tf.identity(tf.convert_to_tensor(v))) for v in variables]
        yield
        finite = self._under_way.finite
        del self._under_way.finite
        tf.cond(finite, lambda: finite, lambda: _assigned(before, finite))
        self._move(finite)

    def _move(self, finite):
        """Doubles or halves the scale, or lets it be, after a step that fitted or did not."""
        scale, steps = self.value(), self.fitting_steps + 1
        doubles = tf.equal(steps, STEPS_TO_DOUBLE)
        if_fitted = tf.where(doubles, 2.0 * scale, scale)
        if_not = tf.where(scale > SMALLEST_SCALE, 0.5 * scale, float("nan"))
        self.scale.assign(tf.where(finite, if_fitted, if_not))
        restarts = tf.logical_or(doubles, tf.logical_not(finite))
        self.fitting_steps.assign(tf.where(restarts, 0, steps))


class NoLossScale:
    """The interface of `LossScale` for precisions that need none: it changes nothing."""

    state = ()

    def value(self):
        """1."""
        return tf.constant(1.0)

    def scaled(self, loss):
        """The loss."""
        return loss

    def unscaled(self, gradients):
        """The gradients."""
        return gradients

    def zero_if_undone(self, measure):
        """The measure."""
        return measure

    def step(self, variables):
        """A context that does nothing."""
        return contextlib.nullcontext()


def loss_scale_for(players, name):
    """A `LossScale` if a layer of the players computes in float16, else a `NoLossScale`.

    The layers say so, not the policy of the program: that may be another one where models are
    loaded from a file.

    Args:
        players: iterable of models or layers.
        name: str, of the `LossScale`.
    """
    layers = (layer for player in players for layer in player._flatten_layers())
    is_needed = any(layer.compute_dtype == "float16" for layer in layers)
    return LossScale(name) if is_needed else NoLossScale()


def _assigned(values, result):
    """Assigns `[(resource, value)]` and returns `result`.

    Each replica assigns to its own copy; a variable's `assign` would take the mean of all.
    """
    for handle, value in values:
        tf.raw_ops.AssignVariableOp(resource=handle, value=value)
    return tf.identity(result)


def _handle(variable):
    """The resource of a Keras or TensorFlow variable, on this replica."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle

"""Historical averaging: a player pays for moving away from the mean of its own past.

Paper:    Salimans et al. (2016), Sec. 3.3.
Original: not in the authors' code.
"""

from types import SimpleNamespace

import keras
from keras import ops

from improved_gan_tf.machine.copies import assign_copy
from improved_gan_tf.precision import at_least_float32
from improved_gan_tf.training.layer_state import (
    add_state,
    copy_of,
    require_floating_variables,
    state_variable,
)


class HistoricalAverage(keras.layers.Layer):
    """Keeps the mean of all past values of parameters, and the penalty for leaving it.

        penalty = || theta[t] - mean[t] ||^2,    mean[t] = (1/t) sum_{i=1..t} theta[i]

    theta[i] is the value with which step i begins, so theta[t] is the present one: it is in the
    mean, the first step's penalty is 0, and where the parameters stand still it fades like 1/t.
    Gradients flow through the parameters only; the mean is a constant:

        gradient = 2 (theta[t] - mean[t])

    The mean is updated online, `mean += (theta - mean) / t`. Where a parameter is within 1 % of its
    mean, that increment is less than half a unit in the mean's last place after some 170,000 steps:
    in float32 the mean would stop moving. So it is kept as a sum of two numbers,
    `mean + remainder`, and every addition's rounding error goes into the second one (a compensated
    sum). Its error then stays far below float32's resolution; it costs the memory of a float64
    mean, and runs where there is no float64 (TPUs).

    Use: once in every step of the player, before the optimizer moves the parameters.

        history.update()
        with tf.GradientTape() as tape:
            loss = ... + weight * history.penalty()
        optimizer.apply(tape.gradient(loss, variables), variables)

    With several replicas each one does this on its own copy; since the parameters are the same
    on all of them, so are the means, and nothing is communicated.

    It is a Keras layer without inputs, whose weights are count, means and remainders. As an
    attribute of a model it is saved and restored with the model's weights, as `ParameterAverage`
    is; not as `model.history`, which `fit` overwrites. `fit` also compiles and differentiates both
    lines in the `compute_loss` of a model that holds it, on every backend (`if training`).

    Args:
        variables: the player's trainable variables (of Keras or TensorFlow), in a fixed order. One
            object for each player: both make steps of their own.
        name: str.

    Raises:
        ValueError: there are no variables.

    Attributes (each variable a `tf.Variable`, on JAX and PyTorch a `keras.Variable`):
        parameters: list of the variables given.
        count: integer scalar, t, the number of updates so far.
        means: list of variables, shapes of `parameters`, at least float32.
        remainders: list of variables, what the means are short of, the same shapes and dtypes.

    Example:

    >>> theta = keras.Variable([1.0, 5.0])
    >>> history = HistoricalAverage([theta])
    >>> history.update()
    >>> _ = theta.assign([3.0, 5.0])
    >>> history.update()
    >>> ops.convert_to_numpy(history.means[0]).tolist(), float(history.penalty())
    ([2.0, 5.0], 1.0)
    >>> ops.convert_to_numpy(history.gradients()[0]).tolist()
    [2.0, 0.0]

    References:
        Paper: Salimans et al. (2016), Sec. 3.3.
    """

    # D11: the paper leaves open whether the present value is one of the past ones; here it is.
    def __init__(self, variables, name=None):
        variables = list(variables)
        if not variables:
            raise ValueError(
                "`HistoricalAverage` needs at least one variable; a model has its variables once "
                "it is built. Received: variables=[]"
            )
        require_floating_variables(variables)
        super().__init__(name=name)
        # In a namespace Keras does not see them: they are the player's weights, not this layer's.
        self._given = SimpleNamespace(variables=variables)
        add_state(self, "historical_count", (), "int")
        for i, theta in enumerate(self._values()):
            shape, dtype = tuple(theta.shape), keras.backend.standardize_dtype(theta.dtype)
            add_state(self, f"historical_mean_{i}", shape, dtype, copy_of(theta))
            add_state(self, f"historical_remainder_{i}", shape, dtype)
        self.built = True

    @property
    def parameters(self):
        """The variables given to the constructor."""
        return self._given.variables

    @property
    def count(self):
        """t, the number of updates so far."""
        return state_variable(self, "historical_count")

    @property
    def means(self):
        """The means, in the order of `parameters`, each without its remainder."""
        return [state_variable(self, f"historical_mean_{i}") for i in range(len(self.parameters))]

    @property
    def remainders(self):
        """What the means are short of."""
        return [
            state_variable(self, f"historical_remainder_{i}") for i in range(len(self.parameters))
        ]

    @property
    def state(self):
        """`{name: variable}` of everything that a checkpoint has to hold."""
        named = {"count": self.count}
        for i, (mean, remainder) in enumerate(zip(self.means, self.remainders, strict=True)):
            named |= {f"mean_{i}": mean, f"remainder_{i}": remainder}
        return named

    def begin(self):
        """Lets the past begin with the parameters' present values, as in a new object.

        Call it where parameters were changed between construction and the first step, by
        `initialize_from_data` for instance.
        """
        self.count.assign(0)
        for theta, mean, remainder in zip(self._values(), self.means, self.remainders, strict=True):
            assign_copy(mean, theta)
            remainder.assign(ops.zeros_like(theta))

    def update(self):
        """Takes the parameters' present values into the mean: the first thing in a step."""
        self.count.assign_add(1)
        for theta, mean, remainder in zip(self._values(), self.means, self.remainders, strict=True):
            count = ops.cast(self.count, theta.dtype)
            total, rounding_error = moved_mean(theta, mean, remainder, count)
            mean.assign(total)
            remainder.assign(rounding_error)

    def penalty(self):
        """`sum (theta - mean)^2` over all parameters: a scalar >= 0, the means' widest dtype."""
        sums = [ops.sum(ops.square(d)) for d in self._deviations()]
        dtypes = [keras.backend.standardize_dtype(s.dtype) for s in sums]
        widest = "float64" if "float64" in dtypes else "float32"
        return _added([ops.cast(s, widest) for s in sums])

    def gradients(self, weight=1.0):
        """The gradients of `weight * penalty()`, without a tape: `2 weight (theta - mean)`.

        Args:
            weight: float >= 0.

        Returns:
            List of tensors, shapes and dtypes of `parameters`; add them to those of the loss.
        """
        return [
            ops.cast(2.0 * weight * d, keras.backend.standardize_dtype(parameter.dtype))
            for d, parameter in zip(self._deviations(), self.parameters, strict=True)
        ]

    def _values(self):
        """The parameters, in float32 if they are less precise."""
        values = [ops.convert_to_tensor(parameter) for parameter in self.parameters]
        dtypes = [keras.backend.standardize_dtype(value.dtype) for value in values]
        return [ops.cast(v, at_least_float32(d)) for v, d in zip(values, dtypes, strict=True)]

    def _deviations(self):
        return [
            (theta - ops.stop_gradient(mean)) - ops.stop_gradient(remainder)
            for theta, mean, remainder in zip(
                self._values(), self.means, self.remainders, strict=True
            )
        ]


def moved_mean(theta, mean, remainder, count):
    """The mean of `count` values, the last of them `theta`, from that of the values before.

    Args:
        theta: tensor, float32 or float64.
        mean: tensor of its shape and dtype.
        remainder: tensor of its shape and dtype, what the mean is short of.
        count: scalar >= 1 of that dtype.

    Returns:
        `(mean, remainder)`.
    """
    increment = ((theta - mean) - remainder) / count
    return two_sum(mean, remainder + increment)


def two_sum(a, b):
    """Returns `a + b` rounded, and what the rounding took away, exactly (Knuth's two-sum)."""
    total = a + b
    b_in_total = total - a
    a_in_total = total - b_in_total
    return total, (a - a_in_total) + (b - b_in_total)


def _added(scalars):
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.add_n(scalars)  # adds in an order of its own, on which a run's bits depend
    return sum(scalars)

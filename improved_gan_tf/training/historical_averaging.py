"""Historical averaging: a player pays for moving away from the mean of its own past.

Paper:    Salimans et al. (2016), Sec. 3.3.
Original: not in the authors' code.
"""

import tensorflow as tf


class HistoricalAverage:
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

    Args:
        variables: the player's trainable variables (of TensorFlow or Keras), in a fixed order. One
            object for each player: both make steps of their own.

    Raises:
        ValueError: there are no variables.

    Attributes:
        variables: list of the variables given.
        count: int64 scalar `tf.Variable`, t, the number of updates so far.
        means: list of `tf.Variable`, shapes of `variables`, at least float32.
        remainders: list of `tf.Variable`, what the means are short of, the same shapes and dtypes.

    Example:

    >>> theta = tf.Variable([1.0, 5.0])
    >>> history = HistoricalAverage([theta])
    >>> history.update()
    >>> theta.assign([3.0, 5.0]).numpy().tolist()
    [3.0, 5.0]
    >>> history.update()
    >>> history.means[0].numpy().tolist(), float(history.penalty())
    ([2.0, 5.0], 1.0)
    >>> history.gradients()[0].numpy().tolist()
    [2.0, 0.0]

    References:
        Paper: Salimans et al. (2016), Sec. 3.3.
    """

    # D11: the paper leaves open whether the present value is one of the past ones; here it is.
    def __init__(self, variables):
        self.variables = list(variables)
        if not self.variables:
            raise ValueError(
                "`HistoricalAverage` needs at least one variable. Received: variables=[]"
            )
        self.count = tf.Variable(0, trainable=False, dtype=tf.int64, name="historical_count")
        self.means, self.remainders = [], []
        for i, theta in enumerate(self._values()):
            self.means.append(tf.Variable(theta, trainable=False, name=f"historical_mean_{i}"))
            self.remainders.append(
                tf.Variable(tf.zeros_like(theta), trainable=False, name=f"historical_remainder_{i}")
            )

    def update(self):
        """Takes the parameters' present values into the mean: the first thing in a step."""
        self.count.assign_add(1)
        for theta, mean, remainder in zip(self._values(), self.means, self.remainders, strict=True):
            increment = ((theta - mean) - remainder) / tf.cast(self.count, theta.dtype)
            total, rounding_error = two_sum(mean, remainder + increment)
            mean.assign(total)
            remainder.assign(rounding_error)

    def penalty(self):
        """`sum (theta - mean)^2` over all parameters: a scalar >= 0, the means' widest dtype."""
        sums = [tf.reduce_sum(tf.square(d)) for d in self._deviations()]
        widest = max((s.dtype for s in sums), key=lambda dtype: dtype.size)
        return tf.add_n([tf.cast(s, widest) for s in sums])

    def gradients(self, weight=1.0):
        """The gradients of `weight * penalty()`, without a tape: `2 weight (theta - mean)`.

        Args:
            weight: float >= 0.

        Returns:
            List of tensors, shapes and dtypes of `variables`; add them to those of the loss.
        """
        return [
            tf.cast(2.0 * weight * d, v.dtype)
            for d, v in zip(self._deviations(), self.variables, strict=True)
        ]

    @property
    def state(self):
        """`{name: tf.Variable}` of everything that a checkpoint has to hold."""
        named = {"count": self.count}
        for i, (mean, remainder) in enumerate(zip(self.means, self.remainders, strict=True)):
            named |= {f"mean_{i}": mean, f"remainder_{i}": remainder}
        return named

    def _values(self):
        """The parameters, in float32 if they are less precise."""
        values = [tf.convert_to_tensor(v) for v in self.variables]
        return [v if v.dtype.size >= 4 else tf.cast(v, tf.float32) for v in values]

    def _deviations(self):
        return [
            (theta - tf.stop_gradient(mean)) - tf.stop_gradient(remainder)
            for theta, mean, remainder in zip(
                self._values(), self.means, self.remainders, strict=True
            )
        ]


def two_sum(a, b):
    """Returns `a + b` rounded, and what the rounding took away, exactly (Knuth's two-sum)."""
    total = a + b
    b_in_total = total - a
    a_in_total = total - b_in_total
    return total, (a - a_in_total) + (b - b_in_total)

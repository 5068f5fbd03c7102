"""What both batch normalizations share: the batch's statistics and their moving averages.

    y = (x - mean) / sqrt(variance + epsilon)       over every axis but the last

    training:    mean and variance of the batch; the moving averages follow
    evaluation:  the moving averages, or the standing statistics in their place

Paper:    Ioffe and Szegedy (2015); Brock et al. (2019), App. C.1.
Original: ajbrock/BigGAN-PyTorch@9845943, layers.py, `bn`, `ccbn`, `myBN`.
"""

import contextlib
import contextvars

import keras
from keras import ops

from improved_gan_tf import distribution
from improved_gan_tf.layers.argument_checks import require_floating
from improved_gan_tf.layers.batch_statistics_norm import mean_of_rows
from improved_gan_tf.precision import at_least_float32

_recorded = contextvars.ContextVar("improved_gan_tf_batch_moments", default=None)


@contextlib.contextmanager
def recording():
    """Collects the statistics of every batch that is normalised inside the `with` block.

    Yields:
        A dict: id of a layer -> list of (mean, variance) of its training calls, each (C,). The
        moving averages stand still meanwhile.
    """
    recorded = {}
    token = _recorded.set(recorded)
    try:
        yield recorded
    finally:
        _recorded.reset(token)


def batch_moments(x, coupled):
    """Returns mean and variance of every channel, and the number of elements behind them.

    Args:
        x: (N, ..., C), at least float32.
        coupled: bool, whether the batch is that of all replicas.

    Returns:
        `(mean, variance, count)`: (C,), (C,) biased, and a scalar.
    """
    axes = tuple(range(len(x.shape) - 1))
    mean_of = distribution.mean_over_batch if coupled else mean_of_rows
    mean = mean_of(x, axes)
    variance = mean_of(ops.square(x - mean), axes)
    channels = (x.shape[-1],)
    count = ops.cast(ops.size(x) / x.shape[-1], x.dtype)
    if coupled:
        count = distribution.sum_over_replicas(count)
    return ops.reshape(mean, channels), ops.reshape(variance, channels), count


class MovingStatisticsNorm(keras.layers.Layer):
    """Base of the two batch normalizations: normalises, and keeps the moving averages.

    A subclass calls `_add_statistics` in `build` and scales and shifts what `_normalized` returns.

    Weights: `moving_mean`, `moving_variance`.
    """

    def __init__(self, momentum=0.9, epsilon=1e-5, cross_replica="global", **kwargs):
        super().__init__(**kwargs)
        if not 0.0 <= momentum < 1.0:
            raise ValueError(f"`momentum` must lie in [0, 1). Received: momentum={momentum}")
        if not epsilon > 0.0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon}")
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.cross_replica = distribution.check_cross_replica(cross_replica)

    def _add_statistics(self, input_shape):
        """Creates the moving averages; returns the number of channels C."""
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ValueError(
                f"`{type(self).__name__}` normalises inputs (N, ..., C), whose last dimension must "
                f"be known. Received: input_shape={tuple(input_shape)}"
            )
        channels = input_shape[-1]
        for name, initializer in (("moving_mean", "zeros"), ("moving_variance", "ones")):
            weight = self.add_weight(
                name=name,
                shape=(channels,),
                initializer=initializer,
                trainable=False,
                autocast=False,
                aggregation="mean",
            )
            setattr(self, name, weight)
        return channels

    def _normalized(self, inputs, training):
        """Returns the normalised input, at least float32; moves the averages in training."""
        require_floating(self, inputs.dtype)
        x = ops.cast(inputs, at_least_float32(self.variable_dtype))
        # As in Keras, a layer that is not to be trained keeps its statistics and uses them.
        if training and (self.trainable or _recorded.get() is not None):
            mean, variance, count = batch_moments(x, self.cross_replica == "global")
            self._keep(ops.stop_gradient(mean), ops.stop_gradient(variance), count)
        else:
            mean = ops.cast(self.moving_mean, x.dtype)
            variance = ops.cast(self.moving_variance, x.dtype)
        return (x - mean) * ops.rsqrt(variance + self.epsilon)

    def _keep(self, mean, variance, count):
        recorded = _recorded.get()
        if recorded is not None:
            recorded.setdefault(id(self), []).append((mean, variance))
            return
        unbiased = variance * (count / ops.maximum(count - 1.0, 1.0))
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, unbiased)):
            before, value = ops.convert_to_tensor(moving), ops.cast(value, moving.dtype)
            moved = before * self.momentum + value * (1.0 - self.momentum)
            # A replica without examples, as in the last batch of a `fit`, has no statistics.
            moving.assign(ops.where(count > 0, moved, before))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "cross_replica": self.cross_replica,
        }

"""Minibatch standard deviation: one feature that says how much the batch varies.

The form in which minibatch discrimination lives on: a discriminator that sees too little variation
takes the batch for generated. Nothing is learned but what later layers make of the feature.

Paper:    Karras et al. (2018), Progressive Growing of GANs, Sec. 3. Not in Salimans et al.
Original: tkarras/progressive_growing_of_gans, networks.py, `minibatch_stddev_layer`.
"""

import keras
from keras import ops

from improved_gan_tf import distribution, precision
from improved_gan_tf.layers.argument_checks import (
    is_integer,
    positive_integer,
    require_floating,
    require_rows,
)
from improved_gan_tf.layers.batch_statistics_norm import mean_of_rows
from improved_gan_tf.precision import at_least_float32


def mean_deviation(x, epsilon, mean=mean_of_rows):
    """Returns `mean_f sqrt(epsilon + mean_i (x_if - mean_j x_jf)^2)`, the mean over features f.

    Args:
        x: (N, ...).
        epsilon: float > 0, inside the root.
        mean: function of (x, axis), what the batch is.

    Returns:
        (1,).
    """
    centred = x - mean(x, (0,))
    deviation = ops.sqrt(mean(ops.square(centred), (0,)) + epsilon)  # (1, ...)
    return precision.mean(ops.reshape(deviation, (1, -1)), (1,))


def mean_deviations_of_groups(x, group_size, epsilon):
    """Returns `mean_deviation` of each of M = N / G groups; row i is in group i mod M.

    Args:
        x: (N, ...), all dimensions but N known.
        group_size: int, G, which divides N or is larger.
        epsilon: float > 0, inside the root.

    Returns:
        (M,).
    """
    size = ops.minimum(group_size, ops.shape(x)[0])
    if isinstance(x.shape[0], int):
        size = min(group_size, x.shape[0])
    groups = ops.reshape(x, (size, -1, *x.shape[1:]))  # (G, M, ...)
    centred = groups - precision.mean(groups, (0,), keepdims=True)
    deviation = ops.sqrt(precision.mean(ops.square(centred), (0,)) + epsilon)  # (M, ...)
    return precision.mean(ops.reshape(deviation, (ops.shape(deviation)[0], -1)), (1,))


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class MinibatchStdDev(keras.layers.Layer):
    """Appends a channel with the mean standard deviation of all features over the batch.

        sigma_f = sqrt(epsilon + mean_i (x_if - mean_j x_jf)^2)     # f: every feature and position
        y = [x, mean_f sigma_f]                                     # one number, everywhere

    Feed the real and the generated batch separately, in two calls.

    Batch meaning: the rows of this call; with `cross_replica="global"` those of all replicas. Every
    row's output depends on all of them, at test time too.

    Training: the same in training and inference.

    Args:
        group_size: int > 0, or None (default) for the whole batch, as in the paper. The original
            code takes 4: a number for each N / 4 rows, row i being in group i mod (N / 4). A
            smaller batch is one group. With a group size the rows of all replicas are gathered.
        axis: int, the channel axis, default -1; 1 for channels_first.
        epsilon: float > 0 inside the root, default 1e-8, the original's.
        cross_replica: "global" (default), or "local" for this replica's rows alone.

    Call arguments:
        inputs: (N, ..., C), floating point.

    Returns:
        (N, ..., C + 1), the layer's compute dtype; statistics are at least float32.

    Raises:
        ValueError: an argument is not as above; the input has rank below 2, a dimension that is
            unknown (other than N), or is not floating point; `group_size` does not divide N
            (an `InvalidArgumentError` where a graph learns N late).

    Example:

    >>> import numpy as np
    >>> rows = np.array([[1.0, 10.0], [3.0, 50.0]], "float32")  # deviations 1 and 20
    >>> np.array(MinibatchStdDev()(rows)).tolist()
    [[1.0, 10.0, 10.5], [3.0, 50.0, 10.5]]

    References:
        Paper:    Karras et al. (2018), Sec. 3.
        Original: tkarras/progressive_growing_of_gans, networks.py, `minibatch_stddev_layer`.
    """

    def __init__(self, group_size=None, axis=-1, epsilon=1e-8, cross_replica="global", **kwargs):
        super().__init__(**kwargs)
        if not is_integer(axis) or axis == 0:
            raise ValueError(
                f"`axis` must be the integer of the channel axis, not 0. Received: axis={axis}"
            )
        if not epsilon > 0.0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon}")
        self.group_size = None if group_size is None else positive_integer(group_size, "group_size")
        self.axis = int(axis)
        self.epsilon = float(epsilon)
        self.cross_replica = distribution.check_cross_replica(cross_replica)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)

    def build(self, input_shape):
        rank = len(input_shape)
        if not -rank < self.axis < rank or None in input_shape[1:]:
            raise ValueError(
                "`MinibatchStdDev` needs an input whose dimensions are known, but the first, and "
                f"an `axis` among them. Received: input_shape={input_shape}, axis={self.axis}"
            )
        self.input_spec = keras.layers.InputSpec(shape=(None, *input_shape[1:]))

    def call(self, inputs):
        require_floating(self, inputs.dtype)
        deviation = self._deviation(ops.cast(inputs, at_least_float32(self.compute_dtype)))
        shape = list(inputs.shape)
        shape[0], shape[self.axis] = ops.shape(inputs)[0], 1
        deviation = ops.reshape(deviation, (-1,) + (1,) * (len(shape) - 1))  # (N or 1, 1, ...)
        feature = ops.broadcast_to(ops.cast(deviation, inputs.dtype), shape)
        return ops.concatenate([inputs, feature], axis=self.axis)

    def _deviation(self, x):
        """Returns the feature of each row, (N,), or of all of them, (1,)."""
        is_global = self.cross_replica == "global"
        if self.group_size is None:
            mean = distribution.mean_over_batch if is_global else mean_of_rows
            return mean_deviation(x, self.epsilon, mean)
        rows, first = distribution.gather_rows(x) if is_global else (x, 0)
        rows = require_rows(
            rows,
            lambda count: (count <= self.group_size) | (count % self.group_size == 0),
            f"The batch of layer '{self.name}' must be divisible into groups of {self.group_size}.",
        )
        deviations = mean_deviations_of_groups(rows, self.group_size, self.epsilon)
        own = first + ops.arange(ops.shape(x)[0], dtype="int32")
        return ops.take(deviations, own % ops.shape(deviations)[0], axis=0)

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        if shape[self.axis] is not None:
            shape[self.axis] += 1
        return tuple(shape)

    def get_config(self):
        return {
            **super().get_config(),
            "group_size": self.group_size,
            "axis": self.axis,
            "epsilon": self.epsilon,
            "cross_replica": self.cross_replica,
        }

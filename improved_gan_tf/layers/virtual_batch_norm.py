"""Virtual batch normalization: every example is normalised by a fixed reference batch and itself.

The reference batch travels through the generator in front of the live batch, as its first R
rows, so that no layer keeps hidden state and gradients flow through the reference statistics:

    PrependReference -> any row-wise layers and VirtualBatchNorm -> DropReference
    (N, ...)            (R + N, ...)                                (N, ...)

After training `frozen_virtual_batch_norm.freeze_reference` puts the reference statistics into the
model.

Paper:    Salimans et al. (2016), Sec. 3.5.
Original: openai/improved-gan@4f5d1ec, imagenet/ops.py, `VBNL`, `VBNLP`.
"""

import contextlib
import contextvars
import math

import keras
from keras import ops


def _mean(x, axes):
    """Returns the mean over `axes`, kept; `ops.mean` is float32 on JAX and PyTorch, always."""
    count = math.prod(ops.shape(x)[axis] for axis in axes)
    return ops.sum(x, axis=axes, keepdims=True) / ops.cast(count, x.dtype)


def row_statistics(inputs, axes):
    """Returns each row centred on its own mean, and its mean and variance over `axes`.

    Args:
        inputs: (n, ..., C).
        axes: the spatial axes; none for a matrix, whose rows have variance 0.

    Returns:
        `inputs - mean`, (n, ..., C), and mean and variance, (n, 1, ..., C).
    """
    if not axes:
        zeros = inputs - inputs
        return zeros, inputs, zeros
    mean = _mean(inputs, axes)
    centred = inputs - mean
    return centred, mean, _mean(ops.square(centred), axes)


def pooled_statistics(mean, variance):
    """Returns mean and variance, (1, 1, ..., C), over all rows of a batch, from each row's own."""
    pooled_mean = _mean(mean, (0,))
    spread = _mean(ops.square(mean - pooled_mean), (0,))
    return pooled_mean, _mean(variance, (0,)) + spread


def virtual_statistics(mean, variance, reference_mean, reference_variance, weight):
    """Returns the mean and the variance that virtual batch normalization uses for each row.

        mean = w m_x + (1 - w) m_ref
        variance = w q_x + (1 - w) q_ref - mean^2                  q: mean of squares
                 = w v_x + (1 - w) v_ref + w (1 - w) (m_x - m_ref)^2

    The last line is computed: it is the same number and does not lose digits where the mean
    is large beside the deviation.
    """
    difference = mean - reference_mean
    return (
        reference_mean + weight * difference,
        weight * variance
        + (1.0 - weight) * reference_variance
        + weight * (1.0 - weight) * ops.square(difference),
    )


# Where `freeze_reference` collects {id(layer): [(layer, mean, variance), ...]} during one pass.
_recorded = contextvars.ContextVar("improved_gan_tf_recorded", default=None)


@contextlib.contextmanager
def recording():
    """Collects the reference statistics of every live layer that is called in the `with` block."""
    token = _recorded.set({})
    try:
        yield _recorded.get()
    finally:
        _recorded.reset(token)


def _positive_integer(value, name):
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value}")
    return value


def _require_floating(layer, dtype, what="input"):
    dtype = keras.backend.standardize_dtype(dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise ValueError(
            f"`{type(layer).__name__}` needs a floating point {what}. Received: dtype={dtype}"
        )


def _require_reference_rows(layer, shape):
    if shape[0] is not None and shape[0] < layer.reference_size:
        raise ValueError(
            f"The first `reference_size` rows of the input of `{type(layer).__name__}` are the "
            "reference batch: put `PrependReference` with the same size before it. "
            f"Received: input shape {tuple(shape)}, reference_size={layer.reference_size}"
        )


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class PrependReference(keras.layers.Layer):
    """Puts the stored reference batch in front of the live batch.

    Virtual batch normalization pushes the reference batch through the current weights at every
    step. Here it does so as the first R rows of the batch that the layers see:

        y = [reference; x]                                        # (R + N, ...)

    For a generator the reference is a batch of noise, drawn once and kept. Call
    `set_reference` once, in sight, before the layer is used; the batch is then saved with
    the model. A conditional generator has one such layer for each of its inputs.

    Batch meaning: this replica's share of the batch; every replica holds the same reference.

    Training: the same in training and inference; the reference is never trained.

    Args:
        reference_size: int >= 2, number of reference examples R. One example has no variance
            of its own.

    Call arguments:
        inputs: (N, ...), rank 2 or more, floating point.

    Returns:
        (R + N, ...), the dtype of the input.

    Raises:
        ValueError: `reference_size` is not an integer of at least 2; no reference was set (where
            the layer is called or traced; under `jax.jit` NaN comes out instead); the input has
            another shape than a reference example or is not floating point.

    Weights:
        reference: (R, ...), not trained; NaN until it is set.

    Example:

    >>> import numpy as np
    >>> layer = PrependReference(4)
    >>> layer.set_reference(np.zeros((4, 3), "float32"))
    >>> tuple(layer(np.ones((2, 3), "float32")).shape)
    (6, 3)

    References:
        Paper:    Salimans et al. (2016), Sec. 3.5.
        Original: openai/improved-gan@4f5d1ec, imagenet/generator.py, the fixed variable of
                  reference noise.
    """

    def __init__(self, reference_size, **kwargs):
        super().__init__(**kwargs)
        if _positive_integer(reference_size, "reference_size") < 2:
            raise ValueError(
                "`reference_size` must be at least 2: a single example has no variance to "
                f"normalise with. Received: reference_size={reference_size}"
            )
        self.reference_size = reference_size
        self._reference_seen = False
        self.input_spec = keras.layers.InputSpec(min_ndim=2)

    def build(self, input_shape):
        example_shape = tuple(input_shape[1:])
        if None in example_shape:
            raise ValueError(
                "The shape of one example must be known, or the reference set, before "
                f"`PrependReference` is built. Received: input_shape={tuple(input_shape)}"
            )
        self.reference = self.add_weight(
            name="reference",
            shape=(self.reference_size, *example_shape),
            initializer=keras.initializers.Constant(float("nan")),
            trainable=False,
            autocast=False,
        )
        self.input_spec = keras.layers.InputSpec(shape=(None, *example_shape))

    def call(self, inputs):
        _require_floating(self, inputs.dtype)
        self._require_reference()
        return ops.concatenate([ops.cast(self.reference, inputs.dtype), inputs], axis=0)

    def set_reference(self, reference_batch):
        """Stores the reference batch; builds the layer if need be.

        Args:
            reference_batch: (R, ...), floating point and finite.

        Raises:
            ValueError: the batch has another shape than (R, ...) or than the layer was built
                with, is not floating point or not finite.
        """
        reference_batch = ops.convert_to_numpy(reference_batch)
        shape = reference_batch.shape
        if len(shape) < 2 or shape[0] != self.reference_size:
            raise ValueError(
                f"The reference batch must have shape ({self.reference_size}, ...). "
                f"Received: reference_batch of shape {shape}"
            )
        _require_floating(self, reference_batch.dtype, what="reference batch")
        if not ops.all(ops.isfinite(reference_batch)):
            raise ValueError(
                "The reference batch must be finite. Received: a batch with NaN or infinity"
            )
        if not self.built:
            self.build((None, *shape[1:]))
        if shape != tuple(self.reference.shape):
            raise ValueError(
                f"The reference batch must have the shape {tuple(self.reference.shape)} with which "
                f"layer '{self.name}' was built. Received: reference_batch of shape {shape}"
            )
        self.reference.assign(ops.cast(reference_batch, self.variable_dtype))

    def _require_reference(self):
        """Raises until the reference holds numbers, however they got there."""
        if not self._reference_seen:
            self._reference_seen = self._reference_is_set()
        if not self._reference_seen:
            raise ValueError(
                f"Layer '{self.name}' has no reference batch: call `set_reference` with a batch of "
                f"shape {tuple(self.reference.shape)} before the model is used."
            )

    def _reference_is_set(self):
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            with tf.init_scope():  # a value, also while a graph is traced
                return not bool(ops.any(ops.isnan(self.reference)))
        try:
            return not bool(ops.any(ops.isnan(self.reference)))
        except TypeError:  # jax.jit hides the value
            return True

    def compute_output_shape(self, input_shape):
        rows = None if input_shape[0] is None else input_shape[0] + self.reference_size
        return (rows, *input_shape[1:])

    def get_config(self):
        return {**super().get_config(), "reference_size": self.reference_size}


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class DropReference(keras.layers.Layer):
    """Takes the reference batch off again: what goes on is the live batch.

        y = x[R:]                                                 # (N, ...)

    Put it after the last `VirtualBatchNorm`, and before any layer or loss that couples the
    rows of a batch.

    Batch meaning: this replica's share of the batch.

    Training: the same in training and inference.

    Args:
        reference_size: int > 0, number of reference examples R.

    Call arguments:
        inputs: (R + N, ...).

    Returns:
        (N, ...), the dtype of the input.

    Raises:
        ValueError: `reference_size` is not a positive integer, the input has fewer than R rows.

    Example:

    >>> import numpy as np
    >>> tuple(DropReference(4)(np.ones((6, 3), "float32")).shape)
    (2, 3)

    References:
        Paper:    Salimans et al. (2016), Sec. 3.5.
    """

    def __init__(self, reference_size, **kwargs):
        super().__init__(**kwargs)
        self.reference_size = _positive_integer(reference_size, "reference_size")

    def build(self, input_shape):
        _require_reference_rows(self, input_shape)

    def call(self, inputs):
        _require_reference_rows(self, inputs.shape)
        return inputs[self.reference_size :]

    def compute_output_shape(self, input_shape):
        rows = None if input_shape[0] is None else input_shape[0] - self.reference_size
        return (rows, *input_shape[1:])

    def get_config(self):
        return {**super().get_config(), "reference_size": self.reference_size}


class VirtualNormLayer(keras.layers.Layer):
    """Base of the live and of the frozen layer: arguments, `gamma`, `beta`, the normalisation."""

    def __init__(
        self,
        reference_size,
        axis=-1,
        epsilon=1e-5,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer=None,
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(axis, int) or isinstance(axis, bool) or axis == 0:
            raise ValueError(
                f"`axis` must be the integer of the channel axis, not 0. Received: axis={axis}"
            )
        if not epsilon > 0.0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon}")
        if gamma_initializer is None:  # the original's N(1, 0.02)
            gamma_initializer = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
        self.reference_size = _positive_integer(reference_size, "reference_size")
        self.axis = axis
        self.epsilon = float(epsilon)
        self.center = bool(center)
        self.scale = bool(scale)
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.beta_regularizer = keras.regularizers.get(beta_regularizer)
        self.gamma_regularizer = keras.regularizers.get(gamma_regularizer)
        self.beta_constraint = keras.constraints.get(beta_constraint)
        self.gamma_constraint = keras.constraints.get(gamma_constraint)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)

    def build(self, input_shape):
        rank = len(input_shape)
        if not -rank < self.axis < rank:  # -rank is the batch axis
            raise ValueError(
                f"`axis` must be the channel axis of an input of rank {rank}. "
                f"Received: axis={self.axis}, input_shape={tuple(input_shape)}"
            )
        channel_axis = self.axis % rank
        channels = input_shape[channel_axis]
        if channels is None:
            raise ValueError(
                f"The channel axis of the input of `{type(self).__name__}` must have a known size. "
                f"Received: input_shape={tuple(input_shape)}, axis={self.axis}"
            )
        self.input_spec = keras.layers.InputSpec(ndim=rank, axes={channel_axis: channels})
        self._spatial_axes = tuple(a for a in range(1, rank) if a != channel_axis)
        self._channels = channels
        self._channel_shape = (1,) * channel_axis + (channels,) + (1,) * (rank - channel_axis - 1)
        # Statistics and weights stay in the variables' dtype: squares do not fit float16.
        self.gamma = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=(channels,),
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        self.beta = None
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=(channels,),
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )

    def _row_statistics(self, inputs):
        _require_floating(self, inputs.dtype)
        half = self.compute_dtype in ("float16", "bfloat16")
        inputs = ops.cast(inputs, "float32" if half else self.compute_dtype)
        return row_statistics(inputs, self._spatial_axes)

    def _by_channel(self, vector, dtype):
        return ops.cast(ops.reshape(vector, self._channel_shape), dtype)

    def _normalise(self, centred, row_mean, mean, variance):
        """Returns `gamma (x - mean) / sqrt(epsilon + variance) + beta`, x = centred + row_mean."""
        factor = ops.rsqrt(self.epsilon + variance)
        if self.scale:
            factor = factor * self._by_channel(self.gamma, factor.dtype)
        shift = (row_mean - mean) * factor
        if self.center:
            shift = shift + self._by_channel(self.beta, shift.dtype)
        return ops.cast(centred * factor + shift, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "reference_size": self.reference_size,
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
            "beta_regularizer": keras.regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": keras.regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": keras.constraints.serialize(self.beta_constraint),
            "gamma_constraint": keras.constraints.serialize(self.gamma_constraint),
        }


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class VirtualBatchNorm(VirtualNormLayer):
    """Normalises each example with the statistics of a reference batch and of itself.

    Batch normalization makes the output for one example depend on the other examples of its
    batch; generated images of one batch then share their colour. Here the reference
    batch, the first R rows of the input, is normalised with its own statistics only, and each
    live example x with those of the reference and itself, w = 1 / (R + 1):

        mean = w m_x + (1 - w) m_ref              m: mean over a row's own positions
        mean_square = w q_x + (1 - w) q_ref       q: mean of squares
        y = gamma (x - mean) / sqrt(epsilon + mean_square - mean^2) + beta

    Gradients flow through the reference statistics. A value that is not finite in a live
    example reaches that example's output only.

    Batch meaning: rows are independent given the reference, which every replica holds, so that
    a batch may be split over replicas as one likes.

    Training: the same in training and inference. See `freeze_reference` for inference without
    the reference batch.

    Args:
        reference_size: int > 0, R, the same as that of `PrependReference`.
        axis: int, the channel axis, default -1; 1 for channels_first.
        epsilon: float > 0 inside the root, default 1e-5, the original's.
        center: bool, whether to add `beta`, default True.
        scale: bool, whether to multiply with `gamma`, default True.
        beta_initializer: default zeros.
        gamma_initializer: default N(1, 0.02), the original's.
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: as in
            `keras.layers.BatchNormalization`.

    Call arguments:
        inputs: (R + N, ..., C), rank 2 or more, floating point.

    Returns:
        (R + N, ..., C), the layer's compute dtype; statistics are at least float32.

    Raises:
        ValueError: an argument is out of its range; the input has fewer than R rows, rank below
            2, an unknown number of channels or is not floating point.

    Weights:
        gamma: (C,), if `scale`.
        beta: (C,), if `center`.

    Example:

    >>> import numpy as np
    >>> layer = VirtualBatchNorm(reference_size=4)
    >>> tuple(layer(np.ones((6, 8, 8, 3), "float32")).shape)
    (6, 8, 8, 3)

    References:
        Paper:    Salimans et al. (2016), Sec. 3.5.
        Original: openai/improved-gan@4f5d1ec, imagenet/ops.py, `VBNL`.
    """

    def build(self, input_shape):
        _require_reference_rows(self, input_shape)
        super().build(input_shape)

    def call(self, inputs):
        _require_reference_rows(self, inputs.shape)
        size = self.reference_size
        centred, row_mean, row_variance = self._row_statistics(inputs)  # (R + N, ...)

        # The reshape fails where a batch of unknown size turns out to have fewer than R rows.
        rows = (size, *row_mean.shape[1:])
        reference_mean, reference_variance = pooled_statistics(
            ops.reshape(row_mean[:size], rows), ops.reshape(row_variance[:size], rows)
        )  # (1, 1, ..., C)
        live_mean, live_variance = virtual_statistics(
            row_mean[size:],
            row_variance[size:],
            reference_mean,
            reference_variance,
            weight=1.0 / (size + 1.0),
        )  # (N, 1, ..., C)
        self._record(reference_mean, reference_variance)
        return self._normalise(
            centred,
            row_mean,
            ops.concatenate([ops.broadcast_to(reference_mean, rows), live_mean], axis=0),
            ops.concatenate([ops.broadcast_to(reference_variance, rows), live_variance], axis=0),
        )

    def _record(self, mean, variance):
        recorded = _recorded.get()
        if recorded is not None:
            recorded.setdefault(id(self), []).append((self, mean, variance))

"""What the live and the frozen layer of virtual batch normalization share."""

import keras
from keras import ops

from improved_gan_tf.layers.argument_checks import (
    is_integer,
    positive_integer,
    require_floating,
)
from improved_gan_tf.layers.virtual_batch_norm.statistics import row_statistics
from improved_gan_tf.precision import at_least_float32


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
        if not is_integer(axis) or axis == 0:
            raise ValueError(
                f"`axis` must be the integer of the channel axis, not 0. Received: axis={axis}"
            )
        if not epsilon > 0.0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon}")
        if gamma_initializer is None:  # the original's N(1, 0.02)
            gamma_initializer = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
        self.reference_size = positive_integer(reference_size, "reference_size")
        self.axis = int(axis)
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
        require_floating(self, inputs.dtype)
        inputs = ops.cast(inputs, at_least_float32(self.compute_dtype))
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

"""What every spectrally normalised layer adds to Keras's layer of the same kind.

    W_bar = W / sigma(W)

Paper:    Miyato et al. (2018), Sec. 2.1; Brock et al. (2019), Sec. 3.
Original: ajbrock/BigGAN-PyTorch@9845943, layers.py, `SN`.
"""

import keras
from keras import ops

from improved_gan_tf.layers.argument_checks import positive_integer
from improved_gan_tf.layers.spectral_norm.power_iteration import singular_values, singular_vectors
from improved_gan_tf.precision import at_least, at_least_float32


class SpectralNormLayer(keras.layers.Layer):
    """Stands before a layer of Keras among the bases of a spectrally normalised one.

    The subclass calls `_add_vectors` at the end of `build` and uses `_normalized(W, training)`
    where the layer of Keras uses its kernel.

    Weights: those of the layer of Keras, and `u` and `singular_values`, not trained.
    """

    _output_axis = -1  # of the kernel

    def __init__(
        self,
        *args,
        num_singular_values=1,
        num_power_iterations=1,
        epsilon=1e-12,
        u_initializer=None,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        if not epsilon > 0.0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon}")
        if u_initializer is None:
            u_initializer = keras.initializers.RandomNormal(stddev=1.0)
        self.num_singular_values = positive_integer(num_singular_values, "num_singular_values")
        self.num_power_iterations = positive_integer(num_power_iterations, "num_power_iterations")
        self.epsilon = float(epsilon)
        self.u_initializer = keras.initializers.get(u_initializer)

    def add_weight(self, *args, **kwargs):
        # Weights are cast where they are used: the norm is taken in the variables' own dtype,
        # since a sum of squares does not fit float16.
        return super().add_weight(*args, **{**kwargs, "autocast": False})

    def _add_vectors(self, kernel):
        """Creates `u` and `singular_values` for a kernel that `build` has made."""
        rows, outputs = self._matrix(kernel).shape
        followed = min(self.num_singular_values, rows, outputs)
        # Replicas hold the same kernel and the same u and so make the same update of it.
        self.u = self.add_weight(
            name="u",
            shape=(followed, outputs),
            initializer=self.u_initializer,
            trainable=False,
            aggregation="only_first_replica",
        )
        self.singular_values = self.add_weight(
            name="singular_values",
            shape=(followed,),
            initializer="ones",
            trainable=False,
            aggregation="only_first_replica",
        )

    def _matrix(self, kernel):
        """The kernel as a matrix (A, K), a column for each output."""
        kernel = ops.moveaxis(ops.convert_to_tensor(kernel), self._output_axis, -1)
        return ops.reshape(kernel, (-1, kernel.shape[-1]))

    def _normalized(self, kernel, training=False):
        """Returns `W / sigma(W)`, at least float32; in training `u` makes its step."""
        kernel = ops.cast(ops.convert_to_tensor(kernel), at_least_float32(self.variable_dtype))
        matrix = self._matrix(kernel)
        # In evaluation u stays where it is, so that a second step would start there again.
        steps = self.num_power_iterations if training else 1
        u, v = singular_vectors(matrix, ops.cast(self.u, matrix.dtype), steps, self.epsilon)
        values = singular_values(matrix, u, v)
        if training:
            self.u.assign(ops.cast(u, self.u.dtype))
            self.singular_values.assign(
                ops.cast(ops.stop_gradient(values), self.singular_values.dtype)
            )
        # A kernel of zeros has the norm 0: divided by epsilon, its gradient would be 1e12 as large.
        sigma = ops.where(values[0] == 0.0, 1.0, at_least(values[0], self.epsilon))
        return kernel / ops.cast(sigma, kernel.dtype)

    def _kernel_and_bias(self, training):
        """`W_bar` and the bias, or None, in the compute dtype."""
        kernel = ops.cast(self._normalized(self.kernel, training), self.compute_dtype)
        return kernel, ops.cast(self.bias, self.compute_dtype) if self.use_bias else None

    def _with_bias(self, outputs, bias):
        """The outputs plus the bias, if there is one, of each channel."""
        if bias is None:
            return outputs
        if getattr(self, "data_format", "channels_last") == "channels_first":
            bias = ops.reshape(bias, (-1, 1, 1))
        return outputs + bias

    def enable_lora(self, *args, **kwargs):
        """Raises `ValueError`: Keras's change of the kernel would not be normalised."""
        raise ValueError(
            f"`{type(self).__name__}` has no LoRA: what Keras adds to the kernel would not be "
            f"normalised. Call `remove_spectral_norm` first. Received: layer '{self.name}'"
        )

    # Keras's own layers save the weights that they know; all weights are to be saved here.

    def save_own_variables(self, store):
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store):
        keras.layers.Layer.load_own_variables(self, store)

    def get_config(self):
        return {
            **super().get_config(),
            "num_singular_values": self.num_singular_values,
            "num_power_iterations": self.num_power_iterations,
            "epsilon": self.epsilon,
            "u_initializer": keras.initializers.serialize(self.u_initializer),
        }

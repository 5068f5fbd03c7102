"""What every weight-normalised layer shares: the norm, the scale, the bias, the initialisation.

    W = V * g / sqrt(epsilon + sum V^2)          the sum over every axis but the output one
    y = activation(x W + b)

Paper:    Salimans and Kingma (2016), Sec. 2 and 3; used throughout Salimans et al. (2016).
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, `WeightNormLayer` (CIFAR-10,
          SVHN: epsilon 1e-6), `DenseLayer` (MNIST: no epsilon) and `l2normalize` (epsilon 1e-6).
"""

import keras
from keras import ops

from improved_gan_tf import precision
from improved_gan_tf.layers import data_dependent
from improved_gan_tf.layers.argument_checks import require_floating
from improved_gan_tf.layers.weight_norm import shared_norms
from improved_gan_tf.precision import at_least_float32


def sum_of_squares(kernel, axes):
    """Returns `sum V^2` over `axes`, with the gradient written as `2 V dy`.

    The gradient that a framework derives spreads `dy` to the kernel's shape first and makes
    three passes over memory where this one makes one; on a CPU the norm of a large dense
    kernel is otherwise a noticeable part of a training step.

    Args:
        kernel: `V`, any rank.
        axes: the axes to sum over.

    Returns:
        The sums, without the summed axes, at least float32.
    """

    @ops.custom_gradient
    def squares(values):
        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            return ops.expand_dims(2.0 * upstream, axes) * values

        return ops.sum(ops.square(values), axis=axes), gradient

    # Reshaped to its own shape, a variable is a tensor: one that is mirrored over replicas could
    # not be an argument of a custom gradient.
    return squares(precision.in_float32(ops.reshape(kernel, kernel.shape)))


def scale_over_norm(kernel, scale, epsilon, axes):
    """Returns the factor `g / sqrt(epsilon + sum V^2)` of each output unit.

    Args:
        kernel: `V`, any rank, e.g. (A, K).
        scale: `g`, (K,).
        epsilon: float >= 0, inside the root.
        axes: the axes of `V` that are summed: every axis but the output one.

    Returns:
        (K,), same dtype as `kernel`.
    """
    squares = sum_of_squares(kernel, axes)
    factor = ops.cast(scale, squares.dtype) * ops.rsqrt(epsilon + squares)
    return ops.cast(factor, kernel.dtype)


def data_dependent_scale_and_shift(pre_activation, init_stddev):
    """Returns `(s, -m s)` that give each unit mean 0 and standard deviation `init_stddev`.

        m = mean(pre),    s = init_stddev / sqrt(mean((pre - m)^2))

    Args:
        pre_activation: (N, ..., K); the statistics are over every axis but the last.
        init_stddev: float > 0.

    Returns:
        Two tensors (K,): the factor for the scale, and the bias that goes with it.
    """
    axes = tuple(range(len(pre_activation.shape) - 1))
    mean = precision.mean(pre_activation, axes)
    deviation = ops.sqrt(precision.mean(ops.square(pre_activation - mean), axes))
    factor = init_stddev / deviation
    return factor, -mean * factor


class WeightNormLayer(keras.layers.Layer):
    """Base of the weight-normalised layers; a subclass says what is linear about it.

    A subclass creates its weights in `build` with `_add_weight_norm_weights` and returns
    the pre-activation without bias from `_linear`.

    Weights: `kernel` (V), `scale` (g, one per output unit), `bias` (b, if `use_bias`).
    """

    def __init__(
        self,
        activation=None,
        use_bias=True,
        kernel_initializer=None,
        bias_initializer="zeros",
        scale_initializer="ones",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        train_scale=False,
        epsilon=1e-6,
        init_stddev=1.0,
        activity_regularizer=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not epsilon >= 0.0:
            raise ValueError(f"`epsilon` must be 0 or larger. Received: epsilon={epsilon}")
        if not init_stddev > 0.0:
            raise ValueError(f"`init_stddev` must be positive. Received: init_stddev={init_stddev}")
        if kernel_initializer is None:  # the original's N(0, 0.05)
            kernel_initializer = keras.initializers.RandomNormal(stddev=0.05)
        self.activation = keras.activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.scale_initializer = keras.initializers.get(scale_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.train_scale = bool(train_scale)
        self.epsilon = float(epsilon)
        self.init_stddev = float(init_stddev)

    def _add_weight_norm_weights(self, kernel_shape, units, sum_axes):
        """Creates `kernel`, `scale` and `bias`; `sum_axes` are all kernel axes but the output's."""
        self._sum_axes = tuple(sum_axes)
        # Weights are cast where they are used: the norm is taken in float32 at least, since a sum
        # of squares does not fit float16.
        self.kernel = self.add_weight(
            name="kernel",
            shape=kernel_shape,
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            autocast=False,
        )
        self.scale = self.add_weight(
            name="scale",
            shape=(units,),
            initializer=self.scale_initializer,
            trainable=self.train_scale,
            autocast=False,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                autocast=False,
            )

    def _scale_over_norm(self):
        def compute():
            return scale_over_norm(self.kernel, self.scale, self.epsilon, self._sum_axes)

        return shared_norms.computed_once(self, compute)

    def _linear(self, inputs):
        """Returns the normalised layer's output before the bias: (N, ..., K)."""
        raise NotImplementedError

    def call(self, inputs):
        self._check_dtype(inputs)
        return self.activation(self._pre_activation(inputs))

    def _check_dtype(self, inputs):
        require_floating(self, inputs.dtype)

    def _pre_activation(self, inputs):
        outputs = self._linear(inputs)
        if data_dependent.is_initializing() and self.trainable:
            return self._initialize_from(outputs)
        return outputs + ops.cast(self.bias, outputs.dtype) if self.use_bias else outputs

    def _initialize_from(self, pre_activation):
        """Sets scale and bias so that this batch leaves with mean 0 and `init_stddev`.

        The old scale is multiplied, the old bias ignored. Without a bias only the scale is set.
        """
        data_dependent.require_first_call(self, pre_activation)
        pre_activation = ops.cast(pre_activation, at_least_float32(self.variable_dtype))
        factor, shift = data_dependent_scale_and_shift(pre_activation, self.init_stddev)
        size = ops.max(ops.abs(pre_activation), axis=tuple(range(len(pre_activation.shape) - 1)))
        varies = data_dependent.is_more_than_rounding(self.init_stddev / factor, size)
        if not bool(ops.all(ops.isfinite(factor) & varies)):
            raise ValueError(
                f"Data-dependent initialisation of layer '{self.name}' needs a batch in which "
                "every unit varies and is finite. Received: a batch with a unit of standard "
                "deviation 0 or with values that are not finite."
            )
        scale = ops.cast(self.scale, factor.dtype) * factor
        self.scale.assign(ops.cast(scale, self.scale.dtype))
        outputs = pre_activation * factor
        if self.use_bias:
            self.bias.assign(ops.cast(shift, self.bias.dtype))
            outputs = outputs + shift
        return ops.cast(outputs, self.compute_dtype)

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "activation": keras.activations.serialize(self.activation),
                "use_bias": self.use_bias,
                "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
                "bias_initializer": keras.initializers.serialize(self.bias_initializer),
                "scale_initializer": keras.initializers.serialize(self.scale_initializer),
                "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
                "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
                "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
                "bias_constraint": keras.constraints.serialize(self.bias_constraint),
                "train_scale": self.train_scale,
                "epsilon": self.epsilon,
                "init_stddev": self.init_stddev,
                "activity_regularizer": keras.regularizers.serialize(self.activity_regularizer),
            }
        )
        return config

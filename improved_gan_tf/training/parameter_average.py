"""The parameter average with which the original measures its test error.

Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*.py, `disc_param_avg`.
"""

from types import SimpleNamespace

import keras
from keras import ops

from improved_gan_tf import distribution
from improved_gan_tf.machine.copies import assign_copy
from improved_gan_tf.precision import at_least_float32
from improved_gan_tf.training.layer_state import (
    add_state,
    require_floating_variables,
    state_variable,
)


class ParameterAverage(keras.layers.Layer):
    """Exponential average of parameters that starts at zero and is not corrected.

        avg = avg + rate (p - avg),    avg = 0 at first

    Update it *before* the optimizer: the original changes all of its variables at once, so the
    average takes each parameter's value from before the step. After t updates the average
    holds `1 - (1 - rate)^t` of the weight: 6 % after an MNIST epoch, 95 % after 50.

    It is a Keras layer without inputs, whose weights are the averages. As an attribute of a model
    it is saved and restored with the model's weights. `load_model` restores what the model's own
    `__init__` makes. To a functional or sequential model, which has none, give a new average after
    loading, then `model.load_weights(path)` of the same file.

    Args:
        variables: the trainable variables to average (of Keras or TensorFlow), in a fixed order.
        rate: float in (0, 1]; 0.0001 in the original.
        name: str.

    Raises:
        ValueError: `rate` is out of its range, a variable is not floating point, or there are no
            variables.

    Attributes:
        parameters: list of the variables given.
        averages: list of `tf.Variable` (on JAX and PyTorch `keras.Variable`) of the shapes of
            `parameters`; at least float32, because half precision has no such small steps.
    """

    def __init__(self, variables, rate=1e-4, name=None):
        if not 0.0 < rate <= 1.0:
            raise ValueError(f"`rate` must be larger than 0 and at most 1. Received: rate={rate}")
        variables = list(variables)
        if not variables:
            raise ValueError(
                "`ParameterAverage` needs at least one variable; a model has its variables once it "
                "is built. Received: variables=[]"
            )
        require_floating_variables(variables)
        super().__init__(name=name)
        self.rate = rate
        # In a namespace Keras does not see them: they are the model's weights, not this layer's.
        self._given = SimpleNamespace(variables=variables)
        for i, variable in enumerate(variables):
            dtype = at_least_float32(keras.backend.standardize_dtype(variable.dtype))
            add_state(self, f"average_{i}", tuple(variable.shape), dtype)
        self.built = True

    @property
    def parameters(self):
        """The variables given to the constructor."""
        return self._given.variables

    @property
    def averages(self):
        """The averages, in the order of `parameters`."""
        return [state_variable(self, f"average_{i}") for i in range(len(self.parameters))]

    def update(self):
        """Moves every average towards its parameter's current value, on every device."""
        if keras.backend.backend() == "tensorflow" and all(
            map(distribution.is_one_copy, self.averages)
        ):
            self._update_fused()
            return
        for average, parameter in zip(self.averages, self.parameters, strict=True):
            parameter = ops.cast(parameter, average.dtype)
            average.assign(moved_average(average, parameter, self.rate))

    def _update_fused(self):
        import tensorflow as tf

        for average, parameter in zip(self.averages, self.parameters, strict=True):
            # avg - rate * (avg - p) in one fused pass after the difference.
            tf.raw_ops.ResourceApplyGradientDescent(
                var=average.handle,
                alpha=tf.constant(self.rate, average.dtype),
                delta=average - tf.cast(tf.convert_to_tensor(parameter), average.dtype),
            )

    def copy_to(self, variables):
        """Assigns the averages to `variables`, in the order given to the constructor."""
        for average, variable in zip(self.averages, variables, strict=True):
            assign_copy(variable, average)


def moved_average(average, parameter, rate):
    """`avg + rate (p - avg)` of two tensors of one shape and dtype."""
    return ops.subtract(average, ops.multiply(rate, ops.subtract(average, parameter)))

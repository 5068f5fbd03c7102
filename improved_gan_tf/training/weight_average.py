"""The average of a generator's weights with which BigGAN draws its samples.

Paper:    Karras et al. (2018); Brock et al. (2019), Sec. 3.
Original: ajbrock/BigGAN-PyTorch@9845943, utils.py, `ema`.
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


class WeightAverage(keras.layers.Layer):
    """Exponential average of weights that follows them exactly until it starts.

        avg = w                                   update number < start
        avg = decay avg + (1 - decay) w           from then on

    It averages all variables given, including the moving statistics of batch normalization and the
    u of spectral normalization. `ParameterAverage` differs: it starts from zero, uncorrected, and
    takes trained parameters only.

    Update it after the optimizer.

    It is a Keras layer without inputs, whose weights are the averages and the number of updates: as
    an attribute of a model it is saved and restored with the model's weights, as `ParameterAverage`
    is. It then counts among `model.weights`: give it those of a player, not of the model it is in.

    Args:
        variables: the variables to average, e.g. `generator.weights`, in a fixed order; floating
            point.
        decay: float in [0, 1); 0.9999 in the paper (default).
        start: int >= 0, number of the first update that averages, the first update being 1; 20,000
            in the original's ImageNet script, 1,000 in its CIFAR-10 script. Default 0.
        name: str.

    Raises:
        ValueError: `decay` or `start` is out of its range, a variable is not floating point, or
            there are no variables.

    Attributes (each variable a `tf.Variable`, on JAX and PyTorch a `keras.Variable`):
        parameters: list of the variables given.
        averages: list of variables of the shapes of `parameters`, at first copies of them; at least
            float32, because half precision has no such small steps.
        updates: integer scalar, number of updates so far.
    """

    def __init__(self, variables, decay=0.9999, start=0, name=None):
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"`decay` must lie in [0, 1). Received: decay={decay}")
        if not start >= 0:
            raise ValueError(f"`start` must be 0 or larger. Received: start={start}")
        variables = list(variables)
        if not variables:
            raise ValueError(
                "`WeightAverage` needs at least one variable; a model has its variables once it is "
                "built. Received: variables=[]"
            )
        dtypes = [keras.backend.standardize_dtype(variable.dtype) for variable in variables]
        require_floating_variables(variables)
        super().__init__(name=name)
        self.decay = decay
        self.start = start
        # In a namespace Keras does not see them: they are the player's weights, not this layer's.
        self._given = SimpleNamespace(variables=variables)
        for i, (variable, dtype) in enumerate(zip(variables, dtypes, strict=True)):
            dtype = at_least_float32(dtype)
            value = ops.cast(ops.convert_to_tensor(variable), dtype)
            add_state(self, f"weight_average_{i}", tuple(variable.shape), dtype, copy_of(value))
        add_state(self, "weight_average_updates", (), "int")
        self.built = True

    @property
    def parameters(self):
        """The variables given to the constructor."""
        return self._given.variables

    @property
    def averages(self):
        """The averages, in the order of `parameters`."""
        return [state_variable(self, f"weight_average_{i}") for i in range(len(self.parameters))]

    @property
    def updates(self):
        """The number of updates so far."""
        return state_variable(self, "weight_average_updates")

    def update(self):
        """Moves every average to its variable, or towards it from update `start` on."""
        self.updates.assign_add(1)
        averaging = ops.greater_equal(self.updates, self.start)
        for average, parameter in zip(self.averages, self.parameters, strict=True):
            parameter = ops.cast(ops.convert_to_tensor(parameter), average.dtype)
            # A choice, not a decay of 0: what was NaN before the start would stay so.
            decay = ops.convert_to_tensor(self.decay, average.dtype)
            moved = decay * average + (1 - decay) * parameter
            average.assign(ops.where(averaging, moved, parameter))

    def copy_to(self, variables):
        """Assigns the averages to `variables`, in the order given to the constructor."""
        for average, variable in zip(self.averages, variables, strict=True):
            assign_copy(variable, average)

"""The average of a generator's weights with which BigGAN draws its samples.

Paper:    Karras et al. (2018); Brock et al. (2019), Sec. 3.
Original: ajbrock/BigGAN-PyTorch@9845943, utils.py, `ema`.
"""

import tensorflow as tf


class WeightAverage:
    """Exponential average of weights that follows them exactly until it starts.

        avg = w                                   update number < start
        avg = decay avg + (1 - decay) w           from then on

    It averages all variables given, including the moving statistics of batch normalization and the
    u of spectral normalization. `ParameterAverage` differs: it starts from zero, uncorrected, and
    takes trained parameters only.

    Update it after the optimizer.

    Args:
        variables: the variables to average, e.g. `generator.weights`, in a fixed order; floating
            point.
        decay: float in [0, 1); 0.9999 in the paper (default).
        start: int >= 0, number of the first update that averages, counted from 1; 20,000 in the
            original's ImageNet script, 1,000 in its CIFAR-10 script. Default 0.

    Raises:
        ValueError: `decay` or `start` is out of its range, a variable is not floating point.

    Attributes:
        averages: list of `tf.Variable`, initially copies of `variables`.
        updates: `tf.Variable`, int64 scalar, updates so far; save it with `averages`.
    """

    def __init__(self, variables, decay=0.9999, start=0):
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"`decay` must lie in [0, 1). Received: decay={decay}")
        if not start >= 0:
            raise ValueError(f"`start` must be 0 or larger. Received: start={start}")
        self.variables = list(variables)
        for variable in self.variables:
            if not tf.as_dtype(variable.dtype).is_floating:
                raise ValueError(
                    "Only floating point variables can be averaged. Received: "
                    f"{variable.name} of dtype {variable.dtype}"
                )
        self.decay = decay
        self.start = start
        self.averages = [
            _variable(tf.convert_to_tensor(v), f"weight_average_{i}")
            for i, v in enumerate(self.variables)
        ]
        self.updates = _variable(tf.zeros((), tf.int64), "weight_average_updates")

    def update(self):
        """Moves every average to its variable, or towards it from update `start` on."""
        self.updates.assign_add(1)
        averaging = self.updates >= self.start
        for average, variable in zip(self.averages, self.variables, strict=True):
            # Not `tf.cast`, which would first make the decay a float32.
            decay = tf.where(averaging, tf.constant(self.decay, average.dtype), 0)
            average.assign(decay * average + (1 - decay) * tf.convert_to_tensor(variable))

    def copy_to(self, variables):
        """Assigns the averages to `variables`, in the order given to the constructor."""
        for average, variable in zip(self.averages, variables, strict=True):
            variable.assign(average)


def _variable(value, name):
    # Every replica makes the same update of the same weights.
    return tf.Variable(
        value,
        trainable=False,
        name=name,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )

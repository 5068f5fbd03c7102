"""The parameter average with which the original measures its test error.

Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*.py, `disc_param_avg`.
"""

import tensorflow as tf


class ParameterAverage:
    """Exponential average of parameters that starts at zero and is not corrected.

        avg = avg + rate (p - avg),    avg = 0 at first

    Update it *before* the optimizer: the original changes all of its variables at once, so the
    average takes each parameter's value from before the step. After t updates the average
    holds `1 - (1 - rate)^t` of the weight: 6 % after an MNIST epoch, 95 % after 50.

    Args:
        variables: the trainable variables to average, in a fixed order.
        rate: float in (0, 1]; 0.0001 in the original.

    Raises:
        ValueError: `rate` is out of its range.

    Attributes:
        averages: list of `tf.Variable`, shapes and dtypes of `variables`.
    """

    def __init__(self, variables, rate=1e-4):
        if not 0.0 < rate <= 1.0:
            raise ValueError(f"`rate` must be larger than 0 and at most 1. Received: rate={rate}")
        self.variables = list(variables)
        self.rate = rate
        self.averages = [
            tf.Variable(tf.zeros(v.shape, v.dtype), trainable=False, name=f"average_{i}")
            for i, v in enumerate(self.variables)
        ]

    def update(self):
        """Moves every average towards its parameter's current value."""
        for average, variable in zip(self.averages, self.variables, strict=True):
            # avg - rate * (avg - p) in one fused pass after the difference.
            tf.raw_ops.ResourceApplyGradientDescent(
                var=average.handle,
                alpha=tf.constant(self.rate, average.dtype),
                delta=average - tf.convert_to_tensor(variable),
            )

    def copy_to(self, variables):
        """Assigns the averages to `variables`, in the order given to the constructor."""
        for average, variable in zip(self.averages, variables, strict=True):
            variable.assign(average)

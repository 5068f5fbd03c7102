"""The original's Adam, whose epsilon is inside the root.

Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, `adam_updates`.
"""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class Adam(keras.optimizers.Adam):
    """Adam with `m_hat / sqrt(v_hat + epsilon)`, in one fused pass over each parameter.

        m = beta_1 m + (1 - beta_1) g              v = beta_2 v + (1 - beta_2) g^2
        p = p - learning_rate * (m / (1 - beta_1^t)) / sqrt(v / (1 - beta_2^t) + epsilon)

    TensorFlow's fused kernel adds its epsilon outside the root. With the shifted second
    moment `u = v + epsilon (1 - beta_2^t)` the update above is exactly the kernel's with
    epsilon 0, and `u` obeys

        u = beta_2 (u + epsilon (1 - beta_2) / beta_2) + (1 - beta_2) g^2

    so one addition before the kernel is all that is needed. The slot variables that Keras
    calls "velocity" hold `u`.

    Args:
        learning_rate: float > 0; assign `optimizer.learning_rate` to change it between calls.
        beta_1: float in [0, 1), decay of the first moment; 0.5 in the original.
        beta_2: float in (0, 1), decay of the second moment; 0.999.
        epsilon: float > 0, inside the root; 1e-8.
        name: str.

    Raises:
        ValueError: an argument is out of its range, or `build` is given a float16 variable, in
            whose range such an epsilon is 0.
    """

    def __init__(self, learning_rate, beta_1=0.5, beta_2=0.999, epsilon=1e-8, name="adam"):
        for value, is_right, expected in (
            (f"beta_1={beta_1}", 0.0 <= beta_1 < 1.0, "`beta_1` must lie in [0, 1)"),
            (f"beta_2={beta_2}", 0.0 < beta_2 < 1.0, "`beta_2` must lie between 0 and 1"),
            (f"epsilon={epsilon}", epsilon > 0.0, "`epsilon` must be larger than 0"),
        ):
            if not is_right:
                raise ValueError(f"{expected}. Received: {value}")
        super().__init__(
            learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, name=name
        )

    def build(self, variables):
        """Creates the slot variables."""
        variables = list(variables)
        for variable in variables:
            if keras.backend.standardize_dtype(variable.dtype) == "float16":
                raise ValueError(
                    "`Adam` with its epsilon inside the root needs variables of float32, float64 "
                    "or bfloat16 (as under `mixed_float16`). Received: a float16 variable "
                    f"'{variable.name}'"
                )
        super().build(variables)

    def get_config(self):
        """The constructor's arguments: Keras' own has more than this class takes."""
        config = super().get_config()
        return {
            name: config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon", "name")
        }

    def update_step(self, gradient, variable, learning_rate):
        """Applies one step to one variable: Keras calls it for each, with the `tf.Variable`."""
        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)  # t, 1 at the first step
        index = self._get_variable_index(variable)
        shifted_second_moment = self._velocities[index].value
        shift = self.epsilon * (1.0 - self.beta_2) / self.beta_2
        shifted_second_moment.assign_add(
            tf.fill(tf.shape(shifted_second_moment), tf.constant(shift, dtype))
        )
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=shifted_second_moment.handle,
            beta1_power=tf.pow(tf.constant(self.beta_1, dtype), step),
            beta2_power=tf.pow(tf.constant(self.beta_2, dtype), step),
            lr=tf.cast(learning_rate, dtype),
            beta1=tf.constant(self.beta_1, dtype),
            beta2=tf.constant(self.beta_2, dtype),
            epsilon=tf.constant(0.0, dtype),
            grad=tf.cast(gradient, dtype),
        )

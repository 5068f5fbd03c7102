"""The original's Adam, whose epsilon is inside the root.

Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, `adam_updates`.
"""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class Adam(keras.optimizers.Adam):
    """Adam with `m_hat / sqrt(v_hat + epsilon)`, on TensorFlow in one fused pass a parameter.

        m = beta_1 m + (1 - beta_1) g              v = beta_2 v + (1 - beta_2) g^2
        p = p - learning_rate * (m / (1 - beta_1^t)) / sqrt(v / (1 - beta_2^t) + epsilon)

    TensorFlow's fused kernel adds its epsilon outside the root. With the shifted second
    moment `u = v + epsilon (1 - beta_2^t)` the update above is exactly the kernel's with
    epsilon 0, and `u` obeys

        u = beta_2 (u + epsilon (1 - beta_2) / beta_2) + (1 - beta_2) g^2

    so one addition before the kernel is all that is needed. The slot variables that Keras
    calls "velocity" hold `u`, on JAX and PyTorch too.

    Args:
        learning_rate: float >= 0 or a Keras schedule; assign `optimizer.learning_rate` to change a
            float between calls.
        beta_1: float in [0, 1), decay of the first moment; 0.5 in the original.
        beta_2: float in (0, 1), decay of the second moment; 0.999.
        epsilon: float > 0, inside the root; 1e-8.
        name: str.
        kwargs: what every Keras optimizer takes and does around the update above: `weight_decay`,
            `clipnorm`, `clipvalue`, `global_clipnorm`, `use_ema`, `ema_momentum`,
            `ema_overwrite_frequency`, `loss_scale_factor`, `gradient_accumulation_steps`.

    Raises:
        ValueError: an argument is out of its range or unknown (`amsgrad` is), or `build` is given a
            variable in half precision: such an epsilon is 0 in float16, and a `beta_2` of 0.999 is
            1 in bfloat16.
    """

    def __init__(
        self, learning_rate, beta_1=0.5, beta_2=0.999, epsilon=1e-8, name="adam", **kwargs
    ):
        is_number = isinstance(learning_rate, numbers.Real)
        for value, is_right, expected in (
            (
                f"learning_rate={learning_rate}",
                not is_number or learning_rate >= 0.0,  # which NaN is not
                "`learning_rate` must be 0 or larger",
            ),
            (f"beta_1={beta_1}", 0.0 <= beta_1 < 1.0, "`beta_1` must lie in [0, 1)"),
            (f"beta_2={beta_2}", 0.0 < beta_2 < 1.0, "`beta_2` must lie between 0 and 1"),
            (f"epsilon={epsilon}", epsilon > 0.0, "`epsilon` must be larger than 0"),
        ):
            if not is_right:
                raise ValueError(f"{expected}. Received: {value}")
        if "amsgrad" in kwargs:  # which the base class would take, and this update ignore
            raise ValueError(
                "This `Adam` has no `amsgrad`; `keras.optimizers.Adam` has it. "
                f"Received: amsgrad={kwargs['amsgrad']}"
            )
        super().__init__(
            learning_rate=learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            name=name,
            **kwargs,
        )

    def build(self, variables):
        """Creates the slot variables."""
        variables = list(variables)
        for variable in variables:
            dtype = keras.backend.standardize_dtype(variable.dtype)
            if dtype in ("float16", "bfloat16"):
                raise ValueError(
                    "`Adam` with its epsilon inside the root needs variables of float32 or "
                    f"float64, as under `mixed_{dtype}`. Received: a {dtype} variable "
                    f"'{variable.name}'"
                )
        super().build(variables)

    def get_config(self):
        """The constructor's arguments: Keras's without `amsgrad`."""
        config = super().get_config()
        del config["amsgrad"]
        return config

    def update_step(self, gradient, variable, learning_rate):
        """Applies one step to one variable: Keras calls it for each."""
        index = self._get_variable_index(variable)
        momentum, velocity = self._momentums[index], self._velocities[index]
        shift = self.epsilon * (1.0 - self.beta_2) / self.beta_2
        if keras.backend.backend() == "tensorflow":
            self._fused_step(gradient, variable, learning_rate, momentum, velocity, shift)
            return
        dtype = variable.dtype
        gradient, rate = ops.cast(gradient, dtype), ops.cast(learning_rate, dtype)
        step = ops.cast(self.iterations + 1, dtype)  # t, 1 at the first step
        weights = 1.0 - ops.power(self.beta_1, step), 1.0 - ops.power(self.beta_2, step)
        m = self.beta_1 * momentum + (1.0 - self.beta_1) * gradient
        u = self.beta_2 * (velocity + shift) + (1.0 - self.beta_2) * ops.square(gradient)
        self.assign(momentum, m)
        self.assign(velocity, u)
        self.assign_sub(variable, rate * (m / weights[0]) / ops.sqrt(u / weights[1]))

    def _fused_step(self, gradient, variable, learning_rate, momentum, velocity, shift):
        import tensorflow as tf

        dtype = variable.dtype  # that of a `tf.Variable`
        step = tf.cast(self.iterations + 1, dtype)  # t, 1 at the first step
        shifted_second_moment = velocity.value
        shifted_second_moment.assign_add(
            tf.fill(tf.shape(shifted_second_moment), tf.constant(shift, dtype))
        )
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=momentum.value.handle,
            v=shifted_second_moment.handle,
            beta1_power=tf.pow(tf.constant(self.beta_1, dtype), step),
            beta2_power=tf.pow(tf.constant(self.beta_2, dtype), step),
            lr=tf.cast(learning_rate, dtype),
            beta1=tf.constant(self.beta_1, dtype),
            beta2=tf.constant(self.beta_2, dtype),
            epsilon=tf.constant(0.0, dtype),
            grad=tf.cast(gradient, dtype),
        )

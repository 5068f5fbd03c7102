"""Instance noise: equal, decreasing noise on real and generated images.

Source: Sonderby et al. (2017), Amortised MAP Inference for Image Super-resolution; Arjovsky and
        Bottou (2017), Towards Principled Methods for Training GANs, Sec. 3.
"""

import keras
import tensorflow as tf
from keras import ops

from improved_gan_tf import distribution
from improved_gan_tf.layers.noise import standard_normal


def linear_decay(step, start, end, num_steps):
    """`start + (end - start) min(step / num_steps, 1)`, a scalar tensor of `keras.config.floatx()`.

    Args:
        step: scalar >= 0, steps done.
        start: float, the value at step 0.
        end: float, the value from step `num_steps` on.
        num_steps: int >= 1.
    """
    share = ops.cast(step, keras.config.floatx()) / num_steps
    return start + (end - start) * ops.minimum(share, 1.0)


class InstanceNoise:
    """Adds Gaussian noise of decreasing deviation to a discriminator's images.

        y = x + stddev n,    n ~ N(0, 1),    stddev = linear_decay(step, start, end, num_steps)

    Real and generated images both need it: noise on one kind would tell the two apart.

    Add it to both kinds in every step, then call `advance` once:

        logits_real = discriminator(noise(real))
        logits_generated = discriminator(noise(generated))
        noise.advance()

    Args:
        start: float >= 0, the first standard deviation, in units of the images.
        end: float in [0, start], the last one.
        num_steps: int >= 1, steps from first to last.
        seed: int.

    Raises:
        ValueError: an argument is out of its range.

    Attributes:
        step: int64 scalar `tf.Variable`, steps so far.
    """

    def __init__(self, start, end, num_steps, seed):
        if not 0.0 <= end <= start:
            raise ValueError(
                "`start` must be at least `end`, and `end` at least 0. "
                f"Received: start={start}, end={end}"
            )
        if num_steps < 1:
            raise ValueError(f"`num_steps` must be at least 1. Received: num_steps={num_steps}")
        self._schedule = (float(start), float(end), int(num_steps))
        self._seed = keras.random.SeedGenerator(seed)
        self.step = tf.Variable(0, trainable=False, dtype=tf.int64, name="instance_noise_step")

    def stddev(self):
        """The current standard deviation, a scalar tensor."""
        return linear_decay(self.step, *self._schedule)

    def __call__(self, images):
        """Returns this replica's images (N, ...), floating point, each with its own noise."""
        dtype = keras.backend.standardize_dtype(images.dtype)
        noise = distribution.draw_for_batch(
            lambda shape, seed: standard_normal(shape, dtype, seed), ops.shape(images), self._seed
        )
        return images + ops.cast(self.stddev(), dtype) * noise

    def advance(self):
        """Counts a step; call it last in the step."""
        self.step.assign_add(1)

    @property
    def state(self):
        """`{name: variable}` of all that a checkpoint must hold."""
        return {"step": self.step, "seed": self._seed.state}

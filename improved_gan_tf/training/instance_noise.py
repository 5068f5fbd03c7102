"""Instance noise: the same amount on real and generated images, less and less of it.

Source: Sonderby et al. (2017), Amortised MAP Inference for Image Super-resolution; Arjovsky and
        Bottou (2017), Towards Principled Methods for Training GANs, Sec. 3.
"""

import keras
import tensorflow as tf
from keras import ops

from improved_gan_tf import distribution
from improved_gan_tf.layers.noise import standard_normal


def linear_decay(step, start, end, num_steps):
    """`start + (end - start) min(step / num_steps, 1)`.

    Args:
        step: scalar >= 0, steps that were made.
        start: float, the value at step 0.
        end: float, the value from step `num_steps` on.
        num_steps: int >= 1.

    Returns:
        Scalar tensor, `keras.config.floatx()`.
    """
    share = ops.cast(step, keras.config.floatx()) / num_steps
    return start + (end - start) * ops.minimum(share, 1.0)


class InstanceNoise:
    """Adds Gaussian noise to the images that a discriminator is shown, of falling deviation.

        y = x + stddev n,    n ~ N(0, 1),    stddev = linear_decay(step, start, end, num_steps)

    Without it the supports of data and samples hardly meet, and the best discriminator is perfect.
    The real images get it too: noise on one kind would be what tells the two apart.

    Use: both kinds in every step, then one `advance`.

        logits_real = discriminator(noise(real))
        logits_generated = discriminator(noise(generated))
        noise.advance()

    Args:
        start: float >= 0, the first standard deviation, in units of the images.
        end: float in [0, start], the last one.
        num_steps: int >= 1, steps until then.
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
        """The present standard deviation: a scalar tensor."""
        return linear_decay(self.step, *self._schedule)

    def __call__(self, images):
        """Returns the images with noise of their own each.

        Args:
            images: (N, ...), floating point; this replica's share.
        """
        dtype = keras.backend.standardize_dtype(images.dtype)
        noise = distribution.draw_for_batch(
            lambda shape, seed: standard_normal(shape, dtype, seed), ops.shape(images), self._seed
        )
        return images + ops.cast(self.stddev(), dtype) * noise

    def advance(self):
        """Counts a step: the last thing in it."""
        self.step.assign_add(1)

    @property
    def state(self):
        """`{name: variable}` of everything that a checkpoint has to hold."""
        return {"step": self.step, "seed": self._seed.state}

"""How fast a DCGAN's game trains here, without its images."""

from typing import NamedTuple

import numpy as np

from improved_gan_tf import distribution
from improved_gan_tf.data import square_images
from improved_gan_tf.runs import pace
from improved_gan_tf.runs.dcgan import DcganGame
from improved_gan_tf.runs.execution import computing_as_said


class _Pattern(NamedTuple):
    """A pattern in the place of `Images`, as many as one iteration sees."""

    count: int
    num_classes: int
    channels: int
    size: int

    def read(self):
        """The pattern as an `ImageSet`."""
        shape = (self.count, self.size, self.size, self.channels)
        # Knuth's multiplicative hash: no image is like another.
        numbers = np.arange(np.prod(shape), dtype=np.uint64) * 2654435761 >> 24 & 255
        pixels = numbers.astype("uint8").reshape(shape)
        labels = np.arange(self.count, dtype="int32") % self.num_classes
        return square_images.ImageSet(pixels, labels)


def pace_without_images(config, images):
    """The `Pace` of a run, timed on a pattern in place of its `Images`, which stay unread.

    Raises:
        UserError: the settings do not fit the images.
    """
    count = config.batch_size * config.discriminator_steps
    pattern = _Pattern(count, images.num_classes, images.channels, config.size)
    with computing_as_said(config):
        game = DcganGame(config, pattern)
        game.prepare()
        game.trainer.jit_compile = distribution.compiles_step(config.jit_compile, replicas=1)
        rows = np.tile(np.arange(count), (50, 1))
        return pace.measure(game.trainer, (rows,), config.learning_rate)

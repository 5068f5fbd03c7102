"""What the layers share that draw random numbers while training."""

import zlib

import keras
from keras import ops

from improved_gan_tf import distribution
from improved_gan_tf.layers.argument_checks import has_own_build


class RandomLayer(keras.layers.Layer):
    """Base of noise and dropout: the random stream, and one draw for the batch of all replicas.

    Layers that are given one `SeedGenerator` draw from it in turn. A config cannot hold what they
    share, so that each layer made from one (`load_model`, `clone_model`) has a stream of its own.
    """

    def __init__(self, seed=None, cross_replica="global", **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.cross_replica = distribution.check_cross_replica(cross_replica)
        if isinstance(seed, keras.random.SeedGenerator):
            self.seed_generator = seed
        else:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = not has_own_build(self)

    def _draw_like(self, inputs, draw):
        """Returns `draw(shape, seed)` for every element of `inputs`."""
        return distribution.draw_for_batch(
            draw, ops.shape(inputs), self.seed_generator, self.cross_replica
        )

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        seed = self.seed
        if isinstance(seed, keras.random.SeedGenerator):
            # The seed alone would give every layer of the generator the same numbers.
            seed = zlib.crc32(f"{seed.get_config()['seed']}/{self.name}".encode()) >> 1
        return {**super().get_config(), "seed": seed, "cross_replica": self.cross_replica}

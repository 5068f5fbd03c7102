"""What the layers share that draw random numbers while training."""

import keras
from keras import ops

from improved_gan_tf import distribution


class RandomLayer(keras.layers.Layer):
    """Base of noise and dropout: the random stream, and one draw for the batch of all replicas."""

    def __init__(self, seed=None, cross_replica="global", **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.cross_replica = distribution.check_cross_replica(cross_replica)
        if isinstance(seed, keras.random.SeedGenerator):
            self.seed_generator = seed
        else:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

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
            seed = seed.get_config()["seed"]
        return {**super().get_config(), "seed": seed, "cross_replica": self.cross_replica}

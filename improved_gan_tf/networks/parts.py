"""Parts shared by the networks of all experiments."""

import keras

from improved_gan_tf import streams
from improved_gan_tf.errors import UserError
from improved_gan_tf.layers.batch_statistics_norm import BatchStatisticsNorm
from improved_gan_tf.layers.virtual_batch_norm.live import VirtualBatchNorm
from improved_gan_tf.layers.virtual_batch_norm.reference_batch import (
    DropReference,
    PrependReference,
)

NOISE_DIM = 100


def scaled_widths(widths, width_multiplier):
    """Widths times the multiplier, rounded down."""
    scaled = tuple(int(width * width_multiplier) for width in widths)
    if min(scaled) < 1:
        raise UserError(
            "`width_multiplier` must leave every layer at least one unit, and one has "
            f"{min(widths)}. Received: {width_multiplier}."
        )
    return scaled


class GeneratorNormalization:
    """Normalises a generator's hidden layers, with the batch or with a reference batch.

    Batch normalization is the authors' choice. With a `reference_size`, virtual batch normalization
    replaces it in every layer; `enter` puts the reference batch before the noise, and `leave`
    removes it before the output layer.

    Args:
        seed: int, decides the reference noise, U[0, 1), drawn once and saved with the model.
        reference_size: int >= 2, examples in the reference batch; None for batch normalization.
        cross_replica: "global" or "local", the scope of a batch on several devices.
    """

    def __init__(self, seed, reference_size, cross_replica):
        self._size = reference_size
        self._cross_replica = cross_replica
        self._seed = seed

    def enter(self, z):
        """The input of the generator's first layer, from z, (N, 100)."""
        if self._size is None:
            return z
        prepend = PrependReference(self._size)
        noise = streams.reference_batch(self._seed).uniform(size=(self._size, NOISE_DIM))
        prepend.set_reference(noise.astype(keras.config.floatx()))
        return prepend(z)

    def normalize(self, x):
        """Each channel, normalised and shifted."""
        if self._size is None:
            return BatchStatisticsNorm(cross_replica=self._cross_replica)(x)
        # D12: like the batch normalization it replaces: a shift, no scale, and the same epsilon.
        return VirtualBatchNorm(self._size, epsilon=1e-6, scale=False)(x)

    def leave(self, x):
        """The input of the output layer, (N, ...)."""
        return x if self._size is None else DropReference(self._size)(x)

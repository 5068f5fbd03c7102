"""The two players of the protocol, with the layers that the techniques add or replace.

Protocol: fjxmlzn/PacGAN, 2DGrid_GAN&PacGAN/pacgan_task.py, `create_model_brick`.
"""

import keras
import numpy as np
from keras import ops

from examples.mode_collapse.techniques import REFERENCE_SIZE
from improved_gan_tf.layers import (
    DropReference,
    MinibatchDiscrimination,
    MinibatchStdDev,
    PrependReference,
    VirtualBatchNorm,
)

LATENT_SIZE = 2  # z ~ N(0, 1)
MAXOUT_PIECES = 5
GENERATOR_LAYERS, DISCRIMINATOR_LAYERS = 4, 3  # hidden ones
MOVING_AVERAGE = 0.95  # decay of batch normalization's statistics in a step
GAINS = 1  # what is drawn besides the kernels
BATCH_NORM_EPSILON = 1e-4  # of Blocks, the library of the published code


def _initializers(seed):
    """Yields the initializers N(0, 0.02) of a player's kernels, each with a seed of its own."""
    for weight_seed in np.random.SeedSequence(seed).generate_state(16):
        yield keras.initializers.RandomNormal(stddev=0.02, seed=int(weight_seed))


def _gains(seed):
    """Yields the initializers N(1, 0.02) of virtual batch normalization's gains, likewise."""
    for weight_seed in np.random.SeedSequence([*seed, GAINS]).generate_state(GENERATOR_LAYERS):
        yield keras.initializers.RandomNormal(mean=1.0, stddev=0.02, seed=int(weight_seed))


def build_generator(settings, seed, reference=None):
    """Returns the generator, (N, LATENT_SIZE) -> (N, 2).

    Args:
        settings: `Settings`.
        seed: list of int, of the initial weights.
        reference: (REFERENCE_SIZE, LATENT_SIZE), the reference batch of virtual batch
            normalization; None with other techniques.
    """
    initializers, gains = _initializers(seed), _gains(seed)
    layers = [keras.Input((LATENT_SIZE,))]
    if reference is not None:
        prepend = PrependReference(REFERENCE_SIZE)
        prepend.set_reference(reference)
        layers.append(prepend)
    for _ in range(GENERATOR_LAYERS):
        dense = keras.layers.Dense(
            settings.generator_units, use_bias=False, kernel_initializer=next(initializers)
        )
        layers += [dense, _normalization(settings, next(gains)), keras.layers.ReLU()]
    layers.append(keras.layers.Dense(2, kernel_initializer=next(initializers)))
    if reference is not None:
        layers.append(DropReference(REFERENCE_SIZE))
    return keras.Sequential(layers)


def _normalization(settings, gain):
    if settings.technique == "virtual_batch_norm":
        return VirtualBatchNorm(REFERENCE_SIZE, epsilon=BATCH_NORM_EPSILON, gamma_initializer=gain)
    # With packing a step calls the generator several times; the published code takes the mean of
    # the calls' statistics once. These calls together have the same decay.
    momentum = MOVING_AVERAGE ** (1.0 / settings.packed)
    return keras.layers.BatchNormalization(momentum=momentum, epsilon=BATCH_NORM_EPSILON)


def build_discriminator(settings, seed):
    """Returns the discriminator, (N, 2 * examples at once) -> logits (N, 1) and features (N, A).

    The features are those of the last hidden layer.

    Args:
        settings: `Settings`.
        seed: list of int, of the initial weights.
    """
    initializers = _initializers(seed)
    units = settings.discriminator_units
    examples = keras.Input((2 * settings.examples_at_once,))
    features = examples
    for _ in range(DISCRIMINATOR_LAYERS):
        pieces = keras.layers.Dense(units * MAXOUT_PIECES, kernel_initializer=next(initializers))
        features = Maxout(MAXOUT_PIECES)(pieces(features))
    last = features
    if settings.technique == "minibatch_discrimination":
        last = MinibatchDiscrimination(
            settings.num_kernels,
            settings.kernel_dim,
            weight_normalization=settings.weight_normalization,
            reduction=settings.reduction,
            # The layer's own deviation, with a seed.
            theta_initializer=keras.initializers.RandomNormal(
                stddev=0.05, seed=next(initializers).seed
            ),
        )(features)
    elif settings.technique == "minibatch_standard_deviation":
        last = MinibatchStdDev()(features)
    logits = keras.layers.Dense(1, kernel_initializer=next(initializers))(last)
    return keras.Model(examples, [logits, features])


class Maxout(keras.layers.Layer):
    """Takes each unit's largest piece, (N, num_pieces * units) -> (N, units)."""

    def __init__(self, num_pieces, **kwargs):
        super().__init__(**kwargs)
        self.num_pieces = num_pieces

    def call(self, inputs):
        """Returns the maxima."""
        units = inputs.shape[-1] // self.num_pieces
        pieces = ops.reshape(inputs, (-1, self.num_pieces, units))
        return ops.max(pieces, axis=1)


def closeness_function(discriminator):
    """Returns a function of examples that gives minibatch discrimination's `o`, or None without it.

    Args:
        discriminator: of `build_discriminator`.
    """
    for layer in discriminator.layers:
        if isinstance(layer, MinibatchDiscrimination):
            _, features = discriminator.outputs
            before = keras.Model(discriminator.input, features)
            return lambda examples: layer.closeness(before(examples))
    return None

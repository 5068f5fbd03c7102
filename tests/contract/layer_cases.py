"""Every public layer, in each way of building it that behaves differently."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np

from improved_gan_tf.layers.activations import LeakyReLU, leaky_rectify
from improved_gan_tf.layers.batch_statistics_norm import BatchStatisticsNorm
from improved_gan_tf.layers.conditional_batch_norm.conditional import ConditionalBatchNorm
from improved_gan_tf.layers.conditional_batch_norm.plain import BatchNorm
from improved_gan_tf.layers.cross_batch_norm import CrossBatchNorm
from improved_gan_tf.layers.dropout import Dropout
from improved_gan_tf.layers.minibatch_discrimination.layer import MinibatchDiscrimination
from improved_gan_tf.layers.minibatch_stddev import MinibatchStdDev
from improved_gan_tf.layers.noise import GaussianNoise
from improved_gan_tf.layers.pixel_shuffle import PixelShuffle
from improved_gan_tf.layers.projection import ProjectionHead
from improved_gan_tf.layers.self_attention import SelfAttention2D
from improved_gan_tf.layers.spectral_norm.conv import SpectralNormConv2D
from improved_gan_tf.layers.spectral_norm.conv_transpose import SpectralNormConv2DTranspose
from improved_gan_tf.layers.spectral_norm.dense import SpectralNormDense
from improved_gan_tf.layers.spectral_norm.embedding import SpectralNormEmbedding
from improved_gan_tf.layers.virtual_batch_norm.frozen import FrozenVirtualBatchNorm
from improved_gan_tf.layers.virtual_batch_norm.live import VirtualBatchNorm
from improved_gan_tf.layers.virtual_batch_norm.reference_batch import (
    DropReference,
    PrependReference,
)
from improved_gan_tf.layers.weight_norm.conv import WeightNormConv2D
from improved_gan_tf.layers.weight_norm.conv_transpose import WeightNormConv2DTranspose
from improved_gan_tf.layers.weight_norm.dense import WeightNormDense
from improved_gan_tf.layers.weight_norm.embedding import WeightNormEmbedding
from improved_gan_tf.layers.weight_norm.other_ranks import (
    WeightNormConv1D,
    WeightNormConv1DTranspose,
    WeightNormConv3D,
    WeightNormConv3DTranspose,
)


@dataclasses.dataclass(frozen=True)
class LayerCase:
    """How to make a layer, and what it is called with.

    make: a function of layer keyword arguments (dtype, name) that returns a fresh layer.
    example: shape of one row of the input; an int for labels below it; a list for several inputs.
    rows: rows of the input, the reference batch included where there is one.
    """

    make: Callable[..., keras.layers.Layer]
    example: tuple | int | list
    rows: int = 6

    def inputs(self, seed=0, rows=None):
        """An array, or a list of arrays."""
        generator = np.random.default_rng(seed)
        return self._for_each_input(lambda one: self._array(one, generator, rows or self.rows))

    def keras_inputs(self):
        """What to build a functional model from."""
        return self._for_each_input(
            lambda one: keras.Input((), dtype="int32") if isinstance(one, int) else keras.Input(one)
        )

    def _for_each_input(self, make):
        return [*map(make, self.example)] if isinstance(self.example, list) else make(self.example)

    @staticmethod
    def _array(example, generator, rows):
        if isinstance(example, int):
            return generator.permutation(rows * example)[:rows].astype("int32") % example
        return generator.normal(size=(rows, *example)).astype("float32")


def _prepend_reference(example_shape):
    def make(**kwargs):
        layer = PrependReference(3, **kwargs)
        reference = np.random.default_rng(9).normal(size=(3, *example_shape))
        layer.set_reference(reference)
        return layer

    return make


def _case(layer_class, example, *args, **options):
    return LayerCase(lambda **kwargs: layer_class(*args, **options, **kwargs), example)


IMAGE = (6, 5, 4)
CLASSES = 3

LAYER_CASES = {
    "WeightNormDense": _case(WeightNormDense, (5,), 3, activation="relu"),
    "WeightNormDense, trained scale, sequences": _case(
        WeightNormDense, (4, 5), 3, train_scale=True, epsilon=0.0
    ),
    "WeightNormConv2D": _case(WeightNormConv2D, IMAGE, 3, 3, activation=leaky_rectify),
    "WeightNormConv2D, explicit padding": _case(
        WeightNormConv2D, IMAGE, 3, 3, strides=2, padding=1, train_scale=True
    ),
    "WeightNormConv2D, same, dilated, no bias": _case(
        WeightNormConv2D, IMAGE, 3, 3, padding="same", dilation_rate=2, use_bias=False
    ),
    "WeightNormConv2D, groups": _case(WeightNormConv2D, IMAGE, 4, (3, 2), groups=2),
    "WeightNormConv2DTranspose": _case(WeightNormConv2DTranspose, IMAGE, 3, 3),
    "WeightNormConv2DTranspose, doubling": _case(
        WeightNormConv2DTranspose,
        IMAGE,
        3,
        5,
        strides=2,
        padding=2,
        output_padding=1,
        activation="tanh",
        train_scale=True,
    ),
    "WeightNormConv2DTranspose, same": _case(
        WeightNormConv2DTranspose, IMAGE, 3, 3, strides=2, padding="same"
    ),
    "WeightNormConv2D, channels first": _case(
        WeightNormConv2D, IMAGE, 3, 3, padding=1, strides=2, data_format="channels_first"
    ),
    "WeightNormConv2DTranspose, channels first": _case(
        WeightNormConv2DTranspose, IMAGE, 3, 3, padding=1, data_format="channels_first"
    ),
    "WeightNormEmbedding": _case(WeightNormEmbedding, CLASSES, CLASSES, 4),
    "WeightNormConv1D": _case(WeightNormConv1D, (7, 4), 3, 3, strides=2, padding=1),
    "WeightNormConv1DTranspose": _case(WeightNormConv1DTranspose, (4, 4), 3, 4, strides=2),
    "WeightNormConv3D": _case(WeightNormConv3D, (3, 4, 3, 2), 3, 2, padding="same"),
    "WeightNormConv3DTranspose": _case(
        WeightNormConv3DTranspose, (2, 3, 2, 2), 3, 3, strides=2, padding=1, output_padding=1
    ),
    "MinibatchDiscrimination": _case(MinibatchDiscrimination, (5,), 4, 3),
    "MinibatchDiscrimination, normalised": _case(
        MinibatchDiscrimination, (5,), 4, 3, normalize_input=True
    ),
    "MinibatchStdDev": _case(MinibatchStdDev, IMAGE),
    "MinibatchStdDev, groups, axis 1": _case(MinibatchStdDev, IMAGE, group_size=3, axis=1),
    "MinibatchStdDev, vectors": _case(MinibatchStdDev, (5,)),
    "PrependReference": LayerCase(_prepend_reference((5,)), (5,)),
    "PrependReference, images": LayerCase(_prepend_reference(IMAGE), IMAGE),
    "DropReference": _case(DropReference, IMAGE, 2),
    "VirtualBatchNorm": _case(VirtualBatchNorm, IMAGE, 3),
    "VirtualBatchNorm, vectors": _case(VirtualBatchNorm, (5,), 3),
    "VirtualBatchNorm, axis 1, no gamma": _case(VirtualBatchNorm, IMAGE, 3, axis=1, scale=False),
    "FrozenVirtualBatchNorm": _case(FrozenVirtualBatchNorm, IMAGE, 3),
    "FrozenVirtualBatchNorm, vectors, no beta": _case(
        FrozenVirtualBatchNorm, (5,), 3, center=False
    ),
    "BatchStatisticsNorm": _case(BatchStatisticsNorm, IMAGE),
    "BatchStatisticsNorm, vectors": _case(BatchStatisticsNorm, (5,)),
    "BatchStatisticsNorm, with a scale": _case(BatchStatisticsNorm, IMAGE, scale=True),
    "CrossBatchNorm": _case(CrossBatchNorm, IMAGE),
    "CrossBatchNorm, vectors": _case(CrossBatchNorm, (4,)),
    "BatchNorm": _case(BatchNorm, IMAGE),
    "ConditionalBatchNorm": _case(ConditionalBatchNorm, [IMAGE, (7,)], spectral_norm=True),
    "ConditionalBatchNorm, labels": _case(ConditionalBatchNorm, [IMAGE, CLASSES], CLASSES),
    "ProjectionHead": _case(ProjectionHead, [IMAGE, CLASSES], CLASSES),
    "SelfAttention2D": _case(SelfAttention2D, (6, 5, 8)),
    "SpectralNormDense": _case(
        SpectralNormDense, (4, 5), 3, activation="relu", num_singular_values=2
    ),
    "SpectralNormConv2D, groups, no bias": _case(
        SpectralNormConv2D, IMAGE, 4, (3, 2), groups=2, use_bias=False, num_power_iterations=2
    ),
    "SpectralNormConv2DTranspose": _case(
        SpectralNormConv2DTranspose, IMAGE, 3, 4, strides=2, padding="same", activation="tanh"
    ),
    "SpectralNormEmbedding": _case(SpectralNormEmbedding, CLASSES, CLASSES, 4),
    "GaussianNoise": _case(GaussianNoise, (5,), 0.3, seed=1),
    "Dropout": _case(Dropout, (5,), 0.3, seed=1),
    "PixelShuffle": _case(PixelShuffle, IMAGE, 2),
    "PixelShuffle, pytorch": _case(PixelShuffle, (3, 2, 18), 3, channel_order="pytorch"),
    "LeakyReLU": _case(LeakyReLU, (5,)),
}

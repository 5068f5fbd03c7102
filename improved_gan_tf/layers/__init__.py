"""The paper's layers, one technique a file; they work in any Keras 3 model, on any backend.

Importing this package registers them, so that saved `.keras` models load.
"""

from improved_gan_tf.layers.activations import LeakyReLU, leaky_rectify, rectify
from improved_gan_tf.layers.batch_statistics_norm import BatchStatisticsNorm
from improved_gan_tf.layers.conditional_batch_norm.conditional import ConditionalBatchNorm
from improved_gan_tf.layers.conditional_batch_norm.plain import BatchNorm
from improved_gan_tf.layers.conditional_batch_norm.standing import set_standing_statistics
from improved_gan_tf.layers.cross_batch_norm import CrossBatchNorm
from improved_gan_tf.layers.dropout import Dropout
from improved_gan_tf.layers.frozen_batch_statistics import freeze_batch_statistics
from improved_gan_tf.layers.minibatch_discrimination.layer import MinibatchDiscrimination
from improved_gan_tf.layers.minibatch_stddev import MinibatchStdDev
from improved_gan_tf.layers.noise import GaussianNoise
from improved_gan_tf.layers.pixel_shuffle import ICNR, PixelShuffle
from improved_gan_tf.layers.projection import ProjectionHead
from improved_gan_tf.layers.self_attention import SelfAttention2D
from improved_gan_tf.layers.spectral_norm.conv import SpectralNormConv2D
from improved_gan_tf.layers.spectral_norm.conv_transpose import SpectralNormConv2DTranspose
from improved_gan_tf.layers.spectral_norm.dense import SpectralNormDense
from improved_gan_tf.layers.spectral_norm.embedding import SpectralNormEmbedding
from improved_gan_tf.layers.spectral_norm.removal import remove_spectral_norm
from improved_gan_tf.layers.virtual_batch_norm.frozen import (
    FrozenVirtualBatchNorm,
    freeze_reference,
)
from improved_gan_tf.layers.virtual_batch_norm.live import VirtualBatchNorm
from improved_gan_tf.layers.virtual_batch_norm.reference_batch import (
    DropReference,
    PrependReference,
)
from improved_gan_tf.layers.virtual_batch_norm.use import use_virtual_batch_norm
from improved_gan_tf.layers.weight_norm.addition import add_weight_norm
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
from improved_gan_tf.layers.weight_norm.removal import remove_weight_norm

__all__ = [
    "ICNR",
    "BatchNorm",
    "BatchStatisticsNorm",
    "ConditionalBatchNorm",
    "CrossBatchNorm",
    "DropReference",
    "Dropout",
    "FrozenVirtualBatchNorm",
    "GaussianNoise",
    "LeakyReLU",
    "MinibatchDiscrimination",
    "MinibatchStdDev",
    "PixelShuffle",
    "PrependReference",
    "ProjectionHead",
    "SelfAttention2D",
    "SpectralNormConv2D",
    "SpectralNormConv2DTranspose",
    "SpectralNormDense",
    "SpectralNormEmbedding",
    "VirtualBatchNorm",
    "WeightNormConv1D",
    "WeightNormConv1DTranspose",
    "WeightNormConv2D",
    "WeightNormConv2DTranspose",
    "WeightNormConv3D",
    "WeightNormConv3DTranspose",
    "WeightNormDense",
    "WeightNormEmbedding",
    "add_weight_norm",
    "freeze_batch_statistics",
    "freeze_reference",
    "leaky_rectify",
    "rectify",
    "remove_spectral_norm",
    "remove_weight_norm",
    "set_standing_statistics",
    "use_virtual_batch_norm",
]

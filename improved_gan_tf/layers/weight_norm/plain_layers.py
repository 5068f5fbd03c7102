"""Which layer of Keras each weight-normalised layer is without the normalisation."""

import keras

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

PLAIN_LAYERS = {
    WeightNormDense: keras.layers.Dense,
    WeightNormEmbedding: keras.layers.Embedding,
    WeightNormConv1D: keras.layers.Conv1D,
    WeightNormConv2D: keras.layers.Conv2D,
    WeightNormConv3D: keras.layers.Conv3D,
    WeightNormConv1DTranspose: keras.layers.Conv1DTranspose,
    WeightNormConv2DTranspose: keras.layers.Conv2DTranspose,
    WeightNormConv3DTranspose: keras.layers.Conv3DTranspose,
}

"""Which layers let the output for an example depend on the other examples of its batch."""

import keras

from improved_gan_tf.layers.batch_statistics_norm import BatchStatisticsNorm
from improved_gan_tf.layers.conditional_batch_norm.conditional import ConditionalBatchNorm
from improved_gan_tf.layers.conditional_batch_norm.plain import BatchNorm
from improved_gan_tf.layers.cross_batch_norm import CrossBatchNorm
from improved_gan_tf.layers.minibatch_discrimination.layer import MinibatchDiscrimination
from improved_gan_tf.layers.minibatch_stddev import MinibatchStdDev

# In training and in inference.
COUPLED_ALWAYS = (
    BatchStatisticsNorm,
    CrossBatchNorm,
    MinibatchDiscrimination,
    MinibatchStdDev,
)
# In training; some of them in inference too.
COUPLED_IN_TRAINING = (
    *COUPLED_ALWAYS,
    keras.layers.BatchNormalization,
    BatchNorm,
    ConditionalBatchNorm,
)

"""Weight-normalised convolutions in one and in three dimensions."""

import keras

from improved_gan_tf.layers.weight_norm.conv import WeightNormForwardConv
from improved_gan_tf.layers.weight_norm.conv_transpose import WeightNormConvTranspose


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class WeightNormConv1D(WeightNormForwardConv):
    """Convolution over length with a weight-normalised kernel.

    `WeightNormConv2D` in one dimension.

    Batch meaning: rows are independent, whatever the batch is split over.

    Training: the same in training and inference. Inside
    `improved_gan_tf.initialize_from_data` the layer sets `scale` and `bias` from the batch.

    Args:
        filters: int > 0, number of output channels K.
        kernel_size, strides, dilation_rate: int or one int in a tuple, > 0.
        padding: "valid" (default), "same", or explicit, integers >= 0 as there.
        groups: int > 0 dividing both A and K, default 1.
        data_format, activation, use_bias, kernel_initializer, bias_initializer, scale_initializer,
            kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
            bias_constraint, train_scale, epsilon, init_stddev: as there.

    Call arguments:
        inputs: (N, L, A), floating point; (N, A, L) for channels_first.

    Returns:
        (N, L', K) or (N, K, L'), the layer's compute dtype.

    Raises:
        ValueError: as there.

    Weights:
        kernel: (kl, A / groups, K), the unnormalised V.
        scale: (K,), g.
        bias: (K,), b.

    Example:

    >>> import numpy as np
    >>> layer = WeightNormConv1D(3, 3, strides=2, padding=1)
    >>> tuple(layer(np.ones((2, 8, 5), "float32")).shape)
    (2, 4, 3)

    References:
        Paper: Salimans and Kingma (2016), Sec. 2.
    """

    rank = 1


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class WeightNormConv3D(WeightNormForwardConv):
    """Convolution over depth, height and width with a weight-normalised kernel.

    `WeightNormConv2D` in three dimensions.

    Batch meaning: rows are independent, whatever the batch is split over.

    Training: the same in training and inference. Inside
    `improved_gan_tf.initialize_from_data` the layer sets `scale` and `bias` from the batch.

    Args:
        filters: int > 0, number of output channels K.
        kernel_size, strides, dilation_rate: int or three ints, > 0.
        padding: "valid" (default), "same", or explicit, integers >= 0 as there.
        groups: int > 0 dividing both A and K, default 1.
        data_format, activation, use_bias, kernel_initializer, bias_initializer, scale_initializer,
            kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
            bias_constraint, train_scale, epsilon, init_stddev: as there.

    Call arguments:
        inputs: (N, D, H, W, A), floating point; (N, A, D, H, W) for channels_first.

    Returns:
        (N, D', H', W', K) or (N, K, D', H', W'), the layer's compute dtype.

    Raises:
        ValueError: as there.

    Weights:
        kernel: (kd, kh, kw, A / groups, K), the unnormalised V.
        scale: (K,), g.
        bias: (K,), b.

    Example:

    >>> import numpy as np
    >>> layer = WeightNormConv3D(3, 3, strides=2, padding=1)
    >>> tuple(layer(np.ones((2, 4, 4, 4, 5), "float32")).shape)
    (2, 2, 2, 2, 3)

    References:
        Paper: Salimans and Kingma (2016), Sec. 2.
    """

    rank = 3


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class WeightNormConv1DTranspose(WeightNormConvTranspose):
    """Transposed convolution over length with a weight-normalised kernel.

    `WeightNormConv2DTranspose` in one dimension.

    Batch meaning: rows are independent, whatever the batch is split over.

    Training: the same in training and inference. Inside
    `improved_gan_tf.initialize_from_data` the layer sets `scale` and `bias` from the batch.

    Args:
        filters: int > 0, number of output channels K.
        kernel_size, strides, dilation_rate: int or one int in a tuple, > 0.
        padding: "valid" (default), "same", or explicit, integers >= 0 as there.
        output_padding: None (default), or integers >= 0 below `strides`, as there.
        data_format, activation, use_bias, kernel_initializer, bias_initializer, scale_initializer,
            kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
            bias_constraint, train_scale, epsilon, init_stddev: as there.

    Call arguments:
        inputs: (N, L, A), floating point; (N, A, L) for channels_first.

    Returns:
        (N, L', K) or (N, K, L'), the layer's compute dtype.

    Raises:
        ValueError: as there.

    Weights:
        kernel: (kl, K, A), the unnormalised V.
        scale: (K,), g.
        bias: (K,), b.

    Example:

    >>> import numpy as np
    >>> layer = WeightNormConv1DTranspose(3, 4, strides=2, padding=1)
    >>> tuple(layer(np.ones((2, 8, 5), "float32")).shape)
    (2, 16, 3)

    References:
        Paper: Salimans and Kingma (2016), Sec. 2.
    """

    rank = 1


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class WeightNormConv3DTranspose(WeightNormConvTranspose):
    """Transposed convolution over depth, height and width with a weight-normalised kernel.

    `WeightNormConv2DTranspose` in three dimensions.

    Batch meaning: rows are independent, whatever the batch is split over.

    Training: the same in training and inference. Inside
    `improved_gan_tf.initialize_from_data` the layer sets `scale` and `bias` from the batch.

    Args:
        filters: int > 0, number of output channels K.
        kernel_size, strides, dilation_rate: int or three ints, > 0.
        padding: "valid" (default), "same", or explicit, integers >= 0 as there.
        output_padding: None (default), or integers >= 0 below `strides`, as there.
        data_format, activation, use_bias, kernel_initializer, bias_initializer, scale_initializer,
            kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
            bias_constraint, train_scale, epsilon, init_stddev: as there.

    Call arguments:
        inputs: (N, D, H, W, A), floating point; (N, A, D, H, W) for channels_first.

    Returns:
        (N, D', H', W', K) or (N, K, D', H', W'), the layer's compute dtype.

    Raises:
        ValueError: as there.

    Weights:
        kernel: (kd, kh, kw, K, A), the unnormalised V.
        scale: (K,), g.
        bias: (K,), b.

    Example:

    >>> import numpy as np
    >>> layer = WeightNormConv3DTranspose(3, 4, strides=2, padding=1)
    >>> tuple(layer(np.ones((2, 4, 4, 4, 5), "float32")).shape)
    (2, 8, 8, 8, 3)

    References:
        Paper: Salimans and Kingma (2016), Sec. 2.
    """

    rank = 3

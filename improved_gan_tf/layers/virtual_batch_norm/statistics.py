"""The statistics of virtual batch normalization.

Paper:    Salimans et al. (2016), Sec. 3.5.
Original: openai/improved-gan@4f5d1ec, imagenet/model.py, `VBN`.
"""

from keras import ops

from improved_gan_tf.precision import mean as mean_of


def row_statistics(inputs, axes):
    """Returns each row centred on its own mean, and its mean and variance over `axes`.

    Args:
        inputs: (n, ..., C).
        axes: the spatial axes; none for a matrix, whose rows have variance 0.

    Returns:
        `inputs - mean`, (n, ..., C), and mean and variance, (n, 1, ..., C).
    """
    if not axes:
        zeros = inputs - inputs
        return zeros, inputs, zeros
    mean = mean_of(inputs, axes, keepdims=True)
    centred = inputs - mean
    return centred, mean, mean_of(ops.square(centred), axes, keepdims=True)


def pooled_statistics(mean, variance):
    """Returns mean and variance, (1, 1, ..., C), over all rows of a batch, from each row's own."""
    pooled_mean = mean_of(mean, (0,), keepdims=True)
    spread = mean_of(ops.square(mean - pooled_mean), (0,), keepdims=True)
    return pooled_mean, mean_of(variance, (0,), keepdims=True) + spread


def virtual_statistics(mean, variance, reference_mean, reference_variance, weight):
    """Returns the mean and the variance that virtual batch normalization uses for each row.

        mean = w m_x + (1 - w) m_ref
        variance = w q_x + (1 - w) q_ref - mean^2                  q: mean of squares
                 = w v_x + (1 - w) v_ref + w (1 - w) (m_x - m_ref)^2

    The last line is computed: it is the same number and does not lose digits where the mean
    is much larger than the deviation.
    """
    difference = mean - reference_mean
    return (
        reference_mean + weight * difference,
        weight * variance
        + (1.0 - weight) * reference_variance
        + weight * (1.0 - weight) * ops.square(difference),
    )

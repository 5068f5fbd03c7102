"""Virtual batch normalization: every example is normalised by a fixed reference batch and itself.

The reference batch is the first R rows of the layer's input: `reference_batch.py` puts it there.
After training `frozen.freeze_reference` puts the reference statistics into the
model.

Paper:    Salimans et al. (2016), Sec. 3.5.
Original: openai/improved-gan@4f5d1ec, imagenet/model.py, `VBN`.
"""

import contextlib
import contextvars

import keras
from keras import ops

from improved_gan_tf.layers.virtual_batch_norm.base import VirtualNormLayer
from improved_gan_tf.layers.virtual_batch_norm.reference_batch import (
    require_reference_rows,
    require_size_of_prepended,
)
from improved_gan_tf.layers.virtual_batch_norm.statistics import (
    pooled_statistics,
    virtual_statistics,
)

# Where `freeze_reference` collects {id(layer): [(layer, mean, variance), ...]} during one pass.
# Not an argument of `call`: a Keras model passes its layers no arguments but its own few.
_recorded = contextvars.ContextVar("improved_gan_tf_recorded", default=None)


@contextlib.contextmanager
def recording():
    """Collects the reference statistics of every live layer that is called in the `with` block."""
    token = _recorded.set({})
    try:
        yield _recorded.get()
    finally:
        _recorded.reset(token)


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class VirtualBatchNorm(VirtualNormLayer):
    """Normalises each example with the statistics of a reference batch and of itself.

    Batch normalization makes the output for one example depend on the other examples of its
    batch; generated images of one batch then share their colour. Here the reference
    batch, the first R rows of the input, is normalised with its own statistics only, and each
    live example x with those of the reference and itself, w = 1 / (R + 1):

        mean = w m_x + (1 - w) m_ref              m: mean over a row's own positions
        mean_square = w q_x + (1 - w) q_ref       q: mean of squares
        y = gamma (x - mean) / sqrt(epsilon + mean_square - mean^2) + beta

    Gradients flow through the reference statistics. A value that is not finite in a live
    example reaches that example's output only.

    Batch meaning: rows are independent given the reference, which every replica holds, so that
    a batch may be split over replicas as one likes.

    Training: the same in training and inference. See `freeze_reference` for inference without
    the reference batch.

    Args:
        reference_size: int > 0, R, the same as that of `PrependReference`.
        axis: int, the channel axis, default -1; 1 for channels_first.
        epsilon: float > 0 inside the root, default 1e-5, the original's.
        center: bool, whether to add `beta`, default True.
        scale: bool, whether to multiply with `gamma`, default True.
        beta_initializer: default zeros.
        gamma_initializer: default N(1, 0.02), the original's.
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: as in
            `keras.layers.BatchNormalization`.

    Call arguments:
        inputs: (R + N, ..., C), rank 2 or more, floating point.

    Returns:
        (R + N, ..., C), the layer's compute dtype; statistics are at least float32.

    Raises:
        ValueError: an argument is out of its range; in a functional model, `reference_size` is not
            that of the `PrependReference` before it; the input has fewer than R rows, rank below
            2, an unknown number of channels or is not floating point.

    Weights:
        gamma: (C,), if `scale`.
        beta: (C,), if `center`.

    Example:

    >>> import numpy as np
    >>> layer = VirtualBatchNorm(reference_size=4)
    >>> tuple(layer(np.ones((6, 8, 8, 3), "float32")).shape)
    (6, 8, 8, 3)

    References:
        Paper:    Salimans et al. (2016), Sec. 3.5.
        Original: openai/improved-gan@4f5d1ec, imagenet/model.py, `VBN`.
    """

    def build(self, input_shape):
        require_reference_rows(self, input_shape)
        super().build(input_shape)

    def call(self, inputs):
        require_reference_rows(self, inputs.shape)
        size = self.reference_size
        centred, row_mean, row_variance = self._row_statistics(inputs)  # (R + N, ...)

        # The reshape fails where a batch of unknown size turns out to have fewer than R rows.
        rows = (size, *row_mean.shape[1:])
        reference_mean, reference_variance = pooled_statistics(
            ops.reshape(row_mean[:size], rows), ops.reshape(row_variance[:size], rows)
        )  # (1, 1, ..., C)
        live_mean, live_variance = virtual_statistics(
            row_mean[size:],
            row_variance[size:],
            reference_mean,
            reference_variance,
            weight=1.0 / (size + 1.0),
        )  # (N, 1, ..., C)
        self._record(reference_mean, reference_variance)
        return self._normalise(
            centred,
            row_mean,
            ops.concatenate([ops.broadcast_to(reference_mean, rows), live_mean], axis=0),
            ops.concatenate([ops.broadcast_to(reference_variance, rows), live_variance], axis=0),
        )

    def compute_output_spec(self, inputs):
        require_size_of_prepended(self, inputs)
        return super().compute_output_spec(inputs)

    def _record(self, mean, variance):
        recorded = _recorded.get()
        if recorded is not None:
            recorded.setdefault(id(self), []).append((self, mean, variance))

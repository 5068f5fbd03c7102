"""Logits of every example of a set, their error, and how close examples are."""

import keras
import numpy as np
import tensorflow as tf

from improved_gan_tf.layers import MinibatchDiscrimination
from improved_gan_tf.layers.layer_calls import calls_in_graph
from improved_gan_tf.precision import in_float32

EVALUATION_BATCH = 1000


class Predictor:
    """Logits of a discriminator in inference mode, noise off.

    Args:
        discriminator: model with an output named "logits".
        images: `data.device_images.DeviceImages`, the set to score.
        coupled_batch: None, or the batch size of a discriminator whose outputs depend on the whole
            batch (minibatch discrimination). Every batch is then full: images from the batch
            before fill the last one, and are not counted again.
    """

    def __init__(self, discriminator, images, coupled_batch=None):
        self._rows = images.mixed_rows if coupled_batch else np.arange(len(images))
        self._coupled_batch = coupled_batch

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
        def forward(rows):
            return in_float32(discriminator(images.images(rows), training=False)["logits"])

        self._forward = forward

    def logits(self):
        """Returns float logits (N, K) of all N examples, each once, in the order of `images`."""
        count = len(self._rows)
        size = self._coupled_batch or EVALUATION_BATCH
        parts = []
        for start in range(0, count, size):
            stop = min(start + size, count)
            # D8: the original's SVHN minibatch script counts the overlap twice.
            first = max(0, stop - size) if self._coupled_batch else start
            rows = tf.constant(self._rows[first:stop], tf.int32)
            parts.append(self._forward(rows).numpy()[start - first :])
        return np.concatenate(parts)[np.argsort(self._rows)]


def wrong_count(logits, labels):
    """Number of rows whose largest logit is not the label's (int)."""
    return int(np.sum(np.argmax(logits, axis=1) != labels))


def mean_closeness(discriminator, images):
    """The mean of minibatch discrimination's `o` over examples and kernels, in inference mode.

    Args:
        discriminator: functional or Sequential model with one `MinibatchDiscrimination`.
        images: (N, ...), the discriminator's input, as one batch.

    Returns:
        float in [0, N - 1]; 4 to 8 in new networks for 100 real images.
    """
    (layer,) = (m for m in discriminator.layers if isinstance(m, MinibatchDiscrimination))
    (call,) = calls_in_graph(layer, discriminator.outputs)
    below = keras.Model(discriminator.inputs[0], call.input_tensors[0])
    return float(np.mean(layer.closeness(below(images, training=False))))

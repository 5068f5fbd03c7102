"""Logits of every example of a set, their error, and how close examples are."""

import keras
import numpy as np
import tensorflow as tf

from improved_gan_tf import streams
from improved_gan_tf.layers import MinibatchDiscrimination
from improved_gan_tf.precision import in_float32

EVALUATION_BATCH = 1000


def coupled_order(labels):
    """Returns the order in which examples share the batches of minibatch discrimination, (N,).

    It is the data's own, as in the original, unless they lie sorted by class (the embedded digits,
    a folder for each class): then a random one, always the same. A batch of one class is nothing
    that the discriminator was trained on. (D8)

    Args:
        labels: (N,) integers.
    """
    labels = np.asarray(labels)
    if len(labels) and np.all(labels[1:] >= labels[:-1]):
        return streams.coupled_test_order().permutation(len(labels))
    return np.arange(len(labels))


class Predictor:
    """Logits of a discriminator in inference mode, noise off.

    Args:
        discriminator: model with an output named "logits".
        images: `data.device_images.DeviceImages`, the set to score.
        coupled_batch: None, or the batch size of a discriminator whose outputs depend on the whole
            batch (minibatch discrimination). Every batch is then full: images from the batch
            before fill the last one, and are not counted again.
        order: (N,) integers, the images in the order in which they share batches; None for that of
            `images`.
    """

    def __init__(self, discriminator, images, coupled_batch=None, order=None):
        self._count = len(images)
        self._coupled_batch = coupled_batch
        self._order = np.arange(self._count) if order is None else np.asarray(order)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
        def forward(rows):
            return in_float32(discriminator(images.images(rows), training=False)["logits"])

        self._forward = forward

    def logits(self):
        """Returns float logits (N, K) of all N examples, each once, in the order of `images`."""
        size = self._coupled_batch or EVALUATION_BATCH
        parts = []
        for start in range(0, self._count, size):
            stop = min(start + size, self._count)
            # D8: the original's SVHN minibatch script counts the overlap twice.
            first = max(0, stop - size) if self._coupled_batch else start
            rows = tf.constant(self._order[first:stop], tf.int32)
            parts.append(self._forward(rows).numpy()[start - first :])
        return np.concatenate(parts)[np.argsort(self._order)]


def wrong_count(logits, labels):
    """Number of rows whose largest logit is not the label's (int)."""
    return int(np.sum(np.argmax(logits, axis=1) != labels))


def mean_closeness(discriminator, images):
    """The mean of minibatch discrimination's `o` over examples and kernels, in inference mode.

    Args:
        discriminator: functional model with one `MinibatchDiscrimination`.
        images: (N, ...), the discriminator's input, as one batch.

    Returns:
        float in [0, N - 1]; a new layer has about 1.
    """
    (layer,) = (m for m in discriminator.layers if isinstance(m, MinibatchDiscrimination))
    below = keras.Model(discriminator.input, layer.input)
    return float(np.mean(layer.closeness(below(images, training=False))))

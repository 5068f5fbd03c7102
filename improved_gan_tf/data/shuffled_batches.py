"""The rows of each epoch of the games without few labels, and their images, prefetched."""

from typing import NamedTuple

import numpy as np

from improved_gan_tf import streams
from improved_gan_tf.errors import UserError


class ShuffledEpochs:
    """The rows of any epoch: `epochs(epoch)`, a pure function of the constructor's arguments.

    Args:
        count: int, number of images.
        batch_size: int.
        seed: int, the run's seed.

    Raises:
        UserError: there are fewer images than one batch needs.
    """

    def __init__(self, count, batch_size, seed):
        self.iterations = count // batch_size
        if self.iterations == 0:
            raise UserError(
                f"`batch_size` must not exceed the {count} images: give a smaller one, or more "
                f"images. Received: {batch_size}."
            )
        self._count, self._batch_size, self._seed = count, batch_size, seed

    def __call__(self, epoch):
        """The rows of `epoch`, counted from 0, in a tuple: ints (iterations, batch_size).

        All differ. Which images are left over differs from epoch to epoch.
        """
        # D16: the original shuffles the files once, then within queues of 1,000 images.
        order = streams.shuffled_epoch(self._seed, epoch).permutation(self._count)
        used = order[: self.iterations * self._batch_size]
        return (used.reshape(self.iterations, self._batch_size),)


class EpochsOfSteps:
    """The rows of any epoch of a game with several batches an iteration, or a length of its own.

    Args:
        count: int, number of images.
        batch_size: int.
        steps: int, batches in an iteration.
        seed: int, the run's seed.
        iterations: int, in an epoch; if None, as many as use each image at most once.

    Raises:
        UserError: there are fewer images than one batch needs, or than one iteration if
            `iterations` is None.
    """

    def __init__(self, count, batch_size, steps, seed, iterations=None):
        self.iterations = iterations or count // (batch_size * steps)
        if self.iterations == 0 or batch_size > count:
            raise UserError(
                f"`batch_size` times the discriminator's steps must not exceed the {count} images: "
                f"give a smaller one, or more images. Received: {batch_size} times {steps}."
            )
        self._count, self._rows, self._seed = count, batch_size * steps, seed

    def __call__(self, epoch):
        """The rows of `epoch`, counted from 0, in a tuple: ints (iterations, batch_size * steps).

        All images come once before one comes again.
        """
        random = streams.shuffled_epoch(self._seed, epoch)
        needed = self.iterations * self._rows
        orders = [random.permutation(self._count) for _ in range(-(-needed // self._count))]
        return (np.concatenate(orders)[:needed].reshape(self.iterations, self._rows),)


class LabeledBatch(NamedTuple):
    """One iteration's data: bytes (N, size, size, 3) and labels (N,), as tensors."""

    images: object
    labels: object


def batches(image_set, rows):
    """The images of some iterations, prefetched.

    Args:
        image_set: `data.square_images.ImageSet`.
        rows: int array (iterations, batch_size), from `ShuffledEpochs`.

    Returns:
        `tf.data.Dataset` of one `LabeledBatch` (uint8, int32) for each iteration, in order.
    """
    import tensorflow as tf

    def read(some):
        return image_set.images[some], image_set.labels[some]

    def read_tensors(some):
        images, labels = tf.numpy_function(read, [some], (tf.uint8, tf.int32), stateful=False)
        images.set_shape((rows.shape[1], *image_set.images.shape[1:]))
        labels.set_shape((rows.shape[1],))
        return LabeledBatch(images, labels)

    dataset = tf.data.Dataset.from_tensor_slices(rows)
    return dataset.map(read_tensors, num_parallel_calls=2).prefetch(2)

"""The batches of each epoch of a `fit` on arrays."""

from typing import NamedTuple

import numpy as np

from improved_gan_tf.data.epoch_rows import EpochStreams
from improved_gan_tf.training.semi_supervised_gan import checks

DEFAULT_BATCH = 100  # the original's


class Expected(NamedTuple):
    """What the networks say about the data."""

    image_shape: tuple  # (H, W, C)
    pixel_range: tuple | None  # of the generator's images
    num_classes: int
    sees_real: bool  # whether generator steps need real images (feature matching)
    supervised_only: bool
    dtype: str  # of images in a batch


class Passes(NamedTuple):
    """Which passes over arrays a model has made; it is saved with the model."""

    first: int = 0  # the number of the first pass of this kind
    begun: int = 0  # the step with which it began
    batch_size: int = 0  # 0 if no `fit` has said, NO_PASS after one on pipelines
    num_labeled: int = 0
    num_images: int = 0  # in a pass: the unlabeled ones, or the baseline's labeled ones


NO_PASS = -1


def passes_from(passes, steps, kind):
    """The `Passes` that go on: those before, or new ones where their kind is another.

    Args:
        passes: `Passes` of the steps before.
        steps: int, steps made.
        kind: `(batch_size, num_labeled, num_images)` of the next steps; `(NO_PASS, 0, 0)` on
            pipelines.
    """
    first, begun, *before = passes
    if passes.batch_size == 0 or tuple(before) == kind:
        return Passes(first, begun, *kind)
    if passes.batch_size == NO_PASS:
        return Passes(first, steps, *kind)
    made = -(-(steps - begun) // (passes.num_images // passes.batch_size))
    return Passes(first + made, steps, *kind)


class ArrayBatches:
    """Batches of arrays: a pure function of the seed, the passes and the steps made before.

    The rows are those of the run scripts (`data.epoch_rows`): every pass permutes all labeled and
    all unlabeled images, the labeled ones as often as needed. So training that goes on, after
    loading or in a second `fit`, gets the batches that it would have got without a pause.

    Args:
        labeled: `(images, labels)`, arrays (L, H, W, C) and (L,).
        unlabeled: array (N, H, W, C), or None for the baseline without it.
        batch_size: int.
        steps: int or None, steps in an epoch; None for as many as the unlabeled images fill.
        seed: int.
        expected: `Expected`.
        repeat_labels: bool, whether a batch may hold a labeled image more than once.

    Raises:
        ValueError: the data do not fit the networks or the batch size.
    """

    def __init__(self, labeled, unlabeled, *, batch_size, steps, seed, expected, repeat_labels):
        images, labels = checks.pair(labeled, "labeled")
        shape, pixel_range = expected.image_shape, expected.pixel_range
        self._images = checks.as_images(images, "labeled", shape, pixel_range)
        self._labels = checks.as_labels(labels, "labeled", expected.num_classes, len(self._images))
        if unlabeled is not None:
            unlabeled = checks.as_images(unlabeled, "unlabeled", shape, pixel_range)
        elif not expected.supervised_only:
            raise ValueError(
                "`unlabeled` must hold the images without labels; the baseline without them is "
                "`SemiSupervisedGAN(..., supervised_only=True)`. Received: unlabeled=None"
            )
        self._unlabeled = unlabeled
        self.batch_size = batch_size
        _check_counts(len(self._images), unlabeled, batch_size, repeat_labels)
        count = max(len(self._images), batch_size) if unlabeled is None else len(unlabeled)
        rows = np.arange(len(self._images))
        self._epochs = EpochStreams(count, rows, batch_size, seed, expected.sees_real)
        self._expected = expected
        self.steps = steps or self._epochs.iterations
        self.steps_per_epoch = None  # for Keras: the data set ends with the epoch
        self.kind_of_pass = (batch_size, len(self._images), count)
        self._first_pass, self._first = 0, 0

    def begin_epoch(self, passes, steps):
        """Makes the next reading of `dataset` begin where these `Passes` are after `steps`."""
        self._first_pass, self._first = passes.first, steps - passes.begun

    def initialization_images(self, count):
        """The first images that training will see, at most `count`."""
        rows, images = self._epochs(0), self._unlabeled
        chosen = rows.unlabeled
        if images is None:
            images, chosen = self._images, rows.labeled
        return images[chosen.ravel()[:count]].astype(self._expected.dtype)

    def dataset(self):
        """A `tf.data.Dataset` of one epoch's batches, from where `begin_epoch` says."""
        import tensorflow as tf

        n = self.batch_size
        images = tf.TensorSpec((n, *self._expected.image_shape), self._expected.dtype)
        signature = [images, tf.TensorSpec((n,), "int32")]
        if not self._expected.supervised_only:
            signature += [images] * (2 if self._expected.sees_real else 1)
        batches = tf.data.Dataset.from_generator(self._batches, output_signature=tuple(signature))
        return batches.apply(tf.data.experimental.assert_cardinality(self.steps)).prefetch(2)

    def _batches(self):
        dtype = self._expected.dtype
        for number in range(self._first, self._first + self.steps):
            made, i = divmod(number, self._epochs.iterations)
            rows = self._epochs(self._first_pass + made)
            labeled, unlabeled, for_generator = (of_pass[i] for of_pass in rows)
            batch = [self._images[labeled].astype(dtype), self._labels[labeled]]
            if not self._expected.supervised_only:
                batch.append(self._unlabeled[unlabeled].astype(dtype))
                if self._expected.sees_real:
                    batch.append(self._unlabeled[for_generator].astype(dtype))
            yield tuple(batch)


def _check_counts(labels, unlabeled, batch_size, repeat_labels):
    if unlabeled is not None and len(unlabeled) < batch_size:
        raise ValueError(
            "`batch_size` must not exceed the number of unlabeled images, or there is no full "
            f"batch. Received: batch_size={batch_size} with {len(unlabeled)} images"
        )
    if labels < batch_size and not repeat_labels:
        raise ValueError(
            "There are fewer labeled images than a batch holds. Give a smaller `batch_size`, or "
            "`repeat_labels=True` for batches that hold them several times, as the paper's with "
            f"20 labels do. Received: {labels} labeled images, batch_size={batch_size}"
        )

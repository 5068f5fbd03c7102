"""The labeled subset of a training set, and the rows for each iteration.

Every row number is a pure function of the data's labels, `seed_data`, `seed` and the epoch. The
order of the draws is the original's, so the original's file order gives the original's rows.

Paper:    Salimans et al. (2016), Sec. 6.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*.py, from "select labeled data"
          to "construct randomly permuted minibatches".
"""

from typing import NamedTuple

import numpy as np

from improved_gan_tf import streams
from improved_gan_tf.errors import UserError


class LabeledSubset(NamedTuple):
    """Row numbers of the training set."""

    labeled: np.ndarray  # sorted by class; in the paper's sets labels_per_class of each
    order: np.ndarray  # (N,), the permutation that puts the labeled rows first


def choose_labeled_subset(labels, labels_per_class, seed, seed_data, class_names):
    """Permutes the training set and takes the first `labels_per_class` of each class.

    Args:
        labels: (N,) integers, each a class's place in `class_names`, or -1 for an image without a
            label.
        labels_per_class: int >= 1, or None for every image that has a label.
        seed: int, the run's seed, which decides the permutation if `seed_data` is None (as in the
            original's CIFAR-10 minibatch-discrimination script).
        seed_data: int or None, decides the permutation.
        class_names: sequence of str.

    Raises:
        UserError: a class has fewer than `labels_per_class` images.
    """
    counts = np.bincount(labels[labels >= 0], minlength=len(class_names))
    if labels_per_class is not None and labels_per_class > counts.min():
        raise UserError(
            "`labels_per_class` must not exceed the number of labeled training images of any "
            "class. "
            f"Received: {labels_per_class}; class {class_names[counts.argmin()]!r} has "
            f"{counts.min()}."
        )
    order = streams.label_choice(seed, seed_data).permutation(len(labels))
    labeled = np.concatenate(
        [order[labels[order] == k][:labels_per_class] for k in range(len(class_names))]
    )
    return LabeledSubset(labeled, order)


class EpochRows(NamedTuple):
    """Row numbers of one epoch, each (iterations, batch_size)."""

    labeled: np.ndarray
    unlabeled: np.ndarray
    unlabeled_for_generator: np.ndarray


class EpochStreams:
    """The rows of any epoch: `streams(epoch)`, a pure function of the constructor's arguments.

    Each epoch permutes the labeled rows as often as needed to fill it, and draws independent
    permutations of all rows: one for discriminator steps and, with feature matching, one for
    generator steps. As in the original, each permutation starts from the previous epoch's order.

    Args:
        num_train: int, number of training images; all serve as unlabeled images too.
        labeled: (L,) row numbers.
        batch_size: int.
        seed: int.
        generator_sees_real: bool, whether generator steps need real images (feature matching).
        labels_from_seed: bool, whether the run's own generator drew the labeled rows
            (`choose_labeled_subset` with `seed_data=None`), and so is one permutation further.

    Raises:
        UserError: `batch_size` exceeds the training set.
    """

    def __init__(
        self,
        num_train,
        labeled,
        batch_size,
        seed,
        generator_sees_real=True,
        labels_from_seed=False,
    ):
        self._num_train = num_train
        self._labeled = np.asarray(labeled)
        self._batch_size = batch_size
        self._seed = seed
        self._generator_sees_real = generator_sees_real
        self._labels_from_seed = labels_from_seed
        # D9: rounded up; the original's MNIST script rounds down. For the original's label counts
        # both agree; for others, rounding down would leave the last batches without labels.
        self._tiles = -(-num_train // len(self._labeled))
        self.iterations = num_train // batch_size
        if batch_size > num_train:
            raise UserError(
                f"`batch_size` must not exceed the {num_train} training images. "
                f"Received: {batch_size}."
            )
        self._restart()

    def _restart(self):
        self._rng = streams.data_order(self._seed)
        if self._labels_from_seed:
            self._rng.permutation(self._num_train)
        self._next_epoch = 0
        # D21: all images; the paper's unlabeled images are the remaining ones.
        self._unlabeled = np.arange(self._num_train)
        self._unlabeled_for_generator = np.arange(self._num_train)

    def __call__(self, epoch):
        """Returns the `EpochRows` of `epoch`, counted from 0."""
        if epoch < self._next_epoch - 1:
            self._restart()
        while self._next_epoch <= epoch:  # replays earlier epochs, milliseconds each
            rng, labeled = self._rng, self._labeled
            self._labeled_stream = np.concatenate(
                [labeled[rng.permutation(len(labeled))] for _ in range(self._tiles)]
            )
            self._unlabeled = self._unlabeled[rng.permutation(self._num_train)]
            if self._generator_sees_real:
                self._unlabeled_for_generator = self._unlabeled_for_generator[
                    rng.permutation(self._num_train)
                ]
            self._next_epoch += 1
        rows = (self._labeled_stream, self._unlabeled, self._unlabeled_for_generator)
        return EpochRows(*(self._batches(r) for r in rows))

    def _batches(self, rows):
        used = rows[: self.iterations * self._batch_size]
        return used.reshape(self.iterations, self._batch_size)

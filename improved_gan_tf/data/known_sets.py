"""The data sets of the paper by name: what each has to look like.

Paper: Salimans et al. (2016), Sec. 6.
"""

from typing import NamedTuple

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

"""Known facts about each data set of the paper.

Paper: Salimans et al. (2016), Sec. 6.
"""

from typing import NamedTuple

from improved_gan_tf.errors import UserError
from improved_gan_tf.settings.images import IMAGES

_DIGITS = tuple("0123456789")


class KnownSet(NamedTuple):
    """A data set that the paper trains on, as TFDS prepares it."""

    title: str  # what people call it
    tfds_name: str
    papers_place: str  # where the paper has its result on it
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    class_counts: tuple[int, ...]  # training images of each class
    num_test: int

    @property
    def num_classes(self):
        """Number of classes."""
        return len(self.class_names)

    @property
    def num_train(self):
        """Number of training images."""
        return sum(self.class_counts)


# The data sets of the semi-supervised experiments, which are loaded whole.
KNOWN_SETS = {
    "mnist": KnownSet(
        title="MNIST",
        tfds_name="mnist",
        papers_place="Table 1",
        image_shape=(28, 28, 1),
        class_names=_DIGITS,
        class_counts=(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
        num_test=10_000,
    ),
    "cifar10": KnownSet(
        title="CIFAR-10",
        tfds_name="cifar10",
        papers_place="Table 2",
        image_shape=(32, 32, 3),
        class_names=(
            *("airplane", "automobile", "bird", "cat", "deer"),
            *("dog", "frog", "horse", "ship", "truck"),
        ),
        class_counts=10 * (5000,),
        num_test=10_000,
    ),
    "svhn": KnownSet(
        title="SVHN",
        tfds_name="svhn_cropped",
        papers_place="Sec. 6.3",
        image_shape=(32, 32, 3),
        class_names=_DIGITS,
        class_counts=(4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659),
        num_test=26_032,
    ),
}


def known_set(name):
    """The `KnownSet` of a name; raises `UserError` where there is none."""
    if name not in KNOWN_SETS:
        raise UserError(
            f"The data set {name!r} is not known here: a run script names one of "
            f"{', '.join(KNOWN_SETS)}. A new one needs an entry in KNOWN_SETS "
            "(improved_gan_tf/data/known_sets.py) and its networks in EXPERIMENTS "
            "(improved_gan_tf/networks/players.py)."
        )
    return KNOWN_SETS[name]


class KnownTrainingImages(NamedTuple):
    """A data set whose training images, of any size, are read one after the other."""

    title: str
    tfds_name: str
    num_classes: int
    num_train: int


IMAGENET = KnownTrainingImages(
    title="ImageNet", tfds_name="imagenet2012", num_classes=1000, num_train=1_281_167
)


def num_labels(dataset, labels_per_class):
    """Labeled training images of all classes (int).

    Args:
        dataset: key of `KNOWN_SETS`.
        labels_per_class: int.

    Raises:
        UserError: there is no such data set.
    """
    return known_set(dataset).num_classes * labels_per_class


def num_labels_of(settings):
    """Labeled training images of a run (int).

    `settings` maps names to values: a run's config.json, or `vars` of its record.
    """
    if settings["dataset"] != IMAGES:
        return num_labels(settings["dataset"], settings["labels_per_class"])
    if settings["labels_per_class"] is None:
        return settings["num_labeled_images"]
    return len(settings["class_names"]) * settings["labels_per_class"]

"""The settings of a run on images of one's own, and the rule for those that are not given.

The rule: image size, network and batch follow the images; every other default is that of the
paper's experiment with that network, scaled to the length of the run: MNIST's for the dense
network, CIFAR-10's for the convolutional one.
"""

import dataclasses
import math
from typing import ClassVar

from improved_gan_tf.errors import UserError
from improved_gan_tf.settings.semi_supervised import ExperimentConfig
from improved_gan_tf.settings.setting import AUTHORS, OURS, Decides, plain_path, positive, setting

IMAGES = "images"  # the `dataset` of such runs
IMAGE_SIZES = (28, 32, 48, 64, 96, 128)  # a test holds them equal to the networks'
SOURCES = ("image_folder", "arrays", "tfds")

BATCH_SIZE = 100
ITERATIONS = 10_000
EVALUATIONS = 20
# After this many times 1 / averaging_rate iterations less than 0.005 % of the zeros is left with
# which the average starts.
SETTLED = 10
_BY_RULE = "; by rule if not given: "

DENSE, CONVOLUTIONAL = NETWORKS = ("dense", "convolutional")
DENSE_SHAPE = (28, 28, 1)
LEARNING_RATES = {DENSE: 0.003, CONVOLUTIONAL: 0.0003}
# What else the paper's MNIST experiment has where CIFAR-10's, in `run_images.py`, has another.
OF_DENSE = {
    "pixels": (255.0, 0.0),
    "generator_objective": "feature_matching_l2",
    "initialization_images": "permuted_training_set",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImagesConfig(ExperimentConfig):
    """The resolved settings of one run on images of one's own."""

    BEFORE: ClassVar[dict] = {"network": CONVOLUTIONAL}
    FOUND_IN_DATA: ClassVar[dict] = {
        "image_shape": "shape of the images",
        "class_names": "classes",
        "num_labeled_images": "labeled training images",
    }

    # Found in the images, not given; see `resolved`.
    image_shape: tuple[int, int, int] | None = None
    class_names: tuple[str, ...] = ()
    num_labeled_images: int | None = None  # training images that have a label, used or not

    # The paper's sets come by these settings, one's own images by those below.
    data_source: str = "own"
    ablation: str | None = None
    recipe: str = "ours"

    image_folder: str | None = setting(
        "folder of pictures: FOLDER/train/CLASS/*, FOLDER/unlabeled/*, FOLDER/test/CLASS/*, or "
        "FOLDER/CLASS/* and FOLDER/unlabeled/*",
        source=OURS,
        default=None,
        optional=True,
        plain=plain_path,
        decides=Decides.SOURCE,
    )
    arrays: str | None = setting(
        "file of arrays, .npz: x_train, y_train (-1: no label), x_test, y_test, x_unlabeled",
        source=OURS,
        default=None,
        optional=True,
        plain=plain_path,
        decides=Decides.SOURCE,
    )
    tfds: str | None = setting(
        "name of a data set of TFDS with images and class labels",
        source=OURS,
        default=None,
        optional=True,
        decides=Decides.SOURCE,
    )
    image_size: int | None = setting(
        "height and width in pixels to which the middle square of each image is resized: "
        f"{', '.join(map(str, IMAGE_SIZES))}{_BY_RULE}the smallest of them that is not below the "
        "median shorter side, and at most 64",
        source=OURS,
        default=None,
        check=lambda v: v in IMAGE_SIZES,
        expected=f"one of: {', '.join(map(str, IMAGE_SIZES))}",
        optional=True,
    )
    network: str | None = setting(
        "which of the paper's networks: MNIST's dense one, which is for grey images of 28 pixels "
        f"and feature matching, or CIFAR-10's convolutional one{_BY_RULE}{DENSE} where it can be",
        source=OURS,
        default=None,
        choices=NETWORKS,
        optional=True,
    )
    learning_rate: float | None = setting(
        "step size of both Adam optimizers before any decay"
        f"{_BY_RULE}{LEARNING_RATES[DENSE]} for the dense network, "
        f"{LEARNING_RATES[CONVOLUTIONAL]} for the convolutional one",
        source=AUTHORS,
        default=None,
        check=lambda v: math.isfinite(v) and v > 0,
        expected="a finite number larger than 0",
        optional=True,
    )
    test_fraction: float = setting(
        "part of each class's labeled images that is held out for testing if there are no test "
        "images, the same ones in every run; the run chooses nothing by them",
        source=OURS,
        default=0.2,
        check=lambda v: 0 < v < 1,
        expected="a number above 0 and below 1",
        decides=Decides.SOURCE,
    )
    cache_dir: str | None = setting(
        "folder that keeps the cropped and resized images; ~/.cache/improved_gan_tf if not given",
        source=OURS,
        default=None,
        optional=True,
        decides=Decides.NOTHING,
    )
    labels_per_class: int | None = setting(
        "labeled training images of each class to use, the others losing their labels; 5,10,20 "
        "trains with each in turn; all labels if not given",
        source=OURS,
        default=None,
        check=positive,
        expected="a whole number of 1 or more",
        optional=True,
        several=True,
        decides=Decides.ROW,
    )
    with_baseline: bool = setting(
        "train the same network on the labeled images alone too, in RUN_DIR/supervised_only, to "
        "answer whether the unlabeled images help",
        source=OURS,
        default=True,
        decides=Decides.NOTHING,
    )
    epochs: int | None = setting(
        f"passes over the training images{_BY_RULE}as many as make {ITERATIONS:,} iterations",
        source=OURS,
        default=None,
        check=positive,
        expected="a whole number of 1 or more",
        optional=True,
        decides=Decides.LENGTH,
    )
    batch_size: int | None = setting(
        "images in each of the labeled, unlabeled and generated minibatches, over all devices"
        f"{_BY_RULE}{BATCH_SIZE}, or a tenth of the training images if that is fewer",
        source=OURS,
        default=None,
        check=lambda v: v >= 2,
        expected="a whole number of 2 or more",
        optional=True,
    )
    averaging_rate: float | None = setting(
        "rate of the parameter average used for testing, which starts at zero; 0 keeps none"
        f"{_BY_RULE}{SETTLED} / iterations, from 0.0001 (the authors') to 0.05",
        source=AUTHORS + ", scaled",
        default=None,
        check=lambda v: 0 <= v <= 1,
        expected="a number from 0 to 1",
        optional=True,
    )
    evaluate_every: int | None = setting(
        "epochs between evaluations (test errors, sample grid, saved models)"
        f"{_BY_RULE}a {EVALUATIONS}th of the epochs",
        source=OURS,
        default=None,
        check=positive,
        expected="a whole number of 1 or more",
        optional=True,
        decides=Decides.NOTHING,
    )

    def to_dict(self):
        """The record as plain JSON types."""
        shape = self.image_shape and list(self.image_shape)
        return {**super().to_dict(), "image_shape": shape, "class_names": list(self.class_names)}

    @classmethod
    def from_dict(cls, values):
        """Reads what `to_dict` wrote."""
        shape = values["image_shape"] and tuple(values["image_shape"])
        names = tuple(values["class_names"])
        values = {**cls.BEFORE, **values}
        return super().from_dict({**values, "image_shape": shape, "class_names": names})


def check_sources(config):
    """Raises `UserError` unless exactly one source of images is given, with what goes with it."""
    given = [name for name in SOURCES if getattr(config, name) is not None]
    if len(given) != 1:
        received = ", ".join(f"--{name}={getattr(config, name)}" for name in given) or "none"
        raise UserError(
            "Give one source of images: --image_folder=FOLDER, --arrays=FILE.npz or --tfds=NAME. "
            f"Received: {received}."
        )
    if config.data_dir is not None and config.tfds is None:
        raise UserError(
            "--data_dir is where --tfds finds its data. Received: "
            f"--data_dir={config.data_dir} without --tfds."
        )


def resolved(config, image_shape, class_names, num_train, num_labeled_images):
    """The record with everything in place that was not given and follows from the images.

    Args:
        config: `ImagesConfig`.
        image_shape: (H, H, C).
        class_names: tuple of str.
        num_train: int, training images, with a label or without.
        num_labeled_images: int, training images that have a label.

    Raises:
        UserError: the dense network is asked for where it cannot be.
    """
    can_be_dense = tuple(image_shape) == DENSE_SHAPE and config.model == "feature_matching"
    network = config.network or (DENSE if can_be_dense else CONVOLUTIONAL)
    if network == DENSE and not can_be_dense:
        raise UserError(
            "--network=dense is for grey images of 28 x 28 pixels and --model=feature_matching. "
            f"Received: images of {' x '.join(map(str, image_shape))}, --model={config.model}."
        )
    batch_size = config.batch_size or max(2, min(BATCH_SIZE, num_train // 10))
    iterations = max(1, num_train // batch_size)
    epochs = config.epochs or math.ceil(ITERATIONS / iterations)
    rate = config.averaging_rate
    if rate is None:
        rate = min(0.05, max(0.0001, SETTLED / (epochs * iterations)))
    return dataclasses.replace(
        config,
        **(OF_DENSE if network == DENSE else {}),
        network=network,
        learning_rate=config.learning_rate or LEARNING_RATES[network],
        image_shape=tuple(image_shape),
        class_names=tuple(class_names),
        num_labeled_images=num_labeled_images,
        image_size=image_shape[0],
        batch_size=batch_size,
        epochs=epochs,
        averaging_rate=rate,
        evaluate_every=config.evaluate_every or math.ceil(epochs / EVALUATIONS),
    )

"""The settings of DCGAN's games, in addition to those of every experiment."""

import dataclasses
import math
from typing import ClassVar

from improved_gan_tf.settings import dcgan_rules
from improved_gan_tf.settings.dcgan_rules import AUTOENCODERS, SCORED
from improved_gan_tf.settings.dcgan_texts import (
    parse_noise,
    parse_targets,
    plain_noise,
    plain_targets,
)
from improved_gan_tf.settings.every_run import RunConfig
from improved_gan_tf.settings.setting import AUTHORS, OURS, PAPER, Decides, plain_path, setting

OBJECTIVES = (*SCORED, *AUTOENCODERS)
CONDITIONALS = ("none", "cgan", "acgan", "infogan")
OPTIMIZERS = ("adam", "rmsprop", "sgd")
DATA_SETS = ("mnist", "cifar10", "svhn", "folder")
FOLDER_SIZE = 64  # of a folder's images, if no size is given

_PUBLISHED = "the objective's paper or its authors' code"
_TALK = "How to Train a GAN (2016)"


def _finite(value):
    return math.isfinite(value) and value > 0


def _number(help, *, optional=False, expected="a finite number larger than 0", check=_finite):
    return setting(help, source=_PUBLISHED, check=check, expected=expected, optional=optional)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DcganConfig(RunConfig):
    """The resolved settings of one run of a DCGAN's game."""

    variants_by: ClassVar[str] = "objective"
    repeats: ClassVar[bool] = True

    # --- what is trained on which images ---------------------------------------------------
    dataset: str = setting(
        "images to learn; 'folder' is that of --image_folder",
        source=OURS,
        choices=DATA_SETS,
        decides=Decides.SOURCE,
    )
    data_source: str = setting(
        "'tfds' for the real data set, 'sample' for 5,000 embedded digits (MNIST only)",
        source=OURS,
        default="tfds",
        choices=("tfds", "sample"),
        decides=Decides.SOURCE,
    )
    image_folder: str | None = setting(
        "folder of images for --dataset=folder; folders in it are classes",
        source=OURS,
        default=None,
        optional=True,
        plain=plain_path,
        decides=Decides.SOURCE,
    )
    cache_dir: str | None = setting(
        "folder that keeps the cropped and resized images of --image_folder; "
        "~/.cache/improved_gan_tf if not given",
        source=OURS,
        default=None,
        optional=True,
        decides=Decides.NOTHING,
    )
    image_size: int | None = setting(
        f"height and width of a folder's images, 28, 32 or 64; {FOLDER_SIZE} if not given",
        source=OURS,
        default=None,
        optional=True,
        check=lambda v: v in (28, 32, 64),
        expected="one of: 28, 32, 64",
    )
    objective: str = setting(
        "what the players minimise", source=OURS, choices=OBJECTIVES, decides=Decides.ROW
    )
    recipe: str = setting(
        "set of defaults for rates, optimizers and normalization",
        source=OURS,
        decides=Decides.SOURCE,
    )
    conditional: str = setting(
        "what classes do: 'cgan' gives the class to both players, with 'acgan' the discriminator "
        "tells it, 'infogan' learns 10 categories and 2 codes of its own",
        source=OURS,
        default="none",
        choices=CONDITIONALS,
        decides=Decides.ROW,
    )
    epoch_iterations: int | None = setting(
        "generator steps in an epoch; if not given, as many as let the discriminator see each "
        "training image once",
        source=OURS,
        default=None,
        optional=True,
        check=lambda v: 1 <= v <= 10**6,
        expected="a whole number from 1 to 1000000",
    )

    # --- the recipe of the objective -------------------------------------------------------
    batch_size: int = setting(
        "real images in each batch of a discriminator step, and as many generated ones, over all "
        "devices",
        source=_PUBLISHED,
        # One image has no variance for batch normalization and no pair for minibatch features.
        check=lambda v: v >= 2,
        expected="a whole number of 2 or more",
    )
    learning_rate: float = _number("step size of both optimizers before any decay")
    discriminator_learning_rate: float | None = _number(
        "the discriminator's step size, if it is not --learning_rate", optional=True
    )
    generator_optimizer: str = setting(
        "the generator's optimizer", source=_PUBLISHED, choices=OPTIMIZERS
    )
    discriminator_optimizer: str = setting(
        "the discriminator's optimizer; the talk advises 'sgd', which needs a "
        "--discriminator_learning_rate of its own",
        source=_PUBLISHED,
        choices=OPTIMIZERS,
    )
    beta_1: float = _number(
        "Adam's decay of the first moment",
        check=lambda v: 0 <= v < 1,
        expected="a number of at least 0 and smaller than 1",
    )
    beta_2: float = _number(
        "Adam's decay of the second moment",
        check=lambda v: 0 < v < 1,
        expected="a number between 0 and 1",
    )
    discriminator_steps: int = setting(
        "discriminator steps before each generator step",
        source=_PUBLISHED,
        check=lambda v: 1 <= v <= 1000,
        expected="a whole number from 1 to 1000",
    )
    discriminator_normalization: str = setting(
        "what normalises the discriminator's hidden layers",
        source=_PUBLISHED,
        choices=("batch", "none"),
    )
    generator_normalization: str = setting(
        "what normalises the generator's hidden layers: its batch, or a reference batch and the "
        "example itself (virtual batch normalization)",
        source=_PUBLISHED,
        choices=("batch", "virtual_batch", "none"),
    )
    latent_dim: int = setting(
        "numbers in z",
        source=_PUBLISHED,
        check=lambda v: 1 <= v <= 10_000,
        expected="a whole number from 1 to 10000",
    )
    l2_weight: float = _number(
        "this share of each parameter is added to its gradient",
        check=lambda v: math.isfinite(v) and v >= 0,
        expected="a finite number of 0 or more",
    )
    weight_clip: float | None = _number(
        "largest absolute value of the critic's parameters, restored before each of its steps",
        optional=True,
    )
    penalty_weight: float | None = _number("factor of the gradient penalty", optional=True)
    least_squares_targets: str | None = setting(
        "what least squares pull scores to: 0 and 1, or -1, 1 and 0 (Pearson)",
        source=_PUBLISHED,
        choices=("zero_one", "pearson"),
        optional=True,
    )
    margin: float | None = _number(
        "EBGAN's margin m, in units of the Euclidean norm of an image", optional=True
    )
    pull_away_weight: float | None = _number(
        "factor of EBGAN's pull-away term",
        optional=True,
        check=lambda v: math.isfinite(v) and v >= 0,
        expected="a finite number of 0 or more",
    )
    diversity_ratio: float | None = _number(
        "BEGAN's gamma",
        optional=True,
        check=lambda v: 0 <= v <= 1,
        expected="a number from 0 to 1",
    )

    # --- tricks ----------------------------------------------------------------------------
    latent: str = setting(
        "what z is: U[-1, 1), or N(0, 1) as the talk advises",
        source="DCGAN's authors' code",
        default="uniform",
        choices=("uniform", "normal"),
    )
    real_targets: str = setting(
        "the discriminator's target for real images, or two between which each image's is drawn; "
        "0.9 is the paper's one-sided smoothing, 0.7,1.2 the talk's",
        source=PAPER,
        default="1",
        check=lambda v: parse_targets(v) is not None,
        expected="a number, or two rising ones like 0.7,1.2, from 0 to 2",
        plain=plain_targets,
    )
    generated_targets: str = setting(
        "the same for generated images; 0,0.3 is the talk's",
        source=_TALK,
        default="0",
        check=lambda v: parse_targets(v) is not None,
        expected="a number, or two rising ones like 0,0.3, from 0 to 2",
        plain=plain_targets,
    )
    flip_rate: float = setting(
        "share of pairs whose real and generated targets change places",
        source=_TALK,
        default=0.0,
        check=lambda v: 0 <= v < 0.5,
        expected="a number of at least 0 and smaller than 0.5",
    )
    instance_noise: str | None = setting(
        "deviation of the noise on the discriminator's images, START:END@EPOCHS, falling linearly "
        "over so many epochs, like 0.1:0@20",
        source=_TALK,
        default=None,
        optional=True,
        check=lambda v: parse_noise(v) is not None,
        expected="like 0.1:0@20: a deviation, one that is not larger, and a number of epochs",
        plain=plain_noise,
    )
    replay: int = setting(
        "earlier images in a buffer, which make up to half of those shown to the discriminator; "
        "0 for none",
        source=_TALK,
        default=0,
        check=lambda v: 0 <= v <= 100_000,
        expected="a whole number from 0 to 100000",
    )
    separate_batches: bool = setting(
        "show real and generated images to the discriminator in two calls, so that batch norm "
        "sees one kind at a time",
        source="DCGAN's authors' code",
        default=True,
    )

    # --- the paper's techniques ------------------------------------------------------------
    feature_matching: bool = setting(
        "the generator matches the mean of the discriminator's last maps instead of the objective",
        source=PAPER,
        default=False,
    )
    minibatch_discrimination: int = setting(
        "kernels of minibatch discrimination before the score, 100 in the paper; 0 for none",
        source=PAPER,
        default=0,
        check=lambda v: 0 <= v <= 10_000,
        expected="a whole number from 0 to 10000",
    )
    reference_batch_size: int | None = setting(
        "examples in the reference batch of virtual batch normalization; the batch size if not "
        "given",
        source=OURS,
        default=None,
        check=lambda v: 2 <= v <= 10_000,
        expected="a whole number from 2 to 10000",
        optional=True,
    )
    historical_averaging_weight: float = setting(
        "factor of historical averaging, the squared distance of a player's parameters from the "
        "mean of their past values, in both players' losses",
        source=AUTHORS,
        default=0.0,
        check=lambda v: math.isfinite(v) and v >= 0,
        expected="a finite number of 0 or more",
    )

    def __post_init__(self):
        super().__post_init__()
        dcgan_rules.check(self)

    def not_read(self):
        """What the players do not read; see `RunConfig.not_read`."""
        return dcgan_rules.not_read(self)

    @property
    def size(self):
        """Height and width of the images."""
        known = {"mnist": 28, "cifar10": 32, "svhn": 32}
        return known.get(self.dataset) or self.image_size or FOLDER_SIZE

    @property
    def targets(self):
        """`((low, high) of real, (low, high) of generated)` targets."""
        return parse_targets(self.real_targets), parse_targets(self.generated_targets)

    @property
    def noise_decay(self):
        """The `dcgan_texts.NoiseDecay` of the instance noise; None without it."""
        return self.instance_noise and parse_noise(self.instance_noise)

    @property
    def reference_size(self):
        """Examples in the generator's reference batch; None without one."""
        if self.generator_normalization != "virtual_batch":
            return None
        return self.reference_batch_size or self.batch_size

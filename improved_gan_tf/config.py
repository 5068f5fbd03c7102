"""Every setting once: its default's source, help, unit and check.

One frozen record decides every number of a run. A run script writes its experiment as one
literal `ExperimentConfig`, or `ImagenetConfig`; flags of the same names override single settings.
"""

import dataclasses
import math
import pathlib

from improved_gan_tf.errors import UserError
from improved_gan_tf.intervals import parse_interval

LARGEST = 10**18  # of whole numbers: beyond it they are no float, no index, no file name
MODELS = ("feature_matching", "minibatch_discrimination", "plain")
DATA_SOURCES = ("tfds", "sample")
GENERATOR_NORMALIZATIONS = ("batch", "virtual_batch")
PLAYERS = ("both", "discriminator", "generator")
STRATEGIES = ("auto", "one_device", "mirrored", "multi_worker", "tpu")
CROSS_REPLICA = ("global", "local")


def _setting(
    help,
    *,
    source,
    default=dataclasses.MISSING,
    check=None,
    expected=None,
    choices=None,
    optional=False,
    several=False,
):
    """A field of the record, with what `--help` and the checks need.

    Only a setting that is no part of any experiment has a default here; every other one stands
    in the run script's literal. Of a setting with `several` the command line takes a list; the
    record of one run holds one value.
    """
    return dataclasses.field(
        default=default,
        metadata={
            "help": help,
            "source": source,
            "check": check,
            "expected": expected,
            "choices": choices,
            "optional": optional,
            "several": several,
        },
    )


def _positive(value):
    return value > 0


def _not_negative(value):
    return value >= 0


AUTHORS = "the authors' code"
PAPER = "the paper"
OURS = "ours"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The settings that every experiment has; saved with a run as `config.json`."""

    # What makes the experiment; the run script decides it, there are no flags.
    dataset: str
    pixels: tuple[float, float]  # (divisor, offset): pixels become (byte - offset) / divisor

    data_dir: str | None = _setting(
        "folder with prepared TFDS data; TFDS's own default folder if not given",
        source=OURS,
        default=None,
        optional=True,
    )
    run_dir: str | None = _setting(
        "folder that the run writes; made from the settings under runs/ if not given",
        source=OURS,
        default=None,
        optional=True,
    )
    overwrite: bool = _setting(
        "move an existing run folder aside (to NAME.old-1, ...) instead of refusing it",
        source=OURS,
        default=False,
    )
    seed: int = _setting(
        "decides initial weights, noise and the order of the data",
        source=AUTHORS,
        default=1,
        check=lambda v: 0 <= v < 2**32,
        expected="a whole number from 0 to 4294967295",
    )
    width_multiplier: float = _setting(
        "factor of the width of every hidden layer (minibatch discrimination keeps its kernels); "
        "other than 1 is not the paper's network",
        source=OURS,
        default=1.0,
        check=lambda v: 0 < v <= 16,
        expected="a number larger than 0 and at most 16",
    )
    epochs: int = _setting(
        "passes over the training images",
        source=AUTHORS,
        check=_positive,
        expected="a whole number of 1 or more",
    )
    batch_size: int = _setting(
        "images in each of the labeled, unlabeled and generated minibatches, over all devices",
        source=AUTHORS,
        # One image has no variance for batch normalization and no pair for minibatch features.
        check=lambda v: v >= 2,
        expected="a whole number of 2 or more",
    )
    learning_rate: float = _setting(
        "step size of both Adam optimizers before any decay",
        source=AUTHORS,
        check=lambda v: math.isfinite(v) and v > 0,
        expected="a finite number larger than 0",
    )
    decay_start_epoch: int | None = _setting(
        "epoch from which the learning rate falls linearly; constant where there is none",
        source=AUTHORS,
        check=_not_negative,
        expected="a whole number of 0 or more",
        optional=True,
    )
    decay_end_epoch: int | None = _setting(
        "epoch at which the falling learning rate would reach 0",
        source=AUTHORS,
        check=_positive,
        expected="a whole number of 1 or more",
        optional=True,
    )
    evaluate_every: int = _setting(
        "epochs between evaluations (test errors, sample grid, saved models)",
        source=AUTHORS,
        default=1,
        check=_positive,
        expected="a whole number of 1 or more",
    )
    checkpoint_every: str = _setting(
        "distance between checkpoints, from which a killed run continues: a number and minutes, "
        "epochs or iterations, like '5 epochs'; there is one more at the end",
        source=OURS,
        default="10 minutes",
        check=lambda v: parse_interval(v) is not None,
        expected="a number larger than 0 (whole but for minutes) and 'minutes', 'epochs' or "
        "'iterations'",
    )
    keep_checkpoints: int = _setting(
        "how many checkpoints stay, the newest ones",
        source=OURS,
        default=2,
        check=_positive,
        expected="a whole number of 1 or more",
    )
    resume: str = _setting(
        "what to do with an unfinished run in --run_dir: 'auto' continues it, 'must' also refuses "
        "to begin a new one, 'never' refuses the folder",
        source=OURS,
        default="auto",
        choices=("auto", "must", "never"),
    )
    strategy: str = _setting(
        "which devices train: 'auto' takes the workers of TF_CONFIG, the TPU of --tpu or the GPUs "
        "of this machine, whichever there is; 'multi_worker' reads TF_CONFIG",
        source=OURS,
        default="auto",
        choices=STRATEGIES,
    )
    num_devices: int | None = _setting(
        "devices of this machine that --strategy=mirrored uses: GPUs, or parts of the processor "
        "where there are none; all GPUs if not given",
        source=OURS,
        default=None,
        check=_positive,
        expected="a whole number of 1 or more",
        optional=True,
    )
    tpu: str | None = _setting(
        "address of the TPU for --strategy=tpu; 'local' for this machine's own",
        source=OURS,
        default=None,
        optional=True,
    )
    dry_run: bool = _setting(
        "check the settings and the data, print what would run, and stop",
        source=OURS,
        default=False,
    )

    def __post_init__(self):
        for field in dataclasses.fields(self):
            if field.metadata:
                _check_setting(field, getattr(self, field.name))
        start, end = self.decay_start_epoch, self.decay_end_epoch
        if (start is None) != (end is None):
            raise UserError(
                "--decay_start_epoch and --decay_end_epoch go together: give both or neither. "
                f"Received: decay_start_epoch={start}, decay_end_epoch={end}."
            )
        if start is not None and not start < end:
            raise UserError(
                "--decay_start_epoch must be smaller than --decay_end_epoch. "
                f"Received: decay_start_epoch={start}, decay_end_epoch={end}."
            )
        if end is not None and self.epochs > end:
            raise UserError(
                f"--epochs={self.epochs} goes past --decay_end_epoch={end}, where the learning "
                "rate reaches 0: nothing would be learned after it. Give fewer epochs or a "
                "later --decay_end_epoch."
            )

        if self.overwrite and self.resume == "must":
            raise UserError(
                "--overwrite begins a new run and --resume=must continues the old one: give one "
                "of them."
            )

    def learning_rate_at(self, epoch):
        """Learning rate of `epoch` (from 0): constant, then falling linearly to 0.

        With start 200 and end 300 this is the original's `rate * min(3 - epoch / 100, 1)`.
        """
        if self.decay_start_epoch is None:
            return self.learning_rate
        left = (self.decay_end_epoch - epoch) / (self.decay_end_epoch - self.decay_start_epoch)
        return self.learning_rate * min(left, 1.0)

    def to_dict(self):
        """The record as plain JSON types."""
        return {**dataclasses.asdict(self), "pixels": list(self.pixels)}

    @classmethod
    def from_dict(cls, values):
        """The record that `to_dict` wrote."""
        return cls(**{**values, "pixels": tuple(values["pixels"])})


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExperimentConfig(RunConfig):
    """The resolved settings of one semi-supervised run."""

    # What makes the experiment; `dataset` is a key of `data.DATASETS`.
    generator_objective: str  # key of `training.GENERATOR_OBJECTIVES`
    generator_steps: int  # generator steps after each discriminator step
    initialization_images: str  # "permuted_training_set" or "labeled_stream"

    model: str = _setting(
        "which of the paper's two techniques trains the generator; 'plain' is neither of them",
        source=AUTHORS,
        choices=MODELS,
    )
    ablation: str | None = _setting(
        "row of the paper's Table 3 to run: a set of values for the techniques' settings",
        source=PAPER,
        default=None,
        optional=True,
    )
    recipe: str = _setting(
        "set of defaults for the learning rate, its schedule and parameter averaging",
        source=AUTHORS,
    )
    data_source: str = _setting(
        "'tfds' for the real data set, 'sample' for 5,000 embedded MNIST digits",
        source=OURS,
        default="tfds",
        choices=DATA_SOURCES,
    )
    labels_per_class: int = _setting(
        "labeled training images of each of the 10 classes; 2,5,10,20 trains with each in turn",
        source=AUTHORS + " (count)",
        check=_positive,
        expected="a whole number of 1 or more",
        several=True,
    )
    supervised_only: bool = _setting(
        "train the same discriminator on the labeled images alone, as a baseline",
        source=OURS,
        default=False,
    )
    with_baseline: bool = _setting(
        "train the supervised-only baseline too, in RUN_DIR/supervised_only, and compare",
        source=OURS,
        default=False,
    )
    seed_data: int | None = _setting(
        "decides which training images are labeled; --seed does where there is none, and with "
        "--num_runs it counts up from --seed if not given",
        source=AUTHORS,
        check=lambda v: 0 <= v < 2**32,
        expected="a whole number from 0 to 4294967295",
        optional=True,
    )
    unlabeled_weight: float = _setting(
        "factor of the unsupervised loss in the discriminator's loss",
        source=AUTHORS,
        check=lambda v: math.isfinite(v) and v >= 0,
        expected="a finite number of 0 or more",
    )
    supervised_weight: float = _setting(
        "factor of the supervised loss in the discriminator's loss; 0 trains without labels",
        source=AUTHORS,
        default=1.0,
        check=lambda v: math.isfinite(v) and v >= 0,
        expected="a finite number of 0 or more",
    )
    real_target: float = _setting(
        "the discriminator's target for real images; below 1 is one-sided label smoothing",
        source=AUTHORS,
        default=1.0,
        check=lambda v: 0.5 < v <= 1,
        expected="a number larger than 0.5 and at most 1",
    )
    generated_target: float = _setting(
        "the discriminator's target for generated images; above 0 is two-sided label smoothing, "
        "which the paper advises against",
        source=AUTHORS,
        default=0.0,
        check=lambda v: 0 <= v < 0.5,
        expected="a number of at least 0 and smaller than 0.5",
    )
    historical_averaging_weight: float = _setting(
        "factor of historical averaging, the squared distance of a player's parameters from the "
        "mean of their past values, in the player's loss",
        source=AUTHORS,
        default=0.0,
        check=lambda v: math.isfinite(v) and v >= 0,
        expected="a finite number of 0 or more",
    )
    historical_averaging_players: str = _setting(
        "who is trained with historical averaging", source=AUTHORS, default="both", choices=PLAYERS
    )
    generator_normalization: str = _setting(
        "what normalises the generator's hidden layers: its batch, or a reference batch and the "
        "example itself (virtual batch normalization)",
        source=AUTHORS,
        default="batch",
        choices=GENERATOR_NORMALIZATIONS,
    )
    reference_batch_size: int | None = _setting(
        "examples in the reference batch of virtual batch normalization; the batch size if not "
        "given",
        source=OURS,
        default=None,
        check=lambda v: 2 <= v <= 10_000,
        expected="a whole number of 2 or more, since one example has no variance, and at most "
        "10000",
        optional=True,
    )
    averaging_rate: float = _setting(
        "rate of the parameter average used for testing, which starts at zero; 0 keeps none",
        source=AUTHORS,
        check=lambda v: 0 <= v <= 1,
        expected="a number from 0 to 1",
    )
    cross_replica: str = _setting(
        "what a batch is on several devices: 'global' for the batch of all, the same numbers as on "
        "one device; 'local' for each device's share, as in the authors' ImageNet code",
        source=OURS,
        default="global",
        choices=CROSS_REPLICA,
    )

    def __post_init__(self):
        super().__post_init__()
        self._check_techniques()

    def _check_techniques(self):
        if self.supervised_weight == 0 and (self.supervised_only or self.with_baseline):
            raise UserError(
                "--supervised_only and --with_baseline train on the supervised loss alone and need "
                f"a --supervised_weight above 0. Received: {self.supervised_weight}."
            )
        if self.supervised_weight == 0 and self.unlabeled_weight == 0:
            raise UserError(
                "--supervised_weight and --unlabeled_weight must not both be 0: the "
                "discriminator would have nothing to learn."
            )
        if self.historical_averaging_weight == 0 and self.historical_averaging_players != "both":
            raise UserError(
                "--historical_averaging_players says who pays for historical averaging: it needs a "
                "--historical_averaging_weight above 0. Received: historical_averaging_players="
                f"{self.historical_averaging_players} with 0."
            )
        if self.generator_normalization == "batch" and self.reference_batch_size is not None:
            raise UserError(
                "--reference_batch_size is the size of virtual batch normalization's reference: "
                "it needs --generator_normalization=virtual_batch. "
                f"Received: reference_batch_size={self.reference_batch_size} with batch."
            )

    @property
    def reference_size(self):
        """Examples in the generator's reference batch; None with batch normalization."""
        if self.generator_normalization == "batch":
            return None
        return self.reference_batch_size or self.batch_size


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImagenetConfig(RunConfig):
    """The resolved settings of one run of the ImageNet game."""

    model: str
    recipe: str

    image_folder: str | None = _setting(
        "folder with one folder of images per class; ImageNet as TFDS prepares it if not given",
        source=OURS,
        default=None,
        optional=True,
    )
    cache_dir: str | None = _setting(
        "folder that keeps the cropped, stretched and resized images, 49 KB each at 128 x 128; "
        "~/.cache/improved_gan_tf if not given",
        source=OURS,
        default=None,
        optional=True,
    )
    image_size: int = _setting(
        "height and width of the images, 32, 64 or 128; each halving leaves out one layer of "
        "either player and is not the paper's network",
        source=AUTHORS,
        check=lambda v: v in (32, 64, 128),
        expected="one of: 32, 64, 128",
    )
    batch_size: int = _setting(
        "real images in a batch, which holds as many generated ones",
        source=AUTHORS,
        check=_positive,
        expected="a whole number of 1 or more",
    )
    num_towers: int = _setting(
        "equal parts of the batch whose images see one another in the discriminator, the "
        "original's GPUs; gradients are averaged over them",
        source=AUTHORS,
        check=_positive,
        expected="a whole number of 1 or more",
    )

    def __post_init__(self):
        super().__post_init__()
        if self.batch_size % self.num_towers or self.batch_size // self.num_towers < 2:
            raise UserError(
                "--num_towers must divide --batch_size into equal parts of 2 or more images. "
                f"Received: num_towers={self.num_towers}, batch_size={self.batch_size}."
            )


# What says where a run reads and writes and how often it looks, and decides no number of it.
# A new setting that belongs here has to be added: until then runs that differ in it are kept apart.
BOOKKEEPING = frozenset(
    {
        "data_dir",
        "run_dir",
        "overwrite",
        "with_baseline",
        "evaluate_every",
        "checkpoint_every",
        "keep_checkpoints",
        "cache_dir",
        "resume",
        "dry_run",
        # How many devices share a batch decides nothing either, --cross_replica=local apart.
        "strategy",
        "num_devices",
        "tpu",
    }
)
# What the paper varies between the runs of one experiment.
SEEDS = frozenset({"seed", "seed_data"})


def different_settings(one, other, ignored=BOOKKEEPING):
    """Names of the settings in which two records differ, in the record's order.

    Args:
        one: `RunConfig`.
        other: `RunConfig` of the same kind.
        ignored: names that may differ.
    """
    return [
        field.name
        for field in dataclasses.fields(one)
        if field.name not in ignored and getattr(one, field.name) != getattr(other, field.name)
    ]


def run_name(config):
    """The default run folder's name, made from the settings that tell runs apart."""
    seed_data = config.seed if config.seed_data is None else config.seed_data
    return (
        f"{sweep_name(config)}-labels{10 * config.labels_per_class}"
        f"-seed{config.seed}-data{seed_data}"
    )


def imagenet_run_name(config):
    """The default run folder's name of an `ImagenetConfig`."""
    images = "tfds" if config.image_folder is None else pathlib.Path(config.image_folder).name
    return f"{config.dataset}-{images}-{config.image_size}px-seed{config.seed}"


def sweep_name(config):
    """The default name of the folder that holds the runs of several seeds and label counts."""
    kind = "supervised_only" if config.supervised_only else config.ablation or config.model
    return f"{config.dataset}-{config.data_source}-{kind}-{config.recipe}"


def _check_setting(field, value):
    meta = field.metadata
    if value is None and meta["optional"]:
        return
    if isinstance(value, int) and abs(value) > LARGEST:
        raise UserError(f"--{field.name} must be at most 10^18. Received: {str(value)[:30]}...")
    if meta["choices"] and value not in meta["choices"]:
        choices = ", ".join(meta["choices"])
        raise UserError(f"--{field.name} must be one of: {choices}. Received: {value!r}.")
    if meta["check"] and not meta["check"](value):
        raise UserError(f"--{field.name} must be {meta['expected']}. Received: {value}.")

"""Every setting once: its default's source, help, unit and check; record <-> absl flags.

One frozen record decides every number of a run. A run script writes its experiment as one
literal `ExperimentConfig`, or `ImagenetConfig`; flags of the same names override single settings.
"""

import dataclasses
import math
import pathlib
import sys
from typing import NamedTuple

from absl import flags

from improved_gan_tf.ablations import ablation_row, check_given
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
        "factor of the width of every hidden layer; other than 1 is not the paper's network",
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
        check=_positive,
        expected="a whole number of 1 or more",
    )
    learning_rate: float = _setting(
        "step size of both Adam optimizers before any decay",
        source=AUTHORS,
        check=lambda v: math.isfinite(v) and v > 0,
        expected="a finite number larger than 0",
    )
    decay_start_epoch: int | None = _setting(
        "epoch from which the learning rate falls linearly; constant if not given",
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
        "decides which training images are labeled; --seed decides if not given",
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
        if self.generator_normalization == "batch" and self.reference_batch_size is not None:
            raise UserError(
                "--reference_batch_size is the size of virtual batch normalization's reference: "
                "it needs --generator_normalization=virtual_batch. "
                f"Received: reference_batch_size={self.reference_batch_size} with batch."
            )
        if self.reference_size is not None and self.reference_size < 2:
            raise UserError(
                "--generator_normalization=virtual_batch needs a reference batch of 2 or more, "
                "since one example has no variance. Received: the batch size, "
                f"{self.batch_size}; give --reference_batch_size."
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
        "folder that keeps the cropped and resized images, 49 KB each at 128 x 128; "
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


_DEFINE = {
    bool: flags.DEFINE_boolean,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
}


def define_flags(experiment, variants, flag_values=flags.FLAGS, ablations=None):
    """Defines one absl flag for every setting of the record.

    Every flag's own default is None, "not given": which default holds depends on the model and
    the recipe, and the help text says it for each.

    Args:
        experiment: `ExperimentConfig`, the script's literal.
        variants: `{model: {recipe: {setting: value}}}`, what each changes in the literal; the
            first recipe of a model is its default.
        flag_values: where to define them.
        ablations: `{name: {setting: value}}`, the rows of a table of ablations: the first is the
            base, every other one says what it changes in the base. None: there is no
            --ablation.
    """
    for field in _settings(experiment, ablations):
        kind = next(t for t in _DEFINE if t.__name__ in str(field.type).split(" | ")[0])
        if isinstance(field.type, type):
            kind = field.type
        define = flags.DEFINE_list if field.metadata["several"] else _DEFINE[kind]
        # The script's own name, or `--help` lists the flag under this module and hides it.
        define(
            field.name,
            None,
            _help_text(field, experiment, variants, ablations),
            module_name=sys.argv[0],
            flag_values=flag_values,
        )
    if any(field.metadata["several"] for field in _settings(experiment, ablations)):
        flags.DEFINE_integer(
            "num_runs",
            1,
            "runs in sequence, as in the paper's protocol: run i of them has --seed + i and "
            "--seed_data + i, i from 0 (a --seed_data that is not given counts up from --seed); "
            "finished runs are not repeated. Default: 1 (from ours)",
            module_name=sys.argv[0],
            flag_values=flag_values,
        )


def _settings(experiment, ablations):
    """The fields that have a flag."""
    fields = [field for field in dataclasses.fields(experiment) if field.metadata]
    return [field for field in fields if field.name != "ablation" or ablations]


def _help_text(field, experiment, variants, ablations):
    meta = field.metadata
    text = meta["help"]
    choices = meta["choices"]
    if field.name == "recipe":
        choices = tuple(dict.fromkeys(name for recipes in variants.values() for name in recipes))
    if field.name == "model":
        choices = tuple(variants)
    if field.name == "ablation":
        choices = tuple(ablations)
    if choices:
        text += f" <{'|'.join(choices)}>"
    default = getattr(experiment, field.name)
    text += f". Default: {_shown(default)}"
    for model, recipes in variants.items():
        for recipe, overrides in recipes.items():
            if overrides.get(field.name, default) != default:
                text += f"; with --model={model} --recipe={recipe}: "
                text += str(_shown(overrides[field.name]))
    return f"{text} (from {meta['source']})"


def _shown(value):
    return "not given" if value is None else value


def config_from_flags(experiment, variants, flag_values=flags.FLAGS, ablations=None):
    """The record: the script's literal, the model's and recipe's settings, the flags given.

    A row of `ablations` comes between the recipe and the flags, and no flag may contradict it.

    Returns:
        `(config, published)`: the run's record, and the one that model, recipe and ablation stand
        for without any other flag.

    Raises:
        UserError: a setting is out of its range, or settings contradict each other.
    """
    given = {
        field.name: flag_values[field.name].value
        for field in _settings(experiment, ablations)
        if flag_values[field.name].present
    }
    if "labels_per_class" in given:
        given["labels_per_class"] = _label_counts(given["labels_per_class"])[0]
    row = ablation_row(given.get("ablation"), ablations)
    model = given.get("model", row.get("model", experiment.model))
    if model not in variants:
        raise UserError(f"--model must be one of: {', '.join(variants)}. Received: {model!r}.")
    recipe = given.get("recipe", next(iter(variants[model])))
    if recipe not in variants[model]:
        raise UserError(
            f"--recipe must be one of: {', '.join(variants[model])} (with --model={model}). "
            f"Received: {recipe!r}."
        )
    settings = {**variants[model][recipe], "recipe": recipe, "model": model, **row}
    published = dataclasses.replace(experiment, **settings)
    if row:
        check_given(published, ablations, given)
    return dataclasses.replace(experiment, **{**settings, **given}), published


class Sweep(NamedTuple):
    """How many runs the command line asks for, and what tells them apart."""

    num_runs: int
    labels_per_class: tuple[int, ...]
    seed_data_given: bool

    @property
    def is_one_run(self):
        """Whether the command stands for one run."""
        return self.num_runs * len(self.labels_per_class) == 1


def sweep_from_flags(config, flag_values=flags.FLAGS):
    """The `Sweep` of a command line whose first record is `config`.

    Raises:
        UserError: `--num_runs` or `--labels_per_class` is not what it has to be.
    """
    num_runs = flag_values["num_runs"].value
    if num_runs is None or not 1 <= num_runs <= 10_000:
        raise UserError(
            "--num_runs must be a whole number of 1 or more, and at most 10,000. Received: "
            f"{num_runs}."
        )
    labels = (config.labels_per_class,)
    if flag_values["labels_per_class"].present:
        labels = _label_counts(flag_values["labels_per_class"].value)
    seed_data = flag_values["seed_data"]
    return Sweep(num_runs, labels, seed_data.present > 0 and seed_data.value is not None)


def _label_counts(texts):
    try:
        counts = tuple(int(text) for text in texts)
    except ValueError:
        counts = ()
    if not counts or len(set(counts)) < len(counts):
        raise UserError(
            "--labels_per_class must be a whole number of 1 or more, or several different ones "
            f"separated by commas. Received: {','.join(texts)!r}."
        )
    return counts


def parse_flags(argv, flag_values=flags.FLAGS):
    """Parses the command line for `absl.app.run`.

    Raises:
        UserError: an unknown flag, a value of the wrong type, or an argument without a flag.
    """
    try:
        rest = flag_values(argv)
    except flags.Error as error:
        raise UserError(f"{error} (--help lists every flag.)") from error
    if len(rest) > 1:
        raise UserError(f"Settings are given as --name=value. Received: {' '.join(rest[1:])!r}.")
    return rest

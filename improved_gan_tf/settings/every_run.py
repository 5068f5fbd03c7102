"""The settings of every experiment, and the comparison of two records."""

import dataclasses
import math
from typing import ClassVar

from improved_gan_tf.errors import UserError
from improved_gan_tf.settings.intervals import parse_interval
from improved_gan_tf.settings.setting import (
    AUTHORS,
    OURS,
    Decides,
    check_setting,
    names_that_decide,
    not_negative,
    positive,
    setting,
)

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16", "float64")
STRATEGIES = ("auto", "one_device", "mirrored", "multi_worker", "tpu")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The settings of every experiment; saved with a run as `config.json`."""

    # The setting whose values a run script's `VARIANTS` has recipes for.
    variants_by: ClassVar[str] = "model"
    # Whether one command trains several runs (--num_runs).
    repeats: ClassVar[bool] = False
    # What runs had before there was a setting for it, if it is not the setting's default.
    BEFORE: ClassVar[dict] = {}
    # What is found in the images and not given, with its name in an error.
    FOUND_IN_DATA: ClassVar[dict] = {}

    # Decided by the run script alone; there are no flags for them.
    dataset: str
    pixels: tuple[float, float]  # (divisor, offset): pixels become (byte - offset) / divisor

    data_dir: str | None = setting(
        "folder with prepared TFDS data; TFDS's own default folder if not given",
        source=OURS,
        default=None,
        optional=True,
        decides=Decides.NOTHING,
    )
    run_dir: str | None = setting(
        "folder that the run writes; made from the settings under runs/ if not given",
        source=OURS,
        default=None,
        optional=True,
        decides=Decides.NOTHING,
    )
    overwrite: bool = setting(
        "move an existing run folder aside (to NAME.old-1, ...) instead of refusing it",
        source=OURS,
        default=False,
        decides=Decides.NOTHING,
    )
    seed: int = setting(
        "decides initial weights, noise and the order of the data",
        source=AUTHORS,
        default=1,
        check=lambda v: 0 <= v < 2**32,
        expected="a whole number from 0 to 4294967295",
        decides=Decides.SEED,
    )
    width_multiplier: float = setting(
        "factor of the networks' channels and hidden units, rounded down; other than 1 is not the "
        "paper's network",
        source=OURS,
        default=1.0,
        check=lambda v: 0 < v <= 16,
        expected="a number larger than 0 and at most 16",
    )
    epochs: int = setting(
        "passes over the training images",
        source=AUTHORS,
        check=positive,
        expected="a whole number of 1 or more",
        decides=Decides.LENGTH,
    )
    batch_size: int = setting(
        "images in each of the labeled, unlabeled and generated minibatches, over all devices",
        source=AUTHORS,
        # One image has no variance for batch normalization and no pair for minibatch features.
        check=lambda v: v >= 2,
        expected="a whole number of 2 or more",
    )
    learning_rate: float = setting(
        "step size of both Adam optimizers before any decay",
        source=AUTHORS,
        check=lambda v: math.isfinite(v) and v > 0,
        expected="a finite number larger than 0",
    )
    decay_start_epoch: int | None = setting(
        "epoch from which the learning rate falls linearly; constant where there is none",
        source=AUTHORS,
        check=not_negative,
        expected="a whole number of 0 or more",
        optional=True,
    )
    decay_end_epoch: int | None = setting(
        "epoch at which the falling learning rate would reach 0",
        source=AUTHORS,
        check=positive,
        expected="a whole number of 1 or more",
        optional=True,
    )
    evaluate_every: int = setting(
        "epochs between evaluations (what is measured, sample grid, saved models)",
        source=AUTHORS,
        default=1,
        check=positive,
        expected="a whole number of 1 or more",
        decides=Decides.NOTHING,
    )
    checkpoint_every: str = setting(
        "distance between checkpoints, from which a killed run continues: a number and minutes, "
        "epochs or iterations, like '5 epochs'; there is one more at the end",
        source=OURS,
        default="10 minutes",
        check=lambda v: parse_interval(v) is not None,
        expected="a number larger than 0 (whole but for minutes) and 'minutes', 'epochs' or "
        "'iterations'",
        decides=Decides.NOTHING,
    )
    keep_checkpoints: int = setting(
        "how many checkpoints stay, the newest ones",
        source=OURS,
        default=2,
        check=positive,
        expected="a whole number of 1 or more",
        decides=Decides.NOTHING,
    )
    resume: str = setting(
        "what to do with an unfinished run in --run_dir: 'auto' continues it, 'must' also refuses "
        "to begin a new one, 'never' refuses the folder",
        source=OURS,
        default="auto",
        choices=("auto", "must", "never"),
        decides=Decides.NOTHING,
    )
    precision: str = setting(
        "of the arithmetic: 'mixed_bfloat16' and 'mixed_float16' keep parameters, moments, norms, "
        "statistics, distances and losses in float32 and the rest in half precision; "
        "'mixed_float16' scales its losses and leaves out steps whose gradients do not fit",
        source=AUTHORS,
        default="float32",
        choices=PRECISIONS,
    )
    jit_compile: str = setting(
        "whether XLA compiles the step of one device: 'auto' does not, since on CPUs that is "
        "slower and on GPUs unmeasured; compiled steps draw other random numbers",
        source=OURS,
        default="auto",
        choices=("auto", "true", "false"),
        decides=Decides.NOTHING,  # recorded among the versions
    )
    deterministic: bool = setting(
        "whether a seed gives the same bits again; GPUs can be faster without",
        source=OURS,
        default=True,
        decides=Decides.NOTHING,  # recorded among the versions
    )
    stop_on_collapse: bool = setting(
        "end a run that has collapsed by its game's criterion (docs/running.md) instead of "
        "training on; a game without one never stops",
        source=OURS,
        default=False,
        decides=Decides.NOTHING,
    )
    strategy: str = setting(
        "which devices train: 'auto' takes the workers of TF_CONFIG, the TPU of --tpu or the GPUs "
        "of this machine, whichever there is; 'multi_worker' reads TF_CONFIG",
        source=OURS,
        default="auto",
        choices=STRATEGIES,
        decides=Decides.NOTHING,  # the numbers are one device's, unless --cross_replica=local
    )
    num_devices: int | None = setting(
        "devices of this machine that --strategy=mirrored uses: GPUs, or parts of the processor "
        "where there are none; all GPUs if not given",
        source=OURS,
        default=None,
        check=positive,
        expected="a whole number of 1 or more",
        optional=True,
        decides=Decides.NOTHING,
    )
    tpu: str | None = setting(
        "address of the TPU for --strategy=tpu; 'local' for this machine's own",
        source=OURS,
        default=None,
        optional=True,
        decides=Decides.NOTHING,
    )
    dry_run: bool = setting(
        "check the settings and the data, time a few iterations, print what would run and for how "
        "long, and stop",
        source=OURS,
        default=False,
        decides=Decides.NOTHING,
    )

    def __post_init__(self):
        for field in dataclasses.fields(self):
            if field.metadata:
                check_setting(field, getattr(self, field.name))
        for name, value in self.in_one_spelling(vars(self)).items():
            object.__setattr__(self, name, value)
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
        # Without epochs yet (images of one's own), this is checked once they are known.
        if None not in (end, self.epochs) and self.epochs > end:
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

    def not_read(self):
        """`{setting: why}` of what a run with the other settings does not read; a sentence each.

        Recipes, and records of earlier runs, may have any value of such a setting. A command may
        not give one, see `experiments.one_run.refuse_settings_not_read`.
        """
        return {}

    @classmethod
    def in_one_spelling(cls, values):
        """`{setting: value}` with paths and texts of several numbers as every record spells them.

        Other values, and names of no setting, stay.
        """
        plain = {field.name: field.metadata.get("plain") for field in dataclasses.fields(cls)}
        return {
            name: plain[name](value) if plain.get(name) else value for name, value in values.items()
        }

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
        """Reads what `to_dict` wrote."""
        return cls(**{**values, "pixels": tuple(values["pixels"])})


def different_settings(one, other, ignored=None):
    """Names of the settings in which two records differ, in the record's order.

    `ignored` names may differ; if None, those that decide nothing. Records of two kinds differ in
    their data set, which decides the kind.
    """
    if type(one) is not type(other):
        return ["dataset"]
    if ignored is None:
        ignored = names_that_decide(one, Decides.NOTHING)
    return [
        field.name
        for field in dataclasses.fields(one)
        if field.name not in ignored and getattr(one, field.name) != getattr(other, field.name)
    ]


def differences_from_published(config, published, *roles):
    """Settings with one of the roles that differ from the published record's, as short texts."""
    return [
        f"{name}: {getattr(config, name)} instead of {getattr(published, name)}"
        for name in names_that_decide(config, *roles)
        if getattr(config, name) != getattr(published, name)
    ]

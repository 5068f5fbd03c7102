"""Every setting of a semi-supervised run: its default's source, help, unit and check.

One frozen record decides every number of a run. A run script contains one literal
`ExperimentConfig`; flags of the same names override single settings.
"""

import dataclasses
import math
from typing import ClassVar

from improved_gan_tf.errors import UserError
from improved_gan_tf.settings.every_run import RunConfig
from improved_gan_tf.settings.setting import AUTHORS, OURS, PAPER, Decides, positive, setting

MODELS = ("feature_matching", "minibatch_discrimination", "plain")
DATA_SOURCES = ("tfds", "sample")
GENERATOR_NORMALIZATIONS = ("batch", "virtual_batch")
PLAYERS = ("both", "discriminator", "generator")
CROSS_REPLICA = ("global", "local")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExperimentConfig(RunConfig):
    """The resolved settings of one semi-supervised run."""

    repeats: ClassVar[bool] = True

    # Decided by the run script; `dataset` is a key of `data.known_sets.KNOWN_SETS`.
    generator_objective: str  # key of `training.semi_supervised.GENERATOR_OBJECTIVES`
    generator_steps: int  # generator steps after each discriminator step
    initialization_images: str  # "permuted_training_set" or "labeled_stream"

    model: str = setting(
        "which of the paper's two techniques trains the generator; 'plain', if listed, is neither",
        source=AUTHORS,
        choices=MODELS,
        decides=Decides.ROW,
    )
    ablation: str | None = setting(
        "row of the paper's Table 3 to run: a set of values for the techniques' settings",
        source=PAPER,
        default=None,
        optional=True,
        decides=Decides.SOURCE,
    )
    recipe: str = setting(
        "set of defaults for the learning rate, its schedule and parameter averaging",
        source=AUTHORS,
        decides=Decides.SOURCE,
    )
    data_source: str = setting(
        "'tfds' for the real data set, 'sample' for 5,000 embedded digits (MNIST only)",
        source=OURS,
        default="tfds",
        choices=DATA_SOURCES,
        decides=Decides.SOURCE,
    )
    labels_per_class: int = setting(
        "labeled training images of each of the 10 classes; 2,5,10,20 trains with each in turn",
        source=AUTHORS + " (count)",
        check=positive,
        expected="a whole number of 1 or more",
        several=True,
        decides=Decides.ROW,
    )
    supervised_only: bool = setting(
        "train the same discriminator on the labeled images alone, as a baseline",
        source=OURS,
        default=False,
        decides=Decides.ROW,
    )
    with_baseline: bool = setting(
        "train the supervised-only baseline too, in RUN_DIR/supervised_only, and compare; with "
        "--supervised_only there is nothing to add",
        source=OURS,
        default=False,
        decides=Decides.NOTHING,
    )
    seed_data: int | None = setting(
        "decides which training images are labeled; --seed does where there is none, and with "
        "--num_runs it counts up from --seed if not given",
        source=AUTHORS,
        check=lambda v: 0 <= v < 2**32,
        expected="a whole number from 0 to 4294967295",
        optional=True,
        decides=Decides.SEED,
    )
    unlabeled_weight: float = setting(
        "factor of the unsupervised loss in the discriminator's loss",
        source=AUTHORS,
        check=lambda v: math.isfinite(v) and v >= 0,
        expected="a finite number of 0 or more",
        decides=Decides.GAME,
    )
    supervised_weight: float = setting(
        "factor of the supervised loss in the discriminator's loss; 0 trains without labels",
        source=AUTHORS,
        default=1.0,
        check=lambda v: math.isfinite(v) and v >= 0,
        expected="a finite number of 0 or more",
    )
    real_target: float = setting(
        "the discriminator's target for real images; below 1 is one-sided label smoothing",
        source=AUTHORS,
        default=1.0,
        check=lambda v: 0.5 < v <= 1,
        expected="a number larger than 0.5 and at most 1",
        decides=Decides.GAME,
    )
    generated_target: float = setting(
        "the discriminator's target for generated images; above 0 is two-sided label smoothing, "
        "which the paper advises against",
        source=AUTHORS,
        default=0.0,
        check=lambda v: 0 <= v < 0.5,
        expected="a number of at least 0 and smaller than 0.5",
        decides=Decides.GAME,
    )
    historical_averaging_weight: float = setting(
        "factor of historical averaging, the squared distance of a player's parameters from the "
        "mean of their past values, in the player's loss",
        source=AUTHORS,
        default=0.0,
        check=lambda v: math.isfinite(v) and v >= 0,
        expected="a finite number of 0 or more",
    )
    historical_averaging_players: str = setting(
        "who is trained with historical averaging", source=OURS, default="both", choices=PLAYERS
    )
    generator_normalization: str = setting(
        "what normalises the generator's hidden layers: its batch, or a reference batch and the "
        "example itself (virtual batch normalization)",
        source=AUTHORS,
        default="batch",
        choices=GENERATOR_NORMALIZATIONS,
        decides=Decides.GAME,
    )
    reference_batch_size: int | None = setting(
        "examples in the reference batch of virtual batch normalization; the batch size if not "
        "given",
        source=OURS,
        default=None,
        check=lambda v: 2 <= v <= 10_000,
        expected="a whole number of 2 or more, since one example has no variance, and at most "
        "10000",
        optional=True,
        decides=Decides.GAME,
    )
    averaging_rate: float = setting(
        "rate of the parameter average used for testing, which starts at zero; 0 keeps none",
        source=AUTHORS,
        check=lambda v: 0 <= v <= 1,
        expected="a number from 0 to 1",
    )
    cross_replica: str = setting(
        "what a batch is on several devices: 'global' for the batch of all, the same numbers as on "
        "one device; 'local' for each device's share, as in the authors' ImageNet code",
        source=OURS,
        default="global",
        choices=CROSS_REPLICA,
        decides=Decides.SOURCE,
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

    def not_read(self):
        """The targets of a loss that trains nothing; see `RunConfig.not_read`.

        `supervised_only` is a switch: the command of a game stays right with it.
        """
        if self.unlabeled_weight > 0:
            return {}
        why = "is for the unsupervised loss, of which --unlabeled_weight=0 trains nothing."
        return {name: f"--{name} {why}" for name in ("real_target", "generated_target")}

    @property
    def reference_size(self):
        """Examples in the generator's reference batch; None with batch normalization."""
        if self.generator_normalization == "batch":
            return None
        return self.reference_batch_size or self.batch_size

"""The settings of BigGAN's game, in addition to those of every experiment."""

import dataclasses
import math
from typing import ClassVar

from improved_gan_tf.errors import UserError
from improved_gan_tf.settings.every_run import RunConfig
from improved_gan_tf.settings.setting import (
    OURS,
    Decides,
    not_negative,
    positive,
    setting,
)

DATASETS = ("cifar10", "svhn", "mnist")
DATA_SOURCES = ("tfds", "sample")
INITIALIZERS = ("normal", "orthogonal")  # keys of `networks.biggan.INITIALIZERS`

PUBLIC = "the public code of BigGAN"


@dataclasses.dataclass(frozen=True, kw_only=True)
class BigganConfig(RunConfig):
    """The resolved settings of one run of BigGAN."""

    repeats: ClassVar[bool] = True

    model: str

    dataset: str = setting(
        "images to train on; digits of MNIST get a black border and three equal channels",
        source=PUBLIC,
        choices=DATASETS,
        decides=Decides.SOURCE,
    )
    data_source: str = setting(
        "'tfds' for the real data set, 'sample' for 5,000 embedded digits (MNIST only)",
        source=OURS,
        default="tfds",
        choices=DATA_SOURCES,
        decides=Decides.SOURCE,
    )
    recipe: str = setting(
        "set of defaults: the CIFAR-10 script of the public code, or the paper's numbers for "
        "ImageNet on the same 32-pixel networks",
        source=PUBLIC,
        decides=Decides.SOURCE,
    )
    width_multiplier: float = setting(
        "factor of --channels; other than 1 is not the published network",
        source=OURS,
        default=1.0,
        check=lambda v: 0 < v <= 16,
        expected="a number larger than 0 and at most 16",
    )
    channels: int = setting(
        "unit of the widths of both players; at 32 pixels every layer has four times as many",
        source=PUBLIC,
        check=positive,
        expected="a whole number of 1 or more",
    )
    z_dim: int = setting(
        "length of z", source=PUBLIC, check=positive, expected="a whole number of 1 or more"
    )
    shared_dim: int | None = setting(
        "length of the class embedding that all normalizations share; where there is none, each "
        "has its own",
        source=PUBLIC,
        check=positive,
        expected="a whole number of 1 or more",
        optional=True,
    )
    hierarchical: bool = setting(
        "give each block of the generator its own chunk of z; needs --shared_dim", source=PUBLIC
    )
    initializer: str = setting(
        "initial kernels: N(0, 0.02) or orthogonal", source=PUBLIC, choices=INITIALIZERS
    )
    spectral_norm: bool = setting("normalise both players' layers by spectral norm", source=PUBLIC)
    batch_size: int = setting(
        "real images in a minibatch of the discriminator, and generated ones in one of either "
        "player, over all devices",
        source=PUBLIC,
        check=lambda v: v >= 2,
        expected="a whole number of 2 or more",
    )
    discriminator_steps: int = setting(
        "steps of the discriminator for each step of the generator",
        source=PUBLIC,
        check=positive,
        expected="a whole number of 1 or more",
    )
    accumulation_steps: int = setting(
        "minibatches whose gradients are averaged for one step of either player",
        source=PUBLIC,
        default=1,
        check=positive,
        expected="a whole number of 1 or more",
    )
    learning_rate: float = setting(
        "step size of the discriminator's Adam before any decay",
        source=PUBLIC,
        check=lambda v: math.isfinite(v) and v > 0,
        expected="a finite number larger than 0",
    )
    generator_learning_rate: float = setting(
        "step size of the generator's Adam before any decay, which it shares",
        source=PUBLIC,
        check=lambda v: math.isfinite(v) and v > 0,
        expected="a finite number larger than 0",
    )
    orthogonal_weight: float = setting(
        "strength of orthogonal regularisation in the generator's loss; half of it makes the "
        "updates of the public code's number",
        source=PUBLIC,
        check=lambda v: math.isfinite(v) and v >= 0,
        expected="a finite number of 0 or more",
    )
    averaging_decay: float = setting(
        "share of the old value in each update of the average of the generator's weights, which "
        "makes the samples",
        source=PUBLIC,
        check=lambda v: 0 <= v < 1,
        expected="a number of at least 0 and smaller than 1",
    )
    averaging_start: int = setting(
        "iteration from which the weights are averaged; before it the average follows them",
        source=PUBLIC,
        check=not_negative,
        expected="a whole number of 0 or more",
    )
    standing_batches: int = setting(
        "batches from which the averaged generator's batch statistics are measured for samples",
        source=PUBLIC,
        default=16,
        check=positive,
        expected="a whole number of 1 or more",
        decides=Decides.NOTHING,
    )

    def __post_init__(self):
        super().__post_init__()
        if self.data_source == "sample" and self.dataset != "mnist":
            raise UserError(
                "--data_source=sample has digits of MNIST only: it needs --dataset=mnist. "
                f"Received: dataset={self.dataset}."
            )
        if self.hierarchical and self.shared_dim is None:
            raise UserError("--hierarchical needs the class embedding of --shared_dim.")
        if self.unit < 1:
            raise UserError(
                "--width_multiplier must leave at least one of the channels. Received: "
                f"width_multiplier={self.width_multiplier} with channels={self.channels}."
            )

    def not_read(self):
        """The start of an average that keeps nothing; see `RunConfig.not_read`."""
        if self.averaging_decay > 0:
            return {}
        why = "--averaging_start begins an average of weights, and --averaging_decay=0 keeps none."
        return {"averaging_start": why}

    @property
    def unit(self):
        """Channels of the networks' unit of width (int)."""
        return round(self.channels * self.width_multiplier)

    @property
    def images_per_iteration(self):
        """Real images that one iteration sees (int)."""
        return self.batch_size * self.discriminator_steps * self.accumulation_steps

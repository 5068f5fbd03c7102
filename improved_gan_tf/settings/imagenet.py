"""The settings of the ImageNet game, in addition to those of every experiment."""

import dataclasses

from improved_gan_tf.errors import UserError
from improved_gan_tf.settings.every_run import RunConfig
from improved_gan_tf.settings.setting import AUTHORS, OURS, Decides, plain_path, positive, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImagenetConfig(RunConfig):
    """The resolved settings of one run of the ImageNet game."""

    model: str
    recipe: str

    image_folder: str | None = setting(
        "folder with one folder of images per class; ImageNet as TFDS prepares it if not given",
        source=OURS,
        default=None,
        optional=True,
        plain=plain_path,
        decides=Decides.SOURCE,
    )
    cache_dir: str | None = setting(
        "folder that keeps the cropped, stretched and resized images, 49 KB each at 128 x 128; "
        "~/.cache/improved_gan_tf if not given",
        source=OURS,
        default=None,
        optional=True,
        decides=Decides.NOTHING,
    )
    epochs: int = setting(
        "passes over the training images; the original goes on until it is stopped",
        source=OURS,
        check=positive,
        expected="a whole number of 1 or more",
        decides=Decides.LENGTH,
    )
    image_size: int = setting(
        "height and width of the images, 32, 64 or 128; each halving leaves out one layer of "
        "either player and is not the paper's network",
        source=AUTHORS,
        check=lambda v: v in (32, 64, 128),
        expected="one of: 32, 64, 128",
    )
    batch_size: int = setting(
        "real images in a batch, which holds as many generated ones",
        source=AUTHORS,
        check=positive,
        expected="a whole number of 1 or more",
    )
    num_towers: int = setting(
        "equal parts of the batch whose images see one another in the discriminator, the "
        "original's GPUs; gradients are averaged over them",
        source=AUTHORS,
        check=positive,
        expected="a whole number of 1 or more",
    )

    def __post_init__(self):
        super().__post_init__()
        if self.batch_size % self.num_towers or self.batch_size // self.num_towers < 2:
            raise UserError(
                "--num_towers must divide --batch_size into equal parts of 2 or more images. "
                f"Received: num_towers={self.num_towers}, batch_size={self.batch_size}."
            )

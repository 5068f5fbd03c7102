"""The ImageNet game: what is trained on which images, and saved.

It measures losses and the discriminator's errors on training images; the original reports none.

Original: openai/improved-gan@4f5d1ec, imagenet/train_imagenet.py, imagenet/train.py.
"""

import numpy as np

from improved_gan_tf import distribution, streams
from improved_gan_tf.data import shuffled_batches, square_images
from improved_gan_tf.data.pixels import to_bytes
from improved_gan_tf.networks import imagenet
from improved_gan_tf.precision import in_float32
from improved_gan_tf.runs import pace
from improved_gan_tf.runs.epoch_table import Column
from improved_gan_tf.runs.execution import computing_as_said, run_to_the_end
from improved_gan_tf.runs.game import Evaluation
from improved_gan_tf.runs.training_run import TrainingRun
from improved_gan_tf.settings.every_run import differences_from_published
from improved_gan_tf.settings.setting import Decides
from improved_gan_tf.training.joint_minibatches import JointTrainer

SAMPLE_COUNT = 100
SAMPLES_AT_ONCE = 20  # bounds the memory of sampling


def differences_from_paper(config, source, published):
    """The ways in which a run differs from the original's, as short texts.

    `published` is the record without flags.
    """
    differences = [] if source.is_papers else [f"data: {source.description}"]
    # D16: the number of epochs is left out; the original runs until it is stopped.
    return differences + differences_from_published(config, published, Decides.NUMBERS)


def _trainer(config, images, num_classes):
    """A `JointTrainer` on an `ImageSet`."""
    shape = (config.seed, config.width_multiplier, config.image_size)
    return JointTrainer(
        imagenet.imagenet_generator(*shape),
        imagenet.imagenet_discriminator(*shape, num_classes),
        images,
        seed=config.seed,
        pixels=config.pixels,
        num_towers=config.num_towers,
    )


def pace_without_images(config, num_classes):
    """The `Pace` of a run of `config`, timed on a pattern in place of images."""
    size, count = config.image_size, config.batch_size
    pattern = (np.arange(count * size**2 * 3) % 251).astype("uint8").reshape(count, size, size, 3)
    images = square_images.ImageSet(pattern, np.arange(count, dtype="int32") % num_classes)
    rows = np.tile(np.arange(count), (50, 1))
    with computing_as_said(config):
        trainer = _trainer(config, images, num_classes)
        trainer.jit_compile = distribution.compiles_step(config.jit_compile, replicas=1)
        return pace.measure(trainer, (rows,), config.learning_rate)


class ImagenetGame:
    """A `runs.game.Game` without a test set: the original holds no images back.

    Args:
        config: `ImagenetConfig`.
        source: `data.encoded_images.Source`.

    Raises:
        UserError: the settings do not fit the data.
    """

    def __init__(self, config, source):
        self.config, self.source = config, source
        self.epochs = shuffled_batches.ShuffledEpochs(source.count, config.batch_size, config.seed)
        images = square_images.prepare(source, config.image_size, config.cache_dir)
        self.images_digest = images.digest
        self.trainer = _trainer(config, images, len(source.class_names))

    def prepare(self):
        """Draws the noise of the samples; the constructor made everything else."""
        random = streams.shown_noise(self.config.seed)
        self.sample_noise = {
            name: random.uniform(-1.0, 1.0, (SAMPLE_COUNT, *x.shape[1:])).astype("float32")
            for name, x in self.trainer.generator.input.items()
        }

    def circumstances(self):
        """Numbers of images and classes, and digests of the prepared images."""
        return {
            "training images": self.source.count,
            "digest of the images": self.images_digest,
            "classes": list(self.source.class_names),
            "preparation of the images": square_images.PREPARATION,
        }

    def evaluate(self):
        """Measures nothing: there are no test images."""
        return Evaluation({}, {})

    def measured(self, history, numbers):
        """Nothing: losses and training error are recorded for every game."""
        return {}

    def final(self, history, numbers):
        """Nothing."""
        return {}

    def models(self):
        """Both players."""
        return {"generator": self.trainer.generator, "discriminator": self.trainer.discriminator}

    def sample_images(self):
        """Images of 100 fixed points of the noise, uint8 (100, H, W, 3)."""
        parts = []
        for start in range(0, SAMPLE_COUNT, SAMPLES_AT_ONCE):
            some = {n: x[start : start + SAMPLES_AT_ONCE] for n, x in self.sample_noise.items()}
            parts.append(np.array(in_float32(self.trainer.generator(some, training=False))))
        return to_bytes(np.concatenate(parts), self.config.pixels)

    def more_pictures(self):
        """None."""
        return {}

    def title(self):
        """What the run is, in one line."""
        size = self.config.image_size
        return f"{self.source.description}, {size} x {size}, joint minibatches"

    def columns(self):
        """The four losses, and the share of real images in the wrong class."""
        names = ("real", "generated", "classification", "generator")
        return [
            *(Column("loss", name, f"loss_{name}") for name in names),
            Column("train", "error", "train_error", is_error=True),
        ]

    def remarks(self, metrics):
        """None: there is no criterion."""
        return []


def execute(config, source, run_dir, published, stop_requested):
    """Trains one run and writes its folder; returns, raises: as `execution.run_to_the_end`.

    `published` is the record without flags.
    """

    def make_run():
        differences = differences_from_paper(config, source, published)
        return TrainingRun(config, ImagenetGame(config, source), run_dir, differences)

    return run_to_the_end(config, make_run, stop_requested)

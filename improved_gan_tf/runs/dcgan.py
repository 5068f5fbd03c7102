"""DCGAN's games: what is trained on which images, and saved.

They measure losses, mean outputs and gradient norms; samples are scored by `improved-gan score`.
"""

import numpy as np

from improved_gan_tf import streams
from improved_gan_tf.data import datasets, encoded_images, shuffled_batches, square_images
from improved_gan_tf.data.known_sets import KNOWN_SETS
from improved_gan_tf.data.pixels import to_bytes
from improved_gan_tf.layers.data_dependent import initialize_from_data
from improved_gan_tf.networks import dcgan
from improved_gan_tf.networks.latents import slerp
from improved_gan_tf.runs.data_digest import data_digest
from improved_gan_tf.runs.epoch_table import Column
from improved_gan_tf.runs.execution import run_to_the_end
from improved_gan_tf.runs.game import Evaluation
from improved_gan_tf.runs.training_run import TrainingRun
from improved_gan_tf.settings.dcgan_rules import AUTOENCODERS, needs_labels, require_classes
from improved_gan_tf.settings.every_run import differences_from_published
from improved_gan_tf.settings.setting import Decides
from improved_gan_tf.training.adversarial import AdversarialTrainer
from improved_gan_tf.training.player_inputs import network_arguments

SAMPLE_COUNT = 100
COLUMNS = 10
INITIALIZATION_IMAGES = 500


class Images:
    """The training images of a run, found but perhaps not read yet.

    Args:
        config: `settings.dcgan.DcganConfig`.
        download: bool, whether a missing data set is downloaded.

    Attributes:
        description: str.
        count: int.
        num_classes: int, 1 for a folder without classes.
        channels: int.
        is_whole: bool, False for a part of a data set.
        note: str or None, what of a folder was left out.

    Raises:
        UserError: there are no such images.
    """

    def __init__(self, config, download=True):
        self._config, self.note = config, None
        if config.dataset in KNOWN_SETS:
            where = (config.dataset, config.data_source, config.data_dir)
            found = datasets.load(*where, download=download)
            self._set = square_images.ImageSet(found.train_images, found.train_labels)
            self.count, self.num_classes = len(found.train_images), found.num_classes
            self.channels, self.is_whole = found.train_images.shape[-1], found.is_papers
        else:
            found = self._source = encoded_images.find_any(config.image_folder)
            self.note = found.note
            if needs_labels(config.conditional):
                encoded_images.require_no_parts(config.image_folder, found.class_names)
            self._set, self.is_whole = None, True
            self.count, self.num_classes, self.channels = found.count, len(found.class_names), 3
        self.description = found.description
        require_classes(config.conditional, self.num_classes)

    def read(self):
        """Returns the `data.square_images.ImageSet`, with a digest; a folder's is made once."""
        config = self._config
        if self._set is None:
            where = config.cache_dir
            return square_images.prepare(self._source, config.size, where, as_imagenet=False)
        return self._set._replace(digest=data_digest(self._set.images, self._set.labels))


def epochs_of(config, images):
    """The `Epochs` of a run on some `Images`."""
    return shuffled_batches.EpochsOfSteps(
        images.count,
        config.batch_size,
        config.discriminator_steps,
        config.seed,
        config.epoch_iterations,
    )


def differences(config, images, published):
    """What a run has other than its objective's published recipe, as short texts."""
    found = [] if images.is_whole else [f"data: {images.description}"]
    return found + differences_from_published(config, published, Decides.NUMBERS, Decides.LENGTH)


def players_of(config, images):
    """The generator and the discriminator that the settings ask for."""
    of_generator, of_discriminator = network_arguments(config.conditional, images.num_classes)
    shape = (config.size, config.size, images.channels)
    generator = dcgan.dcgan_generator(
        config.seed,
        shape,
        config.width_multiplier,
        latent_dim=config.latent_dim,
        latent=config.latent,
        normalization=config.generator_normalization,
        reference_size=config.reference_size,
        **of_generator,
    )
    where = (config.seed, shape, config.width_multiplier)
    normalization = config.discriminator_normalization
    if config.objective in AUTOENCODERS:
        return generator, dcgan.dcgan_autoencoder(*where, normalization=normalization)
    return generator, dcgan.dcgan_discriminator(
        *where,
        normalization=normalization,
        num_kernels=config.minibatch_discrimination,
        **of_discriminator,
    )


class DcganGame:
    """A `runs.game.Game` without a test set.

    Args:
        config: `settings.dcgan.DcganConfig`.
        images: `Images`.

    Raises:
        UserError: the settings do not fit the images.
    """

    def __init__(self, config, images):
        self.config, self.images = config, images
        self.epochs = epochs_of(config, images)
        self.players = players_of(config, images)
        self.image_set = images.read()

    def prepare(self):
        """Scales minibatch discrimination by real images, makes the trainer, draws shown noise."""
        config = self.config
        generator, discriminator = self.players
        if config.minibatch_discrimination:
            # Once: without it the layer's distances may be so large that it says nothing.
            # And by different ones: an image that comes twice has no distance to its nearest.
            count = min(INITIALIZATION_IMAGES, self.images.count)
            rows = np.sort(self.epochs(0)[0].ravel()[:count])
            divisor, offset = config.pixels
            images = (self.image_set.images[rows].astype("float32") - offset) / divisor
            if config.conditional == "cgan":
                labels = self.image_set.labels[rows]
                images = {"images": images, "classes": np.eye(self.images.num_classes)[labels]}
            initialize_from_data(discriminator, images)
        self.trainer = AdversarialTrainer(
            generator,
            discriminator,
            self.image_set,
            config,
            num_classes=self.images.num_classes,
            epoch_iterations=self.epochs.iterations,
        )
        self.sample_inputs, self.interpolated_inputs = shown_inputs(config, generator)

    def circumstances(self):
        """Numbers of images and classes, and a digest of the images."""
        return {
            "training images": self.images.count,
            "classes": self.images.num_classes,
            "digest of the images": self.image_set.digest,
        }

    def evaluate(self):
        """Measures nothing: there are no test images."""
        return Evaluation({}, {})

    def measured(self, history, numbers):
        """Nothing: what the trainer measures is recorded for every game."""
        return {}

    def final(self, history, numbers):
        """The numbers of steps that the losses are of."""
        trainer = self.trainer
        return {  # without those that float16 undid
            "generator_steps": trainer.iterations(),
            "discriminator_steps": int(trainer.discriminator_optimizer.iterations.numpy()),
        }

    def models(self):
        """Both players."""
        return {"generator": self.trainer.generator, "discriminator": self.trainer.discriminator}

    def sample_images(self):
        """Images of 100 fixed points, uint8 (100, H, W, C); each row has a class of its own."""
        return self._bytes_of(self.sample_inputs)

    def more_pictures(self):
        """Ten ways from one z to another, one a row."""
        return {"interpolations": self._bytes_of(self.interpolated_inputs)}

    def _bytes_of(self, inputs):
        return to_bytes(self.trainer.generator(inputs, training=False), self.config.pixels)

    def title(self):
        """What the run is, in one line."""
        config = self.config
        conditional = "" if config.conditional == "none" else f", {config.conditional}"
        size = f"{config.size} x {config.size}"
        return f"{self.images.description}, {size}, DCGAN, {config.objective}{conditional}"

    def columns(self):
        """Losses, mean outputs, gradient norms."""
        of = (("real", "output_real"), ("gener.", "output_generated"))
        norms = [(f"{p[:7]}.", f"gradient_norm_{p}") for p in ("discriminator", "generator")]
        return [
            *(Column("loss", p, f"loss_{p}") for p in ("discriminator", "generator")),
            *(Column("output", *names) for names in of),
            *(Column("gradient", *names) for names in norms),
        ]

    def remarks(self, metrics):
        """None: there is no criterion."""
        return []


def shown_inputs(config, generator):
    """What the generator is given for a run's pictures.

    z of the interpolations goes from one point to another along the great circle. Classes and
    codes stay the same along a row; rows of the samples have the classes in turn.

    Returns:
        `(for samples, for interpolations)`, each as the generator's inputs, 100 rows.
    """
    random = streams.shown_noise(config.seed)
    rows = SAMPLE_COUNT // COLUMNS

    def latents(count):
        shape = (count, config.latent_dim)
        drawn = random.normal(size=shape)
        if config.latent == "uniform":
            drawn = random.uniform(-1.0, 1.0, shape)
        return drawn.astype("float32")

    z, start, end = latents(SAMPLE_COUNT), latents(rows), latents(rows)
    t = np.linspace(0.0, 1.0, COLUMNS, dtype="float32")[:, None]
    ways = np.concatenate(
        [
            np.asarray(slerp(np.tile(a, (COLUMNS, 1)), np.tile(b, (COLUMNS, 1)), t))
            for a, b in zip(start, end, strict=True)
        ]
    )
    if config.conditional == "none":
        return z, ways
    inputs = generator.input
    classes = np.eye(inputs["classes"].shape[1], dtype="float32")
    classes = classes[np.repeat(np.arange(rows), COLUMNS) % len(classes)]
    given = {"classes": classes}
    if "codes" in inputs:
        given["codes"] = np.zeros((SAMPLE_COUNT, inputs["codes"].shape[1]), "float32")
    return {"z": z, **given}, {"z": ways, **given}


def execute(config, images, run_dir, published, stop_requested):
    """Trains one run and writes its folder; returns, raises: as `execution.run_to_the_end`.

    `published` is the record of the objective and recipe without other flags.
    """

    def make_run():
        return TrainingRun(
            config, DcganGame(config, images), run_dir, differences(config, images, published)
        )

    return run_to_the_end(config, make_run, stop_requested)

"""BigGAN's game: what is trained on which images, watched and saved.

It reports losses, the first singular values of every layer of both players, and how far samples of
one class lie apart. `improved-gan truncation` scores the saved generator.

Paper:    Brock et al. (2019), Sec. 3, 4 and App. C.
Original: ajbrock/BigGAN-PyTorch@9845943, train.py.
"""

import numpy as np

from improved_gan_tf import streams
from improved_gan_tf.data import shuffled_batches
from improved_gan_tf.data.device_images import DeviceImages
from improved_gan_tf.data.padding import to_32_pixels
from improved_gan_tf.data.pixels import to_bytes
from improved_gan_tf.errors import UserError
from improved_gan_tf.layers import set_standing_statistics
from improved_gan_tf.networks import biggan_discriminator, biggan_generator
from improved_gan_tf.precision import in_float32
from improved_gan_tf.runs import health
from improved_gan_tf.runs.data_digest import data_digest
from improved_gan_tf.runs.epoch_table import Column
from improved_gan_tf.runs.execution import run_to_the_end
from improved_gan_tf.runs.game import Evaluation
from improved_gan_tf.runs.training_run import TrainingRun
from improved_gan_tf.settings.every_run import differences_from_published
from improved_gan_tf.settings.setting import Decides
from improved_gan_tf.training.biggan import BigganTrainer
from improved_gan_tf.training.spectra import first_singular_values
from improved_gan_tf.training.spread import within_class_distance

SAMPLES_PER_CLASS = 10
PLAYERS = ("generator", "discriminator")


def differences_from_paper(config, dataset, published):
    """The ways in which a run differs from the published recipe, as short texts.

    `published` is the record of the recipe without other flags.
    """
    differences = [] if dataset.is_papers else [f"data: {dataset.description}"]
    if config.dataset != published.dataset:
        differences.append(f"dataset: {config.dataset} instead of {published.dataset}")
    if config.recipe == "paper":
        differences.append("networks: 32 pixels, without attention, instead of 128 with it")
    return differences + differences_from_published(
        config, published, Decides.NUMBERS, Decides.LENGTH
    )


class BigganEpochs:
    """The rows of any epoch, an array for each minibatch of real images of an iteration.

    Args:
        count: int, number of images.
        config: `BigganConfig`.

    Raises:
        UserError: there are fewer images than one iteration needs.
    """

    def __init__(self, count, config):
        if count < config.images_per_iteration:
            raise UserError(
                "`batch_size` times `discriminator_steps` times `accumulation_steps` must not "
                f"exceed the {count} images: give smaller ones, or more images. Received: "
                f"{config.batch_size} times {config.discriminator_steps} times "
                f"{config.accumulation_steps}."
            )
        self._rows = shuffled_batches.ShuffledEpochs(
            count, config.images_per_iteration, config.seed
        )
        self._minibatches = config.images_per_iteration // config.batch_size
        self.iterations = self._rows.iterations

    def __call__(self, epoch):
        """The rows of `epoch`, counted from 0: a tuple of ints (iterations, batch_size)."""
        (rows,) = self._rows(epoch)
        return tuple(np.split(rows, self._minibatches, axis=1))


def players(config, num_classes):
    """`(generator, discriminator)` in their initial state, as `config` decides them."""
    common = {
        "channels": config.unit,
        "num_classes": num_classes,
        "initializer": config.initializer,
        "spectral_norm": config.spectral_norm,
    }
    generator = biggan_generator(
        config.seed,
        z_dim=config.z_dim,
        shared_dim=config.shared_dim,
        hierarchical=config.hierarchical,
        **common,
    )
    return generator, biggan_discriminator(config.seed, **common)


class BigganGame:
    """A `runs.game.Game` of class-conditional players, without a test set.

    Args:
        config: `BigganConfig`.
        dataset: `data.datasets.Dataset`.

    Raises:
        UserError: the settings do not fit the data.
    """

    def __init__(self, config, dataset):
        self.config, self.dataset = config, dataset
        self.epochs = BigganEpochs(len(dataset.train_labels), config)
        self.images = to_32_pixels(dataset.train_images)
        self.images_digest = data_digest(self.images)
        self.players = players(config, dataset.num_classes)

    def prepare(self):
        """Puts the data on the device; makes the trainer, and what samples are made of."""
        config, classes = self.config, self.dataset.num_classes
        self.trainer = BigganTrainer(
            *self.players,
            DeviceImages(self.images, self.dataset.train_labels, config.pixels),
            num_classes=classes,
            seed=config.seed,
            generator_rate=config.generator_learning_rate / config.learning_rate,
            accumulation_steps=config.accumulation_steps,
            orthogonal_weight=config.orthogonal_weight,
            averaging_decay=config.averaging_decay,
            averaging_start=config.averaging_start,
        )
        # Holds the averaged weights and the standing statistics of samples.
        self.averaged_generator, _ = players(config, classes)
        random = streams.shown_noise(config.seed)
        # A row for each class, a column for each z.
        z = random.normal(size=(SAMPLES_PER_CLASS, config.z_dim)).astype("float32")
        self.sample_labels = np.repeat(np.arange(classes, dtype="int32"), SAMPLES_PER_CLASS)
        self.sample_z = np.tile(z, (classes, 1))
        self.standing_inputs = [
            {
                "z": random.normal(size=(config.batch_size, config.z_dim)).astype("float32"),
                "labels": random.randint(classes, size=config.batch_size).astype("int32"),
            }
            for _ in range(config.standing_batches)
        ]
        self.real_distance = self._distance_of_real()

    def _distance_of_real(self):
        """Mean distance of as many real images of each class as are generated."""
        labels = self.dataset.train_labels
        rows = np.concatenate(
            [
                np.flatnonzero(labels == k)[:SAMPLES_PER_CLASS]
                for k in range(self.dataset.num_classes)
            ]
        )
        return within_class_distance(self.images[rows], labels[rows])

    def circumstances(self):
        """Number of images, and digests of them and their labels in order."""
        labels = self.dataset.train_labels
        return {
            "training images": len(labels),
            "digest of the labels": data_digest(labels),
            "digest of the images": self.images_digest,
        }

    # --- what is measured ------------------------------------------------------------------

    def evaluate(self):
        """Gives the second generator the averages and standing statistics; measures its samples.

        Returns:
            `Evaluation`: the samples' spread, the mean distance of two of a class in units of that
            of real images.
        """
        self.trainer.average.copy_to(self.averaged_generator.weights)
        set_standing_statistics(self.averaged_generator, self.standing_inputs)
        distance = within_class_distance(self.sample_images(), self.sample_labels)
        return Evaluation({"spread": distance / self.real_distance}, {})

    def measured(self, history, numbers):
        """The samples' spread, None if not measured; the first singular values; whether the
        run is collapsed.

        `sigma0/PLAYER/LAYER` is the largest of a layer, `sigma1/...` the second, ...;
        `sigma0_PLAYER` the largest of all layers of a player.
        """
        metrics = {"spread": numbers["spread"] if numbers else None}
        for player in PLAYERS:
            spectra = first_singular_values(getattr(self.trainer, player))
            metrics[f"sigma0_{player}"] = max(values[0] for values in spectra.values())
            for layer, values in spectra.items():
                for i, value in enumerate(values):
                    metrics[f"sigma{i}/{player}/{layer}"] = value
        spreads = [m.get("spread") for m in history[:-1]] + [metrics["spread"]]
        return {**metrics, "collapsed": health.is_alike(spreads)}

    def final(self, history, numbers):
        """The last evaluation's part of result.json."""
        return {
            "spread": numbers.get("spread"),
            "collapsed_at_epoch": health.alike_at([m.get("spread") for m in history]),
        }

    # --- what is saved ---------------------------------------------------------------------

    def models(self):
        """The generator with averaged weights and standing statistics, and both raw players."""
        return {
            "generator": self.averaged_generator,
            "generator_raw": self.trainer.generator,
            "discriminator": self.trainer.discriminator,
        }

    def sample_images(self):
        """Images of 10 fixed z for each class, uint8 (100, 32, 32, 3), class by class."""
        inputs = {"z": self.sample_z, "labels": self.sample_labels}
        images = self.averaged_generator(inputs, training=False)
        return to_bytes(in_float32(images), self.config.pixels)

    def more_pictures(self):
        """None."""
        return {}

    # --- what is shown ---------------------------------------------------------------------

    def title(self):
        """The data, with a note where it is not whole, the unit of the widths, spectral norm."""
        norm = "" if self.config.spectral_norm else ", without spectral norm"
        return f"{self.dataset.description}, BigGAN of {self.config.unit} channels{norm}"

    def columns(self):
        """Losses, the samples' spread, and the largest singular value of either player."""
        return [
            Column("loss", "discr.", "loss_discriminator"),
            Column("loss", "gener.", "loss_generator"),
            Column("samples", "spread", "spread"),
            Column("largest sigma", "discr.", "sigma0_discriminator"),
            Column("largest sigma", "gener.", "sigma0_generator"),
        ]

    def remarks(self, metrics):
        """Whether samples of a class are all alike."""
        return ["COLLAPSED"] if metrics["collapsed"] else []


def execute(config, dataset, run_dir, published, stop_requested):
    """Trains one run and writes its folder; returns, raises: as `execution.run_to_the_end`.

    `published` is the record of the recipe without other flags.
    """

    def make_run():
        differences = differences_from_paper(config, dataset, published)
        return TrainingRun(config, BigganGame(config, dataset), run_dir, differences)

    return run_to_the_end(config, make_run, stop_requested)

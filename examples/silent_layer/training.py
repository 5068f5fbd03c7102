"""One trial: the thin game of minibatch discrimination, watched from its first iteration."""

import dataclasses
import math
from typing import NamedTuple

import numpy as np

import run_cifar10
import run_mnist
from examples.silent_layer import variants
from improved_gan_tf.data.pixels import to_bytes
from improved_gan_tf.errors import DivergedError
from improved_gan_tf.networks import NOISE_DIM
from improved_gan_tf.runs.run_folder import image_grid
from improved_gan_tf.runs.semi_supervised import SemiSupervisedGame
from improved_gan_tf.scoring.diversity import class_coverage, mean_pairwise_distance
from improved_gan_tf.scoring.frechet import frechet_distance
from improved_gan_tf.streams import shown_noise
from improved_gan_tf.training.evaluation import wrong_count

WATCHED = (0, 50, 100, 200, 500, 1000, 2000, 5000)  # iterations
AT_ONCE = 50  # iterations in one call, after which a trial can be kept or stopped
NUM_SAMPLES = 1000
NUM_SHOWN = 20  # samples in a trial's picture
GAME = "minibatch_discrimination"  # whose recipe a trial follows, with the layer or without
SCRIPTS = {"mnist": (run_mnist, "removed_script"), "cifar10": (run_cifar10, "released")}


class Watched(NamedTuple):
    """The state of the layer after an iteration, of 100 real and 100 generated images.

    Attributes:
        iteration: int.
        feature_size: float, root mean square of the real images' features.
        closeness_real, closeness_generated: float or None, mean `o`, from 0 to 99; None without
            the layer.
        distance: float or None, mean L1 distance of real pairs, over pairs and kernels.
    """

    iteration: int
    feature_size: float
    closeness_real: float | None = None
    closeness_generated: float | None = None
    distance: float | None = None


class Outcome(NamedTuple):
    """What a trial has in the end.

    Attributes:
        test_wrong: int, misclassified test images, raw parameters.
        test_count: int.
        pair_distance: float, mean distance of pairs of samples over that of test images.
        classes_seen: int, classes with at least 1 % of the samples, by a classifier.
        class_entropy: float, nats, of the samples' classes.
        frechet_distance: float >= 0, of the samples and the test images, on the classifier's
            features.
        frechet_distance_of_real: float >= 0, of as many training images and the test images.
    """

    test_wrong: int
    test_count: int
    pair_distance: float
    classes_seen: int
    class_entropy: float
    frechet_distance: float
    frechet_distance_of_real: float


def config_of(dataset, variant, seed, width_multiplier, learning_rate, labels_per_class):
    """Returns the settings of a trial: those of a run script with one change."""
    script, recipe = SCRIPTS[dataset]
    return dataclasses.replace(
        script.EXPERIMENT,
        **{
            **script.VARIANTS[GAME][recipe],
            "model": variants.model_of(variant),
            "recipe": recipe,
            "seed": seed,
            "width_multiplier": width_multiplier,
            "learning_rate": learning_rate,
            "labels_per_class": labels_per_class,
            "supervised_weight": variant.supervised_weight,
        },
    )


class Trial:
    """The game of one variant and seed.

    Args:
        variant: `variants.Variant`.
        dataset: `data.datasets.Dataset`, MNIST, CIFAR-10 or a part of one.
        config: of `config_of`.
    """

    def __init__(self, variant, dataset, config):
        self.config = config
        self.game = SemiSupervisedGame(config, dataset)
        self.game.players = variants.build(
            config.dataset, variant, config.seed, config.width_multiplier
        )
        self.game.prepare()
        self.layer = variants.minibatch_layer(self.game.players.discriminator)
        if variant.distance_factor != 1.0:
            variants.scale_distances(self.layer, variant.distance_factor)
        self._features = variants.features_model(self.game.players.discriminator)
        self.iteration = 0

    def variables(self):
        """Returns `{name: variable}` of all that training changes."""
        return self.game.trainer.state()

    def train_to(self, iteration, after_some=lambda iterations: None):
        """Trains up to an iteration, counted from the first.

        Args:
            iteration: int.
            after_some: function of the number of iterations (int) since it was last called, called
                after `AT_ONCE` iterations at most. Their number does not change the bits.

        Raises:
            DivergedError: a loss is no longer finite.
        """
        while self.iteration < iteration:
            epoch, first = divmod(self.iteration, self.game.epochs.iterations)
            in_epoch = self.game.epochs.iterations - first
            count = min(iteration - self.iteration, in_epoch, AT_ONCE)
            rows = [r[first : first + count] for r in self.game.epochs(epoch)]
            sums, done = self.game.trainer.train(rows, self.config.learning_rate)
            if done < count or not all(map(math.isfinite, sums)):
                raise DivergedError(
                    f"A loss became NaN or infinite in iteration {self.iteration + done}."
                )
            self.iteration += count
            after_some(count)

    def watch(self):
        """Returns the `Watched` of now."""
        real = self.game.test.images(self.game.test.mixed_rows[:100])
        features = [self._features(x, training=False) for x in (real, self.game.generated_images())]
        size = float(np.sqrt(np.mean(np.square(features[0]))))
        if self.layer is None:
            return Watched(self.iteration, size)
        closeness = [float(np.mean(self.layer.closeness(x))) for x in features]
        projected = np.array(self.layer._project(features[0]))  # (100, B, C)
        distances = np.abs(projected[:, None] - projected[None]).sum(axis=-1)
        # The zeros of a row with itself are no pairs.
        return Watched(self.iteration, size, *closeness, float(distances.mean()) * 100 / 99)

    def samples(self):
        """Returns NUM_SAMPLES images in the game's range, made 100 at a time as in training."""
        z = shown_noise(self.config.seed).uniform(size=(NUM_SAMPLES, NOISE_DIM)).astype("float32")
        batches = [z[i : i + 100] for i in range(0, NUM_SAMPLES, 100)]
        return np.concatenate([self.game.trainer.generator(b, training=False) for b in batches])

    def picture(self):
        """Returns NUM_SHOWN samples, uint8 (H, W, C), in two rows."""
        return image_grid(to_bytes(self.samples()[:NUM_SHOWN], self.config.pixels))

    def outcome(self, classifier):
        """Returns the `Outcome`; `classifier` maps pixels to a dict with "logits", "features"."""
        divisor, offset = self.config.pixels
        samples = self.samples()
        dataset = self.game.dataset
        real = self.game.test.images(np.arange(NUM_SAMPLES))
        others = np.random.default_rng(0).permutation(len(dataset.train_labels))[:NUM_SAMPLES]
        of_samples, of_real, of_others = (
            classifier.predict(pixels, batch_size=500, verbose=0)
            for pixels in (
                samples * divisor + offset,
                dataset.test_images[:NUM_SAMPLES],
                dataset.train_images[others],
            )
        )
        coverage = class_coverage(of_samples["logits"])
        return Outcome(
            wrong_count(self.game.raw_predictor.logits(), dataset.test_labels),
            len(dataset.test_labels),
            mean_pairwise_distance(samples) / mean_pairwise_distance(real),
            sum(count >= NUM_SAMPLES / 100 for count in coverage.counts),
            coverage.entropy,
            frechet_distance(of_samples["features"], of_real["features"]),
            frechet_distance(of_others["features"], of_real["features"]),
        )

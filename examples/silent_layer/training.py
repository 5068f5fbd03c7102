"""One trial: the thin MNIST game of minibatch discrimination, watched from its first iteration."""

import dataclasses
from typing import NamedTuple

import numpy as np

import run_mnist
from examples.silent_layer import variants
from improved_gan_tf.networks import NOISE_DIM
from improved_gan_tf.runs.semi_supervised import SemiSupervisedGame
from improved_gan_tf.scoring.diversity import class_coverage, mean_pairwise_distance
from improved_gan_tf.streams import shown_noise
from improved_gan_tf.training.evaluation import wrong_count

WATCHED = (0, 50, 100, 200, 500, 1000, 2000, 5000)  # iterations
NUM_SAMPLES = 1000
MODEL, RECIPE = "minibatch_discrimination", "removed_script"


class Watched(NamedTuple):
    """The state of the layer after an iteration, of 100 real and 100 generated images.

    Attributes:
        iteration: int.
        closeness_real, closeness_generated: float >= 0, mean `o`, from 0 to 99.
        feature_size: float, root mean square of the real images' features.
        distance: float, mean L1 distance of real pairs, over pairs and kernels.
    """

    iteration: int
    closeness_real: float
    closeness_generated: float
    feature_size: float
    distance: float


class Outcome(NamedTuple):
    """What a trial has in the end.

    Attributes:
        test_wrong: int, misclassified test images, raw parameters.
        test_count: int.
        pair_distance: float, mean distance of pairs of samples over that of test images.
        classes_seen: int, classes with at least 1 % of the samples, by a classifier.
        class_entropy: float, nats, of the samples' classes.
    """

    test_wrong: int
    test_count: int
    pair_distance: float
    classes_seen: int
    class_entropy: float


def config_of(variant, seed, width_multiplier, learning_rate, labels_per_class):
    """Returns the settings of `run_mnist.py --model=minibatch_discrimination` for a trial."""
    return dataclasses.replace(
        run_mnist.EXPERIMENT,
        **{
            **run_mnist.VARIANTS[MODEL][RECIPE],
            "model": MODEL,
            "recipe": RECIPE,
            "data_source": "sample",
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
        dataset: `data.datasets.Dataset`, MNIST or a part of it.
        config: of `config_of`.
    """

    def __init__(self, variant, dataset, config):
        self.config = config
        self.game = SemiSupervisedGame(config, dataset)
        self.game.players = variants.build(variant, config.seed, config.width_multiplier)
        self.game.prepare()
        self.layer = variants.minibatch_layer(self.game.players.discriminator)
        if variant.distance_factor != 1.0:
            variants.scale_distances(self.layer, variant.distance_factor)
        self._features = variants.features_model(self.game.players.discriminator)
        self.iteration = 0

    def train_to(self, iteration):
        """Trains up to an iteration, counted from the first.

        Raises:
            FloatingPointError: a loss is no longer finite.
        """
        while self.iteration < iteration:
            epoch, first = divmod(self.iteration, self.game.epochs.iterations)
            count = min(iteration - self.iteration, self.game.epochs.iterations - first)
            rows = [r[first : first + count] for r in self.game.epochs(epoch)]
            _, done = self.game.trainer.train(rows, self.config.learning_rate)
            if done < count:
                raise FloatingPointError(f"a loss is not finite after {self.iteration + done}")
            self.iteration += count

    def watch(self):
        """Returns the `Watched` of now."""
        real = self.game.test.images(np.arange(100))
        features = [self._features(x, training=False) for x in (real, self.game.generated_images())]
        closeness = [float(np.mean(self.layer.closeness(x))) for x in features]
        projected = np.array(self.layer._project(features[0]))  # (100, B, C)
        distances = np.abs(projected[:, None] - projected[None]).sum(axis=-1)
        size = float(np.sqrt(np.mean(np.square(features[0]))))
        # The zeros of a row with itself are no pairs.
        return Watched(self.iteration, *closeness, size, float(distances.mean()) * 100 / 99)

    def samples(self):
        """Returns NUM_SAMPLES images in the game's range, made 100 at a time as in training."""
        z = shown_noise(self.config.seed).uniform(size=(NUM_SAMPLES, NOISE_DIM)).astype("float32")
        batches = [z[i : i + 100] for i in range(0, NUM_SAMPLES, 100)]
        return np.concatenate([self.game.trainer.generator(b, training=False) for b in batches])

    def outcome(self, classifier):
        """Returns the `Outcome`; `classifier` maps pixels from 0 to 255 to a dict with "logits"."""
        divisor, offset = self.config.pixels
        samples = self.samples()
        rows = np.arange(len(self.game.test))
        real = self.game.test.images(rows[:NUM_SAMPLES])
        logits = classifier.predict(samples * divisor + offset, batch_size=500, verbose=0)["logits"]
        coverage = class_coverage(logits)
        labels = self.game.dataset.test_labels
        return Outcome(
            wrong_count(self.game.raw_predictor.logits(), labels),
            len(labels),
            mean_pairwise_distance(samples) / mean_pairwise_distance(real),
            sum(count >= NUM_SAMPLES / 100 for count in coverage.counts),
            coverage.entropy,
        )

"""The paper's techniques one by one, on a ring of 8 and a grid of 25 Gaussians.

    python -m examples.ring_of_gaussians --problem=ring
    python -m examples.ring_of_gaussians --problem=grid

trains the same small GAN plain and with one technique at a time, ten times each. Only `TECHNIQUES`
below differs. It prints how many modes the samples reach and how many samples are good (mean +-
standard deviation over the ten), and writes one picture.

The ten GANs of a row are trained side by side as one network with an extra axis in every weight:
tensors are (n, S, features), S the number of GANs. They share nothing. Their losses are summed, so
each one's gradients are those of separate training.

Paper: Salimans et al. (2016), Sec. 3.1 to 3.4.
"""

import argparse
import itertools
import os
import pathlib
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
import tqdm
from keras import ops

from examples import mode_coverage
from improved_gan_tf import HistoricalAverage, losses
from improved_gan_tf.layers.minibatch_discrimination import kernel_sums

LATENT_SIZE = 4
HIDDEN_WIDTHS = (64, 64, 64)
BATCH_SIZE = 64
LEARNING_RATE = 2e-3
NUM_KERNELS, KERNEL_DIM = 8, 2  # of minibatch discrimination
STEPS_PER_CALL = 100


class Technique(NamedTuple):
    """The additions of a table row to the plain GAN; the defaults are the plain GAN."""

    minibatch_discrimination: bool = False
    feature_matching: bool = False  # instead of the generator's adversarial loss
    historical_averaging: float = 0.0  # weight, for both players
    real_target: float = 1.0  # alpha of one-sided label smoothing


TECHNIQUES = {
    "plain": Technique(),
    "minibatch discrimination": Technique(minibatch_discrimination=True),
    "feature matching": Technique(feature_matching=True),
    "historical averaging": Technique(historical_averaging=0.001),
    "label smoothing": Technique(real_target=0.9),
}


# --- data ----------------------------------------------------------------------------------


class Grid(mode_coverage.Ring):
    """Twenty-five Gaussians of standard deviation 0.1, two apart."""

    measures = ("modes covered (of 25)", "high-quality samples (%)")
    stddev = 0.1

    def __init__(self):
        ticks = 2.0 * np.arange(-2, 3)
        self.centres = np.array([(x, y) for x in ticks for y in ticks], "float32")


PROBLEMS = {"ring": mode_coverage.Ring, "grid": Grid}
DEFAULT_STEPS = {"ring": 2000, "grid": 4000}


# --- S networks side by side ---------------------------------------------------------------


def dense(num_gans, inputs, units, activation=None):
    """Returns S dense layers side by side, (n, S, inputs) -> (n, S, units), Glorot-uniform each."""
    limit = np.sqrt(6.0 / (inputs + units))  # Keras's own would depend on S
    return keras.layers.EinsumDense(
        "nsd,sdu->nsu",
        output_shape=(num_gans, units),
        bias_axes="su",
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
    )


class MinibatchDiscriminationSideBySide(keras.layers.Layer):
    """S times `MinibatchDiscrimination(reduction="mean", weight_normalization=False)`.

    Kernels are independent, so those of all GANs are summed in one call.
    """

    def build(self, input_shape):
        """Makes `theta`, (S, A, B * C)."""
        self.num_gans, features = input_shape[1:]
        self.theta = self.add_weight(
            name="theta",
            shape=(self.num_gans, features, NUM_KERNELS * KERNEL_DIM),
            initializer=keras.initializers.RandomNormal(stddev=0.05),
        )

    def call(self, features):
        """Appends to each example its closeness to the others in its batch, (n, S, A + B)."""
        m = ops.einsum("nsa,sak->nsk", features, self.theta)
        m = ops.reshape(m, (BATCH_SIZE, self.num_gans * NUM_KERNELS, KERNEL_DIM))
        means = kernel_sums.kernel_sums(m, ops.ones((1, BATCH_SIZE)) / (BATCH_SIZE - 1))
        means = ops.reshape(means, (BATCH_SIZE, self.num_gans, NUM_KERNELS))
        return ops.concatenate([features, means], axis=-1)


def build_generators(num_gans):
    """Returns S generators, (n, S, LATENT_SIZE) -> (n, S, 2)."""
    widths = [LATENT_SIZE, *HIDDEN_WIDTHS]
    return keras.Sequential(
        [
            keras.Input((num_gans, LATENT_SIZE)),
            *[dense(num_gans, *pair, "relu") for pair in itertools.pairwise(widths)],
            dense(num_gans, widths[-1], 2),
        ]
    )


def build_discriminators(num_gans, minibatch_discrimination):
    """Returns S discriminators, (n, S, 2) -> logits (n, S) and features (n, S, 64)."""
    examples = keras.Input((num_gans, 2))
    features = examples
    for inputs, units in itertools.pairwise([2, *HIDDEN_WIDTHS]):
        features = dense(num_gans, inputs, units, "leaky_relu")(features)
    last = MinibatchDiscriminationSideBySide()(features) if minibatch_discrimination else features
    logits = dense(num_gans, last.shape[-1], 1)(last)
    logits = keras.layers.Reshape((num_gans,))(logits)
    return keras.Model(examples, [logits, features])


# --- training ------------------------------------------------------------------------------


class Player:
    """Networks with their optimizer, and their past for historical averaging."""

    def __init__(self, networks, historical_averaging):
        self.networks = networks
        self.variables = networks.trainable_variables
        self.optimizer = keras.optimizers.Adam(LEARNING_RATE, beta_1=0.5)
        self.optimizer.build(self.variables)
        self.weight = historical_averaging
        self.history = HistoricalAverage(self.variables) if historical_averaging else None

    def minimise(self, loss):
        """Makes one step that lowers `loss()` plus, with historical averaging, its penalty."""
        if self.history:
            self.history.update()
        with tf.GradientTape() as tape:
            total = loss()
            if self.history:
                total += self.weight * self.history.penalty()
        self.optimizer.apply(tape.gradient(total, self.variables), self.variables)


def train(problem, technique, num_gans, steps, seed, progress=None):
    """Trains S GANs of one row.

    Args:
        problem: `mode_coverage.Ring` or `Grid`.
        technique: `Technique`.
        num_gans: int >= 1, S.
        steps: int >= 1, each one update of the discriminator and one of the generator.
        seed: int, of initial weights, noise and examples.
        progress: `tqdm.tqdm` or None, updated with the steps done.

    Returns:
        List of S arrays (mode_coverage.NUM_SAMPLES, 2), samples of each GAN.
    """
    keras.utils.set_random_seed(seed)
    generator = Player(build_generators(num_gans), technique.historical_averaging)
    discriminator = Player(
        build_discriminators(num_gans, technique.minibatch_discrimination),
        technique.historical_averaging,
    )

    def real(count=BATCH_SIZE):
        return tf.reshape(problem.real(count * num_gans), (count, num_gans, 2))

    def generated(count=BATCH_SIZE):
        return generator.networks(tf.random.normal((count, num_gans, LATENT_SIZE)))

    # The losses are means over examples and GANs; times S, they are the sum of the GANs' losses.
    def discriminator_loss():
        real_logits, _ = discriminator.networks(real())
        generated_logits, _ = discriminator.networks(generated())
        return num_gans * (
            losses.binary_cross_entropy(real_logits, technique.real_target)
            + losses.binary_cross_entropy(generated_logits, 0.0)
        )

    def generator_loss():
        generated_logits, generated_features = discriminator.networks(generated())
        if technique.feature_matching:
            _, real_features = discriminator.networks(real())
            return num_gans * losses.feature_matching_l2(real_features, generated_features)
        return num_gans * losses.binary_cross_entropy(generated_logits, 1.0)  # non-saturating

    @tf.function
    def several_steps(count):
        for _ in tf.range(count):
            discriminator.minimise(discriminator_loss)
            generator.minimise(generator_loss)

    for first in range(0, steps, STEPS_PER_CALL):
        count = min(STEPS_PER_CALL, steps - first)
        several_steps(tf.constant(count))
        if progress:
            progress.update(count)
    return list(generated(mode_coverage.NUM_SAMPLES).numpy().transpose(1, 0, 2))


# --- the command ---------------------------------------------------------------------------


def _arguments(argv):
    parser = argparse.ArgumentParser(
        prog="python -m examples.ring_of_gaussians",
        description=__doc__.splitlines()[0],
    )
    parser.add_argument(
        "--problem", choices=PROBLEMS, default="ring", help="what the GANs learn (ring)"
    )
    parser.add_argument("--num_gans", type=int, default=10, help="GANs in a row (10)")
    parser.add_argument(
        "--steps", type=int, help=f"updates of each network (default: by problem, {DEFAULT_STEPS})"
    )
    parser.add_argument("--seed", type=int, default=1, help="of weights, noise and examples (1)")
    parser.add_argument("--output", help="picture to write (default: gaussians_PROBLEM.png)")
    arguments = parser.parse_args(argv)
    if arguments.steps is None:
        arguments.steps = DEFAULT_STEPS[arguments.problem]
    for name, low, high in (
        ("num_gans", 1, 100),
        ("steps", 1, 10_000_000),
        ("seed", 0, 2**32 - 1),
    ):
        value = getattr(arguments, name)
        if not low <= value <= high:
            parser.error(f"--{name} must be from {low} to {high}. Received: {value}")
    arguments.output = pathlib.Path(arguments.output or f"gaussians_{arguments.problem}.png")
    output = arguments.output
    if output.suffix.lower() != ".png" or output.is_dir() or not output.parent.is_dir():
        parser.error(
            "--output must be the name of a .png file in a folder that exists. "
            f"Received: {arguments.output}"
        )
    return arguments


def report(problem, samples, output):
    """Prints the table of `{row: samples of each GAN}` and writes the picture."""
    measured = {title: [problem.measure(s) for s in by_gan] for title, by_gan in samples.items()}
    keras.utils.set_random_seed(0)  # the same real examples for all rows
    real_measured = problem.measure(problem.real(mode_coverage.NUM_SAMPLES).numpy())
    print(mode_coverage.table(problem, measured, real_measured, rows="technique"))
    mode_coverage.write_picture(output, problem, samples, measured, run="GAN")
    print(f"\nPicture: {output}")


def main(argv=None):
    """Trains every row, prints the table, writes the picture; None is the command line's `argv`."""
    arguments = _arguments(argv)
    problem = PROBLEMS[arguments.problem]()
    samples = {}
    with tqdm.tqdm(total=len(TECHNIQUES) * arguments.steps, unit="step") as progress:
        for title, technique in TECHNIQUES.items():
            progress.set_description(title)
            samples[title] = train(
                problem, technique, arguments.num_gans, arguments.steps, arguments.seed, progress
            )
    print(f"{arguments.problem}: {arguments.num_gans} GANs a row, {arguments.steps} steps each\n")
    report(problem, samples, arguments.output)


if __name__ == "__main__":
    main()

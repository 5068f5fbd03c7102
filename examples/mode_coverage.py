"""Mode coverage of an ordinary small GAN on digits, without and with the paper's layers.

A collapsed generator shows only a few of the data's modes. The same GAN is trained plain, then with
minibatch discrimination, then also with virtual batch normalization in the generator and weight
normalization in the discriminator. Only `VARIANTS` below differs.

    python examples/mode_coverage.py --num_seeds=3 --iterations=500

prints a table (mean +- standard deviation over the seeds) and writes one picture.

Paper: Salimans et al. (2016), Sec. 3.2 (minibatch discrimination), Sec. 3.5 (virtual batch
normalization); Salimans and Kingma (2016), Sec. 2 and 3 (weight normalization).
"""

import argparse
import functools
import io
import os
import pathlib
from collections.abc import Callable
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import matplotlib.pyplot as plt
import numpy as np
import tabulate
import tensorflow as tf
from keras import ops
from PIL import Image
from scipy.spatial import distance

from improved_gan_tf import initialize_from_data
from improved_gan_tf.data import datasets
from improved_gan_tf.layers import (
    DropReference,
    MinibatchDiscrimination,
    PrependReference,
    VirtualBatchNorm,
    WeightNormConv2D,
    WeightNormDense,
)
from improved_gan_tf.machine.determinism import make_operations_deterministic
from improved_gan_tf.machine.progress_bar import progress_bar

LATENT_SIZE = 16
REFERENCE_SIZE = 64  # noise vectors in the reference batch of virtual batch normalization
BATCH_SIZE = 64
LEARNING_RATE = 5e-4
ITERATIONS = 500
INITIALIZATION_SIZE = 500  # real examples for data-dependent initialisation, as in the original
NUM_SAMPLES = 2500  # samples for every measure
COVERED_SHARE = 0.01  # a mode is covered if at least this share of the samples is in it


# --- the layers: what to replace in your own model -----------------------------------------


class Variant(NamedTuple):
    """The layers of a GAN; each entry makes a new layer."""

    normalization: Callable  # after each hidden layer of the generator
    dense: Callable  # of the discriminator
    convolution: Callable  # of the discriminator
    before_output: Callable  # list of layers before the discriminator's last


PLAIN = Variant(
    normalization=keras.layers.BatchNormalization,
    dense=keras.layers.Dense,
    convolution=keras.layers.Conv2D,
    before_output=lambda: [],
)
WITH_MINIBATCH_DISCRIMINATION = PLAIN._replace(
    before_output=lambda: [
        # The paper's plain T. The mean over the batch, because the default sum was too strong for
        # such small networks.
        MinibatchDiscrimination(16, 3, weight_normalization=False, reduction="mean")
    ],
)
WITH_ALL_LAYERS = WITH_MINIBATCH_DISCRIMINATION._replace(
    normalization=functools.partial(VirtualBatchNorm, REFERENCE_SIZE),
    dense=functools.partial(WeightNormDense, train_scale=True),
    convolution=functools.partial(WeightNormConv2D, train_scale=True),
)
VARIANTS = {
    "plain": PLAIN,
    "+ minibatch discrimination": WITH_MINIBATCH_DISCRIMINATION,
    "+ all layers": WITH_ALL_LAYERS,
}


def build_generator(layers):
    """Returns a generator, (N, LATENT_SIZE) -> samples."""
    if any(isinstance(layer, VirtualBatchNorm) for layer in layers):
        # The reference batch, drawn once and kept, is prepended to every batch of noise.
        prepend = PrependReference(REFERENCE_SIZE)
        prepend.set_reference(noise(REFERENCE_SIZE))
        layers = [prepend, *layers, DropReference(REFERENCE_SIZE)]
    return keras.Sequential([keras.Input((LATENT_SIZE,)), *layers])


def noise(count):
    """Returns the generator's input, (count, LATENT_SIZE)."""
    return tf.random.normal((count, LATENT_SIZE))


# --- the problem: data, networks, measures, how a sample looks ----------------------------


class Digits:
    """MNIST digits, 28 x 28, in [-1, 1]: the 4,000 training images of the embedded sample."""

    measures = (
        "classes covered (of 10)",
        "entropy of classes (nats)",
        "confident samples (%)",
        "distance between samples (real = 1)",
    )

    def __init__(self):
        dataset = datasets.load("mnist", "sample")
        self.train_images = dataset.train_images.astype("float32") / 127.5 - 1.0
        test_images = dataset.test_images.astype("float32") / 127.5 - 1.0
        self.classifier = self._train_classifier(dataset.train_labels)
        _, accuracy = self.classifier.evaluate(test_images, dataset.test_labels, verbose=0)
        print(f"The classifier gets {100.0 * accuracy:.1f} % of 1,000 test digits right.")
        self.real_distance = distance.pdist(test_images.reshape(len(test_images), -1)).mean()

    def _train_classifier(self, labels):
        keras.utils.set_random_seed(0)
        classifier = keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                keras.layers.Conv2D(16, 5, strides=2, padding="same", activation="relu"),
                keras.layers.Conv2D(32, 5, strides=2, padding="same", activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dropout(0.5),
                keras.layers.Dense(10, activation="softmax"),
            ]
        )
        classifier.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        classifier.fit(self.train_images, labels, batch_size=50, epochs=8, verbose=0)
        return classifier

    def real(self, count):
        """Returns `count` real examples, (count, 28, 28, 1)."""
        rows = tf.random.uniform((count,), maxval=len(self.train_images), dtype="int32")
        return tf.gather(self.train_images, rows)

    def generator_layers(self, variant):
        """Returns the layers between noise and sample."""
        return [
            keras.layers.Dense(7 * 7 * 32),
            keras.layers.Reshape((7, 7, 32)),
            variant.normalization(),
            keras.layers.ReLU(),
            keras.layers.Conv2DTranspose(16, 4, strides=2, padding="same"),
            variant.normalization(),
            keras.layers.ReLU(),
            keras.layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
        ]

    def discriminator(self, variant):
        """Returns the network for one logit per example: real above 0, generated below."""
        strided = {"strides": 2, "padding": "same", "activation": "leaky_relu"}
        return keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                variant.convolution(16, 4, **strided),
                variant.convolution(32, 4, **strided),
                keras.layers.Flatten(),
                *variant.before_output(),
                variant.dense(1),
            ]
        )

    def measure(self, samples):
        """Returns classes covered, their entropy, the share of sure answers (%), distance."""
        probabilities = self.classifier.predict(samples, batch_size=500, verbose=0)
        shares = np.bincount(probabilities.argmax(axis=1), minlength=10) / len(samples)
        entropy = -np.sum(shares[shares > 0] * np.log(shares[shares > 0]))
        confident = 100.0 * np.mean(probabilities.max(axis=1) >= 0.9)
        spread = distance.pdist(samples[:1000].reshape(-1, 28 * 28)).mean() / self.real_distance
        return np.sum(shares >= COVERED_SHARE), entropy, confident, spread

    def panel_title(self, measured):
        """Returns the title of a picture's panel."""
        return f"{measured[0]:.0f} of 10 classes, distance {measured[3]:.2f}"

    def draw(self, axes, samples):
        """Draws the first 6 x 6 samples."""
        rows = samples[:36].reshape(6, 6, 28, 28)
        axes.imshow(rows.transpose(0, 2, 1, 3).reshape(6 * 28, 6 * 28), cmap="gray")


# --- one GAN -------------------------------------------------------------------------------


def train(problem, variant, seed, iterations, progress):
    """Trains one GAN and returns NUM_SAMPLES of its samples."""
    keras.utils.set_random_seed(seed)
    generator = build_generator(problem.generator_layers(variant))
    discriminator = problem.discriminator(variant)
    initialize_from_data(discriminator, problem.real(INITIALIZATION_SIZE))  # once, before training
    generator_optimizer = keras.optimizers.Adam(LEARNING_RATE, beta_1=0.5)
    discriminator_optimizer = keras.optimizers.Adam(LEARNING_RATE, beta_1=0.5)
    generator_optimizer.build(generator.trainable_variables)
    discriminator_optimizer.build(discriminator.trainable_variables)

    def step():
        with tf.GradientTape() as tape:
            # Two calls, because minibatch discrimination compares images of one kind.
            real_logits = discriminator(problem.real(BATCH_SIZE), training=True)
            generated = generator(noise(BATCH_SIZE), training=True)
            generated_logits = discriminator(generated, training=True)
            loss = ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(generated_logits))
        variables = discriminator.trainable_variables
        discriminator_optimizer.apply(tape.gradient(loss, variables), variables)

        with tf.GradientTape() as tape:
            generated = generator(noise(BATCH_SIZE), training=True)
            loss = ops.mean(ops.softplus(-discriminator(generated, training=True)))
        variables = generator.trainable_variables
        generator_optimizer.apply(tape.gradient(loss, variables), variables)

    @tf.function
    def steps(count):
        for _ in tf.range(count):
            step()

    for first in range(0, iterations, 100):
        count = min(100, iterations - first)
        steps(tf.constant(count))
        progress.update(count)
    # Batch normalization uses the batch's statistics, as in training and in the original.
    return generator(noise(NUM_SAMPLES), training=True).numpy()


# --- table and picture ---------------------------------------------------------------------


def table(problem, measured, real_measured):
    """Returns the table: a row for each variant, and one for as many real examples."""
    cells = [
        [title, *(f"{np.mean(m):.2f} +- {np.std(m):.2f}" for m in zip(*by_seed, strict=True))]
        for title, by_seed in measured.items()
    ]
    cells.append(["real data", *(f"{m:.2f}" for m in real_measured)])
    return tabulate.tabulate(
        cells, headers=["layers", *problem.measures], tablefmt="github", disable_numparse=True
    )


def write_picture(path, problem, samples, measured):
    """Writes one row of panels for each variant, one column for each of the first seeds."""
    columns = min(4, len(next(iter(samples.values()))))
    real = problem.real(NUM_SAMPLES).numpy()
    figure, panels = plt.subplots(
        len(samples),
        1 + columns,
        figsize=(2.4 * (1 + columns), 2.6 * len(samples)),
        squeeze=False,
        layout="constrained",
    )
    for row, (title, by_seed) in zip(panels, samples.items(), strict=True):
        for seed, axes in enumerate(row):
            axes.set(xticks=[], yticks=[])
            if seed == 0:
                problem.draw(axes, real)
                axes.set_title("real data", fontsize=9)
                axes.set_ylabel(title, fontsize=11)
                continue
            problem.draw(axes, by_seed[seed - 1])
            shown = problem.panel_title(measured[title][seed - 1])
            axes.set_title(f"seed {seed}: {shown}", fontsize=8)
    rendered = io.BytesIO()
    figure.savefig(rendered, format="png", dpi=100)
    plt.close(figure)
    Image.open(rendered).convert("RGB").quantize(32).save(path, optimize=True)  # a smaller file


def parse(argv):
    """The settings on the command line, checked; exits with 2 on a mistake."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    seeds = "GANs trained for each row of the table, seeds 1, 2, ..."
    parser.add_argument("--num_seeds", type=int, default=5, help=seeds)
    steps = "steps of each GAN, one of the discriminator and one of the generator each"
    parser.add_argument("--iterations", type=int, default=ITERATIONS, help=steps)
    picture = pathlib.Path("mode_coverage_digits.png")
    parser.add_argument("--output", type=pathlib.Path, default=picture, help="picture to write")
    settings = parser.parse_args(argv)
    for name in ("num_seeds", "iterations"):
        if getattr(settings, name) < 1:
            parser.error(f"--{name} must be 1 or more. Received: {getattr(settings, name)}")
    settings.output = output = settings.output.expanduser()
    if output.suffix.lower() != ".png" or output.is_dir() or not output.parent.is_dir():
        parser.error(
            f"--output must be the name of a .png file in a folder that exists. Received: {output}"
        )
    return settings


def main(argv=None):
    """Trains every variant on every seed; prints the table, writes the picture."""
    settings = parse(argv)
    make_operations_deterministic()
    iterations, output = settings.iterations, settings.output
    problem = Digits()
    samples, measured = {}, {}
    steps = len(VARIANTS) * settings.num_seeds * iterations
    with progress_bar(steps, "step", "digits") as progress:
        for title, variant in VARIANTS.items():
            samples[title] = [
                train(problem, variant, seed, iterations, progress)
                for seed in range(1, settings.num_seeds + 1)
            ]
            measured[title] = [problem.measure(s) for s in samples[title]]
    real_measured = problem.measure(problem.real(NUM_SAMPLES).numpy())
    print(f"digits: {settings.num_seeds} seeds, {iterations} iterations each\n")
    print(table(problem, measured, real_measured))
    write_picture(output, problem, samples, measured)
    print(f"\nPicture: {output}")


if __name__ == "__main__":
    main()

"""One run from settings to result: load, initialise, train, evaluate, report.

Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_mnist_feature_matching.py.
"""

import contextlib
import math
import signal
import sys
import time

import keras
import numpy as np
from tqdm import tqdm

from improved_gan_tf import data, evaluation, networks, reporting
from improved_gan_tf.collapse import collapsed_at
from improved_gan_tf.errors import DivergedError
from improved_gan_tf.initialization import initialize_from_data
from improved_gan_tf.training import DeviceImages, StepLosses, Trainer

ITERATIONS_PER_CALL = 100  # a few seconds: how long Ctrl-C waits
SAMPLE_COUNT = 100
INITIALIZATION_IMAGES = 500


def run_name(config):
    """The default run folder's name, made from the settings that tell runs apart."""
    seed_data = config.seed if config.seed_data is None else config.seed_data
    return (
        f"{sweep_name(config)}-labels{10 * config.labels_per_class}"
        f"-seed{config.seed}-data{seed_data}"
    )


def sweep_name(config):
    """The default name of the folder that holds the runs of several seeds and label counts."""
    kind = "supervised_only" if config.supervised_only else config.model
    return f"{config.dataset}-{config.data_source}-{kind}-{config.recipe}"


def differences_from_paper(config, dataset, published):
    """What keeps a run's number out of the paper's column, as a list of short texts.

    Args:
        config: `ExperimentConfig` of the run.
        dataset: `data.Dataset`.
        published: the record that the model and recipe stand for without other flags.
    """
    differences = []
    if not dataset.is_papers:
        differences.append(f"data: {dataset.description}")
    for name in (
        "width_multiplier",
        "epochs",
        "batch_size",
        "learning_rate",
        "unlabeled_weight",
        "averaging_rate",
        "decay_start_epoch",
        "decay_end_epoch",
    ):
        ours, theirs = getattr(config, name), getattr(published, name)
        if ours != theirs:
            differences.append(f"{name}: {ours} instead of {theirs}")
    if config.supervised_only:
        differences.append("a supervised-only baseline, which the paper does not report")
    return differences


def labeled_subset_and_streams(config, dataset):
    """The labeled rows and the rows of every epoch, as `config` decides them.

    Returns:
        `(data.LabeledSubset, data.EpochStreams)`.

    Raises:
        UserError: the settings do not fit the data.
    """
    subset = data.choose_labeled_subset(
        dataset.train_labels, config.labels_per_class, config.seed, config.seed_data
    )
    streams = data.EpochStreams(
        len(dataset.train_labels),
        subset.labeled,
        config.batch_size,
        config.seed,
        generator_sees_real=config.model == "feature_matching",
        labels_from_seed=config.seed_data is None,
    )
    return subset, streams


class Run:
    """A run in progress.

    Args:
        config: `ExperimentConfig`.
        dataset: `data.Dataset`.
        run_dir: folder to write.
        differences: list of str from `differences_from_paper`.
    """

    def __init__(self, config, dataset, run_dir, differences):
        self.config = config
        self.dataset = dataset
        self.differences = differences
        self.subset, self.streams = labeled_subset_and_streams(config, dataset)
        self.spec = networks.EXPERIMENTS[config.dataset, config.model]
        players = self.spec.build(config.seed, config.width_multiplier)
        # After every check: a mistake must not leave a folder.
        self.folder = reporting.RunFolder(run_dir, config.overwrite)
        self.folder.write_json("config.json", config.to_dict())
        self.history = []
        self.test_wrong = {"averaged": None, "raw": None}
        # Finished epochs, and iterations, when the folder's models were written.
        self.saved_epochs = self.saved_iterations = None
        self._prepare(players)

    def _prepare(self, players):
        """Puts the data on the device, initialises the networks from it, makes the trainer."""
        config = self.config
        train = DeviceImages(self.dataset.train_images, self.dataset.train_labels, config.pixels)
        self.test = DeviceImages(self.dataset.test_images, self.dataset.test_labels, config.pixels)
        # Once, in sight: scales and biases from 500 training images.
        rows = self.subset.order
        if config.initialization_images == "labeled_stream":
            rows = self.streams(0).labeled.ravel()
        initialize_from_data(players.discriminator, train.images(rows[:INITIALIZATION_IMAGES]))
        self.trainer = Trainer(
            players,
            train,
            seed=config.seed,
            generator_objective=config.generator_objective,
            generator_steps=config.generator_steps,
            unlabeled_weight=config.unlabeled_weight,
            averaging_rate=config.averaging_rate,
            supervised_only=config.supervised_only,
        )
        if self.spec.initializes_generator:
            initialize_from_data(players.generator, self.trainer.draw_z(config.batch_size))
        # The network that holds the averaged parameters whenever they are tested or saved.
        self.averaged_discriminator = self.spec.discriminator(config.seed, config.width_multiplier)
        coupled_batch = config.batch_size if players.couples_examples else None
        self.raw_predictor, self.averaged_predictor = (
            evaluation.Predictor(discriminator, self.test, coupled_batch)
            for discriminator in (players.discriminator, self.averaged_discriminator)
        )
        self.sample_noise = np.random.RandomState(config.seed).uniform(
            size=(SAMPLE_COUNT, networks.NOISE_DIM)
        )

    def train(self, stop_requested):
        """Runs all epochs.

        Args:
            stop_requested: function without arguments; training stops when it returns True.

        Returns:
            "finished" or "interrupted".

        Raises:
            DivergedError: a loss was not finite.
        """
        config, iterations = self.config, self.streams.iterations
        bar = tqdm(
            total=config.epochs * iterations,
            unit="it",
            desc=self.folder.path.name[:40],
            mininterval=0.5 if sys.stderr.isatty() else 30.0,
            dynamic_ncols=True,
        )
        with bar:
            for epoch in range(config.epochs):
                begin = time.monotonic()
                sums = np.zeros(len(StepLosses._fields))
                rows = self.streams(epoch)
                for start in range(0, iterations, ITERATIONS_PER_CALL):
                    part = [r[start : start + ITERATIONS_PER_CALL] for r in rows]
                    means, done = self.trainer.train(part, config.learning_rate_at(epoch))
                    sums += done * np.array(means)
                    bar.update(done)
                    if not all(map(math.isfinite, means)):
                        self._raise_diverged(epoch, start + done, means)
                    if stop_requested():
                        bar.write(f"stopping in epoch {epoch + 1}, as asked")
                        return "interrupted"
                self._finish_epoch(epoch, sums / iterations, time.monotonic() - begin, bar)
        return "finished"

    def _raise_diverged(self, epoch, iteration, means):
        names = [n for n, v in zip(StepLosses._fields, means, strict=True) if not math.isfinite(v)]
        kept = "no model yet"
        if self.saved_epochs is not None:
            kept = f"the models of epoch {self.saved_epochs}"
        raise DivergedError(
            f"The {' and '.join(names)} loss became NaN or infinite in epoch {epoch + 1}, "
            f"iteration {iteration}. Training stopped there; {self.folder.path} keeps {kept}. "
            f"Try a smaller --learning_rate (received {self.config.learning_rate}) or another "
            "--seed."
        )

    def _finish_epoch(self, epoch, means, seconds, bar):
        config = self.config
        metrics = {"epoch": epoch, "learning_rate": config.learning_rate_at(epoch)}
        for name, value in zip(StepLosses._fields, means, strict=True):
            metrics[name if name == "train_error" else f"loss_{name}"] = float(value)
        metrics |= {"test_error_averaged": None, "test_error_raw": None}
        evaluate = (epoch + 1) % config.evaluate_every == 0 or epoch + 1 == config.epochs
        if evaluate:
            self.evaluate()
            metrics |= self.test_errors()
        metrics["seconds"] = seconds
        losses = [m["loss_unsupervised"] for m in self.history] + [metrics["loss_unsupervised"]]
        # Without an unsupervised loss there is no game to lose.
        metrics["collapsed"] = not config.supervised_only and collapsed_at(losses) is not None
        self.history.append(metrics)
        self.folder.append_metrics(metrics)
        if evaluate:
            self.save(epoch + 1)
        bar.write(epoch_line(metrics))

    def evaluate(self):
        """Scores every test image, with averaged and with raw parameters."""
        self.logits = {"raw": self.raw_predictor.logits()}
        if self.trainer.average is not None:
            self.trainer.copy_average_to(self.averaged_discriminator)
            self.logits["averaged"] = self.averaged_predictor.logits()
        labels = self.dataset.test_labels
        for kind, logits in self.logits.items():
            self.test_wrong[kind] = evaluation.wrong_count(logits, labels)

    def test_errors(self):
        """`{"test_error_averaged": fraction or None, "test_error_raw": ...}` last measured."""
        count = len(self.dataset.test_labels)
        return {
            f"test_error_{kind}": None if wrong is None else wrong / count
            for kind, wrong in self.test_wrong.items()
        }

    def save(self, epochs_done, interrupted=False):
        """Writes models, predictions, samples and curves of the present state.

        Args:
            epochs_done: int, finished epochs.
            interrupted: bool, whether the next epoch had begun.
        """
        averaged = self.trainer.average is not None
        tested = self.averaged_discriminator if averaged else self.trainer.discriminator
        models = {"discriminator": tested, "discriminator_raw": self.trainer.discriminator}
        predictions = {f"logits_{kind}": logits for kind, logits in self.logits.items()}
        predictions["labels"] = self.dataset.test_labels
        if not self.config.supervised_only:
            models["generator"] = self.trainer.generator
            self.folder.write_samples(self.sample_images(), epochs_done, interrupted)
        self.folder.write_models(models)
        self.folder.write_predictions(**predictions)
        if self.history:
            self.folder.write_curves(self.history, self.title())
        self.saved_epochs = epochs_done
        self.saved_iterations = self.trainer.iterations()

    def sample_images(self):
        """The same 100 points of the noise as images, uint8 (100, H, W, C)."""
        images = self.trainer.generator(self.sample_noise.astype("float32"), training=False)
        divisor, offset = self.config.pixels
        return np.clip(np.round(np.array(images) * divisor + offset), 0, 255).astype(np.uint8)

    def title(self):
        """What the run is, in one line, with a word about the data where it is not the paper's."""
        kind = "supervised only" if self.config.supervised_only else self.config.model
        return f"{self.dataset.description}, {kind}, {10 * self.config.labels_per_class} labels"

    def write_result(self, status, wall_seconds):
        """Writes result.json and returns its content.

        Args:
            status: "finished", "interrupted" or "diverged".
            wall_seconds: float.
        """
        result = {
            "status": status,
            "title": self.title(),
            "differences_from_paper": self.differences,
            "config": self.config.to_dict(),
            "final": {
                "epochs": len(self.history),
                "models_of_epoch": self.saved_epochs,
                "models_of_iteration": self.saved_iterations,
                "test_count": len(self.dataset.test_labels),
                "test_wrong_averaged": self.test_wrong["averaged"],
                "test_wrong_raw": self.test_wrong["raw"],
                "average_weight": self.trainer.average_weight(),
                "collapsed_at_epoch": None
                if self.config.supervised_only
                else collapsed_at([m["loss_unsupervised"] for m in self.history]),
                "metrics": self.history[-1] if self.history else None,
            },
            "versions": reporting.versions(),
            "wall_seconds": wall_seconds,
        }
        self.folder.write_json("result.json", result)
        self.folder.close()
        return result


def epoch_line(metrics):
    """One line of text about an epoch."""

    def percent(name):
        value = metrics[name]
        return "     -" if value is None else f"{100 * value:5.2f}%"

    return (
        f"epoch {metrics['epoch'] + 1:4d} | supervised {metrics['loss_supervised']:.4f} "
        f"| unsupervised {metrics['loss_unsupervised']:.4f} "
        f"| generator {metrics['loss_generator']:.4f} | train error {percent('train_error')} "
        f"| test error averaged {percent('test_error_averaged')} raw {percent('test_error_raw')} "
        f"| {metrics['seconds']:.1f} s" + (" | COLLAPSED" if metrics["collapsed"] else "")
    )


@contextlib.contextmanager
def stop_on_interrupt():
    """Turns the first Ctrl-C into a request to stop; a second one interrupts at once."""
    asked = []

    def handler(signum, frame):
        if asked:
            raise KeyboardInterrupt
        asked.append(signum)
        print(
            "\nCtrl-C: finishing the current call, then saving. Once more to quit at once.",
            file=sys.stderr,
        )

    previous = signal.signal(signal.SIGINT, handler)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, previous)


def execute(config, dataset, run_dir, published, stop_requested):
    """Trains one run and writes its folder.

    Args:
        config: `ExperimentConfig`.
        dataset: `data.Dataset`.
        run_dir: folder to write.
        published: the record that the model and recipe stand for without other flags.
        stop_requested: function without arguments, as `stop_on_interrupt` gives it.

    Returns:
        The content of result.json.

    Raises:
        UserError: the folder cannot be used, or the settings do not fit the data.
        DivergedError: a loss was not finite; the folder is complete up to the last evaluation.
    """
    keras.utils.clear_session()
    differences = differences_from_paper(config, dataset, published)
    run = Run(config, dataset, run_dir, differences)
    begin = time.monotonic()
    print(f"{run.title()} -> {run_dir}", flush=True)
    try:
        status = run.train(stop_requested)
    except DivergedError:
        run.write_result("diverged", time.monotonic() - begin)
        raise
    if status == "interrupted":
        run.evaluate()
        run.save(len(run.history), interrupted=True)
    return run.write_result(status, time.monotonic() - begin)

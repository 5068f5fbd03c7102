"""One run from settings to result: load, initialise, train, evaluate, report.

Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_mnist_feature_matching.py.
"""

import math
import sys
import time

import keras
import numpy as np
from tqdm import tqdm

from improved_gan_tf import (
    checkpointing,
    data,
    distribution,
    evaluation,
    losses,
    networks,
    reporting,
    resuming,
)
from improved_gan_tf.collapse import collapsed_at
from improved_gan_tf.determinism import make_operations_deterministic
from improved_gan_tf.errors import DivergedError, StorageError, UserError, WorkerLostError
from improved_gan_tf.initialization import initialize_from_data
from improved_gan_tf.intervals import Due, parse_interval
from improved_gan_tf.pixels import to_bytes
from improved_gan_tf.progress import Progress
from improved_gan_tf.training import DeviceImages, StepLosses, Trainer

# A call of the training loop is what Ctrl-C waits for. It makes no difference to the numbers.
ITERATIONS_PER_CALL = 50
SECONDS_PER_CALL = 4.0  # where iterations are slow, fewer make a call
SAMPLE_COUNT = 100
INITIALIZATION_IMAGES = 500


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
        "supervised_weight",
        "real_target",
        "generated_target",
        "historical_averaging_weight",
        "historical_averaging_players",
        "generator_normalization",
        "reference_batch_size",
        "averaging_rate",
        "decay_start_epoch",
        "decay_end_epoch",
    ):
        ours, theirs = getattr(config, name), getattr(published, name)
        if ours != theirs:
            differences.append(f"{name}: {ours} instead of {theirs}")
    if config.cross_replica == "local" and distribution.num_replicas() > 1:
        differences.append(
            f"cross_replica: local, {distribution.num_replicas()} replicas with a batch each"
        )
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
    """A run in progress, from its beginning or from the newest checkpoint of its folder.

    Args:
        config: `ExperimentConfig`.
        dataset: `data.Dataset`.
        run_dir: folder to write.
        differences: list of str from `differences_from_paper`.

    Raises:
        UserError: the folder cannot be used, or the settings do not fit the data.
    """

    def __init__(self, config, dataset, run_dir, differences):
        self.config = config
        self.dataset = dataset
        self.differences = differences
        self.subset, self.streams = labeled_subset_and_streams(config, dataset)
        self.spec = networks.EXPERIMENTS[config.dataset, config.model]
        players = self.spec.build(
            config.seed, config.width_multiplier, config.reference_size, config.cross_replica
        )
        # Of several workers the chief writes the folder; the others read its checkpoints.
        self._is_chief = distribution.is_chief()
        # After every check: a mistake must not leave a folder.
        self._refuse_finished(run_dir)
        self.folder = reporting.RunFolder(distribution.own_folder(run_dir), config.overwrite)
        self.progress = Progress()
        self.versions = reporting.versions()
        self.checkpoints = resuming.checkpoints_of(config, run_dir)
        self._checkpoint_due = Due(parse_interval(config.checkpoint_every))
        self._last_checkpoint = None
        self._iterations_per_call, self._called = ITERATIONS_PER_CALL, False
        self._counted = time.monotonic()
        try:
            # Again, now that no other process can change it.
            self._refuse_finished(run_dir)
            self._prepare(players)
            self._restore()
            self.folder.begin(config.to_dict(), self.progress.history)
        except BaseException:
            self.folder.close()
            raise

    def _refuse_finished(self, run_dir):
        if self._is_chief:
            resuming.refuse_finished(resuming.look(self.config, run_dir), run_dir)

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
            supervised_weight=config.supervised_weight,
            real_target=config.real_target,
            generated_target=config.generated_target,
            historical_averaging_weight=config.historical_averaging_weight,
            historical_averaging_players=config.historical_averaging_players,
            averaging_rate=config.averaging_rate,
            supervised_only=config.supervised_only,
            cross_replica=config.cross_replica,
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

    def _restore(self):
        """Goes to where the newest checkpoint was written, if there is one."""
        checkpoint = self.checkpoints.newest()
        distribution.require_same(
            0 if checkpoint is None else Progress.from_dict(checkpoint.header["progress"]).epoch,
            f"every worker must see the checkpoints of the first one: --run_dir={self.folder.path} "
            "must be in a folder that all of them read",
        )
        if checkpoint is None:
            return
        progress = Progress.from_dict(checkpoint.header["progress"])
        reached = progress.epoch + (progress.iteration > 0)
        if reached > self.config.epochs:
            raise UserError(
                f"--epochs={self.config.epochs} is less than the run in {self.folder.path} has "
                f"done: it is in epoch {reached}."
            )
        checkpointing.assign(checkpoint, self.trainer.state())
        self.progress = progress
        self._last_checkpoint = checkpoint.path
        print(
            f"continuing after epoch {progress.epoch}, iteration {progress.iteration} of the next "
            f"({checkpoint.path})"
        )
        resuming.warn_of_other_versions(checkpoint, self.versions)

    def write_checkpoint(self):
        """Writes all that it takes to continue from here.

        Raises:
            StorageError: it could not be written; those before it are whole.
        """
        if not self._is_chief:
            return
        self._count_seconds()
        header = {"versions": self.versions, "config": self.config.to_dict()}
        header["progress"] = self.progress.to_dict()
        values = checkpointing.values(self.trainer.state())
        self._last_checkpoint = self.checkpoints.save(self.trainer.iterations(), header, values)
        self._checkpoint_due.happened()

    def train(self, stop_requested):
        """Runs all epochs that are left, and writes checkpoints on the way.

        Args:
            stop_requested: function without arguments; training stops when it returns True.

        Returns:
            "finished" or "interrupted".

        Raises:
            DivergedError: a loss or a parameter was not finite.
            StorageError: the folder could not be written.
        """
        progress, iterations = self.progress, self.streams.iterations
        bar = tqdm(
            initial=progress.epoch * iterations + progress.iteration,
            total=self.config.epochs * iterations,
            unit="it",
            desc=self.folder.path.name[:40],
            mininterval=0.5 if sys.stderr.isatty() else 30.0,
            dynamic_ncols=True,
            disable=not self._is_chief,
        )
        with bar:
            while progress.epoch < self.config.epochs:
                self._call(bar)
                if progress.iteration == iterations:
                    self._finish_epoch(bar)
                last = progress.epoch == self.config.epochs
                stop = stop_requested()
                where = (progress.epoch, progress.iteration, iterations)
                if stop or last or self._checkpoint_due.now(*where):
                    self.write_checkpoint()
                if stop and not last:
                    bar.write(f"stopping in epoch {progress.epoch + 1}, as asked")
                    return "interrupted"
        return "finished"

    def _call(self, bar):
        """Runs the next iterations of the epoch under way."""
        progress, iterations = self.progress, self.streams.iterations
        start = progress.iteration
        left = self._checkpoint_due.iterations_left(progress.epoch, start, iterations)
        # Workers measure different times and have to run the same iterations.
        stop = start + int(min(distribution.of_chief(self._iterations_per_call), left))
        rows = [r[start:stop] for r in self.streams(progress.epoch)]
        rate = self.config.learning_rate_at(progress.epoch)
        begin = time.monotonic()
        sums, done = self.trainer.train(rows, rate, StepLosses(*progress.sums))
        seconds = time.monotonic() - begin
        bar.update(done)
        progress.iteration += done
        progress.sums = list(sums)
        progress.epoch_seconds += seconds
        self._require_finite(start)
        # The first call traces the graph, too: it says little about those that follow.
        if self._called and seconds > 2 * SECONDS_PER_CALL:
            self._iterations_per_call = max(1, int(done * SECONDS_PER_CALL / seconds))
        self._called = True

    def _require_finite(self, start):
        """Raises `DivergedError` after a call that began behind iteration `start`."""
        progress = self.progress
        sums = StepLosses(*progress.sums)._asdict()
        wrong = [f"{name} loss" for name, value in sums.items() if not math.isfinite(value)]
        when = f"iteration {progress.iteration}"
        if not wrong:
            wrong = self.trainer.not_finite()
            when = f"iteration {start + 1} to {progress.iteration}"
        if wrong:
            names = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if wrong[3:] else "")
            raise DivergedError(
                f"The {names} became NaN or infinite in epoch {progress.epoch + 1}, {when}. "
                f"Training stopped there; {self.kept()}. Try a smaller --learning_rate "
                f"(received {self.config.learning_rate}) or another --seed."
            )

    def kept(self):
        """What the folder holds of the training, for a message."""
        if not self._is_chief:
            return "worker 0 has the run folder"
        models, checkpoint = "no model yet", "no checkpoint"
        if self.progress.saved_epochs is not None:
            models = f"the models of epoch {self.progress.saved_epochs}"
        if self._last_checkpoint is not None:
            checkpoint = f"the checkpoint {self._last_checkpoint.name}"
        return f"{self.folder.path} keeps {models} and {checkpoint}"

    def _finish_epoch(self, bar):
        config, progress = self.config, self.progress
        epoch = progress.epoch
        metrics = {"epoch": epoch, "learning_rate": config.learning_rate_at(epoch)}
        for name, value in zip(StepLosses._fields, progress.sums, strict=True):
            mean = value / self.streams.iterations
            metrics[name if name == "train_error" else f"loss_{name}"] = mean
        metrics |= {"test_error_averaged": None, "test_error_raw": None}
        evaluate = (epoch + 1) % config.evaluate_every == 0 or epoch + 1 == config.epochs
        if evaluate:
            self.evaluate()
            metrics |= self.test_errors()
        metrics["seconds"] = progress.epoch_seconds
        progress.begin_epoch(metrics)
        metrics["collapsed"] = self.collapsed_at_epoch() is not None
        self.folder.append_metrics(metrics)
        if evaluate:
            self.save()
        bar.write(epoch_line(metrics))

    def collapsed_at_epoch(self):
        """The epoch in which the discriminator had won, or None; see `collapse.collapsed_at`."""
        config = self.config
        if config.supervised_only:  # without an unsupervised loss there is no game to lose
            return None
        # What label smoothing adds to the loss, however well the discriminator does.
        floor = losses.smallest_unsupervised_loss(config.real_target, config.generated_target)
        return collapsed_at([m["loss_unsupervised"] - floor for m in self.progress.history])

    def evaluate(self):
        """Scores every test image, with averaged and with raw parameters."""
        self.logits = {"raw": self.raw_predictor.logits()}
        if self.trainer.average is not None:
            self.trainer.copy_average_to(self.averaged_discriminator)
            self.logits["averaged"] = self.averaged_predictor.logits()
        labels = self.dataset.test_labels
        for kind, logits in self.logits.items():
            self.progress.test_wrong[kind] = evaluation.wrong_count(logits, labels)

    def test_errors(self):
        """`{"test_error_averaged": fraction or None, "test_error_raw": ...}` last measured."""
        count = len(self.dataset.test_labels)
        return {
            f"test_error_{kind}": None if wrong is None else wrong / count
            for kind, wrong in self.progress.test_wrong.items()
        }

    def save(self, interrupted=False):
        """Writes models, predictions, samples and curves of the present state.

        Args:
            interrupted: bool, whether the next epoch had begun.
        """
        progress = self.progress
        averaged = self.trainer.average is not None
        tested = self.averaged_discriminator if averaged else self.trainer.discriminator
        models = {"discriminator": tested, "discriminator_raw": self.trainer.discriminator}
        predictions = {f"logits_{kind}": logits for kind, logits in self.logits.items()}
        predictions["labels"] = self.dataset.test_labels
        if not self.config.supervised_only:
            models["generator"] = self.trainer.generator
            self.folder.write_samples(self.sample_images(), progress.epoch, interrupted)
        self.folder.write_models(models)
        self.folder.write_predictions(**predictions)
        if progress.history:
            self.folder.write_curves(progress.history, self.title())
        progress.saved_epochs = progress.epoch
        progress.saved_iterations = self.trainer.iterations()

    def sample_images(self):
        """The same 100 points of the noise as images, uint8 (100, H, W, C)."""
        images = self.trainer.generator(self.sample_noise.astype("float32"), training=False)
        return to_bytes(images, self.config.pixels)

    def title(self):
        """What the run is, in one line, with a word about the data where it is not the paper's."""
        config = self.config
        kind = "supervised only" if config.supervised_only else config.ablation or config.model
        return f"{self.dataset.description}, {kind}, {10 * self.config.labels_per_class} labels"

    def write_result(self, status):
        """Writes result.json and returns its content.

        Args:
            status: "finished", "interrupted" or "diverged".
        """
        progress = self.progress
        self._count_seconds()
        result = {
            "status": status,
            "title": self.title(),
            "differences_from_paper": self.differences,
            "config": self.config.to_dict(),
            "final": {
                "epochs": progress.epoch,
                "models_of_epoch": progress.saved_epochs,
                "models_of_iteration": progress.saved_iterations,
                "test_count": len(self.dataset.test_labels),
                "test_wrong_averaged": progress.test_wrong["averaged"],
                "test_wrong_raw": progress.test_wrong["raw"],
                "average_weight": self.trainer.average_weight(),
                "collapsed_at_epoch": self.collapsed_at_epoch(),
                "metrics": progress.history[-1] if progress.history else None,
            },
            "versions": self.versions,
            "wall_seconds": progress.seconds,
        }
        self.folder.write_json("result.json", result)
        return result

    def _count_seconds(self):
        """Adds the time since it was last called to the run's."""
        now = time.monotonic()
        self.progress.seconds += now - self._counted
        self._counted = now


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


def execute(config, dataset, run_dir, published, stop_requested):
    """Trains one run and writes its folder.

    Args:
        config: `ExperimentConfig`.
        dataset: `data.Dataset`.
        run_dir: folder to write.
        published: the record that the model and recipe stand for without other flags.
        stop_requested: function without arguments, like `interruption.StopRequest`.

    Returns:
        The content of result.json.

    Raises:
        UserError: the folder cannot be used, or the settings do not fit the data.
        DivergedError: a number was not finite; the folder is complete up to the last evaluation.
        StorageError: the folder could not be written; the last checkpoint in it is whole.
        WorkerLostError: another worker of the run has ended; the last checkpoint is whole.
    """
    make_operations_deterministic()
    keras.utils.clear_session()
    with distribution.scope():
        return _execute(config, dataset, run_dir, published, stop_requested)


def _execute(config, dataset, run_dir, published, stop_requested):
    differences = differences_from_paper(config, dataset, published)
    run = Run(config, dataset, run_dir, differences)
    print(f"{run.title()} -> {run_dir}", flush=True)
    try:
        with distribution.lost_workers():
            status = run.train(stop_requested)
        if status == "interrupted":
            run.evaluate()
            run.save(interrupted=True)
        return run.write_result(status)
    except DivergedError:
        run.write_result("diverged")
        raise
    except WorkerLostError as error:
        raise WorkerLostError(
            f"{error} Training stopped in epoch {run.progress.epoch + 1}; {run.kept()}."
        ) from error
    except StorageError as error:
        raise StorageError(
            f"{error} Training stopped in epoch {run.progress.epoch + 1}; {run.kept()}. Make room "
            "or mend the folder, then give the same command again to continue."
        ) from error
    finally:
        run.folder.close()

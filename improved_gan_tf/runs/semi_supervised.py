"""The semi-supervised game: what is trained on which images, measured and saved.

Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_mnist_feature_matching.py.
"""

from improved_gan_tf import distribution, losses, networks, streams
from improved_gan_tf.data import epoch_rows
from improved_gan_tf.data.device_images import DeviceImages
from improved_gan_tf.data.known_sets import num_labels_of
from improved_gan_tf.data.pixels import to_bytes
from improved_gan_tf.errors import UserError
from improved_gan_tf.layers.data_dependent import initialize_from_data
from improved_gan_tf.runs.data_digest import data_circumstances
from improved_gan_tf.runs.epoch_table import Column
from improved_gan_tf.runs.execution import run_to_the_end
from improved_gan_tf.runs.frozen_generator import frozen_generator
from improved_gan_tf.runs.game import Evaluation
from improved_gan_tf.runs.health import Closeness, collapsed_at, is_collapsed, recovered_at
from improved_gan_tf.runs.training_run import TrainingRun
from improved_gan_tf.settings.every_run import differences_from_published
from improved_gan_tf.settings.images import DENSE, IMAGES
from improved_gan_tf.settings.setting import Decides
from improved_gan_tf.training import evaluation
from improved_gan_tf.training.semi_supervised import Trainer

SAMPLE_COUNT = 100
INITIALIZATION_IMAGES = 500


def differences_from_paper(config, dataset, published):
    """What keeps a run's number out of the paper's column, as short texts.

    `published` is the record of the model and recipe without other flags.
    """
    differences = []
    if not dataset.is_papers:
        differences.append(f"data: {dataset.description}")
    roles = [Decides.NUMBERS, Decides.LENGTH]
    if not config.supervised_only:
        roles.append(Decides.GAME)
    if config.dataset != IMAGES:  # whose settings follow from the images; there is no paper's value
        differences += differences_from_published(config, published, *roles)
    if config.cross_replica == "local" and distribution.num_replicas() > 1:
        differences.append(
            f"cross_replica: local, {distribution.num_replicas()} replicas with a batch each"
        )
    if config.supervised_only:
        differences.append("a supervised-only baseline, which the paper does not report")
    return differences


def spec_of(config):
    """The `networks.NetworkSpec` of a run."""
    if config.dataset == IMAGES:
        shape, num_classes = config.image_shape, len(config.class_names)
        dense = config.network == DENSE
        return networks.own_images_spec(shape, num_classes, config.model, dense)
    return networks.spec_of(config.dataset, config.model)


def labeled_subset_and_streams(config, dataset):
    """`(LabeledSubset, EpochStreams)`, as `config` decides them.

    Raises:
        UserError: the settings do not fit the data.
    """
    subset = epoch_rows.choose_labeled_subset(
        dataset.train_labels,
        config.labels_per_class,
        config.seed,
        config.seed_data,
        dataset.class_names,
    )
    streams = epoch_rows.EpochStreams(
        len(dataset.train_labels),
        subset.labeled,
        config.batch_size,
        config.seed,
        generator_sees_real=config.model == "feature_matching",
        labels_from_seed=config.seed_data is None,
    )
    return subset, streams


def sample_noise(seed):
    """The fixed noise whose images a run shows and watches, float32 (100, 100)."""
    return (
        streams.shown_noise(seed).uniform(size=(SAMPLE_COUNT, networks.NOISE_DIM)).astype("float32")
    )


def measure_closeness(discriminator, test, generated):
    """The `Closeness` of 100 test images, of mixed classes, and of generated ones (100, H, W, C).

    With fewer test images, of as many generated ones: it is a sum over a batch. The discriminator
    has minibatch discrimination and raw parameters.
    """
    real = test.images(test.mixed_rows[:SAMPLE_COUNT])
    return Closeness(
        *(evaluation.mean_closeness(discriminator, x) for x in (real, generated[: len(real)]))
    )


def initialization_rows(config, subset, streams):
    """The rows for the discriminator's data-dependent initialisation, (500,)."""
    rows = subset.order
    if config.initialization_images == "labeled_stream":
        rows = streams(0).labeled.ravel()
    return rows[:INITIALIZATION_IMAGES]


class SemiSupervisedGame:
    """A `runs.game.Game`: two players, few labels, a test set.

    Args:
        config: `ExperimentConfig`.
        dataset: `data.datasets.Dataset`.

    Raises:
        UserError: the settings do not fit the data.
    """

    def __init__(self, config, dataset):
        self.config, self.dataset = config, dataset
        self.subset, self.epochs = labeled_subset_and_streams(config, dataset)
        self._data_circumstances = data_circumstances(dataset)
        self.spec = spec_of(config)
        # Batches of the size that one call of the discriminator is trained on.
        coupled_batch = config.batch_size // self._local_batches()
        self.coupled_batch = coupled_batch if self.spec.couples_examples else None
        self._require_full_test_batch()
        self.watches_closeness = self.spec.couples_examples and not config.supervised_only
        self.players = self.spec.build(
            config.seed, config.width_multiplier, config.reference_size, config.cross_replica
        )

    def _require_full_test_batch(self):
        count = len(self.dataset.test_labels)
        if self.coupled_batch is not None and count < self.coupled_batch:
            raise UserError(
                "With minibatch discrimination an image's logits depend on its batch, so there "
                f"must be a batch of test images. Received: {count} test images, batches of "
                f"{self.coupled_batch}. Add test images, or give a smaller `batch_size`."
            )

    def prepare(self):
        """Puts the data on the device, initialises the networks from it, makes the trainer."""
        config, players = self.config, self.players
        train = DeviceImages(self.dataset.train_images, self.dataset.train_labels, config.pixels)
        self.test = DeviceImages(self.dataset.test_images, self.dataset.test_labels, config.pixels)
        # Once: scales and biases from 500 training images.
        rows = initialization_rows(config, self.subset, self.epochs)
        initialize_from_data(players.discriminator, train.images(rows))
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
        # Holds the averaged parameters whenever they are tested or saved.
        self.averaged_discriminator = self.spec.discriminator(config.seed, config.width_multiplier)
        self.raw_predictor, self.averaged_predictor = (
            evaluation.Predictor(discriminator, self.test, self.coupled_batch)
            for discriminator in (players.discriminator, self.averaged_discriminator)
        )
        self.sample_noise = sample_noise(config.seed)

    def circumstances(self):
        """Those of the data set, and the number of local batches."""
        return {**self._data_circumstances, "local batches": self._local_batches()}

    def _local_batches(self):
        """The number of local batches in a batch."""
        return distribution.num_replicas() if self.config.cross_replica == "local" else 1

    # --- what is measured ------------------------------------------------------------------

    def evaluate(self):
        """Scores every test image, with averaged and with raw parameters.

        Returns:
            `Evaluation`: misclassified test images of either kind (None for averages that are not
            kept), with minibatch discrimination the mean closeness of 100 real and 100
            generated images; logits and labels.
        """
        logits = {"raw": self.raw_predictor.logits()}
        if self.trainer.average is not None:
            self.trainer.copy_average_to(self.averaged_discriminator)
            logits["averaged"] = self.averaged_predictor.logits()
        labels = self.dataset.test_labels
        wrong = {kind: evaluation.wrong_count(x, labels) for kind, x in logits.items()}
        closeness = None
        if self.watches_closeness:
            closeness = list(
                measure_closeness(self.trainer.discriminator, self.test, self.generated_images())
            )
        return Evaluation(
            {"test_wrong": {"averaged": None, **wrong}, "closeness": closeness},
            {**{f"logits_{kind}": x for kind, x in logits.items()}, "labels": labels},
        )

    def measured(self, history, numbers):
        """The epoch's test errors, None if not measured, and whether the run is collapsed.

        With minibatch discrimination also the mean closeness of 100 real and 100 generated images.
        """
        count = len(self.dataset.test_labels)
        metrics = {
            f"test_error_{kind}": None if wrong is None else wrong / count
            for kind, wrong in _test_wrong(numbers).items()
        }
        if self.watches_closeness:
            found = numbers["closeness"] if numbers else [None] * len(Closeness._fields)
            for kind, value in zip(Closeness._fields, found, strict=True):
                metrics[f"closeness_{kind}"] = value
        return {**metrics, "collapsed": is_collapsed(self._unsupervised_losses(history))}

    def collapsed_at_epoch(self, history):
        """The epoch in which the discriminator won, or None; see `health.collapsed_at`."""
        return collapsed_at(self._unsupervised_losses(history))

    def _unsupervised_losses(self, history):
        """Each epoch's, without what label smoothing adds to the loss of any discriminator.

        There is none in a baseline, which plays no game.
        """
        if self.config.supervised_only:
            return []
        targets = self.config.real_target, self.config.generated_target
        floor = losses.smallest_unsupervised_loss(*targets)
        return [m["loss_unsupervised"] - floor for m in history]

    def final(self, history, numbers):
        """The last evaluation's part of result.json."""
        wrong, closeness = _test_wrong(numbers), numbers.get("closeness")
        return {
            "test_count": len(self.dataset.test_labels),
            "test_batch": self.coupled_batch,
            "test_wrong_averaged": wrong["averaged"],
            "test_wrong_raw": wrong["raw"],
            "average_weight": self.trainer.average_weight(),
            "collapsed_at_epoch": self.collapsed_at_epoch(history),
            "recovered_at_epoch": recovered_at(self._unsupervised_losses(history)),
            "closeness": None if closeness is None else Closeness(*closeness)._asdict(),
        }

    # --- what is saved ---------------------------------------------------------------------

    def models(self):
        """The discriminator as tested, with its raw parameters, and the generator.

        A generator that normalises by the batch is saved a second time, with frozen statistics.
        """
        averaged = self.trainer.average is not None
        tested = self.averaged_discriminator if averaged else self.trainer.discriminator
        models = {"discriminator": tested, "discriminator_raw": self.trainer.discriminator}
        if not self.config.supervised_only:
            generator, config = self.trainer.generator, self.config
            models["generator"] = generator
            if config.generator_normalization == "batch":
                models["generator_frozen"] = frozen_generator(
                    generator, config.seed, config.batch_size
                )
        return models

    def generated_images(self):
        """Images of 100 fixed points of the noise in the discriminator's range, (100, H, W, C)."""
        return self.trainer.generator(self.sample_noise, training=False)

    def sample_images(self):
        """The same images as uint8 (100, H, W, C); None for a baseline."""
        if self.config.supervised_only:
            return None
        return to_bytes(self.generated_images(), self.config.pixels)

    def more_pictures(self):
        """None."""
        return {}

    # --- what is shown ---------------------------------------------------------------------

    def title(self):
        """The data set, with a note where it is not the paper's, the game and the labels."""
        config = self.config
        kind = "supervised only" if config.supervised_only else config.ablation or config.model
        labels = f"{num_labels_of(vars(config))} labels"
        if config.supervised_weight == 0:
            labels = "trained without labels: its test errors mean nothing"
        return f"{self.dataset.description}, {kind}, {labels}"

    def columns(self):
        """Losses, training error, and test errors of the parameters that are kept."""
        names = ["supervised"]
        if not self.config.supervised_only:
            names += ["unsupervised", "generator"]
        kinds = ["averaged", "raw"] if self.config.averaging_rate else ["raw"]
        tests = [
            Column(f"test, {kind}", "error", f"test_error_{kind}", is_error=True, with_best=True)
            for kind in kinds
        ]
        return [
            *(Column("loss", name, f"loss_{name}") for name in names),
            Column("train", "error", "train_error", is_error=True),
            *tests,
        ]

    def remarks(self, metrics):
        """Whether the run collapsed, or minibatch discrimination is silent."""
        remarks = ["COLLAPSED"] if metrics["collapsed"] else []
        closeness = [metrics.get(f"closeness_{kind}") for kind in Closeness._fields]
        if None not in closeness and Closeness(*closeness).silent:
            remarks.append("MINIBATCH DISCRIMINATION SILENT")
        return remarks


def _test_wrong(numbers):
    """Misclassified test images of either kind of parameters; None if not counted."""
    return numbers["test_wrong"] if numbers else {"averaged": None, "raw": None}


def execute(config, dataset, run_dir, published, stop_requested):
    """Trains one run and writes its folder; returns, raises: as `execution.run_to_the_end`.

    `published` is the record of the model and recipe without other flags.
    """

    def make_run():
        differences = differences_from_paper(config, dataset, published)
        return TrainingRun(config, SemiSupervisedGame(config, dataset), run_dir, differences)

    return run_to_the_end(config, make_run, stop_requested)

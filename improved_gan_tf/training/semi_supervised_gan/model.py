"""`SemiSupervisedGAN`: few labels, many images, `compile` and `fit`.

Paper:    Salimans et al. (2016), Sec. 3, 5.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*.py.
"""

from types import SimpleNamespace

import keras

from improved_gan_tf import streams
from improved_gan_tf.precision import input_dtype
from improved_gan_tf.training.layer_state import add_state
from improved_gan_tf.training.semi_supervised_gan import players
from improved_gan_tf.training.semi_supervised_gan.arguments import check_arguments
from improved_gan_tf.training.semi_supervised_gan.batches import Expected
from improved_gan_tf.training.semi_supervised_gan.fitting import Fitting
from improved_gan_tf.training.semi_supervised_gan.measures import StepMeans, test_metrics
from improved_gan_tf.training.semi_supervised_gan.optimizers import optimizers_of, ratio_of_rates
from improved_gan_tf.training.semi_supervised_gan.saving import Saving
from improved_gan_tf.training.semi_supervised_gan.testing import Testing


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class SemiSupervisedGAN(Fitting, Testing, Saving, keras.Model):
    """A classifier of K classes, trained on few labeled and many unlabeled images.

    A generator is trained against the classifier, the discriminator of Sec. 5, by the step of the
    run scripts (`training.semi_supervised.Trainer`). TensorFlow backend only.

        gan = SemiSupervisedGAN(discriminator, generator)
        gan.compile(learning_rate=3e-4)
        gan.fit(labeled=(x_few, y_few), unlabeled=x_many, epochs=50)
        gan.predict(x_new)

    What is tested, predicted and handed out as `classifier` has the average of the discriminator's
    parameters. Unlike the scripts', which starts at zero and needs thousands of steps, it is
    divided by the weight that it has gathered, `1 - (1 - averaging_rate)^steps`.

    Args:
        discriminator: functional or Sequential model from images (N, H, W, C) to logits (N, K),
            without a softmax; or to `{"logits": .., "features": ..}`, as those of
            `improved_gan_tf.networks` are.
        generator: functional or Sequential model from noise U[0, 1), (N, Z), to images (N, H, W, C)
            in the range of the real ones.
        feature_layer: str, the discriminator's layer whose means feature matching compares; None
            for its output or layer "features".
        generator_objective: "feature_matching_l1", "feature_matching_l2" (Sec. 3.1), or
            "saturating", which goes with minibatch discrimination (Sec. 3.2).
        generator_steps: int >= 1, generator steps after each discriminator step; None for the
            original's, 1 with feature matching and 3 with "saturating".
        unlabeled_weight: float >= 0, factor of the unsupervised loss.
        supervised_weight: float >= 0, factor of the supervised loss.
        real_target: float in (0.5, 1], target for real images; below 1 is one-sided label
            smoothing (Sec. 3.4).
        generated_target: float in [0, 0.5), target for generated images.
        historical_averaging_weight: float >= 0, factor of historical averaging (Sec. 3.3).
        historical_averaging_players: "both", "discriminator" or "generator".
        averaging_rate: float in [0, 1], rate of the parameter average; 0 keeps none.
        supervised_only: bool, whether the discriminator is trained on the labels alone: the
            baseline that says what the unlabeled images are good for.
        initialize_discriminator: bool, whether scales and biases of the discriminator are
            initialised from data before the first step; False for one that has been trained.
        initialize_generator: bool, whether those of the generator are; None for what the original
            does: not where it ends in a sigmoid (MNIST).
        couples_examples: True if a layer of your own makes an image's logits depend on the rest of
            its batch: each minibatch then passes by itself, and tests take full ones. None
            (default) for what is known of the layers of Keras and of this package.
        cross_replica: "global" or "local", the batch of feature matching on several devices.
        seed: int >= 0, decides the order of the images and the generator's noise.
        name: str.

    Raises:
        RuntimeError: Keras's backend is not TensorFlow.
        ValueError: an argument is out of its range, or the models do not fit the game.

    Attributes:
        discriminator, generator: the models given, with the parameters of the last step.
        average: `ParameterAverage` or None.
    """

    def __init__(
        self,
        discriminator,
        generator,
        feature_layer=None,
        *,
        generator_objective="feature_matching_l1",
        generator_steps=None,
        unlabeled_weight=1.0,
        supervised_weight=1.0,
        real_target=1.0,
        generated_target=0.0,
        historical_averaging_weight=0.0,
        historical_averaging_players="both",
        averaging_rate=1e-4,
        supervised_only=False,
        initialize_discriminator=True,
        initialize_generator=None,
        couples_examples=None,
        cross_replica="global",
        seed=1,
        name="semi_supervised_gan",
    ):
        if keras.backend.backend() != "tensorflow":
            raise RuntimeError(
                "SemiSupervisedGAN needs Keras's TensorFlow backend: KERAS_BACKEND=tensorflow. "
                f"Received: backend {keras.backend.backend()}"
            )
        from improved_gan_tf import networks
        from improved_gan_tf.training.semi_supervised import Trainer

        settings = {
            "generator_objective": generator_objective,
            "generator_steps": generator_steps,
            "unlabeled_weight": unlabeled_weight,
            "supervised_weight": supervised_weight,
            "real_target": real_target,
            "generated_target": generated_target,
            "historical_averaging_weight": historical_averaging_weight,
            "historical_averaging_players": historical_averaging_players,
            "averaging_rate": averaging_rate,
            "supervised_only": supervised_only,
            "cross_replica": cross_replica,
            "seed": seed,
        }
        check_arguments(**settings)
        if generator_steps is None:
            generator_steps = 3 if generator_objective == "saturating" else 1
        # Keras takes no NumPy integer for a seed.
        settings |= {"generator_steps": int(generator_steps), "seed": int(seed)}
        super().__init__(name=name)
        self.discriminator, self.generator = discriminator, generator
        self.feature_layer, self.couples_examples = feature_layer, couples_examples
        matches_features = generator_objective != "saturating"
        read = players.discriminator_of(
            discriminator, feature_layer, matches_features, couples_examples
        )
        image_shape = tuple(discriminator.inputs[0].shape[1:])
        players.check_generator(generator, image_shape)
        players.check_random_layers(discriminator, generator)
        self._settings = settings
        pixel_range = players.image_range(generator)
        if initialize_generator is None:
            initialize_generator = pixel_range != players.RANGES["sigmoid"]
        self.initialize_discriminator = bool(initialize_discriminator)
        self.initialize_generator = bool(initialize_generator)
        self._expected = Expected(
            image_shape,
            pixel_range,
            read.outputs.output["logits"].shape[1],
            matches_features,
            supervised_only,
            input_dtype(discriminator),
        )
        self._couples_predictions = read.couples_predictions
        pair = networks.Networks(generator, read.outputs, read.couples_examples)
        self._game = Trainer(pair, None, **settings)
        # What the game remembers is saved with this model.
        self.average = self._game.average
        self.discriminator_history = self._game.discriminator_history
        self.generator_history = self._game.generator_history
        add_state(self, "steps", (), "int")
        add_state(self, "averaged_steps", (), "int")  # those that float16 did not undo
        add_state(self, "batch_size", (), "int")  # that of the last `fit`; 0 before the first
        add_state(self, "passes", (5,), "int")  # `Passes`
        self._shown_noise = streams.shown_noise(settings["seed"])
        self.built = True

    def compile(
        self,
        learning_rate=None,
        *,
        discriminator_optimizer=None,
        generator_optimizer=None,
        metrics=None,
        jit_compile=False,
        run_eagerly=False,
        steps_per_execution=1,
    ):
        """Sets the optimizers: the original's Adam, or two of your own.

        Callbacks that set the learning rate set the discriminator's (`model.optimizer`); before the
        next step the generator's follows, by the factor in which they were compiled.

        Args:
            learning_rate: float > 0 or Keras schedule, for both players; None for 3e-4.
            discriminator_optimizer: Keras optimizer or its name, in place of `learning_rate`.
            generator_optimizer: another one for the generator.
            metrics: list of Keras metrics of labels (N,) and logits (N, K), for `evaluate`, which
                has "loss" (cross-entropy, nats) and "accuracy" without them.
            jit_compile: bool, whether XLA compiles the step. It draws other random numbers.
            run_eagerly: bool.
            steps_per_execution: int >= 1.

        Raises:
            ValueError: only one optimizer is given, one for both players, or a learning rate too;
                or an optimizer scales the loss.
        """
        optimizers = optimizers_of(learning_rate, discriminator_optimizer, generator_optimizer)
        tested = test_metrics(metrics)
        self._means = StepMeans(self._settings["supervised_only"])
        super().compile(
            optimizer=optimizers.discriminator,
            weighted_metrics=tested,
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            auto_scale_loss=False,
        )
        self._test_names = [metric.name for metric in tested]
        logits = self._game.discriminator.output["logits"]
        super().metrics[1].build(keras.KerasTensor((None,), "int32"), logits)
        self.generator_optimizer = optimizers.generator
        self._optimizers = SimpleNamespace(both=optimizers, ratio=ratio_of_rates(optimizers))
        self._game.use_optimizers(**optimizers._asdict())
        # A namespace: Keras would count metrics in a dict as the model's own.
        self._compile_arguments = SimpleNamespace(
            metrics=metrics,
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
        )

    @property
    def metrics(self):
        """The Keras metrics of training and of `evaluate`."""
        # Of Keras's, those of `compile` and of layers; the first, its mean loss, is not used.
        return [*self._means.metrics, *super().metrics[1:]] if self.compiled else []

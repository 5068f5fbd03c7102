"""How a `SemiSupervisedGAN` is trained: `fit`, its epochs and one step."""

import keras
from keras import ops

from improved_gan_tf.training.layer_state import state_variable
from improved_gan_tf.training.semi_supervised_gan.arguments import is_whole
from improved_gan_tf.training.semi_supervised_gan.batches import (
    DEFAULT_BATCH,
    ArrayBatches,
    Passes,
    passes_from,
)
from improved_gan_tf.training.semi_supervised_gan.initialization import initialize_players
from improved_gan_tf.training.semi_supervised_gan.optimizers import keep_ratio
from improved_gan_tf.training.semi_supervised_gan.pipelines import PipelineBatches, is_pipeline

INITIALIZATION_IMAGES = 500


class Fitting:
    """Methods of `SemiSupervisedGAN`, which holds the state that they change."""

    def fit(
        self,
        labeled=None,
        unlabeled=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_data=None,
        *,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
        repeat_labels=False,
    ):
        """Trains both players; the first time scales and biases are initialised from images.

        An epoch is one pass over the unlabeled images, in full batches; the labeled ones are
        repeated as often as needed. Each step takes a batch of both, and feature matching another
        one of unlabeled images for the generator. A pass that `steps_per_epoch` cuts goes on in the
        next epoch or `fit`; with other numbers of images or batches a new one begins.

        Args:
            labeled: `(images, labels)`, arrays (L, H, W, C) and integers (L,) or (L, 1) in [0, K);
                or a `tf.data.Dataset` of such batches.
            unlabeled: array (N, H, W, C), the labeled images among them or not; or a
                `tf.data.Dataset` of batches of images. None with `supervised_only` alone.
            batch_size: int, images of each kind in a step, on all devices together; None for 100.
                A `tf.data.Dataset` has its own.
            epochs: int.
            verbose: "auto", 0, 1 (progress bar) or 2 (a line an epoch).
            callbacks: list of `keras.callbacks.Callback`.
            validation_data: `(images, labels)` or a `tf.data.Dataset`, for "val_loss" and
                "val_accuracy" of the averaged parameters.
            steps_per_epoch: int, steps that count as an epoch instead.
            initial_epoch: int, the number at which the epochs' count starts, for callbacks.
            validation_steps: int, batches of a validation data set.
            validation_batch_size: int; None for `batch_size`.
            validation_freq: int, epochs from one validation to the next.
            repeat_labels: bool, whether there may be fewer labeled images than a batch holds.

        Returns:
            `keras.callbacks.History`, with means over each epoch of "supervised_loss",
            "unsupervised_loss", "generator_loss" and, on the labeled images, "accuracy".

        Raises:
            ValueError: the model is not compiled, or the data do not fit: before anything is
                trained.
        """
        if not self.compiled:
            raise ValueError("`fit` needs a compiled model: call `compile` first.")
        for name, number in (("batch_size", batch_size), ("steps_per_epoch", steps_per_epoch)):
            if number is not None and not is_whole(number, 1):
                raise ValueError(
                    f"`{name}` must be a whole number of 1 or more. Received: {name}={number}"
                )
        batches = self._batches(labeled, unlabeled, batch_size, steps_per_epoch, repeat_labels)
        size, replicas = batches.batch_size, self.distribute_strategy.num_replicas_in_sync
        if size % replicas:
            raise ValueError(
                "A batch is shared in equal parts by the devices: its size must be a multiple of "
                f"their number. Received: batch_size={size} on {replicas} devices"
            )
        test_batch = validation_batch_size or size
        validation_data = self._checked_test_set(validation_data, "validation_data", test_batch)
        if self._steps_made() == 0:
            images = batches.initialization_images(INITIALIZATION_IMAGES)
            asked = (self.initialize_discriminator, self.initialize_generator)
            done = initialize_players(self._game, images, size, *asked)
            if done and verbose:
                print(done)
        if int(ops.convert_to_numpy(self.batch_size)) != size:
            self.train_function = None  # else Keras's graph becomes one of any batch size
        self.batch_size.assign(size)

        def follow_rate(batch=None, logs=None):
            keep_ratio(self._optimizers.both, self._optimizers.ratio)

        def begin_epoch(epoch, logs):
            # Read now: `BackupAndRestore` may have put back those of an earlier moment.
            passes = Passes(*ops.convert_to_numpy(self.passes).tolist())
            passes = passes_from(passes, self._steps_made(), batches.kind_of_pass)
            self.passes.assign(passes)
            batches.begin_epoch(passes, self._steps_made())
            follow_rate()

        # Behind the others: after a callback has set a rate.
        own = keras.callbacks.LambdaCallback(
            on_epoch_begin=begin_epoch, on_train_batch_begin=follow_rate
        )
        history = super().fit(
            batches.dataset(),
            shuffle=False,  # the data set has shuffled
            epochs=epochs,
            verbose=verbose,
            callbacks=[*keras.tree.flatten(callbacks or []), own],
            validation_data=validation_data,
            initial_epoch=initial_epoch,
            steps_per_epoch=batches.steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=test_batch,
            validation_freq=validation_freq,
        )
        # As Keras does with the optimizer that it knows: `use_ema` sets the averages in the end.
        self.generator_optimizer.finalize_variable_values(self.generator.trainable_variables)
        return history

    def train_on_batch(self, *args, **kwargs):
        """Raises `NotImplementedError`: a step takes several batches, which `fit` puts together."""
        raise NotImplementedError(
            "`train_on_batch` has no meaning here: a step of the game takes labeled and unlabeled "
            "images together, whose batches `fit` makes. Call `fit`; steps_per_epoch=1 makes one "
            "step."
        )

    def train_step(self, data):
        """One step of the game, Keras's hook: a batch from `ArrayBatches` or `PipelineBatches`."""
        from improved_gan_tf.data.device_images import Batch

        labeled, labels, *unlabeled = data
        for_both = (unlabeled[0], unlabeled[-1]) if unlabeled else (None, None)
        scale = self._game.discriminator_loss_scale
        before = scale.value()
        losses = self._game.one_iteration(Batch(labeled, labels, *for_both))
        state_variable(self, "steps").assign_add(1)
        averaged_steps = state_variable(self, "averaged_steps")
        # A step that was undone has halved the scale, and the average knows nothing of it.
        averaged_steps.assign_add(ops.cast(scale.value() >= before, averaged_steps.dtype))
        return self._means.add(losses)

    def _steps_made(self):
        return int(ops.convert_to_numpy(self.steps))

    def _batches(self, labeled, unlabeled, batch_size, steps, repeat_labels):
        common = {"steps": steps, "expected": self._expected}
        if is_pipeline(labeled) or is_pipeline(unlabeled):
            if batch_size is not None:
                raise ValueError(
                    "A tf.data.Dataset has batches of its own: leave `batch_size` out. Received: "
                    f"batch_size={batch_size}"
                )
            return PipelineBatches(labeled, unlabeled, **common)
        return ArrayBatches(
            labeled,
            unlabeled,
            batch_size=batch_size or DEFAULT_BATCH,
            seed=self._settings["seed"],
            repeat_labels=repeat_labels,
            **common,
        )

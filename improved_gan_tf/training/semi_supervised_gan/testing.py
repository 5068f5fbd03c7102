"""What a `SemiSupervisedGAN` does with its averaged parameters: test, predict, hand out."""

import keras
import numpy as np
from keras import ops

from improved_gan_tf import streams
from improved_gan_tf.data.mixed_order import mixed_order
from improved_gan_tf.precision import input_dtype
from improved_gan_tf.training.semi_supervised_gan import checks
from improved_gan_tf.training.semi_supervised_gan.arguments import is_whole
from improved_gan_tf.training.semi_supervised_gan.averaged import averaged_copy, averaged_values
from improved_gan_tf.training.semi_supervised_gan.batches import DEFAULT_BATCH
from improved_gan_tf.training.semi_supervised_gan.full_batches import (
    predict_in_full_batches,
    require_full_batch,
)
from improved_gan_tf.training.semi_supervised_gan.pipelines import check_test_pipeline, is_pipeline


class Testing:
    """Methods of `SemiSupervisedGAN`, which holds the state that they read."""

    def call(self, images, training=False):
        """Logits (N, K) of the averaged discriminator in inference mode."""
        outputs = self._game.discriminator
        if self.average is None:
            return outputs(images, training=False)["logits"]
        averaged = averaged_values(self.average, ops.convert_to_tensor(self.averaged_steps))
        # A layer may have been frozen since, so that its averages count as fixed.
        tested, fixed = (
            [averaged[id(v)] if id(v) in averaged else ops.convert_to_tensor(v) for v in variables]
            for variables in (outputs.trainable_variables, outputs.non_trainable_variables)
        )
        found, _ = outputs.stateless_call(tested, fixed, images, training=False)
        return found["logits"]

    def evaluate(
        self, x=None, y=None, batch_size=None, verbose="auto", *, return_dict=False, **kwargs
    ):
        """Keras's, with "loss" (cross-entropy, nats) and "accuracy" of the averaged parameters.

        With minibatch discrimination arrays are evaluated in batches of the size of training; if
        they lie sorted by class, in an order that mixes the classes (D8). Callbacks hear of its
        beginning and its end.
        """
        if is_pipeline(x):
            self._check_pipeline(x, "x", has_labels=True)
        elif isinstance(x, keras.utils.PyDataset):
            self._check_py_dataset(x, "x", has_labels=True)
        elif y is not None or isinstance(x, list | tuple) or hasattr(x, "shape"):
            x, y = self._checked_test_set((x, y), "x, y")
        else:  # a generator or the like, whose batches can be read only once
            self._require_uncoupled(x, "x")
        if y is not None and self._couples_predictions:
            names = ("sample_weight", "steps", "callbacks")
            results = self._evaluate_in_full_batches(
                x, y, batch_size, *(kwargs.get(name) for name in names)
            )
        else:
            results = super().evaluate(
                x, y, batch_size=batch_size, verbose=verbose, return_dict=True, **kwargs
            )
        results = {name: float(results[name]) for name in self._test_names}
        return results if return_dict else list(results.values())

    def _evaluate_in_full_batches(self, x, y, batch_size, sample_weight, steps, callbacks):
        size = self._size_of_test_batch(batch_size)
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = keras.callbacks.CallbackList(callbacks, model=self)
        callbacks.on_test_begin()
        rows = mixed_order(y)[: None if steps is None else steps * size]
        logits = self.predict(x[rows], size, verbose=0)
        self.reset_metrics()
        weights = None if sample_weight is None else np.asarray(sample_weight)[rows]
        results = self.compute_metrics(x[rows], y[rows], logits, weights)
        results = {name: float(results[name]) for name in self._test_names}
        callbacks.on_test_end(results)
        return results

    def _size_of_test_batch(self, batch_size):
        return batch_size or int(ops.convert_to_numpy(self.batch_size)) or DEFAULT_BATCH

    def test_step(self, data):
        """Keras's hook: measures a batch."""
        images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        results = self.compute_metrics(images, labels, self(images, training=False), weights)
        return {name: results[name] for name in self._test_names}

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):  # noqa: PT028
        """Measures one batch, with the results of `evaluate` under its names and in its order.

        Args:
            x: images (N, H, W, C).
            y: integer labels (N,) or (N, 1).
            sample_weight: (N,) or None.
            return_dict: bool, whether results are `{name: float}`; otherwise a list of floats.
        """
        x, y = self._checked_test_set((x, y), "x, y")
        self.reset_metrics()  # which early versions of Keras 3 leave to the caller
        results = super().test_on_batch(x, y, sample_weight, return_dict=True)
        results = {name: float(results[name]) for name in self._test_names}
        return results if return_dict else list(results.values())

    @property
    def metrics_names(self):
        """The names of the results of `evaluate`, in its order; none before `compile`."""
        # Keras's would be those of all metrics, of which `fit` reports others than a test does.
        return list(self._test_names) if self.compiled else []

    def predict(self, x, batch_size=None, verbose="auto", **kwargs):
        """Logits (N, K) of the averaged parameters; `keras.ops.softmax` makes them probabilities.

        With minibatch discrimination arrays are predicted in batches of the size of training.
        """
        if is_pipeline(x):
            self._check_pipeline(x, "x")
            return super().predict(x, verbose=verbose, **kwargs)
        if isinstance(x, keras.utils.PyDataset):
            self._check_py_dataset(x, "x")
            return super().predict(x, verbose=verbose, **kwargs)
        x = self._checked_images(x, "x")

        def predict(images, size=batch_size):
            return super(Testing, self).predict(images, batch_size=size, verbose=verbose, **kwargs)

        if not self._couples_predictions:
            return predict(x)
        size = self._size_of_test_batch(batch_size)
        return predict_in_full_batches(lambda images: predict(images, size), x, size)

    def predict_on_batch(self, x):
        """Logits (N, K) of one batch of images (N, H, W, C), of the averaged parameters."""
        return super().predict_on_batch(self._checked_images(x, "x"))

    @property
    def classifier(self):
        """A new Keras model from images to logits (N, K), with the averaged parameters of now."""
        return averaged_copy(
            self._game.discriminator, self.average, ops.convert_to_tensor(self.averaged_steps)
        )

    def generate(self, num_images, seed=None):
        """Images of the generator, each from new noise.

        They are made a hundred at a time: with batch normalization an image depends on the others.

        Args:
            num_images: int >= 1.
            seed: int, for the same images again; None for others at every call.

        Returns:
            Array (num_images, H, W, C), in the generator's range.

        Raises:
            ValueError: `num_images` is no whole number of 1 or more.
        """
        if not is_whole(num_images, 1):
            raise ValueError(
                f"`num_images` must be a whole number of 1 or more. Received: {num_images}"
            )
        random = self._shown_noise if seed is None else streams.shown_noise(seed)
        shape = (DEFAULT_BATCH, *self.generator.inputs[0].shape[1:])
        images = []
        for _ in range(-(-num_images // DEFAULT_BATCH)):
            noise = random.uniform(size=shape).astype(input_dtype(self.generator))
            images.append(ops.convert_to_numpy(self.generator(noise, training=False)))
        return np.concatenate(images)[:num_images]

    def _checked_images(self, images, name):
        shape, pixel_range = self._expected.image_shape, self._expected.pixel_range
        return checks.as_images(images, name, shape, pixel_range, is_training_set=False)

    def _checked_test_set(self, data, name, batch_size=1):
        """Images and labels as arrays, at least a batch of them if they are tested in full ones."""
        if is_pipeline(data):
            self._check_pipeline(data, name, has_labels=True)
        if data is None or is_pipeline(data):
            return data
        images, labels = checks.pair(data, name)
        if labels is None:
            raise ValueError(
                f"`{name}` must be images and their labels. "
                f"Received: {type(images).__name__} and no labels"
            )
        images = self._checked_images(images, name)
        if self._couples_predictions:
            require_full_batch(len(images), batch_size)
        return images, checks.as_labels(labels, name, self._expected.num_classes, len(images))

    def _require_uncoupled(self, data, name):
        if self._couples_predictions:
            raise ValueError(
                f"`{name}` must be arrays or a tf.data.Dataset of batches of one known size, since "
                "with minibatch discrimination logits depend on the batch. "
                f"Received: a {type(data).__name__}"
            )

    def _check_py_dataset(self, data, name, has_labels=False):
        """Raises `ValueError` if the model cannot be tested on it, by its first batch."""
        self._require_uncoupled(data, name)
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data[0])
        if has_labels:
            self._checked_test_set((images, labels), name)
        else:
            self._checked_images(images, name)

    def _check_pipeline(self, data, name, has_labels=False):
        coupled = self._couples_predictions
        check_test_pipeline(data, name, self._expected, coupled, has_labels)

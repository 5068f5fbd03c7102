"""The batches of each epoch of a `fit` on a person's own `tf.data` pipelines."""

from improved_gan_tf.training.semi_supervised_gan import checks
from improved_gan_tf.training.semi_supervised_gan.batches import NO_PASS


def is_pipeline(data):
    """Whether data are a `tf.data.Dataset`."""
    import tensorflow as tf

    return isinstance(data, tf.data.Dataset)


class PipelineBatches:
    """Batches of two `tf.data` pipelines, which decide the order of the images themselves.

    Args:
        labeled: `tf.data.Dataset` of batches `(images, labels)`; it is repeated without end.
        unlabeled: `tf.data.Dataset` of batches of images; feature matching reads it twice, once
            for each player. May be None for the baseline without unlabeled images.
        steps: int or None, steps in an epoch; None for as many as `unlabeled` has batches. Where
            TensorFlow does not know their number, `labeled` then begins anew with every epoch.
        expected: `batches.Expected`.

    Raises:
        ValueError: the batches do not fit the networks, or are not of one known size.
    """

    def __init__(self, labeled, unlabeled, *, steps, expected):
        import tensorflow as tf

        for name, data in (("labeled", labeled), ("unlabeled", unlabeled)):
            may_be_left_out = name == "unlabeled" and expected.supervised_only
            if not is_pipeline(data) and not (data is None and may_be_left_out):
                raise ValueError(
                    "`labeled` and `unlabeled` must both be arrays or both be tf.data.Dataset. "
                    f"Received: {name} of type {type(data).__name__}"
                )
        images, labels = _components(labeled, "labeled", "batches (images, labels)", 2)
        self.batch_size = _batch_size(images, "labeled", expected)
        checks.check_label_type(
            labels.dtype.as_numpy_dtype, labels.shape, "labeled", expected.num_classes
        )
        if unlabeled is not None:
            (images,) = _components(unlabeled, "unlabeled", "batches of images alone", 1)
            if _batch_size(images, "unlabeled", expected) != self.batch_size:
                raise ValueError(
                    "`labeled` and `unlabeled` must have batches of one size. Received: batches of "
                    f"{self.batch_size} and of {images.shape[0]} images"
                )
        self._labeled, self._unlabeled = labeled, unlabeled
        self._expected = expected
        self._check_first_batches()
        counted = labeled if unlabeled is None else unlabeled
        if steps is None and counted.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError(
                "A data set without end needs `steps_per_epoch`. Received: steps_per_epoch=None"
            )
        if steps is None and unlabeled is not None and unlabeled.cardinality() > 0:
            # An endless stream of both: else `labeled` would begin anew with every epoch, and
            # what it has more than `unlabeled` would never be seen.
            steps = int(unlabeled.cardinality())
        self.steps_per_epoch = steps
        self.kind_of_pass = (NO_PASS, 0, 0)

    def begin_epoch(self, passes, steps):
        """Nothing: pipelines of one's own begin as they were made to."""

    def initialization_images(self, count):
        """The first images of the unlabeled pipeline, at most `count`."""
        import tensorflow as tf

        data = self._labeled if self._unlabeled is None else self._unlabeled
        batches = data.take(-(-count // self.batch_size))
        images = tf.concat([_flat(batch)[0] for batch in batches], axis=0)[:count]
        return tf.cast(images, self._expected.dtype)

    def dataset(self):
        """A `tf.data.Dataset` of one epoch's batches, without end if `steps_per_epoch` is given."""
        import tensorflow as tf

        # Each stream is repeated for itself: together, `labeled` would begin anew whenever
        # `unlabeled` ends, and the rest of its labels would never be seen.
        is_endless = self.steps_per_epoch is not None
        if self._unlabeled is None:
            streams = [self._labeled.repeat() if is_endless else self._labeled]
        else:
            unlabeled = self._unlabeled.repeat() if is_endless else self._unlabeled
            streams = [self._labeled.repeat()]
            streams += [unlabeled] * (2 if self._expected.sees_real else 1)
        dtype = self._expected.dtype

        def arranged(*batch):
            images, labels, *unlabeled = _flat(batch)
            if self._expected.supervised_only:  # for which the rest only counts the steps
                unlabeled = []
            labels = self._checked(tf.reshape(tf.cast(labels, "int32"), (self.batch_size,)))
            return tf.cast(images, dtype), labels, *(tf.cast(x, dtype) for x in unlabeled)

        return tf.data.Dataset.zip(tuple(streams)).map(arranged)

    def _checked(self, labels):
        """The labels; a batch with a wrong one ends `fit` with an `InvalidArgumentError`."""
        import tensorflow as tf

        num_classes = self._expected.num_classes
        is_label = tf.logical_and(labels >= 0, labels < num_classes)
        sentence = f"`labeled` must have labels from 0 to {num_classes - 1}. Received:"
        with tf.control_dependencies(
            [tf.debugging.Assert(tf.reduce_all(is_label), [sentence, labels])]
        ):
            return tf.identity(labels)

    def _check_first_batches(self):
        """Looks at the first batch of each: an empty data set would be repeated without end."""
        for name, data in (("labeled", self._labeled), ("unlabeled", self._unlabeled)):
            if data is None:
                continue
            batch = next(iter(data.take(1)), None)
            if batch is None:
                raise ValueError(
                    f"`{name}` must have at least one full batch; a `batch` with "
                    "`drop_remainder=True` drops fewer images than that. Received: an empty data "
                    "set"
                )
            pixels, *labels = (x.numpy() for x in _flat(batch))
            low, high = float(pixels.min()), float(pixels.max())
            checks.check_range(low, high, name, self._expected.pixel_range)
            if labels:
                checks.as_labels(labels[0], name, self._expected.num_classes)


def check_test_pipeline(data, name, expected, couples_predictions, has_labels):
    """Raises `ValueError` for a data set on which a model cannot be tested.

    Reads its first batch.

    Args:
        data: `tf.data.Dataset` of batches of images, or of images and labels.
        name: str, the argument's name.
        expected: `batches.Expected`.
        couples_predictions: bool, whether a prediction depends on the batch.
        has_labels: bool, whether labels are needed.
    """
    images, *labels = _flat(data.element_spec)
    if has_labels and not labels:
        raise ValueError(f"`{name}` must have batches (images, labels). Received: no labels")
    _require_floating(images, name)
    if labels and labels[0].shape.rank is not None:
        dtype = labels[0].dtype.as_numpy_dtype
        checks.check_label_type(dtype, labels[0].shape, name, expected.num_classes)
    if couples_predictions and (images.shape.rank is None or images.shape[0] is None):
        raise ValueError(
            f"`{name}` must have batches of one known size, since with minibatch discrimination "
            "logits depend on the batch: dataset.batch(batch_size, drop_remainder=True), or "
            "arrays, all of which are counted. Received: batches of unknown size"
        )
    first = next(iter(data.take(1)), None)
    if first is not None:  # Keras refuses an empty one
        pixels, *labels = (x.numpy() for x in _flat(first))
        low, high = float(pixels.min()), float(pixels.max())
        checks.check_range(low, high, name, expected.pixel_range, is_training_set=False)
        if labels:
            checks.as_labels(labels[0], name, expected.num_classes)


def _flat(batch):
    import tensorflow as tf

    return tf.nest.flatten(batch)


def _components(data, name, expected, count):
    """The `count` specs of a data set's batches, or a `ValueError` that says what is expected."""
    specs = _flat(data.element_spec)
    if len(specs) != count:
        raise ValueError(
            f"`{name}` must be a tf.data.Dataset of {expected}. Received: batches of "
            f"{len(specs)} tensors"
        )
    return specs


def _batch_size(images, name, expected):
    """The number of images in every batch of a data set, by the spec of its images."""
    shape = images.shape
    if shape.rank is None or tuple(shape[1:]) != expected.image_shape:
        raise ValueError(
            f"`{name}` must be batches of images of the discriminator's shape, (N, "
            f"{', '.join(map(str, expected.image_shape))}). Received: images of shape {shape}"
        )
    _require_floating(images, name)
    if shape[0] is None:
        raise ValueError(
            f"`{name}` must have batches of one known size, so that the last one is not smaller: "
            "dataset.batch(batch_size, drop_remainder=True). Received: batches of unknown size"
        )
    return shape[0]


def _require_floating(images, name):
    if not images.dtype.is_floating:
        raise ValueError(
            f"`{name}` must hold floating-point pixels in the range of the generator's images. "
            f"Received: pixels of dtype {images.dtype.name}"
        )

"""Writes small data sets as TFDS prepares them, with TFDS's own writer."""

import numpy as np


def write_prepared_mnist(
    data_dir, image_shape=(28, 28, 1), num_classes=10, num_train=40, num_test=20
):
    """Writes `data_dir`/mnist/3.0.1 with random images; labels go through all classes.

    Returns:
        `{"train": (images, labels), "test": (images, labels)}` as written.
    """
    splits = {
        split: np.arange(count) % num_classes
        for split, count in (("train", num_train), ("test", num_test))
    }
    return write_prepared(data_dir, "mnist", splits, image_shape, num_classes)


def write_prepared(data_dir, name, splits, image_shape=(28, 28, 1), num_classes=10, config=None):
    """Writes `data_dir`/`name`/3.0.1 with random images for the labels of each split; as above.

    With a `config` it is `data_dir`/`name`/`config`/3.0.1.
    """
    import tensorflow as tf
    import tensorflow_datasets as tfds

    random = np.random.RandomState(0)
    written = {
        split: (random.randint(0, 256, (len(labels), *image_shape)).astype("uint8"), labels)
        for split, labels in splits.items()
    }
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        config=config,
        version="3.0.1",
        features=tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=image_shape, encoding_format="png"),
                "label": tfds.features.ClassLabel(num_classes=num_classes),
            }
        ),
        split_datasets={
            split: tf.data.Dataset.from_tensor_slices({"image": images, "label": labels})
            for split, (images, labels) in written.items()
        },
        data_dir=str(data_dir),
    )
    return written

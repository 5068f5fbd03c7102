"""Writes small data sets as TFDS prepares them, with TFDS's own writer."""

import numpy as np


def write_prepared_mnist(
    data_dir, image_shape=(28, 28, 1), num_classes=10, num_train=40, num_test=20
):
    """Writes `data_dir`/mnist/3.0.1 with random images; labels go through all classes.

    Returns:
        `{"train": (images, labels), "test": (images, labels)}` as written.
    """
    import tensorflow as tf
    import tensorflow_datasets as tfds

    random = np.random.RandomState(0)
    written = {}
    for split, count in (("train", num_train), ("test", num_test)):
        images = random.randint(0, 256, (count, *image_shape)).astype("uint8")
        written[split] = (images, np.arange(count) % num_classes)
    tfds.dataset_builders.store_as_tfds_dataset(
        name="mnist",
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

"""A small convolutional classifier of our own, for scores of digits."""

import sys

NUM_FEATURES = 128

FILTERS = (32, 64, 128)

LEARNING_RATE = 1e-3

BATCH_SIZE = 128


def build_classifier(image_shape, num_classes):
    """Three 3 x 3 convolutions, each followed by max pooling, and two dense layers.

    Args:
        image_shape: (H, W, C) of the images, H and W of 8 or more.
        num_classes: int.

    Returns:
        Keras model from (N, H, W, C), pixels from 0 to 255, to `{"logits": (N, num_classes),
        "features": (N, 128)}`, the last hidden layer's activations, 0 or more.
    """
    import keras

    images = keras.Input(image_shape, name="images")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    for filters in FILTERS:
        x = keras.layers.Conv2D(
            filters, 3, padding="same", activation="relu", data_format="channels_last"
        )(x)
        x = keras.layers.MaxPooling2D(data_format="channels_last")(x)
    x = keras.layers.Dropout(0.25)(keras.layers.Flatten(data_format="channels_last")(x))
    features = keras.layers.Dense(NUM_FEATURES, activation="relu", name="features")(x)
    x = keras.layers.Dropout(0.5)(features)
    logits = keras.layers.Dense(num_classes, name="logits")(x)
    return keras.Model(images, {"logits": logits, "features": features}, name="classifier")


def train(dataset, epochs, seed):
    """Trains a classifier on all labels of a data set.

    Args:
        dataset: `data.datasets.Dataset`.
        epochs: int >= 1; Adam's step size falls from 0.001 to 0 along a cosine.
        seed: int, decides initial weights, dropout and the order of the images.

    Returns:
        `(model, test_wrong)`, the model of `build_classifier` and its number of misclassified
        test images.
    """
    import keras

    from improved_gan_tf.machine.determinism import make_operations_deterministic
    from improved_gan_tf.training import evaluation

    make_operations_deterministic()
    keras.utils.set_random_seed(seed)
    model = build_classifier(dataset.train_images.shape[1:], dataset.num_classes)
    # Trained by its logits; the model with both outputs shares the layers.
    by_logits = keras.Model(model.inputs, model.output["logits"])
    steps = epochs * -(-len(dataset.train_labels) // BATCH_SIZE)
    by_logits.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    by_logits.fit(
        dataset.train_images,
        dataset.train_labels,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        verbose="auto" if sys.stdout.isatty() else 2,
    )
    logits = by_logits.predict(dataset.test_images, batch_size=1000, verbose=0)
    return model, evaluation.wrong_count(logits, dataset.test_labels)

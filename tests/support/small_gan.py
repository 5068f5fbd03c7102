"""Two players of a few weights each, with every kind of layer, and images for them."""

import keras
import numpy as np

from improved_gan_tf import SemiSupervisedGAN, precision
from improved_gan_tf.layers import (
    BatchStatisticsNorm,
    Dropout,
    GaussianNoise,
    MinibatchDiscrimination,
    WeightNormDense,
    use_virtual_batch_norm,
)

SHAPE, CLASSES, NOISE = (6, 6, 1), 3, 5


def normal(seed, stddev=0.3):
    return keras.initializers.RandomNormal(stddev=stddev, seed=seed)


def make_discriminator(coupled=False, units=CLASSES, activation=None):
    images = keras.Input(SHAPE, name="pixels")
    x = keras.layers.Flatten(name="flat")(images)
    x = GaussianNoise(0.1, seed=1)(x)
    x = WeightNormDense(12, activation="relu", kernel_initializer=normal(2), name="features")(x)
    x = Dropout(0.2, seed=3)(x)
    if coupled:
        x = MinibatchDiscrimination(4, 2, theta_initializer=normal(4))(x)
    logits = WeightNormDense(
        units, kernel_initializer=normal(5), train_scale=True, name="classes", activation=activation
    )(x)
    return keras.Model(images, logits, name="small_discriminator")


def make_generator(activation="tanh", virtual=False, shape=SHAPE):
    size = int(np.prod(shape))
    with precision.full_precision():
        images = [
            WeightNormDense(size, activation, kernel_initializer=normal(7), train_scale=True),
            keras.layers.Reshape(shape),
        ]
    generator = keras.Sequential(
        [
            keras.Input((NOISE,)),
            keras.layers.Dense(8, use_bias=False, kernel_initializer=normal(6)),
            keras.layers.BatchNormalization() if virtual else BatchStatisticsNorm(),
            keras.layers.ReLU(),
            *images,
        ],
        name="small_generator",
    )
    if virtual:
        reference = np.random.RandomState(8).uniform(size=(4, NOISE)).astype("float32")
        generator = use_virtual_batch_norm(generator, reference)
    return generator


def make(coupled=False, virtual=False, compiled=True, metrics=None, jit_compile=False, **settings):
    """A compiled `SemiSupervisedGAN` of the two."""
    if coupled:
        settings = {"generator_objective": "saturating", **settings}
    gan = SemiSupervisedGAN(
        make_discriminator(coupled), make_generator(virtual=virtual), seed=4, **settings
    )
    if compiled:
        gan.compile(learning_rate=0.01, metrics=metrics, jit_compile=jit_compile)
    return gan


def make_bytes(count, seed=0):
    """Bytes (count, 6, 6, 1) and labels: dim, middling and bright pictures."""
    random = np.random.RandomState(seed)
    labels = np.arange(count) % CLASSES
    pixels = random.randint(0, 120, (count, *SHAPE)) + 60 * labels[:, None, None, None]
    return pixels.astype("uint8"), labels


def make_images(count, seed=0):
    """The same as floats in [-1, 1), multiples of 1/128."""
    pixels, labels = make_bytes(count, seed)
    return pixels.astype("float32") / 128.0 - 1.0, labels


def arrays(variables):
    """`{part.index: array}` of a trainer's `state()`, without Keras's names.

    Those of a Sequential model's weights are others once it is loaded.
    """
    return {
        ".".join(name.split(".")[:2]): np.array(keras.ops.convert_to_numpy(variable))
        for name, variable in variables.items()
    }


def state(gan):
    """Every number that training changes, as arrays by name."""
    return arrays({**gan._game.state(), "steps": gan.steps})


def assert_equal_states(one, other):
    """Bit for bit."""
    assert set(one) == set(other)
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], err_msg=name)

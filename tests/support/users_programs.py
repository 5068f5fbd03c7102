"""Four GAN programs as people write them, with this package's layers in Keras's own `fit`.

Each is a `keras.Model` with a `train_step` of its own that takes what its data set yields: real
images, labels where there are any, and the noise of the step.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

import improved_gan_tf
from improved_gan_tf import layers as ours
from improved_gan_tf import losses
from improved_gan_tf.losses import adversarial

SIZE, LATENT, CLASSES = 8, 5, 3


class Gan(keras.Model):
    """Two players and a step of each; a subclass has the losses."""

    def __init__(self, generator, discriminator, **kwargs):
        super().__init__(**kwargs)
        self.generator, self.discriminator = generator, discriminator
        self.built = True  # both players are: `fit` need not call this model to build it

    def compile(self, learning_rate=0.01, **kwargs):
        super().compile(**kwargs)
        self.generator_optimizer = keras.optimizers.SGD(learning_rate)
        self.discriminator_optimizer = keras.optimizers.SGD(learning_rate)
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)

    def call(self, inputs, training=False):
        return self.generator(inputs, training=training)

    def train_step(self, data):
        # `apply` adds up the gradients of the replicas: each brings its part of the mean.
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        logs = {}
        for player in ("discriminator", "generator"):
            variables = getattr(self, player).trainable_variables
            with tf.GradientTape() as tape:
                loss = ops.cast(getattr(self, f"{player}_loss")(data), "float32")
                scaled = loss / replicas
            gradients = tape.gradient(scaled, variables)
            getattr(self, f"{player}_optimizer").apply(gradients, variables)
            logs[f"{player}_loss"] = loss
        return logs

    def get_config(self):
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{name: keras.saving.deserialize_keras_object(c) for name, c in config.items()})


def images_from(x):
    """The last layers of every generator here: (N, A) to images in [-1, 1]."""
    x = ours.WeightNormDense(4 * 4 * 6)(x)
    x = layers.Reshape((4, 4, 6))(x)
    x = layers.ReLU()(ours.BatchStatisticsNorm()(x))
    x = ours.WeightNormConv2DTranspose(1, 4, strides=2, padding="same")(x)
    return layers.Activation("tanh", dtype="float32")(x)


@keras.saving.register_keras_serializable(package="users")
class Dcgan(Gan):
    """Radford et al.'s game, with weight norm, minibatch discrimination and noise."""

    def discriminator_loss(self, data):
        real, z = data
        return adversarial.minimax_discriminator_loss(
            self.discriminator(real, training=True),
            self.discriminator(self.generator(z, training=True), training=True),
        )

    def generator_loss(self, data):
        fake = self.generator(data[1], training=True)
        return adversarial.non_saturating_generator_loss(self.discriminator(fake, training=True))


def dcgan():
    """A `Dcgan` and its data set's arrays for N examples."""
    z = keras.Input((LATENT,))
    x = image = keras.Input((SIZE, SIZE, 1))
    x = ours.GaussianNoise(0.1, seed=1)(x)
    x = ours.WeightNormConv2D(6, 3, strides=2, padding="same")(x)
    x = ours.Dropout(0.2, seed=2)(layers.LeakyReLU()(x))
    x = ours.MinibatchDiscrimination(4, 3)(layers.Flatten()(x))
    logit = ours.WeightNormDense(1, dtype="float32")(x)
    return Dcgan(keras.Model(z, images_from(z)), keras.Model(image, logit))


@keras.saving.register_keras_serializable(package="users")
class ConditionalGan(Gan):
    """Hinge losses; labels reach the norm of the generator and the critic's projection."""

    def discriminator_loss(self, data):
        real, labels, z = data
        fake = self.generator([z, labels], training=True)
        return adversarial.hinge_discriminator_loss(
            self.discriminator([real, labels], training=True),
            self.discriminator([fake, labels], training=True),
        )

    def generator_loss(self, data):
        _, labels, z = data
        fake = self.generator([z, labels], training=True)
        return adversarial.hinge_generator_loss(self.discriminator([fake, labels], training=True))


def conditional_gan():
    """A `ConditionalGan`."""
    z, labels = keras.Input((LATENT,)), keras.Input((), dtype="int32")
    x = layers.Dense(12)(z)
    x = layers.ReLU()(ours.ConditionalBatchNorm(CLASSES)([x, labels]))
    generator = keras.Model([z, labels], images_from(x))
    image, labels = keras.Input((SIZE, SIZE, 1)), keras.Input((), dtype="int32")
    x = ours.SpectralNormConv2D(6, 3, strides=2, padding="same")(image)
    x = layers.GlobalAveragePooling2D()(layers.LeakyReLU()(x))
    score = ours.ProjectionHead(CLASSES)([x, labels])
    return ConditionalGan(generator, keras.Model([image, labels], score))


@keras.saving.register_keras_serializable(package="users")
class WganGp(Gan):
    """Wasserstein losses and a gradient penalty through minibatch discrimination."""

    def discriminator_loss(self, data):
        real, z = data
        fake = self.generator(z, training=True)
        alpha = ops.sigmoid(z[:, 0])  # as good as any number for each example
        points = adversarial.interpolated_points(real, fake, alpha)
        gradients = adversarial.input_gradients(self.discriminator, points)
        return adversarial.wasserstein_discriminator_loss(
            self.discriminator(real, training=True), self.discriminator(fake, training=True)
        ) + 10.0 * adversarial.gradient_penalty(ops.cast(gradients, "float32"))

    def generator_loss(self, data):
        fake = self.generator(data[1], training=True)
        return adversarial.wasserstein_generator_loss(self.discriminator(fake, training=True))


def wgan_gp():
    """A `WganGp`."""
    z, image = keras.Input((LATENT,)), keras.Input((SIZE, SIZE, 1))
    x = layers.LeakyReLU()(layers.Conv2D(6, 3, strides=2, padding="same")(image))
    x = ours.MinibatchDiscrimination(4, 3)(layers.Flatten()(x))
    score = layers.Dense(1, dtype="float32")(x)
    return WganGp(keras.Model(z, images_from(z)), keras.Model(image, score))


@keras.saving.register_keras_serializable(package="users")
class SemiSupervisedGan(Gan):
    """The paper's game: K classes, feature matching, virtual batch normalization."""

    def discriminator_loss(self, data):
        real, labels, z = data
        logits, _ = self.discriminator(real, training=True)
        generated, _ = self.discriminator(self.generator(z, training=True), training=True)
        return losses.supervised_loss(logits, labels) + losses.unsupervised_loss(logits, generated)

    def generator_loss(self, data):
        real, _, z = data
        _, features = self.discriminator(real, training=True)
        _, generated = self.discriminator(self.generator(z, training=True), training=True)
        return losses.feature_matching_l2(features, generated)


def semi_supervised_gan():
    """A `SemiSupervisedGan`, its discriminator initialised from data."""
    z = keras.Input((LATENT,))
    x = layers.Dense(4 * 4 * 6)(z)
    x = layers.Reshape((4, 4, 6))(layers.ReLU()(layers.BatchNormalization()(x)))
    x = layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")(x)
    reference = np.random.RandomState(7).normal(size=(6, LATENT)).astype("float32")
    generator = ours.use_virtual_batch_norm(keras.Model(z, x), reference)
    image = keras.Input((SIZE, SIZE, 1))
    x = ours.GaussianNoise(0.1, seed=3)(image)
    features = layers.LeakyReLU()(ours.WeightNormDense(10)(layers.Flatten()(x)))
    logits = ours.WeightNormDense(CLASSES, dtype="float32")(features)
    discriminator = keras.Model(image, [logits, features])
    improved_gan_tf.initialize_from_data(discriminator, examples(20)["images"])
    return SemiSupervisedGan(generator, discriminator)


# Name -> the program, and what its data set yields.
PROGRAMS = {
    "DCGAN": (dcgan, ("images", "z")),
    "conditional GAN": (conditional_gan, ("images", "labels", "z")),
    "WGAN-GP": (wgan_gp, ("images", "z")),
    "semi-supervised GAN": (semi_supervised_gan, ("images", "labels", "z")),
}


def examples(count, seed=0):
    """Arrays of `count` examples: images, labels and noise."""
    random = np.random.RandomState(seed)
    return {
        "images": random.uniform(-1, 1, (count, SIZE, SIZE, 1)).astype("float32"),
        "labels": random.randint(0, CLASSES, count).astype("int32"),
        "z": random.normal(size=(count, LATENT)).astype("float32"),
    }

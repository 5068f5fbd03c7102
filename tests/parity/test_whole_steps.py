"""Whole training iterations against the original code, in float64.

Tolerance 1e-9: two correct float64 programs differ by rounding only. In float32 they part
ways at the first kink that falls on the other side of 0, so float32 is not compared.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import networks
from improved_gan_tf.data import device_images
from improved_gan_tf.layers import noise
from improved_gan_tf.layers.batch_statistics_norm import BatchStatisticsNorm
from improved_gan_tf.layers.data_dependent import initialize_from_data
from improved_gan_tf.layers.dropout import Dropout
from improved_gan_tf.layers.minibatch_discrimination.layer import MinibatchDiscrimination
from improved_gan_tf.layers.weight_norm.conv import WeightNormConv2D
from improved_gan_tf.layers.weight_norm.conv_transpose import WeightNormConv2DTranspose
from improved_gan_tf.layers.weight_norm.dense import WeightNormDense
from improved_gan_tf.training import semi_supervised as training
from tests.parity.original_step import OriginalStep

TOLERANCE = 1e-9
WIDTH_MULTIPLIER = 1 / 8  # the goldens' networks

FIXTURES = {
    "step_mnist_fm_thin_off": ("mnist", "feature_matching"),
    "step_mnist_fm_thin_inject": ("mnist", "feature_matching"),
    "step_cifar_fm_thin_inject": ("cifar10", "feature_matching"),
    "step_cifar_md_thin_off": ("cifar10", "minibatch_discrimination"),
    "step_cifar_md_thin_inject": ("cifar10", "minibatch_discrimination"),
    "step_svhn_fm_thin_off": ("svhn", "feature_matching"),
}


class Injected:
    """Hands recorded noise and dropout masks to the layers in the order of their calls."""

    def __init__(self):
        self.queue = []  # one entry per call: the draws of the passes that run as one batch

    def expect(self, *passes, joint):
        """Queues the draws of several passes: as one batch, or one pass after the other."""
        if joint:
            self.queue += [list(draws) for draws in zip(*passes, strict=True)]
        else:
            self.queue += [[draw] for draws in passes for draw in draws]

    def normal(self, shape, dtype, seed):
        """Stands in for `noise.standard_normal`; zeros where nothing was recorded."""
        if not self.queue:
            return tf.zeros(shape, dtype)
        draws = [nhwc(draw) for draw in self.queue.pop(0)]
        return tf.constant(np.concatenate(draws), dtype)

    def dropout(self, layer, inputs, training=False):
        """Stands in for `Dropout.call`."""
        if not training or not self.queue:
            return inputs
        packed = self.queue.pop(0)
        n, height, width, channels = inputs.shape
        shape = (n // len(packed), channels, height, width)
        masks = [np.unpackbits(p)[: np.prod(shape)].reshape(shape) for p in packed]
        return inputs / (1 - layer.rate) * nhwc(np.concatenate(masks))


def nhwc(array):
    """Theano's NCHW as NHWC; rank 2 as it is."""
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


class Parameter:
    """One of our variables under the original's name and in the original's layout."""

    def __init__(self, variable, from_original=lambda a: a, to_original=lambda a: a):
        self.variable, self._from, self._to = variable, from_original, to_original

    def assign(self, array):
        self.variable.assign(self._from(array))

    def in_original_layout(self, array=None):
        return self._to(np.asarray(self.variable if array is None else array))


def conv_kernel(variable):
    return Parameter(variable, lambda a: a.transpose(2, 3, 1, 0), lambda a: a.transpose(3, 2, 0, 1))


def transposed_conv_kernel(variable):
    return Parameter(
        variable,
        lambda a: a[:, :, ::-1, ::-1].transpose(2, 3, 1, 0),
        lambda a: a.transpose(3, 2, 0, 1)[:, :, ::-1, ::-1],
    )


def pointwise_kernel(variable):
    return Parameter(variable, lambda a: a[None, None], lambda a: a[0, 0])


def reshaped_units(variable):
    """Units that the original reshapes to (C, 4, 4) and we to (4, 4, C); the last axis."""

    def from_original(a):
        lead = a.shape[:-1]
        return np.moveaxis(a.reshape(*lead, -1, 4, 4), -3, -1).reshape(*lead, -1)

    def to_original(a):
        lead = a.shape[:-1]
        return np.moveaxis(a.reshape(*lead, 4, 4, -1), -1, -3).reshape(*lead, -1)

    return Parameter(variable, from_original, to_original)


def layers_of(model, *kinds):
    return [layer for layer in model.layers if isinstance(layer, kinds)]


def mnist_parameters(players):
    """`{original name: Parameter}`; Lxx is the index in Lasagne's list of layers."""
    named = {}
    for index, layer in enumerate(layers_of(players.discriminator, WeightNormDense)):
        prefix = f"disc_L{2 + 2 * index:02d}_"
        named[prefix + "theta"] = Parameter(layer.kernel)
        named[prefix + "weight_scale"] = Parameter(layer.scale)
        named[prefix + "b"] = Parameter(layer.bias)
    kinds = (keras.layers.Dense, BatchStatisticsNorm, WeightNormDense)
    for index, layer in enumerate(layers_of(players.generator, *kinds), 1):
        prefix = f"gen_L{index:02d}_"
        if isinstance(layer, BatchStatisticsNorm):
            named[prefix + "b"] = Parameter(layer.beta)
            continue
        named[prefix + "W"] = Parameter(layer.kernel)
        if isinstance(layer, WeightNormDense):
            named[prefix + "b"] = Parameter(layer.bias)
            named[prefix + "W_scale"] = Parameter(layer.scale)
    return named


def convolutional_parameters(players):
    named = {}
    (dense,) = layers_of(players.generator, keras.layers.Dense)
    norms = layers_of(players.generator, BatchStatisticsNorm)
    named["gen_L01_W"] = reshaped_units(dense.kernel)
    named["gen_L02_b"] = reshaped_units(norms[0].beta)
    inner = layers_of(players.generator, keras.layers.Conv2DTranspose)
    for index, layer, norm in zip((4, 6), inner, norms[1:], strict=True):
        named[f"gen_L{index:02d}_W"] = transposed_conv_kernel(layer.kernel)
        named[f"gen_L{index + 1:02d}_b"] = Parameter(norm.beta)
    (last,) = layers_of(players.generator, WeightNormConv2DTranspose)
    named["gen_L08_W"] = transposed_conv_kernel(last.kernel)
    named["gen_L09_b"], named["gen_L09_g"] = Parameter(last.bias), Parameter(last.scale)

    convolutions = layers_of(players.discriminator, WeightNormConv2D)
    indices = (2, 4, 6, 9, 11, 13, 16, 18, 20)
    for index, layer in zip(indices, convolutions, strict=True):
        kernel = pointwise_kernel if layer.kernel_size == (1, 1) else conv_kernel
        named[f"disc_L{index:02d}_W"] = kernel(layer.kernel)
        named[f"disc_L{index + 1:02d}_b"] = Parameter(layer.bias)
        named[f"disc_L{index + 1:02d}_g"] = Parameter(layer.scale)
    output = 23
    for layer in layers_of(players.discriminator, MinibatchDiscrimination):
        for name, variable in (
            ("theta", layer.theta),
            ("log_weight_scale", layer.log_weight_scale),
            ("b", layer.bias),
        ):
            named[f"disc_L{output:02d}_{name}"] = Parameter(variable)
        output += 1
    (dense,) = layers_of(players.discriminator, WeightNormDense)
    named[f"disc_L{output:02d}_W"] = Parameter(dense.kernel)
    named[f"disc_L{output + 1:02d}_b"] = Parameter(dense.bias)
    named[f"disc_L{output + 1:02d}_g"] = Parameter(dense.scale)
    return named


class Replay:
    """Our trainer, fed with what the original was fed with."""

    def __init__(self, original, dataset, model, monkeypatch):
        self.original = original
        self.injected = Injected()
        self.image_shape = (28, 28, 1) if dataset == "mnist" else (32, 32, 3)
        monkeypatch.setattr(noise, "standard_normal", self.injected.normal)
        monkeypatch.setattr(
            Dropout,
            "call",
            lambda layer, inputs, training=False: self.injected.dropout(layer, inputs, training),
        )
        self.spec = networks.EXPERIMENTS[dataset, model]
        self.players = self.spec.build(seed=0, width_multiplier=WIDTH_MULTIPLIER)
        named = mnist_parameters if dataset == "mnist" else convolutional_parameters
        self.parameters = named(self.players)
        objective = "feature_matching_l2" if dataset == "mnist" else "feature_matching_l1"
        self.matches_features = model == "feature_matching"
        self.trainer = training.Trainer(
            self.players,
            None,
            seed=0,
            generator_objective=objective if self.matches_features else "saturating",
            generator_steps=int(original["n_gen_steps_per_iter"]),
        )
        for optimizer in (self.trainer.discriminator_optimizer, self.trainer.generator_optimizer):
            optimizer.learning_rate = float(original["lr"])

    def images(self, key):
        array = self.original[key]
        return tf.constant(nhwc(array) if array.ndim == 4 else array.reshape(-1, 28, 28, 1))

    def check(self, key, name, array=None):
        ours = self.parameters[name].in_original_layout(array)
        self.original.assert_equal(key, ours, TOLERANCE)

    def initialize(self):
        initial = self.original.initial_parameters()
        used = {name for name in initial if "avg_batch" not in name}  # moving averages, unused
        assert used == set(self.parameters)
        for name in used:
            self.parameters[name].assign(initial[name])
        self.injected.expect(self.original.noise("init"), joint=True)
        initialize_from_data(self.players.discriminator, self.images("init_x"))
        if self.spec.initializes_generator:
            initialize_from_data(self.players.generator, tf.constant(self.original["init_z"]))
        assert not self.injected.queue
        changed = [key for key in self.original.arrays if key.startswith("p1/")]
        assert changed
        for key in changed:
            self.check(key, key.removeprefix("p1/"))

    def discriminator_step(self, it):
        original = self.original
        self.trainer.draw_z = lambda count: tf.constant(original[f"{it}/z_disc"])
        unlabeled = self.images(f"{it}/x_unl")
        batch = device_images.Batch(
            self.images(f"{it}/x_lab"), tf.constant(original[f"{it}/labels"]), unlabeled, None
        )
        passes = [original.noise(f"{it}/noise_{p}") for p in ("lab", "unl", "fake")]
        self.injected.expect(*passes, joint=not self.spec.couples_examples)
        measured = self.trainer._discriminator_step(batch)
        assert not self.injected.queue
        for key, value in zip(("loss_lab", "loss_unl", "train_err"), measured, strict=True):
            original.assert_equal(f"{it}/{key}", value, TOLERANCE)
        averages = dict(
            zip(
                (id(v) for v in self.trainer.average.parameters),
                self.trainer.average.averages,
                strict=True,
            )
        )
        for name in map(str, original["disc_trainable"]):
            self.check(f"{it}/after_disc/{name}", name)
            average = averages[id(self.parameters[name].variable)]
            self.check(f"{it}/avg/{name}", name, average)

    def generator_steps(self, it):
        original, steps = self.original, int(self.original["n_gen_steps_per_iter"])
        for step in range(1, steps + 1):
            suffix = f"_{step}" if steps > 1 else ""
            self.trainer.draw_z = lambda count, s=suffix: tf.constant(original[f"{it}/z_gen{s}"])
            real = None
            if self.matches_features:
                real = self.images(f"{it}/x_unl2")
                self._expect_unused(original.noise(f"{it}/noise_gunl"))
            else:
                real = self.images(f"{it}/x_unl")  # only its number of rows is used
            self._expect_unused(original.noise(f"{it}/noise_gfake{suffix}"))
            loss = self.trainer._generator_step(real)
            assert not self.injected.queue
            original.assert_equal(f"{it}/loss_gen{suffix}", loss, TOLERANCE)
        for name in map(str, original["gen_trainable"]):
            self.check(f"{it}/after_gen/{name}", name)

    def _expect_unused(self, draws):
        # The original's MNIST pass ends at the features; our last noise layer, above them and
        # without effect on them, draws too.
        if draws and self.image_shape == (28, 28, 1):
            draws = [*draws, np.zeros_like(draws[-1])]
        self.injected.expect(draws, joint=True)


@pytest.mark.parametrize("name", FIXTURES)
def test_three_iterations_equal_the_original(name, float64, monkeypatch):
    original = OriginalStep(name)
    replay = Replay(original, *FIXTURES[name], monkeypatch)
    replay.initialize()
    assert int(original["n_iter"]) == 3
    for it in ("it1", "it2", "it3"):
        replay.discriminator_step(it)
        replay.generator_steps(it)
    test = replay.images("test_x")
    raw = replay.players.discriminator(test, training=False)["logits"]
    original.assert_equal("test_logits_raw", raw, TOLERANCE)
    averaged = replay.spec.discriminator(0, WIDTH_MULTIPLIER)
    replay.trainer.copy_average_to(averaged)
    logits = averaged(test, training=False)["logits"]
    original.assert_equal("test_logits_avg", logits, TOLERANCE)

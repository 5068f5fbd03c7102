"""The variants: what each changes in the discriminator of the game, and nothing else."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import keras
import numpy as np

from improved_gan_tf import networks
from improved_gan_tf.layers import MinibatchDiscrimination, WeightNormConv2D
from improved_gan_tf.layers.layer_replacement import replace_layers

SMALLER = 0.01  # factor of the distances in the variant with another initial scale


class Variant(NamedTuple):
    """One change.

    Attributes:
        has_layer: bool, whether the discriminator has minibatch discrimination.
        layer: mapping, arguments of `MinibatchDiscrimination` in place of the original's.
        train_conv_scales: bool, whether the scales of the convolutions are trained.
        distance_factor: float > 0, of the distances after data-dependent initialisation.
        supervised_weight: float >= 0, of the supervised loss.
    """

    has_layer: bool = True
    layer: Mapping = MappingProxyType({})
    train_conv_scales: bool = False
    distance_factor: float = 1.0
    supervised_weight: float = 1.0


VARIANTS = {
    "original": Variant(),
    "mean": Variant(layer={"reduction": "mean"}),
    "no_weight_norm": Variant(layer={"weight_normalization": False}),
    "mean_no_weight_norm": Variant(layer={"reduction": "mean", "weight_normalization": False}),
    "smaller_distances": Variant(distance_factor=SMALLER),
    "train_conv_scales": Variant(train_conv_scales=True),
    "no_labels": Variant(supervised_weight=0.0),
    "normalize_input": Variant(layer={"normalize_input": True}),
    "no_layer": Variant(has_layer=False),
}


def model_of(variant):
    """Returns the name of the variant's network among a data set's experiments."""
    return "minibatch_discrimination" if variant.has_layer else "plain"


def build(dataset, variant, seed, width_multiplier):
    """Returns the `Networks` of a game with one variant's discriminator, not initialised.

    Args:
        dataset: str, "mnist" or "cifar10".
        variant: `Variant`.
        seed: int, as the run scripts' `--seed`.
        width_multiplier: float > 0.
    """
    spec = networks.EXPERIMENTS[dataset, model_of(variant)]
    generator, discriminator, couples_examples = spec.build(seed, width_multiplier)

    def replacement(layer):
        changes = {}
        if isinstance(layer, MinibatchDiscrimination):
            changes = variant.layer
        elif isinstance(layer, WeightNormConv2D) and variant.train_conv_scales:
            changes = {"train_scale": True}
        return _changed(layer, changes) if changes else None

    return networks.Networks(
        generator, replace_layers(discriminator, replacement), couples_examples
    )


def _changed(layer, changes):
    """Returns the layer with other arguments and the same initial weights."""
    changed = type(layer).from_config({**layer.get_config(), **changes})
    changed.build(layer.input.shape)
    weights = {weight.name: weight for weight in layer.weights}
    for weight in changed.weights:
        weight.assign(weights[weight.name])
    return changed


def minibatch_layer(discriminator):
    """Returns its layer of minibatch discrimination, None if it has none."""
    found = [x for x in discriminator.layers if isinstance(x, MinibatchDiscrimination)]
    return found[0] if found else None


def scale_distances(layer, factor):
    """Multiplies every distance of an initialised layer with weight normalization by `factor`."""
    layer.log_weight_scale.assign(layer.log_weight_scale + np.log(factor))


def features_model(discriminator):
    """Returns the model from images to what minibatch discrimination is given, or would be."""
    return keras.Model(discriminator.input, discriminator.output["features"])

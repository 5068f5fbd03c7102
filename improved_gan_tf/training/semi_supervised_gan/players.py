"""What a person's own generator and discriminator must be: read from their graphs, checked once."""

import warnings
from typing import NamedTuple

import keras

from improved_gan_tf.layers.coupled_layers import COUPLED_ALWAYS, COUPLED_IN_TRAINING
from improved_gan_tf.layers.layer_calls import calls_in_graph, has_own_call
from improved_gan_tf.precision import at_least_float32

# What a generator's last activation says about the range of its images.
RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0)}
# Layers that change the place of numbers and not the numbers.
_ARRANGING = ("Reshape", "Flatten", "Permute", "Cropping2D", "DropReference")


class Discriminator(NamedTuple):
    """A discriminator as the training step needs it."""

    outputs: keras.Model  # to {"logits": (N, K)}, with feature matching also "features"
    couples_examples: bool  # whether training passes each minibatch by itself
    couples_predictions: bool  # whether a prediction depends on the batch


def discriminator_of(model, feature_layer, needs_features, couples_examples):
    """Reads a `Discriminator` from a person's model.

    Args:
        model: functional or Sequential model from images to logits, or to a dict with "logits".
        feature_layer: str, the layer for feature matching; None for the output or layer
            "features".
        needs_features: bool, whether the generator is trained with feature matching.
        couples_examples: True, or None for what is known of the layers.

    Raises:
        ValueError: the model cannot be a discriminator.
    """
    if couples_examples not in (None, True):
        raise ValueError(
            "`couples_examples` must be True, or None for what is known of the layers. "
            f"Received: couples_examples={couples_examples!r}"
        )
    _require_graph(model, "discriminator")
    output = _output(model)
    image_shape = tuple(model.inputs[0].shape[1:])
    if None in image_shape:
        raise ValueError(
            "`discriminator` must take images of a known height and width, (N, H, W, C), which the "
            f"generator makes. Received: an input of shape (N, {', '.join(map(str, image_shape))})"
        )
    logits = output.get("logits") if isinstance(output, dict) else output
    if not isinstance(logits, keras.KerasTensor):
        raise ValueError(
            "`discriminator` must return the logits, one tensor (N, K), or a dict with 'logits' "
            f"among its keys. Received: outputs {_described(output)}"
        )
    _check_logits(logits)
    outputs = {"logits": logits}
    if needs_features:
        outputs["features"] = _features(model, output, feature_layer)
    parts = list(model._flatten_layers())
    return Discriminator(
        keras.Model(model.inputs[0], outputs, name=model.name),
        couples_examples or any(isinstance(part, COUPLED_IN_TRAINING) for part in parts),
        couples_examples or any(isinstance(part, COUPLED_ALWAYS) for part in parts),
    )


def check_generator(generator, image_shape):
    """Raises `ValueError` for a model that cannot generate images of the discriminator's shape.

    Warns of images that are made in half precision.
    """
    _require_graph(generator, "generator")
    output, noise = _output(generator), tuple(generator.inputs[0].shape)
    if not isinstance(output, keras.KerasTensor) or tuple(output.shape[1:]) != image_shape:
        raise ValueError(
            f"`generator` must return images of the discriminator's shape, (N, {image_shape}). "
            f"Received: outputs {_described(output)}"
        )
    if None in noise[1:]:
        raise ValueError(
            "`generator` must take noise of a known shape, (N, Z). "
            f"Received: an input of shape {noise}"
        )
    dtype = keras.backend.standardize_dtype(output.dtype)
    if at_least_float32(dtype) != dtype:
        warnings.warn(
            f"`generator` makes its images in {dtype}, in which white pixels lose their gradient "
            "(docs/devices.md). Give its last layer dtype='float32'.",
            stacklevel=3,
        )


def check_random_layers(discriminator, generator):
    """Raises `ValueError` for layers that share a `SeedGenerator`: a file cannot hold that."""
    owners = {}
    for layer in (*discriminator._flatten_layers(), *generator._flatten_layers()):
        if len(list(layer._flatten_layers())) > 1:
            continue  # its parts come by themselves
        weights = {id(weight) for weight in layer.weights}
        for state in layer.variables:
            owner = owners.setdefault(id(state), layer)
            if id(state) not in weights and owner is not layer:
                raise ValueError(
                    "Each layer that draws random numbers must have a `SeedGenerator` of its own, "
                    f"as `seed=1` makes one. Received: layers '{owner.name}' and '{layer.name}' "
                    "share one"
                )


def image_range(generator):
    """`(low, high)` of a generator's images by its last activation; None if that is not known."""
    return RANGES.get(final_activation(_output(generator)))


def final_activation(tensor):
    """The activation that made a symbolic tensor, as Keras names it ("linear" for none), or None.

    Layers and functions that compute something else give None. It looks into nested models and
    past layers that only arrange numbers.
    """
    operation, node, index = tensor._keras_history
    kind = type(operation).__name__
    if isinstance(operation, keras.Model) and has_own_call(operation):
        return None
    if isinstance(operation, keras.Model) and getattr(operation, "outputs", None):
        return final_activation(operation.outputs[index])
    if kind in _ARRANGING:
        return final_activation(operation._inbound_nodes[node].input_tensors[0])
    if kind in ("Softmax", "LogSoftmax", "Sigmoid", "Tanh"):  # the layer, or `keras.ops`'s function
        return {"LogSoftmax": "log_softmax"}.get(kind, kind.lower())
    activation = getattr(operation, "activation", None)
    return getattr(activation, "__name__", None)


def _check_logits(logits):
    shape, activation = tuple(logits.shape), final_activation(logits)
    if len(shape) != 2 or shape[1] is None or shape[1] < 2:
        raise ValueError(
            "`discriminator` must return one logit for each of K classes, (N, K), K of 2 or more. "
            f"Received: logits of shape {shape}"
        )
    if activation not in ("linear", None):
        raise ValueError(
            "`discriminator` must return logits: the losses need the numbers before the softmax, "
            "so its last layer must have no activation. Received: a discriminator that ends in "
            f"{activation}"
        )


def _features(model, output, feature_layer):
    """The symbolic features of a discriminator."""
    if feature_layer is None and isinstance(output, dict) and "features" in output:
        return output["features"]
    names = [layer.name for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    listed = ", ".join(names)
    if feature_layer is None and "features" not in names:
        raise ValueError(
            "Feature matching needs a hidden layer of the discriminator: name it in "
            f"`feature_layer`. Received: feature_layer=None; the layers are {listed}"
        )
    name = feature_layer or "features"
    if name not in names:
        raise ValueError(
            "`feature_layer` must be the name of a layer of the discriminator, one of "
            f"{listed}. Received: feature_layer={feature_layer!r}"
        )
    calls = calls_in_graph(model.get_layer(name), model.outputs)
    features = calls[0].output_tensors if len(calls) == 1 else []
    if len(features) != 1 or len(features[0].shape) < 2:
        raise ValueError(
            "`feature_layer` must name a layer that is called once and returns one tensor of "
            f"features, (N, A). Received: feature_layer={feature_layer!r}"
        )
    return features[0]


def _require_graph(model, argument):
    """Raises `ValueError` unless the layers of `model` are known without calling it."""
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise ValueError(
            f"`{argument}` must be a functional model, or a Sequential one that begins with a "
            f"keras.Input: a graph of known layers. Received: {argument}={model!r}"
        )
    if has_own_call(model):
        raise ValueError(
            f"`{argument}` must not have a `call` of its own: its graph is trained. Put what it "
            f"does into a layer. Received: a {type(model).__name__}"
        )
    if len(model.inputs) != 1:
        raise ValueError(
            f"`{argument}` must have one input. Received: {len(model.inputs)} inputs of "
            f"'{model.name}'"
        )
    # An activity's term is in `losses` only after a call.
    active = [x for x in model._flatten_layers() if getattr(x, "activity_regularizer", None)]
    count = len(model.losses) or len(active)
    if count:
        raise ValueError(
            f"`{argument}` must have no regularizers: its loss is the game's alone. Give the "
            "optimizer `weight_decay` instead. Received: "
            f"{count} terms in the losses of '{model.name}'"
        )


def _output(model):
    """A model's symbolic output, without a list around a single one."""
    # A Sequential model that was never called has no `output`.
    output = model.outputs if isinstance(model, keras.Sequential) else model.output
    return output[0] if isinstance(output, list | tuple) and len(output) == 1 else output


def _described(output):
    if isinstance(output, dict):
        return f"with the keys {sorted(output)}"
    if isinstance(output, list | tuple):
        return f"of {len(output)} tensors"
    return f"of shape {tuple(output.shape)}"

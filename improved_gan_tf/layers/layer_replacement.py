"""Copies a model with some of its layers replaced by others."""

import keras

from improved_gan_tf.layers.layer_calls import has_own_call
from improved_gan_tf.machine.keras_layers import TRANSPOSED


def replace_layers(model, replacement):
    """Returns a copy of `model`, weights included, in which some layers are others.

    Args:
        model: a Sequential or functional model; nested ones are copied the same way. A shared
            layer stays shared.
        replacement: callable; given a layer it returns the layer, with its weights, that takes
            its place, or None to keep a copy.

    Returns:
        A model of the same structure.

    Raises:
        ValueError: `model` is a subclassed model or has a `call` of its own, or is a Sequential one
            that was never built.
    """
    copied, clones = [], {}

    def clone(layer):
        if id(layer) not in clones:
            clones[id(layer)] = new_layer(layer)
        return clones[id(layer)]

    def new_layer(layer):
        # Not `clone_model(recursive=True)`: before Keras 3.14 it enters no model in a nested one.
        if _is_its_layers(layer):
            return copy_of(layer)
        new = replacement(layer)
        if new is None:
            new = layer.__class__.from_config(config_of(layer))
            if isinstance(layer, keras.layers.Layer):
                copied.append((layer, new))
        return new

    def copy_of(model):
        is_sequential = isinstance(model, keras.Sequential)  # whose layers are not called yet
        return keras.models.clone_model(
            model,
            clone_function=clone,
            call_function=None if is_sequential else _call_with_what_is_given,
        )

    if not _is_its_layers(model):
        raise ValueError(
            "Only a Sequential or functional model without a `call` of its own can be copied; of "
            "another one nothing says how its layers are called. "
            f"Received: model={model.name}, a {type(model).__name__}"
        )
    if not model.built:
        raise ValueError(
            f"Only a built model can be copied. Received: model={model.name}, which has no weights "
            "yet: call it on data, or give it an input shape, first"
        )
    copy = copy_of(model)
    for layer, new in copied:
        new.set_weights(layer.get_weights())
        for part, new_part in zip(layer._flatten_layers(), new._flatten_layers(), strict=True):
            _copy_what_was_adapted(part, new_part)
    return copy


def _is_its_layers(layer):
    """Whether a layer is a model that computes what its layers do, as they are put together."""
    return isinstance(layer, (keras.Sequential, keras.Function)) and not has_own_call(layer)


def _copy_what_was_adapted(layer, new):
    """Copies what Keras's preprocessing layers learn by `adapt` and do not keep in weights."""
    if isinstance(layer, keras.layers.Normalization):
        new.finalize_state()  # which makes what it computes with of the weights
    is_lookup = isinstance(layer, (keras.layers.IntegerLookup, keras.layers.StringLookup))
    if is_lookup and layer.input_vocabulary is None:  # one that was given is in the configuration
        new.set_vocabulary(layer.get_vocabulary())


def activation_of(layer):
    """A layer's activation for another layer: a copy, weights included, if it is a layer itself."""
    activation = layer.activation
    if not isinstance(activation, keras.layers.Layer):
        return activation
    copy = type(activation).from_config(activation.get_config())
    if activation.built:
        copy.build_from_config(activation.get_build_config())
        copy.set_weights(activation.get_weights())
    return copy


def config_of(layer):
    """A layer's configuration, with what early versions of Keras 3 leave out of it."""
    config = layer.get_config()
    if isinstance(layer, TRANSPOSED) and layer.output_padding is not None:
        config.setdefault("output_padding", layer.output_padding)
    return config


def _call_with_what_is_given(layer, *args, **kwargs):
    """Calls a layer without the arguments that are None: the layer it replaces may take others."""
    return layer(*args, **{name: value for name, value in kwargs.items() if value is not None})

"""Copies a model with some of its layers replaced by others."""

import keras


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
        ValueError: `model` is a subclassed model, or a Sequential one that was never built.
    """
    copied = []

    def clone(layer):
        new = replacement(layer)
        if new is None:
            new = layer.__class__.from_config(layer.get_config())
            if isinstance(layer, keras.layers.Layer):
                copied.append((layer, new))
        return new

    if not model.built:
        raise ValueError(
            f"Only a built model can be copied. Received: model={model.name}, which has no weights "
            "yet: call it on data, or give it an input shape, first"
        )
    copy = keras.models.clone_model(model, clone_function=clone, recursive=True)
    for layer, new in copied:
        new.set_weights(layer.get_weights())
    return copy

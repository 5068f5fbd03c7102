"""Turns weight-normalised layers into the plain Keras layers that compute the same.

A trained weight-normalised layer is a plain one with the kernel `V g / sqrt(epsilon + sum V^2)`.
For deployment the division can be done once; converters and runtimes then meet only layers they
know.

Paper: Salimans and Kingma (2016), Sec. 2.
"""

import keras
from keras import ops

from improved_gan_tf.layers.layer_replacement import activation_of, replace_layers
from improved_gan_tf.layers.weight_norm.base import WeightNormLayer
from improved_gan_tf.layers.weight_norm.conv import WeightNormConvLayer, WeightNormForwardConv
from improved_gan_tf.layers.weight_norm.embedding import WeightNormEmbedding
from improved_gan_tf.layers.weight_norm.plain_layers import PLAIN_LAYERS
from improved_gan_tf.machine.copies import assign_copy


def remove_weight_norm(model):
    """Returns a copy of a model, or of one layer, whose weight-normalised layers are plain ones.

    `WeightNormDense` becomes `Dense`, `WeightNormConv2D` becomes `Conv2D` and so on, of the same
    name; outputs agree up to rounding. Where Keras's layer lacks the explicit padding, a small
    Sequential takes the layer's place. Regularizers, constraints and initializers stay behind: the
    copy is for inference. `model` is not changed.

    Args:
        model: a built Sequential or functional model, nested ones included, or a built
            weight-normalised layer.

    Returns:
        What was given, copied: a model for a model, a layer for a layer.

    Raises:
        ValueError: the model or layer is not built, or is neither of the above, an embedding has a
            bias or an activation, or the model holds a weight-normalised layer inside another
            layer, a wrapper or a layer of your own, or one of a subclass.

    Example:

    >>> from improved_gan_tf.layers import WeightNormDense
    >>> model = keras.Sequential([keras.Input((5,)), WeightNormDense(3, name="logits")])
    >>> type(remove_weight_norm(model).get_layer("logits")).__name__
    'Dense'

    References:
        Paper: Salimans and Kingma (2016), Sec. 2.
    """
    if isinstance(model, keras.Model):
        return _with_none_left(replace_layers(model, _plain_layer))
    plain = _plain_layer(model)
    if plain is None:
        raise ValueError(
            "`remove_weight_norm` takes a model or a weight-normalised layer. "
            f"Received: {type(model).__name__}"
        )
    return plain


def _with_none_left(model):
    left = [layer for layer in model._flatten_layers() if isinstance(layer, WeightNormLayer)]
    if left:
        raise ValueError(
            "`remove_weight_norm` replaces the layers of a model and of the models in it, not "
            "those inside other layers, such as a TimeDistributed, or of a subclass. "
            f"Received: {type(left[0]).__name__} '{left[0].name}'"
        )
    return model


def _plain_layer(layer):
    """Returns the plain layer with the normalised kernel, or None for any other layer."""
    if type(layer) not in PLAIN_LAYERS:  # nor a subclass, which may do more
        return None
    if not layer.built:
        raise ValueError(
            "Only a built layer can be converted: call it, or the model, on data first. "
            f"Received: layer '{layer.name}'"
        )
    if isinstance(layer, WeightNormForwardConv):
        return _plain_conv(layer)
    if isinstance(layer, WeightNormConvLayer):
        return _plain_conv_transpose(layer)
    if isinstance(layer, WeightNormEmbedding):
        return _plain_embedding(layer)
    dense = keras.layers.Dense(layer.units, activation=activation_of(layer), **_common(layer))
    kernel = layer.kernel * layer._scale_over_norm()
    return _with_weights(dense, (None, kernel.shape[0]), kernel, layer.bias)


def _plain_embedding(layer):
    if layer.use_bias or layer.activation is not keras.activations.linear:
        raise ValueError(
            "`keras.layers.Embedding` has no bias and no activation. "
            f"Received: layer '{layer.name}' with one of them"
        )
    plain = keras.layers.Embedding(
        layer.input_dim,
        layer.output_dim,
        mask_zero=layer.mask_zero,
        name=layer.name,
        trainable=layer.trainable,
        dtype=layer.dtype_policy,
    )
    return _with_weights(plain, (None,), layer.kernel * layer._scale_over_norm(), None)


def _plain_conv(layer):
    padding = layer._equivalent_padding()
    kernel = layer.kernel * layer._scale_over_norm()
    channels = kernel.shape[-2] * layer.groups
    if isinstance(padding, str):
        return _plain(layer, kernel, channels, padding=padding, groups=layer.groups)
    conv = _plain(
        layer,
        kernel,
        channels,
        padding="valid",
        groups=layer.groups,
        data_format="channels_last",
        activation=None,
    )
    pad = _spatial_layer(layer, "ZeroPadding", padding)
    return _in_sequence(layer, channels, [pad, conv])


def _plain_conv_transpose(layer):
    kernel = layer.kernel * ops.expand_dims(layer._scale_over_norm(), -1)
    channels = kernel.shape[-1]
    if isinstance(layer.padding, str):
        return _plain(
            layer, kernel, channels, padding=layer.padding, output_padding=layer.output_padding
        )
    conv = _plain(
        layer,
        kernel,
        channels,
        padding="valid",
        output_padding=layer.output_padding or (0,) * layer.rank,
        data_format="channels_last",
        activation=None,
    )
    cut = _spatial_layer(layer, "Cropping", layer.padding)
    return _in_sequence(layer, channels, [conv, cut])


def _plain(layer, kernel, channels, **arguments):
    """Returns Keras's layer of the same kind, with the kernel and the bias."""
    geometry = {
        "filters": layer.filters,
        "kernel_size": layer.kernel_size,
        "strides": layer.strides,
        "data_format": layer.data_format,
        "dilation_rate": layer.dilation_rate,
        "activation": activation_of(layer),
    }
    plain = PLAIN_LAYERS[type(layer)](**{**geometry, **_common(layer), **arguments})
    return _with_weights(
        plain, _input_shape(layer.rank, channels, plain.data_format), kernel, layer.bias
    )


def _spatial_layer(layer, kind, padding):
    """Returns Keras's "ZeroPadding" or "Cropping" for channels_last, of the layer's rank."""
    options = {"dtype": layer.dtype_policy}
    if (kind, layer.rank) != ("Cropping", 1):  # which knows channels_last alone
        options["data_format"] = "channels_last"
    # One integer where there is one axis: `ZeroPadding1D` takes two for its two ends.
    padding = padding[0] if layer.rank == 1 else tuple((p, p) for p in padding)
    return getattr(keras.layers, f"{kind}{layer.rank}D")(padding, **options)


def _input_shape(rank, channels, data_format):
    lengths = (None,) * rank
    if data_format == "channels_last":
        return (None, *lengths, channels)
    return (None, channels, *lengths)


def _common(layer):
    return {
        "use_bias": layer.use_bias,
        "name": layer.name,
        "trainable": layer.trainable,
        "dtype": layer.dtype_policy,
    }


def _with_weights(plain, input_shape, kernel, bias):
    plain.build(input_shape)
    for variable, value in zip(plain.weights, (kernel, bias), strict=False):
        assign_copy(variable, value)
    return plain


def _in_sequence(layer, channels, steps):
    """Returns a Sequential of steps in channels_last, transposed if need be, and the activation."""
    shape = _input_shape(layer.rank, channels, layer.data_format)
    activation = keras.layers.Activation(activation_of(layer), dtype=layer.dtype_policy)
    if layer.data_format == "channels_first":
        spatial = tuple(range(2, layer.rank + 2))
        to_last = keras.layers.Permute((*spatial, 1), dtype=layer.dtype_policy)
        back = keras.layers.Permute(
            (layer.rank + 1, *range(1, layer.rank + 1)), dtype=layer.dtype_policy
        )
        steps = [to_last, *steps, back]
    inputs = keras.Input(shape[1:], dtype=layer.compute_dtype)
    return keras.Sequential(
        [inputs, *steps, activation], name=layer.name, trainable=layer.trainable
    )

"""Turns weight-normalised layers into the plain Keras layers that compute the same.

A trained weight-normalised layer is a plain one with the kernel `V g / sqrt(epsilon + sum V^2)`.
For deployment the division can be done once; converters and runtimes then meet only layers they
know.

Paper: Salimans and Kingma (2016), Sec. 2.
"""

import keras
from keras import ops

from improved_gan_tf.layers.layer_replacement import replace_layers
from improved_gan_tf.layers.weight_norm.base import WeightNormLayer
from improved_gan_tf.layers.weight_norm.conv import WeightNormConv2D
from improved_gan_tf.layers.weight_norm.conv_transpose import WeightNormConv2DTranspose
from improved_gan_tf.layers.weight_norm.dense import WeightNormDense


def remove_weight_norm(model):
    """Returns a copy of a model, or of one layer, whose weight-normalised layers are plain ones.

    `WeightNormDense` becomes `Dense`, `WeightNormConv2D` becomes `Conv2D` and
    `WeightNormConv2DTranspose` becomes `Conv2DTranspose`, of the same name; outputs agree up to
    rounding. Where Keras's layer lacks the explicit padding, a small Sequential of padding and
    convolution, or of convolution and cropping, takes the layer's place. Regularizers, constraints
    and initializers stay behind: the copy is for inference. `model` is not changed.

    Args:
        model: a built Sequential or functional model, nested ones included, or a built
            weight-normalised layer.

    Returns:
        What was given, copied: a model for a model, a layer for a layer.

    Raises:
        ValueError: the model or layer is not built, or is neither of the above, or the model holds
            a weight-normalised layer inside another layer, a wrapper or a layer of your own.

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
            "those inside other layers, such as a TimeDistributed. "
            f"Received: {type(left[0]).__name__} '{left[0].name}' inside another layer"
        )
    return model


def _plain_layer(layer):
    """Returns the plain layer with the normalised kernel, or None for any other layer."""
    if not isinstance(layer, WeightNormLayer):
        return None
    if not layer.built:
        raise ValueError(
            "Only a built layer can be converted: call it, or the model, on data first. "
            f"Received: layer '{layer.name}'"
        )
    factor = layer._scale_over_norm()
    if isinstance(layer, WeightNormDense):
        return _plain_dense(layer, layer.kernel * factor)
    if isinstance(layer, WeightNormConv2D):
        return _plain_conv(layer, layer.kernel * factor)
    if isinstance(layer, WeightNormConv2DTranspose):
        return _plain_conv_transpose(layer, layer.kernel * ops.expand_dims(factor, -1))
    return None


def _plain_dense(layer, kernel):
    dense = keras.layers.Dense(layer.units, activation=layer.activation, **_common(layer))
    return _with_weights(dense, (None, kernel.shape[0]), kernel, layer.bias)


def _plain_conv(layer, kernel):
    padding = layer._equivalent_padding()
    explicit = not isinstance(padding, str)
    conv = keras.layers.Conv2D(
        layer.filters,
        layer.kernel_size,
        strides=layer.strides,
        padding="valid" if explicit else padding,
        data_format=layer.data_format,
        dilation_rate=layer.dilation_rate,
        groups=layer.groups,
        activation=layer.activation,
        **_common(layer),
    )
    input_shape = (None, None, None, kernel.shape[2] * layer.groups)
    _with_weights(conv, input_shape, kernel, layer.bias)
    if not explicit:
        return conv
    pad = keras.layers.ZeroPadding2D(
        padding, data_format=layer.data_format, dtype=layer.dtype_policy
    )
    return _in_sequence(layer, input_shape, [pad, conv])


def _plain_conv_transpose(layer, kernel):
    explicit = not isinstance(layer.padding, str)
    conv = keras.layers.Conv2DTranspose(
        layer.filters,
        layer.kernel_size,
        strides=layer.strides,
        padding="valid" if explicit else layer.padding,
        output_padding=(layer.output_padding or (0, 0)) if explicit else layer.output_padding,
        data_format=layer.data_format,
        dilation_rate=layer.dilation_rate,
        activation=None if explicit else layer.activation,
        **_common(layer),
    )
    input_shape = (None, None, None, kernel.shape[3])
    _with_weights(conv, input_shape, kernel, layer.bias)
    if not explicit:
        return conv
    cut = keras.layers.Cropping2D(
        layer.padding, data_format=layer.data_format, dtype=layer.dtype_policy
    )
    activation = keras.layers.Activation(layer.activation, dtype=layer.dtype_policy)
    return _in_sequence(layer, input_shape, [conv, cut, activation])


def _common(layer):
    return {
        "use_bias": layer.use_bias,
        "name": layer.name,
        "trainable": layer.trainable,
        "dtype": layer.dtype_policy,
    }


def _with_weights(plain, input_shape, kernel, bias):
    plain.build(input_shape)
    plain.set_weights([kernel] if bias is None else [kernel, bias])
    return plain


def _in_sequence(layer, input_shape, steps):
    inputs = keras.Input(input_shape[1:], dtype=layer.compute_dtype)
    return keras.Sequential([inputs, *steps], name=layer.name, trainable=layer.trainable)

"""Turns the layers of a model into weight-normalised ones that compute the same.

Paper: Salimans and Kingma (2016), Sec. 2.
"""

import keras
from keras import ops

from improved_gan_tf.layers.layer_replacement import activation_of, config_of, replace_layers
from improved_gan_tf.layers.weight_norm.base import sum_of_squares
from improved_gan_tf.layers.weight_norm.conv import WeightNormConvLayer, WeightNormForwardConv
from improved_gan_tf.layers.weight_norm.plain_layers import PLAIN_LAYERS
from improved_gan_tf.machine.copies import assign_copy

_NORMALIZED = {plain: normalized for normalized, plain in PLAIN_LAYERS.items()}
# What Keras's layers and these have in common.
_SHARED_ARGUMENTS = (
    "input_dim",
    "output_dim",
    "mask_zero",
    "units",
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "output_padding",
    "data_format",
    "dilation_rate",
    "groups",
    "use_bias",
    "kernel_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "bias_constraint",
    "name",
    "trainable",
    "dtype",
)


def add_weight_norm(model, train_scale=True, epsilon=1e-6):
    """Returns a copy of a model, or of one layer, with weight normalization; outputs are the same.

    Keras's `Dense`, `Embedding`, `Conv1D`, `Conv2D`, `Conv3D` and their transposes become the
    weight-normalised layers of the same name and arguments. The kernel stays as V, the scale is its
    length, g = sqrt(epsilon + sum V^2), so that the copy computes what `model` does at first.
    Layers of a class of your own, and those inside other layers, stay as they are. `model` is not
    changed. `remove_weight_norm` is the way back.

    Args:
        model: a built Sequential or functional model, nested ones included, or one built layer of
            those.
        train_scale: bool, default True: direction and length are both trained, as in the paper.
        epsilon: float >= 0 inside the root, default 1e-6.

    Returns:
        What was given, copied: a model for a model, a layer for a layer.

    Raises:
        ValueError: the model or layer is not built, or is neither of the above, or no layer of
            the model is; a `Conv1D` has the padding "causal"; a layer is quantized; `epsilon` is
            negative, or it is 0 and a unit's kernel too.

    Example:

    >>> model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, name="logits")])
    >>> type(add_weight_norm(model).get_layer("logits")).__name__
    'WeightNormDense'

    References:
        Paper: Salimans and Kingma (2016), Sec. 2.
    """
    replaced = []

    def replacement(layer):
        if type(layer) not in _NORMALIZED:
            return None
        replaced.append(layer)
        return _normalized(layer, train_scale, epsilon)

    copy = replace_layers(model, replacement) if _is_model(model) else replacement(model)
    if not replaced:
        raise ValueError(
            "`add_weight_norm` takes a model with, or a layer of, one of the types "
            f"{[plain.__name__ for plain in _NORMALIZED]}. Received: {type(model).__name__} "
            f"'{model.name}'"
        )
    return copy


def _is_model(model):
    return isinstance(model, keras.Model)


def _normalized(layer, train_scale, epsilon):
    if not layer.built:
        raise ValueError(
            "Only a built layer can be converted: call it, or the model, on data first. "
            f"Received: layer '{layer.name}'"
        )
    if getattr(layer, "quantization_mode", None) is not None:
        raise ValueError(
            "`add_weight_norm` needs kernels that can be trained, before `quantize`. "
            f"Received: layer '{layer.name}', quantized to {layer.quantization_mode}"
        )
    config = config_of(layer)
    shared = {name: config[name] for name in _SHARED_ARGUMENTS if name in config}
    if "activation" in config:
        shared["activation"] = activation_of(layer)
    if "embeddings_regularizer" in config:
        for kind in ("initializer", "regularizer", "constraint"):
            shared[f"kernel_{kind}"] = config[f"embeddings_{kind}"]
    normalized = _NORMALIZED[type(layer)](**shared, train_scale=train_scale, epsilon=epsilon)
    is_embedding = isinstance(layer, keras.layers.Embedding)
    kernel = layer.embeddings if is_embedding else layer.kernel
    normalized.build(_input_shape(normalized, kernel.shape))
    assign_copy(normalized.kernel, kernel)
    squares = sum_of_squares(normalized.kernel, normalized._sum_axes)
    if epsilon == 0.0 and bool(ops.any(squares == 0.0)):
        raise ValueError(
            "A unit whose kernel is 0 has no direction: `epsilon` must be positive. Received: "
            f"epsilon=0, layer '{layer.name}' with such a unit"
        )
    normalized.scale.assign(ops.sqrt(epsilon + squares))
    if normalized.use_bias:
        assign_copy(normalized.bias, layer.bias)
    return normalized


def _input_shape(layer, kernel_shape):
    """Returns a shape of inputs for which the layer has a kernel of `kernel_shape`."""
    if not isinstance(layer, WeightNormConvLayer):
        return (None, kernel_shape[0])
    is_forward = isinstance(layer, WeightNormForwardConv)
    channels = kernel_shape[-2] * layer.groups if is_forward else kernel_shape[-1]
    lengths = (None,) * layer.rank
    if layer.data_format == "channels_last":
        return (None, *lengths, channels)
    return (None, channels, *lengths)

"""Turns spectrally normalised layers into the plain Keras layers that compute the same.

Paper: Miyato et al. (2018), Sec. 2.1.
"""

import keras
from keras import ops

from improved_gan_tf.layers.conditional_batch_norm.conditional import ConditionalBatchNorm
from improved_gan_tf.layers.layer_replacement import replace_layers
from improved_gan_tf.layers.projection import ProjectionHead
from improved_gan_tf.layers.self_attention import SelfAttention2D
from improved_gan_tf.layers.spectral_norm.base import SpectralNormLayer
from improved_gan_tf.layers.spectral_norm.conv import SpectralNormConv2D
from improved_gan_tf.layers.spectral_norm.conv_transpose import SpectralNormConv2DTranspose
from improved_gan_tf.layers.spectral_norm.dense import SpectralNormDense
from improved_gan_tf.layers.spectral_norm.embedding import SpectralNormEmbedding

_PLAIN = {
    SpectralNormDense: keras.layers.Dense,
    SpectralNormConv2D: keras.layers.Conv2D,
    SpectralNormConv2DTranspose: keras.layers.Conv2DTranspose,
    SpectralNormEmbedding: keras.layers.Embedding,
}
_MADE_OF_SUCH = (ConditionalBatchNorm, ProjectionHead, SelfAttention2D)
_ARGUMENTS = ("num_singular_values", "num_power_iterations", "epsilon", "u_initializer")


def remove_spectral_norm(model):
    """Returns a copy of a model, or of one layer, whose spectrally normalised layers are plain.

    `SpectralNormDense` becomes `Dense`, and so on, with the kernel of evaluation, `W / sigma`, and
    the same name; outputs agree up to rounding. `ConditionalBatchNorm`, `ProjectionHead` and
    `SelfAttention2D` stay and lose what is spectrally normalised in them. The copy is for
    inference: trained on, it would be another network. `model` is not changed.

    Args:
        model: a built Sequential or functional model, nested ones included, or a built
            spectrally normalised layer.

    Returns:
        What was given, copied: a model for a model, a layer for a layer.

    Raises:
        ValueError: the model or layer is not built, or is neither of the above, or the model holds
            a spectrally normalised layer inside a wrapper or a layer of your own, or one of a
            subclass.

    Example:

    >>> model = keras.Sequential([keras.Input((5,)), SpectralNormDense(3, name="logits")])
    >>> type(remove_spectral_norm(model).get_layer("logits")).__name__
    'Dense'

    References:
        Paper: Miyato et al. (2018), Sec. 2.1.
    """
    if isinstance(model, keras.Model):
        return _with_none_left(replace_layers(model, _plain_layer))
    plain = _plain_layer(model)
    if plain is None:
        raise ValueError(
            "`remove_spectral_norm` takes a model or a spectrally normalised layer. "
            f"Received: {type(model).__name__}"
        )
    return plain


def _with_none_left(model):
    left = [layer for layer in model._flatten_layers() if isinstance(layer, SpectralNormLayer)]
    if left:
        raise ValueError(
            "`remove_spectral_norm` replaces the layers of a model and of the models in it, not "
            "those inside other layers, such as a TimeDistributed, or of a subclass. "
            f"Received: {type(left[0]).__name__} '{left[0].name}'"
        )
    return model


def _plain_layer(layer):
    """Returns the plain layer with the normalised kernels, or None for any other layer."""
    config = layer.get_config()
    if type(layer) in _PLAIN:
        plain = _PLAIN[type(layer)]
        config = {name: value for name, value in config.items() if name not in _ARGUMENTS}
    elif type(layer) in _MADE_OF_SUCH and layer.spectral_norm:
        plain = type(layer)
        config = {**config, "spectral_norm": False}
    else:
        return None
    if not layer.built:
        raise ValueError(
            "Only a built layer can be converted: call it, or the model, on data first. "
            f"Received: layer '{layer.name}'"
        )
    copy = plain.from_config(config)
    copy.build_from_config(layer.get_build_config())
    copy.set_weights(_folded_weights(layer))
    return copy


def _folded_weights(layer):
    """The layer's weights with every kernel normalised, without what the plain layer lacks."""
    folded, dropped = {}, set()
    for part in layer._flatten_layers():
        if isinstance(part, SpectralNormLayer):
            is_table = isinstance(part, SpectralNormEmbedding)
            kernel = part.embeddings if is_table else part.kernel
            folded[id(kernel)] = part._normalized(kernel)
            dropped |= {id(part.u), id(part.singular_values)}
    weights = [w for w in layer.weights if id(w) not in dropped]
    return [ops.convert_to_numpy(folded.get(id(w), w)) for w in weights]

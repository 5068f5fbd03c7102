"""Virtual batch normalization after training: stored statistics instead of the reference batch.

Paper: Salimans et al. (2016), Sec. 3.5.
"""

import keras
from keras import ops

from improved_gan_tf.layers.layer_replacement import replace_layers
from improved_gan_tf.layers.virtual_batch_norm.base import VirtualNormLayer
from improved_gan_tf.layers.virtual_batch_norm.live import VirtualBatchNorm, recording
from improved_gan_tf.layers.virtual_batch_norm.reference_batch import (
    DropReference,
    PrependReference,
)
from improved_gan_tf.layers.virtual_batch_norm.statistics import virtual_statistics
from improved_gan_tf.machine.copies import assign_copy


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class FrozenVirtualBatchNorm(VirtualNormLayer):
    """Normalises each example with stored reference statistics and its own.

    What `freeze_reference` puts in the place of `VirtualBatchNorm`: the formula for a live
    example, with the reference's mean and variance as weights that no longer move.

    Batch meaning: rows are independent.

    Training: the same in training and inference; the statistics are not trained.

    Args:
        reference_size: int > 0, number of examples R behind the statistics; an example weighs
            1 / (R + 1).
        axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
            gamma_regularizer, beta_constraint, gamma_constraint: as in `VirtualBatchNorm`.

    Call arguments:
        inputs: (N, ..., C), rank 2 or more, floating point.

    Returns:
        (N, ..., C), the layer's compute dtype.

    Raises:
        ValueError: an argument is out of its range; the input has rank below 2, an unknown number
            of channels or is not floating point.

    Weights:
        gamma: (C,), if `scale`.
        beta: (C,), if `center`.
        reference_mean: (C,), not trained, zeros unless `freeze_reference` set it.
        reference_variance: (C,), not trained, ones unless `freeze_reference` set it.

    Example:

    >>> import numpy as np
    >>> layer = FrozenVirtualBatchNorm(reference_size=4)
    >>> tuple(layer(np.ones((2, 8, 8, 3), "float32")).shape)
    (2, 8, 8, 3)

    References:
        Paper:    Salimans et al. (2016), Sec. 3.5.
    """

    def build(self, input_shape):
        super().build(input_shape)
        self.reference_mean = self.add_weight(
            name="reference_mean",
            shape=(self._channels,),
            initializer="zeros",
            trainable=False,
            autocast=False,
        )
        self.reference_variance = self.add_weight(
            name="reference_variance",
            shape=(self._channels,),
            initializer="ones",
            trainable=False,
            autocast=False,
        )

    def call(self, inputs):
        centred, row_mean, row_variance = self._row_statistics(inputs)
        mean, variance = virtual_statistics(
            row_mean,
            row_variance,
            self._by_channel(self.reference_mean, row_mean.dtype),
            self._by_channel(self.reference_variance, row_mean.dtype),
            weight=1.0 / (self.reference_size + 1.0),
        )
        return self._normalise(centred, row_mean, mean, variance)


def freeze_reference(model, inputs=None):
    """Returns a copy of `model` that needs no reference batch; its outputs are those of `model`.

    The model is run once (inference mode). In the copy every `VirtualBatchNorm` has become a
    `FrozenVirtualBatchNorm` that holds the statistics of that pass, and `PrependReference` and
    `DropReference` have become identities: inference costs one pass over the live batch. The
    copy is saved, loaded and exported like any model. `model` itself is not changed.

    Args:
        model: a Sequential or functional model, nested ones included.
        inputs: anything that `model` can be called with; its values do not matter. Needed only
            if the model's input shape is not fully known. Default: one row of zeros.

    Returns:
        A `keras.Model` of the same structure.

    Raises:
        ValueError: the model is not built, or neither Sequential nor functional; it contains no
            `VirtualBatchNorm`, one that is called more than once, or one inside another layer or of
            a subclass; no reference was set; the input shape is unknown.

    References:
        Paper: Salimans et al. (2016), Sec. 3.5.
    """
    if inputs is None:
        inputs = _rows_of_zeros(model)
    for layer in model._flatten_layers():
        if (
            isinstance(layer, PrependReference)
            and layer.built
            and layer.reference_is_set() is False
        ):
            raise ValueError(
                f"`freeze_reference` takes the statistics of the reference. Received: layer "
                f"'{layer.name}', which has no reference batch"
            )
    with recording() as recorded:
        model(inputs, training=False)
    if not recorded:
        raise ValueError(
            f"`freeze_reference` found no `VirtualBatchNorm`. Received: model={model.name}"
        )
    frozen = set()

    def replacement(layer):
        if isinstance(layer, (PrependReference, DropReference)):
            # Not `Identity`, which cannot be saved with a dtype policy.
            return keras.layers.Activation("linear", name=layer.name, dtype=layer.dtype_policy)
        if type(layer) is VirtualBatchNorm:  # a subclass may do more
            frozen.add(id(layer))
            return _frozen(layer, recorded[id(layer)])
        return None

    copy = replace_layers(model, replacement)
    left = [calls[0][0].name for key, calls in recorded.items() if key not in frozen]
    if left:
        raise ValueError(
            "`freeze_reference` replaces layers of Sequential and functional models; these layers "
            "are inside another layer or a subclassed model, or of a subclass. "
            f"Received: layers {left}"
        )
    return copy


def _rows_of_zeros(model):
    if isinstance(model, keras.Sequential) and model.built:
        return _row_of_zeros(model.inputs[0])
    if getattr(model, "input", None) is None:
        raise ValueError(
            "`freeze_reference` takes a built Sequential or functional model. "
            f"Received: model={model.name} of type {type(model).__name__}"
        )
    return keras.tree.map_structure(_row_of_zeros, model.input)


def _row_of_zeros(tensor):
    if None in tensor.shape[1:]:
        raise ValueError(
            "`freeze_reference` needs `inputs` for a model whose input shape is not fully known. "
            f"Received: input shape {tuple(tensor.shape)}, inputs=None"
        )
    return ops.zeros((tensor.shape[0] or 1, *tensor.shape[1:]), dtype=tensor.dtype)


def _frozen(layer, calls):
    if len(calls) > 1:
        raise ValueError(
            f"Layer '{layer.name}' is called more than once and has several reference statistics. "
            "Received: a shared `VirtualBatchNorm`"
        )
    _, mean, variance = calls[0]
    frozen = FrozenVirtualBatchNorm.from_config(layer.get_config())
    shape = [None] * len(mean.shape)
    shape[layer.axis] = mean.shape[layer.axis]
    frozen.build(tuple(shape))
    for weight in ("gamma", "beta"):
        if getattr(layer, weight) is not None:
            assign_copy(getattr(frozen, weight), getattr(layer, weight))
    frozen.reference_mean.assign(ops.reshape(mean, (-1,)))
    frozen.reference_variance.assign(ops.reshape(variance, (-1,)))
    return frozen

"""Batch statistics after training: recorded from some batches, the same for every example.

Paper: Ioffe and Szegedy (2015), Alg. 2, step 10, which records them from training batches too.
"""

import keras
from keras import ops

from improved_gan_tf.layers.batch_statistics_norm import BatchStatisticsNorm, mean_of_rows
from improved_gan_tf.layers.layer_calls import calls_in_graph
from improved_gan_tf.layers.layer_replacement import replace_layers
from improved_gan_tf.machine.copies import assign_copy
from improved_gan_tf.precision import at_least_float32


def moments(x):
    """Mean and biased variance of every channel, each (C,), of one batch (N, ..., C)."""
    axes = tuple(range(len(x.shape) - 1))
    mean = mean_of_rows(x, axes)
    variance = mean_of_rows(ops.square(x - mean), axes)
    return ops.reshape(mean, (-1,)), ops.reshape(variance, (-1,))


def freeze_batch_statistics(model, batches):
    """Returns a copy of `model` in which an example's output does not depend on its batch.

    In the copy every `BatchStatisticsNorm` has become a `keras.layers.BatchNormalization` in
    inference mode. Its mean and variance are the plain means, over `batches`, of each batch's own
    mean and variance in `model`. Made from one batch, the copy's outputs on that batch are those of
    `model`. `model` itself is not changed.

    Args:
        model: a built Sequential or functional model.
        batches: iterable of what the model is called with, of equal size and about the training
            size. The more there are, the less the copy depends on them.

    Returns:
        A `keras.Model` of the same structure.

    Raises:
        ValueError: `batches` is empty; the model is neither Sequential nor functional, or not
            built; it holds no `BatchStatisticsNorm`, one that is called more than once, or one
            inside another layer or of a subclass.

    Example:

    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((1,)), BatchStatisticsNorm()])
    >>> frozen = freeze_batch_statistics(model, [np.array([[1.0], [3.0]], "float32")])
    >>> round(float(frozen(np.array([[5.0]], "float32"))[0, 0]), 4)
    3.0

    References:
        Paper: Ioffe and Szegedy (2015), Alg. 2; Salimans et al. (2016), Sec. 3.5, on a generator
               whose output for an input depends on the other inputs of the batch.
    """
    inputs = _inputs_to_freeze(model)
    recorded = _mean_moments(model, inputs, batches)

    def replacement(layer):
        if not isinstance(layer, BatchStatisticsNorm):
            return None
        return _frozen(layer, inputs[layer].shape, *recorded[layer.name])

    return replace_layers(model, replacement)


def _inputs_to_freeze(model):
    """`{layer: its symbolic input}` of every `BatchStatisticsNorm` of `model`."""
    every = [x for x in model._flatten_layers() if isinstance(x, BatchStatisticsNorm)]
    if not every or getattr(model, "inputs", None) is None:
        raise ValueError(
            "`freeze_batch_statistics` takes a built Sequential or functional model with a "
            f"`BatchStatisticsNorm`. Received: model={model.name} of type {type(model).__name__}"
        )
    calls = {layer: calls_in_graph(layer, model.outputs) for layer in every}
    # What is inside another layer has no call in the model's own graph.
    wrong = [
        layer.name
        for layer in every
        if type(layer) is not BatchStatisticsNorm or len(calls[layer]) != 1
    ]
    if wrong:
        raise ValueError(
            "`freeze_batch_statistics` replaces layers that are called once, and are in the model "
            f"itself, not inside another layer nor of a subclass. Received: layers {wrong}"
        )
    return {layer: call.input_tensors[0] for layer, (call,) in calls.items()}


def _mean_moments(model, inputs_of, batches):
    """`{layer name: (mean, variance)}`, the mean over the batches of each batch's moments."""
    # A Sequential model that was only built has no `input`.
    inputs = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    inputs_of_layers = keras.Model(inputs, {layer.name: x for layer, x in inputs_of.items()})
    sums, count = None, 0
    for batch in batches:
        entering = inputs_of_layers(batch, training=False)
        found = {
            layer.name: moments(
                ops.cast(entering[layer.name], at_least_float32(layer.variable_dtype))
            )
            for layer in inputs_of
        }
        sums = found if sums is None else keras.tree.map_structure(ops.add, sums, found)
        count += 1
    if not count:
        raise ValueError("`batches` must hold at least one batch. Received: none")
    return keras.tree.map_structure(lambda x: x / count, sums)


def _frozen(layer, input_shape, mean, variance):
    frozen = keras.layers.BatchNormalization(
        epsilon=layer.epsilon,
        scale=layer.scale,
        trainable=False,  # with which Keras never uses the batch at hand
        name=layer.name,
        dtype=layer.dtype_policy,
    )
    frozen.build(input_shape)
    assign_copy(frozen.beta, layer.beta)
    if layer.scale:
        assign_copy(frozen.gamma, layer.gamma)
    frozen.moving_mean.assign(mean)
    frozen.moving_variance.assign(variance)
    return frozen

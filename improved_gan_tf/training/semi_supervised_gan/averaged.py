"""The averaged parameters with which a `SemiSupervisedGAN` is tested, from their first step on."""

import math

import keras
from keras import ops

from improved_gan_tf.layers.layer_replacement import replace_layers


def averaged_values(average, steps):
    """The parameters' averages over the steps made so far, `{id(parameter): tensor}`.

    The average starts at zero and holds the share `w = 1 - (1 - rate)^t` of its weight after t
    updates, so `avg / w` is a weighted mean of past parameters. Before the first update it is the
    parameters themselves.

    Args:
        average: `ParameterAverage`.
        steps: integer scalar tensor, t.
    """
    values = {}
    for mean, variable in zip(average.averages, average.parameters, strict=True):
        dtype = keras.backend.standardize_dtype(mean.dtype)
        updates = ops.cast(ops.maximum(steps, 1), dtype)
        # log1p(-1) has no value: a rate of 1 holds all of the last value from the first step.
        log = math.log1p(-average.rate) if average.rate < 1.0 else -math.inf
        share = -ops.expm1(updates * log)
        parameter = ops.convert_to_tensor(variable)
        now = ops.cast(ops.convert_to_tensor(mean) / share, parameter.dtype)
        values[id(variable)] = ops.where(steps > 0, now, parameter)
    return values


def averaged_copy(outputs, average, steps):
    """A new model from images to logits (N, K), with the averaged parameters of now.

    Args:
        outputs: functional model to `{"logits": (N, K), ..}`.
        average: `ParameterAverage` of its trainable variables; None for the parameters themselves.
        steps: integer scalar tensor, t.

    Returns:
        Functional model named "classifier".
    """
    model = keras.Model(outputs.inputs[0], outputs.output["logits"])
    copy = replace_layers(model, lambda layer: None)
    if average is not None:
        averaged = averaged_values(average, steps)
        for target, source in zip(copy.weights, model.weights, strict=True):
            if id(source) in averaged:
                target.assign(averaged[id(source)])
    return keras.Model(copy.inputs[0], copy.outputs[0], name="classifier")

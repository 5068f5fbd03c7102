"""Standing statistics: the moving averages replaced by the plain mean over some batches.

Moving averages lag behind the weights and depend on how training went. Standing statistics are
computed afresh, with the weights that the samples will be drawn with and with batches like those of
the samples.

Paper:    Brock et al. (2019), App. C.1.
Original: ajbrock/BigGAN-PyTorch@9845943, utils.py, `accumulate_standing_stats`; layers.py, `myBN`.
"""

from keras import ops

from improved_gan_tf.layers.conditional_batch_norm.statistics import MovingStatisticsNorm, recording


def set_standing_statistics(model, batches):
    """Puts the mean of every batch's statistics in the place of a model's moving averages.

    The model is called once for each batch with `training=True`. Mean and biased variance, as in
    the original, of every `BatchNorm` and `ConditionalBatchNorm` are averaged over the batches and
    become its `moving_mean` and `moving_variance`. Other variables that a training call moves, the
    u of spectral normalization for one, are put back; after an error all are.

    Args:
        model: a built model or layer.
        batches: iterable of what the model is called with, e.g. dicts of z and labels; of equal
            size. The paper takes 100 of the samples' batch size.

    Raises:
        ValueError: `batches` is empty; the model has no such layer, or does not call one.

    References:
        Paper: Brock et al. (2019), App. C.1.
    """
    layers = [x for x in model._flatten_layers() if isinstance(x, MovingStatisticsNorm)]
    if not layers:
        raise ValueError(
            "`set_standing_statistics` found no `BatchNorm` or `ConditionalBatchNorm`. "
            f"Received: model={model.name}"
        )
    kept = [(variable, ops.copy(variable.value)) for variable in model.non_trainable_variables]
    try:
        with recording() as recorded:
            for batch in batches:
                model(batch, training=True)
    finally:
        for variable, value in kept:
            variable.assign(value)
    if not recorded:
        raise ValueError("`batches` must hold at least one batch. Received: none")
    uncalled = [layer.name for layer in layers if id(layer) not in recorded]
    if uncalled:
        raise ValueError(
            f"`set_standing_statistics` needs every batch normalization called. '{model.name}' did "
            f"not call: {', '.join(uncalled)}"
        )
    for layer in layers:
        means, variances = zip(*recorded[id(layer)], strict=True)
        layer.moving_mean.assign(sum(means) / len(means))
        layer.moving_variance.assign(sum(variances) / len(variances))

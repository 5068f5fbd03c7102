"""Data-dependent initialisation: one forward pass over real data, in sight.

Paper:    Salimans and Kingma (2016), Sec. 3.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*.py, `init_param`.
"""

from improved_gan_tf import distribution
from improved_gan_tf.layers import data_dependent


def initialize_from_data(model, batch):
    """Sets scale and bias of every layer in `model` that initialises itself from data.

    Runs `model(batch, training=True)` once, eagerly (a model that is not built yet is called in
    inference mode first, which builds it). Each weight-normalised (or
    minibatch-discrimination) layer on the way sets its own scale and bias and passes its
    normalised output on, so any graph of layers works, branches included, as long as no such layer
    is called twice. Noise and dropout are on, as in the original.

    The old scale is multiplied and the old bias replaced: call it before training, not after.
    Under `tf.distribute` call it in the strategy's scope or outside it, with the same batch on
    every worker: every replica gets the weights of one device.

    A model without such layers is run and otherwise left alone; `BatchNormalization` layers of
    Keras update their moving averages once.

    Args:
        model: a `keras.Model` or layer.
        batch: array or tensor that the model is called with; the original uses 500 training
            images for a discriminator and one batch of noise for a generator.

    Returns:
        What the model returned for `batch` (activations after initialisation).

    Raises:
        ValueError: some unit does not vary over the batch, or the model calls a layer that
            initialises itself more than once.
        RuntimeError: called while a graph is traced (`tf.function`, `fit`), where the pass
            would run again at every step; or on one of several replicas (`strategy.run`), where
            it would see a share of the batch.
    """
    _refuse_tracing()
    if distribution.replica_count() > 1:
        raise RuntimeError(
            "initialize_from_data is one pass over one batch: call it in the strategy's scope, not "
            "in a function that `strategy.run` runs on every replica."
        )
    if not getattr(model, "built", True):  # any callable will do
        # Else Keras would build it inside the pass, fail at layers that need values, and leave
        # it without what `model.save` must know to build it again.
        model(batch, training=False)
    with data_dependent.initializing():
        return model(batch, training=True)


def _refuse_tracing():
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if tf.inside_function():
            raise RuntimeError(
                "initialize_from_data runs once, eagerly: call it before training and outside "
                "tf.function, not inside one."
            )

"""Data-dependent initialisation: one forward pass over real data, in sight.

In that pass every weight-normalised layer sets its own scale and bias from the data it sees and
hands its *normalised* output to the next layer. `initialize_from_data` runs the pass; layers ask
`is_initializing()` in `call`.

Paper:    Salimans and Kingma (2016), Sec. 3.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/train_*.py, `init_param`; nn.py, the
          argument `init=True` of `get_output`.
"""

import contextlib
import contextvars

from improved_gan_tf import distribution

# The layers that have been initialised in the pass that is under way; None without one.
_initialized = contextvars.ContextVar("improved_gan_tf_initialized", default=None)


def is_initializing():
    """Whether the current forward pass is a data-dependent initialisation (bool)."""
    return _initialized.get() is not None


def require_first_call(layer):
    """Raises `ValueError` if the pass under way has initialised this layer before.

    The second call would undo the first, whose output has gone on already.
    """
    initialized = _initialized.get()
    if any(layer is other for other in initialized):
        raise ValueError(
            "Data-dependent initialisation needs a model that calls each layer with a scale of "
            f"its own once. Received: a model that calls layer '{layer.name}' more than once."
        )
    initialized.append(layer)


@contextlib.contextmanager
def initializing():
    """Marks the forward passes inside the `with` block as initialisation passes."""
    token = _initialized.set([])
    try:
        yield
    finally:
        _initialized.reset(token)


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
    with initializing():
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

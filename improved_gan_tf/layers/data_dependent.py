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
import inspect

import keras
import numpy as np
from keras import ops

from improved_gan_tf import distribution
from improved_gan_tf.machine.tracing import is_traced

# The pass that is under way; None without one.
_current_pass = contextvars.ContextVar("improved_gan_tf_initialization", default=None)


class _Pass:
    """One pass: which layers it has initialised, and what their variables were before."""

    def __init__(self):
        self.layers = []
        self._before = {}

    def remember(self, variables):
        for variable in variables:
            if id(variable) not in self._before:
                self._before[id(variable)] = variable, ops.convert_to_numpy(variable)

    def undo(self):
        for variable, value in self._before.values():
            variable.assign(value)


def is_initializing():
    """Whether the current forward pass is a data-dependent initialisation (bool)."""
    return _current_pass.get() is not None


def is_more_than_rounding(spread, size):
    """Whether numbers of some size differ by more than their last digits.

    Args:
        spread: tensor, the numbers' standard deviation or distance.
        size: tensor of the same shape and dtype, the largest of their absolute values.

    Returns:
        bool tensor, False for NaN. Numbers that are equal have a spread that is not always 0: their
        mean is rounded.
    """
    dtype = keras.backend.standardize_dtype(spread.dtype)
    return spread > 100.0 * float(np.finfo(dtype).eps) * size


def require_first_call(layer, x):
    """Raises `ValueError` if the pass under way cannot initialise this layer.

    Either it has done so before: the second call would undo the first, whose output has gone on
    already. Or `x`, what the layer computed from its input, has no values yet.
    """
    current = _current_pass.get()
    again = any(layer is other for other in current.layers)
    if again or is_traced(x):
        how = (
            "more than once" if again else "in a part that JAX traces, like RematScope's or a scan"
        )
        raise ValueError(
            "Data-dependent initialisation needs a model that calls each layer with a scale of "
            f"its own once, on values. Received: a model that calls layer '{layer.name}' {how}. "
            "(As TimeDistributed does, which WeightNormDense can do without: it takes inputs of "
            "any rank. Other layers initialize_from_data takes by themselves: the rows of all "
            "steps, as one batch, for the layer that TimeDistributed wraps.)"
        )
    current.layers.append(layer)
    current.remember(layer.variables)


@contextlib.contextmanager
def initializing(variables=()):
    """Marks the forward passes inside the `with` block as initialisation passes.

    Compiled functions inside run eagerly. An error puts every layer back that was initialised
    before it, and `variables`.
    """
    this_pass = _Pass()
    this_pass.remember(variables)
    token = _current_pass.set(this_pass)
    try:
        with _without_compiling():
            yield
    except BaseException:
        this_pass.undo()
        raise
    finally:
        _current_pass.reset(token)


@contextlib.contextmanager
def _without_compiling():
    """Runs `tf.function` and `jax.jit` eagerly: a graph traced in the pass would repeat it later.

    And one that was traced earlier would leave it out.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        before = tf.config.functions_run_eagerly()
        tf.config.run_functions_eagerly(True)
        try:
            yield
        finally:
            tf.config.run_functions_eagerly(before)
    elif keras.backend.backend() == "jax":
        import jax

        with jax.disable_jit():
            yield
    else:
        yield


def initialize_from_data(model, *batch):
    """Sets scale and bias of every layer in `model` that initialises itself from data.

    Runs `model(*batch, training=True)` once, eagerly (a model that is not built yet is called in
    inference mode first, which builds it). Each weight-normalised (or
    minibatch-discrimination) layer on the way sets its own scale and bias and passes its
    normalised output on, so any graph of layers works, branches included, as long as no such layer
    is called twice. Noise and dropout are on, as in the original. Where an error ends the pass,
    every variable of the model is what it was before.

    The old scale is multiplied and the old bias replaced: call it before training, not after.
    Under `tf.distribute` call it in the strategy's scope or outside it, with the same batch on
    every worker: every replica gets the weights of one device.

    A layer with `trainable=False` keeps its values.

    A model without such layers is run and otherwise left alone; `BatchNormalization` layers of
    Keras update their moving averages once.

    Args:
        model: a `keras.Model` or layer.
        batch: array or tensor that the model is called with, or the nested structure that it takes
            as its first argument, or several for a model whose `call` takes several; the original
            uses 500 training images for a discriminator and one batch of noise for a generator.

    Returns:
        What the model returned for `batch` (activations after initialisation).

    Raises:
        TypeError: the model's `call` takes more or fewer arguments than were given, or the batch
            is no array or tensor, a `tf.data.Dataset` for one.
        ValueError: some unit does not vary over the batch, or the model calls a layer that
            initialises itself more than once, as `TimeDistributed` does.
        RuntimeError: called while a graph is traced (`tf.function`, `jax.jit`), where the pass
            would run again at every step; or on one of several replicas (`strategy.run`), where
            it would see a share of the batch.
    """
    _refuse_tracing(batch)
    if distribution.replica_count() > 1:
        raise RuntimeError(
            "initialize_from_data is one pass over one batch: call it in the strategy's scope, not "
            "in a function that `strategy.run` runs on every replica."
        )
    _require_arguments(model, batch)
    _require_tensors(model, batch)
    if not getattr(model, "built", True):  # any callable will do
        # Else Keras would build it inside the pass, fail at layers that need values, and leave
        # it without what `model.save` must know to build it again.
        model(*batch, training=False)
    with initializing(getattr(model, "variables", ())):
        return model(*batch, training=True)


def layers_to_initialize(model):
    """The layers of `model`, those of nested models included, that initialise themselves."""
    return [
        layer
        for layer in model._flatten_layers()
        if hasattr(layer, "_initialize_from") and layer.trainable
    ]


def _require_arguments(model, batch):
    if not isinstance(model, keras.layers.Layer):
        return
    signature = inspect.signature(model.call)
    given = {"training": True} if "training" in signature.parameters else {}
    try:
        signature.bind(*batch, **given)
    except TypeError as error:
        raise TypeError(
            f"The `call` of '{model.name}' takes other arguments: {error}. Give each of them by "
            f"itself, initialize_from_data(model, x, y). Received: {len(batch)} of them"
        ) from error


def _require_tensors(model, batch):
    if not isinstance(model, keras.layers.Layer):
        return
    for one in keras.tree.flatten(batch):
        if one is not None and not hasattr(one, "shape"):
            raise TypeError(
                "initialize_from_data takes one batch, an array or tensor for each input; of a "
                "dataset that yields such batches, `next(iter(dataset))`. "
                f"Received: a value of type {type(one).__name__}"
            )


def _refuse_tracing(batch):
    traced = any(is_traced(one) for one in keras.tree.flatten(batch))
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        traced = traced or tf.inside_function()
    if traced:
        raise RuntimeError(
            "initialize_from_data runs once, eagerly: call it before training and outside "
            "tf.function and jax.jit, not inside one."
        )

"""The reference batch of virtual batch normalization: put before the live batch, taken off again.

It travels through the generator as the batch's first R rows, so that no layer keeps hidden state
and gradients flow through the reference statistics:

    PrependReference -> any row-wise layers and VirtualBatchNorm -> DropReference
    (N, ...)            (R + N, ...)                                (N, ...)

Paper:    Salimans et al. (2016), Sec. 3.5.
"""

import warnings

import keras
from keras import ops

from improved_gan_tf.layers.argument_checks import (
    has_own_build,
    positive_integer,
    require_floating,
)
from improved_gan_tf.machine.tracing import is_traced


def require_reference_rows(layer, shape):
    """Raises `ValueError` where an input of `shape` is known to have fewer than R rows."""
    if shape[0] is not None and shape[0] < layer.reference_size:
        raise ValueError(
            f"The first `reference_size` rows of the input of `{type(layer).__name__}` are the "
            "reference batch: put `PrependReference` with the same size before it. "
            f"Received: input shape {tuple(shape)}, reference_size={layer.reference_size}"
        )


def require_size_of_prepended(layer, inputs):
    """Raises `ValueError` where a layer counts other reference rows than were put in front.

    It can see that where a Sequential or functional model is put together, whose tensors know the
    layers that made them; not inside models within models, nor in a subclassed one.

    Args:
        layer: `VirtualBatchNorm` or `DropReference`.
        inputs: its `keras.KerasTensor`.
    """
    for prepend in _prepending_layers(inputs):
        if prepend.reference_size != layer.reference_size:
            raise ValueError(
                f"`{type(layer).__name__}` '{layer.name}' must have the `reference_size` of the "
                f"`PrependReference` '{prepend.name}' before it, {prepend.reference_size}. "
                f"Received: reference_size={layer.reference_size}"
            )


def _prepending_layers(tensor):
    """The `PrependReference` layers whose rows are in front of a `keras.KerasTensor`."""
    found, seen, todo = [], set(), [tensor]
    while todo:
        operation, node_index, _ = getattr(todo.pop(), "_keras_history", (None, None, None))
        if operation is None or (operation, node_index) in seen:
            continue
        seen.add((operation, node_index))
        if isinstance(operation, PrependReference):
            found.append(operation)
        elif not isinstance(operation, DropReference):
            todo.extend(operation._inbound_nodes[node_index].input_tensors)
    return found


def _only_shapes_are_inferred():
    """Whether Keras runs `call` for its shapes alone, as it does to build a subclassed model.

    When such a model is loaded that is before its weights are read, the reference among them.
    """
    try:
        from keras.src.backend.common.symbolic_scope import in_symbolic_scope
    except ImportError:  # Keras has no public name for it
        return False
    return in_symbolic_scope()


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class PrependReference(keras.layers.Layer):
    """Puts the stored reference batch in front of the live batch.

    Virtual batch normalization pushes the reference batch through the current weights at every
    step. Here it does so as the first R rows of the batch that the layers see:

        y = [reference; x]                                        # (R + N, ...)

    For a generator the reference is a batch of noise, drawn once and kept. Call
    `set_reference` once, in sight, before the layer is used; the batch is then saved with
    the model. A conditional generator has one such layer for each of its inputs; that of labels
    needs `dtype="float32"` where the model computes in half precision, which rounds them.

    Batch meaning: this replica's share of the batch; every replica holds the same reference.

    Training: the same in training and inference; the reference is never trained.

    Args:
        reference_size: int >= 2, number of reference examples R. One example has no variance
            of its own.

    Call arguments:
        inputs: (N, ...), rank 2 or more, floating point.

    Returns:
        (R + N, ...), the layer's compute dtype.

    Raises:
        ValueError: `reference_size` is not an integer of at least 2; no reference was set (when
            the layer is traced or training; under `jax.jit` NaN comes out instead, and an eager
            call in inference mode, as builds a copy before its `set_weights`, warns); the input
            has another shape than a reference example or is not floating point.

    Weights:
        reference: (R, ...), not trained; NaN until it is set.

    Example:

    >>> import numpy as np
    >>> layer = PrependReference(4)
    >>> layer.set_reference(np.zeros((4, 3), "float32"))
    >>> tuple(layer(np.ones((2, 3), "float32")).shape)
    (6, 3)

    References:
        Paper:    Salimans et al. (2016), Sec. 3.5.
        Original: openai/improved-gan@4f5d1ec, imagenet/generator.py, the fixed variable of
                  reference noise.
    """

    def __init__(self, reference_size, **kwargs):
        super().__init__(**kwargs)
        self.reference_size = positive_integer(reference_size, "reference_size")
        if self.reference_size < 2:
            raise ValueError(
                "`reference_size` must be at least 2: a single example has no variance to "
                f"normalise with. Received: reference_size={reference_size}"
            )
        self._reference_seen = False
        self.input_spec = keras.layers.InputSpec(min_ndim=2)

    def build(self, input_shape):
        example_shape = tuple(input_shape[1:])
        if None in example_shape:
            raise ValueError(
                "The shape of one example must be known, or the reference set, before "
                f"`PrependReference` is built. Received: input_shape={tuple(input_shape)}"
            )
        self.reference = self.add_weight(
            name="reference",
            shape=(self.reference_size, *example_shape),
            initializer=keras.initializers.Constant(float("nan")),
            trainable=False,
            autocast=False,
        )
        self.input_spec = keras.layers.InputSpec(shape=(None, *example_shape))

    def call(self, inputs, training=None):
        require_floating(self, inputs.dtype)
        self._require_reference(may_be_missing=not training and not is_traced(inputs))
        return ops.concatenate([ops.cast(self.reference, inputs.dtype), inputs], axis=0)

    def set_reference(self, reference_batch):
        """Stores the reference batch; builds the layer if need be.

        Args:
            reference_batch: (R, ...), floating point and finite.

        Raises:
            ValueError: the batch has another shape than (R, ...) or than the layer was built
                with, is not floating point or not finite.
        """
        reference_batch = ops.convert_to_numpy(reference_batch)
        shape = reference_batch.shape
        if len(shape) < 2 or shape[0] != self.reference_size:
            raise ValueError(
                f"The reference batch must have shape ({self.reference_size}, ...). "
                f"Received: reference_batch of shape {shape}"
            )
        require_floating(self, reference_batch.dtype, what="reference batch")
        if not ops.all(ops.isfinite(reference_batch)):
            raise ValueError(
                "The reference batch must be finite. Received: a batch with NaN or infinity"
            )
        if not self.built:
            self.build((None, *shape[1:]))
        if shape != tuple(self.reference.shape):
            raise ValueError(
                f"The reference batch must have the shape {tuple(self.reference.shape)} with which "
                f"layer '{self.name}' was built. Received: reference_batch of shape {shape}"
            )
        self.reference.assign(ops.cast(reference_batch, self.variable_dtype))

    def _require_reference(self, may_be_missing=False):
        """Raises, or only warns, until the reference holds numbers, however they got there."""
        if self._reference_seen or _only_shapes_are_inferred():
            return
        is_set = self.reference_is_set()
        self._reference_seen = bool(is_set)
        if is_set is not False:
            return
        message = (
            f"Layer '{self.name}' has no reference batch: call `set_reference` with a batch of "
            f"shape {tuple(self.reference.shape)} before the model is used"
        )
        if not may_be_missing:
            raise ValueError(message + ".")
        warnings.warn(message + ", or set its weights. Until then the output is NaN.", stacklevel=2)

    def reference_is_set(self):
        """Whether the built layer's reference holds numbers (bool); None under `jax.jit`."""
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            with tf.init_scope():  # a value, also while a graph is traced
                return not bool(ops.any(ops.isnan(self.reference)))
        try:
            return not bool(ops.any(ops.isnan(self.reference)))
        except TypeError:  # jax.jit hides the value
            return None

    def compute_output_shape(self, input_shape):
        rows = None if input_shape[0] is None else input_shape[0] + self.reference_size
        return (rows, *input_shape[1:])

    def get_config(self):
        return {**super().get_config(), "reference_size": self.reference_size}


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class DropReference(keras.layers.Layer):
    """Takes the reference batch off again: what goes on is the live batch.

        y = x[R:]                                                 # (N, ...)

    Put it after the last `VirtualBatchNorm`, and before any layer or loss that couples the
    rows of a batch.

    Batch meaning: this replica's share of the batch.

    Training: the same in training and inference.

    Args:
        reference_size: int > 0, number of reference examples R.

    Call arguments:
        inputs: (R + N, ...).

    Returns:
        (N, ...), the layer's compute dtype.

    Raises:
        ValueError: `reference_size` is not a positive integer or, in a functional model, not that
            of the `PrependReference` before it; the input has fewer than R rows.

    Example:

    >>> import numpy as np
    >>> tuple(DropReference(4)(np.ones((6, 3), "float32")).shape)
    (2, 3)

    References:
        Paper:    Salimans et al. (2016), Sec. 3.5.
    """

    def __init__(self, reference_size, **kwargs):
        super().__init__(**kwargs)
        self.reference_size = positive_integer(reference_size, "reference_size")
        self.built = not has_own_build(self)

    def call(self, inputs):
        require_reference_rows(self, inputs.shape)
        return inputs[self.reference_size :]

    def compute_output_spec(self, inputs):
        require_size_of_prepended(self, inputs)
        return super().compute_output_spec(inputs)

    def compute_output_shape(self, input_shape):
        rows = None if input_shape[0] is None else input_shape[0] - self.reference_size
        return (rows, *input_shape[1:])

    def get_config(self):
        return {**super().get_config(), "reference_size": self.reference_size}

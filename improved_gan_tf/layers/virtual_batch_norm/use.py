"""Puts virtual batch normalization in the place of batch normalization, in a whole model.

Paper: Salimans et al. (2016), Sec. 3.5.
"""

import keras

from improved_gan_tf.layers.argument_checks import require_floating
from improved_gan_tf.layers.layer_replacement import replace_layers
from improved_gan_tf.layers.virtual_batch_norm.live import VirtualBatchNorm
from improved_gan_tf.layers.virtual_batch_norm.reference_batch import (
    DropReference,
    PrependReference,
)
from improved_gan_tf.machine.copies import assign_copy

# What both layers have; the rest of batch normalization is about moving averages.
_SHARED_ARGUMENTS = (
    "axis",
    "epsilon",
    "center",
    "scale",
    "beta_initializer",
    "gamma_initializer",
    "beta_regularizer",
    "gamma_regularizer",
    "beta_constraint",
    "gamma_constraint",
    "name",
    "trainable",
    "dtype",
)


def use_virtual_batch_norm(model, reference):
    """Returns a copy of `model` with virtual in place of batch normalization.

    Every `BatchNormalization` becomes a `VirtualBatchNorm` of the same name, gamma and beta; moving
    averages stay behind. A `PrependReference` that holds the reference batch is put behind each
    input, a `DropReference` before each output, so that the copy is called as `model` is. A
    functional model becomes one layer between them; a Sequential one stays flat. Layers that couple
    the rows of a batch in another way would see the reference too: put them behind the model.

    Args:
        model: a built Sequential or functional model, nested ones included.
        reference: (R, ...), R >= 2, floating point and finite: inputs of the model; for a model
            of several inputs a structure like theirs, of R rows each. For a generator, noise drawn
            once.

    Returns:
        A `keras.Model`; the weights are copies.

    Raises:
        ValueError: the model is not built, or is neither Sequential nor functional; it has no
            `BatchNormalization`, or one inside another layer or of a subclass; an input is not
            floating point; the reference is not as above.

    Example:

    >>> import numpy as np
    >>> norm = keras.layers.BatchNormalization
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), norm()])
    >>> virtual = use_virtual_batch_norm(model, np.random.normal(size=(8, 3)))
    >>> [type(layer).__name__ for layer in virtual.layers]
    ['PrependReference', 'Dense', 'VirtualBatchNorm', 'DropReference']

    References:
        Paper: Salimans et al. (2016), Sec. 3.5.
    """
    copy, size = _with_virtual_norm(model, reference)
    if isinstance(copy, keras.Sequential):
        prepended = _prepended(copy.inputs[0], reference, size)
        dropped = _dropping(copy.outputs[0], size)
        layers = [_input_like(copy.inputs[0]), prepended, *copy.layers, dropped]
        return keras.Sequential(layers, name=model.name)
    inputs = keras.tree.map_structure(_input_like, copy.input)
    references = keras.tree.flatten(reference)
    with_reference = [
        _prepended(one, rows, size)(one)
        for one, rows in zip(keras.tree.flatten(inputs), references, strict=True)
    ]
    outputs = copy(keras.tree.pack_sequence_as(inputs, with_reference))
    outputs = keras.tree.map_structure(lambda one: _dropping(one, size)(one), outputs)
    return keras.Model(inputs, outputs, name=f"{model.name}_virtual")


def _with_virtual_norm(model, reference):
    """Returns the copy that takes reference and live rows together, and R."""
    references = keras.tree.flatten(reference)
    num_inputs = len(getattr(model, "inputs", None) or [])
    if len(references) != num_inputs or len({rows.shape[:1] for rows in references}) != 1:
        raise ValueError(
            f"`reference` must be of the same number of rows for each of the {num_inputs} inputs "
            f"of model '{model.name}'. Received: {[tuple(rows.shape) for rows in references]}"
        )
    if num_inputs > 1 and not _have_one_structure(model.input, reference):
        raise ValueError(
            f"`reference` must be a structure like the inputs of model '{model.name}', "
            f"{_names(model.input)}. Received: {_names(reference)}"
        )
    (size,) = {rows.shape[0] for rows in references}
    replaced = []

    def replacement(layer):
        if type(layer) is not keras.layers.BatchNormalization:  # a subclass may do more
            return None
        replaced.append(layer)
        return _virtual(layer, size)

    copy = replace_layers(model, replacement)
    left = [
        layer.name
        for layer in copy._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    if left or not replaced:
        raise ValueError(
            "`use_virtual_batch_norm` replaces the `BatchNormalization` layers of a model and of "
            "the models in it, at least one, not those inside other layers or of a subclass. "
            f"Received: model '{model.name}', left: {left}"
        )
    return copy, size


def _have_one_structure(one, other):
    """Whether two structures have the same keys and lengths; a tuple may stand for a list."""
    if isinstance(one, dict):
        same = isinstance(other, dict) and one.keys() == other.keys()
        return same and all(_have_one_structure(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        same = isinstance(other, (list, tuple)) and len(one) == len(other)
        return same and all(map(_have_one_structure, one, other))
    return not isinstance(other, (dict, list, tuple))


def _names(structure):
    """What an error says of a structure of arrays or Keras tensors."""
    if isinstance(structure, dict):
        return f"a dict of {sorted(structure)}"
    return f"a {type(structure).__name__} of {len(structure)}"


def _virtual(layer, size):
    config = layer.get_config()
    virtual = VirtualBatchNorm.from_config(
        {"reference_size": size, **{name: config[name] for name in _SHARED_ARGUMENTS}}
    )
    axes = layer.input_spec.axes  # {channel axis: channels}
    (axis,) = axes
    shape = [None] * layer.input_spec.ndim
    shape[axis] = axes[axis]
    virtual.build(tuple(shape))
    for name in ("gamma", "beta"):
        if getattr(virtual, name) is not None:
            assign_copy(getattr(virtual, name), getattr(layer, name))
    return virtual


def _input_like(tensor):
    return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)


# Both in the precision of the model, which is not always that of the program.
def _prepended(tensor, reference, size):
    prepend = PrependReference(size, dtype=tensor.dtype)
    require_floating(prepend, tensor.dtype)
    prepend.build(tensor.shape)
    prepend.set_reference(reference)
    return prepend


def _dropping(tensor, size):
    return DropReference(size, dtype=tensor.dtype)

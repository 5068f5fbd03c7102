"""Orthogonal regularisation: a penalty on filters that overlap.

    R(W) = || W^T W o (1 - I) ||_F^2,       dR / dW = 4 W (W^T W o (1 - I))

W is (A, K), a column for each filter; o is the elementwise product. The diagonal, the filters'
squared lengths, is left free, or pulled to 1 with `include_diagonal`: || W^T W - I ||_F^2.

The original adds 2 strength (W W^T o (1 - I)) W, for its transposed W, to the gradient. That is
*half* the gradient of strength R: halve the strength for the original's updates.

Paper:    Brock et al. (2017), Sec. 3.4; Brock et al. (2019), Sec. 3.1.
Original: ajbrock/BigGAN-PyTorch@9845943, utils.py, `ortho`, `default_ortho`.
"""

import keras
from keras import ops

from improved_gan_tf.machine.keras_layers import TRANSPOSED
from improved_gan_tf.precision import in_float32, matmul

_FORWARD = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)


def orthogonal_penalty(kernel, output_axis=-1, include_diagonal=False):
    """Returns `|| W^T W o (1 - I) ||_F^2` of one kernel, or `|| W^T W - I ||_F^2`.

    Args:
        kernel: (..., K), rank 2 or more; a variable or tensor.
        output_axis: int, the axis of the filters; -2 for a transposed convolution of Keras, 0 for
            an embedding.
        include_diagonal: bool.

    Returns:
        Scalar >= 0.
    """
    kernel = ops.moveaxis(in_float32(kernel), output_axis, -1)
    matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
    gram = matmul(ops.transpose(matrix), matrix)  # (K, K)
    identity = ops.eye(matrix.shape[-1], dtype=gram.dtype)
    off = gram - identity if include_diagonal else gram * (1.0 - identity)
    return ops.sum(ops.square(off))


def orthogonal_regularization(model, strength=1e-4, include_diagonal=False, exclude=()):
    """Returns `strength` times the penalty, summed over the kernels and embeddings of a model.

    They are those of Keras's dense, convolution, transposed convolution and embedding layers. For a
    spectrally normalised layer it penalises the raw kernel.

    Args:
        model: a built model or layer.
        strength: float >= 0; 1e-4 in the paper (default).
        include_diagonal: bool, whether filters are also pulled to length 1.
        exclude: layers to leave out, with those inside them; in the original the generator's shared
            embedding.

    Returns:
        Scalar.

    Raises:
        ValueError: `strength` is negative; `exclude` holds something else than layers; nothing is
            left to regularise.
    """
    if not strength >= 0.0:
        raise ValueError(f"`strength` must be 0 or larger. Received: strength={strength}")
    for layer in exclude:
        if not isinstance(layer, keras.layers.Layer):
            raise ValueError(
                "`exclude` must hold layers, as `model.get_layer(name)` gives them. Received: "
                f"{layer!r}"
            )
    excluded = {id(part) for layer in exclude for part in layer._flatten_layers()}
    penalties = [
        orthogonal_penalty(kernel, axis, include_diagonal)
        for layer in model._flatten_layers()
        if id(layer) not in excluded
        for kernel, axis in _filters_of(layer)
    ]
    if not penalties:
        raise ValueError(
            "The model has no kernel and no embedding to regularise. "
            f"Received: model={model.name}, {len(excluded)} layers excluded"
        )
    return strength * sum(penalties)


def _filters_of(layer):
    """A list of the layer's kernels or its table, each with the axis of its filters.

    It is empty without either; a convolution has a kernel for each of its groups.
    """
    if isinstance(layer, TRANSPOSED):
        return [(layer.kernel, -2)]
    if isinstance(layer, _FORWARD):
        groups = getattr(layer, "groups", 1)
        # Filters of two groups read different channels: they cannot overlap.
        parts = ops.split(layer.kernel, groups, axis=-1) if groups > 1 else [layer.kernel]
        return [(part, -1) for part in parts]
    if isinstance(layer, keras.layers.Embedding):
        return [(layer.embeddings, 0)]
    return []

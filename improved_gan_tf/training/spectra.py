"""The first singular values of every kernel and embedding of a model.

BigGAN's paper watches them for signs of a collapse. They are those of the raw kernels, which
spectral normalization divides by their largest one, and exact: the roots of the first eigenvalues
of `W^T W`, not the running estimate of the power iteration.

Paper: Brock et al. (2019), Sec. 4 and App. F.
"""

import keras
import numpy as np

from improved_gan_tf.layers.weight_norm.conv_transpose import WeightNormConvTranspose
from improved_gan_tf.machine.keras_layers import TRANSPOSED

COUNT = 3  # as many as in the paper


def first_singular_values(model, count=COUNT):
    """Returns `{layer: [largest, second, ...]}` of every kernel and embedding.

    A kernel is a matrix (A, K) with a column for each output. `layer` is the path of the variable
    in the model, like "block0_conv1" or "block0_norm1/gain"; a number in brackets tells layers of
    one path apart.

    Args:
        model: a built model.
        count: int > 0, the most values of a kernel; one of lower rank or size has fewer.
    """
    every = model._flatten_layers()
    transposed = {
        id(x.kernel) for x in every if isinstance(x, (*TRANSPOSED, WeightNormConvTranspose))
    }
    found, seen = {}, {}
    for weight in model.trainable_weights:
        path, _, name = weight.path.rpartition("/")
        if name in ("kernel", "embeddings"):
            kernel = keras.ops.convert_to_numpy(weight).astype(np.float64)
            if id(weight) in transposed:  # (..., outputs, inputs)
                kernel = kernel.swapaxes(-1, -2)
            seen[path] = seen.get(path, 0) + 1
            layer = path if seen[path] == 1 else f"{path} ({seen[path]})"
            found[layer] = _first_of(kernel.reshape(-1, kernel.shape[-1]), count)
    return found


def _first_of(matrix, count):
    small = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    squares = np.linalg.eigvalsh(small @ small.T)  # rising
    return np.sqrt(np.maximum(squares[::-1][:count], 0.0)).tolist()

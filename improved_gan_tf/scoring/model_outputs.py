"""Whether a Keras classifier returns probabilities or logits, decided once for the model."""

import keras
import numpy as np

from improved_gan_tf.layers.layer_calls import has_own_call
from improved_gan_tf.scoring.inception_score import ROW_SUM_TOLERANCE

HALF_PRECISION_TOLERANCE = 0.01  # each of bfloat16's probabilities is off by up to 0.4 %
# The size for a model that takes images of any size.
_SIDE = 299


def gives_probabilities(model, output):
    """Whether a model's output is probabilities; otherwise it is logits.

    A final softmax means probabilities. If the model ends in something else, such as a cast or a
    mean of outputs, it returns probabilities if the rows for a few fixed images are not negative
    and sum to 1.

    Args:
        model: Keras model from float images (N, H, W, C); H and W may be unknown.
        output: its symbolic output (N, K).

    Returns:
        bool.
    """
    last = None if has_own_call(model) else _last_operation(output)
    if type(last).__name__ == "Softmax":  # the layer or the function of `keras.ops`
        return True
    if getattr(last, "activation", None) is keras.activations.softmax:
        return True
    rows = keras.ops.convert_to_numpy(model(_fixed_images(model.inputs[0].shape), training=False))
    tolerance = HALF_PRECISION_TOLERANCE if rows.dtype.itemsize < 4 else ROW_SUM_TOLERANCE
    sums = rows.astype(np.float32).sum(axis=1)
    return bool((rows >= 0).all() and np.allclose(sums, 1, atol=tolerance))


def _last_operation(output):
    """The layer or operation that made a symbolic output, also inside nested models."""
    operation, _, index = output._keras_history
    is_graph = isinstance(operation, keras.Model) and getattr(operation, "outputs", None)
    if is_graph and not has_own_call(operation):
        return _last_operation(operation.outputs[index])
    return operation


def _fixed_images(shape):
    """Zeros, ones and uniform noise, float32 (10, H, W, C), for a shape (None, H, W, C)."""
    height, width, channels = (side or _SIDE for side in shape[1:])
    images = np.random.default_rng(0).random((10, height, width, channels), np.float32)
    images[0], images[1] = 0.0, 1.0
    return images

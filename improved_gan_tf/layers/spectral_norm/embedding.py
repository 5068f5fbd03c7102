"""An embedding with spectral normalization."""

import keras
from keras import ops

from improved_gan_tf.layers.spectral_norm.base import SpectralNormLayer


@keras.saving.register_keras_serializable(package="improved_gan_tf")
class SpectralNormEmbedding(SpectralNormLayer, keras.layers.Embedding):
    """`keras.layers.Embedding` with its table divided by the table's largest singular value.

    The class embedding of a projection discriminator. u has an entry for each class. See
    `SpectralNormDense` for the formula and what changes while training.

    Batch meaning: rows are independent.

    Training: as `SpectralNormDense`.

    Args:
        input_dim: int > 0, number of classes K.
        output_dim: int > 0, length D of a class's vector.
        num_singular_values, num_power_iterations, epsilon, u_initializer: as in
            `SpectralNormDense`.
        **kwargs: what else `keras.layers.Embedding` takes, but `weights`.

    Call arguments:
        inputs: (N, ...), integers in [0, K).
        training: bool.

    Returns:
        (N, ..., D), the layer's compute dtype.

    Raises:
        ValueError: as `SpectralNormDense`; `weights` is given.

    Weights:
        embeddings: (K, D), the table.
        u: (S, K), not trained.
        singular_values: (S,), not trained, of the last training call.

    Example:

    >>> import numpy as np
    >>> layer = SpectralNormEmbedding(10, 4)
    >>> tuple(layer(np.array([0, 9])).shape)
    (2, 4)

    References:
        Paper:    Miyato and Koyama (2018), Sec. 3; Brock et al. (2019), Sec. 3.
        Original: ajbrock/BigGAN-PyTorch@9845943, layers.py, `SN`, `SNEmbedding`.
    """

    _output_axis = 0

    def __init__(self, *args, **kwargs):
        if kwargs.get("weights") is not None:
            raise ValueError(
                "`SpectralNormEmbedding` takes no `weights`; build it and assign `embeddings`. "
                f"Received: weights of type {type(kwargs['weights']).__name__}"
            )
        super().__init__(*args, **kwargs)

    def build(self, input_shape=None):
        super().build(input_shape)
        self._add_vectors(self.embeddings)

    def call(self, inputs, training=False):
        if keras.backend.standardize_dtype(inputs.dtype) not in ("int32", "int64"):
            inputs = ops.cast(inputs, "int32")
        table = self._normalized(self.embeddings, training)
        return ops.cast(ops.take(table, inputs, axis=0), self.compute_dtype)

    def compute_output_spec(self, inputs, training=False):
        return super().compute_output_spec(inputs)  # Keras's own knows no `training`

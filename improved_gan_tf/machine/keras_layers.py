"""Keras's layers by what their kernels are."""

import keras

# Their kernels are (..., outputs, inputs), those of `Dense` and `Conv2D` (..., inputs, outputs).
TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)

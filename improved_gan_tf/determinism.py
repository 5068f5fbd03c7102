"""The same bits from the same seed, on whatever device there is."""

import tensorflow as tf


def make_operations_deterministic():
    """Has TensorFlow use deterministic GPU kernels where there is a GPU; call it first of all.

    On a GPU many kernels add in an order that changes from run to run; their deterministic
    forms can be slower (by how much depends on the network and the device, and has not been
    measured here). On a CPU the kernels of the training step repeat their results as they are,
    which the tests check, so nothing is changed there.
    """
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()

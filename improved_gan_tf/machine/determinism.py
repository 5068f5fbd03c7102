"""The same bits from the same seed, in every process on one kind of device."""

import tensorflow as tf
from tensorflow.core.protobuf import rewriter_config_pb2
from tensorflow.python.eager import context


def make_operations_deterministic():
    """Makes TensorFlow repeat its results to the bit; call it before any training.

    On a GPU many kernels add in an order that changes from run to run; their deterministic forms
    can be slower. On a CPU the kernels of the training step are deterministic.
    """
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()
    _keep_sums_as_written()


def _keep_sums_as_written():
    """Switches off the rewriting of sums that TensorFlow does when it expects to run out of memory.

    If it estimates that a graph needs more than 80 % of a device's memory, its memory optimizer
    turns sums of three or more tensors into an accumulator. The order of the summands then differs
    from process to process. For a CPU it assumes 256 MB of memory, so wide networks are affected.

    `tf.config.optimizer` has no name for this optimizer, hence the private module.
    """
    config = tf.compat.v1.ConfigProto()
    if context.context()._config is not None:
        config.CopyFrom(context.context()._config)
    config.graph_options.rewrite_options.memory_optimization = (
        rewriter_config_pb2.RewriterConfig.NO_MEM_OPT
    )
    context.context()._config = config
    tf.config.optimizer.set_experimental_options({})  # makes the calls that follow read it

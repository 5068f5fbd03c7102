"""The same bits from the same seed, in every process and on whatever device there is."""

import tensorflow as tf
from tensorflow.core.protobuf import rewriter_config_pb2
from tensorflow.python.eager import context


def make_operations_deterministic():
    """Has TensorFlow repeat its results to the bit; call it before anything is trained.

    On a GPU many kernels add in an order that changes from run to run; their deterministic
    forms can be slower (by how much depends on the network and the device, and has not been
    measured here). On a CPU the kernels of the training step repeat their results as they are.

    Which sums a graph takes is fixed on every device: `_keep_sums_as_written`.
    """
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()
    _keep_sums_as_written()


def _keep_sums_as_written():
    """Switches off the rewriting of sums that TensorFlow does when it finds memory short.

    Where it estimates that a graph needs more than 80 % of a device's memory, its memory
    optimizer turns sums of three or more tensors, such as gradients that come from three
    minibatches, into an accumulator to which each summand is added when it is ready: in an order
    that differs from process to process. Of a CPU it takes 256 MB for all the memory there is, so
    that wide networks meet this, and two runs of one seed differ from the first iteration on.

    `tf.config.optimizer` has no name for this optimizer, hence the private module.
    """
    config = tf.compat.v1.ConfigProto()
    if context.context()._config is not None:
        config.CopyFrom(context.context()._config)
    config.graph_options.rewrite_options.memory_optimization = (
        rewriter_config_pb2.RewriterConfig.NO_MEM_OPT
    )
    context.context()._config = config
    tf.config.optimizer.set_experimental_options({})  # has it read by the calls that follow

import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from improved_gan_tf.machine.determinism import make_operations_deterministic


@pytest.fixture
def _settings_of_a_new_process(monkeypatch):
    """Undoes what runs before have changed, and the change of the test."""
    monkeypatch.setattr(context.context(), "_config", None)
    tf.config.optimizer.set_experimental_options({})
    yield
    monkeypatch.undo()
    tf.config.optimizer.set_experimental_options({})


def operations_after_rewriting():
    """Kinds of operations TensorFlow runs for a gradient of three parts that fill the memory."""
    x = tf.Variable(tf.ones((5000, 4000)))  # 80 MB, of the 256 that TensorFlow gives a CPU

    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.sin(x)) + tf.reduce_sum(tf.cos(x)) + tf.reduce_sum(tf.exp(x))
        return tape.gradient(y, x)

    context.enable_graph_collection()
    try:
        gradient()
        metadata = context.export_run_metadata()
    finally:
        context.disable_graph_collection()
    graphs = [g.post_optimization_graph for g in metadata.function_graphs]
    assert graphs
    functions = [f for graph in graphs for f in graph.library.function]
    nodes = [n for graph in graphs for n in graph.node] + [n for f in functions for n in f.node_def]
    return {node.op for node in nodes}


@pytest.mark.usefixtures("_settings_of_a_new_process")
def test_sums_are_not_turned_into_accumulators_whose_order_depends_on_the_process():
    # If the first line fails, TensorFlow has lost the habit, and `determinism` can lose its cure.
    assert "TemporaryVariable" in operations_after_rewriting()
    make_operations_deterministic()
    after = operations_after_rewriting()
    assert "AddN" in after
    assert "TemporaryVariable" not in after


@pytest.mark.usefixtures("_settings_of_a_new_process")
@pytest.mark.parametrize("gpus", [0, 1])
def test_on_a_gpu_the_kernels_are_the_deterministic_ones(gpus, monkeypatch):
    asked = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus * [kind])
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: asked.append(1))
    make_operations_deterministic()
    assert asked == gpus * [1]


@pytest.mark.usefixtures("_settings_of_a_new_process")
def test_other_settings_of_the_process_stay():
    config = tf.compat.v1.ConfigProto()
    config.graph_options.rewrite_options.min_graph_nodes = 3
    context.context()._config = config
    tf.config.optimizer.set_experimental_options({})
    make_operations_deterministic()
    options = context.context().config.graph_options.rewrite_options
    assert options.min_graph_nodes == 3
    assert options.memory_optimization == options.NO_MEM_OPT

"""Whether TensorFlow's rewriting of a graph keeps the order of reads and writes of variables.

Its dependency optimizer first leaves out a control edge where a longer path says the same, and
then shortens paths through `IdentityN`, which may have been that longer path. What is lost is an
order that nothing else keeps: an update may then come before a read that was to come first.
"""

import collections
import itertools

from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2
from tensorflow.python.framework import function_def_to_graph, meta_graph
from tensorflow.python.grappler import tf_optimizer

READS = ("ReadVariableOp", "ResourceGather", "VariableShape")


def lost_orders(function):
    """Orders of a graph's accesses to its variables that the dependency optimizer loses.

    Args:
        function: `tf.types.experimental.ConcreteFunction`; its loops' bodies are looked at too.

    Returns:
        `(checked, lost)`: how many orders there are, and `[(variable, earlier node, later node)]`.
    """
    checked, lost = 0, []
    for graph in _graphs(function.graph):
        before, after = graph.as_graph_def(), _rewritten(graph)
        accesses = _accesses(before)
        bits = {node.name: 1 << i for i, node in enumerate(itertools.chain(*accesses.values()))}
        follow_before, follow_after = _followers(before, bits), _followers(after, bits)
        for variable, nodes in accesses.items():
            kept = [node for node in nodes if node.name in follow_after]
            for earlier, later in itertools.permutations(kept, 2):
                both_read = earlier.op in READS and later.op in READS
                if both_read or not follow_before[earlier.name] & bits[later.name]:
                    continue
                checked += 1
                if not follow_after[earlier.name] & bits[later.name]:
                    lost.append((variable, earlier.name, later.name))
    return checked, lost


def _graphs(graph):
    """A graph and those of the functions that its library has."""
    found = [graph]
    for definition in graph.as_graph_def().library.function:
        name = definition.signature.name
        if not name.startswith("__") and graph._is_function(name):
            inner = function_def_to_graph.function_def_to_graph(
                definition, structured_input_signature=None
            )
            found.append(inner)
    return found


def _rewritten(graph):
    """The `GraphDef` after the dependency optimizer."""
    meta = meta_graph.create_meta_graph_def(graph=graph)
    ends = [*graph.outputs, *getattr(graph, "control_outputs", ())]
    meta.collection_def["train_op"].node_list.value.extend(end.name for end in ends)
    rewriting = rewriter_config_pb2.RewriterConfig(
        optimizers=["dependency"],
        min_graph_nodes=-1,
        meta_optimizer_iterations=rewriter_config_pb2.RewriterConfig.ONE,
    )
    config = config_pb2.ConfigProto()
    config.graph_options.rewrite_options.CopyFrom(rewriting)
    return tf_optimizer.OptimizeGraph(config, meta)


def _accesses(graph_def):
    """`{resource: nodes that take it}`."""
    resources = {
        node.name
        for node in graph_def.node
        if node.op in ("Placeholder", "_Arg") and node.name and _is_resource(node)
    }
    found = collections.defaultdict(list)
    for node in graph_def.node:
        for source in {_source(name) for name in node.input} & resources:
            found[source].append(node)
    return found


def _is_resource(node):
    attribute = node.attr["dtype"] if node.op == "Placeholder" else node.attr["T"]
    return attribute.type == 20  # DT_RESOURCE


def _source(name):
    """The node of an input's name: `^node`, `node:1` or `node`."""
    return name.lstrip("^").split(":")[0]


def _followers(graph_def, bits):
    """For each node the bits of all that come after it, by data or by control edges."""
    following, waits_for = collections.defaultdict(list), {}
    for node in graph_def.node:
        sources = {_source(name) for name in node.input}
        waits_for[node.name] = len(sources)
        for source in sources:
            following[source].append(node.name)
    in_order = [name for name, count in waits_for.items() if count == 0]
    for name in in_order:  # grows: a node comes when its last source has come
        for later in following[name]:
            waits_for[later] -= 1
            if waits_for[later] == 0:
                in_order.append(later)
    found = {}
    for name in reversed(in_order):
        found[name] = 0
        for later in following[name]:
            found[name] |= found[later] | bits.get(later, 0)
    return found

"""How a model calls its layers."""

import keras


def calls_in_graph(layer, outputs):
    """Returns the nodes of `layer` from which symbolic outputs come.

    `layer.input`, `layer.output` and the layer's own list of nodes know of every symbolic call,
    also of those that belong to no model any more: a Sequential model calls all its layers anew
    with every `add`, and is read from a file that way.

    Args:
        layer: layer of a Sequential or functional model.
        outputs: nested structure of `keras.KerasTensor`, the outputs of that model.

    Returns:
        List of Keras's nodes, one for each call; each has `input_tensors` and `output_tensors`.
    """
    calls, seen, todo = [], set(), keras.tree.flatten(outputs)
    while todo:
        operation, index, _ = todo.pop()._keras_history
        if (operation, index) in seen:
            continue
        seen.add((operation, index))
        node = operation._inbound_nodes[index]
        if operation is layer:
            calls.append(node)
        todo.extend(node.input_tensors)
    return calls


def has_own_call(model):
    """Whether a Sequential or functional model has a `call` that is not Keras's.

    What it computes then, its layers and its graph do not say.
    """
    owner = next(kind for kind in type(model).__mro__ if "call" in vars(kind))
    return owner.__module__.partition(".")[0] != "keras"

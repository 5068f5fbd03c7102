"""The calls of a layer that a model is made of: its nodes that lead to the model's outputs."""

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

"""Writes small frozen graphs with the node names, the age and the quirks of the 2015 Inception."""

import numpy as np
import tensorflow as tf

SIZE = 12  # what the graph resizes images to
NUM_FEATURES = 8
NUM_CLASSES = 6


class GraphWriter:
    """Builds a GraphDef node by node, as old as given."""

    def __init__(self, producer=8):
        self.graph_def = tf.compat.v1.GraphDef()
        self.graph_def.versions.producer = producer

    def const(self, name, value):
        tensor = tf.make_tensor_proto(value)
        node = self.graph_def.node.add(name=name, op="Const")
        node.attr["dtype"].type = tensor.dtype
        node.attr["value"].tensor.CopyFrom(tensor)

    def node(self, name, op, *inputs, **attributes):
        node = self.graph_def.node.add(name=name, op=op, input=inputs)
        for key, value in {"T": tf.float32, **attributes}.items():
            attribute = node.attr[key]
            if isinstance(value, tf.DType):
                attribute.type = value.as_datatype_enum
            elif isinstance(value, list):
                attribute.list.i.extend(value)
            elif isinstance(value, bool):
                attribute.b = value
            elif isinstance(value, int):
                attribute.i = value
            elif isinstance(value, float):
                attribute.f = value
            elif value is None:
                del node.attr[key]
            else:
                attribute.s = value.encode()

    def write(self, path):
        path.write_bytes(self.graph_def.SerializeToString())
        return path


def small_inception(num_features=NUM_FEATURES, num_classes=NUM_CLASSES, seed=0):
    """A `GraphWriter` with a one-convolution "Inception" that accepts one image at a time.

    What it has in common with the file of 2015: the names; DecodeJpeg in front of ExpandDims,
    which makes the first dimension 1; the resize and the scaling inside; a batch normalization
    that TensorFlow dropped in graph version 9; control dependencies; the old Concat; a reshape
    to (1, features) after pool_3; a last layer with weights and bias.

    Returns:
        `(writer, weights)`, weights being a dict of the arrays in it.
    """
    random = np.random.RandomState(seed)
    half = num_features // 2
    weights = {
        "kernel": random.normal(size=(3, 3, 3, half)),
        "mean": random.normal(size=half),
        "variance": random.uniform(0.5, 2, half),
        "beta": random.normal(size=half),
        "w": random.normal(size=(num_features, num_classes)),
        "bias": 5 * random.normal(size=num_classes),
    }
    weights = {name: value.astype("float32") for name, value in weights.items()}
    g = GraphWriter()
    g.const("DecodeJpeg/contents", b"\xff\xd8")
    g.node("DecodeJpeg", "DecodeJpeg", "DecodeJpeg/contents", T=None, channels=3)
    g.node("Cast", "Cast", "DecodeJpeg", T=None, SrcT=tf.uint8, DstT=tf.float32)
    g.const("ExpandDims/dim", np.int32(0))
    g.node("ExpandDims", "ExpandDims", "Cast", "ExpandDims/dim")
    g.const("ResizeBilinear/size", np.array([SIZE, SIZE], "int32"))
    g.node("ResizeBilinear", "ResizeBilinear", "ExpandDims", "ResizeBilinear/size")
    g.const("Sub/y", np.float32(128))
    g.node("Sub", "Sub", "ResizeBilinear", "Sub/y")
    g.const("Mul/y", np.float32(1 / 128))
    g.node("Mul", "Mul", "Sub", "Mul/y")
    g.const("conv/conv2d_params", weights["kernel"])
    g.node(
        "conv/Conv2D", "Conv2D", "Mul", "conv/conv2d_params", strides=[1, 2, 2, 1], padding="VALID"
    )
    statistics = ("mean", "variance", "beta")
    for name in statistics:
        g.const(f"conv/batchnorm/{name}", weights[name])
    g.const("conv/batchnorm/gamma", np.ones(half, "float32"))
    g.node(
        "conv/batchnorm",
        "BatchNormWithGlobalNormalization",
        "conv/Conv2D",
        *(f"conv/batchnorm/{name}" for name in (*statistics, "gamma")),
        variance_epsilon=0.001,
        scale_after_normalization=False,
    )
    g.node("conv/CheckNumerics", "CheckNumerics", "conv/batchnorm", message="not finite")
    g.node("conv/control_dependency", "Identity", "conv/batchnorm", "^conv/CheckNumerics")
    g.node("conv", "Relu", "conv/control_dependency")
    g.node("conv_1", "Mul", "conv", "conv")
    g.const("join/concat_dim", np.int32(3))
    g.node("join", "Concat", "join/concat_dim", "conv", "conv_1", N=2)
    pooled = (SIZE - 3) // 2 + 1
    g.node(
        "pool_3",
        "AvgPool",
        "join",
        ksize=[1, pooled, pooled, 1],
        strides=[1, 1, 1, 1],
        padding="VALID",
    )
    g.const("pool_3/_reshape/shape", np.array([1, num_features], "int32"))
    g.node("pool_3/_reshape", "Reshape", "pool_3", "pool_3/_reshape/shape")
    g.const("softmax/weights", weights["w"])
    g.const("softmax/biases", weights["bias"])
    g.node("softmax/logits/MatMul", "MatMul", "pool_3/_reshape", "softmax/weights")
    g.node("softmax/logits", "BiasAdd", "softmax/logits/MatMul", "softmax/biases")
    g.node("softmax", "Softmax", "softmax/logits")
    return g, weights

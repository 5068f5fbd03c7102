"""The Inception network of 2015, as the authors used it, from a frozen graph on the user's disk.

The file is `classify_image_graph_def.pb` in the archive `inception-2015-12-05.tgz`; this project
neither ships nor downloads it. Only the nodes from the image to `pool_3` and the weights of the
last layer are loaded, no file or decoding operations.

Paper:    Salimans et al. (2016), Sec. 4.
Original: openai/improved-gan@4f5d1ec, inception_score/model.py, _init_inception.
"""

import hashlib
import pathlib

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from improved_gan_tf.errors import UserError, first_line
from improved_gan_tf.scoring.classification import Classification, require_grey_or_rgb

# Node names of the 2015 graph.
IMAGE = "ExpandDims"  # (1, H, W, 3), 0 to 255; the graph resizes and scales
FEATURES = "pool_3"  # (1, 1, 1, 2048)
LOGITS = "softmax/logits/MatMul"  # its second input is W, (2048, 1008); the bias comes after it

PAPERS_NUM_FEATURES = 2048
PAPERS_NUM_CLASSES = 1008

# Operations that only compute numbers from numbers. A graph can also hold operations that read and
# write files; all operations not listed here are refused.
PLAIN_MATHS = frozenset(
    {
        "Add",
        "AddV2",
        "AvgPool",
        "BatchNormWithGlobalNormalization",
        "BiasAdd",
        "Cast",
        "CheckNumerics",
        "Concat",
        "ConcatV2",
        "Const",
        "Conv2D",
        "FusedBatchNorm",
        "FusedBatchNormV3",
        "Identity",
        "MatMul",
        "MaxPool",
        "Mul",
        "Relu",
        "Reshape",
        "ResizeBilinear",
        "Rsqrt",
        "Squeeze",
        "Sub",
    }
)


class FrozenInception:
    """Probabilities and features by a frozen graph with the 2015 graph's node names.

    As in the original, the probabilities are `softmax(pool_3 W)`, without the last layer's bias,
    over all outputs. The graph was frozen for one image at a time; its fixed first dimension
    becomes an open one, as the original intended, so images are processed in independent rows.

    Args:
        path: file holding a binary GraphDef.

    Raises:
        UserError: the file cannot be read, is not a graph, lacks one of the nodes, or contains an
            operation that is not plain maths.
    """

    kind = "inception_2015"

    def __init__(self, path):
        self.path = pathlib.Path(path).expanduser()
        graph_def, self.sha256 = _read(self.path)
        nodes = {node.name: node for node in graph_def.node}
        missing = [name for name in (IMAGE, FEATURES, LOGITS) if name not in nodes]
        if missing:
            raise UserError(
                f"{self.path} is not the Inception graph of 2015-12-05: it has no node named "
                f"{' or '.join(missing)}. Expected: classify_image_graph_def.pb from the archive "
                "inception-2015-12-05.tgz."
            )
        self._load(graph_def, nodes)

    def _load(self, graph_def, nodes):
        try:
            weights = _node_of(nodes[LOGITS].input[1])
            pruned = _prune(graph_def, nodes, [FEATURES, weights], self.path)
            # In its own graph and session, as in TensorFlow 1: a tf.function would drop the graph's
            # version, and with it old operations such as its batch normalization.
            graph = tf.Graph()
            with graph.as_default():
                tf.compat.v1.import_graph_def(pruned, name="")
                self._features = tf.squeeze(graph.get_tensor_by_name(f"{FEATURES}:0"), [1, 2])
                w = graph.get_tensor_by_name(f"{weights}:0")
                self._probabilities = tf.nn.softmax(tf.matmul(self._features, w))
        except (ValueError, IndexError, KeyError, tf.errors.OpError) as error:
            raise UserError(
                f"{self.path} has the node names of the Inception graph of 2015-12-05, but not "
                f"its structure: {first_line(error)}"
            ) from error
        self.num_features, self.num_classes = w.shape.as_list()
        self._session = tf.compat.v1.Session(graph=graph)

    @property
    def label(self):
        """The name of this classifier next to a number."""
        return f"frozen Inception graph {self.path.name}"

    @property
    def has_papers_size(self):
        """Whether it has the 2,048 features and 1,008 outputs of the 2015 graph."""
        size = (self.num_features, self.num_classes)
        return size == (PAPERS_NUM_FEATURES, PAPERS_NUM_CLASSES)

    def check_images(self, image_shape):
        """Raises UserError unless images of this (H, W, C), any H and W, are grey or RGB."""
        require_grey_or_rgb(image_shape)

    def classify(self, images):
        """Classifies a batch.

        Args:
            images: uint8 (N, H, W, 1 or 3); grey images are repeated to three channels.

        Returns:
            `Classification`, features (N, 2048) and probabilities (N, 1008).
        """
        if images.shape[-1] == 1:
            images = np.repeat(images, 3, axis=-1)
        probabilities, features = self._session.run(
            [self._probabilities, self._features], {f"{IMAGE}:0": images.astype(np.float32)}
        )
        return Classification(probabilities, features)


def _read(path):
    """Returns the parsed GraphDef and the file's SHA-256."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    graph_def = tf.compat.v1.GraphDef()
    try:
        graph_def.ParseFromString(content)
    except DecodeError as error:
        raise UserError(
            f"{path} is not a TensorFlow graph. Expected: classify_image_graph_def.pb, unpacked "
            "from the archive inception-2015-12-05.tgz."
        ) from error
    return graph_def, hashlib.sha256(content).hexdigest()


def _node_of(name):
    """The node of an input such as "conv:0" or, for a control input, "^conv"."""
    return name.removeprefix("^").split(":")[0]


def _prune(graph_def, nodes, outputs, path):
    """The nodes that `outputs` need, checked, with the image as the only input.

    Raises:
        UserError: a node is not plain maths, or none reads the image.
        KeyError: a node reads another that does not exist.
    """
    image = tf.compat.v1.NodeDef(name=IMAGE, op="Placeholder")
    image.attr["dtype"].type = tf.float32.as_datatype_enum
    image.attr["shape"].shape.CopyFrom(tf.TensorShape([None, None, None, 3]).as_proto())
    needed, open_names, sees_image = {IMAGE: image}, list(outputs), False
    while open_names:
        name = open_names.pop()
        sees_image = sees_image or name == IMAGE
        if name in needed:
            continue
        node = needed[name] = tf.compat.v1.NodeDef()
        node.CopyFrom(nodes[name])
        if node.op not in PLAIN_MATHS:
            raise UserError(
                f"{path} is refused: its node {name!r} is an operation of type {node.op!r}. "
                "A graph file may hold plain maths only: others could read or write files."
            )
        # Remove its device, and the colocation with nodes that may be gone.
        node.device = ""
        node.attr.pop("_class", None)
        open_names += [_node_of(i) for i in node.input]
    if not sees_image:
        raise UserError(f"{path} is refused: its {FEATURES} does not depend on {IMAGE}.")
    # In the file's order and with its version: old operations exist in old versions only.
    pruned = tf.compat.v1.GraphDef(versions=graph_def.versions)
    pruned.node.extend(needed[node.name] for node in graph_def.node if node.name in needed)
    return pruned

"""The frozen graph as the original used it: one image or many, no bias, nothing but maths."""

import hashlib

import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf.errors import UserError
from improved_gan_tf.scoring.frozen_inception import FrozenInception
from tests.support.frozen_graphs import NUM_CLASSES, NUM_FEATURES, SIZE, small_inception


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """`(path, weights)` of the small graph."""
    writer, weights = small_inception()
    path = writer.write(tmp_path_factory.mktemp("graph") / "classify_image_graph_def.pb")
    return path, weights


def random_images(count, height=10, width=7, channels=3):
    return (
        np.random.RandomState(1).randint(0, 256, (count, height, width, channels)).astype("uint8")
    )


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def features_by_hand(images, weights):
    """What the small graph computes, in NumPy, for images that need no resize."""
    x = (images.astype(np.float64) - 128) / 128
    steps = range(0, SIZE - 2, 2)
    windows = np.stack(
        [[x[:, i : i + 3, j : j + 3] for j in steps] for i in steps]
    )  # (5, 5, N, 3, 3, 3)
    x = np.einsum("ijnabc,abcd->nijd", windows, weights["kernel"])
    x = (x - weights["mean"]) / np.sqrt(weights["variance"] + 0.001) + weights["beta"]
    x = np.maximum(x, 0)
    return np.concatenate([x, x * x], axis=-1).mean(axis=(1, 2))


def test_features_and_probabilities_are_those_of_numpy(small):
    path, weights = small
    images = random_images(4, SIZE, SIZE)
    probabilities, features = FrozenInception(path).classify(images)
    expected = features_by_hand(images, weights)
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-5)
    # Without the bias, which is large enough here to change every row.
    np.testing.assert_allclose(probabilities, softmax(expected @ weights["w"]), atol=1e-5)
    with_bias = softmax(expected @ weights["w"] + weights["bias"])
    assert np.abs(probabilities - with_bias).max() > 0.1


def test_the_graph_does_what_tensorflow_does_with_the_whole_of_it_image_by_image(small):
    path, weights = small
    images = random_images(3)
    graph = tf.Graph()
    with graph.as_default():
        graph_def = tf.compat.v1.GraphDef.FromString(path.read_bytes())
        tf.compat.v1.import_graph_def(graph_def, name="")
    with tf.compat.v1.Session(graph=graph) as session:
        whole = [
            session.run("pool_3:0", {"ExpandDims:0": image[None].astype("float32")})[0, 0, 0]
            for image in images
        ]
    features = FrozenInception(path).classify(images).features
    np.testing.assert_allclose(features, whole, rtol=1e-6)
    assert weights["w"].shape == (NUM_FEATURES, NUM_CLASSES)


def test_results_do_not_depend_on_the_batch(small):
    classifier = FrozenInception(small[0])
    images = random_images(7)
    together = classifier.classify(images)
    for sizes in ([1] * 7, [3, 4]):
        parts = np.split(images, np.cumsum(sizes)[:-1])
        separate = [classifier.classify(part) for part in parts]
        for kind in ("probabilities", "features"):
            joined = np.concatenate([getattr(s, kind) for s in separate])
            np.testing.assert_allclose(joined, getattr(together, kind), rtol=1e-5, atol=1e-6)


def test_images_of_any_size_are_resized_inside(small):
    classifier = FrozenInception(small[0])
    # Bilinear as in TensorFlow 1: corners not aligned, pixel centres not halved.
    image = random_images(1, 5, 9)
    resized = tf.compat.v1.image.resize_bilinear(image.astype("float32"), (SIZE, SIZE)).numpy()
    np.testing.assert_allclose(
        classifier.classify(image).features, features_by_hand(resized, small[1]), rtol=1e-4
    )


def test_grey_images_are_repeated_to_three_channels(small):
    classifier = FrozenInception(small[0])
    grey = random_images(2, channels=1)
    np.testing.assert_array_equal(
        classifier.classify(grey).features,
        classifier.classify(np.repeat(grey, 3, axis=-1)).features,
    )


def test_images_that_are_neither_grey_nor_rgb_are_refused(small):
    classifier = FrozenInception(small[0])
    classifier.check_images((28, 28, 1))
    classifier.check_images((5, 9, 3))
    with pytest.raises(UserError) as caught:
        classifier.check_images((32, 32, 4))
    assert str(caught.value) == (
        "Images must be grey or RGB, with 1 or 3 channels. Received: images of shape (32, 32, 4)."
    )


def test_it_knows_its_size_and_the_file_it_came_from(small):
    classifier = FrozenInception(small[0])
    assert (classifier.num_features, classifier.num_classes) == (NUM_FEATURES, NUM_CLASSES)
    assert classifier.sha256 == hashlib.sha256(small[0].read_bytes()).hexdigest()
    assert not classifier.has_papers_size


def test_the_papers_size_is_2048_features_and_1008_outputs(tmp_path):
    writer, _ = small_inception(num_features=2048, num_classes=1008)
    assert FrozenInception(writer.write(tmp_path / "graph.pb")).has_papers_size


def test_it_works_while_keras_is_in_a_graph_of_its_own(small):
    classifier = FrozenInception(small[0])
    with tf.Graph().as_default():
        assert classifier.classify(random_images(2)).probabilities.shape == (2, NUM_CLASSES)


def test_placement_on_devices_and_beside_nodes_that_are_gone_is_forgotten(small, tmp_path):
    writer, _ = small_inception()
    node = next(n for n in writer.graph_def.node if n.name == "conv")
    node.device = "/job:worker/device:GPU:3"
    node.attr["_class"].list.s.append(b"loc:@DecodeJpeg")
    moved = FrozenInception(writer.write(tmp_path / "graph.pb"))
    images = random_images(2)
    np.testing.assert_array_equal(
        moved.classify(images).features, FrozenInception(small[0]).classify(images).features
    )


# --- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ExpandDims", "pool_3", "softmax/logits/MatMul"])
def test_a_graph_without_one_of_the_names_is_refused(name, tmp_path):
    writer, _ = small_inception()
    for node in writer.graph_def.node:
        if node.name == name:
            node.name = "other"
    path = writer.write(tmp_path / "graph.pb")
    with pytest.raises(UserError, match=rf"not the Inception graph .* no node named {name}\."):
        FrozenInception(path)


@pytest.mark.parametrize("op", ["ReadFile", "PyFunc", "WriteFile", "DecodeJpeg", "some_function"])
def test_an_operation_that_is_not_plain_maths_is_refused(op, tmp_path):
    writer, _ = small_inception()
    next(n for n in writer.graph_def.node if n.name == "conv").op = op
    path = writer.write(tmp_path / "graph.pb")
    with pytest.raises(UserError, match=rf"refused: its node 'conv' is an operation .* '{op}'"):
        FrozenInception(path)


def test_an_operation_behind_a_control_dependency_is_refused_too(tmp_path):
    writer, _ = small_inception()
    next(n for n in writer.graph_def.node if n.name == "conv/CheckNumerics").op = "WriteFile"
    path = writer.write(tmp_path / "graph.pb")
    with pytest.raises(UserError, match="'conv/CheckNumerics' is an operation of type 'WriteFile'"):
        FrozenInception(path)


def test_what_does_not_lead_to_the_features_is_never_loaded(tmp_path):
    writer, _ = small_inception()
    writer.node("bomb", "NoSuchOperation", "pool_3")
    next(n for n in writer.graph_def.node if n.name == "DecodeJpeg").op = "NoSuchOperationEither"
    classifier = FrozenInception(writer.write(tmp_path / "graph.pb"))
    assert classifier.classify(random_images(1)).features.shape == (1, NUM_FEATURES)


def test_a_graph_whose_parts_do_not_fit_is_refused(tmp_path):
    writer, _ = small_inception()
    writer.graph_def.node.remove(
        next(n for n in writer.graph_def.node if n.name == "conv/conv2d_params")
    )
    path = writer.write(tmp_path / "graph.pb")
    with pytest.raises(UserError, match=r"but not its structure: .*conv/conv2d_params"):
        FrozenInception(path)


def test_the_graphs_own_version_decides_which_operations_exist(tmp_path):
    writer, _ = small_inception()
    writer.graph_def.versions.producer = 9
    path = writer.write(tmp_path / "graph.pb")
    with pytest.raises(UserError, match=r"not available in GraphDef version 9\."):
        FrozenInception(path)


def test_features_that_do_not_come_from_the_image_are_refused(tmp_path):
    writer, _ = small_inception()
    writer.const("image", np.zeros((1, 10, 10, 3), "float32"))
    next(n for n in writer.graph_def.node if n.name == "ResizeBilinear").input[0] = "image"
    path = writer.write(tmp_path / "graph.pb")
    with pytest.raises(UserError, match="its pool_3 does not depend on ExpandDims"):
        FrozenInception(path)


def test_features_that_are_still_a_map_are_refused(tmp_path):
    writer, _ = small_inception()
    pool = next(n for n in writer.graph_def.node if n.name == "pool_3")
    pool.attr["ksize"].list.i[1] = 3
    path = writer.write(tmp_path / "graph.pb")
    with pytest.raises(UserError, match="but not its structure"):
        FrozenInception(path)


def test_a_file_that_is_no_graph_is_refused(tmp_path):
    path = tmp_path / "graph.pb"
    path.write_bytes(b"\x1f\x8b\x08not a graph" * 10)
    with pytest.raises(UserError, match=r"is not a TensorFlow graph\. Expected: classify_image"):
        FrozenInception(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"graph\.pb cannot be read: No such file or directory\."):
        FrozenInception(tmp_path / "graph.pb")

"""The projection head and self-attention: formulas as written, and bad input."""

import keras
import numpy as np
import pytest

from improved_gan_tf.layers import (
    ConditionalBatchNorm,
    ProjectionHead,
    SelfAttention2D,
    SpectralNormDense,
    WeightNormDense,
)
from improved_gan_tf.layers.self_attention import attention_map
from tests.support.numerics import to_numpy


def examples(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def test_the_logit_is_the_linear_score_plus_the_projection_on_the_class():
    layer, x, labels = ProjectionHead(3, spectral_norm=False), examples(4, 2, 5, 6), [2, 0, 1, 2]
    logits = to_numpy(layer([x, np.array(labels)]))
    h = np.maximum(x, 0.0).sum((1, 2))
    vectors = to_numpy(layer.embed.embeddings)[labels]
    expected = h @ to_numpy(layer.linear.kernel) + (vectors * h).sum(1, keepdims=True)
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-5)


def test_attention_starts_as_the_identity_and_mixes_positions_afterwards():
    layer, x = SelfAttention2D(), examples(2, 4, 4, 8)
    np.testing.assert_array_equal(to_numpy(layer(x)), x)
    layer.gamma.assign(1.0)
    before = to_numpy(layer(x))
    x[:, 0, 0] += 5.0  # in one corner
    assert np.abs(to_numpy(layer(x)) - before)[:, 3, 3].max() > 1e-3  # and seen in the other


def test_the_attention_map_is_the_softmax_of_plain_products():
    queries, keys = examples(2, 5, 3), examples(2, 4, 3, seed=1)
    products = np.exp(np.einsum("npd,nqd->npq", queries, keys))
    expected = products / products.sum(-1, keepdims=True)
    np.testing.assert_allclose(to_numpy(attention_map(queries, keys)), expected, rtol=1e-5)


def test_images_of_odd_or_unknown_size_are_attended_to():
    model = keras.Sequential([keras.Input((None, None, 8)), SelfAttention2D()])
    for shape in ((1, 5, 7, 8), (2, 4, 6, 8)):
        assert tuple(model(examples(*shape)).shape) == shape


def test_the_wrong_inputs_are_refused():
    with pytest.raises(ValueError, match=r"takes a list of two, \[x, labels\]. Received: \(4, "):
        ProjectionHead(3)(examples(4, 2, 2, 3))
    with pytest.raises(ValueError, match=r"`num_classes` must be a positive integer"):
        ProjectionHead(0)
    with pytest.raises(ValueError, match=r"last dimension .* `ProjectionHead` must be known"):
        ProjectionHead(3)([keras.Input((4, 4, None)), keras.Input((), dtype="int32")])
    for labels in (keras.Input((1,), dtype="int32"), keras.Input((4,))):
        with pytest.raises(ValueError, match=r"labels of `ProjectionHead` must be a vector \(N,\)"):
            ProjectionHead(3)([keras.Input((4, 4, 8)), labels])
    head = ProjectionHead(3)
    head([examples(4, 2, 2, 3), np.arange(4) % 3])
    with pytest.raises(ValueError, match=r"Received: labels of shape \(4, 1\)"):  # built by others
        head([examples(4, 2, 2, 3), (np.arange(4) % 3)[:, None]])
    with pytest.raises(ValueError, match=r"must be known and at least 8. Received: .*\(2, 4, 4, 7"):
        SelfAttention2D()(examples(2, 4, 4, 7))
    for shape in ((2, 1, 4, 8), (2, 4, 1, 8)):
        with pytest.raises(ValueError, match=r"height and width of at least 2: .*\(2, "):
            SelfAttention2D()(examples(*shape))
    with pytest.raises(ValueError, match=r"must be floating point\. Received: dtype=int"):
        SelfAttention2D()(np.ones((2, 4, 4, 8), "int32"))


@pytest.mark.parametrize(
    "initializer", ["glorot_uniform", keras.initializers.Orthogonal(), keras.initializers.Zeros()]
)
def test_each_convolution_of_self_attention_has_a_kernel_of_its_own(initializer):
    layer = SelfAttention2D(kernel_initializer=initializer)
    layer.build((None, 4, 4, 16))
    theta, phi = to_numpy(layer.theta.kernel), to_numpy(layer.phi.kernel)
    assert theta.shape == phi.shape
    assert np.array_equal(theta, phi) == isinstance(initializer, keras.initializers.Zeros)


def test_a_seed_generator_gives_self_attention_one_number_after_the_other():
    seed = keras.random.SeedGenerator(3)
    layer = SelfAttention2D(kernel_initializer=keras.initializers.RandomNormal(seed=seed))
    layer.build((None, 4, 4, 16))
    assert not np.array_equal(to_numpy(layer.theta.kernel), to_numpy(layer.phi.kernel))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int64", "float32"])
@pytest.mark.parametrize(
    "make",
    [
        ProjectionHead,
        lambda num_classes: ProjectionHead(num_classes, spectral_norm=False),
        lambda num_classes: ConditionalBatchNorm(num_classes=num_classes),
    ],
)
def test_labels_are_of_any_type_that_holds_them(make, dtype):
    layer, x, labels = make(5), examples(4, 2, 2, 3), np.array([4, 0, 3, 1], "int32")
    expected = to_numpy(layer([x, labels]))
    np.testing.assert_array_equal(to_numpy(layer([x, labels.astype(dtype)])), expected)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize(
    "make",
    [
        lambda **kwargs: ProjectionHead(3000, embeddings_initializer="normal", **kwargs),
        lambda **kwargs: ConditionalBatchNorm(num_classes=3000, **kwargs),
    ],
)
def test_half_precision_does_not_round_labels_that_come_as_floats(make, policy):
    labels = np.array([257, 259, 2049, 2999])  # bfloat16 has none of them, float16 not the last two
    layer, x = make(dtype=policy), examples(4, 3)
    expected = to_numpy(layer([x, labels]))
    np.testing.assert_array_equal(to_numpy(layer([x, labels.astype("float32")])), expected)


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX has float64 only where it is switched on"
)
def test_products_of_matrices_are_those_of_float64_on_every_backend():
    x = np.random.default_rng(0).normal(size=(4, 5))
    dense = WeightNormDense(3, epsilon=0.0, dtype="float64")
    outputs = to_numpy(dense(x))
    kernel = to_numpy(dense.kernel)
    assert outputs.dtype == "float64"
    np.testing.assert_allclose(outputs, x @ (kernel / np.linalg.norm(kernel, axis=0)), rtol=1e-13)

    dense = SpectralNormDense(3, num_power_iterations=200, dtype="float64")
    outputs, kernel = to_numpy(dense(x, training=True)), to_numpy(dense.kernel)
    np.testing.assert_allclose(outputs, x @ (kernel / np.linalg.norm(kernel, 2)), rtol=1e-11)

    queries, keys = examples(2, 5, 3).astype("float64"), examples(2, 4, 3).astype("float64")
    products = np.exp(np.einsum("npd,nqd->npq", queries, keys))
    weights = to_numpy(attention_map(*map(keras.ops.convert_to_tensor, (queries, keys))))
    np.testing.assert_allclose(weights, products / products.sum(-1, keepdims=True), rtol=1e-13)


@pytest.mark.parametrize("spectral_norm", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_projection_head_works_wholly_in_half_precision(dtype, spectral_norm):
    head = ProjectionHead(3, spectral_norm=spectral_norm, dtype=dtype)
    logits = head([examples(2, 4, 4, 8), np.array([0, 1])])
    assert keras.backend.standardize_dtype(logits.dtype) == dtype
    assert np.isfinite(to_numpy(keras.ops.cast(logits, "float32"))).all()


def test_attention_to_features_whose_products_do_not_fit_float16_is_finite():
    block, x = SelfAttention2D(dtype="mixed_float16"), 300.0 * examples(2, 8, 8, 64)
    outputs = to_numpy(keras.ops.cast(block(x), "float32"))
    np.testing.assert_array_equal(outputs, x.astype("float16"))  # gamma is 0
    queries, keys = (keras.ops.full((1, 2, 4), value, dtype="float16") for value in (200.0, 300.0))
    np.testing.assert_array_equal(to_numpy(attention_map(queries, keys)), 0.5)


def test_labels_that_are_not_one_for_each_image_are_refused():
    for layer in (ProjectionHead(5), ConditionalBatchNorm(num_classes=5)):
        for rows, count in ((4, 1), (1, 3)):  # which would be broadcast
            with pytest.raises(ValueError, match=f"Received: {rows} examples, {count} "):
                layer([examples(rows, 2, 2, 8), np.zeros(count, "int32")])


@pytest.mark.parametrize(
    ("make", "of_vectors"),
    [
        (lambda: ConditionalBatchNorm(num_classes=5), False),
        (ConditionalBatchNorm, True),
        (lambda: ProjectionHead(5, spectral_norm=False), False),
    ],
)
def test_a_quantized_model_comes_back_from_its_file(make, of_vectors, tmp_path):
    condition = keras.Input((6,)) if of_vectors else keras.Input((), dtype="int32")
    x = keras.Input((4, 4, 8))
    model = keras.Model([x, condition], make()([x, condition]))
    batch = [examples(3, 4, 4, 8), examples(3, 6) if of_vectors else np.array([0, 1, 4])]
    before = to_numpy(model(batch))
    with pytest.warns(UserWarning, match="does not have a `quantize` method"):  # the inputs
        model.quantize("int8")
    quantized = to_numpy(model(batch))
    assert 0.0 < np.abs(quantized - before).max() < 0.1
    for round_trip in (1, 2):
        model.save(tmp_path / f"{round_trip}.keras")
        model = keras.saving.load_model(tmp_path / f"{round_trip}.keras")
        np.testing.assert_array_equal(to_numpy(model(batch)), quantized)

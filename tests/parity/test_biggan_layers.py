"""BigGAN's pieces against the original code (tests/goldens/systems/biggan.md)."""

import keras
import numpy as np
import pytest
from keras import ops

from improved_gan_tf.layers import (
    ConditionalBatchNorm,
    ProjectionHead,
    SelfAttention2D,
    SpectralNormConv2D,
    SpectralNormDense,
    SpectralNormEmbedding,
    set_standing_statistics,
)
from improved_gan_tf.layers.self_attention import attention_map
from improved_gan_tf.losses.orthogonal import orthogonal_penalty
from improved_gan_tf.networks.residual_blocks import residual_down, residual_up
from tests.parity.biggan_goldens import assert_close, load
from tests.support.numerics import BACKEND, gradients, to_numpy

pytestmark = pytest.mark.usefixtures("float64")


def assign(layer, values):
    """Gives the layer's weights, by the ends of their paths, the values of a dict."""
    for name, value in values.items():
        (weight,) = [w for w in layer.weights if f"/{w.path}".endswith(f"/{name}")]
        weight.assign(value)


def training_gradients(layer, inputs, r):
    """Gradients of `sum(layer(inputs) * r)` in training: of floating inputs, and by path."""
    moving = [i for i, x in enumerate(inputs) if np.asarray(x).dtype.kind == "f"]
    trained = layer.trainable_variables

    def loss(*values):
        given = list(inputs)
        for i, value in zip(moving, values, strict=False):
            given[i] = value
        outputs, _ = layer.stateless_call(
            values[len(moving) :],
            [v.value for v in layer.non_trainable_variables],
            given if len(given) > 1 else given[0],
            training=True,
        )
        return ops.sum(outputs * r)

    results = gradients(loss, *(inputs[i] for i in moving), *map(to_numpy, trained))
    of_weights = {v.path: g for v, g in zip(trained, results[len(moving) :], strict=True)}
    return results[: len(moving)], of_weights


def gradient_of(by_path, name):
    (value,) = [g for path, g in by_path.items() if f"/{path}".endswith(f"/{name}")]
    return value


# --- spectral normalization ----------------------------------------------------------------


def spectral(kind, golden, **options):
    """The layer with the golden's kernel and u, and inputs that make it return its kernel."""
    prefix = kind if kind in ("dense", "conv") else "dense"
    kernel = golden[f"{kind}__kernel"]
    if prefix == "dense":
        layer = SpectralNormDense(kernel.shape[1], use_bias=False, **options)
    else:
        layer = SpectralNormConv2D(kernel.shape[3], 3, use_bias=False, **options)
    rows = int(np.prod(kernel.shape[:-1]))
    units = np.eye(rows).reshape(rows, *kernel.shape[:-1])
    layer.build(units.shape)
    assign(layer, {"kernel": kernel, "u": golden[f"{kind}__u0"]})
    return layer, units


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_five_training_calls_and_an_evaluation_equal_the_original(kind):
    golden = load("spectral_norm")
    layer, units = spectral(kind, golden)
    kernel, r = golden[f"{kind}__kernel"], golden[f"{kind}__R"]
    for call in range(1, 6):
        if call in (1, 5):
            _, by_path = training_gradients(layer, [units], r.reshape(layer(units).shape))
            assert_close(gradient_of(by_path, "kernel"), golden[f"{kind}__grad_kernel{call}"])
        w_bar = ops.reshape(layer(units, training=True), kernel.shape)
        assert_close(w_bar, golden[f"{kind}__w_bar{call}"])
        assert_close(layer.u, golden[f"{kind}__u{call}"])
        assert_close(layer.singular_values[0], golden[f"{kind}__sigma{call}"])
    w_bar = ops.reshape(layer(units), kernel.shape)
    assert_close(w_bar, golden[f"{kind}__w_bar_eval_after5"])
    assert_close(layer.u, golden[f"{kind}__u5"])
    np.testing.assert_array_equal(to_numpy(layer.kernel), kernel)


def test_three_power_iterations_equal_the_original():
    golden = load("spectral_norm")
    layer, units = spectral("itrs3", golden, num_power_iterations=3)
    assert_close(layer(units, training=True), golden["itrs3__w_bar"])
    assert_close(layer.u, golden["itrs3__u1"])
    assert_close(layer.singular_values[0], golden["itrs3__sigma"])


def test_three_singular_values_equal_the_original_and_in_the_end_the_true_ones():
    golden = load("spectral_norm")
    layer, units = spectral("svs3", golden, num_singular_values=3)
    expected = golden["svs3__after_1_2_5_200_calls"]
    for i, further in enumerate((1, 1, 3, 95)):
        layer.num_power_iterations = further  # as so many calls; converged before call 100
        layer(units, training=True)
        assert_close(layer.singular_values, expected[i])
    np.testing.assert_allclose(expected[-1], golden["svs3__svd"][:3], rtol=1e-6)


def test_the_embedding_equals_the_original():
    golden = load("spectral_norm")
    layer = SpectralNormEmbedding(10, 7)
    layer.build()
    assign(layer, {"embeddings": golden["embedding__table"], "u": golden["embedding__u0"]})
    assert_close(layer(np.arange(10), training=True), golden["embedding__w_bar"])
    assert_close(layer.singular_values[0], golden["embedding__sigma"])


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_the_implementation_that_keeps_the_other_vector_takes_other_steps(kind):
    """TF-GAN's sigma after its calls 1 to 5: half an iteration behind, the same limit."""
    golden = load("spectral_norm")
    layer, units = spectral(kind, golden)
    other, expected = golden[f"{kind}__tfgan_u0"], golden[f"{kind}__tfgan_sigma_1_to_5"]
    matrix = golden[f"{kind}__kernel"].reshape(len(units), -1)
    layer.u.assign((matrix.T @ other).T)  # where TF-GAN's first call gets to
    ours = []
    for _ in range(5):
        layer(units, training=True)
        ours.append(float(to_numpy(layer.singular_values[0])))
    largest = golden[f"{kind}__singular_values"][0]
    assert (np.array(ours) > expected + 1e-6).all()
    assert (expected < largest).all()
    layer.num_power_iterations = 300
    layer(units, training=True)
    np.testing.assert_allclose(to_numpy(layer.singular_values[0]), largest, rtol=1e-9)


def test_keras_own_spectral_normalization_is_another_thing():
    """Why these layers exist; if it fails, Keras has changed its layer."""
    tf = pytest.importorskip("tensorflow")
    if BACKEND != "tensorflow":
        pytest.skip("what the optimizer is given, here with TensorFlow's tape")
    golden = load("spectral_norm")
    kernel, units = golden["dense__kernel"], np.eye(12)
    inner = keras.layers.Dense(8, use_bias=False)
    layer = keras.layers.SpectralNormalization(inner)
    layer.build(units.shape)
    inner.kernel.assign(kernel)
    layer.vector_u.assign(golden["dense__u0"])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(units, training=True) * golden["dense__R"])
    gradient = tape.gradient(loss, inner.kernel.value)
    assert np.max(np.abs(to_numpy(inner.kernel) - kernel)) > 0.01  # the raw kernel is gone
    expected = golden["dense__grad_kernel1"]
    assert np.max(np.abs(gradient - expected)) > 0.1 * np.max(np.abs(expected))
    assert_close(gradient, golden["dense__R"])  # of W / sigma as if sigma were a constant 1


# --- conditional batch normalization -------------------------------------------------------

CONDITIONAL = {
    "shared": ({}, "kernel", "y"),
    "shared_sn": ({"spectral_norm": True}, "kernel", "y"),
    "per_layer": ({"num_classes": 10}, "embeddings", "labels"),
}


def conditional(kind, golden):
    options, weight, condition = CONDITIONAL[kind]
    layer = ConditionalBatchNorm(**options)
    inputs = [golden["x"], golden[condition]]
    layer.build([x.shape for x in inputs])
    for name in ("gain", "bias"):
        assign(layer, {f"{name}/{weight}": golden[f"{kind}__{name}_kernel"]})
        if kind == "shared_sn":
            assign(layer, {f"{name}/u": golden[f"{kind}__{name}_u0"]})
    return layer, inputs, weight


@pytest.mark.parametrize("kind", sorted(CONDITIONAL))
def test_conditional_batch_norm_equals_the_original(kind):
    golden = load("conditional_batch_norm")
    layer, inputs, weight = conditional(kind, golden)
    of_inputs, by_path = training_gradients(layer, inputs, golden["R"])
    for name, gradient in zip(("x", "y"), of_inputs, strict=False):
        assert_close(gradient, golden[f"{kind}__grad_{name}"])
    for name in ("gain", "bias"):
        gradient = gradient_of(by_path, f"{name}/{weight}")
        assert_close(gradient, golden[f"{kind}__grad_{name}_kernel"])
    assert_close(layer(inputs, training=True), golden[f"{kind}__out_train"])
    assert_close(layer.moving_mean, golden[f"{kind}__moving_mean1"])
    assert_close(layer.moving_variance, golden[f"{kind}__moving_var1"])
    if kind == "shared_sn":
        assert_close(layer.gain.u, golden["shared_sn__gain_u1"])
        assert_close(layer.bias.u, golden["shared_sn__bias_u1"])
    assert_close(layer(inputs), golden[f"{kind}__out_eval"])


def test_standing_statistics_equal_the_original():
    golden = load("conditional_batch_norm")
    layer, _, _ = conditional("shared", golden)
    for name in ("gain", "bias"):
        assign(layer, {f"{name}/kernel": golden[f"standing__{name}_kernel"]})
    batches = zip(golden["standing__batches"], golden["standing__ys"], strict=True)
    set_standing_statistics(layer, map(list, batches))
    assert_close(layer.moving_mean, golden["standing__mean"])
    assert_close(layer.moving_variance, golden["standing__var"])
    assert_close(layer([golden["x"], golden["y"]]), golden["standing__out_eval"])


# --- attention, projection, residual blocks ------------------------------------------------


@pytest.mark.parametrize("kind", ["plain", "sn"])
def test_self_attention_equals_the_original(kind):
    golden = load("self_attention")
    layer = SelfAttention2D(spectral_norm=kind == "sn")
    layer.build(golden["x"].shape)
    names = ("theta", "phi", "g", "o")
    assign(layer, {"gamma": golden[f"{kind}__gamma"]})
    assign(layer, {f"{name}/kernel": golden[f"{kind}__{name}_kernel"] for name in names})
    if kind == "sn":
        assign(layer, {f"{name}/u": golden[f"sn__{name}_u0"] for name in names})
    (d_x,), by_path = training_gradients(layer, [golden["x"]], golden["R"])
    assert_close(d_x, golden[f"{kind}__grad_x"])
    assert_close(gradient_of(by_path, "gamma"), golden[f"{kind}__grad_gamma"])
    for name in names:
        gradient = gradient_of(by_path, f"{name}/kernel")
        assert_close(gradient, golden[f"{kind}__grad_{name}_kernel"])
    assert_close(layer(golden["x"], training=True), golden[f"{kind}__out"])


def test_the_attention_map_equals_the_original():
    golden = load("self_attention")
    queries = golden["x"] @ golden["plain__theta_kernel"][0, 0]
    keys = golden["x"] @ golden["plain__phi_kernel"][0, 0]
    keys = keys.reshape(2, 2, 2, 2, 2, 2).max((2, 4))  # (N, H / 2, W / 2, d)
    queries, keys = queries.reshape(2, 16, 2), keys.reshape(2, 4, 2)
    beta = attention_map(*(ops.convert_to_tensor(x, "float64") for x in (queries, keys)))
    assert_close(beta, golden["plain__attention_map"])


@pytest.mark.parametrize("kind", ["plain", "sn"])
def test_the_projection_head_equals_the_original(kind):
    golden = load("projection_discriminator")
    layer = ProjectionHead(10, spectral_norm=kind == "sn")
    inputs = [golden["features"], golden["labels"]]
    layer.build([x.shape for x in inputs])
    assign(layer, {"linear/kernel": golden["linear_kernel"], "linear/bias": golden["linear_bias"]})
    assign(layer, {"embed/embeddings": golden["embed_table"]})
    if kind == "sn":
        assign(layer, {"linear/u": golden["linear_u0"], "embed/u": golden["embed_u0"]})
    (d_x,), by_path = training_gradients(layer, inputs, np.arange(1.0, 6.0)[:, None])
    assert_close(d_x, golden[f"{kind}__grad_features"])
    for ours, theirs in {
        "linear/kernel": "linear_kernel",
        "linear/bias": "linear_bias",
        "embed/embeddings": "embed_table",
    }.items():
        assert_close(gradient_of(by_path, ours), golden[f"{kind}__grad_{theirs}"])
    assert_close(layer(inputs, training=True), golden[f"{kind}__out"][:, None])
    if kind == "sn":
        assert_close(layer.linear.u, golden["sn__linear_u1"])
        assert_close(layer.embed.u, golden["sn__embed_u1"])


def convolution(filters, kernel_size, name):
    return keras.layers.Conv2D(filters, kernel_size, padding="same", name=name)


def normalization(name):
    return ConditionalBatchNorm(name=name)


BLOCKS = {
    "gblock_up": None,
    "dblock_first_down": {"channels": 6, "preactivation": False},
    "dblock_down": {"channels": 6},
    "dblock_same": {"channels": 4, "downsample": False},
}


@pytest.mark.parametrize("kind", list(BLOCKS))
def test_a_residual_block_equals_the_original(kind):
    golden = load("residual_blocks")
    x, y = golden["x"], golden["y"]
    given = [keras.Input(x.shape[1:]), keras.Input(y.shape[1:])]
    if kind == "gblock_up":
        outputs = residual_up(
            *given, 6, convolution=convolution, normalization=normalization, name="block"
        )
        inputs = [x, y]
    else:
        given, inputs = given[:1], [x]
        outputs = residual_down(*given, **BLOCKS[kind], convolution=convolution, name="block")
    model = keras.Model(given if len(given) > 1 else given[0], outputs)
    names = [k.removeprefix(f"{kind}__") for k in golden if k.startswith(f"{kind}__")]
    ours = {
        name: "block_" + name.replace(".weight", "/kernel").replace(".", "/").replace("bn", "norm")
        for name in names
        if "." in name and not name.startswith("grad__")
    }
    assert len(ours) == len(model.trainable_variables)
    assign(model, {path: golden[f"{kind}__{name}"] for name, path in ours.items()})
    shape = golden[f"{kind}__out"].shape
    r = np.cos(0.1 * np.arange(np.prod(shape))).reshape(shape)
    of_inputs, by_path = training_gradients(model, inputs, r)
    assert_close(of_inputs[0], golden[f"{kind}__grad_x"])
    for name, path in ours.items():
        assert_close(gradient_of(by_path, path), golden[f"{kind}__grad__{name}"])
    called_with = inputs if len(inputs) > 1 else inputs[0]
    assert_close(model(called_with, training=True), golden[f"{kind}__out"])


# --- orthogonal regularisation -------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize(
    ("include_diagonal", "name", "original"),
    [(False, "off_diagonal", "ortho"), (True, "full", "default_ortho")],
)
def test_the_penalty_and_its_gradient_are_those_of_the_formula(
    kind, include_diagonal, name, original
):
    golden = load("orthogonal_regularization")
    kernel = golden[f"{kind}__kernel"]

    def penalty(kernel):
        return orthogonal_penalty(kernel, include_diagonal=include_diagonal)

    assert_close(penalty(kernel), golden[f"{kind}__{name}"])
    (gradient,) = gradients(penalty, kernel)
    assert_close(gradient, golden[f"{kind}__{name}_grad"])
    # What the original adds is half of it.
    theirs = golden[f"biggan_pytorch__{original}_1e-4__{kind}_grad"]
    assert_close(0.5 * 1e-4 * gradient, theirs, 1e-15)

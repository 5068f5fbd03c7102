"""BigGAN's whole players, two channels wide, against the original code, after one training call."""

import keras
import numpy as np
import pytest
from keras import ops

from improved_gan_tf.networks.biggan import biggan_discriminator, biggan_generator
from tests.parity.biggan_goldens import assert_close, load
from tests.support.numerics import BACKEND, gradients, to_numpy

pytestmark = pytest.mark.usefixtures("float64")

OUTPUTS = 1e-10
# JAX's tanh is good to 1e-7, in float64 too.
IMAGES = 1e-6 if BACKEND == "jax" else OUTPUTS
GRADIENTS = 1e-6  # relative to each array's largest entry

MODULES = {
    "output_layer.0": "output_norm",
    "output_layer.2": "output_conv",
    **{f"blocks.{i}.0.": f"block{i}_" for i in range(4)},
    **{f"blocks.{i}.1.": f"block{i}_attention/" for i in range(4)},
    "bn": "norm",
    ".": "/",
}


def ours(name):
    """The original's module path in our networks' words."""
    for theirs, word in MODULES.items():
        name = name.replace(theirs, word)
    return name


def weight_of(model, theirs):
    """Our weight for a parameter of the original."""
    path = ours(theirs)
    candidates = {
        path,
        path.replace("/weight", "/kernel"),
        path.replace("/weight", "/embeddings"),
        path.replace("output_norm/gain", "output_norm/gamma").replace(
            "output_norm/bias", "output_norm/beta"
        ),
    }
    candidates |= {f"logits/{c}" for c in candidates}
    (weight,) = [w for w in model.weights if w.path in candidates]
    return weight


def keys(golden, prefix):
    return [k.removeprefix(prefix) for k in golden if k.startswith(prefix)]


def with_state_of(golden, model):
    assert len(keys(golden, "param__")) == len(model.trainable_weights)
    for name in keys(golden, "param__"):
        weight_of(model, name).assign(golden[f"param__{name}"])
    for name in keys(golden, "u_before__"):
        weight_of(model, f"{name}.u").assign(golden[f"u_before__{name}"])
    return model


def training_gradients(model, inputs, r, moving=None):
    """Gradients of `sum(model(inputs) * r)`: of the input named `moving`, and by path."""
    given = [] if moving is None else [inputs[moving]]

    def loss(*values):
        called_with = dict(inputs)
        if moving is not None:
            called_with[moving], *values = values
        outputs, _ = model.stateless_call(
            values, [v.value for v in model.non_trainable_variables], called_with, training=True
        )
        return ops.sum(outputs * r)

    results = gradients(loss, *given, *map(to_numpy, model.trainable_variables))
    by_path = zip(model.trainable_variables, results[len(given) :], strict=True)
    return results[: len(given)], {v.path: g for v, g in by_path}


def assert_gradients(golden, model, by_path):
    for name in keys(golden, "grad__"):
        expected = golden[f"grad__{name}"]
        actual = by_path[weight_of(model, name).path]
        # Of a bias before a normalization the gradient is zero but for rounding.
        largest = max(np.max(np.abs(expected)), 1e-6)
        assert np.max(np.abs(actual - expected)) <= GRADIENTS * largest, name


def assert_state_after(golden, model):
    for prefix, weight in {
        "u_after__": "u",
        "sigma__": "singular_values",
        "stored_mean_after__": "moving_mean",
        "stored_var_after__": "moving_variance",
    }.items():
        for name in keys(golden, prefix):
            actual = to_numpy(weight_of(model, f"{name}.{weight}"))
            expected = golden[prefix + name]
            assert_close(np.reshape(actual, expected.shape), expected, OUTPUTS)


GENERATORS = {
    "cifar": {"z_dim": 8},
    "hier_shared_attention": {
        "z_dim": 12,
        "shared_dim": 5,
        "hierarchical": True,
        "attention": (16,),
    },
}


@pytest.mark.parametrize("kind", list(GENERATORS))
def test_a_whole_generator_equals_the_original(kind):
    golden = load(f"biggan_tiny_generator_{kind}")
    model = with_state_of(golden, biggan_generator(1, channels=2, **GENERATORS[kind]))
    inputs = {"z": golden["z"], "labels": golden["labels"]}
    shape = golden["images"].shape
    r = np.cos(0.1 * np.arange(np.prod(shape))).reshape(shape)
    _, by_path = training_gradients(model, inputs, r)
    assert_gradients(golden, model, by_path)
    assert_close(model(inputs, training=True), golden["images"], IMAGES)
    assert_state_after(golden, model)
    first = keras.tree.map_structure(lambda x: x[:1], inputs)
    assert_close(model(first), golden["images_eval_first"], IMAGES)


def test_a_whole_discriminator_equals_the_original():
    golden = load("biggan_tiny_discriminator")
    model = with_state_of(golden, biggan_discriminator(1, channels=2))
    inputs = {"images": golden["x"].astype("float64"), "labels": golden["labels"]}
    r = np.array([[1.0], [2.0], [3.0]])
    (d_images,), by_path = training_gradients(model, inputs, r, moving="images")
    assert_close(d_images[:1], golden["grad_x_first"], OUTPUTS)
    assert_gradients(golden, model, by_path)
    assert_close(model(inputs, training=True), golden["logits"][:, None], OUTPUTS)
    assert_state_after(golden, model)

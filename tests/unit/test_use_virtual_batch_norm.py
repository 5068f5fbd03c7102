"""A whole model's batch normalization replaced by virtual batch normalization."""

import keras
import numpy as np
import pytest

from improved_gan_tf.layers import (
    DropReference,
    PrependReference,
    VirtualBatchNorm,
    freeze_reference,
    use_virtual_batch_norm,
)
from tests.support.numerics import to_numpy


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def sequential():
    return keras.Sequential(
        [
            keras.Input((6,), name="z"),
            keras.layers.Dense(18),
            keras.layers.Reshape((3, 3, 2)),
            keras.layers.BatchNormalization(name="norm", epsilon=1e-4),
            keras.layers.Conv2DTranspose(4, 3),
            keras.layers.BatchNormalization(scale=False),
            keras.layers.Conv2D(1, 3),
        ],
        name="generator",
    )


def conditional():
    z, label = keras.Input((6,)), keras.Input((2,))
    x = keras.layers.Dense(4)(keras.layers.Concatenate()([z, label]))
    x = keras.layers.BatchNormalization()(x)
    inner = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization()])
    return keras.Model([z, label], {"image": inner(x), "code": keras.layers.Dense(2)(x)})


def with_other_weights(model):
    for position, weight in enumerate(model.trainable_weights):
        weight.assign(random(*weight.shape, seed=position))
    return model


def test_the_layers_are_those_that_one_would_have_put_there_by_hand():
    model, reference, x = with_other_weights(sequential()), random(5, 6), random(3, 6, seed=1)
    virtual = use_virtual_batch_norm(model, reference)
    prepend = PrependReference(5)
    prepend.set_reference(reference)
    norms = [
        VirtualBatchNorm(5, epsilon=1e-4, gamma_initializer="ones"),
        VirtualBatchNorm(5, epsilon=1e-3, scale=False),
    ]
    dense, reshape, _, up, _, conv = model.layers
    by_hand = keras.Sequential([keras.Input((6,)), prepend, dense, reshape, norms[0], up, norms[1]])
    by_hand.add(conv)
    by_hand.add(DropReference(5))
    by_hand(x)
    for mine, given in zip(norms, (model.layers[2], model.layers[4]), strict=True):
        mine.beta.assign(given.beta)
    norms[0].gamma.assign(model.get_layer("norm").gamma)
    np.testing.assert_allclose(to_numpy(virtual(x)), to_numpy(by_hand(x)), rtol=1e-5, atol=1e-6)
    assert virtual.name == "generator"
    assert type(virtual.get_layer("norm")) is VirtualBatchNorm


def test_what_is_not_trained_stays_so():
    model = sequential()
    model.get_layer("norm").trainable = False
    virtual = use_virtual_batch_norm(model, random(5, 6))
    assert not virtual.get_layer("norm").trainable
    assert len(virtual.trainable_weights) == len(model.trainable_weights)


def test_an_image_no_longer_depends_on_the_others_of_its_batch():
    virtual, x = use_virtual_batch_norm(sequential(), random(5, 6)), random(4, 6, seed=1)
    alone = to_numpy(virtual(x[:1], training=True))
    np.testing.assert_allclose(to_numpy(virtual(x, training=True))[:1], alone, rtol=1e-4, atol=1e-5)


def test_a_functional_model_of_several_inputs_and_outputs(tmp_path):
    model = with_other_weights(conditional())
    references = [random(5, 6), random(5, 2, seed=1)]
    virtual = use_virtual_batch_norm(model, references)
    x = [random(3, 6, seed=2), random(3, 2, seed=3)]
    outputs = virtual(x)
    assert {name: tuple(o.shape) for name, o in outputs.items()} == {
        "image": (3, 4),
        "code": (3, 2),
    }
    virtual.save(tmp_path / "virtual.keras")
    loaded = keras.models.load_model(tmp_path / "virtual.keras")(x)
    frozen = freeze_reference(virtual)(x)
    for name, output in outputs.items():
        np.testing.assert_allclose(to_numpy(loaded[name]), to_numpy(output), rtol=1e-6)
        np.testing.assert_allclose(to_numpy(frozen[name]), to_numpy(output), rtol=1e-4, atol=1e-5)


def test_the_model_given_stays_as_it_is():
    model = sequential()
    before = [w.copy() for w in model.get_weights()]
    virtual = use_virtual_batch_norm(model, random(5, 6))
    virtual.layers[1].kernel.assign(keras.ops.zeros(virtual.layers[1].kernel.shape))
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def wrapped():
    norm = keras.layers.TimeDistributed(keras.layers.BatchNormalization(name="inside"))
    return keras.Sequential([keras.Input((3, 4)), keras.layers.BatchNormalization(), norm])


class Doubled(keras.layers.BatchNormalization):
    def call(self, inputs, **kwargs):
        return 2.0 * super().call(inputs, **kwargs)


def of_a_subclass():
    norms = [keras.layers.BatchNormalization(), Doubled(name="own")]
    return keras.Sequential([keras.Input((3,)), *norms])


def of_numbers():
    embedding = keras.layers.Embedding(5, 4)
    return keras.Sequential(
        [keras.Input((3,), dtype="int32"), embedding, keras.layers.BatchNormalization()]
    )


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize("models", ["float32", "bfloat16", "mixed_bfloat16"])
def test_the_copy_has_the_precision_of_the_model_not_of_the_program(models, policy):
    def functional():
        z = keras.Input((6,))
        norm = keras.layers.BatchNormalization(dtype=models)
        return keras.Model(z, norm(keras.layers.Dense(4, dtype=models)(z)))

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        for model in (
            functional(),
            keras.Sequential([keras.Input((6,)), *functional().layers[1:]]),
        ):
            virtual, x = use_virtual_batch_norm(model, random(5, 6)), random(3, 6, seed=1)
            outputs = virtual(x)
            assert outputs.dtype == model(x).dtype
            prepend = next(i for i in virtual.layers if isinstance(i, PrependReference))
            assert prepend.compute_dtype == "float32"  # of the model's input
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize(
    ("make", "reference", "message"),
    [
        (lambda: keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), (4, 3), "at least"),
        (wrapped, (4, 3, 4), r"left: \['inside'\]"),
        (of_a_subclass, (4, 3), r"or of a subclass. .*left: \['own'\]"),
        (of_numbers, (4, 3), r"must be floating point\. Received: dtype=int32"),
        (sequential, (1, 6), "`reference_size` must be at least 2"),
        (sequential, (5, 7), r"must have the shape \(5, 6\)"),
        (conditional, (5, 6), r"each of the 2 inputs .*Received: \[\(5, 6\)\]"),
        (lambda: keras.Sequential([keras.layers.BatchNormalization()]), (5, 6), "0 inputs"),
    ],
)
def test_what_is_wrong_is_said(make, reference, message):
    with pytest.raises(ValueError, match=message):
        use_virtual_batch_norm(make(), random(*reference))


@pytest.mark.parametrize(
    ("structure", "reference", "message"),
    [
        (list, dict, r"a list of 2. Received: a dict of \['first', 'second'\]"),
        (dict, list, r"a dict of \['first', 'second'\]. Received: a list of 2"),
        (list, tuple, None),
        (dict, dict, None),
    ],
)
def test_a_reference_of_another_structure_could_be_taken_for_other_inputs(
    structure, reference, message
):
    """Sorted by their names the inputs stand in another order than in the list."""
    inputs = {name: keras.Input((4,), name=name) for name in ("second", "first")}
    norm = keras.layers.BatchNormalization()(keras.layers.Concatenate()([*inputs.values()]))
    model = keras.Model(inputs if structure is dict else [*inputs.values()], norm)
    rows = {"second": random(5, 4), "first": random(5, 4) + 10.0}
    rows = rows if reference is dict else reference(rows.values())
    if message:
        with pytest.raises(ValueError, match=f"`reference` must be a structure like .*{message}"):
            use_virtual_batch_norm(model, rows)
        return
    virtual = use_virtual_batch_norm(model, rows)
    means = {
        layer.input.name: float(to_numpy(layer.reference).mean())
        for layer in virtual.layers
        if isinstance(layer, PrependReference)
    }
    assert means["first"] > 5.0 > means["second"]

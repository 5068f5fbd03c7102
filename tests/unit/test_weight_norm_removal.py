"""Weight-normalised layers turned into plain ones."""

import keras
import numpy as np
import pytest

from improved_gan_tf.layers.activations import leaky_rectify
from improved_gan_tf.layers.weight_norm.conv import WeightNormConv2D
from improved_gan_tf.layers.weight_norm.conv_transpose import WeightNormConv2DTranspose
from improved_gan_tf.layers.weight_norm.dense import WeightNormDense
from improved_gan_tf.layers.weight_norm.other_ranks import (
    WeightNormConv1D,
    WeightNormConv1DTranspose,
    WeightNormConv3D,
    WeightNormConv3DTranspose,
)
from improved_gan_tf.layers.weight_norm.removal import remove_weight_norm
from tests.support.numerics import BACKEND, float64, to_numpy

SOFTMAX = "softmax"  # not elementwise: the order of padding and activation would show
CASES = [
    (lambda: WeightNormDense(3, activation=SOFTMAX), (5,), "Dense"),
    (lambda: WeightNormDense(3, use_bias=False, epsilon=0.5), (4, 5), "Dense"),
    (lambda: WeightNormConv2D(4, 3, strides=2, activation=SOFTMAX), (7, 6, 2), "Conv2D"),
    (lambda: WeightNormConv2D(4, 3, padding="same", dilation_rate=2), (7, 6, 2), "Conv2D"),
    (lambda: WeightNormConv2D(4, 3, padding=1, groups=2, epsilon=0.5), (7, 6, 2), "Conv2D"),
    (lambda: WeightNormConv2D(4, 3, padding=1, strides=2), (8, 8, 2), "Sequential"),
    (lambda: WeightNormConv2D(4, 3, padding=(0, 1), use_bias=False), (7, 6, 2), "Sequential"),
    (
        lambda: WeightNormConv2DTranspose(3, 4, strides=2, padding="same", output_padding=1),
        (4, 4, 2),
        "Conv2DTranspose",
    ),
    (
        lambda: WeightNormConv2DTranspose(3, 5, strides=2, activation=SOFTMAX, epsilon=0.5),
        (4, 4, 2),
        "Conv2DTranspose",
    ),
    (
        lambda: WeightNormConv2DTranspose(
            3, 5, strides=2, padding=2, output_padding=1, activation=SOFTMAX
        ),
        (4, 4, 2),
        "Sequential",
    ),
    (
        lambda: WeightNormConv2DTranspose(3, 2, strides=3, padding=(1, 0), use_bias=False),
        (4, 4, 2),
        "Sequential",
    ),
    (lambda: WeightNormConv1D(4, 3, strides=2, activation=SOFTMAX), (7, 2), "Conv1D"),
    (lambda: WeightNormConv1D(4, 3, strides=2, padding=1), (7, 2), "Sequential"),
    (
        lambda: WeightNormConv1DTranspose(4, 3, strides=2, activation=SOFTMAX),
        (7, 2),
        "Conv1DTranspose",
    ),
    (lambda: WeightNormConv1DTranspose(4, 3, strides=2, padding=1), (7, 2), "Sequential"),
    (lambda: WeightNormConv3D(4, 2, padding="same", activation=SOFTMAX), (3, 4, 3, 2), "Conv3D"),
    (lambda: WeightNormConv3D(4, 2, padding=(1, 0, 1)), (3, 4, 3, 2), "Sequential"),
    (lambda: WeightNormConv3DTranspose(4, 2, strides=2), (3, 4, 3, 2), "Conv3DTranspose"),
    (lambda: WeightNormConv3DTranspose(4, 3, padding=1), (3, 4, 3, 2), "Sequential"),
    (
        lambda: WeightNormConv2D(
            4, 3, padding=1, strides=2, data_format="channels_first", activation=SOFTMAX
        ),
        (2, 7, 6),
        "Sequential",
    ),
    (
        lambda: WeightNormConv2DTranspose(4, 3, padding=1, data_format="channels_first"),
        (2, 7, 6),
        "Sequential",
    ),
]


def built(layer, shape):
    layer.build((None, *shape))
    generator = np.random.default_rng(0)
    for weight in layer.weights:
        weight.assign(generator.normal(size=weight.shape))
    return layer


def inputs(shape, rows=3):
    return np.random.default_rng(1).normal(size=(rows, *shape)).astype("float32")


@pytest.mark.parametrize(("make", "shape", "kind"), CASES)
def test_a_layer_and_its_plain_form_agree(make, shape, kind):
    layer, x = built(make(), shape), inputs(shape)
    plain = remove_weight_norm(layer)
    assert type(plain).__name__ == kind
    assert plain.name == layer.name
    assert not any("scale" in w.name for w in plain.weights)
    np.testing.assert_allclose(to_numpy(plain(x)), to_numpy(layer(x)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("make", "shape", "kind"), CASES)
def test_float64_layers_agree_to_float64(make, shape, kind):
    with float64():
        layer, x = built(make(), shape), inputs(shape).astype("float64")
        outputs = to_numpy(remove_weight_norm(layer)(x))
        expected = to_numpy(layer(x))
    # Keras's softmax and matmul are float32 on other backends, whatever their argument.
    tolerance = 1e-12 if BACKEND == "tensorflow" else 1e-5
    np.testing.assert_allclose(outputs, expected, rtol=tolerance, atol=tolerance)


def test_the_kernel_is_the_normalised_one():
    layer = WeightNormDense(1, epsilon=0.0)
    layer.build((None, 2))
    layer.kernel.assign([[3.0], [4.0]])
    layer.scale.assign([10.0])
    np.testing.assert_allclose(to_numpy(remove_weight_norm(layer).kernel), [[6.0], [8.0]])


def discriminator():
    """A functional graph with a branch, a shared layer, a nested model and a batch norm."""
    tail = keras.Sequential(
        [
            keras.Input((4, 4, 4)),
            WeightNormConv2D(3, 1, activation=leaky_rectify, name="one_by_one"),
            keras.layers.GlobalAveragePooling2D(),
        ],
        name="tail",
    )
    shared = WeightNormConv2D(4, 3, padding="same", name="shared")
    image = keras.Input((8, 8, 2))
    x = WeightNormConv2D(4, 3, strides=2, padding=1, name="down")(image)
    x = keras.layers.BatchNormalization()(x)
    features = tail(shared(shared(x)) + x)
    logits = WeightNormDense(2, name="logits")(features)
    model = keras.Model(image, {"logits": logits, "features": features})
    generator = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(np.abs(generator.normal(size=weight.shape)))
    return model


def test_a_model_and_its_plain_form_agree(tmp_path):
    model, x = discriminator(), inputs((8, 8, 2))
    plain = remove_weight_norm(model)
    plain.save(tmp_path / "plain.keras")
    loaded = keras.models.load_model(tmp_path / "plain.keras")
    expected = model(x)
    for copy in (plain, loaded):
        outputs = copy(x)
        assert set(outputs) == {"logits", "features"}
        for name, value in outputs.items():
            np.testing.assert_allclose(
                to_numpy(value), to_numpy(expected[name]), rtol=1e-4, atol=1e-5
            )


def test_every_layer_of_a_model_is_replaced_and_the_model_kept():
    model = discriminator()
    kinds = [type(layer).__name__ for layer in model.layers]
    before = [to_numpy(w) for w in model.weights]
    plain = remove_weight_norm(model)
    names = [type(layer).__name__ for layer in (*plain.layers, *plain.get_layer("tail").layers)]
    assert not any("WeightNorm" in name for name in names)
    assert [type(layer).__name__ for layer in model.layers] == kinds
    assert len([name for name in names if name == "Conv2D"]) == 2  # the shared layer once
    plain.set_weights([0.0 * np.asarray(w) for w in plain.get_weights()])
    for old, new in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, to_numpy(new))


def test_what_is_not_trained_stays_so():
    layer = built(WeightNormConv2D(2, 3, padding=1, strides=2), (8, 8, 2))
    layer.trainable = False
    assert remove_weight_norm(layer).trainable_weights == []


def test_an_unbuilt_layer_is_refused():
    with pytest.raises(ValueError, match=r"Only a built layer .* Received: layer 'young'"):
        remove_weight_norm(WeightNormDense(3, name="young"))


def test_an_unbuilt_model_is_refused():
    with pytest.raises(ValueError, match=r"Only a built model .* Received: model=young"):
        remove_weight_norm(keras.Sequential([WeightNormDense(3)], name="young"))


def test_what_was_adapted_is_copied():
    values = np.random.RandomState(1).normal(5.0, 3.0, (64, 4)).astype("float32")
    normalization = keras.layers.Normalization()
    normalization.adapt(values)
    model = keras.Sequential([keras.Input((4,)), normalization, WeightNormDense(3)])
    expected = to_numpy(model(values))
    found = to_numpy(remove_weight_norm(model)(values))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert np.abs(to_numpy(model.layers[-1](values)) - expected).max() > 1.0


def test_another_layer_is_refused():
    with pytest.raises(ValueError, match=r"model or a weight-normalised layer. Received: Dense"):
        remove_weight_norm(keras.layers.Dense(3))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = WeightNormDense(3)

    def call(self, inputs):
        return self.dense(inputs)


def test_a_layer_inside_another_layer_is_not_left_behind_unseen():
    inner = keras.layers.TimeDistributed(WeightNormDense(3, name="inner"))
    model = keras.Sequential([keras.Input((4, 5)), inner])
    with pytest.raises(
        ValueError, match=r"inside other layers.* Received: WeightNormDense 'inner'"
    ):
        remove_weight_norm(model)


class Doubled(WeightNormDense):
    def call(self, inputs):
        return 2.0 * super().call(inputs)


class OwnConv(WeightNormConv2D):
    pass


@pytest.mark.parametrize(
    ("layer", "shape"), [(Doubled(3, name="own"), (5,)), (OwnConv(3, 2, name="own"), (4, 4, 2))]
)
def test_a_layer_of_a_subclass_which_may_do_more_is_refused(layer, shape):
    model = keras.Sequential([keras.Input(shape), layer])
    with pytest.raises(ValueError, match=rf"a subclass. Received: {type(layer).__name__} 'own'"):
        remove_weight_norm(model)
    with pytest.raises(ValueError, match=rf"normalised layer. Received: {type(layer).__name__}"):
        remove_weight_norm(layer)


def test_a_subclassed_model_is_refused():
    model = Subclassed()
    model(inputs((5,)))
    with pytest.raises(ValueError, match=r"Only a Sequential or functional .* a Subclassed"):
        remove_weight_norm(model)


class DoubledModel(keras.Sequential):
    def call(self, *args, **kwargs):
        return 2.0 * super().call(*args, **kwargs)


def test_a_model_with_a_call_of_its_own_is_refused():
    model = DoubledModel([keras.Input((5,)), WeightNormDense(3, name="d")])
    with pytest.raises(ValueError, match=r"without a `call` of its own .* a DoubledModel"):
        remove_weight_norm(model)
    with pytest.raises(ValueError, match=r"inside other layers.*WeightNormDense 'd'"):
        remove_weight_norm(keras.Sequential([keras.Input((5,)), model]))
    inner = DoubledModel([keras.Input((3,)), keras.layers.Dense(2)])
    outer = keras.Sequential([keras.Input((5,)), WeightNormDense(3), inner])
    x = inputs((5,))
    np.testing.assert_allclose(
        to_numpy(remove_weight_norm(outer)(x)), to_numpy(outer(x)), rtol=1e-5, atol=1e-6
    )


def test_a_subclass_with_the_call_of_keras_is_copied():
    class Trained(keras.Model):
        def train_step(self, data):
            return {}

    pixels = keras.Input((5,))
    model = Trained(pixels, WeightNormDense(3)(pixels))
    x = inputs((5,))
    np.testing.assert_allclose(
        to_numpy(remove_weight_norm(model)(x)), to_numpy(model(x)), rtol=1e-5, atol=1e-6
    )


@pytest.fixture
def channels_first_by_default():
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format(before)


@pytest.mark.parametrize("data_format", ["channels_last", None])
@pytest.mark.parametrize(
    ("layer_class", "lengths"),
    [
        (WeightNormConv1D, (8,)),
        (WeightNormConv2D, (8, 7)),
        (WeightNormConv3D, (5, 6, 7)),
        (WeightNormConv1DTranspose, (4,)),
        (WeightNormConv2DTranspose, (4, 5)),
        (WeightNormConv3DTranspose, (3, 4, 5)),
    ],
)
def test_explicit_padding_stays_with_the_positions_where_keras_puts_channels_first(
    layer_class, lengths, data_format, channels_first_by_default
):
    shape = (*lengths, 2) if data_format else (2, *lengths)
    layer = layer_class(3, 3, strides=2, padding=1, data_format=data_format)
    model = keras.Sequential([keras.Input(shape), layer])
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    plain = remove_weight_norm(model)
    np.testing.assert_allclose(to_numpy(plain(x)), to_numpy(model(x)), rtol=1e-5, atol=1e-6)

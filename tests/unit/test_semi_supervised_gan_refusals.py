"""What `SemiSupervisedGAN` refuses, each with one sentence, before anything is trained."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from improved_gan_tf import SemiSupervisedGAN, networks
from tests.support import small_gan
from tests.support.small_gan import make, make_discriminator, make_generator, make_images

X, Y = make_images(30)
FEW = (X[:12], Y[:12])


def gan_of(discriminator=None, generator=None, **settings):
    return SemiSupervisedGAN(
        discriminator or make_discriminator(), generator or make_generator(), **settings
    )


def refuse_fit(match, gan=None, **kwargs):
    """The `fit` raises this `ValueError`, and no parameter has changed."""
    gan = gan or make()
    before = [np.array(v) for v in gan.variables]
    arguments = {"labeled": FEW, "unlabeled": X, "batch_size": 6, "verbose": 0, **kwargs}
    with pytest.raises(ValueError, match=match) as refused:
        gan.fit(**arguments)
    assert "\n" not in str(refused.value)
    for value, variable in zip(before, gan.variables, strict=True):
        np.testing.assert_array_equal(value, np.array(variable))


# --- the two models ----------------------------------------------------------------------------


def ending_in(layer_or_function):
    images = keras.Input(small_gan.SHAPE)
    x = keras.layers.Dense(8, name="features")(keras.layers.Flatten()(images))
    return keras.Model(images, layer_or_function(keras.layers.Dense(3)(x)))


PROBABILITIES = {
    "an argument": lambda: make_discriminator(activation="softmax"),
    "a layer": lambda: ending_in(keras.layers.Softmax()),
    "an activation": lambda: ending_in(keras.layers.Activation("softmax")),
    "a function": lambda: ending_in(keras.ops.softmax),
    "inside a nested model": lambda: ending_in(
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, "softmax")])
    ),
    "behind a reshape": lambda: ending_in(
        lambda x: keras.layers.Reshape((3,))(keras.layers.Softmax()(x))
    ),
    "in a sequence": lambda: keras.Sequential(
        [
            keras.Input(small_gan.SHAPE),
            keras.layers.Flatten(name="features"),
            keras.layers.Dense(3, "softmax"),
        ]
    ),
}


@pytest.mark.parametrize("way", PROBABILITIES)
def test_a_discriminator_that_ends_in_a_softmax_is_refused(way):
    with pytest.raises(ValueError, match=r"must return logits.*Received: .* ends in softmax"):
        gan_of(PROBABILITIES[way]())


@pytest.mark.parametrize("activation", ["sigmoid", "log_softmax", "relu"])
def test_a_discriminator_that_ends_in_another_activation_is_refused(activation):
    with pytest.raises(ValueError, match=f"must return logits.*ends in {activation}"):
        gan_of(make_discriminator(activation=activation))


def test_a_single_logit_is_refused():
    with pytest.raises(ValueError, match=r"K of 2 or more. Received: logits of shape \(None, 1\)"):
        gan_of(make_discriminator(units=1))


def without_features():
    return keras.Sequential(
        [
            keras.Input(small_gan.SHAPE),
            keras.layers.Flatten(name="flat"),
            keras.layers.Dense(8, name="hidden"),
            keras.layers.Dense(3, name="classes"),
        ]
    )


def test_a_missing_layer_for_feature_matching_is_asked_for():
    with pytest.raises(ValueError, match=r"`feature_layer`.*the layers are flat, hidden, classes"):
        gan_of(without_features())


@pytest.mark.parametrize("name", ["hiden", "pixels"])
def test_a_wrong_layer_for_feature_matching_is_refused(name):
    with pytest.raises(ValueError, match=rf"one of flat, .*Received: feature_layer='{name}'"):
        gan_of(feature_layer=name)


def test_features_of_a_shared_layer_are_refused():
    images = keras.Input(small_gan.SHAPE)
    shared = keras.layers.Dense(36, name="shared")
    x = shared(shared(keras.layers.Flatten()(images)))
    discriminator = keras.Model(images, keras.layers.Dense(3)(x))
    with pytest.raises(ValueError, match=r"called once.*Received: feature_layer='shared'"):
        gan_of(discriminator, feature_layer="shared")


def test_without_feature_matching_no_layer_is_needed():
    gan = gan_of(without_features(), generator_objective="saturating")
    assert set(gan._game.discriminator.output) == {"logits"}


def test_the_layer_that_is_named_is_the_one_that_is_matched():
    gan = gan_of(without_features(), feature_layer="hidden")
    assert gan._game.discriminator.output["features"] is gan.discriminator.layers[1].output
    generator, discriminator = networks.convolutional((28, 28, 1), 3, width_multiplier=1 / 16)
    gan = gan_of(discriminator, generator)
    assert gan._game.discriminator.output["features"] is discriminator.output["features"]


@pytest.mark.parametrize(
    "discriminator", [keras.Sequential([keras.layers.Dense(3)]), None, "resnet"], ids=str
)
def test_a_model_without_a_known_graph_is_refused(discriminator):
    with pytest.raises(ValueError, match="`discriminator` must be a functional model, or a Seq"):
        SemiSupervisedGAN(discriminator, make_generator())


class Doubled(keras.Sequential):
    def call(self, *args, **kwargs):
        return 2.0 * super().call(*args, **kwargs)


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_a_call_of_the_models_own_which_would_not_be_trained_is_refused(player):
    make_player = {"discriminator": make_discriminator, "generator": make_generator}[player]
    model = make_player()
    layers = [x for x in model.layers if not isinstance(x, keras.layers.InputLayer)]
    doubled = Doubled([keras.Input(model.input_shape[1:]), *layers])
    with pytest.raises(ValueError, match=f"`{player}` must not have a `call`.*Received: a Doubled"):
        gan_of(**{player: doubled})


def test_a_nested_model_with_a_call_of_its_own_is_called_as_it_is():
    nested = Doubled([keras.Input((3,)), keras.layers.Dense(3, "softmax")])
    gan = gan_of(ending_in(nested))  # whose outputs up to 2 are no probabilities
    logits = gan.predict(X[:2], verbose=0)
    np.testing.assert_allclose(logits.sum(axis=1), 2.0, rtol=1e-5)


def test_a_discriminator_of_any_height_and_width_is_refused():
    images = keras.Input((None, None, 1))
    x = keras.layers.GlobalAveragePooling2D(name="features")(images)
    with pytest.raises(ValueError, match=r"known height and width.*\(N, None, None, 1\)"):
        gan_of(keras.Model(images, keras.layers.Dense(3)(x)))


def test_several_inputs_and_other_outputs_are_refused():
    one, other = keras.Input((6, 6, 1)), keras.Input((6, 6, 1))
    logits = keras.layers.Dense(3)(keras.layers.Flatten()(keras.layers.Add()([one, other])))
    with pytest.raises(ValueError, match=r"must have one input. Received: 2 inputs"):
        gan_of(keras.Model([one, other], logits))
    features = keras.layers.Dense(3)(keras.layers.Flatten()(one))
    with pytest.raises(ValueError, match=r"'logits' among its keys. Received: .*\['classes'\]"):
        gan_of(keras.Model(one, {"classes": features}))
    with pytest.raises(
        ValueError, match=r"'logits' among its keys. Received: outputs of 2 tensors"
    ):
        gan_of(keras.Model(one, [features, features + 1]))


def test_regularizers_which_the_game_would_leave_out_are_refused():
    discriminator = keras.Sequential(
        [
            keras.Input(small_gan.SHAPE),
            keras.layers.Flatten(name="features"),
            keras.layers.Dense(3, kernel_regularizer="l2"),
        ]
    )
    with pytest.raises(ValueError, match=r"no regularizers.*`weight_decay`.*Received: 1 terms"):
        gan_of(discriminator)


def test_an_activitys_regularizer_is_refused_too():
    discriminator = keras.Sequential(
        [
            keras.Input(small_gan.SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(4, name="features", activity_regularizer="l2"),
            keras.layers.Dense(3),
        ]
    )
    with pytest.raises(ValueError, match=r"no regularizers.*Received: 1 terms"):
        gan_of(discriminator)


def test_a_generator_of_another_shape_is_refused():
    generator = make_generator(shape=(6, 6, 3))
    with pytest.raises(ValueError, match=r"discriminator's shape.*Received: .*\(None, 6, 6, 3\)"):
        gan_of(generator=generator)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("generator_objective", "hinge"),
        ("generator_steps", 0),
        ("unlabeled_weight", -1.0),
        ("supervised_weight", float("inf")),
        ("real_target", 0.5),
        ("generated_target", 0.5),
        ("historical_averaging_weight", -0.1),
        ("historical_averaging_players", "all"),
        ("averaging_rate", 1.5),
        ("cross_replica", "all"),
        ("couples_examples", False),
        ("seed", -1),
        ("seed", True),
        ("generator_steps", True),
    ],
)
def test_a_setting_out_of_its_range_is_refused(setting, value):
    with pytest.raises(ValueError, match=f"`{setting}` must be .*Received: {setting}={value!r}"):
        gan_of(**{setting: value})


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_generator_that_makes_images_in_half_precision_is_warned_of(dtype):
    last = keras.layers.Activation("linear", dtype=f"mixed_{dtype}")
    noise = keras.Input((small_gan.NOISE,))
    generator = keras.Sequential([noise, *make_generator().layers, last])
    with pytest.warns(UserWarning, match=f"images in {dtype}, .* last layer dtype='float32'"):
        gan_of(generator=generator)


def test_numpy_integers_are_settings():
    config = gan_of(seed=np.int64(7), generator_steps=np.int32(2)).get_config()
    assert (config["seed"], config["generator_steps"]) == (7, 2)
    assert type(config["seed"]) is type(config["generator_steps"]) is int


def test_a_discriminator_with_nothing_to_learn_is_refused():
    for settings in ({"supervised_only": True}, {"unlabeled_weight": 0.0}):
        with pytest.raises(ValueError, match=r"nothing to learn.*Received: supervised_weight=0"):
            gan_of(supervised_weight=0, **settings)


# --- compile -------------------------------------------------------------------------------------


def test_one_optimizer_for_two_players_is_refused():
    gan, adam = make(compiled=False), keras.optimizers.Adam()
    with pytest.raises(ValueError, match="an optimizer for each player"):
        gan.compile(discriminator_optimizer=adam)
    with pytest.raises(ValueError, match="Each player needs an optimizer of its own"):
        gan.compile(discriminator_optimizer=adam, generator_optimizer=adam)
    with pytest.raises(ValueError, match=r"Received: learning_rate=0.1 and two optimizers"):
        gan.compile(0.1, discriminator_optimizer="adam", generator_optimizer="adam")


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_an_optimizer_that_scales_the_loss_is_refused(player):
    plain = keras.optimizers.SGD(0.1)
    for optimizer, received in (
        (keras.optimizers.SGD(0.1, loss_scale_factor=1024.0), "loss_scale_factor=1024"),
        (keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)), "LossScaleOptimizer"),
    ):
        optimizers = {"discriminator_optimizer": plain, "generator_optimizer": plain}
        optimizers[f"{player}_optimizer"] = optimizer
        with pytest.raises(ValueError, match=f"`{player}_optimizer` must .*Received: {received}$"):
            make(compiled=False).compile(**optimizers)


def test_training_on_one_batch_is_refused_in_favour_of_fit():
    with pytest.raises(NotImplementedError, match=r"Call `fit`; steps_per_epoch=1"):
        make().train_on_batch(X[:6], Y[:6])


def test_fit_before_compile_is_refused():
    refuse_fit("call `compile` first", gan=make(compiled=False))


# --- images ------------------------------------------------------------------------------------


@pytest.mark.parametrize("argument", ["labeled", "unlabeled", "validation_data"])
def test_floats_from_0_to_255_are_refused(argument):
    pixels = (X + 1.0) * 127.5
    data = pixels if argument == "unlabeled" else (pixels, Y)
    refuse_fit(
        rf"`{argument}` must hold pixels in the range .* -1 to 1, .*: images / 127.5 - 1. "
        "Received: pixels from 0 to 2",
        **{argument: data},
    )


def test_bytes_are_refused_with_the_recipe():
    pixels = small_gan.make_bytes(30)[0]
    refuse_fit(r"images / 127.5 - 1. Received: pixels of dtype uint8", unlabeled=pixels)
    sigmoid = gan_of(generator=make_generator("sigmoid"))
    sigmoid.compile()
    data = {"labeled": ((X[:12] + 1) / 2, Y[:12]), "unlabeled": pixels}
    refuse_fit(r"images / 255. Received: pixels of dtype uint8", sigmoid, **data)


def test_images_from_0_to_1_do_not_go_with_a_tanh_generator():
    refuse_fit(r"-1 to 1.*2 \* images - 1. Received: pixels from 0 to", unlabeled=(X + 1) / 2)


def test_images_from_minus_1_to_1_do_not_go_with_a_sigmoid_generator():
    gan = gan_of(generator=make_generator("sigmoid"))
    gan.compile()
    refuse_fit(r"0 to 1, .*\(images \+ 1\) / 2 .*Received: pixels from -1 to", gan)


def test_a_generator_of_unknown_range_takes_small_numbers_of_any_sign():
    gan = gan_of(generator=make_generator(activation=None), averaging_rate=0.0)
    gan.compile()
    refuse_fit(r"as large as bytes.*Received: pixels from 0 to 2", gan, unlabeled=(X + 1) * 127)
    gan.fit(labeled=(3 * FEW[0], FEW[1]), unlabeled=3 * X, batch_size=6, verbose=0)
    assert int(gan.steps) == 5


def test_a_few_bright_images_can_be_predicted():
    gan = make()
    assert gan.predict(np.abs(X[:2]), verbose=0).shape == (2, 3)
    with pytest.raises(ValueError, match=r"`x` must hold pixels in the range"):
        gan.predict(X[:2] * 127.5 + 127.5, verbose=0)


def test_images_that_are_not_finite_are_refused():
    broken = X.copy()
    broken[3, 2, 1, 0] = np.nan
    refuse_fit(r"`unlabeled` must hold finite pixels only. Received: .*nan", unlabeled=broken)


def test_images_of_another_shape_are_refused():
    refuse_fit(r"\(N, 6, 6, 1\). Received: an array of shape \(30, 6, 6\)", unlabeled=X[..., 0])
    refuse_fit(r"`labeled` must hold at least one image", labeled=(X[:0], Y[:0]))


# --- labels --------------------------------------------------------------------------------------

LABELS = {
    "one-hot": (np.eye(3)[Y[:12]], r"not one-hot rows: np.argmax.*shape \(\d+, 3\)"),
    "one-hot integers": (np.eye(3, dtype=int)[Y[:12]], "not one-hot rows"),
    "strings": (np.array(["cat", "dog", "owl"])[Y[:12]], r"not names: names, labels = np.unique"),
    "a list of strings": (["cat"] * 12, "not names"),
    "bytes": (np.array([b"cat"] * 12), "not names"),
    "floats": (Y[:12].astype(float), r"labels.astype\('int32'\). Received: labels of dtype float"),
    "no label": (Y[:12] - 1, r"0 to 2.*belong in `unlabeled` alone. Received: label -1"),
    "from one": (Y[:12] + 1, r"integers from 0 to 2.*Received: label 3"),
    "too few": (Y[:11], "Received: 11 labels of 12 images"),
    "two axes": (np.zeros((12, 2), int), r"of shape \(N,\). Received: labels of shape \(12, 2\)"),
}


@pytest.mark.parametrize("mistake", LABELS)
def test_wrong_labels_are_refused(mistake):
    labels, match = LABELS[mistake]
    refuse_fit("`labeled` must .*" + match, labeled=(X[:12], labels))
    with pytest.raises(ValueError, match="`x, y` must .*" + match):
        make().evaluate(X[:12], labels, verbose=0)


def test_images_without_labels_are_refused():
    refuse_fit(r"pair \(images, labels\).*Received: labeled of type ndarray", labeled=X[:12])
    refuse_fit(r"pair \(images, labels\).*Received: labeled of type NoneType", labeled=None)
    refuse_fit(r"supervised_only=True.*Received: unlabeled=None", unlabeled=None)


# --- batches -------------------------------------------------------------------------------------


def test_fewer_labels_than_a_batch_are_refused_unless_they_may_be_repeated():
    few = (X[:4], Y[:4])
    refuse_fit(r"fewer labeled images.*`repeat_labels=True`.*Received: 4 lab", labeled=few)
    gan = make()
    gan.fit(labeled=few, unlabeled=X, batch_size=6, verbose=0, repeat_labels=True)
    assert int(gan.steps) == 5
    baseline = make(supervised_only=True)
    baseline.fit(labeled=few, unlabeled=None, batch_size=6, verbose=0, repeat_labels=True)
    assert int(baseline.steps) == 1


def test_fewer_images_than_a_batch_are_refused():
    refuse_fit(r"no full batch. Received: batch_size=6 with 5 images", unlabeled=X[:5])
    refuse_fit("Received: batch_size=100 with 30 images", batch_size=None)


def test_fewer_validation_images_than_a_batch_of_minibatch_discrimination_are_refused():
    test = X[:5], Y[:5]
    match = "at least one batch.*Received: 5 images, batch_size=6"
    refuse_fit(match, make(coupled=True), validation_data=test)
    gan = make(coupled=True)
    gan.fit(
        labeled=FEW,
        unlabeled=X,
        batch_size=6,
        verbose=0,
        validation_data=test,
        validation_batch_size=5,
    )
    make().fit(labeled=FEW, unlabeled=X, batch_size=6, verbose=0, validation_data=test)


@pytest.mark.parametrize("argument", ["batch_size", "steps_per_epoch"])
@pytest.mark.parametrize("value", [0, True])
def test_what_is_no_number_of_batches_or_images_is_refused(argument, value):
    match = f"`{argument}` must be a whole number.*Received: {argument}={value}"
    refuse_fit(match, **{argument: value})


def pipeline(data, batch=6, drop_remainder=True):
    return tf.data.Dataset.from_tensor_slices(data).batch(batch, drop_remainder=drop_remainder)


def refuse_pipeline(match, **kwargs):
    data = {"labeled": pipeline(FEW), "unlabeled": pipeline(X), "batch_size": None}
    refuse_fit(match, **{**data, **kwargs})


def test_a_pipeline_with_a_smaller_last_batch_is_refused():
    last = r"last one is not smaller: .*drop_remainder=True\). Received: batches of unknown size"
    refuse_pipeline("`unlabeled` must .*" + last, unlabeled=pipeline(X, drop_remainder=False))
    refuse_pipeline("`labeled` must .*" + last, labeled=pipeline(FEW, drop_remainder=False))


def test_a_pipeline_with_fewer_labels_than_a_batch_is_refused():
    data = {"labeled": pipeline((X[:4], Y[:4])), "unlabeled": pipeline(X)}
    refuse_pipeline(r"`labeled` must have at least one full batch.*an empty data set", **data)


def test_pipelines_of_two_batch_sizes_are_refused():
    refuse_pipeline("Received: batches of 4 and of 6 images", labeled=pipeline(FEW, batch=4))


def test_pipelines_of_something_else_are_refused():
    refuse_pipeline("batches of images alone. Received: .*2 tensors", unlabeled=pipeline((X, Y)))
    refuse_pipeline(r"batches \(images, labels\). Received: .*1 tensors", labeled=pipeline(X))
    refuse_pipeline("both be arrays or both .*: unlabeled of type ndarray", unlabeled=X)
    refuse_pipeline("leave `batch_size` out. Received: batch_size=6", batch_size=6)
    refuse_pipeline("pixels of dtype uint8", unlabeled=pipeline(small_gan.make_bytes(30)[0]))
    refuse_pipeline(r"images / 127.5 - 1", unlabeled=pipeline((X + 1) * 127.5))
    refuse_pipeline(r"shape, \(N, 6, 6, 1\)", unlabeled=pipeline(X[..., 0]))


@pytest.mark.parametrize("mistake", ["one-hot", "strings", "floats", "no label"])
def test_pipelines_of_wrong_labels_are_refused(mistake):
    labels, match = LABELS[mistake]
    refuse_pipeline(match, labeled=pipeline((X[:12], labels)))


@pytest.mark.parametrize("mistake", ["one-hot", "strings", "floats"])
def test_a_validation_pipeline_of_wrong_labels_is_refused(mistake):
    labels, match = LABELS[mistake]
    test = pipeline((X[:12], labels), drop_remainder=False)
    if mistake == "one-hot":
        match = r"not one-hot rows: np.argmax.*shape \(None, 3\)"
    refuse_fit(f"`validation_data` must .*{match}", validation_data=test)
    with pytest.raises(ValueError, match=match):
        make().evaluate(test, verbose=0)


def test_a_pipeline_of_bytes_or_of_a_wrong_label_is_not_tested():
    bytes_, labels = small_gan.make_bytes(12)
    for images, match in (
        (bytes_, "`x` must hold floating-point pixels .*Received: pixels of dtype uint8"),
        (bytes_.astype("float32"), "images / 127.5 - 1. Received: pixels from"),
    ):
        for call, data in (("evaluate", (images, labels)), ("predict", images)):
            with pytest.raises(ValueError, match=match):
                getattr(make(), call)(pipeline(data), verbose=0)
        refuse_fit(
            match.replace("`x`", "`validation_data`"), validation_data=pipeline((images, labels))
        )
    with pytest.raises(ValueError, match=r"integers from 0 to 2, .*Received: label 3"):
        make().evaluate(pipeline((X[:12], Y[:12] + 1)), verbose=0)


def test_with_minibatch_discrimination_a_smaller_last_batch_is_refused_in_a_test_too():
    test = pipeline((X, Y), batch=8, drop_remainder=False)
    match = r"logits depend on the batch: .*drop_remainder=True\).*batches of unknown size"
    refuse_fit(match, gan=make(coupled=True), validation_data=test)
    with pytest.raises(ValueError, match=match):
        make(coupled=True).predict(test.map(lambda x, y: x), verbose=0)


@pytest.mark.parametrize("number", [0, 2.5, True])
def test_what_is_no_number_of_images_to_generate_is_refused(number):
    with pytest.raises(ValueError, match=rf"`num_images` must be .*Received: {number}"):
        make().generate(number)


def test_a_wrong_label_in_a_later_batch_of_a_pipeline_ends_the_fit():
    labels = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, -1])
    data = {"labeled": pipeline((X[:12], labels)), "unlabeled": pipeline(X), "batch_size": None}
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"labels from 0 to 2\. Received"):
        make().fit(**data, verbose=0)


# --- tests -------------------------------------------------------------------------------------


class Batches(keras.utils.PyDataset):
    def __init__(self, *data):
        super().__init__()
        self.data = data

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return tuple(part[6 * index : 6 * index + 6] for part in self.data)


def test_images_of_another_range_are_not_tested_in_any_way():
    gan, wrong = make(), (X + 1.0) * 127.5
    range_error = r"`{}` must hold pixels in the range .*: images / 127.5 - 1. Received: pixels"
    for test in (gan.evaluate, gan.test_on_batch):
        with pytest.raises(ValueError, match=range_error.format("x, y")):
            test(wrong, Y)
    with pytest.raises(ValueError, match=range_error.format("x")):
        gan.predict_on_batch(wrong)
    np.testing.assert_allclose(gan.predict_on_batch(X), gan.predict(X, verbose=0), rtol=1e-5)
    with pytest.raises(ValueError, match=range_error.format("x")):
        gan.evaluate(Batches(wrong, Y), verbose=0)
    with pytest.raises(ValueError, match=range_error.format("x")):
        gan.predict(Batches(wrong), verbose=0)


def test_a_test_without_labels_is_refused():
    gan, images = make(), tf.data.Dataset.from_tensor_slices(X).batch(6)
    for test in (gan.evaluate, gan.test_on_batch):
        with pytest.raises(ValueError, match=r"images and their labels. Received: ndarray and no"):
            test(X)
    with pytest.raises(ValueError, match=r"images and their labels. Received: ndarray and no"):
        gan.evaluate(Batches(X), verbose=0)
    with pytest.raises(ValueError, match=r"`x` must have batches \(images, labels\)"):
        gan.evaluate(images, verbose=0)
    refuse_fit(r"`validation_data` must have batches \(images, labels\)", validation_data=images)


def test_a_file_of_another_kind_is_refused(tmp_path):
    for name in ("gan.h5", "gan.hdf5", "gan.weights.h5"):
        with pytest.raises(ValueError, match=rf"must end in \.keras.*Received: .*{name}$"):
            make().save(tmp_path / name)
    assert not list(tmp_path.iterdir())

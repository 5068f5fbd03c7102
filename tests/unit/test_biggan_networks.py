"""BigGAN's players: sizes, initial weights, what each argument does, bad input."""

import keras
import numpy as np
import pytest

from improved_gan_tf.errors import UserError
from improved_gan_tf.layers import remove_spectral_norm
from improved_gan_tf.networks.biggan import biggan_discriminator, biggan_generator
from tests.support.numerics import to_numpy

SHARED = {"z_dim": 12, "shared_dim": 5, "hierarchical": True}


def noise(rows=2, z_dim=12):
    z = np.random.default_rng(0).normal(size=(rows, z_dim)).astype("float32")
    return {"z": z, "labels": np.arange(rows)}


@pytest.mark.parametrize(("size", "z_dim"), [(32, 8), (64, 10), (128, 12)])
def test_the_players_fit_each_other_at_every_size(size, z_dim):
    options = {"image_size": size, "channels": 2, "attention": (8,)}
    generator = biggan_generator(
        1, z_dim=z_dim, shared_dim=5, hierarchical=True, num_singular_values=3, **options
    )
    discriminator = biggan_discriminator(1, num_singular_values=3, **options)
    inputs = noise(z_dim=z_dim)
    images = to_numpy(generator(inputs))
    assert images.shape == (2, size, size, 3)
    assert np.abs(images).max() < 1.0
    logits = discriminator({"images": images, "labels": inputs["labels"]})
    assert tuple(logits.shape) == (2, 1)


def test_the_widths_of_cifar_10_are_those_of_the_public_code():
    """4,304,387 and 4,207,361 parameters, counted layer by layer from the original's tables."""

    def conv(size, a, k):
        return size * size * a * k + k

    block = 2 * conv(3, 256, 256) + conv(1, 256, 256) + 4 * 10 * 256
    linear = 128 * 16 * 256 + 16 * 256
    generator = linear + 3 * block + 2 * 256 + conv(3, 256, 3)
    first = conv(3, 3, 256) + conv(3, 256, 256) + conv(1, 3, 256)
    second = 2 * conv(3, 256, 256) + conv(1, 256, 256)
    discriminator = first + second + 4 * conv(3, 256, 256) + 256 + 1 + 10 * 256
    for model, count in (
        (biggan_generator(1, initializer="normal"), generator),
        (biggan_discriminator(1, initializer="normal"), discriminator),
    ):
        assert count in (4_304_387, 4_207_361)
        assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == count


def test_one_seed_decides_every_weight():
    one, again, other = (biggan_generator(seed, channels=2, **SHARED) for seed in (1, 1, 2))
    for a, b, c in zip(one.weights, again.weights, other.weights, strict=True):
        np.testing.assert_array_equal(to_numpy(a), to_numpy(b))
        if a.name in ("kernel", "embeddings", "u"):
            assert not np.array_equal(to_numpy(a), to_numpy(c)), a.path


def test_kernels_start_orthogonal_or_normal():
    def kernel(initializer):
        model = biggan_discriminator(1, channels=8, initializer=initializer)
        return to_numpy(model.get_layer("block1_conv1").kernel).reshape(-1, 32)

    np.testing.assert_allclose(kernel("orthogonal").T @ kernel("orthogonal"), np.eye(32), atol=1e-5)
    assert kernel("normal").std() == pytest.approx(0.02, rel=0.02)


def test_without_spectral_norm_there_is_no_u():
    for make in (biggan_generator, biggan_discriminator):
        model = make(1, channels=2, spectral_norm=False, attention=(16,))
        assert {"u", "singular_values"}.isdisjoint(w.name for w in model.weights)


def test_the_class_matters_through_the_shared_embedding_and_z_through_its_chunks():
    model = biggan_generator(1, channels=2, **SHARED)
    inputs = noise()
    before = to_numpy(model(inputs))
    for key, value in (("labels", np.array([7, 8])), ("z", inputs["z"].copy())):
        if key == "z":
            value[:, -1] += 3.0  # seen by the last block's normalizations alone
        assert np.abs(to_numpy(model({**inputs, key: value})) - before).max() > 1e-5


def test_a_generator_is_saved_and_deployed_without_its_norms(tmp_path):
    model = biggan_generator(1, channels=2, attention=(16,), **SHARED)
    inputs = noise(3)
    model(inputs, training=True)
    expected = to_numpy(model(inputs))
    model.save(tmp_path / "generator.keras")
    loaded = keras.models.load_model(tmp_path / "generator.keras")
    np.testing.assert_allclose(to_numpy(loaded(inputs)), expected, rtol=1e-5, atol=1e-6)
    plain = remove_spectral_norm(loaded)
    np.testing.assert_allclose(to_numpy(plain(inputs)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 48}, "`image_size` must be one of 32, 64, 128. Received: image_size=48"),
        ({"channels": 0}, "`channels` must be at least 1. Received: channels=0"),
        ({"initializer": "he"}, "`initializer` must be one of orthogonal, normal"),
        ({"hierarchical": True}, "`hierarchical` needs `shared_dim`.*shared_dim=None"),
        ({"hierarchical": True, "shared_dim": 5, "z_dim": 13}, "that 4 divides.*z_dim=13"),
    ],
)
def test_an_argument_out_of_range_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        biggan_generator(1, **{"channels": 2, **options})

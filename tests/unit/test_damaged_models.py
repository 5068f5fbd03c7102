"""Damaged and malicious `.keras` files: loaded whole, or one paragraph; nothing in them runs."""

import keras
import numpy as np
import pytest

from improved_gan_tf import networks
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine.keras_files import load_keras_model

# Keras's own conversion of variables to arrays, under NumPy 2; and what it says of damaged ones.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "generator.keras"
    spec = networks.EXPERIMENTS["mnist", "feature_matching"]
    spec.build(1, 0.02).generator.save(path)
    return path.read_bytes()


def damaged(whole):
    dice = np.random.RandomState(0)
    yield from (b"", b"\xff" * 99, whole[:50], whole[:-50], whole[: len(whole) // 2])
    for _ in range(25):
        flipped = bytearray(whole)
        flipped[dice.randint(len(whole))] ^= 1 << dice.randint(8)
        yield bytes(flipped)


def test_a_damaged_model_is_explained_or_loads(whole, tmp_path):
    path = tmp_path / "generator.keras"
    explained = []
    for content in damaged(whole):
        path.write_bytes(content)
        try:
            load_keras_model(path)
        except UserError as error:
            explained.append(str(error))
    assert len(explained) >= 10
    assert all(text.startswith(f"{path} cannot be loaded: ") for text in explained)
    assert not any("\n" in text for text in explained)
    path.write_bytes(whole)
    load_keras_model(path)
    path.unlink()
    with pytest.raises(UserError, match="cannot be loaded"):
        load_keras_model(path)


def test_code_in_a_model_is_not_run(tmp_path):
    victim = tmp_path / "executed"
    inputs = keras.Input((2,))
    code = eval(f"lambda x: (open({str(victim)!r}, 'w'), x)[1]")
    model = keras.Model(inputs, keras.layers.Lambda(code, output_shape=(2,))(inputs))
    model.save(tmp_path / "model.keras")
    victim.unlink(missing_ok=True)
    with pytest.raises(UserError, match="cannot be loaded"):
        load_keras_model(tmp_path / "model.keras")
    assert not victim.exists()
    keras.saving.load_model(tmp_path / "model.keras", safe_mode=False)(np.ones((1, 2)))
    assert victim.exists()  # it would have been

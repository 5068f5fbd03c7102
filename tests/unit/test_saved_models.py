"""`improved_gan_tf.load_model`, and what `import improved_gan_tf` registers."""

import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

import improved_gan_tf
from improved_gan_tf.layers import MinibatchDiscrimination, WeightNormDense
from tests.support.places import ROOT


@pytest.fixture
def saved(tmp_path):
    """The path of a compiled model with layers of the package and its optimizer, trained."""
    model = keras.Sequential(
        [
            keras.Input((3,)),
            WeightNormDense(4),
            MinibatchDiscrimination(2, 3),
            keras.layers.Dense(1),
        ]
    )
    model.compile(improved_gan_tf.Adam(0.01), "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    model.save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def test_a_model_is_loaded_with_its_optimizer(saved):
    model = improved_gan_tf.load_model(saved)
    assert [type(layer) for layer in model.layers[:2]] == [WeightNormDense, MinibatchDiscrimination]
    assert type(model.optimizer) is improved_gan_tf.Adam
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 1
    assert not improved_gan_tf.load_model(saved, compile=False).compiled


@pytest.mark.parametrize(
    "code",
    [
        "import improved_gan_tf; model = improved_gan_tf.load_model({path!r})",
        "import keras, improved_gan_tf; model = keras.saving.load_model({path!r})",
    ],
    ids=["load_model of the package", "load_model of Keras, imported first"],
)
def test_a_new_process_needs_no_other_import(saved, code):
    code = code.format(path=str(saved)) + "; print(type(model.optimizer).__module__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.stdout == "improved_gan_tf.training.adam\n", done.stderr


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.keras cannot be loaded: File not found"):
        improved_gan_tf.load_model(tmp_path / "none.keras")


def test_a_damaged_file_is_named_with_keras_error_as_the_cause(saved):
    with zipfile.ZipFile(saved) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(saved, "w") as file:
        for name in set(parts) - {"model.weights.h5"}:
            file.writestr(name, parts[name])
    with pytest.raises(ValueError, match=r"model\.keras cannot be loaded: ") as error:
        improved_gan_tf.load_model(saved)
    assert error.value.__cause__ is not None


def test_code_in_a_file_is_not_run(tmp_path):
    victim = tmp_path / "executed"
    inputs = keras.Input((2,))
    code = eval(f"lambda x: (open({str(victim)!r}, 'w'), x)[1]")
    keras.Model(inputs, keras.layers.Lambda(code, output_shape=(2,))(inputs)).save(
        tmp_path / "model.keras"
    )
    victim.unlink(missing_ok=True)
    with pytest.raises(ValueError, match="cannot be loaded"):
        improved_gan_tf.load_model(tmp_path / "model.keras")
    assert not victim.exists()

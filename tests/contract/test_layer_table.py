"""Is the table of layer cases complete?"""

import importlib
import pkgutil

import keras

import improved_gan_tf.layers
from tests.contract.layer_cases import LAYER_CASES


def test_every_public_layer_has_a_case():
    classes = {c for c in vars(improved_gan_tf.layers).values() if isinstance(c, type)}
    for module in pkgutil.iter_modules(improved_gan_tf.layers.__path__):
        module = importlib.import_module(f"improved_gan_tf.layers.{module.name}")
        # Registered layers are those that a user can save; bases are not registered.
        classes |= {c for c in vars(module).values() if _is_registered(c)}
    layers = {c for c in classes if issubclass(c, keras.layers.Layer)}
    covered = {type(case.make()) for case in LAYER_CASES.values()}
    assert {c.__name__ for c in layers} == {c.__name__ for c in covered}


def _is_registered(candidate):
    return isinstance(candidate, type) and keras.saving.get_registered_name(candidate).startswith(
        "improved_gan_tf>"
    )

"""Improved Techniques for Training GANs (Salimans et al., 2016) in TensorFlow and Keras.

    from improved_gan_tf import initialize_from_data
    from improved_gan_tf.layers import MinibatchDiscrimination, VirtualBatchNorm, WeightNormDense

The public names below are imported on first use, so `--help` of a run script
does not wait for TensorFlow. Where Keras has been imported before, there is nothing to wait for:
then the layers are registered at once, and `keras.saving.load_model` finds them.
"""

import importlib
import sys

__version__ = "0.1.0"

# Public name -> its module.
_PUBLIC = {
    "ParameterAverage": "training.parameter_average",
    "Adam": "training.adam",
    "HistoricalAverage": "training.historical_averaging",
    "SemiSupervisedGAN": "training.semi_supervised_gan.model",
    "WeightAverage": "training.weight_average",
    "class_coverage": "scoring.diversity",
    "collapsed_at": "runs.health",
    "frechet_distance": "scoring.frechet",
    "inception_score": "scoring.inception_score",
    "initialize_from_data": "layers.data_dependent",
    "layers": "layers",
    "load_model": "training.saved_models",
    "load_pretrained": "runs.pretrained",
    "load_run": "runs.loaded_run",
    "losses": "losses",
    "mean_pairwise_distance": "scoring.diversity",
    "networks": "networks",
}

__all__ = sorted([*_PUBLIC, "__version__"])


def __getattr__(name):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_PUBLIC[name]}")
    return module if _PUBLIC[name] == name else getattr(module, name)


def __dir__():
    return __all__


if "keras" in sys.modules:
    importlib.import_module(f"{__name__}.training.saved_models")

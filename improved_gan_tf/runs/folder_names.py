"""Default names of run folders, made from the settings that distinguish runs."""

import pathlib
import re

from improved_gan_tf.data.known_sets import num_labels_of
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine.files import name_of
from improved_gan_tf.settings.images import IMAGES


def run_name(config):
    """The default name of a run folder."""
    seed_data = config.seed if config.seed_data is None else config.seed_data
    labels = num_labels_of(vars(config))
    return f"{sweep_name(config)}-labels{labels}-seed{config.seed}-data{seed_data}"


def imagenet_run_name(config):
    """The default name of the run folder of an `ImagenetConfig`."""
    images = "tfds" if config.image_folder is None else name_of(config.image_folder)
    return f"{config.dataset}-{images}-{config.image_size}px-seed{config.seed}"


def dcgan_name(config):
    """The default name of the folder of a `DcganConfig`, without its seed."""
    images = config.dataset
    if config.image_folder is not None:
        images = f"{name_of(config.image_folder)}-{config.size}px"
    conditional = "" if config.conditional == "none" else f"-{config.conditional}"
    return f"dcgan-{images}-{config.objective}{conditional}"


def biggan_run_name(config):
    """The default name of the run folder of a `BigganConfig`."""
    return f"{biggan_name(config)}-seed{config.seed}"


def biggan_name(config):
    """The default name of the folder for the runs of several seeds of a `BigganConfig`."""
    norm = "" if config.spectral_norm else "-no_spectral_norm"
    parts = (config.dataset, config.data_source, config.model, config.recipe)
    return f"{'-'.join(parts)}{norm}"


def sweep_name(config):
    """The default name of the folder for the runs of several seeds and label counts."""
    kind = "supervised_only" if config.supervised_only else config.ablation or config.model
    if config.dataset == IMAGES:
        source = pathlib.Path(config.image_folder or config.arrays or "").expanduser().resolve()
        name = config.tfds or (source.stem if config.arrays else source.name)
        return f"{config.dataset}-{re.sub('[/:]', '-', name)}-{config.image_size}px-{kind}"
    return f"{config.dataset}-{config.data_source}-{kind}-{config.recipe}"


def require_no_sweep(path):
    """Raises `UserError` for a folder (a Path) that is no run's and holds run folders."""
    inside = sorted(file.parent for file in path.glob("*/config.json"))
    if inside and not (path / "config.json").exists():
        raise UserError(f"{path} is a folder of runs. Give one of them, such as {inside[0]}.")

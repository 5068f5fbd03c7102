"""Makes a run's pair small enough for the package: `improved_gan_tf/runs/pretrained_models/`.

    python -m tools.ship_pretrained RUN NAME

Writes NAME/ with the run's config.json and result.json, without folders of its machine, and both
players. Their matrices are rounded to bfloat16's seven bits of mantissa, kept as float32, and
compressed inside the .keras file, whose settings name no argument that only a later Keras than the
oldest of setup.py has. Prints how many test images the
discriminator gets wrong before and after (--data_dir: prepared TFDS data).
"""

import io
import json
import pathlib
import zipfile

import h5py
import numpy as np

import improved_gan_tf
from improved_gan_tf.data import datasets
from improved_gan_tf.data.device_images import DeviceImages
from improved_gan_tf.training import evaluation
from tools import arguments
from tools.run_files import ROOT, read, without, write

FOLDER = ROOT / "improved_gan_tf" / "runs" / "pretrained_models"
PLAYERS = ("generator", "discriminator")
LEFT_OUT = ("data_dir", "run_dir")  # folders on the machine that made the run
MANTISSA_BITS = 7
SMALLEST = 2000  # numbers in an array that is rounded: scales and biases stay exact
WEIGHTS, SETTINGS = "model.weights.h5", "config.json"  # inside a .keras file
# Arguments of layers and initializers since Keras 3.11.
NEW_ARGUMENTS = {"quantization_config", "input_axes", "output_axes"}


def rounded(array, bits=MANTISSA_BITS):
    """A float32 array rounded to `bits` of mantissa, halves to even."""
    dropped = 23 - bits
    units = np.ascontiguousarray(array, np.float32).view(np.uint32).astype(np.uint64)
    odd = (units >> dropped) & 1
    units = (units + (1 << (dropped - 1)) - 1 + odd) >> dropped << dropped
    return units.astype(np.uint32).view(np.float32)


def for_older_keras(settings):
    """The settings of a model, nested dicts and lists, without arguments that are new and None."""
    if isinstance(settings, list):
        return [for_older_keras(value) for value in settings]
    if not isinstance(settings, dict):
        return settings
    return {
        name: for_older_keras(value)
        for name, value in settings.items()
        if not (name in NEW_ARGUMENTS and value is None)
    }


def compact(source, target):
    """Writes the .keras file `source` again, rounded and compressed, as `target`."""
    with zipfile.ZipFile(source) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    parts[SETTINGS] = json.dumps(for_older_keras(json.loads(parts[SETTINGS]))).encode()
    weights = io.BytesIO()
    with h5py.File(io.BytesIO(parts[WEIGHTS])) as old, h5py.File(weights, "w") as new:
        new.attrs.update(old.attrs)
        old.visititems(lambda name, item: _copy(name, item, new))
    parts[WEIGHTS] = weights.getvalue()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def _copy(name, item, target):
    if isinstance(item, h5py.Group):
        made = target.require_group(name)
    else:
        values, settings = item[()], {}
        if values.dtype == np.float32 and values.size >= SMALLEST:
            values = rounded(values)
            settings = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
        made = target.create_dataset(name, data=values, **settings)
    made.attrs.update(item.attrs)


def wrong(folder, config, data_dir):
    """How many test images of its data set the discriminator in a folder gets wrong."""
    dataset = datasets.load(config["dataset"], "tfds", data_dir, download=False)
    test = DeviceImages(dataset.test_images, dataset.test_labels, config["pixels"])
    model = improved_gan_tf.load_model(folder / "discriminator.keras")
    logits = evaluation.Predictor(model, test, None).logits()
    return evaluation.wrong_count(logits, dataset.test_labels)


def main():
    """Runs the command line."""
    parsing = arguments.parser(__doc__)
    parsing.add_argument("run", type=pathlib.Path)
    parsing.add_argument("name")
    parsing.add_argument("--data_dir")
    given = parsing.parse_args()
    target = FOLDER / given.name
    target.mkdir(parents=True, exist_ok=True)
    for player in PLAYERS:
        compact(given.run / f"{player}.keras", target / f"{player}.keras")
    config = read(given.run / "config.json")
    empty = dict.fromkeys(LEFT_OUT)
    write(target / "config.json", config | empty)
    result = without(read(given.run / "result.json"), "config")
    write(target / "result.json", result | {"config": config | empty})
    for folder in (given.run, target):
        print(f"{folder}: {wrong(folder, config, given.data_dir)} test images wrong")


if __name__ == "__main__":
    main()

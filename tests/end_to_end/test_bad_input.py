"""Every flag with every kind of wrong value: a run, or one paragraph and nothing written.

The cases come from the fields of the record, so a new flag is covered when it is added. They
run in this process with `--dry_run`: what the command does before it would train.
"""

import dataclasses
import itertools
import random
import types

import numpy as np
import pytest
from absl import flags

import run_cifar10
import run_dcgan
import run_imagenet
import run_mnist
import run_svhn
from improved_gan_tf import command_line
from improved_gan_tf.data import datasets, tfds_folders
from improved_gan_tf.data.known_sets import KNOWN_SETS
from improved_gan_tf.errors import UserError
from improved_gan_tf.networks import players
from improved_gan_tf.runs import dcgan, dcgan_pace, dry_run, imagenet, pace
from improved_gan_tf.settings import flags as setting_flags
from tests.support.image_folders import write_image_folder
from tests.support.prepared_data import write_prepared_mnist

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # raised inside TFDS
]

HUGE = "1" + "0" * 400
LONG = "x" * 5000
WRONG = {
    int: ("", "x", "1.5", "nan", "-1", "0", "1", "2", "7", "4294967296", HUGE, "1e3", " 7", "٣"),
    float: ("", "x", "nan", "inf", "-inf", "-1", "0", "0.5", "1", "2", "1e-320", "1e308", HUGE),
    bool: ("", "maybe", "2", "true", "false"),
    str: ("", "x", "\u00e9\u4e2d", "a\nb", LONG, "-", "..", "file", "file/below", "none", "folder"),
}
TEXTS = {
    "checkpoint_every": ("0 epochs", "-1 minutes", "nan epochs", "3 epochs", "1e9 minutes"),
    "real_targets": ("0.9", "0.7,1.2", "1,0", "0.7,1.2,1.3", "nan", "-1"),
    "generated_targets": ("0", "0,0.3", "3"),
    "instance_noise": ("0.1:0@20", "0.1:0", "0:1@3", "0.1:0@0", "1e999:0@3"),
}
SCRIPTS = (run_mnist, run_cifar10, run_svhn, run_imagenet, run_dcgan)
SMALL = ("--batch_size=20", "--labels_per_class=2", "--width_multiplier=0.02", "--dry_run")
SMALL_IMAGENET = ("--image_folder=photos", "--batch_size=8", "--width_multiplier=0.02", "--dry_run")

SMALL_DCGAN = ("--batch_size=8", "--width_multiplier=0.02", "--epoch_iterations=2", "--dry_run")
OF_SCRIPT = {run_imagenet: SMALL_IMAGENET, run_dcgan: SMALL_DCGAN}


def type_of(field):
    name = str(getattr(field.type, "__name__", field.type)).split(" | ")[0]
    return {"int": int, "float": float, "bool": bool, "str": str}[name]


def flags_of(script):
    fields = [f for f in dataclasses.fields(script.EXPERIMENT) if f.metadata]
    has_ablations = getattr(script, "ABLATIONS", None)
    return [f for f in fields if f.name != "ablation" or has_ablations]


def values_of(field):
    values = [*WRONG[type_of(field)], *TEXTS.get(field.name, ())]
    values += field.metadata["choices"] or ()
    if field.name == "dry_run":
        values.remove("false")
    return [f"--{field.name}={value}" for value in values]


def pictures(name):
    dice = np.random.RandomState(0)
    known = KNOWN_SETS[name]
    shape = known.image_shape
    images = dice.randint(0, 256, (40, *shape)).astype("uint8")
    labels = np.arange(40, dtype="int32") % 10
    return datasets.Dataset(images, labels, images, labels, "noise", False, known.class_names)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """A folder with a file and a folder in it; no network, and no data but where it is given."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("years of work")
    write_image_folder(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    load = datasets.load

    def load_noise(name, data_source="tfds", data_dir=None, download=True):
        if data_dir is None and name in KNOWN_SETS:
            return pictures(name)
        assert not download  # of a dry run
        return load(name, data_source, data_dir, download)

    monkeypatch.setattr(datasets, "load", load_noise)
    monkeypatch.setattr(tfds_folders, "network_error", lambda: "no network")
    # What a dry run times is tested elsewhere, and takes seconds each time.
    monkeypatch.setattr(dry_run, "game_pace", lambda game: pace.Pace(0.1, 1.0))
    for module in (imagenet, dcgan_pace):
        monkeypatch.setattr(module, "pace_without_images", lambda *arguments: pace.Pace(0.1, 0.0))


def content(folder):
    return {str(p.relative_to(folder)): p.is_dir() or p.read_bytes() for p in folder.rglob("*")}


def outcome(script, *arguments):
    """0, or the message of the `UserError`; anything else raises."""
    values = flags.FlagValues()
    ablations = getattr(script, "ABLATIONS", None)
    setting_flags.define_flags(script.EXPERIMENT, script.VARIANTS, values, ablations)
    try:
        setting_flags.parse_flags([f"{script.__name__}.py", *arguments], values)
        return command_line.run(
            setting_flags.command_from_flags(script.EXPERIMENT, script.VARIANTS, values, ablations)
        )
    except UserError as error:
        return str(error)


def small(script):
    return OF_SCRIPT.get(script, SMALL)


def check(script, *arguments, folder):
    before = content(folder)
    try:
        found = outcome(script, *arguments)
    except BaseException as error:
        raise AssertionError(f"{arguments}: {error!r:.200}") from error
    assert content(folder) == before, arguments
    assert found == 0 or len(found) > 30, (arguments, found)
    return found


@pytest.fixture
def nothing_built(monkeypatch):
    """Networks are not made: it takes longer than all else."""
    build = types.SimpleNamespace(build=lambda *args, **kwargs: None, couples_examples=False)
    monkeypatch.setattr(players, "EXPERIMENTS", dict.fromkeys(players.EXPERIMENTS, build))
    monkeypatch.setattr(dcgan, "players_of", lambda *args: None)


CASES = [(script, field.name) for script in SCRIPTS for field in flags_of(script)]
# What the networks are made from.
BUILDING = (
    *("width_multiplier", "generator_normalization", "reference_batch_size"),
    *("objective", "conditional", "latent_dim", "minibatch_discrimination"),
)


@pytest.mark.parametrize(
    ("script", "name"), CASES, ids=[f"{s.__name__}-{name}" for s, name in CASES]
)
def test_any_value_of_a_flag_runs_or_is_refused(script, name, tmp_path, request, capsys):
    if name not in BUILDING:
        request.getfixturevalue("nothing_built")
    (field,) = [f for f in flags_of(script) if f.name == name]
    found = [check(script, *small(script), value, folder=tmp_path) for value in values_of(field)]
    assert type_of(field) is str or any(text != 0 for text in found)


@pytest.mark.usefixtures("nothing_built")
@pytest.mark.parametrize("value", WRONG[int])
def test_any_number_of_runs_runs_or_is_refused(value, tmp_path, capsys):
    check(run_mnist, *SMALL, f"--num_runs={value}", folder=tmp_path)


@pytest.mark.usefixtures("nothing_built")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.__name__)
def test_any_two_flags_that_are_right_alone_run_or_are_refused(script, tmp_path, capsys):
    right = [
        value
        for field in flags_of(script)
        for value in values_of(field)
        if outcome(script, *small(script), value) == 0
        and not value.startswith(("--dry_run", "--data_dir"))
    ]
    assert len(right) > 50
    pairs = [
        pair
        for pair in itertools.combinations(right, 2)
        if len({value.split("=")[0] for value in pair}) == 2
    ]
    for pair in random.Random(0).sample(pairs, 400):
        check(script, *small(script), *pair, folder=tmp_path)


# --- a run script of one's own --------------------------------------------------------------


def script_with(**settings):
    experiment = dataclasses.replace(run_mnist.EXPERIMENT, **settings)
    return types.SimpleNamespace(
        __name__="run_own", EXPERIMENT=experiment, VARIANTS={experiment.model: {"released": {}}}
    )


@pytest.mark.parametrize("more", [(), ("--num_runs=2",), ("--run_dir=new",)], ids=str)
def test_the_name_of_a_data_set_that_is_not_known_is_explained(more, tmp_path):
    found = check(script_with(dataset="fashion_mnist"), "--dry_run", *more, folder=tmp_path)
    assert found.startswith(
        "The data set 'fashion_mnist' is not known here: a run script names one of mnist, cifar10"
    )


@pytest.mark.parametrize("more", [(), ("--num_runs=2",)], ids=str)
def test_a_data_set_without_networks_of_the_model_is_explained(more, tmp_path):
    found = check(script_with(dataset="svhn", model="plain"), *SMALL, *more, folder=tmp_path)
    assert found.startswith("No networks are known for the data set 'svhn' with model='plain'.")


# --- damaged data --------------------------------------------------------------------------


def test_damaged_records_are_explained_or_read(tmp_path, nothing_built, capsys):
    write_prepared_mnist(tmp_path / "data", num_train=20, num_test=10)
    dice = np.random.RandomState(0)
    files = sorted(p for p in (tmp_path / "data").rglob("*") if p.is_file())
    explained = 0
    for path in files:
        whole = path.read_bytes()
        flipped = bytearray(whole)
        flipped[dice.randint(len(whole))] ^= 1 << dice.randint(8)
        cut = whole[: dice.randint(1, len(whole))]
        for damaged in (b"", cut, flipped, b"\xff" * 99, None):
            if damaged is None:
                path.unlink()
            else:
                path.write_bytes(damaged)
            settings = (*SMALL[1:], f"--data_dir={tmp_path}/data", "--batch_size=10")
            settings += ("--labels_per_class=1",)
            explained += check(run_mnist, *settings, folder=tmp_path) != 0
            path.write_bytes(whole)
    assert explained >= 3 * len(files)

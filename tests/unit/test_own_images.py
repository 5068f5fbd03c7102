"""Images of one's own: what is found in folders, arrays and TFDS, and what each fault says."""

import dataclasses
import json
import os
import shutil
import sys
import unicodedata

import numpy as np
import pytest
from PIL import Image

import run_images
from improved_gan_tf.data import (
    encoded_images,
    own_arrays,
    own_folders,
    own_images,
    own_tfds,
    run_data,
    small_data,
    tfds_folders,
)
from improved_gan_tf.errors import UserError
from improved_gan_tf.experiments import own_images as experiment
from improved_gan_tf.networks import own_images as networks
from improved_gan_tf.settings import flags
from improved_gan_tf.settings import images as settings
from tests.support.image_folders import write_image_folder
from tests.support.prepared_data import write_prepared, write_prepared_mnist
from tests.support.written_runs import write_run


@pytest.fixture
def photos(tmp_path):
    """Training, unlabeled and test pictures of two classes, 40 x 32 pixels."""
    root = tmp_path / "photos"
    write_image_folder(root / "train", per_class=6)
    write_image_folder(root / "test", per_class=3, seed=1)
    write_image_folder(root, classes=("unlabeled",), per_class=8, seed=2)
    return root


def load(source, tmp_path, image_size=28, fraction=0.2, sizes=settings.IMAGE_SIZES):
    cache = str(tmp_path / "cache")
    return own_images.load(own_folders.find(source), image_size, sizes, cache, fraction)


def test_a_folder_has_labeled_unlabeled_and_test_images(photos, tmp_path):
    loaded = load(photos, tmp_path)
    data = loaded.dataset
    assert data.class_names == ("dark", "light")
    assert data.train_images.shape == (20, 28, 28, 3)
    assert data.train_labels.tolist() == 6 * [0] + 6 * [1] + 8 * [-1]
    assert data.test_labels.tolist() == 3 * [0] + 3 * [1]
    assert data.test_images[:3].mean() < 100 < data.test_images[3:].mean()
    assert data.description == (
        "photos (20 training images, 12 of them labeled, of 2 classes; 6 test images)"
    )
    assert (loaded.notes, data.is_papers) == ((), False)


@pytest.mark.parametrize("num_runs", [1, 2])
def test_a_part_to_hold_out_is_refused_where_there_are_test_images(
    num_runs, photos, tmp_path, monkeypatch
):
    monkeypatch.setattr(experiment.semi_supervised, "run", lambda *_: "trained")
    places = {"image_folder": str(photos), "cache_dir": str(tmp_path / "cache")}
    published = run_images.EXPERIMENT
    config = dataclasses.replace(published, **places, run_dir=str(tmp_path / "run"))
    config = dataclasses.replace(config, test_fraction=0.5, supervised_only=True)
    command = flags.Command(config, published, flags.Repetitions(num_runs, (None,)))
    sentence = "where there are no test images; here are 6. Received: test_fraction=0.5."
    with pytest.raises(UserError, match=sentence) as caught:
        experiment.run(command)
    assert "\n" not in str(caught.value)
    # One that was begun before there was this rule goes on.
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text(json.dumps({"test_fraction": 0.5}))
    assert experiment.run(command) == "trained"
    anew = dataclasses.replace(config, overwrite=True)
    with pytest.raises(UserError, match=sentence):
        experiment.run(command._replace(config=anew))


def test_what_follows_from_the_images_follows_from_the_training_images(
    photos, tmp_path, monkeypatch
):
    asked, trained = [], []
    monkeypatch.setattr(settings, "resolved", lambda config, *found: asked.append(found) or config)
    monkeypatch.setattr(experiment.semi_supervised, "run", lambda *_: trained.append(1) or 0)
    places = {"image_folder": str(photos), "cache_dir": str(tmp_path / "cache"), "image_size": 28}
    config = dataclasses.replace(
        run_images.EXPERIMENT, **places, run_dir=str(tmp_path / "run"), labels_per_class=2
    )
    repetitions = flags.Repetitions(1, (2,))
    assert experiment.run(flags.Command(config, config, repetitions)) == 0
    # Of 20 training images 12 have a label; the 6 test images do not count.
    assert asked == 2 * [((28, 28, 3), ("dark", "light"), 20, 12)]
    assert trained == [1]


def test_a_part_to_hold_out_is_taken_where_there_are_no_test_images(photos, tmp_path):
    assert not load(photos, tmp_path).is_held_out
    shutil.rmtree(photos / "test")
    loaded = load(photos, tmp_path, fraction=0.5)
    assert loaded.is_held_out
    assert np.bincount(loaded.dataset.test_labels).tolist() == [3, 3]


def test_without_a_train_folder_the_class_folders_are_it_and_a_part_is_held_out(tmp_path):
    root = write_image_folder(tmp_path / "photos", per_class=10)
    write_image_folder(root, classes=("unlabeled",), per_class=5)
    loaded = load(root, tmp_path)
    assert loaded.dataset.class_names == ("dark", "light")
    assert np.bincount(loaded.dataset.test_labels).tolist() == [2, 2]
    assert len(loaded.dataset.train_labels) == 8 + 8 + 5
    assert loaded.notes == (
        "There are no test images: 4 of the 20 labeled images are held out for testing, the same "
        "ones in every run (--test_fraction=0.2).",
    )
    again = load(root, tmp_path)
    np.testing.assert_array_equal(again.dataset.test_images, loaded.dataset.test_images)


def test_the_held_out_part_is_rounded_and_leaves_each_class_something():
    labels = np.array(10 * [0] + 3 * [1] + 2 * [2] + [3] + 4 * [-1])
    held = own_images.held_out(labels, 4, 0.25)
    assert np.bincount(labels[held], minlength=4).tolist() == [2, 1, 1, 0]
    assert not held[labels < 0].any()


def test_pictures_are_decoded_once(photos, tmp_path, monkeypatch):
    first = load(photos, tmp_path)
    monkeypatch.setattr(own_folders.pictures, "read_square", None)  # cannot be called
    second = load(photos, tmp_path)
    np.testing.assert_array_equal(second.dataset.train_images, first.dataset.train_images)
    Image.new("RGB", (50, 50)).save(photos / "train" / "dark" / "000.png")
    with pytest.raises(TypeError):  # another picture: decoded anew
        load(photos, tmp_path)


def test_damaged_prepared_images_are_told(photos, tmp_path):
    load(photos, tmp_path)
    (folder,) = (tmp_path / "cache").iterdir()
    (folder / "images.npy").write_bytes(b"short")
    with pytest.raises(UserError, match=r"are damaged .*Delete that folder"):
        load(photos, tmp_path)


def test_grey_pictures_stay_grey_and_one_in_colour_makes_all_rgb(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "p" / name).mkdir(parents=True)
        for i in range(3):
            Image.new("L", (28, 28), 9 * i).save(tmp_path / "p" / name / f"{i}.png")
    assert load(tmp_path / "p", tmp_path).dataset.train_images.shape[1:] == (28, 28, 1)
    Image.new("RGB", (28, 28)).save(tmp_path / "p" / "a" / "colour.png")
    assert load(tmp_path / "p", tmp_path).dataset.train_images.shape[1:] == (28, 28, 3)


@pytest.mark.parametrize(
    ("sides", "size"),
    [([8, 8], 28), ([28], 28), ([29, 31, 5000], 32), ([40], 48), ([64], 64), ([65], 64)],
)
def test_the_size_follows_the_median_side(sides, size):
    assert own_images._size_for(sides, settings.IMAGE_SIZES) == size


# --- faults of a folder --------------------------------------------------------------------


def test_a_broken_jpeg_a_text_a_cmyk_picture_one_image_and_unicode_names(photos, tmp_path):
    train = photos / "train"
    write_image_folder(
        train, classes=("Zoë 猫",), per_class=1, size=(90, 33)
    )  # one, of another size
    (train / "light" / "notes.txt").write_text("taken in May")
    (train / "light" / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    Image.new("CMYK", (64, 48), (0, 255, 255, 0)).save(train / "dark" / "print.jpg")
    # As macOS writes the name.
    write_image_folder(photos / "test", classes=(unicodedata.normalize("NFD", "Zoë 猫"),))
    loaded = load(photos, tmp_path)
    data = loaded.dataset
    assert data.class_names == ("Zoë 猫", "dark", "light")
    assert np.bincount(data.train_labels[data.train_labels >= 0]).tolist() == [1, 7, 6]
    assert np.bincount(data.test_labels).tolist() == [6, 3, 3]
    red = [x for x in data.train_images if np.abs(x[14, 14].astype(int) - [255, 0, 0]).max() < 9]
    assert len(red) == 1
    left_out, broken = loaded.notes
    assert left_out.startswith("1 file is left out, neither a picture")
    assert left_out.endswith("train/light/notes.txt.")
    assert broken.startswith("The picture train/light/broken.jpg cannot be read: ")
    assert broken.endswith("It is left out.")
    assert "1 broken picture left out" in data.description


def test_a_jpeg_that_breaks_off_is_left_out_too(photos, tmp_path):
    picture = photos / "train" / "dark" / "cut.jpg"
    Image.effect_noise((200, 200), 60).convert("RGB").save(picture)
    picture.write_bytes(picture.read_bytes()[:3000])  # its header is whole
    loaded = load(photos, tmp_path)
    assert [note.split(" cannot")[0] for note in loaded.notes] == ["The picture train/dark/cut.jpg"]
    assert len(loaded.dataset.train_labels) == 20
    assert load(photos, tmp_path).notes == loaded.notes  # from the cache


def test_other_pictures_that_cannot_be_read_leave_each_image_its_label(photos, tmp_path):
    # As after a change of permissions, of which size and date say nothing.
    unreadable = "train/dark/000.png"

    def header(number):
        if found.names[number] == unreadable:
            raise UserError(f"{unreadable} cannot be read.")
        return read(number)

    read = own_folders.find(photos).header
    found = own_folders.find(photos)._replace(header=header)
    for unreadable in ("train/dark/000.png", "train/light/005.png", None):
        loaded = own_images.load(found, 28, settings.IMAGE_SIZES, str(tmp_path / "cache"), 0.2)
        data = loaded.dataset
        assert len(data.train_labels) == (20 if unreadable is None else 19)
        brightness = data.train_images.mean(axis=(1, 2, 3))
        assert brightness[data.train_labels == 0].max() < brightness[data.train_labels == 1].min()


def test_a_link_that_leads_nowhere_is_a_picture_that_cannot_be_read(photos, tmp_path):
    (photos / "train" / "dark" / "gone.png").symlink_to(tmp_path / "unmounted" / "gone.png")
    (photos / "bird").symlink_to(tmp_path / "unmounted" / "bird")
    broken, *_ = notes = load(photos, tmp_path).notes
    assert "1 file is left out, neither a picture of a class" in broken
    assert "bird" in broken
    assert any(note.startswith("The picture train/dark/gone.png cannot be read") for note in notes)


def test_images_whose_white_is_another_number_are_told(tmp_path):
    path = arrays(tmp_path, x_train=np.full((12, 8, 8), 16, "uint8"), x_test=None, y_test=None)
    found = own_arrays.find(path)
    loaded = own_images.load(found, None, settings.IMAGE_SIZES, str(tmp_path / "cache"), 0.2)
    assert any("brightest pixel of all images is 16 of 255" in note for note in loaded.notes)


def test_a_name_of_two_lines_is_refused(tmp_path):
    path = arrays(tmp_path, class_names=np.array(["cat\nblack", "dog", "ant"]))
    with pytest.raises(UserError, match=r"must be one line\. Received: 'cat\\nblack'"):
        load_arrays(path, tmp_path)


def test_many_broken_pictures_are_refused(photos, tmp_path):
    for i in range(4):
        (photos / "train" / "dark" / f"{i:03d}.png").write_bytes(b"no")
    message = r"4 of the 26 pictures of photos cannot be read, too many .* train/dark/000\.png"
    with pytest.raises(UserError, match=message):
        load(photos, tmp_path)


def test_a_class_whose_only_picture_is_broken_is_refused(photos, tmp_path):
    (photos / "train" / "empty").mkdir()
    (photos / "train" / "empty" / "only.png").write_bytes(b"no")
    with pytest.raises(UserError, match=r"The class 'empty' of photos has no labeled training"):
        load(photos, tmp_path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: (p / "train" / "none").mkdir(), r"at least one picture .*no picture in .*none"),
        (lambda p: shutil.rmtree(p / "train" / "dark"), r"two or more classes.*Received: 1 class"),
        (lambda p: (p / "test" / "dog").mkdir(), r"names of training classes: .*Received: 'dog'"),
        (lambda p: shutil.rmtree(p), "must be a folder that exists"),
    ],
)
def test_a_folder_that_cannot_be_learned_from_is_one_sentence(photos, make, message):
    make(photos)
    with pytest.raises(UserError, match=message):
        own_folders.find(photos)


@pytest.mark.parametrize(
    "layout",
    [
        ("cat", "dog", "unlabelled"),
        ("cat", "dog", "Unlabeled", "TEST/cat", "TEST/dog"),
        ("Train/cat", "Train/dog", "Test/dog", "unlabeled"),
        ("train/cat", "train/dog", "train/unlabeled"),
    ],
)
def test_parts_of_the_folder_are_no_classes_however_they_are_spelled(tmp_path, layout):
    root = write_image_folder(tmp_path / "photos", layout, per_class=2)
    found = own_folders.find(root)
    assert found.class_names == ("cat", "dog")
    assert found.labels[~found.is_test].tolist() == [0, 0, 1, 1, -1, -1]
    assert found.is_test.sum() == 2 * sum(part.lower().startswith("test") for part in layout)
    assert found.notes == ()


def test_a_train_may_be_a_vehicle(tmp_path):
    root = write_image_folder(tmp_path / "photos", ("Bus", "Train"), per_class=2)
    assert own_folders.find(root).class_names == ("Bus", "Train")


def test_runs_in_the_folder_of_the_pictures_are_no_class(tmp_path):
    root = write_image_folder(tmp_path / "photos", per_class=2)
    (root / "unlabeled").mkdir()
    Image.new("L", (40, 32)).save(root / "unlabeled" / "000.png")
    before = own_folders.find(root)
    places = ("runs/one", "other", "unlabeled/run", "dark/run")
    for run in (root / place for place in places):
        write_run(run)
        Image.new("L", (8, 8)).save(run / "curves.png")
    found = own_folders.find(root)
    assert found.class_names == ("dark", "light")
    assert (found.key, found.notes) == (before.key, ())
    shutil.rmtree(root / "unlabeled")
    assert encoded_images.find(root, None).class_names == ("dark", "light")
    assert encoded_images.find_any(root).count == 4
    (root / "dark" / "config.json").write_text('{"model": "of something else"}')
    assert own_folders.find(root).class_names == ("dark", "light")


def test_a_class_whose_name_is_spelled_in_two_ways_is_one(tmp_path):
    names = [unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD")]
    root = write_image_folder(tmp_path / "photos", (*names, "dog"), per_class=2)
    found = own_folders.find(root)
    assert found.class_names == ("Zoë", "dog")
    assert (found.labels.tolist(), found.notes) == ([0, 0, 0, 0, 1, 1], ())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all names of files are Unicode")
def test_a_files_name_may_be_no_text_and_a_folders_may_not(photos, tmp_path):
    picture = photos / "train" / "dark" / "000.png"
    picture.rename(picture.with_name(os.fsdecode(b"caf\xe9.png")))
    assert len(load(photos, tmp_path).dataset.train_labels) == 20
    (photos / "train" / "light").rename(photos / "train" / os.fsdecode(b"\xe9"))
    (photos / "test" / "light").rename(photos / "test" / os.fsdecode(b"\xe9"))
    with pytest.raises(UserError, match=r"texts in UTF-8: rename it\. Received: '\\udce9'"):
        load(photos, tmp_path)


def test_a_class_without_test_images_is_told(photos, tmp_path):
    shutil.rmtree(photos / "test" / "light")
    (note,) = load(photos, tmp_path).notes
    assert note == "No test image is of class light: the test error does not cover it."


# --- arrays --------------------------------------------------------------------------------


def arrays(tmp_path, **changes):
    random = np.random.RandomState(0)
    content = {
        "x_train": random.randint(0, 256, (12, 8, 8)).astype("uint8"),
        "y_train": np.array([0, 1, 2, -1] * 3),
        "x_test": random.randint(0, 256, (6, 8, 8)).astype("uint8"),
        "y_test": np.array([0, 1, 2] * 2),
        **changes,
    }
    path = tmp_path / "data.npz"
    np.savez(path, **{name: value for name, value in content.items() if value is not None})
    return path


def load_arrays(path, tmp_path):
    found = own_arrays.find(path)
    return own_images.load(found, None, settings.IMAGE_SIZES, str(tmp_path / "cache"), 0.2).dataset


def test_arrays_have_labels_or_minus_one(tmp_path):
    data = load_arrays(arrays(tmp_path), tmp_path)
    assert data.train_images.shape == (12, 28, 28, 1)
    assert data.train_labels.tolist() == [0, 1, 2, -1] * 3
    assert data.test_labels.tolist() == [0, 1, 2] * 2
    assert data.class_names == ("0", "1", "2")


def test_test_images_without_a_label_are_left_out_and_without_any_some_are_held_out(tmp_path):
    data = load_arrays(arrays(tmp_path, y_test=np.array([0, 1, 2, -1, -1, 1])), tmp_path)
    assert (data.test_labels.tolist(), len(data.train_labels)) == ([0, 1, 2, 1], 12)
    data = load_arrays(arrays(tmp_path, y_test=np.full(6, -1)), tmp_path)
    assert np.bincount(data.test_labels).tolist() == [1, 1, 1]
    assert len(data.train_labels) == 9


@pytest.mark.parametrize("dtype", ["uint8", "uint64", "int8", "int64"])
def test_labels_without_a_minus_one_may_be_unsigned_as_keras_has_them(tmp_path, dtype):
    labels = {name: np.arange(size) % 3 for name, size in (("y_train", 12), ("y_test", 6))}
    path = arrays(tmp_path, **{name: y.astype(dtype) for name, y in labels.items()})
    data = load_arrays(path, tmp_path)
    assert data.class_names == ("0", "1", "2")
    for found, expected in ((data.train_labels, "y_train"), (data.test_labels, "y_test")):
        np.testing.assert_array_equal(found, labels[expected])
    columns = arrays(tmp_path, y_train=labels["y_train"].astype(dtype)[:, None])
    with pytest.raises(UserError, match=r"A column of labels: give its \[:, 0\]"):
        own_arrays.find(columns)


def test_one_label_a_class_leaves_nothing_to_test_on(tmp_path):
    path = arrays(tmp_path, y_train=np.array([0, 1, 2] + 9 * [-1]), y_test=None, x_test=None)
    with pytest.raises(UserError, match=r"data\.npz has no test images, and none can be held out"):
        load_arrays(path, tmp_path)


def test_a_folder_of_validation_pictures_is_a_class_and_that_is_told(tmp_path):
    root = write_image_folder(tmp_path / "photos", classes=("cat", "dog", "val", "Testing"))
    told = [note.split(" counts as a class: ")[0] for note in own_folders.find(root).notes]
    assert told == ["The folder Testing", "The folder val"]


def test_arrays_may_have_names_unlabeled_images_and_whole_floats(tmp_path):
    x = np.random.RandomState(1).randint(0, 256, (4, 28, 28, 3))
    path = arrays(
        tmp_path,
        x_train=x.astype("float32"),
        y_train=np.array(["cat", "", "ant", "cat"]),
        x_unlabeled=x[:2].astype("uint8"),
        x_test=x[:1].astype("uint8"),
        y_test=np.array(["ant"]),
    )
    data = load_arrays(path, tmp_path)
    assert data.class_names == ("ant", "cat")
    assert data.train_labels.tolist() == [1, -1, 0, 1, -1, -1]
    np.testing.assert_array_equal(data.train_images[:4], x)
    assert data.test_labels.tolist() == [0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_train": None}, "must hold x_train and y_train .*Received: x_train, x_test, y_test"),
        ({"y_test": None}, "both of x_test and y_test"),
        ({"x_train": np.random.rand(12, 8, 8)}, "x_train .* as bytes .*Received: float64"),
        ({"x_train": np.zeros((12, 8, 8, 2), "uint8")}, r"C 1 or 3.*\(12, 8, 8, 2\)"),
        ({"y_train": np.eye(12)[:, :3]}, "y_train .* whole numbers .*float64"),
        ({"y_train": np.eye(12, 3, dtype=int)}, "One-hot labels: give their argmax"),
        ({"y_train": np.arange(12)[:, None]}, r"images\. A column of labels: give its \[:, 0\]"),
        ({"y_train": np.array(["0", "1", "10", "2"] * 3)}, "both be texts: .*<U2 and int64"),
        ({"y_test": np.array(["0", "1"] * 3)}, "both be texts: .*Received: int64 and <U1"),
        ({"y_train": np.zeros(5, int)}, r"for each of the 12 images.*\(5,\)|two or more classes"),
        ({"y_train": np.array([0, -2] * 6)}, r"-1 for no label. Received: -2\.\.0"),
        ({"y_test": np.array([0, 1, 7] * 2), "class_names": np.array(["a", "b", "c"])}, r"0\.\.7"),
        ({"y_train": np.array([object()] * 12)}, "cannot be read as an .npz file"),
        (
            {"y_train": np.arange(12, dtype="uint64") - 1},
            "numbers of classes, .*: 1844674407370955",
        ),
        (
            {"class_names": np.array(["a", "", "b"])},
            r"none of them empty: .*Received: 'a', '', 'b'",
        ),
        ({"y_train": np.full(12, 4_000_000_000)}, "K at most 10,000 .*Received: 4000000000"),
    ],
)
def test_wrong_arrays_are_one_sentence(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        own_arrays.find(arrays(tmp_path, **changes))


def test_with_names_of_the_classes_texts_and_numbers_may_be_mixed(tmp_path):
    texts = {"y_train": np.array(["b", "a", ""] * 4), "class_names": np.array(["b", "a", "c"])}
    found = own_arrays.find(arrays(tmp_path, **texts))
    assert found.labels.tolist() == 4 * [0, 1, -1] + 2 * [0, 1, 2]


def test_texts_may_be_bytes(tmp_path):
    texts = {"y_train": np.array([b"cat", b"ant", b""] * 4), "y_test": np.array([b"ant"] * 6)}
    found = own_arrays.find(arrays(tmp_path, **texts))
    assert found.class_names == ("ant", "cat")
    assert found.labels.tolist() == 4 * [1, 0, -1] + 6 * [0]
    names = np.array(["a", "Zoë", "c"])
    found = own_arrays.find(arrays(tmp_path, class_names=np.char.encode(names, "utf-8")))
    assert found.class_names == ("a", "Zoë", "c")


def test_the_same_bytes_in_another_shape_are_prepared_anew(tmp_path):
    x = np.random.RandomState(1).randint(0, 256, (12, 28, 56)).astype("uint8")
    wide = load_arrays(arrays(tmp_path, x_train=x), tmp_path)
    np.testing.assert_array_equal(wide.train_images[..., 0], x[:, :, 14:42])
    high = load_arrays(arrays(tmp_path, x_train=x.reshape(12, 56, 28)), tmp_path)
    np.testing.assert_array_equal(high.train_images[..., 0], x.reshape(12, 56, 28)[:, 14:42])


def test_empty_parts_are_as_none_and_other_arrays_are_not_read(tmp_path):
    none = {name: np.zeros((0, 8, 8), "uint8") for name in ("x_test", "x_unlabeled")}
    others = {"y_test": np.zeros(0, int), "notes": np.array([{"by": "me"}], object)}
    found = own_arrays.find(arrays(tmp_path, **none, **others))
    assert (len(found.labels), found.is_test.any()) == (12, False)


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "data.npz").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"cannot be read as an \.npz .*: it is no such file"):
        own_arrays.find(tmp_path / "data.npz")
    with pytest.raises(UserError, match="that exists"):
        own_arrays.find(tmp_path / "other.npz")


# --- TFDS and the whole --------------------------------------------------------------------


def own_settings(**given):
    names = (*settings.SOURCES, "image_size", "cache_dir", "data_dir")
    return {**dict.fromkeys(names), "dataset": "images", "test_fraction": 0.2, **given}


@pytest.mark.filterwarnings("ignore")  # of TFDS's writer
def test_a_set_of_tfds_has_its_splits_and_names(tmp_path):
    written = write_prepared_mnist(tmp_path, num_train=40, num_test=20)
    given = own_settings(
        tfds="mnist", data_dir=str(tmp_path), cache_dir=str(tmp_path / "cache"), image_size=28
    )
    data = run_data.load(given, download=False)
    assert data.class_names == tuple("0123456789")
    for split, images, labels in (
        ("train", data.train_images, data.train_labels),
        ("test", data.test_images, data.test_labels),
    ):
        expected = written[split]
        order, found = (np.lexsort(x.reshape(len(x), -1).T[::-1]) for x in (expected[0], images))
        np.testing.assert_array_equal(images[found], expected[0][order])
        np.testing.assert_array_equal(labels[found], expected[1][order])
    with pytest.raises(UserError, match="this command downloads none"):
        run_data.load({**given, "tfds": "cats_vs_dogs"}, download=False)


@pytest.mark.filterwarnings("ignore")  # of TFDS's writer
def test_a_set_of_tfds_is_found_by_each_of_its_names(tmp_path):
    splits = {"train": np.arange(10) % 2}
    write_prepared(tmp_path, "emnist", splits, num_classes=2, config="byclass")
    folder = tmp_path / "emnist" / "byclass" / "3.0.1"
    for name in ("emnist", "emnist/byclass", "emnist:3.0.1", "emnist/byclass:3.0.1"):
        assert tfds_folders.prepared_folder(name, str(tmp_path)) == folder
    for name in ("emnist/mnist", "emnist:3.0.2", "mnist", "byclass"):
        assert tfds_folders.prepared_folder(name, str(tmp_path)) is None
    assert own_tfds.find("emnist:3.0.1", str(tmp_path), download=False).key.startswith(
        "emnist-3.0.1-3.0.1-"
    )


@pytest.mark.filterwarnings("ignore")  # of TFDS's writer
def test_where_the_test_split_has_no_labels_the_validation_split_tests(tmp_path):
    none, two = np.full(6, -1), np.arange(4) % 2
    splits = {"train": np.arange(10) % 2, "validation": two, "test": none}
    write_prepared(tmp_path, "contest", splits, num_classes=2)
    given = own_settings(
        tfds="contest", data_dir=str(tmp_path), cache_dir=str(tmp_path / "cache"), image_size=28
    )
    loaded = run_data.load_own(given, download=False)
    assert sorted(loaded.dataset.test_labels) == [0, 0, 1, 1]
    assert len(loaded.dataset.train_labels) == 10
    assert loaded.notes == ("6 test images have no label and are left out.",)


@pytest.mark.filterwarnings("ignore")  # of TFDS's writer
@pytest.mark.filterwarnings("ignore")  # of TFDS's writer
def test_a_set_of_tfds_with_images_of_floats_is_refused(tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    write_prepared_mnist(tmp_path, num_train=40, num_test=20)
    monkeypatch.setattr(tfds.features.Image, "np_dtype", np.float32)
    with pytest.raises(UserError, match=r"must be bytes, .*Received: float32\. Give them as `arr"):
        own_tfds.find("mnist", str(tmp_path), download=False)


def test_labels_of_an_unlabeled_split_are_none(tmp_path):
    splits = {"train": np.arange(10) % 2, "unlabelled": np.zeros(6, int)}
    write_prepared(tmp_path, "letters", splits, num_classes=2)
    found = own_tfds.find("letters", str(tmp_path), download=False)
    assert sorted(found.labels) == 6 * [-1] + 5 * [0] + 5 * [1]


def test_a_picture_that_was_changed_is_another_even_if_its_size_is_the_same(photos):
    before = own_folders.find(photos).key
    picture = photos / "train" / "dark" / "000.png"
    assert own_folders.find(photos).key == before
    os.utime(picture, ns=(0, 0))
    assert own_folders.find(photos).key != before


def test_two_folders_whose_pictures_have_one_size_and_time_are_two(tmp_path):
    """As archives make them, which keep a time; pictures of one format can have one size."""
    loaded = []
    for seed, place in enumerate(("one", "two")):
        root = tmp_path / place / "photos"
        write_image_folder(root, per_class=6, seed=seed)
        for file in root.rglob("*.png"):
            Image.open(file).save(file.with_suffix(".bmp"))
            file.unlink()
            os.utime(file.with_suffix(".bmp"), ns=(10**9, 10**9))
        loaded.append(load(root, tmp_path).dataset.train_images)
    assert not np.array_equal(*loaded)


def test_a_folder_with_a_long_name_is_prepared(tmp_path):
    root = tmp_path / ("ö" * 120)
    write_image_folder(root, per_class=6)
    first = load(root, tmp_path).dataset
    (cached,) = (tmp_path / "cache").iterdir()
    assert len(os.fsencode(cached.name)) <= 200
    np.testing.assert_array_equal(load(root, tmp_path).dataset.train_images, first.train_images)
    folder = next(root.iterdir())
    shutil.copy(next(folder.iterdir()), folder / "another.png")
    load(root, tmp_path)
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_test_images_that_are_trained_on_too_are_told(photos, tmp_path):
    shutil.copy(photos / "train" / "dark" / "000.png", photos / "test" / "dark" / "copy.png")
    shutil.copy(photos / "unlabeled" / "000.png", photos / "test" / "light" / "copy.png")
    (note,) = load(photos, tmp_path).notes
    assert note.startswith("2 of the 8 test images are also among the training images")


def test_a_runs_data_are_found_again_by_its_settings(photos, tmp_path):
    given = own_settings(image_folder=str(photos), cache_dir=str(tmp_path), image_size=28)
    data = run_data.load(json.loads(json.dumps(given)))
    assert data.train_images.shape == (20, 28, 28, 3)


def test_the_networks_have_the_sizes_of_the_flag():
    assert settings.IMAGE_SIZES == networks.IMAGE_SIZES


# --- too small -----------------------------------------------------------------------------


def set_of(labeled, unlabeled, test):
    labels = np.array([k for k, n in enumerate(labeled) for _ in range(n)] + [-1] * unlabeled)
    blank = np.zeros((1, 28, 28, 1), "uint8")
    names = tuple("abc"[: len(labeled)])
    return own_images.Dataset(
        blank.repeat(len(labels), 0),
        labels,
        blank.repeat(test, 0),
        np.zeros(test, int),
        "",
        False,
        names,
    )


def test_a_large_set_has_no_warning():
    assert small_data.warnings(set_of((30, 30), 2000, 500), None) == []


@pytest.mark.parametrize(
    ("sizes", "labels_per_class", "told"),
    [
        (((30, 30), 500, 500), None, ["560 training images are few"]),
        (((30, 4), 2000, 500), None, ["Fewer than 5 labels of class b:"]),
        (((30, 30), 2000, 500), 3, ["Fewer than 5 labels of class a, b:"]),
        (((600, 600), 400, 500), None, ["400 of 1,600 training images have no label"]),
        (((600, 600), 400, 500), 20, []),  # the other labels are not used
        (((600, 600), 2400, 500), None, []),  # two for each label
        (((30, 30), 2000, 100), None, ["100 test images measure an error of 10 % to about +- 6"]),
    ],
)
def test_what_is_too_little_is_told(sizes, labels_per_class, told):
    found = small_data.warnings(set_of(*sizes), labels_per_class)
    assert len(found) == len(told)
    assert all(text in warning for text, warning in zip(told, found, strict=True))

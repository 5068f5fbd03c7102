"""Folders of images and TFDS's ImageNet: labels, crop, cache, order, and what is refused."""

import dataclasses
import errno
import os
import shutil
import signal
import sys
import types

import numpy as np
import pytest
from PIL import ExifTags, Image

import run_dcgan
from improved_gan_tf.data import cache_folders, encoded_images, shuffled_batches, square_images
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import interruption
from improved_gan_tf.runs import dcgan
from tests.support.image_folders import write_image_folder


@pytest.fixture
def folder(tmp_path):
    return write_image_folder(tmp_path / "images")


def prepared(folder, tmp_path, image_size=32):
    source = encoded_images.find(folder, None)
    return square_images.prepare(source, image_size, tmp_path / "cache")


# --- a folder of images --------------------------------------------------------------------


def test_each_folder_is_a_class_in_the_order_of_names(folder):
    Image.new("L", (64, 64), 7).save(folder / "dark" / "grey.jpeg")
    (folder / "dark" / "notes.txt").write_text("not an image")
    (folder / "empty").mkdir()
    (folder / ".hidden").mkdir()
    Image.new("L", (64, 64)).save(folder / ".hidden" / "x.png")
    source = encoded_images.find(folder, None)
    assert source.class_names == ("dark", "light")
    assert source.count == 13
    assert [label for _, _, label in source.items()] == [0] * 7 + [1] * 6
    assert source.description == "images (13 images of 2 classes)"
    assert not source.is_papers


def test_images_in_folders_below_a_class_belong_to_it(folder):
    (folder / "light" / "more").mkdir()
    Image.new("RGB", (32, 32)).save(folder / "light" / "more" / "x.PNG")
    assert encoded_images.find(folder, None).count == 13


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all names of files are Unicode")
def test_a_files_name_may_be_no_text(folder):
    picture = folder / "dark" / "000.png"
    picture.rename(picture.with_name(os.fsdecode(b"caf\xe9.png")))
    assert encoded_images.find(folder, None).count == 12


def test_prepared_images_are_bytes_with_their_labels(folder, tmp_path):
    images, labels, _ = prepared(folder, tmp_path)
    assert (images.shape, images.dtype) == ((12, 32, 32, 3), np.uint8)
    assert (labels.tolist(), labels.dtype) == ([0] * 6 + [1] * 6, np.int32)
    assert images[labels == 0].mean() == pytest.approx(64, abs=3)
    assert images[labels == 1].mean() == pytest.approx(191, abs=3)


def test_an_image_of_the_right_size_becomes_the_originals_bytes(tmp_path):
    folder = write_image_folder(tmp_path / "images", size=(32, 32))
    with Image.open(folder / "dark" / "003.png") as image:
        pixels = np.asarray(image).astype(float)
    # The original's steps in their order: bytescale, [-1, 1], and back.
    low, high = pixels.min(), pixels.max()
    stretched = np.floor((pixels - low) * (255.0 / (high - low)) + 0.5)
    expected = (((stretched / 127.5 - 1.0) + 1.0) * (255.0 / 2.0)).astype("uint8")
    assert (expected != pixels).any()
    np.testing.assert_array_equal(prepared(folder, tmp_path).images[3], expected)


@pytest.mark.parametrize("portrait", [False, True])
def test_the_middle_square_is_taken_and_resized(tmp_path, portrait):
    pixels = np.zeros((32, 67, 3), "uint8")
    # The middle square: the original's Python 2 rounds 17.5 up.
    pixels[:, 18:50] = np.arange(32)[:, None] * [8, 7, 6] + 1
    expected = pixels[:, 18:50]
    if portrait:
        pixels, expected = pixels.transpose(1, 0, 2), expected.transpose(1, 0, 2)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    taken, side = square_images.imagenet_square("x", tmp_path / "x.png", 32)
    assert side == 32
    stretched = (expected - 1.0) * 255 / 248
    np.testing.assert_allclose(taken.astype(float), stretched, atol=1.6)  # rounded, and cut off


def test_shrinking_averages_pixels(tmp_path):
    pixels = np.zeros((128, 128, 3), "uint8")
    pixels[::2] = 255  # stripes finer than the result's pixels
    Image.fromarray(pixels).save(tmp_path / "x.png")
    resized, _ = square_images.imagenet_square("x", tmp_path / "x.png", 32)
    np.testing.assert_allclose(resized[2:-2].astype(float), 127.5, atol=15.0)


def test_sixteen_bits_are_stretched_and_numbers_of_an_unknown_white_refused(tmp_path):
    ramp = np.linspace(0, 65535, 32 * 32).reshape(32, 32)
    Image.fromarray(ramp.astype("uint16")).save(tmp_path / "x.png")
    taken, _ = square_images.imagenet_square("x", tmp_path / "x.png", 32)
    np.testing.assert_allclose(taken[:, :, 0], ramp / 257, atol=2.0)
    for dtype in ("int32", "float32"):
        Image.fromarray(ramp.astype(dtype)).save(tmp_path / "x.tiff")
        with pytest.raises(UserError, match="nothing says which of them is white"):
            square_images.imagenet_square("x", tmp_path / "x.tiff", 32)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all names of files are Unicode")
def test_a_class_whose_name_is_no_text_is_refused(folder):
    (folder / sorted(os.listdir(folder))[0]).rename(folder / os.fsdecode(b"\xe9"))
    with pytest.raises(UserError, match=r"texts in UTF-8: rename it\. Received: '\\udce9'"):
        encoded_images.find(str(folder), None)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_every_kind_of_image_becomes_three_colours(tmp_path, mode):
    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    picture = Image.new("RGB", (40, 40), (255, 255, 255))
    picture.paste((0, 0, 0), (0, 0, 40, 20))
    picture.convert(mode).save(path)
    resized, _ = square_images.imagenet_square("x", path, 32)
    assert resized.shape == (32, 32, 3)
    np.testing.assert_allclose(resized[:14].astype(float), 0.0, atol=4.0)
    np.testing.assert_allclose(resized[18:].astype(float), 255.0, atol=4.0)


def turned_photo(path):
    """Writes a photo that a camera turned by a quarter says how to turn back; returns that."""
    upright = np.zeros((40, 32, 3), "uint8")
    upright[:20] = 255
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # shown turned clockwise
    Image.fromarray(np.rot90(upright)).save(path, exif=exif)
    return upright[4:36]


def test_own_pictures_stand_upright_and_imagenets_as_in_the_original(tmp_path):
    upright = turned_photo(tmp_path / "x.png")
    own, side = square_images.own_square("x", tmp_path / "x.png", 32)
    np.testing.assert_array_equal(own, upright)
    assert side == 32
    as_original, _ = square_images.imagenet_square("x", tmp_path / "x.png", 32)
    assert as_original[0].min() < as_original[0].max()  # still turned


def test_transparent_parts_of_own_pictures_are_white(tmp_path):
    Image.new("RGBA", (32, 32), (0, 0, 0, 0)).save(tmp_path / "x.png")
    own, _ = square_images.own_square("x", tmp_path / "x.png", 32)
    np.testing.assert_array_equal(own, 255)


def test_the_two_preparations_are_kept_apart(folder, tmp_path):
    source = encoded_images.find(folder, None)
    name, path, _ = next(source.items())
    kinds = {True: square_images.imagenet_square, False: square_images.own_square}
    for as_imagenet, square in kinds.items():
        kept = square_images.prepare(source, 16, tmp_path / "cache", as_imagenet)
        np.testing.assert_array_equal(kept.images[0], square(name, path, 16)[0])
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_hidden_files_are_no_images(folder):
    (folder / "dark" / "._000.png").write_bytes(b"what some systems keep beside a file")
    assert encoded_images.find(folder, None).count == 12


@pytest.mark.parametrize(("low", "high"), [(0, 255), (30, 180), (7, 8), (9, 9)])
def test_the_contrast_is_stretched_by_the_docstrings_formula(low, high):
    values = np.arange(low, high + 1, dtype=float)
    expected = np.floor((values - low) * (255.0 / max(high - low, 1)) + 0.5)
    actual = square_images.stretch_table(np.uint8(low), np.uint8(high))[low : high + 1]
    np.testing.assert_array_equal(actual, expected)


# --- the cache -----------------------------------------------------------------------------


def test_images_are_prepared_once(folder, tmp_path, monkeypatch):
    first = prepared(folder, tmp_path)
    monkeypatch.setattr(square_images, "imagenet_square", None)  # not called again
    second = prepared(folder, tmp_path)
    np.testing.assert_array_equal(first.images, second.images)
    np.testing.assert_array_equal(first.labels, second.labels)


def test_another_size_or_changed_images_are_prepared_anew(folder, tmp_path):
    assert prepared(folder, tmp_path).images.shape[1] == 32
    assert prepared(folder, tmp_path, image_size=16).images.shape[1] == 16
    Image.new("RGB", (64, 64), (0, 128, 255)).save(folder / "dark" / "000.png")
    np.testing.assert_array_equal(prepared(folder, tmp_path).images[0, 0, 0], (0, 128, 255))
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_the_digest_is_of_pictures_and_labels_whatever_their_files_are_called(folder, tmp_path):
    first = prepared(folder, tmp_path).digest
    (only,) = (tmp_path / "cache").iterdir()
    (only / "sha256.txt").unlink()  # as an earlier version left it
    assert prepared(folder, tmp_path).digest == first
    shutil.copytree(folder, tmp_path / "copy")
    assert prepared(tmp_path / "copy", tmp_path).digest == first
    Image.new("RGB", (64, 64), (0, 128, 255)).save(folder / "light" / "005.png")  # the last
    assert prepared(folder, tmp_path).digest != first


def test_a_picture_that_was_changed_is_another_even_if_its_size_is_the_same(folder):
    before = encoded_images.find(folder, None).key
    assert encoded_images.find(folder, None).key == before
    os.utime(folder / "dark" / "000.png", ns=(0, 0))
    assert encoded_images.find(folder, None).key != before


def test_the_digest_is_of_every_picture(monkeypatch):
    monkeypatch.setattr(square_images, "_DECODED_AT_ONCE", 4)
    pictures, labels = np.arange(10 * 12, dtype="uint8").reshape(10, 2, 2, 3), np.arange(10)
    found = {square_images._digest(pictures, labels)}
    for number in range(10):
        changed = pictures.copy()
        changed[number, 1, 1, 2] += 1
        found.add(square_images._digest(changed, labels))
    assert len(found) == 11


def test_every_pass_over_the_images_has_an_order_of_its_own():
    epochs = shuffled_batches.EpochsOfSteps(10, 5, 1, seed=1, iterations=6)
    (rows,) = epochs(0)
    passes = [row.ravel().tolist() for row in rows.reshape(3, 10)]
    assert all(sorted(one) == list(range(10)) for one in passes)
    assert len({tuple(one) for one in passes}) == 3


@pytest.mark.parametrize("damage", ["cut", "another size", "without labels"])
def test_a_damaged_cache_is_told(folder, tmp_path, damage):
    prepared(folder, tmp_path)
    (only,) = (tmp_path / "cache").iterdir()
    images = only / "images.npy"
    if damage == "cut":
        images.write_bytes(images.read_bytes()[:-1])
    elif damage == "another size":
        np.save(images, np.zeros((12, 16, 16, 3), np.uint8))
    else:
        (only / "labels.npy").unlink()
    with pytest.raises(UserError, match=r"prepared images in .* are damaged .*Delete that folder"):
        prepared(folder, tmp_path)


def test_a_failed_preparation_leaves_nothing(folder, tmp_path):
    (folder / "light" / "003.png").write_bytes(b"no image")
    with pytest.raises(UserError, match="cannot be read"):
        prepared(folder, tmp_path)
    assert list((tmp_path / "cache").iterdir()) == []


# --- what is refused -----------------------------------------------------------------------


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(UserError) as caught:
        encoded_images.find(tmp_path / "none", None)
    assert str(caught.value) == (
        f"`image_folder` must be a folder that exists. Received: {tmp_path / 'none'} (no such "
        "folder)."
    )


def test_one_class_is_refused(tmp_path):
    folder = write_image_folder(tmp_path / "images", classes=("only",))
    with pytest.raises(UserError, match=r"two or more classes .* Received: 1 such folders\."):
        encoded_images.find(folder, None)


def test_parts_of_a_data_set_are_no_classes(tmp_path):
    folder = write_image_folder(tmp_path / "images", classes=("test", "Train"))
    with pytest.raises(UserError, match=r"Train, test, which are parts .*`image_folder=.*/Train`"):
        encoded_images.find(folder, None)
    assert encoded_images.find_any(folder).count == 12  # for a game without classes
    write_image_folder(folder, classes=("truck",))
    assert encoded_images.find(folder, None).class_names == ("Train", "test", "truck")


@pytest.mark.parametrize("conditional", ["none", "infogan", "cgan", "acgan"])
def test_a_game_with_classes_takes_no_parts_for_them(tmp_path, conditional):
    folder = write_image_folder(tmp_path / "images", classes=("train", "val"))
    config = dataclasses.replace(
        run_dcgan.EXPERIMENT, dataset="folder", image_folder=str(folder), conditional=conditional
    )
    if conditional in ("none", "infogan"):
        assert dcgan.Images(config).count == 12
    else:
        with pytest.raises(UserError, match="train, val, which are parts"):
            dcgan.Images(config)


@pytest.mark.parametrize("content", [b"", b"no image", "half"])
def test_an_image_that_cannot_be_read_is_named(folder, tmp_path, content):
    path = folder / "light" / "003.png"
    path.write_bytes(path.read_bytes()[:400] if content == "half" else content)
    with pytest.raises(UserError, match=r"The picture .*light/003\.png cannot be read: "):
        prepared(folder, tmp_path)


def test_all_images_that_cannot_be_read_are_named_at_once(folder, tmp_path, monkeypatch):
    for name in ("dark/001.png", "dark/005.png", "light/003.png"):
        (folder / name).write_bytes(b"no image")
    with pytest.raises(UserError) as caught:
        prepared(folder, tmp_path)
    head, *lines = str(caught.value).splitlines()
    assert head == "3 of the 12 images cannot be read; remove or replace them:"
    for line, name in zip(lines, ("dark/001.png", "dark/005.png", "light/003.png"), strict=True):
        assert line.startswith(f"  The picture {folder}/{name} cannot be read: ")
    monkeypatch.setattr(square_images, "MOST_NAMED", 2)
    with pytest.raises(UserError, match=r"005\.png .*\n  and 1 more$"):
        prepared(folder, tmp_path)
    monkeypatch.setattr(square_images, "_DECODED_AT_ONCE", 4)
    for path in folder.glob("*/*.png"):
        path.write_bytes(b"no image")
    with pytest.raises(UserError, match=r"^8 of the 12 images"):  # the rest is not looked at
        prepared(folder, tmp_path)


def test_images_mostly_smaller_than_asked_for_are_refused(folder, tmp_path):
    with pytest.raises(UserError) as caught:
        prepared(folder, tmp_path, image_size=64)
    assert str(caught.value) == (
        "More than half of the 12 images are smaller than `image_size=64` on their shorter side, "
        f"{folder}/dark/000.png for one. Give larger images, or a smaller "
        "`image_size` where there is one."
    )


def test_single_small_images_are_enlarged(folder, tmp_path):
    Image.new("RGB", (20, 10), (9, 9, 9)).save(folder / "dark" / "000.png")
    # Without contrast its least value is its greatest, too.
    np.testing.assert_array_equal(prepared(folder, tmp_path).images[0], 0)


def test_a_full_disk_is_noticed_before(folder, tmp_path, monkeypatch):
    usage = types.SimpleNamespace(free=12 * 32 * 32 * 3 - 1)  # a byte short
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(UserError, match=r"has 0\.0 GB left"):
        prepared(folder, tmp_path)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="only POSIX reserves room")
def test_a_disk_that_fills_up_is_noticed_before_a_pixel_is_written(folder, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UserError, match=r"cannot hold the prepared images: No space left"):
        prepared(folder, tmp_path)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_preparation_of_a_run_and_leaves_nothing(
    number, folder, tmp_path, monkeypatch
):
    def signaled(*_):
        signal.raise_signal(number)
        raise AssertionError("it went on")

    monkeypatch.setattr(cache_folders, "new_array", signaled)
    with interruption.stop_on_signals() as request:
        with pytest.raises(KeyboardInterrupt) as ended:
            prepared(folder, tmp_path)
        assert isinstance(ended.value, interruption.Terminated) == (number == signal.SIGTERM)
        assert signal.getsignal(number) == request.handle  # as before
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cache_that_cannot_be_made_is_refused(folder, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(UserError, match=r"`cache_dir=.*cache` cannot hold the prepared images: "):
        prepared(folder, tmp_path)


# --- the order of the data -----------------------------------------------------------------


def test_an_epoch_takes_each_image_at_most_once():
    (rows,) = shuffled_batches.ShuffledEpochs(13, 4, seed=1)(0)
    assert rows.shape == (3, 4)
    assert len(set(rows.ravel())) == 12
    assert set(rows.ravel()) <= set(range(13))


def test_the_order_is_decided_by_seed_and_epoch():
    def rows(seed, epoch):
        return shuffled_batches.ShuffledEpochs(100, 10, seed)(epoch)[0].tolist()

    assert rows(1, 3) == rows(1, 3)
    assert rows(1, 3) != rows(1, 4)
    assert rows(1, 3) != rows(2, 3)
    assert rows(1, 2) != rows(2, 1)


def test_fewer_images_than_a_batch_are_refused():
    with pytest.raises(UserError) as caught:
        shuffled_batches.ShuffledEpochs(12, 64, 1)
    assert str(caught.value) == (
        "`batch_size` must not exceed the 12 images: give a smaller one, or more images. "
        "Received: 64."
    )


def test_batches_are_the_rows_images_in_their_order(folder, tmp_path):
    image_set = prepared(folder, tmp_path)
    (rows,) = shuffled_batches.ShuffledEpochs(12, 4, seed=1)(0)
    parts = list(shuffled_batches.batches(image_set, rows))
    assert len(parts) == 3
    for part, expected in zip(parts, rows, strict=True):
        np.testing.assert_array_equal(part.images.numpy(), image_set.images[expected])
        np.testing.assert_array_equal(part.labels.numpy(), image_set.labels[expected])


# --- ImageNet as TFDS prepares it ----------------------------------------------------------


@pytest.fixture
def tfds_folder(tmp_path):
    import tensorflow as tf
    import tensorflow_datasets as tfds

    labels = np.arange(8) % 4
    levels = (30 * np.arange(8) + 3 * labels + 4).astype("uint8")  # each image and label its own
    images = np.repeat(levels, 40 * 48 * 3).reshape(8, 40, 48, 3)
    images[:, 20, 24], images[:, 20, 26] = 0, 255  # no contrast to stretch
    tfds.dataset_builders.store_as_tfds_dataset(
        name="imagenet2012",
        version="5.1.0",
        features=tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
                "label": tfds.features.ClassLabel(num_classes=4),
            }
        ),
        split_datasets={
            "train": tf.data.Dataset.from_tensor_slices({"image": images, "label": labels})
        },
        data_dir=str(tmp_path / "tfds"),
    )
    return tmp_path / "tfds"


# Raised inside TFDS while it writes.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_prepared_tfds_images_are_read(tfds_folder, tmp_path):
    source = encoded_images.find(None, tfds_folder)
    assert (source.count, len(source.class_names)) == (8, 4)
    assert source.description == "PARTIAL imagenet2012 (TFDS 5.1.0): 8 of 1,281,167 images"
    assert not source.is_papers
    image_set = square_images.prepare(source, 32, tmp_path / "cache")
    assert image_set.images.shape == (8, 32, 32, 3)
    levels = image_set.images[:, 0, 0, 0]
    assert sorted(levels // 30) == list(range(8))  # TFDS shuffles as it prepares
    # A byte may be one less than in the file.
    np.testing.assert_array_equal((levels % 30 - 3) // 3, image_set.labels)


def test_missing_tfds_data_is_explained(tmp_path):
    with pytest.raises(
        UserError, match=r"(?s)No prepared 'imagenet2012' .*by hand.*`image_folder=FOLDER`"
    ):
        encoded_images.find(None, tmp_path)

"""One picture file as a square of bytes: sizes, colour modes, orientation, damage."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from improved_gan_tf.data import picture_files, pictures, square_images
from improved_gan_tf.errors import UserError


def as_file(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def read(image, size=2, channels=3, kind="PNG", **options):
    return pictures.read_square("it", as_file(image, kind, **options), size, channels)


def test_the_middle_square_is_taken_and_pixels_stay_as_they_are():
    pixels = np.arange(3 * 5 * 3, dtype="uint8").reshape(3, 5, 3)
    np.testing.assert_array_equal(read(Image.fromarray(pixels), 3), pixels[:, 1:4])
    upright = pixels.transpose(1, 0, 2).copy()
    np.testing.assert_array_equal(read(Image.fromarray(upright), 3), upright[1:4])


def test_a_size_that_is_not_the_pictures_is_resized_to():
    found = read(Image.new("RGB", (90, 60), (10, 200, 30)), 16)
    assert (found.shape, found.dtype) == ((16, 16, 3), np.uint8)
    assert (found == [10, 200, 30]).all()


def test_a_large_jpeg_has_the_same_square_as_its_pixels():
    ramp = np.tile(np.linspace(0, 255, 800).astype("uint8")[:, None, None], (1, 1200, 3))
    found = read(Image.fromarray(ramp), 8, kind="JPEG", quality=95)
    expected = read(Image.fromarray(ramp), 8)
    assert np.abs(found.astype(int) - expected).max() <= 3


@pytest.mark.parametrize(
    ("mode", "colour", "kind"),
    [("CMYK", (0, 255, 255, 0), "JPEG"), ("P", 1, "PNG"), ("RGBA", (255, 0, 0, 255), "PNG")],
)
def test_other_colour_modes_become_rgb(mode, colour, kind):
    image = Image.new(mode, (8, 8), colour)
    if mode == "P":
        image.putpalette([0, 0, 0, 255, 0, 0])
    red = read(image, 8, kind=kind)[4, 4].astype(int)
    assert np.abs(red - [255, 0, 0]).max() <= 6


def test_transparent_parts_become_white():
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    image.putpixel((0, 0), (0, 0, 0, 255))
    found = read(image, 4, channels=1)[:, :, 0]
    assert (found[0, 0], found[3, 3]) == (0, 255)


def test_a_colour_picture_becomes_grey_where_one_channel_is_wanted():
    assert read(Image.new("RGB", (4, 4), (0, 255, 0)), 4, channels=1)[0, 0, 0] == 150  # 0.587


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_become_eight(form):
    deep = Image.fromarray(np.array([[0, 65535], [32896, 257]], "uint16"))
    found = pictures.read_square("it", as_file(deep, form), 2, 1)
    np.testing.assert_array_equal(found[:, :, 0], [[0, 255], [128, 1]])


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_a_dark_picture_of_sixteen_bits_stays_dark(form):
    dark = Image.fromarray(np.array([[0, 255], [128, 1]], "uint16"))
    np.testing.assert_array_equal(pictures.read_square("it", as_file(dark, form), 2, 1), 0)


@pytest.mark.parametrize(
    ("dtype", "said"), [("float32", "floating point numbers"), ("int32", "numbers of 32 bits")]
)
def test_numbers_without_a_known_white_are_refused_instead_of_black(dtype, said):
    file = as_file(Image.fromarray(np.arange(16).reshape(4, 4).astype(dtype)), "TIFF")
    for read_it in (pictures.read_header, lambda *it: pictures.read_square(*it, 4, 1)):
        with pytest.raises(UserError, match=rf"x\.tiff cannot be read: its values are {said}"):
            read_it("x.tiff", file)


def test_the_cameras_orientation_is_followed():
    image = Image.new("RGB", (2, 2), "black")
    image.putpixel((0, 0), (255, 255, 255))
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees
    found = read(image, 2, channels=1, exif=exif)[:, :, 0]
    assert found[1, 1] == 255
    assert found[0, 0] == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_followed_as_pillow_does(orientation):
    pixels = np.random.RandomState(0).randint(0, 256, (5, 5, 3)).astype("uint8")
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = as_file(Image.fromarray(pixels), exif=exif)
    with Image.open(file) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(pictures.read_square("it", file, 5, 3), expected)


def test_a_note_that_is_damaged_elsewhere_says_the_orientation_still():
    exif = Image.Exif()
    exif[0x0112], exif[0x0100] = 3, 8  # turned by 180 degrees; a width, a whole number
    image = Image.new("L", (8, 8))
    image.paste(255, (0, 0, 4, 4))
    whole = as_file(image, "JPEG", exif=exif, quality=95).getvalue()
    number, text = b"\x01\0\0\4", b"\x01\0\0\2"  # the width and its type, as EXIF has them
    assert whole.count(number) == 1
    found = pictures.read_square("it", io.BytesIO(whole.replace(number, text)), 8, 1)[:, :, 0]
    assert found[:4, :4].max() < 20
    assert found[4:, 4:].min() > 235


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16"])
def test_grey_is_told_by_the_header(mode):
    assert pictures.read_header("it", as_file(Image.new(mode, (3, 2)))) == (True, 2)
    assert pictures.read_header("it", as_file(Image.new("RGB", (2, 2)))) == (False, 2)


def test_a_damaged_file_is_named():
    whole = as_file(Image.effect_noise((64, 64), 50).convert("RGB"), "JPEG").getvalue()
    for content in (whole[: len(whole) // 3], b"no picture", b""):
        with pytest.raises(UserError, match=r"The picture cat\.jpg cannot be read: .+"):
            pictures.read_square("cat.jpg", io.BytesIO(content), 8, 3)


def test_any_error_of_a_reader_is_that_of_a_damaged_file(monkeypatch):
    def damaged(*_):
        raise TypeError("'float' object cannot be interpreted as an integer")

    file = as_file(Image.new("RGB", (8, 8)))
    monkeypatch.setattr(pictures, "upright", damaged)
    with pytest.raises(UserError, match=r"The picture cat\.tif cannot be read: 'float' object"):
        pictures.read_square("cat.tif", file, 8, 3)
    monkeypatch.setattr(pictures, "require_known_white", damaged)
    with pytest.raises(UserError, match=r"The picture cat\.tif cannot be read: 'float' object"):
        pictures.read_header("cat.tif", file)
    with pytest.raises(UserError, match=r"The picture cat\.tif cannot be read: 'float' object"):
        square_images.imagenet_square("cat.tif", file, 8)


def test_too_little_memory_makes_no_picture_a_damaged_one(monkeypatch):
    def full(*_):
        raise MemoryError

    file = as_file(Image.new("RGB", (8, 8)))
    monkeypatch.setattr(pictures, "require_known_white", full)
    for read in (
        lambda: pictures.read_square("cat.tif", file, 8, 3),
        lambda: pictures.read_header("cat.tif", file),
        lambda: square_images.imagenet_square("cat.tif", file, 8),
    ):
        with pytest.raises(MemoryError):
            read()


def test_pictures_below_folders_are_found_and_hidden_and_other_files_are_not(tmp_path):
    for name in ("b/Zoë.PNG", "b/a.jpg", "b/.hidden/c.jpg", "b/notes.txt", "b/._a.jpg", "d.jpeg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = picture_files.below([tmp_path / "d.jpeg", tmp_path / "b"])
    assert [p.name for p in found] == ["d.jpeg", "Zoë.PNG", "a.jpg"]
    with pytest.raises(UserError, match=r"Received: .*nowhere \(no such file or folder\)"):
        picture_files.below([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="There is no picture"):
        picture_files.below([tmp_path / "empty"])


@pytest.mark.parametrize("mode", ["L", "I;16"])
def test_the_transparent_value_of_a_grey_picture_shows_white(tmp_path, mode):
    factor = 1 if mode == "L" else 257
    values = factor * np.array([[10, 20], [10, 30]])
    image = Image.fromarray(values.astype("uint8" if mode == "L" else "uint16"))
    image.save(tmp_path / "a.png", transparency=10 * factor)
    found = pictures.read_square("a.png", tmp_path / "a.png", 2, 1)
    np.testing.assert_array_equal(found[..., 0], [[255, 20], [255, 30]])

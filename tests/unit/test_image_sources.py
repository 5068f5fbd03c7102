"""Images to be scored: what they are, in which order, and what is refused."""

import json
import struct
import zlib

import keras
import numpy as np
import pytest
from PIL import ExifTags, Image

from improved_gan_tf import networks
from improved_gan_tf.data.pixels import from_range, to_bytes
from improved_gan_tf.errors import UserError
from improved_gan_tf.scoring.image_sources import ArrayImages, open_source
from improved_gan_tf.scoring.picture_folders import FolderImages
from tests.support.written_runs import write_run


def all_batches(source, count, batch_size):
    batches = list(source.batches(count, batch_size))
    assert all(batch.dtype == np.uint8 for batch in batches)
    return np.concatenate(batches)


# --- pixels --------------------------------------------------------------------------------


def test_outputs_become_bytes_rounded_and_cut():
    outputs = np.array([-1.0, -0.5, 0.0, 0.004, 0.5, 1.0]).reshape(6, 1, 1, 1)
    assert to_bytes(outputs, (128.0, 127.5)).ravel().tolist() == [0, 64, 128, 128, 192, 255]
    assert to_bytes([0, 0.1, 1], (255.0, 0.0)).tolist() == [0, 26, 255]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
def test_a_range_maps_its_ends_to_black_and_white(low, high):
    assert to_bytes([low, high], from_range(low, high)).tolist() == [0, 255]


# --- generators ----------------------------------------------------------------------------


def identity_generator(size=3):
    """A generator whose image is its noise."""
    z = keras.Input((size,))
    return keras.Model(z, keras.layers.Reshape((1, size, 1))(z))


@pytest.fixture
def identity(tmp_path):
    path = tmp_path / "generator.keras"
    identity_generator().save(path)
    return path


@pytest.mark.parametrize(
    ("noise", "output_range", "expected"),
    [
        ("uniform", (0, 1), lambda r: r.uniform(size=(7, 3)) * 255),
        (None, (0, 1), lambda r: r.uniform(size=(7, 3)) * 255),
        ("symmetric", (-1, 1), lambda r: r.uniform(-1, 1, (7, 3)) * 127.5 + 127.5),
        ("normal", (-5, 5), lambda r: r.normal(size=(7, 3)) * 25.5 + 127.5),
    ],
)
def test_the_noise_is_the_named_one_and_its_seed_decides_it(
    identity, noise, output_range, expected
):
    source = open_source(identity, 5, noise, output_range)
    images = all_batches(source, 7, 7)
    assert images.shape == (7, 1, 3, 1)
    np.testing.assert_allclose(
        images.reshape(7, 3), expected(np.random.RandomState(5)), atol=0.5 + 1e-4
    )
    other = open_source(identity, 6, noise, output_range)
    assert (all_batches(other, 7, 7) != images).any()


def test_the_same_noise_whatever_the_batch_size(identity):
    source = open_source(identity, 1, None, (0, 1))
    together = all_batches(source, 10, 10)
    for batch_size in (1, 3, 4, 100):
        np.testing.assert_array_equal(all_batches(source, 10, batch_size), together)


@pytest.fixture
def imagenet_run_dir(tmp_path):
    """A run folder whose generator takes several noises, as ImageNet's; its image shows them."""
    folder = tmp_path / "imagenet"
    folder.mkdir()
    inputs = {
        "z": keras.Input((4,), name="z"),
        "noise_2": keras.Input((2, 2, 1), name="noise_2"),
    }
    square = keras.layers.Reshape((2, 2, 1))(inputs["z"])
    image = keras.layers.Concatenate(axis=1)([square, inputs["noise_2"]])
    keras.Model(inputs, image).save(folder / "generator.keras")
    config = {"dataset": "imagenet", "pixels": [127.5, 127.5]}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(("latent", "most"), [("uniform", 1.0), ("normal", 5.0)])
def test_a_conditional_dcgan_gets_its_latent_and_every_class_equally_often(tmp_path, latent, most):
    inputs = {n: keras.Input((c,), name=n) for n, c in (("z", 3), ("classes", 3), ("codes", 3))}
    joined = keras.layers.Concatenate()([inputs[n] for n in ("z", "classes", "codes")])
    images = keras.layers.Reshape((3, 3, 1))(joined)  # its image shows what it is given
    keras.Model(inputs, images).save(tmp_path / "generator.keras")
    config = {"dataset": "mnist", "pixels": [25.5, 127.5], "latent": latent}
    (tmp_path / "config.json").write_text(json.dumps(config))
    source = open_source(tmp_path, 1)
    shown = np.concatenate(list(source.batches(600, 200))).reshape(600, 3, 3) / 25.5 - 5.0
    z, classes, codes = shown[:, 0], shown[:, 1], shown[:, 2]
    assert z.min() < -0.9 * min(most, 2.0)
    assert np.abs(z).max() <= most + 0.05
    assert (np.abs(z) > 1.05).any() == (latent == "normal")
    np.testing.assert_allclose(classes.sum(axis=1), 1.0, atol=0.05)
    assert np.all(np.abs(classes.mean(axis=0) - 1 / 3) < 0.06)
    assert np.abs(codes).max() <= 1.05
    assert codes.min() < -0.9


def test_every_input_of_a_generator_gets_noise_of_its_own(imagenet_run_dir):
    source = open_source(imagenet_run_dir, 1)
    assert source.image_shape == (4, 2, 1)
    images = all_batches(source, 1000, 100)
    z, noise = images[:, :2].ravel() / 127.5 - 1.0, images[:, 2:].ravel() / 127.5 - 1.0
    for values in (z, noise):  # U[-1, 1): what the ImageNet generator is trained with
        assert abs(values.mean()) < 0.05
        assert abs(values.std() - 3.0**-0.5) < 0.02
    assert abs(np.corrcoef(z, noise)[0, 1]) < 0.05
    np.testing.assert_array_equal(all_batches(source, 1000, 7), images)


def test_every_batch_that_the_generator_sees_is_full(tmp_path, monkeypatch):
    path = tmp_path / "generator.keras"
    identity_generator().save(path)
    source = open_source(path, 1, None, (0, 1))
    seen = []
    predict = source._model.predict_on_batch
    monkeypatch.setattr(
        source._model, "predict_on_batch", lambda z: seen.append(len(z)) or predict(z)
    )
    assert [len(batch) for batch in source.batches(10, 4)] == [4, 4, 2]
    assert seen == [4, 4, 4]


@pytest.fixture
def run_dir(tmp_path):
    """A run folder with a thin MNIST generator."""
    folder = tmp_path / "run"
    folder.mkdir()
    networks.mnist_generator(1, 0.02).save(folder / "generator.keras")
    config = {"dataset": "mnist", "pixels": [255.0, 0.0]}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("name", [".", "generator.keras"])
def test_a_run_says_itself_what_its_pixels_and_its_data_are(run_dir, name):
    source = open_source(run_dir / name, 1)
    assert (source.dataset, source.image_shape, source.available) == ("mnist", (28, 28, 1), None)
    assert source.description == "generator run/generator.keras"
    images = all_batches(source, 3, 2)
    noise = np.random.RandomState(1).uniform(size=(2, 100)).astype("float32")
    outputs = keras.saving.load_model(run_dir / "generator.keras")(noise, training=False)
    expected = np.round(keras.ops.convert_to_numpy(outputs) * 255)
    np.testing.assert_array_equal(images[:2], expected)


@pytest.mark.parametrize("name", [".", "generator.keras"])
def test_the_current_folder_has_its_name(run_dir, tmp_path, name, monkeypatch):
    monkeypatch.chdir(run_dir)
    assert open_source(name, 1).description == "generator run/generator.keras"
    write_pictures(tmp_path / "photos", count=1)
    monkeypatch.chdir(tmp_path / "photos")
    assert open_source(".", 1).description == "1 pictures in photos"


def test_a_config_that_tells_no_more_than_the_pixels_is_enough(run_dir):
    (run_dir / "config.json").write_text(json.dumps({"pixels": [255.0, 0.0]}))
    source = open_source(run_dir, 1)
    assert (source.dataset, all_batches(source, 2, 2).shape) == (None, (2, 28, 28, 1))


def test_a_run_without_generator_is_explained(run_dir):
    (run_dir / "generator.keras").unlink()
    with pytest.raises(UserError, match=r"holds no generator\.keras: a supervised-only run"):
        open_source(run_dir, 1)


def test_a_damaged_config_is_explained(run_dir):
    (run_dir / "config.json").write_text("{")
    with pytest.raises(UserError, match=r"config\.json is not a run's config\.json: "):
        open_source(run_dir, 1)


def test_a_generator_of_unknown_range_asks_for_it(identity):
    with pytest.raises(UserError, match="--output_range -1 1, or 0 1"):
        open_source(identity, 1)


def test_a_generator_out_of_its_range_is_refused(tmp_path):
    z = keras.Input((3,))
    image = keras.layers.Reshape((1, 3, 1))(keras.layers.Rescaling(2, offset=-1)(z))
    path = tmp_path / "generator.keras"
    keras.Model(z, image).save(path)
    all_batches(open_source(path, 1, None, (-1, 1)), 100, 50)
    with pytest.raises(UserError, match=r"values from -.* to 0\.9.* from 0 \(black\) to 1 \(w"):
        all_batches(open_source(path, 1, None, (0, 1)), 100, 50)


def test_a_generator_of_nan_is_refused(tmp_path):
    z = keras.Input((3,))
    image = keras.layers.Reshape((1, 3, 1))(keras.layers.Rescaling(float("nan"))(z))
    path = tmp_path / "generator.keras"
    keras.Model(z, image).save(path)
    with pytest.raises(UserError, match="generates NaN or infinity"):
        all_batches(open_source(path, 1, None, (0, 1)), 4, 4)


def test_a_model_that_is_no_generator_is_refused(tmp_path):
    path = tmp_path / "classifier.keras"
    images = keras.Input((4, 4, 1))
    keras.Model(images, keras.layers.Flatten()(images)).save(path)
    with pytest.raises(UserError, match=r"must map noise \(N, \.\.\.\) to images \(N, H, W, C\)"):
        open_source(path, 1, None, (0, 1))


def test_a_damaged_generator_is_explained(tmp_path):
    path = tmp_path / "generator.keras"
    path.write_bytes(b"not a model")
    with pytest.raises(UserError, match=r"generator\.keras cannot be loaded: "):
        open_source(path, 1, None, (0, 1))


def test_a_model_with_code_in_it_is_not_run(tmp_path):
    z = keras.Input((3,))
    image = keras.layers.Lambda(lambda x: x[:, None, :, None], output_shape=(1, 3, 1))(z)
    path = tmp_path / "generator.keras"
    keras.Model(z, image).save(path)
    with pytest.raises(UserError, match=r"cannot be loaded: .*Lambda.*(unsafe|arbitrary code)"):
        open_source(path, 1, None, (0, 1))


# --- folders of pictures -------------------------------------------------------------------


def write_pictures(folder, count=12, size=(5, 4), mode="RGB", ending="png"):
    """Pictures whose first byte is their number; returns them by number."""
    folder.mkdir(parents=True, exist_ok=True)
    channels = len(mode)
    images = np.random.RandomState(0).randint(0, 256, (count, size[1], size[0], channels))
    images[:, 0, 0, 0] = np.arange(count)
    images = images.astype("uint8")
    for number, image in enumerate(images):
        Image.fromarray(image[..., 0] if channels == 1 else image).save(
            folder / f"{number:03d}.{ending}"
        )
    return images


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_pictures_come_whole_each_once_in_an_order_of_the_seed(tmp_path, mode):
    expected = write_pictures(tmp_path / "pictures", mode=mode)
    orders = []
    for seed in (1, 1, 2):
        source = open_source(tmp_path / "pictures", seed)
        assert (source.available, source.image_shape) == (12, (4, 5, len(mode)))
        images = all_batches(source, 12, 5)
        order = images[:, 0, 0, 0]
        assert sorted(order) == list(range(12))
        np.testing.assert_array_equal(images, expected[order])
        orders.append(order.tolist())
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != list(range(12))  # names often sort by class
    assert len(all_batches(source, 7, 5)) == 7


def test_png_is_exact_and_jpeg_is_noted(tmp_path):
    write_pictures(tmp_path / "a")
    assert open_source(tmp_path / "a", 1).differences == []
    write_pictures(tmp_path / "b", ending="jpg")
    assert open_source(tmp_path / "b", 1).differences == [
        "images: 12 of the pictures are JPEG files"
    ]


def test_other_files_in_the_folder_do_not_count(tmp_path):
    write_pictures(tmp_path / "a", count=3)
    (tmp_path / "a" / "notes.txt").write_text("x")
    assert open_source(tmp_path / "a", 1).available == 3


def test_class_folders_are_descended_and_hidden_files_are_not(tmp_path):
    write_pictures(tmp_path / "a", count=2)
    write_pictures(tmp_path / "a" / "cats", count=3)
    write_pictures(tmp_path / "a" / "dogs" / "small", count=4)
    write_pictures(tmp_path / "a" / ".thumbnails", count=5)
    (tmp_path / "a" / "cats" / "._000.png").write_bytes(b"of another system")
    source = open_source(tmp_path / "a", 1)
    assert source.available == 9
    assert source.description == "9 pictures in 3 folders of a"
    assert sorted(all_batches(source, 9, 4)[:, 0, 0, 0]) == [0, 0, 0, 1, 1, 1, 2, 2, 3]


def test_a_folder_above_run_folders_is_refused(tmp_path):
    write_pictures(tmp_path / "runs" / "seed1" / "samples", count=1)
    write_run(tmp_path / "runs" / "seed1")
    with pytest.raises(UserError, match=r"runs.seed1 is a run folder, whose pictures are grids"):
        open_source(tmp_path / "runs", 1)


def test_pictures_of_several_sizes_become_squares_of_the_shortest_side(tmp_path):
    write_pictures(tmp_path / "a", count=2)
    wide = np.zeros((8, 20, 3), "uint8")
    wide[:, 6:14] = 200  # its middle square
    Image.fromarray(wide).save(tmp_path / "a" / "z.png")
    source = open_source(tmp_path / "a", 1)
    assert source.image_shape == (4, 4, 3)
    assert source.differences == [
        "images: 3 of the pictures were cropped to their middle and resized to 4 x 4"
    ]
    assert (all_batches(source, 3, 3) == 200).all(axis=(1, 2, 3)).sum() == 1


def test_pictures_get_the_shape_of_the_images_to_compare_with(tmp_path):
    expected = write_pictures(tmp_path / "a", count=3)
    same = FolderImages(tmp_path / "a", 1, (4, 5, 3))
    assert same.differences == []
    np.testing.assert_array_equal(np.sort(all_batches(same, 3, 3), axis=0), np.sort(expected, 0))
    grey = FolderImages(tmp_path / "a", 1, (8, 10, 1))
    assert all_batches(grey, 3, 3).shape == (3, 8, 10, 1)
    assert grey.differences == [
        "images: 3 of the pictures were cropped to their middle and resized to 10 x 8",
        "images: 3 of the pictures lost their colours",
    ]


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("1", 1, [255]),
        ("LA", (100, 255), [100]),
        ("LA", (100, 0), [255]),
        ("RGBA", (10, 20, 30, 255), [10, 20, 30]),
        ("RGBA", (10, 20, 30, 0), [255, 255, 255]),  # transparency shows white
        ("RGBA", (0, 0, 0, 127), [128, 128, 128]),
    ],
)
def test_transparency_is_laid_over_white(tmp_path, mode, colour, expected):
    Image.new(mode, (4, 4), colour).save(tmp_path / "a.png")
    source = open_source(tmp_path, 1)
    assert source.image_shape == (4, 4, len(expected))
    np.testing.assert_array_equal(all_batches(source, 1, 1)[0, 0, 0], expected)
    noted = ["images: 1 of the pictures have an alpha channel and were laid over white"]
    assert source.differences == (noted if mode != "1" else [])


@pytest.mark.parametrize("transparent", [False, True])
def test_a_palette_gives_its_colours(tmp_path, transparent):
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([0, 0, 0, 10, 20, 30])
    picture.save(tmp_path / "a.png", **({"transparency": 1} if transparent else {}))
    found = all_batches(open_source(tmp_path, 1), 1, 1)[0, 0, 0]
    assert found.tolist() == ([255, 255, 255] if transparent else [10, 20, 30])


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_pictures_stand_upright_whatever_way_the_camera_was_held(tmp_path, quarters):
    upright = np.random.RandomState(2).randint(0, 256, (6, 4, 3)).astype("uint8")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = (1, 6, 3, 8)[quarters]
    Image.fromarray(np.rot90(upright, quarters)).save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(upright).save(tmp_path / "upright.png")
    source = FolderImages(tmp_path, 1)
    assert source.image_shape == (6, 4, 3)
    for image in all_batches(source, 2, 2):
        np.testing.assert_array_equal(image, upright)
    assert source.differences == []


def test_a_picture_turned_by_a_note_behind_its_pixels_is_refused(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("L", (6, 4)).save(tmp_path / "a.png", exif=exif)
    chunks, data = [], (tmp_path / "a.png").read_bytes()
    at = 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big") + 12
        chunks.append(data[at : at + length])
        at += length
    behind = sorted(chunks, key=lambda chunk: (chunk[4:8] == b"eXIf") + 2 * (chunk[4:8] == b"IEND"))
    (tmp_path / "a.png").write_bytes(data[:8] + b"".join(behind))
    with pytest.raises(
        UserError, match=r"a\.png is rotated by an EXIF tag stored after its pixels"
    ):
        all_batches(FolderImages(tmp_path, 1), 1, 1)


def test_grey_pictures_among_coloured_ones_become_rgb(tmp_path):
    Image.new("RGB", (4, 4), (1, 2, 3)).save(tmp_path / "a.png")
    Image.new("L", (4, 4), 9).save(tmp_path / "b.png")
    source = open_source(tmp_path, 1)
    assert sorted(all_batches(source, 2, 2)[:, 0, 0].tolist()) == [[1, 2, 3], [9, 9, 9]]
    assert source.differences == []


def test_webp_is_read_and_noted(tmp_path):
    Image.new("RGB", (8, 8), (250, 250, 250)).save(tmp_path / "a.webp", lossless=True)
    source = open_source(tmp_path, 1)
    assert (all_batches(source, 1, 1) == 250).all()
    assert source.differences == ["images: 1 of the pictures are WebP files"]


def test_pictures_without_8_bits_a_channel_are_refused(tmp_path):
    Image.new("I;16", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"must have 8 bits a channel: .* of mode I(;16)?\."):
        open_source(tmp_path, 1)


def test_a_picture_that_is_none_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"not a picture")
    with pytest.raises(UserError, match=r"a\.png cannot be read"):
        open_source(tmp_path, 1)


def test_a_picture_cut_short_is_refused(tmp_path):
    write_pictures(tmp_path / "a", count=1, size=(50, 50))
    path = tmp_path / "a" / "000.png"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UserError, match=r"The picture .*000\.png cannot be read"):
        all_batches(open_source(tmp_path / "a", 1), 1, 1)


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"is no run folder .* and holds no pictures"):
        open_source(tmp_path, 1)


def test_settings_of_a_generator_are_refused_for_pictures(tmp_path):
    write_pictures(tmp_path / "a")
    with pytest.raises(UserError, match="go with a generator"):
        open_source(tmp_path / "a", 1, output_range=(0, 1))


@pytest.mark.parametrize("name", ["nothing", "file.txt"])
def test_what_is_no_source_is_refused(tmp_path, name):
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(UserError, match=rf"(There is no|must be a) run folder.*{name}"):
        open_source(tmp_path / name, 1)


# --- images in memory ----------------------------------------------------------------------


def test_images_in_memory_come_each_once_in_an_order_of_the_seed():
    images = np.arange(30, dtype="uint8").reshape(30, 1, 1, 1)
    source = ArrayImages(images, 3, "numbers", "mnist", True)
    order = all_batches(source, 30, 7).ravel()
    assert sorted(order) == list(range(30))
    np.testing.assert_array_equal(order, np.random.RandomState(3).permutation(30))
    assert (source.available, source.differences) == (30, [])
    assert ArrayImages(images, 3, "a few", "mnist", False).differences == ["data: a few"]


def test_a_sequential_generator_that_was_never_called_is_one(tmp_path):
    layers = [keras.Input((3,)), keras.layers.Reshape((1, 3, 1))]
    keras.Sequential(layers).save(tmp_path / "g.keras")
    source = open_source(tmp_path / "g.keras", 1, output_range=(0, 1))
    expected = np.round(np.random.RandomState(1).uniform(size=(4, 3)).astype("float32") * 255)
    np.testing.assert_array_equal(all_batches(source, 4, 4)[:, 0, :, 0], expected)


def test_a_config_of_another_program_makes_no_run_of_a_folder(tmp_path, identity):
    foreign = json.dumps({"architectures": ["x"]})
    write_pictures(tmp_path / "photos" / "cats", count=3)
    for folder in (tmp_path, tmp_path / "photos", tmp_path / "photos" / "cats"):
        (folder / "config.json").write_text(foreign)
    assert open_source(tmp_path / "photos", 1).available == 3
    assert open_source(identity, 1, output_range=(0, 1)).config is None
    with pytest.raises(UserError, match=r"config\.json is not a run's config\.json: 'pixels'"):
        open_source(identity, 1)


def test_colours_of_16_bits_keep_their_upper_8_and_that_is_noted(tmp_path):
    # Pillow writes none: a PNG of two pixels by hand.
    rows = b"\x00" + bytes([1, 200, 2, 100, 3, 50, 250, 1, 251, 1, 252, 1])

    def chunk(name, content):
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    source = open_source(tmp_path, 1)
    np.testing.assert_array_equal(all_batches(source, 1, 1)[0, 0], [[1, 2, 3], [250, 251, 252]])
    assert source.differences == ["images: 1 of the pictures lost the lower 8 of 16 bits"]

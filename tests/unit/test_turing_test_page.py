"""The page of the visual Turing test: needs no network, gives nothing away at a glance."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from improved_gan_tf.errors import UserError
from improved_gan_tf.pages import turing_test
from improved_gan_tf.scoring import votes
from tests.support.html_pages import Reader
from tests.support.written_votes import images_of, write_page, write_votes


@pytest.fixture(params=[1, 9], ids=["one", "nine"])
def page(request, tmp_path):
    return write_page(tmp_path, images_at_once=request.param)


def text_of(page):
    return (page.path / votes.PAGE_NAME).read_text("utf-8")


def data_of(page):
    return json.loads(re.search(r'id="test">(.*?)</script>', text_of(page), re.S)[1])


def test_the_page_is_whole_and_asks_for_nothing(page):
    text = text_of(page)
    reader = Reader(text)
    assert not [v for _, k, v in reader.attributes if k in ("src", "href", "srcset", "action")]
    assert not {"link", "iframe", "object", "embed", "img"} & set(reader.tags)
    assert "@import" not in text
    assert "url(" not in text
    assert set(re.findall(r"https?://[^\"' ]+", text)) <= {"http://www.w3.org/2000/svg"}
    policies = [v for tag, k, v in reader.attributes if tag == "meta" and k == "content"]
    assert any(policy.startswith("default-src 'none'; img-src data:;") for policy in policies)


def test_the_images_are_those_given_in_their_order(page):
    images, _ = images_of(20)
    for image, kept in zip(images, data_of(page)["images"], strict=True):
        found = np.asarray(Image.open(io.BytesIO(base64.b64decode(kept))))
        np.testing.assert_array_equal(found, image)


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (128, 128, 3)])
def test_every_image_of_a_shape_takes_the_same_number_of_bytes(shape):
    random = np.random.RandomState(0)
    noise = random.randint(0, 256, shape).astype("uint8")
    lengths = {
        len(turing_test.encoded(image))
        for image in (np.zeros(shape, "uint8"), np.full(shape, 255, "uint8"), noise, noise // 200)
    }
    assert len(lengths) == 1
    # No metadata either: header, pixels, end.
    chunks = re.findall(rb"IHDR|IDAT|IEND|tEXt|iTXt|tIME|pHYs", turing_test.encoded(noise // 200))
    assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}


def test_what_an_image_is_stands_in_the_page_as_a_salted_hash_only(page):
    test = data_of(page)
    assert set(test) == {
        *("page", "kind", "feedback", "imagesAtOnce", "salt", "marks", "images"),
    }
    assert len(set(test["marks"])) == 20
    assert all(re.fullmatch("[0-9a-f]{16}", mark) for mark in test["marks"])
    for number, generated in enumerate(page.is_generated, 1):
        truths = {votes.mark(test["salt"], number, truth): truth for truth in ("real", "generated")}
        assert truths[test["marks"][number - 1]] == ("generated" if generated else "real")
    # Nothing else of the key, such as where the images come from, is in it.
    assert "noise" not in text_of(page)


def test_a_seed_decides_the_page(tmp_path):
    one, same, other = (
        text_of(write_page(tmp_path / name, seed=seed))
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert one == same != other


def test_the_page_says_what_it_is_about(tmp_path):
    words = " ".join(" ".join(Reader(text_of(write_page(tmp_path))).words).split())
    assert "You will see 20 images" in words
    assert "Half of them are real (from MNIST), half were made by a neural network." in words
    assert "you see what the image is, and whether you were right (✓) or wrong (✗)." in words
    quiet = write_page(tmp_path / "quiet", feedback=False, images_at_once=9, dataset=None)
    words = " ".join(" ".join(Reader(text_of(quiet)).words).split())
    assert "You will see 20 images, 9 at a time" in words
    assert "Half of them are real, half" in words
    assert "How many were right you see at the end." in words


# --- files ---------------------------------------------------------------------------------


def test_a_page_is_replaced_only_when_asked_and_never_under_votes(tmp_path):
    folder = tmp_path / "new" / "page"
    turing_test.check_output(folder, overwrite=False)
    page = write_page(folder)
    with pytest.raises(UserError, match="holds a page already"):
        turing_test.check_output(folder, overwrite=False)
    turing_test.check_output(folder, overwrite=True)
    write_votes(folder, page, "a")
    with pytest.raises(UserError, match="holds votes on its page"):
        turing_test.check_output(folder, overwrite=True)


def test_a_file_is_no_folder_to_write_to(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match=r"--output must be a folder.*is a file"):
            turing_test.check_output(folder, overwrite=False)

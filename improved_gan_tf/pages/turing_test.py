"""The page of the visual Turing test: one file that works offline, and its key.

The page itself must know what its images are. It holds the answers as salted hashes (`votes.mark`),
and all images have the same number of bytes, so neither its source nor the inspector of a browser
shows the answers at a glance. A person who runs its functions can read them.

Paper: Salimans et al. (2016), Sec. 4 and Fig. 2.
"""

import base64
import hashlib
import io
import pathlib

import jinja2
import numpy as np
from PIL import Image

from improved_gan_tf.data.known_sets import IMAGENET, KNOWN_SETS
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files
from improved_gan_tf.scoring import human_evaluation, votes

NAMES = {name: known.title for name, known in KNOWN_SETS.items()}
NAMES["imagenet"] = IMAGENET.title
LARGEST_SIDE = 336  # screen pixels; the most for the longer side of a single image


def key_of(images, is_generated, seed, feedback, images_at_once, about):
    """The key of a page, content of turing_test.json: answers, origins and the page's digest.

    Args:
        images: list of bytes, the encoded images in the order shown.
        is_generated: bool (N,).
        seed: int, decides the salt of the hashes.
        feedback: bool, whether the page tells the truth after each answer.
        images_at_once: int, 1 or 9.
        about: dict of plain JSON types, further facts about the page.
    """
    key = {
        "kind": votes.PAGE_KIND,
        "feedback": feedback,
        "images_at_once": images_at_once,
        "seed": seed,
        **about,
        "salt": np.random.RandomState(seed).bytes(16).hex(),
        "images": [
            {"sha256": hashlib.sha256(image).hexdigest(), "generated": bool(generated)}
            for image, generated in zip(images, is_generated, strict=True)
        ],
    }
    return {"digest": votes.key_digest(key), **key}


def encoded(image):
    """A uint8 image (H, W, 1 or 3) as an uncompressed PNG, as bytes.

    All images of one shape have the same size; compressed ones would not.
    """
    file = io.BytesIO()
    pixels = image[:, :, 0] if image.shape[-1] == 1 else image
    Image.fromarray(pixels).save(file, "PNG", compress_level=0)
    return file.getvalue()


def page(images, key, image_shape):
    """The page as HTML text.

    Args:
        images: list of bytes from `encoded`.
        key: dict from `key_of`.
        image_shape: (H, W, C).
    """
    templates = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
    )
    truths = [votes.GENERATED if image["generated"] else votes.REAL for image in key["images"]]
    height, width, _ = image_shape
    # A whole number of screen pixels for each image pixel, so all have one size.
    zoom = max(1, LARGEST_SIDE // max(height, width))
    test = {
        "page": key["digest"],
        "kind": votes.VOTES_KIND,
        "feedback": key["feedback"],
        "imagesAtOnce": key["images_at_once"],
        "salt": key["salt"],
        "marks": [votes.mark(key["salt"], number, truth) for number, truth in enumerate(truths, 1)],
        "images": [base64.b64encode(image).decode("ascii") for image in images],
    }
    return templates.get_template("turing_test.html.jinja").render(
        test=test,
        num_images=len(images),
        name=NAMES.get(key["dataset"]),
        feedback=key["feedback"],
        images_at_once=key["images_at_once"],
        width=zoom * width,
        height=zoom * height,
        z=human_evaluation.Z,
        digest=key["digest"][:12],
    )


def check_output(folder, overwrite):
    """Refuses a path that is no folder, or a folder that has a page already.

    `folder` (a Path) need not exist; with `overwrite` a page in it may be replaced.

    Raises:
        UserError: `--output` cannot be written, or holds a page, or votes on one.
    """
    existing = next((p for p in (folder, *folder.absolute().parents) if p.exists()), None)
    if existing is not None and not existing.is_dir():
        raise UserError(f"--output must be a folder. Received: {folder} ({existing} is a file).")
    if not (folder / votes.KEY_NAME).exists() and not (folder / votes.PAGE_NAME).exists():
        return
    if not overwrite:
        raise UserError(
            f"{folder} holds a page already; give another --output, or --overwrite to replace it."
        )
    if any(folder.glob(votes.VOTES_PATTERN)):
        raise UserError(
            f"{folder} holds votes on its page, which could not be counted without it: move them "
            "and the page away, or give another --output."
        )


def write(folder, text, key):
    """Writes the key and the page, each whole or not at all; returns the page's path.

    Raises:
        UserError: they cannot be written.
    """
    path = folder / votes.PAGE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files.write_json(folder / votes.KEY_NAME, key)
        files.write_whole(path, lambda temporary: temporary.write_text(text, "utf-8"))
    except OSError as error:
        raise UserError(f"--output={folder} cannot be written: {error.strerror}.") from error
    return path

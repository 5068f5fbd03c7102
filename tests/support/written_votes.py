"""Writes small pages of the visual Turing test and votes on them, without a generator."""

import json

import numpy as np

from improved_gan_tf.pages import turing_test
from improved_gan_tf.scoring import votes

ABOUT = {
    "dataset": "mnist",
    "model": "minibatch_discrimination",
    "source": "runs/some",
    "real": "test images of noise",
    "generated": "generator some/generator.keras",
    "generator_sha256": None,
    "best": None,
    "differences": [],
    "versions": {},
}


def images_of(num_images, shape=(8, 6, 3)):
    """Noise, uint8 (N, H, W, C), the generated ones darker; and which those are."""
    images = np.random.RandomState(0).randint(0, 256, (num_images, *shape)).astype("uint8")
    is_generated = np.arange(num_images) % 2 == 0
    if num_images >= 4:
        is_generated[:4] = [True, True, False, False]
    return np.where(is_generated[:, None, None, None], images // 2, images), is_generated


def write_page(folder, num_images=20, feedback=True, images_at_once=1, seed=1, **about):
    """Writes turing_test.html and turing_test.json; returns the `votes.Page`."""
    images, is_generated = images_of(num_images)
    encoded = [turing_test.encoded(image) for image in images]
    key = turing_test.key_of(
        encoded, is_generated, seed, feedback, images_at_once, {**ABOUT, **about}
    )
    turing_test.write(folder, turing_test.page(encoded, key, images.shape[1:]), key)
    return votes.read_page(folder)


def content_of(page, wrong=(), person="", session="5e55", **changes):
    """Content of a file of votes that is right on all images of a page but some."""
    answered = []
    for image, generated in enumerate(page.is_generated, 1):
        truth, other = ("generated", "real") if generated else ("real", "generated")
        answer = other if image in wrong else truth
        answered.append(
            {"image": image, "truth": truth, "answer": answer, "milliseconds": 1000 + image}
        )
    content = {
        "kind": votes.VOTES_KIND,
        "page": page.digest,
        "session": session,
        "person": person,
        "finished": "2026-01-02T03:04:05.678Z",
        "votes": answered,
        **changes,
    }
    return {**content, "digest": votes.votes_digest(content)}


def write_votes(folder, page, name, **content):
    """Writes votes-`name`.json; its path."""
    path = folder / f"votes-{name}.json"
    path.write_text(json.dumps(content_of(page, session=name, **content)))
    return path

"""The images of a visual Turing test: half real, half generated, in one shuffled order.

Paper: Salimans et al. (2016), Sec. 4, 6.1 and 6.2.
"""

import json
import math
import pathlib
from typing import NamedTuple

import numpy as np

from improved_gan_tf.data import datasets, run_data
from improved_gan_tf.data.known_sets import KNOWN_SETS
from improved_gan_tf.errors import UserError
from improved_gan_tf.runs.loaded_run import other_game
from improved_gan_tf.scoring import image_scores, image_sources, picture_folders
from improved_gan_tf.scoring.inception_score import divergences
from improved_gan_tf.settings.images import IMAGES


class Best(NamedTuple):
    """The samples with a classifier's highest scores."""

    images: np.ndarray  # uint8 (n, H, W, C)
    num_candidates: int
    classifier: str


def mixed(real, generated, seed):
    """Shuffles real and generated images (both uint8 (n, H, W, C)) into one order.

    Returns:
        `(images, is_generated)`, uint8 (2 n, H, W, C) and bool (2 n,).
    """
    order = np.random.RandomState(seed).permutation(2 * len(real))
    return np.concatenate([real, generated])[order], order >= len(real)


def open_real(source, seed, folder=None, name=None, data_source=None, data_dir=None):
    """Opens the real images for a test: an image source or `picture_folders.SquaredPictures`.

    Args:
        source: one of `image_sources`, of the generated images.
        seed: int, decides which real images are taken.
        folder: of real pictures, or None for the test images of a data set.
        name: key of `data.known_sets.KNOWN_SETS`; if None, the data set of the source's run.
        data_source: "tfds" or "sample"; the run's if None.
        data_dir: folder of prepared TFDS data; the run's if None.

    Raises:
        UserError: there are no such images, or they have another shape.
    """
    config = source.config or {}
    if folder is not None:
        folder = pathlib.Path(folder).expanduser()
        if picture_folders.prepares_its_images(source):
            real = picture_folders.real_pictures(folder, seed, source)
        else:
            real = picture_folders.FolderImages(folder, seed)
            real.differences = [f"data: {real.description}", *real.differences]
    else:
        name = name or source.dataset
        if name == IMAGES and config:
            if data_source is not None:
                raise UserError(
                    "A run on images of one's own has its own test images, or pictures of "
                    f"--real=FOLDER. Received: `data_source={data_source}`."
                )
            dataset = image_sources.own_images_of(source, data_dir)
        elif name in KNOWN_SETS:
            dataset = datasets.load(name, *run_data.place(config, data_source, data_dir))
        else:
            of_what = {IMAGES: "one's own", None: "an unnamed data set"}.get(name, name)
            raise UserError(
                f"Real pictures must be given, with --real=FOLDER, for images of {of_what}."
            )
        real = image_sources.ArrayImages(
            dataset.test_images,
            seed,
            f"test images of {dataset.description}",
            name,
            dataset.is_papers,
        )
    if tuple(real.image_shape) != tuple(source.image_shape):
        raise UserError(
            f"Real and generated images must have one shape, or it tells them apart. Received: "
            f"{tuple(real.image_shape)} ({real.description}) and {tuple(source.image_shape)} "
            f"({source.description})."
        )
    return real


def dataset_of(source, real_source):
    """The data set of which both kinds of images are, or None."""
    known = source.dataset is None or source.dataset == real_source.dataset
    return real_source.dataset if known else None


def first(source, count, batch_size):
    """The first `count` images of a source, uint8 (count, H, W, C).

    Images of a generator that normalises by the batch depend on `batch_size`.

    Raises:
        UserError: there are fewer images.
    """
    if source.available is not None and source.available < count:
        raise UserError(
            f"A page of {2 * count:,} images needs {count:,} of either kind. Received: "
            f"{source.available:,} ({source.description})."
        )
    return np.concatenate(list(source.batches(count, batch_size)))


def best(source, classifier, count, share, batch_size):
    """The best share of a source's images by their part of the Inception score.

    An image's part is `KL(p(y|x) || p(y))`, `p(y)` the mean over all candidates. The paper shows
    the top 1 % by Inception score.

    Args:
        source: one of `image_sources`.
        classifier: one of `classifiers`.
        count: int, number of images to return.
        share: float in (0, 1]; `count / share` candidates, rounded up, are drawn.
        batch_size: int.

    Returns:
        `Best`, with images in the order drawn.

    Raises:
        UserError: the source has fewer candidates, or the classifier cannot score them.
    """
    num_candidates = math.ceil(round(count / share, 6))
    if source.available is not None and source.available < num_candidates:
        raise UserError(
            f"--best={share:g} needs {num_candidates:,} images to choose {count:,} from. "
            f"Received: {source.available:,} ({source.description})."
        )
    classifier.check_images(source.image_shape)
    classified = image_scores.classify_all(source, classifier, num_candidates, batch_size)
    # D17: neither paper nor code says how a single sample was scored.
    parts = divergences(classified.probabilities)
    rows = np.sort(np.argsort(-parts, kind="stable")[:count])
    kept, start = [], 0
    # Drawn again, because 50,000 candidates may not fit into memory.
    for batch in source.batches(num_candidates, batch_size):
        kept.append(batch[rows[(rows >= start) & (rows < start + len(batch))] - start])
        start += len(batch)
    return Best(np.concatenate(kept), num_candidates, classifier.label)


def model_of(config):
    """What made the images, as a text: a run's model or a DCGAN's objective; None without a run."""
    if config and "objective" in config:
        return f"DCGAN, {config['objective']}"
    return (config or {}).get("model")


def differences_of_run(source):
    """How a run's settings, data and length differ from the paper's, as texts.

    `source` (a Path) is the run's folder or a generator in it. The list is empty if the folder is
    no run's.
    """
    run_dir = source.parent if source.suffix == ".keras" else source
    if not (run_dir / "result.json").exists() and (run_dir / "config.json").exists():
        return ["the run has not finished"]
    try:
        result = json.loads((run_dir / "result.json").read_text("utf-8"))
        if other := other_game(result["config"]):  # which lists differences from another recipe
            return [f"the game is {other}"]
        found = [str(text) for text in result["differences_from_paper"]]
        if result.get("status", "finished") != "finished":
            done, epochs = result["final"]["epochs"], result["config"]["epochs"]
            ended = {"interrupted": "was interrupted"}.get(result["status"], result["status"])
            found.append(f"the run {ended} after {done} of {epochs} epochs")
        return found
    except (OSError, ValueError, KeyError, TypeError):
        return []

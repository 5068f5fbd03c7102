"""Scores of a set of images by a classifier, and reasons against comparing them with the paper's.

Paper: Salimans et al. (2016), Sec. 4.
"""

import math
from typing import NamedTuple

import numpy as np

from improved_gan_tf.errors import UserError, first_line
from improved_gan_tf.machine.progress_bar import progress_bar
from improved_gan_tf.scoring import inception_check
from improved_gan_tf.scoring.diversity import class_coverage, mean_pairwise_distance
from improved_gan_tf.scoring.frechet import frechet_distance
from improved_gan_tf.scoring.inception_score import inception_score
from improved_gan_tf.scoring.kernel_distance import kernel_distance
from improved_gan_tf.scoring.neighbours import NEAREST, neighbours

PAPERS_DATASET = "cifar10"
PAPERS_IMAGE_SHAPE = (32, 32, 3)
ENOUGH_TO_BE_DARK = 100
NUM_FOR_DISTANCE = 2000  # their two million pairs take seconds
# Fewer images of more than 128 x 128 are compared: 2,000 of 512 x 512 would take 12 GB for minutes.
BYTES_FOR_DISTANCE = 100_000_000
NUM_FOR_NEIGHBOURS = 10_000  # of either set; their hundred million pairs take seconds


class Classified(NamedTuple):
    """A classifier's output for a set of images."""

    description: str
    probabilities: np.ndarray  # float32 (N, C)
    features: np.ndarray | None  # float32 (N, A)
    images: np.ndarray  # uint8, the first of them, `num_for_distance`


def num_for_distance(image_shape):
    """How many images of a shape (H, W, C) are compared by their bytes, from 2 to 2,000."""
    return max(2, min(NUM_FOR_DISTANCE, BYTES_FOR_DISTANCE // math.prod(image_shape)))


def classify_all(source, classifier, count, batch_size):
    """Passes `count` images of a source through a classifier; returns `Classified`.

    Args:
        source: one of `image_sources`.
        classifier: one of `classifiers`.
        count: int.
        batch_size: int.

    Raises:
        UserError: no pixel of the first 100 images is brighter than 10 of 255, or the classifier
            returns NaN or infinity, or cannot take the images.
    """
    probabilities, features, images = [], [], []
    kept, most = 0, num_for_distance(source.image_shape)
    seen, brightest = 0, 0
    with progress_bar(count, "image", source.description) as bar:
        for batch in source.batches(count, batch_size):
            seen, brightest = seen + len(batch), max(brightest, batch.max())
            # As the original asserts. Of a few images each may be dark.
            if brightest <= 10 and seen >= min(count, ENOUGH_TO_BE_DARK):
                raise UserError(
                    f"The first images of {source.description} are black: no byte of them is "
                    "above 10. Images must span 0 to 255; were values from 0 to 1 saved as bytes?"
                )
            result = classify(classifier, batch, source.description)
            probabilities.append(result.probabilities)
            features.append(result.features)
            if kept < most:
                images.append(batch[: most - kept])
                kept += len(images[-1])
            bar.update(len(batch))
    return Classified(
        f"{count:,} images: {source.description}",
        np.concatenate(probabilities),
        None if classifier.num_features is None else np.concatenate(features),
        np.concatenate(images),
    )


def classify(classifier, images, description):
    """What a classifier says of images: finite numbers.

    Args:
        classifier: one of `classifiers`.
        images: uint8 (N, H, W, C).
        description: str, what they are.

    Returns:
        As `classifier.classify`.

    Raises:
        UserError: it cannot take images of that size, or returns NaN or infinity.
    """
    try:
        result = classifier.classify(images)
    except ValueError as error:  # of Keras, where the network says nothing of height and width
        raise UserError(
            f"Nothing can be scored with {classifier.label}, which does not take images of shape "
            f"{images.shape[1:]}: {first_line(error)}."
        ) from error
    for name, numbers in result._asdict().items():
        if numbers is not None and not np.isfinite(numbers).all():
            raise UserError(
                f"Nothing can be scored with {classifier.label}: its {name} of {description} hold "
                "NaN or infinity."
            )
    return result


def measures(classified, num_splits, count=None):
    """Every number that needs one set of images only, in a dict of plain JSON types.

    If `count` is given, only that many images count. Fewer images than splits are a split each.
    """
    probabilities = classified.probabilities[:count]
    num_splits = min(num_splits, len(probabilities))
    mean, std = inception_score(probabilities, num_splits)
    coverage = class_coverage(probabilities)
    images = classified.images[:count]
    return {
        "images": classified.description,
        "num_samples": len(probabilities),
        "num_splits": num_splits,
        "mean": mean,
        "std": std,
        "diversity": {
            "class_entropy": coverage.entropy,
            "num_classes_seen": coverage.num_classes_seen,
            "class_counts": coverage.counts,
            "mean_pairwise_distance": mean_pairwise_distance(images),
            "num_for_pairwise_distance": len(images),
        },
    }


def frechet(classified, real, classifier):
    """The Frechet distance to real images with the name of the weights, or None without features.

    `classifier` made both `Classified`.
    """
    if classified.features is None:
        return None
    return {
        "distance": frechet_distance(classified.features, real.features),
        "weights": classifier.label,
        "num_features": classifier.num_features,
        "num_samples": len(classified.features),
        "num_real": len(real.features),
        "real_images": real.description,
    }


def of_features(classified, real, classifier):
    """Kernel distance, precision, recall, density and coverage, or None without features.

    Neighbours are those of equally many images of either kind, at most 10,000. Arguments as for
    `frechet`.
    """
    if classified.features is None:
        return None
    count = min(NUM_FOR_NEIGHBOURS, len(classified.features), len(real.features))
    found = None
    if count > NEAREST:
        found = neighbours(real.features[:count], classified.features[:count])._asdict()
        found |= {"nearest": NEAREST, "num_of_each": count}
    return {
        "kernel_distance": kernel_distance(classified.features, real.features)._asdict(),
        "neighbours": found,
        "weights": classifier.label,
    }


def score(source, classifier, classified, real, num_splits):
    """All measurements of a set of images, the content of score.json: plain JSON types.

    Args:
        source: one of `image_sources`.
        classifier: one of `classifiers`.
        classified: `Classified`, of the source's images.
        real: `Classified`, of real images, or None.
        num_splits: int.
    """
    return {
        "kind": "inception_score",
        "classifier": classifier.label,
        "classifier_details": {
            "kind": classifier.kind,
            "file": None if classifier.path is None else classifier.path.name,
            "sha256": classifier.sha256,
            "num_classes": classifier.num_classes,
            "num_features": classifier.num_features,
        },
        "dataset": source.dataset,
        **measures(classified, num_splits),
        "frechet": None if real is None else frechet(classified, real, classifier),
        "of_features": None if real is None else of_features(classified, real, classifier),
        # Of equally many real images if possible: the score grows with their number.
        "real": None if real is None else measures(real, num_splits, len(classified.probabilities)),
    }


def differences_from_paper(source, classifier, num_samples, num_splits):
    """What keeps a score out of the paper's column, as short texts; empty if nothing does.

    The paper's Inception scores are of 50,000 CIFAR-10 images, by the network of 2015, over 10
    splits. `inception_check` checks whether the weights are those of 2015.
    """
    differences = []
    if classifier.kind != "inception_2015":
        differences.append(f"classifier: {classifier.label} instead of the 2015 Inception graph")
    elif not classifier.has_papers_size:
        differences.append(
            f"classifier: {classifier.num_features} features and {classifier.num_classes} outputs "
            "instead of 2048 and 1008"
        )
    for name, ours, papers in (
        ("samples", num_samples, inception_check.NUM_SAMPLES),
        ("splits", num_splits, inception_check.NUM_SPLITS),
    ):
        if ours != papers:
            differences.append(f"{name}: {ours:,} instead of {papers:,}")
    if source.dataset != PAPERS_DATASET:
        named = source.dataset or "of an unnamed data set"
        differences.append(f"images: {named} instead of {PAPERS_DATASET}")
    elif tuple(source.image_shape) != PAPERS_IMAGE_SHAPE:
        differences.append(f"images: {tuple(source.image_shape)} instead of {PAPERS_IMAGE_SHAPE}")
    return differences + source.differences

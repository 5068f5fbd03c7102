"""The truncation curve: what a class-conditional generator gains in score and loses in spread.

z is drawn from N(0, 1) until every number lies within a threshold. A smaller threshold gives
samples that a classifier is surer of and that are more alike.

Paper:    Brock et al. (2019), Sec. 3.1, App. C.1 and D.
Original: ajbrock/BigGAN-PyTorch@9845943, sample.py, `get_metrics`, which changes the standard
          deviation of z instead.
"""

from typing import NamedTuple

import keras
import numpy as np
from tabulate import tabulate

from improved_gan_tf.machine.progress_bar import progress_bar
from improved_gan_tf.scoring.frechet import frechet_distance
from improved_gan_tf.scoring.image_scores import classify
from improved_gan_tf.scoring.inception_score import inception_score
from improved_gan_tf.training.spread import within_class_distance

COLUMNS = 8  # images of each class in a grid, the most


class Real(NamedTuple):
    """Real images to compare with."""

    images: np.ndarray  # uint8 (N, H, W, C)
    labels: np.ndarray  # (N,)
    features: np.ndarray | None  # (N, A), of the classifier that scores
    description: str


def real_images(dataset, classifier, count, batch_size):
    """`Real`: the first training images of a `data.datasets.Dataset`, equally many of each class.

    `count` is their number if every class has enough of them.
    """
    labels = dataset.train_labels
    per_class = count // dataset.num_classes
    rows = np.sort(
        np.concatenate([np.flatnonzero(labels == k)[:per_class] for k in np.unique(labels)])
    )
    images = dataset.train_images[rows]
    features = None
    if classifier.num_features is not None:
        parts = range(0, len(rows), batch_size)
        features = np.concatenate(
            [
                classify(classifier, images[i : i + batch_size], dataset.description).features
                for i in parts
            ]
        )
    return Real(images, labels[rows], features, f"{len(rows):,} of {dataset.description}")


def curve(
    generator,
    classifier,
    real,
    thresholds,
    *,
    num_samples,
    batch_size,
    standing,
    seed,
    fixed_statistics=False,
):
    """Measures samples at every threshold.

    As in the original, statistics of the generator's batch norms are measured anew at every
    threshold, from batches of the same truncated z. A batch norm then undoes the smaller scale of
    z; the first block's shortcut, which has none, does not.

    Args:
        generator: `class_conditional.ClassConditionalGenerator`.
        classifier: one of `classifiers`, whose classes are the data set's.
        real: `Real`.
        thresholds: list of floats > 0 and None, which is no truncation.
        num_samples: int, all classes in turn.
        batch_size: int.
        standing: int, batches for the statistics.
        fixed_statistics: bool, whether they are measured from z that is not truncated instead.
        seed: int; every threshold starts from it.

    Returns:
        `(points, grids)`: a dict of JSON types for each threshold, and uint8 (K * n, H, W, C), the
        first n images of each class, class by class; n is 8, or all of the rarest class.
    """
    columns = min(COLUMNS, num_samples // generator.num_classes)
    real_distance = within_class_distance(real.images, real.labels)
    points, grids = [], []
    with progress_bar(len(thresholds) * num_samples, "image", "truncation") as bar:
        for threshold in thresholds:
            seeds = keras.random.SeedGenerator(seed)
            measured = None if fixed_statistics else threshold
            batches = (generator.draw_z(batch_size, seeds, measured) for _ in range(standing))
            generator.measure_statistics(batches)
            labels = generator.labels(num_samples)
            images, results = [], []
            for start in range(0, num_samples, batch_size):
                own = labels[start : start + batch_size]
                # A whole batch always: an image does not depend on how many are asked for.
                z = generator.draw_z(batch_size, seeds, threshold)[: len(own)]
                images.append(generator.images(z, own))
                results.append(classify(classifier, images[-1], "the samples"))
                bar.update(len(own))
            images = np.concatenate(images)
            measures = {"spread": within_class_distance(images, labels) / real_distance}
            points.append({"threshold": threshold, **measures, **scores(results, labels, real)})
            grids.append(np.concatenate([images[labels == k][:columns] for k in np.unique(labels)]))
    return points, grids


def scores(results, labels, real):
    """What a classifier says of samples, as a dict of JSON types.

    Args:
        results: list of `classification.Classification`.
        labels: (N,), the classes that were asked for.
        real: `Real`.
    """
    probabilities = np.concatenate([result.probabilities for result in results])
    right = probabilities.argmax(axis=1) == labels
    mean, std = inception_score(probabilities, min(10, len(labels)))
    distance = None
    if real.features is not None:
        features = np.concatenate([result.features for result in results])
        distance = frechet_distance(features, real.features)
    return {
        "score_mean": mean,
        "score_std": std,
        "right": float(right.mean()),
        "right_by_class": [float(right[labels == k].mean()) for k in np.unique(labels)],
        "frechet_distance": distance,
        "num_samples": len(labels),
    }


def table(points):
    """The points of a curve as a text table."""
    rows = [
        [
            "none" if point["threshold"] is None else f"{point['threshold']:g}",
            f"{point['score_mean']:.2f} +- {point['score_std']:.2f}",
            f"{100 * point['right']:.1f} %",
            f"{point['spread']:.2f}",
            "" if point["frechet_distance"] is None else f"{point['frechet_distance']:.1f}",
        ]
        for point in points
    ]
    headers = ["threshold", "score", "of the class", "spread", "Frechet distance"]
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)

"""Warnings about a data set that is too small for the method, or for its measurement."""

import numpy as np

# Judgements. The smallest set on which a run of this project shows that unlabeled images help has
# 4,000 training images (README.md); the paper's have 50,000 and more.
FEW_TRAINING_IMAGES = 1_000
FEW_LABELS_PER_CLASS = 5
FEW_UNLABELED_PER_LABEL = 2
FEW_TEST_IMAGES = 200


def warnings(dataset, labels_per_class):
    """Sentences about what is too little.

    Args:
        dataset: `data.datasets.Dataset`.
        labels_per_class: int, or None for all labels that there are.
    """
    names = dataset.class_names
    labels = dataset.train_labels[dataset.train_labels >= 0]
    counts = np.bincount(labels, minlength=len(names))
    if labels_per_class is not None:
        counts = np.minimum(counts, labels_per_class)
    total, labeled = len(dataset.train_labels), int(counts.sum())
    found = []
    if total < FEW_TRAINING_IMAGES:
        found.append(
            f"{total:,} training images are few for this method: the generator has to learn what "
            f"the images look like. Expect little of it below {FEW_TRAINING_IMAGES:,}."
        )
    few = [name for name, count in zip(names, counts, strict=True) if count < FEW_LABELS_PER_CLASS]
    if few:
        shown = ", ".join(few[:5]) + (f" and {len(few) - 5} more" if few[5:] else "")
        found.append(
            f"Fewer than {FEW_LABELS_PER_CLASS} labels of class {shown}: the result will depend on "
            "which images they are. --num_runs=5 shows how much."
        )
    if total - labeled < FEW_UNLABELED_PER_LABEL * labeled:
        found.append(
            f"{total - labeled:,} of {total:,} training images have no label: with so few there is "
            "little to gain from them."
        )
    if len(dataset.test_labels) < FEW_TEST_IMAGES:
        points = 100 * 1.96 * np.sqrt(0.1 * 0.9 / max(1, len(dataset.test_labels)))
        found.append(
            f"{len(dataset.test_labels):,} test images measure an error of 10 % to about "
            f"+- {points:.0f} points."
        )
    return found

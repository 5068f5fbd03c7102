"""A short digest of a run's data: a run goes on with the data that it was begun with."""

import hashlib
import json

import numpy as np

from improved_gan_tf.errors import UserError


def data_digest(*arrays):
    """Sixteen hexadecimal digits of the SHA-256 of the arrays' bytes, in order.

    Checkpoints hold them: the digits of the same arrays must not change.
    """
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array))
    return found.hexdigest()[:16]


def data_circumstances(dataset):
    """Numbers of images, and digests of a `data.datasets.Dataset` in order (dict)."""
    train, test = dataset.train_labels, dataset.test_labels
    return {
        "training images": len(train),
        "test images": len(test),
        "digest of the labels": data_digest(train, test),
        "digest of the images": data_digest(dataset.train_images, dataset.test_images),
    }


def other_data(result, now):
    """What the data of a finished run was, where it was other than the data now, as short texts.

    Args:
        result: content of the run's result.json.
        now: dict, as of `data_circumstances`.
    """
    before = result.get("circumstances", now)  # an earlier version wrote none
    return [
        f"{name}: {value} (the run's: {before.get(name)})"
        for name, value in now.items()
        if before.get(name) != value
    ]


def require_images_of_run(run_dir, dataset):
    """Raises `UserError` if a data set is not that of the run in a folder (a Path).

    Where no result.json tells, any is.
    """
    try:
        result = json.loads((run_dir / "result.json").read_text("utf-8"))
    except (OSError, ValueError):
        return
    different = other_data(result, data_circumstances(dataset))
    if different:
        raise UserError(
            f"The images found now are not those of the run in {run_dir}. Received: "
            f"{dataset.description}, {'; '.join(different)}."
        )

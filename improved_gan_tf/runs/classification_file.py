"""Class probabilities of picture files, written as a CSV table."""

import csv
import io
import itertools
import sys

import numpy as np

from improved_gan_tf import streams
from improved_gan_tf.data import pictures
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files
from improved_gan_tf.machine.progress_bar import progress_bar

FILES_AT_ONCE = 1000  # bounds memory


def classify_files(run, paths, output):
    """Classifies pictures and writes one line for each, in their order.

    A file that cannot be read is left out, with a warning on standard error. Minibatch
    discrimination gets batches of files in a random order, always the same: files often lie in a
    folder for each class. (D8)

    Args:
        run: `runs.loaded_run.LoadedRun`.
        paths: list of picture files.
        output: CSV file to write: image, class, probability, then a column for each class.

    Returns:
        `{class name: number of pictures}`, for the classes that were predicted.

    Raises:
        UserError: the run has no classifier, no file can be read, or the table cannot be written.
    """
    if run.classifier is None:
        raise UserError(f"{run.path} is a run on ImageNet: it has no classifier.")
    if run.coupled_batch is not None:
        print(
            "warning: this run's classifier has minibatch discrimination: its answer for a picture "
            f"depends on the {run.coupled_batch} pictures of a batch.",
            file=sys.stderr,
        )
        order = streams.coupled_test_order().permutation(len(paths))
    else:
        order = np.arange(len(paths))
    with progress_bar(len(paths), "picture", "classify") as bar:
        probabilities = _probabilities(run, _read(paths, order, run.image_shape, bar))
    if not probabilities:
        raise UserError(f"None of the {len(paths):,} files is a picture that can be read.")
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(["image", "class", "probability", *run.class_names])
    counts = dict.fromkeys(run.class_names, 0)
    for row, p in sorted(probabilities.items()):
        best = run.class_names[int(np.argmax(p))]
        counts[best] += 1
        table.writerow([str(paths[row]), best, f"{p.max():.6f}", *(f"{x:.6f}" for x in p)])
    # A file's name that is not UTF-8 is written as it is.
    content = lines.getvalue().encode("utf-8", "surrogateescape")
    try:
        files.write_whole(output, lambda place: place.write_bytes(content))
    except OSError as error:
        raise UserError(f"{output} cannot be written: {error.strerror or error}.") from error
    return {name: count for name, count in counts.items() if count}


def _probabilities(run, pictures_read):
    """`{row: (K,)}` of `(row, picture)` pairs, as one `run.classify` of all pictures gives them."""
    found = {}
    batch = run.coupled_batch or 1
    at_once = max(batch, FILES_AT_ONCE - FILES_AT_ONCE % batch)
    # The batch before, from which minibatch discrimination's last batch is filled.
    before = np.zeros((0, *run.image_shape), np.uint8)
    while some := list(itertools.islice(pictures_read, at_once)):
        rows, images = zip(*some, strict=True)
        filled = np.concatenate([before, np.stack(images)])
        found.update(zip(rows, run.classify(filled)[len(before) :], strict=True))
        if run.coupled_batch is not None:
            before = filled[-batch:]
    return found


def _read(paths, rows, image_shape, bar):
    """Yields `(row, picture (H, W, C))` of each file that can be read."""
    for row in rows:
        name = str(paths[row])
        try:
            yield row, pictures.read_square(name, paths[row], image_shape[0], image_shape[2])
        except UserError as error:
            print(f"warning: {error} It is left out.", file=sys.stderr)
        bar.update(1)

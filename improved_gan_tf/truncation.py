"""Draws the truncation curve of a class-conditional generator: score against spread.

    python -m improved_gan_tf.truncation RUN_DIR --classifier=classifiers/mnist.keras

RUN_DIR is a folder of run_biggan.py. For every threshold of z it prints the classifier's score, the
share of samples that the classifier takes for the class asked for, their spread (mean distance of
two samples of a class, real images: 1), and the Frechet distance to real images on the classifier's
features. Batch statistics are measured anew for every threshold, as in the public code; with
--fixed_statistics once, from z that is not truncated.

Writes RUN_DIR/truncation.json and RUN_DIR/truncation.png (with --fixed_statistics
truncation_fixed_statistics.*).
"""

import argparse
import math
import os
import pathlib

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import environment, exits
from improved_gan_tf.scoring.arguments import check_range

THRESHOLDS = "none,2,1.5,1,0.75,0.5,0.25"


def main(argv=None, prog="python -m improved_gan_tf.truncation"):
    """Runs the command on `argv`, the command line if None; exits with one of `exits.EXIT_CODES`.

    `prog` is the program's name in the help.
    """
    with exits.exit_codes():
        _run(_parse(argv, prog))


def _parse(argv, prog):
    parser = argparse.ArgumentParser(
        prog=prog, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("run", help="folder of a run of run_biggan.py")
    add("--classifier", required=True, help="Keras classifier of the same classes (.keras)")
    add(
        "--classifier_range",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="what it takes for black and white, if no file next to it says so",
    )
    add("--thresholds", default=THRESHOLDS, help=f"falling numbers and none ({THRESHOLDS})")
    add("--num_samples", type=int, default=1000, help="images at each threshold (1000)")
    add("--num_real", type=int, default=1000, help="real images to compare with (1000)")
    add("--batch_size", type=int, default=100, help="images at a time (100)")
    add("--standing_batches", type=int, default=16, help="batches for the statistics (16)")
    add(
        "--fixed_statistics",
        action="store_true",
        help="measure the statistics from z that is not truncated",
    )
    add("--seed", type=int, default=1, help="decides z (1)")
    add("--data_dir", help="folder with prepared TFDS data; the run's own if not given")
    add("--overwrite", action="store_true", help="replace an earlier curve")
    return parser.parse_args(argv)


def _thresholds(text):
    """The thresholds of a command line: floats, and None for "none"."""
    try:
        found = [None if part == "none" else float(part) for part in text.split(",")]
    except ValueError:
        found = [-1.0]
    if any(x is not None and not 0 < x < math.inf for x in found) or len(set(found)) < len(found):
        raise UserError(
            "--thresholds must be different numbers larger than 0, or none, separated by commas. "
            f"Received: {text!r}."
        )
    return found


def _check(arguments, outputs):
    """Raises `UserError` if arguments are out of range or a file cannot be written."""
    least = {"num_samples": 20, "num_real": 20, "batch_size": 2, "standing_batches": 1}
    for name, value in least.items():
        if getattr(arguments, name) < value:
            raise UserError(
                f"--{name} must be {value} or more. Received: {getattr(arguments, name)}."
            )
    if not 0 <= arguments.seed < 2**32:
        raise UserError(f"--seed must be from 0 to 4294967295. Received: {arguments.seed}.")
    check_range("classifier_range", arguments.classifier_range)
    if not pathlib.Path(arguments.classifier).expanduser().is_file():
        raise UserError(
            f"--classifier must be a file that exists. Received: {arguments.classifier}."
        )
    for path in outputs:
        if path.exists() and not arguments.overwrite:
            raise UserError(f"{path} exists; --overwrite replaces it.")
        if path.parent.is_dir() and not os.access(path.parent, os.W_OK):
            raise UserError(f"{path} cannot be written: its folder is not writable.")


def _run(arguments):
    thresholds = _thresholds(arguments.thresholds)
    run = pathlib.Path(arguments.run).expanduser()
    name = "truncation_fixed_statistics" if arguments.fixed_statistics else "truncation"
    numbers, picture = run / f"{name}.json", run / f"{name}.png"
    _check(arguments, (numbers, picture))
    environment.start_tensorflow()

    from improved_gan_tf.data import datasets, run_data
    from improved_gan_tf.machine import files, versions
    from improved_gan_tf.pages import truncation_figure
    from improved_gan_tf.runs import finished_runs
    from improved_gan_tf.scoring import classifiers, image_sources, truncation

    # Before the generator is loaded, because a run that goes on may replace it.
    digest = finished_runs.generator_digest(run)
    generator = image_sources.class_conditional_generator(run)
    classifier = classifiers.load(arguments.classifier, pixel_range=arguments.classifier_range)
    classifier.check_images(generator.image_shape)
    if classifier.num_classes != generator.num_classes:
        raise UserError(
            f"--classifier must have the {generator.num_classes} classes of the run's data set. "
            f"Received: {arguments.classifier} with {classifier.num_classes}."
        )
    config = generator.config
    where = run_data.place(config, data_dir=arguments.data_dir)
    dataset = datasets.load(config["dataset"], *where)
    real = truncation.real_images(dataset, classifier, arguments.num_real, arguments.batch_size)
    points, grids = truncation.curve(
        generator,
        classifier,
        real,
        thresholds,
        num_samples=arguments.num_samples,
        batch_size=arguments.batch_size,
        standing=arguments.standing_batches,
        seed=arguments.seed,
        fixed_statistics=arguments.fixed_statistics,
    )
    content = {
        "kind": "truncation",
        "classifier": classifier.label,
        "real_images": real.description,
        "standing_batches": arguments.standing_batches,
        "fixed_statistics": arguments.fixed_statistics,
        "batch_size": arguments.batch_size,
        "seed": arguments.seed,
        "generator_sha256": digest,
        "points": points,
        "versions": versions.versions(),
    }
    print(truncation.table(points))
    print(f"Scored with {classifier.label}: compare these scores with each other only.")
    files.write_json(numbers, content)
    figure = truncation_figure.figure(points, grids, f"{files.name_of(run)}, {classifier.label}")
    files.write_whole(picture, lambda p: figure.savefig(p, format="png", dpi=110))
    print(f"\nWritten to {numbers} and {picture}")


if __name__ == "__main__":
    main()

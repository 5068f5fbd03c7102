"""Scores a generator, a folder of pictures or real images with a classifier.

    python -m improved_gan_tf.score RUN_DIR --classifier=classify_image_graph_def.pb
    python -m improved_gan_tf.score RUN_DIR --classifier=classifiers/mnist.keras
    python -m improved_gan_tf.score --real=cifar10 --classifier=classify_image_graph_def.pb

Prints the (Inception) score, the Frechet distance to the real images on the same features, and how
diverse the images are beside real ones, each under the name of the classifier's weights. The last
command is the check that a frozen graph is the authors': it has to give 11.24.

Writes RUN_DIR/score.json, or --output:

{"kind": "inception_score", "classifier": label, "mean": ..., "std": ..., "num_samples": ...,
 "num_splits": ..., "comparable_with_paper": ..., "why_not": [...], "frechet": {...} or null,
 "real": {...} or null, ...}
"""

import argparse
import os
import pathlib
import sys

from improved_gan_tf import closed_output, tensorflow_environment
from improved_gan_tf.errors import UserError

DOES_NOT_AGREE = 1
USER_ERROR = 2
INTERRUPTED = 130

DEFAULT_NUM_SAMPLES = 50_000


def _parse(argv):
    from improved_gan_tf.config import DATA_SOURCES
    from improved_gan_tf.data import DATASETS

    parser = argparse.ArgumentParser(
        prog="python -m improved_gan_tf.score",
        description=__doc__.split("\n\n{")[0],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("source", nargs="?", help="run folder, generator (.keras) or folder of PNG/JPEG pictures")
    add("--real", choices=DATASETS, help="score this data set's training images instead")
    add(
        "--classifier",
        required=True,
        help="frozen Inception graph (.pb), Keras classifier (.keras), or inception_v3",
    )
    add("--weights", help="file of weights for --classifier=inception_v3; Keras's if not given")
    range_ = {"nargs": 2, "type": float, "metavar": ("LOW", "HIGH")}
    add("--classifier_range", **range_, help="what a .keras classifier takes for black and white")
    add("--output_range", **range_, help="a generator's values for black and white")
    add(
        "--noise",
        choices=("uniform", "symmetric", "normal"),
        help="[0, 1), [-1, 1) or N(0, 1); what the run's network was trained with, else uniform",
    )
    add("--num_samples", type=int, help="images to score (50000, or all that there are)")
    add("--num_splits", type=int, default=10, help="contiguous parts of them (10)")
    add("--batch_size", type=int, default=100, help="images at a time (100)")
    add("--seed", type=int, default=1, help="decides noise, or the order of images (1)")
    add("--real_data", choices=DATASETS, help="what to compare with; a run's own data set")
    add("--data_source", choices=DATA_SOURCES, help="tfds (default; a run's own) or sample")
    add("--data_dir", help="folder with prepared TFDS data; a run's own")
    add("--num_real", type=int, help="real images to compare with (all); 0 for none")
    add("--output", help="JSON file to write; RUN_DIR/score.json for a run")
    add("--overwrite", action="store_true", help="replace an existing --output")
    return parser.parse_args(argv)


def _check(arguments):
    if (arguments.source is None) == (arguments.real is None):
        raise UserError(
            "Give either a run folder, generator or folder of pictures, or --real=NAME. "
            f"Received: source={arguments.source}, real={arguments.real}."
        )
    if arguments.real is not None and arguments.real_data is not None:
        raise UserError("--real compares with its own test images: leave --real_data out.")
    if arguments.real is not None and (arguments.noise or arguments.output_range):
        raise UserError(
            f"--noise and --output_range go with a generator. Received: --real={arguments.real}."
        )
    for name, least in (("num_samples", 2), ("num_splits", 1), ("batch_size", 1), ("num_real", 0)):
        value = getattr(arguments, name)
        if value is not None and value < least:
            raise UserError(f"--{name} must be {least} or more. Received: {value}.")
    if arguments.num_real == 1:
        raise UserError("--num_real must be 0, or 2 or more. Received: 1.")
    if not 0 <= arguments.seed < 2**32:
        raise UserError(f"--seed must be from 0 to 4294967295. Received: {arguments.seed}.")
    for name in ("classifier_range", "output_range"):
        value = getattr(arguments, name)
        if value is not None and not value[0] < value[1]:
            raise UserError(f"--{name} must be two rising numbers. Received: {value}.")


def _output(arguments):
    """The file to write, or None; refused before any work if it must not or cannot be written."""
    path = arguments.output and pathlib.Path(arguments.output).expanduser()
    source = arguments.source and pathlib.Path(arguments.source).expanduser()
    if path is None and source is not None and (source / "config.json").exists():
        path = source / "score.json"
    if path is None:
        return None
    if path.is_dir():
        raise UserError(f"{path} is a folder; --output must name a file to write.")
    if path.exists() and not arguments.overwrite:
        raise UserError(f"{path} exists; give another --output, or --overwrite to replace it.")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise UserError(f"{path} cannot be written: is its folder there, and yours to write?")
    return path


def _require_classifier(arguments):
    """Raises `UserError` if a file of the classifier is missing: before data is downloaded."""
    for name in ("classifier", "weights"):
        value = getattr(arguments, name)
        is_file = value is not None and pathlib.Path(value).suffix
        if is_file and not pathlib.Path(value).expanduser().is_file():
            raise UserError(f"--{name} must be a file that exists. Received: {value}.")


def _source_and_real(arguments):
    """`(source, real source or None, sentence or None)`, the last why there is no real one."""
    from improved_gan_tf import data, image_sources

    seed = arguments.seed
    if arguments.real is not None:
        dataset = data.load(arguments.real, arguments.data_source or "tfds", arguments.data_dir)
        train, test = (
            image_sources.ArrayImages(
                images, seed, f"{part} images of {dataset.description}", arguments.real, complete
            )
            for part, images, complete in (
                ("training", dataset.train_images, dataset.is_papers),
                ("test", dataset.test_images, dataset.is_papers),
            )
        )
        return train, None if arguments.num_real == 0 else test, None
    source = image_sources.open_source(
        arguments.source, seed, arguments.noise, arguments.output_range
    )
    config = source.config or {}
    name = arguments.real_data or source.dataset
    source.dataset = source.dataset or name  # what its images have to look like
    if name is None or arguments.num_real == 0:
        return source, None, "no real images were asked for (--real_data=NAME)"
    if name not in data.DATASETS:
        return source, None, f"no comparison with real images of {name}"
    try:
        dataset = data.load(
            name,
            arguments.data_source or config.get("data_source", "tfds"),
            arguments.data_dir or config.get("data_dir"),
        )
    except UserError as error:
        if arguments.real_data is not None or arguments.data_dir is not None:
            raise
        return source, None, f"no real images to compare with. {error}"
    real = image_sources.ArrayImages(
        dataset.train_images, seed, f"training images of {dataset.description}", name, True
    )
    if real.image_shape != tuple(source.image_shape):
        raise UserError(
            f"Images of shape {tuple(source.image_shape)} cannot be compared with {name}, whose "
            f"images have shape {real.image_shape}."
        )
    return source, real, None


def _num_samples(arguments, source):
    count = arguments.num_samples
    if count is None:
        count = min(DEFAULT_NUM_SAMPLES, source.available or DEFAULT_NUM_SAMPLES)
    if source.available is not None and count > source.available:
        raise UserError(
            f"--num_samples={count} exceeds the {source.available:,} images there are "
            f"({source.description})."
        )
    if count < max(2, arguments.num_splits):
        raise UserError(
            f"--num_splits={arguments.num_splits} splits need as many images, and at least 2. "
            f"Received: {count} images."
        )
    return count


def _run(arguments):
    _check(arguments)
    output = _output(arguments)
    _require_classifier(arguments)

    from improved_gan_tf import (
        classifiers,
        image_scores,
        inception_check,
        reporting,
        score_table,
    )

    # Before the generator is loaded: a run that goes on may replace it.
    scored = score_table.generator_digest(pathlib.Path(arguments.source or "").expanduser())
    source, real_source, no_real = _source_and_real(arguments)
    count = _num_samples(arguments, source)
    classifier = classifiers.load(
        arguments.classifier, arguments.weights, arguments.classifier_range
    )
    classifier.check_images(source.image_shape)
    if real_source is not None:
        num_real = arguments.num_real or real_source.available
        if num_real > real_source.available:
            raise UserError(
                f"--num_real must be at most {real_source.available:,}, all of "
                f"{real_source.description}. Received: {num_real:,}."
            )
    is_check = arguments.real == image_scores.PAPERS_DATASET and classifier.kind == "inception_2015"
    if is_check:
        inception_check.require_writable(classifier.path)

    batch_size = arguments.batch_size
    classified = image_scores.classify_all(source, classifier, count, batch_size)
    real = None
    if real_source is not None:
        real = image_scores.classify_all(real_source, classifier, num_real, batch_size)
    score = image_scores.score(source, classifier, classified, real, arguments.num_splits)
    differences = image_scores.differences_from_paper(
        source, classifier, count, arguments.num_splits
    )
    if is_check and not differences:
        inception_check.record(classifier, score)
    unchecked = inception_check.why_unchecked(classifier)
    why_not = differences + unchecked
    score |= {
        "comparable_with_paper": not why_not,
        "why_not": why_not,
        "source": arguments.source or f"--real={arguments.real}",
        "generator_sha256": scored,
        "seed": arguments.seed,
        "batch_size": batch_size,
        "no_real": no_real,
        "versions": reporting.versions(),
    }
    print(_report(score))
    if output is not None:
        reporting.write_json(output, score)
        print(f"\nWritten to {output}")
    return _check_verdict(classifier.path, differences, unchecked) if is_check else 0


def _report(score):
    """The numbers as a table, and what they must not be compared with."""
    from tabulate import tabulate

    real, frechet = score["real"], score["frechet"]
    name = "exp(mean KL), not an Inception score"
    if score["classifier_details"]["kind"] != "keras":
        name = "Inception score"
        if not score["comparable_with_paper"]:
            name += ", not comparable with the paper's"

    def columns(function):
        return [function(score), "" if real is None else function(real)]

    def diversity(name, spec):
        return columns(lambda measures: format(measures["diversity"][name], spec))

    num_pairs_of = score["diversity"]["num_for_pairwise_distance"]
    num_classes = score["classifier_details"]["num_classes"]
    rows = [
        [
            f"{name} ({score['num_splits']} splits)",
            *columns(lambda measures: f"{measures['mean']:.3f} +- {measures['std']:.3f}"),
        ],
        [
            "Frechet distance to the real images",
            f"{frechet['distance']:.3f}" if frechet else "",
            "",
        ],
        [
            f"mean distance of pairs (of {num_pairs_of:,} images, bytes)",
            *diversity("mean_pairwise_distance", ".1f"),
        ],
        ["entropy of the classes (nats)", *diversity("class_entropy", ".3f")],
        [f"classes seen (of {num_classes:,})", *diversity("num_classes_seen", ",")],
    ]
    lines = [
        f"\nclassifier: {score['classifier']}",
        f"these: {score['images']}",
        f"real: {real['images']}, {real['num_samples']:,} of them scored"
        if real
        else f"real: {score['no_real'] or 'none'}",
        "",
        tabulate(rows, ["", "these", "real"], tablefmt="github", disable_numparse=True),
        "",
    ]
    if score["why_not"]:
        lines.append("Not the paper's Inception score: " + "; ".join(score["why_not"]) + ".")
    else:
        lines.append("Measured as the paper's Inception scores were.")
    if frechet:
        lines.append(
            f"Frechet distance on {frechet['num_features']} features of {frechet['weights']}, "
            f"{frechet['num_samples']:,} against {frechet['num_real']:,} images; compare it with "
            "others of these weights and numbers only."
        )
    return "\n".join(lines)


def _check_verdict(graph, differences, unchecked):
    """Says whether the graph is the authors', as far as real images can tell; the exit code.

    Args:
        graph: path of the graph.
        differences: what keeps this from being the check, see `differences_from_paper`.
        unchecked: `inception_check.why_unchecked` after it.

    Returns:
        0 only if this was the check, and the graph has passed it.
    """
    from improved_gan_tf import inception_check

    if differences:
        record = inception_check.record_path(graph)
        state = f"{record} is as it was" if record.exists() else "the graph has no record of one"
        print(f"\nNOT THE CHECK ({'; '.join(differences)}): nothing was recorded, {state}.")
        return DOES_NOT_AGREE
    if unchecked:
        print(
            "\nCHECK NOT PASSED: scores with this graph will not be shown beside the paper's. "
            f"Expected: {inception_check.REAL.mean} within {inception_check.TOLERANCE} from the "
            "50,000 real training images in 10 splits, by the 2015 graph."
        )
        return DOES_NOT_AGREE
    print(
        f"\nCHECK PASSED: the paper reports {inception_check.REAL} for these images. "
        "Recorded beside the graph."
    )
    return 0


def main(argv=None):
    """Runs the command; exits with code 2 on a mistake that the user can mend."""
    tensorflow_environment.set_defaults()
    try:
        code = _run(_parse(argv))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(USER_ERROR)
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(code)


if __name__ == "__main__":
    with closed_output.quiet_exit():
        main()

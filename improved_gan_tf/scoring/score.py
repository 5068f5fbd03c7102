"""One scoring, from parsed arguments to table and file."""

import pathlib

from improved_gan_tf.errors import UserError, in_flags
from improved_gan_tf.machine import environment
from improved_gan_tf.scoring import arguments as score_arguments
from improved_gan_tf.settings.images import IMAGES

DOES_NOT_AGREE = 1

DEFAULT_NUM_SAMPLES = 50_000


def _source_and_real(arguments):
    """`(source, real source or None, reason or None)`; the reason says why there is no real one."""
    from improved_gan_tf.data import datasets, run_data
    from improved_gan_tf.data.known_sets import KNOWN_SETS
    from improved_gan_tf.scoring import image_sources, picture_folders

    seed = arguments.seed
    if arguments.real is not None:
        dataset = datasets.load(arguments.real, arguments.data_source or "tfds", arguments.data_dir)
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
    if arguments.real_folder is not None and arguments.num_real != 0:
        folder = pathlib.Path(arguments.real_folder).expanduser()
        return source, picture_folders.real_pictures(folder, seed, source), None
    config = source.config or {}
    name = arguments.real_data or source.dataset
    source.dataset = source.dataset or name  # what its images should look like
    missing = None
    if name is None or arguments.num_real == 0:
        missing = "no real images were asked for (--real_data=NAME or --real_folder=FOLDER)"
    elif name not in (*KNOWN_SETS, IMAGES):
        missing = f"no comparison with real images of {name}"
    if missing is not None:
        places = ("data_source", "data_dir", "num_real")
        score_arguments.refuse_not_read(arguments, places, missing[0].upper() + missing[1:])
        return source, None, missing
    if name == IMAGES:
        why = "A run on images of one's own is compared with those"
        score_arguments.refuse_not_read(arguments, ("data_source",), why)
    try:
        if name == IMAGES:  # a run on images of one's own
            dataset = image_sources.own_images_of(source, arguments.data_dir)
        else:
            where = run_data.place(config, arguments.data_source, arguments.data_dir)
            dataset = datasets.load(name, *where)
    except UserError as error:
        if any((arguments.real_data, arguments.data_source, arguments.data_dir)):
            raise
        return source, None, f"no real images to compare with. {in_flags(error)}"
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


def run(arguments):
    """Scores the source that the arguments name, prints the table and writes the file.

    Returns:
        Exit code: 0, or `DOES_NOT_AGREE` if the check of a classifier failed.

    Raises:
        UserError: the arguments, the images or the classifier cannot be used.
    """
    score_arguments.check(arguments)
    output = score_arguments.output(arguments)
    score_arguments.require_classifier(arguments)

    environment.start_tensorflow()

    from improved_gan_tf.machine import files, versions
    from improved_gan_tf.runs import finished_runs
    from improved_gan_tf.scoring import classifiers, image_scores, inception_check, score_text

    # Before the generator is loaded, because a run that goes on may replace it.
    scored = None
    if arguments.source is not None:
        scored = finished_runs.generator_digest(pathlib.Path(arguments.source).expanduser())
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
        if num_real < 2:  # one image has no pair and no variance
            raise UserError(
                "A comparison needs 2 real images or more; --num_real=0 is for none. Received: "
                f"{num_real} ({real_source.description})."
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
        "versions": versions.versions(),
    }
    print(score_text.report(score))
    if output is not None:
        files.write_json(output, score)
        print(f"\nWritten to {output}")
    if not is_check:
        return 0
    print(f"\n{score_text.verdict(classifier.path, differences, unchecked)}")
    return DOES_NOT_AGREE if why_not else 0

"""Asks people which images are real and which a generator made, and counts their answers.

    python -m improved_gan_tf.turing_test RUN_DIR --num_images=100 [--output=DIR]
    python -m improved_gan_tf.turing_test --tally DIR/votes-*.json

The first writes DIR/turing_test.html, one page that needs no network, and DIR/turing_test.json, its
key. Each person opens the page, answers, and saves a file of votes. The second counts these files:
how many answers are right, compared with guessing and with the paper's.
"""

import pathlib
import shlex

from improved_gan_tf.machine import environment, exits
from improved_gan_tf.scoring import turing_test_arguments


def main(argv=None, prog="python -m improved_gan_tf.turing_test"):
    """Runs the command on `argv`, the command line if None; exits with one of `exits.EXIT_CODES`.

    `prog` is the program's name in the help.
    """
    with exits.exit_codes():
        arguments = turing_test_arguments.parse(argv, prog, __doc__)
        turing_test_arguments.check(arguments)
        (_make_page if arguments.tally is None else _tally)(arguments)


def _make_page(arguments):
    from improved_gan_tf.pages import turing_test as pages

    folder = turing_test_arguments.output(arguments)
    pages.check_output(folder, arguments.overwrite)
    turing_test_arguments.require_files(arguments)
    environment.start_tensorflow()

    from improved_gan_tf.machine import versions
    from improved_gan_tf.runs.finished_runs import generator_digest
    from improved_gan_tf.scoring import classifiers, image_sources, turing_test

    path = pathlib.Path(arguments.source).expanduser()
    # Before the generator is loaded, because a run that goes on may replace it.
    digest = generator_digest(path)
    each = arguments.num_images // 2
    source = image_sources.open_source(
        arguments.source, arguments.seed, arguments.noise, arguments.output_range
    )
    real_source = turing_test.open_real(
        source,
        arguments.seed,
        arguments.real,
        arguments.real_data,
        arguments.data_source,
        arguments.data_dir,
    )
    best = None
    if arguments.best is None:
        generated = turing_test.first(source, each, arguments.batch_size)
    else:
        classifier = classifiers.load(
            arguments.classifier, arguments.weights, arguments.classifier_range
        )
        chosen = turing_test.best(source, classifier, each, arguments.best, arguments.batch_size)
        generated = chosen.images
        best = {
            "share": arguments.best,
            "num_candidates": chosen.num_candidates,
            "classifier": chosen.classifier,
        }
    real = turing_test.first(real_source, each, arguments.batch_size)
    images, is_generated = turing_test.mixed(real, generated, arguments.seed)
    about = {
        "dataset": turing_test.dataset_of(source, real_source),
        "model": turing_test.model_of(source.config),
        "source": str(path),
        "real": real_source.description,
        "generated": source.description,
        "generator_sha256": digest,
        "best": best,
        "differences": real_source.differences + turing_test.differences_of_run(path),
        "versions": versions.versions(),
    }
    encoded = [pages.encoded(image) for image in images]
    key = pages.key_of(
        encoded,
        is_generated,
        arguments.seed,
        arguments.feedback == "on",
        arguments.images_at_once,
        about,
    )
    text = pages.page(encoded, key, images.shape[1:])
    written = pages.write(folder, text, key)
    print(
        f"{written}: {len(images)} images, {len(text) / 1e6:.2f} MB\n"
        f"  real:      {each} of the {real_source.description}\n"
        f"  generated: {each} of the {source.description}"
        + (f", the best of {best['num_candidates']:,} by {best['classifier']}" if best else "")
        + f"\nGive everyone this file, keep {written.with_suffix('.json').name} to yourself (it "
        "holds the answers), put the files of votes next to them, and count with\n"
        f"  python -m improved_gan_tf.turing_test --tally {shlex.quote(str(folder))}/votes-*.json"
    )


def _tally(arguments):
    from improved_gan_tf.scoring import votes
    from improved_gan_tf.tables import one_turing_test

    counted = votes.tally(arguments.tally, arguments.page)
    print(one_turing_test.text_of(counted, arguments.format))


if __name__ == "__main__":
    main()

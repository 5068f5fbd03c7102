"""Trains a small classifier for scoring samples.

    python -m improved_gan_tf.train_classifier --dataset=mnist --output=classifiers/mnist.keras

It is for data sets unknown to Inception, such as digits. Its scores compare samples of one data set
with each other and with its real images; they are not Inception scores.

OUTPUT.keras takes pixels from 0 to 255 and returns `{"logits": (N, 10), "features": (N, 128)}`;
OUTPUT.json says what it was trained on and how many test images it gets wrong.
"""

import argparse
import os
import pathlib

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import environment, exits
from improved_gan_tf.scoring.small_classifier import train


def main(argv=None, prog="python -m improved_gan_tf.train_classifier"):
    """Runs the command on `argv`, the command line if None; exits with one of `exits.EXIT_CODES`.

    `prog` is the program's name in the help.
    """
    with exits.exit_codes():
        _run(_parse(argv, prog))


def _parse(argv, prog):
    from improved_gan_tf.data.known_sets import KNOWN_SETS
    from improved_gan_tf.settings.semi_supervised import DATA_SOURCES

    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", required=True, choices=KNOWN_SETS, help="what to learn")
    parser.add_argument("--output", required=True, help="file to write, ending in .keras")
    parser.add_argument("--data_source", default="tfds", choices=DATA_SOURCES)
    parser.add_argument("--data_dir", help="folder with prepared TFDS data")
    parser.add_argument("--epochs", type=int, default=5, help="passes over the images (5)")
    parser.add_argument("--seed", type=int, default=1, help="weights, dropout and order (1)")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace OUTPUT.keras and OUTPUT.json"
    )
    return parser.parse_args(argv)


def _about_path(output):
    return output.with_suffix(".json")


def _prepare_output(output, overwrite):
    """Makes the folder of both files; shows early if they cannot be written."""
    try:
        for path in (output, _about_path(output)):
            if path.is_dir():
                raise UserError(f"--output={output} cannot be written: {path} is a folder.")
            if path.exists() and not overwrite:
                raise UserError(f"--output={output}: {path} exists; --overwrite replaces it.")
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--output={output} cannot be written: {error.strerror}.") from error
    if not os.access(output.parent, os.W_OK):
        raise UserError(f"--output={output} cannot be written: {output.parent} is not writable.")


def _run(arguments):
    output = pathlib.Path(arguments.output).expanduser()
    if output.suffix != ".keras":
        raise UserError(f"--output must end in .keras. Received: {arguments.output}.")
    if arguments.epochs < 1:
        raise UserError(f"--epochs must be 1 or more. Received: {arguments.epochs}.")
    if not 0 <= arguments.seed < 2**32:
        raise UserError(f"--seed must be from 0 to 4294967295. Received: {arguments.seed}.")
    _prepare_output(output, arguments.overwrite)
    environment.start_tensorflow()

    from improved_gan_tf.data import datasets
    from improved_gan_tf.machine import files, keras_files, versions

    dataset = datasets.load(arguments.dataset, arguments.data_source, arguments.data_dir)
    model, test_wrong = train(dataset, arguments.epochs, arguments.seed)
    test_count = len(dataset.test_labels)
    about = {
        "kind": "classifier",
        "use": "scores with it are not Inception scores: compare them with each other only",
        "dataset": arguments.dataset,
        "data": dataset.description,
        "train_count": len(dataset.train_labels),
        "test_count": test_count,
        "test_wrong": test_wrong,
        "epochs": arguments.epochs,
        "seed": arguments.seed,
        "versions": versions.versions(),
    }
    # An earlier description would be a wrong one if the command were killed between both files.
    _about_path(output).unlink(missing_ok=True)
    keras_files.write_model(output, model)
    files.write_json(_about_path(output), about)
    accuracy = 100 * (1 - test_wrong / test_count)
    print(
        f"{output}: {dataset.description}, test accuracy {accuracy:.2f} % ({test_wrong} of "
        f"{test_count:,} wrong). Scores with it are not Inception scores."
    )


if __name__ == "__main__":
    main()

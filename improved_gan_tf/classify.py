"""Classifies pictures with the discriminator of a run: a table of class probabilities.

    python -m improved_gan_tf.classify RUN_DIR IMAGES... --output=predictions.csv

IMAGES are pictures, or folders of them at any depth. Each is cropped to its middle square, resized
and made grey or RGB, as the run's images are. A file that is no picture is left out and named. The
parameters are the averaged ones with which the run was tested, unless --parameters=raw.
"""

import argparse
import pathlib

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import environment, exits, files
from improved_gan_tf.runs import pretrained


def main(argv=None, prog="python -m improved_gan_tf.classify"):
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
    add("run_dir", help="folder that a run script wrote, or pretrained:mnist")
    add("images", nargs="+", help="pictures, or folders of pictures")
    add("--output", required=True, help="CSV file to write: image, class, probabilities")
    add("--parameters", choices=("averaged", "raw"), default="averaged", help="(averaged)")
    add("--overwrite", action="store_true", help="replace an existing --output")
    return parser.parse_args(argv)


def _run(arguments):
    output = pathlib.Path(arguments.output).expanduser()
    files.require_replaceable(output, arguments.overwrite)
    if not output.absolute().parent.is_dir():
        raise UserError(
            f"{output} cannot be written: there is no folder {output.absolute().parent}."
        )
    run_dir = pretrained.folder_of(arguments.run_dir)  # before TensorFlow starts
    from improved_gan_tf.data import picture_files

    paths = picture_files.below(arguments.images)
    environment.start_tensorflow()
    from improved_gan_tf.runs.classification_file import classify_files
    from improved_gan_tf.runs.loaded_run import load_run

    counts = classify_files(load_run(run_dir, arguments.parameters), paths, output)
    for name, count in counts.items():
        print(f"{name}: {count:,}")
    print(f"Probabilities of {sum(counts.values()):,} pictures in {output}")


if __name__ == "__main__":
    main()

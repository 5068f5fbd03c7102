"""The command line of `improved_gan_tf.score`: its arguments and their checks."""

import argparse
import math
import os
import pathlib

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files


def parse(argv, prog, description):
    """Reads `argv`, `sys.argv` if None; `prog` and `description` are for --help."""
    from improved_gan_tf.data.known_sets import KNOWN_SETS
    from improved_gan_tf.settings.semi_supervised import DATA_SOURCES

    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("source", nargs="?", help="run folder, generator (.keras) or folder of PNG/JPEG/WebP files")
    add("--real", choices=KNOWN_SETS, help="score this data set's training images instead")
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
    add("--real_data", choices=KNOWN_SETS, help="what to compare with; a run's own data set")
    add("--real_folder", help="folder of pictures to compare with, instead of a data set")
    add("--data_source", choices=DATA_SOURCES, help="tfds (default; a run's own) or sample")
    add("--data_dir", help="folder with prepared TFDS data; a run's own")
    add("--num_real", type=int, help="real images to compare with (all); 0 for none")
    add("--output", help="JSON file to write; RUN_DIR/score.json for a run")
    add("--overwrite", action="store_true", help="replace an existing --output")
    return parser.parse_args(argv)


def refuse_empty(arguments):
    """Raises `UserError` for an argument without a value, as a variable that is not set gives."""
    for name, value in vars(arguments).items():
        if value == "":
            raise UserError(f"--{name} must not be empty.".replace("--source", "source"))


def check(arguments):
    """Raises `UserError` if arguments are out of range, or contradict each other."""
    refuse_empty(arguments)
    if (arguments.source is None) == (arguments.real is None):
        raise UserError(
            "Give either a run folder, generator or folder of pictures, or --real=NAME. "
            f"Received: source={arguments.source}, real={arguments.real}."
        )
    if arguments.real is not None and arguments.real_data is not None:
        raise UserError("--real compares with its own test images: leave --real_data out.")
    check_real_folder(arguments)
    if arguments.real is None and arguments.num_real == 0:
        names = ("real_folder", "data_source", "data_dir")
        refuse_not_read(arguments, names, "--num_real=0 compares with no real images")
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
    check_seed_and_ranges(arguments)


def check_real_folder(arguments):
    """Raises `UserError` if `--real_folder` is missing, or others name other real images."""
    if arguments.real_folder is None:
        return
    for name in ("real", "real_data", "data_source", "data_dir"):
        if getattr(arguments, name) is not None:
            raise UserError(
                f"--real_folder and --{name} both say which images are the real ones: give one of "
                f"them. Received: --real_folder={arguments.real_folder} "
                f"--{name}={getattr(arguments, name)}."
            )
    if not pathlib.Path(arguments.real_folder).expanduser().is_dir():
        raise UserError(
            f"--real_folder must be a folder that exists. Received: {arguments.real_folder}."
        )
    refuse_own_pictures(arguments.source, arguments.real_folder, "real_folder")


def refuse_own_pictures(source, folder, name):
    """Raises `UserError` if real pictures would be the very ones that are compared with them.

    `folder` is what the argument `name` says; pictures are found at any depth below either.
    """
    own, real = (pathlib.Path(path).expanduser().resolve() for path in (source, folder))
    if not own.is_dir() or (own / "config.json").exists():  # a generator
        return
    if own == real or own in real.parents or real in own.parents:
        raise UserError(
            f"--{name} must hold other pictures than those that are compared with them. Received: "
            f"{source} and --{name}={folder}."
        )


def refuse_not_read(arguments, names, why):
    """Raises `UserError` if one of these arguments is given, which nothing would read.

    Args:
        arguments: from `parse`.
        names: of the arguments.
        why: str, why nothing would.
    """
    for name in names:
        value = getattr(arguments, name)
        if value:
            raise UserError(f"{why}: leave --{name} out. Received: --{name}={value}.")


def check_seed_and_ranges(arguments):
    """Raises `UserError` if the seed or a range of pixels cannot be used."""
    if not 0 <= arguments.seed < 2**32:
        raise UserError(f"--seed must be from 0 to 4294967295. Received: {arguments.seed}.")
    for name in ("classifier_range", "output_range"):
        check_range(name, getattr(arguments, name))


def check_range(name, value):
    """Raises `UserError` unless the argument of this name is None or two finite rising numbers."""
    if value is not None and not -math.inf < value[0] < value[1] < math.inf:
        raise UserError(f"--{name} must be two finite rising numbers. Received: {value}.")


def output(arguments):
    """The file to write, or None; raises `UserError` before any work if it cannot be written."""
    path = arguments.output and pathlib.Path(arguments.output).expanduser()
    source = arguments.source and pathlib.Path(arguments.source).expanduser()
    if path is None and source is not None and (source / "config.json").exists():
        path = source / "score.json"
    if path is None:
        return None
    files.require_replaceable(path, arguments.overwrite)
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise UserError(f"{path} cannot be written: is its folder there and writable?")
    return path


def require_classifier(arguments):
    """Raises `UserError` if a classifier's file is missing, before any download of data."""
    for name in ("classifier", "weights"):
        value = getattr(arguments, name)
        is_file = value is not None and pathlib.Path(value).suffix
        if is_file and not pathlib.Path(value).expanduser().is_file():
            raise UserError(f"--{name} must be a file that exists. Received: {value}.")

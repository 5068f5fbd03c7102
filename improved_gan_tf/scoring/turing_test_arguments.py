"""The command line of `improved_gan_tf.turing_test`: its arguments and their checks."""

import argparse
import pathlib

from improved_gan_tf.errors import UserError
from improved_gan_tf.scoring import arguments as score_arguments

FORMATS = ("text", "markdown", "csv", "json")
PAGE_FOLDER = "turing_test"  # in a run folder, without --output

OF_A_TALLY = ("page", "format")  # the other arguments are for making a page


def parse(argv, prog, description):
    """Reads `argv`, `sys.argv` if None; `prog` and `description` are for --help."""
    return _parser(prog, description).parse_args(argv)


def _parser(prog=None, description=None):
    from improved_gan_tf.data.known_sets import KNOWN_SETS
    from improved_gan_tf.settings.semi_supervised import DATA_SOURCES

    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    range_ = {"nargs": 2, "type": float, "metavar": ("LOW", "HIGH")}
    add = parser.add_argument_group("making a page").add_argument
    add("source", nargs="?", help="run folder, generator (.keras) or folder of PNG/JPEG/WebP files")
    add("--num_images", type=int, default=100, help="images on the page, half of them real (100)")
    add("--output", help=f"folder to write to; RUN_DIR/{PAGE_FOLDER} for a run")
    add("--overwrite", action="store_true", help="replace a page that nobody has voted on")
    add("--seed", type=int, default=1, help="decides images, noise and order (1)")
    add("--feedback", choices=("on", "off"), default="on", help="tell after each answer (on)")
    add("--images_at_once", type=int, choices=(1, 9), default=1, help="one, or a grid of 9 (1)")
    add("--real", metavar="FOLDER", help="real pictures; a run's own test images if not given")
    add("--real_data", choices=KNOWN_SETS, help="data set whose test images are the real ones")
    add("--data_source", choices=DATA_SOURCES, help="tfds or sample; a run's own if not given")
    add("--data_dir", help="folder with prepared TFDS data; a run's own if not given")
    add("--best", type=float, metavar="SHARE", help="only the best SHARE of samples, as 0.01")
    add("--classifier", help="scores them: frozen graph (.pb), .keras file, or inception_v3")
    add("--weights", help="file of weights for --classifier=inception_v3; Keras's if not given")
    add("--classifier_range", **range_, help="what a .keras classifier takes for black and white")
    add("--output_range", **range_, help="a generator's values for black and white")
    add(
        "--noise",
        choices=("uniform", "symmetric", "normal"),
        help="[0, 1), [-1, 1) or N(0, 1); what the run's network was trained with, else uniform",
    )
    add("--batch_size", type=int, default=100, help="images generated at a time (100)")
    add = parser.add_argument_group("counting votes").add_argument
    add("--tally", nargs="+", metavar="FILE", help="files of votes on one page")
    add("--page", metavar="DIR", help="the page's folder; that of the first file if not given")
    add("--format", choices=FORMATS, default="text", help="of the tally (text)")
    return parser


def check(arguments):
    """Raises `UserError` if arguments are out of range, or contradict each other."""
    score_arguments.refuse_empty(arguments)
    if (arguments.source is None) == (arguments.tally is None):
        raise UserError(
            "Give either a run folder, generator or folder of pictures to make a page of, or "
            f"--tally FILES. Received: source={arguments.source}, tally={arguments.tally}."
        )
    _refuse_arguments_of_the_other(arguments)
    if arguments.source is None:
        return
    count = arguments.num_images
    if count < 2 or count % 2:
        raise UserError(
            "--num_images must be even and 2 or more: half of the images are real. Received: "
            f"{count}."
        )
    score_arguments.check_seed_and_ranges(arguments)
    if arguments.batch_size < 1:
        raise UserError(f"--batch_size must be 1 or more. Received: {arguments.batch_size}.")
    given = arguments.real_data or arguments.data_source or arguments.data_dir
    if arguments.real is not None and given:
        raise UserError(
            "--real=FOLDER takes the place of --real_data, --data_source and --data_dir."
        )
    if arguments.best is not None and not 0 < arguments.best < 1:
        raise UserError(f"--best must lie between 0 and 1. Received: {arguments.best}.")
    if (arguments.best is None) != (arguments.classifier is None):
        raise UserError(
            "--best needs --classifier, whose score decides which samples are the best, and "
            f"--classifier goes with it. Received: best={arguments.best}, "
            f"classifier={arguments.classifier}."
        )
    if arguments.classifier is None:
        why = "There is no --classifier that could take it"
        score_arguments.refuse_not_read(arguments, ("weights", "classifier_range"), why)


def _refuse_arguments_of_the_other(arguments):
    """Raises `UserError` for what only the other of the two commands reads."""
    tallies = arguments.tally is not None
    default_of = _parser().get_default
    for name, value in vars(arguments).items():
        is_of_this = name in ("source", "tally") or (name in OF_A_TALLY) == tallies
        if not is_of_this and value != default_of(name):
            text = "is for making a page, not for counting" if tallies else "goes with --tally"
            raise UserError(f"--{name} {text}. Received: --{name}={value}.")


def output(arguments):
    """The folder to write to."""
    if arguments.output is not None:
        return pathlib.Path(arguments.output).expanduser()
    source = pathlib.Path(arguments.source).expanduser()
    if (source / "config.json").exists():
        return source / PAGE_FOLDER
    raise UserError(f"{source} is no run folder: say where to write the page with --output=DIR.")


def require_files(arguments):
    """Raises `UserError` before any work if a file or folder in the arguments is missing."""
    if arguments.classifier is not None:
        score_arguments.require_classifier(arguments)
    if arguments.real is not None and not pathlib.Path(arguments.real).expanduser().is_dir():
        raise UserError(f"--real must be a folder of pictures. Received: {arguments.real}.")
    if arguments.real is not None:
        score_arguments.refuse_own_pictures(arguments.source, arguments.real, "real")

"""Prints the paper's tables with the measurements of run folders next to the paper's numbers.

    python -m improved_gan_tf.compare RUNS... [--format=text|markdown|csv|json]

RUNS are run folders, or folders that hold them at any depth. Tables of data sets without runs are
left out unless --all is given. Runs that differ in more than their seeds have separate rows.
Folders that do not count are named below the tables with the reason, with CSV on standard error.
"""

import argparse
import sys

from improved_gan_tf.machine import exits


def main(argv=None, prog="python -m improved_gan_tf.compare"):
    """Runs the command on `argv`, the command line if None; exits with one of `exits.EXIT_CODES`.

    `prog` is the program's name in the help.
    """
    with exits.exit_codes():
        _run(_parse(argv, prog))


def _parse(argv, prog):
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", help="run folders, or folders that hold them")
    parser.add_argument(
        "--format", choices=("text", "markdown", "csv", "json"), default="text", help="(text)"
    )
    parser.add_argument(
        "--all", action="store_true", help="print the tables of data sets without runs too"
    )
    parser.add_argument(
        "--other_versions",
        action="store_true",
        help="count runs that another version of this package made",
    )
    return parser.parse_args(argv)


def _run(arguments):
    from improved_gan_tf.tables.comparison import Comparison
    from improved_gan_tf.tables.formats import text_of

    found = Comparison(arguments.runs, arguments.other_versions)
    print(text_of(found, arguments.format, arguments.all))
    if arguments.format == "csv":
        for item in found.left_out:
            print(f"left out: {item.path}: {item.reason}", file=sys.stderr)
        others = len(found.scores), len(found.turing_tests)
        if any(others):
            print(
                f"not in CSV: {others[0]} Inception scores and {others[1]} visual Turing tests; "
                "--format=json has them",
                file=sys.stderr,
            )


if __name__ == "__main__":
    main()

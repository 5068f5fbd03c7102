"""Prints the paper's tables with what run folders measured beside the paper's numbers.

    python -m improved_gan_tf.compare RUNS... [--format=text|markdown|csv|json]

RUNS are run folders, or folders that hold them at any depth. Runs that differ in more than their
seeds stand in rows of their own: the two recipes can be read off one table, and no mean mixes
them. Folders that do not count are named below the tables with the reason.
"""

import argparse
import sys

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import exits
from improved_gan_tf.tables.comparison import Comparison
from improved_gan_tf.tables.formats import FORMATS, text_of

USER_ERROR = 2


def main():
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m improved_gan_tf.compare", description=__doc__.splitlines()[0]
    )
    parser.add_argument("runs", nargs="+", help="run folders, or folders that hold them")
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument(
        "--other_versions",
        action="store_true",
        help="count runs that another version of this package made",
    )
    arguments = parser.parse_args()
    try:
        found = Comparison(arguments.runs, arguments.other_versions)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(USER_ERROR)
    print(text_of(found, arguments.format))


if __name__ == "__main__":
    with exits.quiet_exit():
        main()

"""One self-contained HTML page about runs: tables, curves, samples, mistakes, settings.

    python -m improved_gan_tf.report RUNS... [--output=report.html] [--data_dir=...]

RUNS are run folders, or folders that hold them at any depth. The page needs no network and no
other file. The images of the mistakes come from the data set; where it is missing the page says
so and has everything else.
"""

import argparse
import os
import sys

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import environment, exits
from improved_gan_tf.pages.report import check_output, page, write_page
from improved_gan_tf.tables import comparison

USER_ERROR = 2


def main():
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m improved_gan_tf.report", description=__doc__.splitlines()[0]
    )
    parser.add_argument("runs", nargs="+", help="run folders, or folders that hold them")
    parser.add_argument("--output", default="report.html", help="file to write")
    parser.add_argument(
        "--data_dir", help="folder with prepared TFDS data; the runs' own if not given"
    )
    parser.add_argument(
        "--other_versions",
        action="store_true",
        help="count runs that another version of this package made",
    )
    arguments = parser.parse_args()
    environment.set_defaults()  # TFDS starts TensorFlow
    try:
        output = os.path.expanduser(arguments.output)
        check_output(output)
        found = comparison.Comparison(arguments.runs, arguments.other_versions)
        text = page(found, arguments.data_dir, folder=os.path.dirname(output) or ".")
        write_page(output, text)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(USER_ERROR)
    size = len(text.encode("utf-8")) / 1e6
    print(f"{output}: {len(found.runs)} runs, {size:.1f} MB", end="")
    print(f"; {len(found.left_out)} folders left out, named in it" if found.left_out else "")


if __name__ == "__main__":
    with exits.quiet_exit():
        main()

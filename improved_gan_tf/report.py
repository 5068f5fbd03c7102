"""Writes one HTML page about runs: tables, curves, samples, mistakes, settings.

    python -m improved_gan_tf.report RUNS... [--output=report.html] [--data_dir=...]

RUNS are run folders, or folders that hold them at any depth. The page needs no network and no
other file. The images of the mistakes come from the data set; without it the page leaves them out
and says so.
"""

import argparse
import os

from improved_gan_tf.machine import environment, exits


def main(argv=None, prog="python -m improved_gan_tf.report"):
    """Runs the command on `argv`, the command line if None; exits with one of `exits.EXIT_CODES`.

    `prog` is the program's name in the help.
    """
    with exits.exit_codes():
        _run(_parse(argv, prog))


def _parse(argv, prog):
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", help="run folders, or folders that hold them")
    parser.add_argument(
        "--output",
        default="report.html",
        help="file to write (report.html); an earlier report is replaced",
    )
    parser.add_argument(
        "--data_dir", help="folder with prepared TFDS data; the runs' own if not given"
    )
    parser.add_argument(
        "--other_versions",
        action="store_true",
        help="count runs that another version of this package made",
    )
    return parser.parse_args(argv)


def _run(arguments):
    from improved_gan_tf.pages.report import check_output, page, write_page
    from improved_gan_tf.tables import comparison

    output = os.path.expanduser(arguments.output)
    check_output(output)
    found = comparison.Comparison(arguments.runs, arguments.other_versions)
    environment.start_tensorflow()  # TFDS uses it
    text = page(found, arguments.data_dir, folder=os.path.dirname(output) or ".")
    write_page(output, text)
    size = len(text.encode("utf-8")) / 1e6
    runs = f"{len(found.runs)} run{'' if len(found.runs) == 1 else 's'}"
    print(f"{output}: {runs}, {size:.1f} MB", end="")
    left_out = f"{len(found.left_out)} folder{'' if len(found.left_out) == 1 else 's'} left out"
    print(f"; {left_out}, named in it" if found.left_out else "")


if __name__ == "__main__":
    main()

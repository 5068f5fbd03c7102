"""One self-contained HTML page about runs: tables, curves, samples, mistakes, settings.

    python -m improved_gan_tf.report RUNS... [--output=report.html] [--data_dir=...]

RUNS are run folders, or folders that hold them at any depth. The page needs no network and no
other file. The images of the mistakes come from the data set; where it is missing the page says
so and has everything else.
"""

import argparse
import os
import pathlib
import re
import sys

import jinja2

from improved_gan_tf import report_sections
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import environment, exits
from improved_gan_tf.tables import cells as table_cells
from improved_gan_tf.tables import comparison, inception_scores

USER_ERROR = 2


ROOT = pathlib.Path(__file__).resolve().parent.parent


MARK = "<!-- a report of improved_gan_tf -->"


def page(found, data_dir=None, ledger=ROOT / "REPRODUCTION.md"):
    """The report as HTML text.

    Args:
        found: `compare.Comparison`.
        data_dir: folder of prepared TFDS data; each run's own `--data_dir` if None.
        ledger: file whose deviations the page lists, if it exists.

    Returns:
        str.
    """
    templates = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
    )
    test_images = report_sections.ScoredImages(data_dir)
    sections = []
    for cells in found.cells.values():
        settings = table_cells.telling_settings(cells)
        sections += [
            report_sections.section(cell, text, test_images)
            for cell, text in zip(cells, settings, strict=True)
        ]
    return templates.get_template("report.html.jinja").render(
        mark=MARK,
        tables=tables(found),
        sections=sections,
        num_runs=len(found.runs),
        legend=comparison.LEGEND,
        provenance=comparison.provenance(found),
        left_out=found.left_out,
        deviations=deviations(ledger),
    )


def tables(found):
    """The comparison's tables that some run belongs to, each a dict for the template."""
    shown = []
    for dataset, title in comparison.TITLES.items():
        if found.cells[dataset]:
            notes = comparison.Notes()
            lines = [comparison.line_of(row, notes) for row in found.rows[dataset]]
            shown.append(
                {
                    "title": title,
                    "headers": comparison.HEADERS,
                    "lines": lines,
                    "notes": notes.lines,
                }
            )
    if found.scores:
        notes = comparison.Notes()
        lines = inception_scores.lines(found.scores, notes)
        shown.append(
            {
                "title": inception_scores.TITLE,
                "headers": inception_scores.HEADERS,
                "lines": lines,
                "notes": notes.lines,
            }
        )
    return shown


def deviations(ledger):
    """The entries of a ledger of deviations.

    Args:
        ledger: Markdown file with headings `### D<number> title`.

    Returns:
        List of dicts with "title" and "paragraphs", a paragraph being a list of
        `(is code, text)`; empty if there is no such file.
    """
    if not ledger.is_file():
        return []
    text = ledger.read_text("utf-8")
    entries = re.findall(r"^### (D\d+ [^\n]+)\n(.*?)(?=^#|\Z)", text, re.M | re.S)
    return [
        {
            "title": title,
            "paragraphs": [_code_parts(" ".join(p.split())) for p in body.strip().split("\n\n")],
        }
        for title, body in entries
    ]


def _code_parts(text):
    """Splits at backticks: every second part is code."""
    return [(i % 2 == 1, part) for i, part in enumerate(text.split("`")) if part]


def check_output(path):
    """Refuses a file that is no earlier report, and a folder that is not there.

    Raises:
        UserError: `--output` cannot be written, or is something else.
    """
    path = pathlib.Path(path)
    try:
        if not path.absolute().parent.is_dir():
            raise UserError(f"--output={path} cannot be written: there is no such folder.")
        if path.exists() and MARK not in path.read_text("utf-8", errors="replace")[:200]:
            raise UserError(
                f"--output={path} exists and is no report of this program; it is not overwritten. "
                "Give another --output."
            )
    except OSError as error:
        raise UserError(f"--output={path} cannot be written: {error.strerror}.") from error


def write_page(path, text):
    """Writes the page whole or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(text, "utf-8")
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"--output={path} cannot be written: {error.strerror}.") from error


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
        text = page(found, arguments.data_dir)
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

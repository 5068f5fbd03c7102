"""The report page about some runs: one self-contained HTML file."""

import os
import pathlib
import re
import urllib.parse

import jinja2

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import files
from improved_gan_tf.pages import against_paper, run_pictures
from improved_gan_tf.pages import sections as report_sections
from improved_gan_tf.pages.scored_images import ScoredImages
from improved_gan_tf.scoring import votes
from improved_gan_tf.tables import cells as table_cells
from improved_gan_tf.tables import comparison, inception_scores, turing_tests

# A page of the repository; setup.py puts it next to this file where the package is installed.
_LEDGERS = (
    pathlib.Path(__file__).resolve().parents[2] / "docs" / "deviations.md",
    pathlib.Path(__file__).resolve().parent / "deviations.md",
)
LEDGER = next((path for path in _LEDGERS if path.is_file()), _LEDGERS[0])

TITLE = "Improved Techniques for Training GANs"
NUM_OTHERS = 10

MARK = "<!-- a report of improved_gan_tf -->"


def page(found, data_dir=None, ledger=LEDGER, folder="."):
    """The report as HTML text.

    Args:
        found: `tables.comparison.Comparison`.
        data_dir: folder of prepared TFDS data; each run's own if None.
        ledger: file with the deviations to list, if it exists.
        folder: the page's folder, for its links to pages of visual Turing tests.
    """
    templates = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
    )
    test_images = ScoredImages(data_dir)
    sections = []
    for cells in found.cells.values():
        settings = table_cells.telling_settings(cells)
        sections += [
            report_sections.section(cell, text, test_images)
            | {"turing_tests": turing_test_links(cell, folder)}
            for cell, text in zip(cells, settings, strict=True)
        ]
    text = templates.get_template("report.html.jinja").render(
        mark=MARK,
        against_paper=against_paper.pictures(found),
        tables=tables(found),
        sections=sections,
        title=title(len(found.runs)),
        order=comparison.ORDER,
        shown_all_the_same=[] if found.runs else pictures_of_others(found.left_out),
        legend=comparison.LEGEND,
        provenance=comparison.provenance(found),
        left_out=found.left_out,
        deviations=deviations(ledger),
    )
    # A folder's name may be no UTF-8.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def title(num_runs):
    """The page's title."""
    measured = f"what {num_runs} run{'' if num_runs == 1 else 's'} measured"
    return f"{TITLE}: {measured if num_runs else 'no finished run that a table could count'}"


def pictures_of_others(left_out):
    """Curves and newest samples in folders that do not count, such as a run on one's own pictures.

    The result is a list of dicts with "path" and "pictures", for the first few `LeftOut`s that
    hold any.
    """
    shown = [
        {"path": item.path, "pictures": run_pictures.pictures_in(item.path)} for item in left_out
    ]
    return [item for item in shown if item["pictures"]][:NUM_OTHERS]


def tables(found):
    """The comparison's tables that have runs, each a dict for the template."""
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
    if found.scores or found.unscored:
        notes = comparison.Notes()
        lines = inception_scores.lines(found.scores, found.unscored, notes)
        shown.append(
            {
                "title": inception_scores.TITLE,
                "headers": inception_scores.HEADERS,
                "lines": lines,
                "notes": notes.lines,
            }
        )
    if found.turing_tests:
        notes = comparison.Notes()
        lines = turing_tests.lines(found.turing_tests, notes)
        shown.append(
            {
                "title": turing_tests.TITLE,
                "headers": turing_tests.HEADERS,
                "lines": lines,
                "notes": [*notes.lines, *turing_tests.LEGEND],
            }
        )
    return shown


def turing_test_links(cell, folder):
    """Links to the pages of visual Turing tests of a cell's runs: list of `(link, text)`.

    The links are relative to `folder`.
    """
    found = [page for run in cell.runs for page in votes.find_pages(run.path)]
    links = [pathlib.Path(os.path.relpath(page / votes.PAGE_NAME, folder)) for page in found]
    return [
        (urllib.parse.quote(os.fsencode(link.as_posix())), str(page))
        for link, page in zip(links, found, strict=True)
    ]


def deviations(ledger):
    """The entries of a ledger of deviations, a Markdown file with headings `### D<number> title`.

    They are dicts with "title" and "paragraphs", each a list of `(HTML element or "", text)`; the
    list is empty without the file.
    """
    if not ledger.is_file():
        return []
    text = ledger.read_text("utf-8")
    entries = re.findall(r"^### (D\d+ [^\n]+)\n(.*?)(?=^#|\Z)", text, re.M | re.S)
    return [
        {
            "title": title,
            "paragraphs": [_parts(" ".join(p.split())) for p in body.strip().split("\n\n")],
        }
        for title, body in entries
    ]


def _parts(text):
    """Code, emphasis and the rest of a paragraph in Markdown, in order; a link is its text."""
    text = re.sub(r"\[([^\]]+)\]\([^)\s]+\)", r"\1", text)
    found = re.findall(r"`([^`]+)`|\*(?! )([^*`]+)\*|([^*`]+|.)", text)
    kinds = ("code", "em", "")
    return [part for each in found for part in zip(kinds, each, strict=True) if part[1]]


def check_output(path):
    """Refuses a file that is not an earlier report, and a missing folder.

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
    try:
        files.write_whole(path, lambda p: p.write_text(text, "utf-8"))
    except OSError as error:
        raise UserError(f"--output={path} cannot be written: {error.strerror}.") from error
